//! Tasks of people: opened where nothing can be automated or something went wrong, taken over, and
//! answered.

use latchkey_access::authority::Action;
use latchkey_access::context::Cause;
use latchkey_access::member::Version;
use latchkey_access::rotation::{Dependent, ManualTask, TaskState};
use latchkey_access::rotations::{self as rules, Attested, Said};
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_access::{ChangeSet, RotationChange, Sensitivity};
use latchkey_kernel::id::{MemberId, TaskId};
use latchkey_rotation::{ActOutcome, Follow, Job, TaskKind, Urgency, Word, answer, due, reminder};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::act::Done;
use super::hands::{Held, Keep, With};
use super::row::job_of;
use super::scene::{Scene, slot_of};
use super::worker::ended;
use crate::engine::only_moved;
use crate::error::Attempt;
use crate::secrets;
use crate::{Caller, Engine, Error, accounts};

/// Tasks that are looked at in one round.
const REMINDED: usize = 200;

/// A task as the act of a rotation.
pub(crate) fn opened(engine: &Engine, scene: &Scene, job: &Job, kind: TaskKind, cause: &Cause) -> Done {
    let task = ManualTask {
        workspace_id: job.workspace_id,
        id: TaskId::fresh(cause.now, engine.entropy()),
        account_id: job.account_id,
        rotation_id: job.id,
        kind: kind.as_str().to_owned(),
        state: TaskState::Open,
        checklist: checklist(scene, job, kind),
        assignee_id: scene.account.owner_id,
        evidence: json!([]),
        reminded: 0,
        opened_at: cause.now,
        due_at: due(urgency(scene), cause.now),
        closed_at: None,
        version: Version::FIRST,
    };
    let told = format!("{kind}, due {}", task.due_at);
    let changes = vec![rules::open_task(task, cause, engine.ids(cause))];
    Done { outcome: ActOutcome::TaskOpened(kind), changes, told, picture: None }
}

fn urgency(scene: &Scene) -> Urgency {
    match scene.account.sensitivity {
        Sensitivity::Critical => Urgency::Critical,
        Sensitivity::Privileged => Urgency::Privileged,
        Sensitivity::Standard => Urgency::Standard,
    }
}

/// What is to be done, and which versions the vault holds: one of them may be the one that works.
fn checklist(scene: &Scene, job: &Job, kind: TaskKind) -> Value {
    let steps: &[&str] = match kind {
        TaskKind::ChangeByHand => &[
            "Open the account's page for changing the password and sign in",
            "Set the new password that is ready here",
            "End all other sessions, if the page offers it",
            "Sign in with the new password, then say `changed`",
        ],
        TaskKind::TakesLong => &[
            "See why it fails; tries go on meanwhile",
            "Put right what is wrong, or set the new password that is ready here and say `changed`",
        ],
        TaskKind::NeedsPerson => &[
            "Read what the target asks for and do it",
            "Say `retry` when it can go on, or `changed` if you set the new password that is ready here",
        ],
        TaskKind::Diverged => &[
            "Try the versions that are listed here, beginning with the new one; mind the target's lock-out",
            "Say `changed` if the new one works, `old_works` if the old one does",
            "If none does, reset it at the target to the new one and say `changed`",
        ],
        TaskKind::OldStillWorks => &[
            "The new password works and is the account's; find out why the old one is still accepted",
            "Put it right at the target, then say `changed`",
        ],
        TaskKind::Drift => &[
            "The stored password is refused: somebody changed it elsewhere",
            "Store the right one, or have it rotated; then say `changed`",
        ],
    };
    json!({
        "steps": steps,
        "url": scene.account.url,
        "login": scene.login(),
        "why": job.last_failure.as_ref().or(job.change_failed.as_ref()).map(ToString::to_string),
        "versions": { "new": job.staged, "old": job.old, "refused": job.rejected },
    })
}

/// A task of its own for something that has to learn a new password.
pub(crate) fn for_dependent(
    engine: &Engine,
    scene: &Scene,
    job: &Job,
    dependent: &Dependent,
    cause: &Cause,
) -> ChangeSet {
    let task = ManualTask {
        workspace_id: job.workspace_id,
        id: TaskId::fresh(cause.now, engine.entropy()),
        account_id: job.account_id,
        rotation_id: job.id,
        kind: ManualTask::UPDATE_DEPENDENT.to_owned(),
        state: TaskState::Open,
        checklist: json!({ "steps": [dependent.instructions], "dependent": dependent.name,
            "versions": { "new": job.staged } }),
        assignee_id: scene.account.owner_id,
        evidence: json!([]),
        reminded: 0,
        opened_at: cause.now,
        due_at: due(urgency(scene), cause.now),
        closed_at: None,
        version: Version::FIRST,
    };
    rules::open_task(task, cause, engine.ids(cause))
}

/// Tells people of tasks whose time runs out.
pub(crate) async fn remind(engine: &Engine) -> Result<(), Error> {
    let now = engine.now();
    for task in engine.store().tasks_unreminded(now, REMINDED).await? {
        let Some(percent) = reminder(task.opened_at, task.due_at, now) else { continue };
        if i64::from(percent) <= task.reminded {
            continue;
        }
        let cause = engine.cause(latchkey_access::Actor::System, engine.fresh_request_id());
        let changes = rules::remind(&task, percent, &cause, engine.ids(&cause));
        if let Err(Attempt::Failed(error)) = engine.commit(changes, only_moved).await {
            return Err(error);
        }
    }
    Ok(())
}

/// Tasks in a state, newest first.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    state: TaskState,
    after: Option<TaskId>,
    limit: usize,
) -> Result<Vec<ManualTask>, Error> {
    by.may(Action::ReadRotations)?;
    Ok(engine.store().task_page(by.workspace_id(), state, after, limit).await?)
}

/// One task.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: TaskId) -> Result<ManualTask, Error> {
    by.may(Action::ReadRotations)?;
    find(engine, by, id).await
}

/// The caller takes care of a task from now on; the operator leaves it to nobody.
///
/// # Errors
/// When it is closed or not there, or the caller may not.
pub async fn take_over(engine: &Engine, by: &Caller, id: TaskId) -> Result<ManualTask, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::DoTasks)?;
            let task = find(engine, by, id).await?;
            let changes = rules::take_over(&task, by.member_id(), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await
        })
        .await?;
    find(engine, by, id).await
}

/// The password that is ready to be set by hand. It leaves after the record that it does (V5), and
/// whoever sees it knows the account's password from then on.
///
/// # Errors
/// When the task is somebody else's or closed, nothing is ready, or the caller may not.
pub async fn show_new(engine: &Engine, by: &Caller, id: TaskId) -> Result<(i64, SecretString), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::DoTasks)?;
            let task = find(engine, by, id).await?;
            if by.member_id().is_some() && task.assignee_id != by.member_id() {
                return Err(Error::Clash(
                    "take the task over first; then the new password is shown to you".to_owned(),
                )
                .into());
            }
            let workspace = by.workspace_id();
            let account = accounts::find(engine, by, task.account_id).await?;
            let row = engine.store().rotation_get(workspace, task.rotation_id).await?;
            let job = job_of(&row.ok_or(Error::NotFound { what: "rotation" })?)?;
            let kind = if job.policy.changes_key { SecretKind::SshKey } else { SecretKind::Password };
            let owned = engine.store().secrets_of_account(workspace, account.id).await?;
            let password = owned.into_iter().find(|secret| secret.kind == kind);
            let password = password.ok_or(Error::NotFound { what: "password" })?;
            let versions = engine.store().secret_versions(workspace, password.id).await?;
            let pending = versions.iter().find(|version| version.state == VersionState::Pending);
            let version = pending.ok_or(Error::NotFound { what: "new password" })?.version;
            let plain = secrets::open_version(engine, workspace, slot_of(&job), version).await?;
            let shown = (&password, version);
            let mut changes = rules::show_staged(&account, shown, by.member_id(), &cause, engine.ids(&cause));
            if let Some(member) = by.member_id() {
                let standing = crate::members::find(engine, by, member).await?.standing();
                let epoch = standing.epoch;
                changes.changes.insert(0, latchkey_access::Change::MemberExpect { member_id: member, epoch });
            }
            engine.commit(changes, only_moved).await?;
            Ok((version, plain))
        })
        .await
}

/// What somebody says to a task.
#[derive(Debug, Clone)]
pub struct Saying {
    /// The word.
    pub word: Word,
    /// What they add.
    pub note: Option<String>,
}

/// What came of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It counts.
    Done,
    /// A second person has to say the same.
    NeedsAnother,
}

/// Hears somebody's word to a task. For a privileged account, what no login proves takes two people.
///
/// # Errors
/// When the word does not fit where the rotation stands, or the caller may not.
pub async fn finish(engine: &Engine, by: &Caller, id: TaskId, saying: &Saying) -> Result<Heard, Error> {
    engine
        .settle(|| async {
            let action = if saying.word == Word::Waive { Action::Waive } else { Action::DoTasks };
            let cause = by.cause(engine, action)?;
            let task = find(engine, by, id).await?;
            if task.kind == ManualTask::UPDATE_DEPENDENT {
                let changes = rules::close_task(&task, &cause, engine.ids(&cause))?;
                engine.commit(changes, only_moved).await?;
                return Ok(Heard::Done);
            }
            answer_rotation(engine, by, &task, saying, &cause).await
        })
        .await
}

async fn answer_rotation(
    engine: &Engine,
    by: &Caller,
    task: &ManualTask,
    saying: &Saying,
    cause: &Cause,
) -> Result<Heard, Attempt> {
    let workspace = by.workspace_id();
    let row = engine.store().rotation_get(workspace, task.rotation_id).await?;
    let row = row.ok_or(Error::NotFound { what: "rotation" })?;
    let job = job_of(&row)?;
    let scene = Scene::load(engine, workspace, task.account_id).await?;
    let scene = scene.ok_or(Error::NotFound { what: "account" })?;
    // A login proves the rest.
    let proven = job.policy.proves_new && !job.policy.by_hand;
    let vouches = match saying.word {
        Word::Changed => !proven,
        Word::OldWorks | Word::Waive => true,
        Word::Retry => false,
    };
    let who = cause.actor.to_string();
    let said = Said { by: &who, word: saying.word.as_str(), note: saying.note.as_deref() };
    let (kept, attested) = rules::attest(task, &said, vouches && scene.is_privileged(), cause)?;
    let ids = engine.ids(cause);
    let word = rules::keep_word(task, kept, &said, attested, (cause, ids));
    if attested == Attested::NeedsAnother {
        engine.commit(word, only_moved).await?;
        return Ok(Heard::NeedsAnother);
    }
    let (answered, follows) =
        answer(job, saying.word, cause.now).map_err(|error| Error::Clash(error.to_string()))?;
    let mut changes = vec![word];
    if saying.word == Word::Changed && !answered.policy.changes_key {
        changes.extend(known_by(&scene, &answered, by.member_id(), engine, cause).await?);
    }
    if follows.contains(&Follow::CloseTask) {
        let mut set = ChangeSet::new(workspace);
        let close =
            RotationChange::TaskCloseOf { rotation_id: row.id, state: TaskState::Done, at: cause.now };
        set.push(close.into());
        changes.push(set);
    }
    let mut with = With { step: None, changes, said: Vec::new() };
    if answered.state.is_over() {
        let pending = scene.in_state(VersionState::Pending);
        if let Some(version) = answered.staged.filter(|version| pending == Some(*version)) {
            let slot = slot_of(&answered);
            with.changes.push(secrets::abandoned(engine, workspace, slot, version, cause).await?);
        }
        with.said.push(ended(&answered));
    }
    let over = answered.state.is_over();
    let mut held = Held { row, job: answered.clone(), until: cause.now };
    if !held.write(engine, answered.clone(), Keep::Until(cause.now), with).await? {
        return Err(Attempt::Again);
    }
    if over {
        super::cases::after_end(engine, &held.row, &answered).await?;
    }
    Ok(Heard::Done)
}

/// Whoever set a password by hand knows it, whether it was shown to them here or not.
async fn known_by(
    scene: &Scene,
    job: &Job,
    member: Option<MemberId>,
    engine: &Engine,
    cause: &Cause,
) -> Result<Option<ChangeSet>, Error> {
    let (Some(version), Some(member)) = (job.staged, member) else { return Ok(None) };
    if job.committed_at.is_some() {
        return Ok(None);
    }
    let workspace = job.workspace_id;
    let owned = engine.store().secrets_of_account(workspace, job.account_id).await?;
    let password = owned.into_iter().find(|secret| secret.kind == SecretKind::Password);
    Ok(password.map(|password| {
        rules::show_staged(&scene.account, (&password, version), Some(member), cause, engine.ids(cause))
    }))
}

async fn find(engine: &Engine, by: &Caller, id: TaskId) -> Result<ManualTask, Error> {
    engine.store().task_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "task" })
}
