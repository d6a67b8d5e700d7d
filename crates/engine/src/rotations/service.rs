//! Rotations, as admins see and ask for them.

use latchkey_access::authority::Action;
use latchkey_access::rotation::{RotationRow, RotationStep};
use latchkey_access::rotations as rules;
use latchkey_access::secret::VersionState;
use latchkey_access::{ChangeSet, RotationChange};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, RotationId};
use latchkey_rotation::{Follow, Job, PersonError, Reason, call_off as called_off, release};
use latchkey_rotators::{Abilities, Probe};
use latchkey_store::rotation::RotationFilter;

use super::act::probe;
use super::hands::{Held, Keep, With};
use super::plan::{Asked, Planned, plan};
use super::row::job_of;
use super::scene::{Scene, slot_of};
use super::worker::ended;
use crate::error::Attempt;
use crate::secrets;
use crate::{Caller, Engine, Error, accounts};

/// One rotation with all that it went through.
#[derive(Debug, Clone)]
pub struct RotationView {
    /// Its row.
    pub row: RotationRow,
    /// The job.
    pub job: Job,
    /// Act by act.
    pub steps: Vec<RotationStep>,
    /// The steps that failed of which there is a picture, with its time and media type; oldest first.
    pub pictures: Vec<(i64, Timestamp, String)>,
}

/// What a rotation would do. Nothing was changed.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// What the target said of itself, or why it did not.
    pub probe: Option<Result<Probe, String>>,
    /// What the connector can do.
    pub abilities: Option<Abilities>,
    /// The login at the target.
    pub login: Option<String>,
    /// Step by step.
    pub steps: Vec<String>,
}

/// Rotations, newest first.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    filter: RotationFilter,
    limit: usize,
) -> Result<Vec<(RotationRow, Job)>, Error> {
    by.may(Action::ReadRotations)?;
    let rows = engine.store().rotation_page(by.workspace_id(), filter, limit).await?;
    rows.into_iter().map(|row| job_of(&row).map(|job| (row, job))).collect()
}

/// One rotation.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: RotationId) -> Result<RotationView, Error> {
    by.may(Action::ReadRotations)?;
    view(engine, by, id).await
}

/// Has an account's password changed now, or only tried. One that is under way is the answer; one
/// that waits for approval or for a person goes on.
///
/// # Errors
/// When there is no such account, or the caller may not.
pub async fn request(
    engine: &Engine,
    by: &Caller,
    account: AccountId,
    reason: Reason,
) -> Result<RotationView, Error> {
    let cause = by.cause(engine, Action::Rotate)?;
    let row = accounts::find(engine, by, account).await?;
    let asked = Asked {
        account_id: account,
        reason,
        cause: format!("{reason}:{account}:{}", cause.request_id),
        priority: if row.is_privileged() { 5 } else { 15 },
        generation: None,
        case_id: None,
        by_effect: false,
    };
    let id = match plan(engine, by.workspace_id(), &asked, &cause).await? {
        Planned::New(id) => id,
        Planned::Busy => {
            let under_way = engine.store().rotation_under_way(by.workspace_id(), account).await?;
            under_way.ok_or(Error::Contended)?.id
        }
        Planned::Known => return Err(Error::Contended),
        Planned::Nothing => return Err(Error::NotFound { what: "account" }),
    };
    view(engine, by, id).await
}

/// What a rotation would do: reaches the target, and changes nothing.
///
/// # Errors
/// When there is no such account, or the caller may not.
pub async fn dry_run(engine: &Engine, by: &Caller, account: AccountId) -> Result<DryRun, Error> {
    by.may(Action::Rotate)?;
    let scene = Scene::load(engine, by.workspace_id(), account).await?;
    let scene = scene.ok_or(Error::NotFound { what: "account" })?;
    let policy = scene.policy(Reason::Request);
    let login = scene.login().map(str::to_owned);
    let what = if policy.changes_key { "key" } else { "password" };
    let mut steps = vec![format!("make a new {what} and store it as pending")];
    if policy.by_hand {
        steps.push("ask a person to set it, with a deadline".to_owned());
        return Ok(DryRun { probe: None, abilities: None, login, steps });
    }
    let target = match &scene.target {
        Some(Ok(target)) => target,
        Some(Err(wrong)) => {
            let probe = Some(Err(format!("the connector's configuration is wrong: {wrong}")));
            return Ok(DryRun { probe, abilities: None, login, steps: Vec::new() });
        }
        None => return Err(Error::NotFound { what: "connector" }),
    };
    let abilities = target.abilities();
    let has_old = scene.in_state(VersionState::Current).is_some();
    let probed = match &login {
        None => Err("the account has no login name; give it one".to_owned()),
        Some(_) if !abilities.by_admin && !has_old => {
            Err(format!("the connector needs the present {what}, and the vault does not hold it"))
        }
        Some(login) => {
            let limit = engine.pace_of_rotations().act_limit;
            probe(&**target, login, limit).await.map_err(|failure| failure.to_string())
        }
    };
    let how = match abilities.by_admin {
        true => "with the connector's credential".to_owned(),
        false => format!("with the present {what}"),
    };
    steps.push(format!("change it at the target {how}"));
    steps.push("log in afresh with the new one, and make it the account's".to_owned());
    if abilities.ends_sessions {
        steps.push("end the sessions that are open".to_owned());
    }
    if abilities.proves_refusal && has_old {
        steps.push("show that the old one is refused".to_owned());
    }
    Ok(DryRun { probe: Some(probed), abilities: Some(abilities), login, steps })
}

/// Lets a rotation go that waits for approval.
///
/// # Errors
/// When it does not wait, there is none, or the caller may not.
pub async fn approve(engine: &Engine, by: &Caller, id: RotationId) -> Result<RotationView, Error> {
    let rule = |job, now| Ok((release(job, now)?, Vec::new()));
    decide(engine, by, id, (Action::Rotate, "rotation.approved"), rule).await?;
    view(engine, by, id).await
}

/// Calls a rotation off: at once if nothing was sent, else as soon as it is known which password works.
///
/// # Errors
/// When it is over or the new password is the account's, there is none, or the caller may not.
pub async fn call_off(engine: &Engine, by: &Caller, id: RotationId) -> Result<RotationView, Error> {
    decide(engine, by, id, (Action::Rotate, "rotation.called_off"), called_off).await?;
    view(engine, by, id).await
}

/// The same as part of calling off a case.
pub(crate) async fn call_off_any(engine: &Engine, by: &Caller, id: RotationId) -> Result<(), Error> {
    decide(engine, by, id, (Action::CancelRotations, "rotation.called_off"), called_off).await
}

async fn decide(
    engine: &Engine,
    by: &Caller,
    id: RotationId,
    (action, said): (Action, &'static str),
    rule: impl Fn(Job, Timestamp) -> Result<(Job, Vec<Follow>), PersonError>,
) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, action)?;
            let workspace = by.workspace_id();
            let row = engine.store().rotation_get(workspace, id).await?;
            let row = row.ok_or(Error::NotFound { what: "rotation" })?;
            let before = job_of(&row)?;
            let (job, follows) = rule(before, cause.now).map_err(|error| Error::Clash(error.to_string()))?;
            let mut with = With::default();
            let mut noted = ChangeSet::new(workspace);
            noted.audit.extend(rules::said(&row, said, &cause, engine.ids(&cause)).audit);
            if follows.contains(&Follow::CloseTask) {
                let state = latchkey_access::rotation::TaskState::Moot;
                noted.push(RotationChange::TaskCloseOf { rotation_id: id, state, at: cause.now }.into());
            }
            with.changes.push(noted);
            if job.state.is_over() {
                let scene = Scene::load(engine, workspace, job.account_id).await?;
                let pending = scene.as_ref().and_then(|scene| scene.in_state(VersionState::Pending));
                if let Some(version) = job.staged.filter(|version| pending == Some(*version)) {
                    let slot = slot_of(&job);
                    with.changes.push(secrets::abandoned(engine, workspace, slot, version, &cause).await?);
                }
                with.said.push(ended(&job));
            }
            let mut held = Held { row, job: job.clone(), until: cause.now };
            if !held.write(engine, job.clone(), Keep::Until(cause.now), with).await? {
                return Err(Attempt::Again);
            }
            if job.state.is_over() {
                super::cases::after_end(engine, &held.row, &job).await?;
            }
            Ok(())
        })
        .await
}

async fn view(engine: &Engine, by: &Caller, id: RotationId) -> Result<RotationView, Error> {
    let row = engine.store().rotation_get(by.workspace_id(), id).await?;
    let row = row.ok_or(Error::NotFound { what: "rotation" })?;
    let job = job_of(&row)?;
    let steps = engine.store().rotation_steps(by.workspace_id(), id).await?;
    let pictures = engine.store().rotation_pictures(by.workspace_id(), id).await?;
    Ok(RotationView { row, job, steps, pictures })
}
