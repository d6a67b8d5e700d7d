//! Acts are performed: at the target with a time limit, in the vault with what goes into the same commit.

use std::sync::Arc;
use std::time::Duration;

use latchkey_access::context::Cause;
use latchkey_access::exposure::ExposureKind;
use latchkey_access::exposures;
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::VersionState;
use latchkey_access::{Account, ChangeSet};
use latchkey_rotation::{Act, ActOutcome, Class, Evidence, Failure, Job};
use latchkey_rotators::{Attempt, ssh_key};
use latchkey_vault::generate::{self, Profile, Rules};
use secrecy::SecretString;

use super::hands::Held;
use super::scene::{Scene, slot_of};
use super::target::{Doing, Target};
use crate::secrets;
use crate::{Engine, Error};

/// How often another value is made when one was used before.
const VALUES: usize = 4;

/// What came of an act, what is committed with it, and how it is told.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: ActOutcome,
    pub(crate) changes: Vec<ChangeSet>,
    pub(crate) told: String,
    /// What the page looked like where the act failed.
    pub(crate) picture: Option<Box<Evidence>>,
}

impl Done {
    fn plain(outcome: ActOutcome, told: impl Into<String>) -> Self {
        Self { outcome, changes: Vec::new(), told: told.into(), picture: None }
    }

    fn showing(mut self, picture: Option<Box<Evidence>>) -> Self {
        self.picture = picture;
        self
    }
}

/// The picture that came with a failure, which the job does not keep.
fn picture_of<T>(ended: &mut Result<T, Failure>) -> Option<Box<Evidence>> {
    ended.as_mut().err().and_then(|failure| failure.evidence.take())
}

/// Performs an act that goes to the target, and keeps the lease meanwhile.
pub(crate) async fn at_target(
    engine: &Engine,
    scene: &Scene,
    held: &mut Held,
    act: Act,
) -> Result<Done, Error> {
    let workspace = held.job.workspace_id;
    let slot = slot_of(&held.job);
    let target = match &scene.target {
        Some(Ok(target)) => Arc::clone(target),
        Some(Err(wrong)) => {
            return Ok(refused(act, Class::Auth, format!("the connector's configuration is wrong: {wrong}")));
        }
        None => {
            return Ok(refused(
                act,
                Class::NeedsPerson,
                "the account has no connector any more; give it one",
            ));
        }
    };
    if scene.policy(held.job.reason).changes_key != held.job.policy.changes_key {
        let what = "the account's connector changes another kind of secret now; give it the former one";
        return Ok(refused(act, Class::NeedsPerson, what));
    }
    let Some(login) = scene.login().map(str::to_owned) else {
        return Ok(refused(act, Class::NeedsPerson, "the account has no login name; give it one"));
    };
    let limit = engine.pace_of_rotations().act_limit;
    match act {
        Act::Change { new, old } => {
            let new = secrets::open_version(engine, workspace, slot, new).await?;
            let old = match old {
                Some(version) => Some(secrets::open_version(engine, workspace, slot, version).await?),
                None => None,
            };
            let key = held.job.id.to_string();
            let attempt = Attempt { username: &login, old: old.as_ref(), new: &new, idempotency_key: &key };
            let mut changed = limited(engine, held, target.change(&attempt), limit, Failure::unknown).await?;
            let told = changed.as_ref().map_or_else(ToString::to_string, |receipt| receipt.method.clone());
            let picture = picture_of(&mut changed);
            Ok(Done::plain(ActOutcome::Changed(changed.map(drop)), told).showing(picture))
        }
        Act::Login { version } => {
            let secret = secrets::open_version(engine, workspace, slot, version).await?;
            let doing = target.verify(&login, &secret);
            let mut verdict = limited(engine, held, doing, limit, Failure::unknown).await?;
            let told = match &verdict {
                Ok(verdict) => format!("version {version}: {verdict}"),
                Err(failure) => format!("version {version}: {failure}"),
            };
            let picture = picture_of(&mut verdict);
            Ok(Done::plain(ActOutcome::LoggedIn { version, verdict }, told).showing(picture))
        }
        _ => {
            let mut ended =
                limited(engine, held, target.end_sessions(&login), limit, Failure::not_applied).await?;
            let told = match &ended {
                Ok(ended) => ended.count.map_or_else(|| "ended".to_owned(), |count| format!("ended {count}")),
                Err(failure) => failure.to_string(),
            };
            let picture = picture_of(&mut ended);
            let outcome = ActOutcome::SessionsEnded(ended.map(|ended| ended.count));
            Ok(Done::plain(outcome, told).showing(picture))
        }
    }
}

/// An act that cannot be tried, in the form of its failure.
fn refused(act: Act, class: Class, message: impl Into<String>) -> Done {
    let failure = Failure::not_applied(class, message);
    let told = failure.to_string();
    let outcome = match act {
        Act::Change { .. } => ActOutcome::Changed(Err(failure)),
        Act::Login { version } => ActOutcome::LoggedIn { version, verdict: Err(failure) },
        _ => ActOutcome::SessionsEnded(Err(failure)),
    };
    Done::plain(outcome, told)
}

/// Waits for an act at most so long, and renews the lease while it does.
async fn limited<T>(
    engine: &Engine,
    held: &mut Held,
    mut doing: Doing<'_, T>,
    limit: Duration,
    late: fn(Class, String) -> Failure,
) -> Result<Result<T, Failure>, Error> {
    let every = engine.pace_of_rotations().lease / 3;
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        tokio::select! {
            done = &mut doing => return Ok(done),
            () = tokio::time::sleep_until(deadline) => {
                let message = format!("the target did not answer within {} s", limit.as_secs());
                return Ok(Err(late(Class::Transient, message)));
            }
            // Lost or not: what is under way ends, and the writing after it finds out.
            () = tokio::time::sleep(every) => {
                held.renew(engine).await?;
            }
        }
    }
}

/// A new value as pending, or the one that is pending from before.
pub(crate) async fn stage(
    engine: &Engine,
    scene: &Scene,
    job: &Job,
    refused: u32,
    cause: &Cause,
) -> Result<Done, Error> {
    let pending = scene.in_state(VersionState::Pending);
    if let Some(version) = pending.filter(|version| !job.rejected.contains(version)) {
        let told = format!("version {version} was ready");
        return Ok(Done::plain(ActOutcome::Staged { version }, told));
    }
    let slot = slot_of(job);
    let mut last = Error::Contended;
    for _ in 0..VALUES {
        let plain = if job.policy.changes_key {
            ssh_key::generate(engine.entropy())
        } else {
            value(engine, refused)?
        };
        match secrets::staged(engine, job.workspace_id, slot, cause, &plain).await {
            Ok((version, changes)) => {
                let told = format!("version {version}");
                let outcome = ActOutcome::Staged { version };
                return Ok(Done { outcome, changes: vec![changes], told, picture: None });
            }
            Err(error @ Error::Refused(Refusal::ValueUsedBefore)) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// A value that targets take: the more of them were refused, the plainer.
fn value(engine: &Engine, refused: u32) -> Result<SecretString, Error> {
    let rules = match refused {
        0 => Rules::default(),
        1 => Rules::default().for_profile(Profile::SafeAscii),
        _ => Rules::parse(PLAIN).map_err(|error| Error::damaged("password rule", error))?,
    };
    let made = generate::generate(&rules, engine.entropy());
    Ok(made.map_err(|error| Error::damaged("password rule", error))?.password)
}

/// What nearly every system takes.
const PLAIN: &str = "minlength: 16; maxlength: 16; required: lower; required: upper; required: digit; allowed: lower, upper, digit;";

/// The staged version becomes the account's. Somebody who set it by hand and has left since knows
/// it: that is a cause of its own.
pub(crate) async fn commit(
    engine: &Engine,
    scene: &Scene,
    job: &Job,
    version: i64,
    cause: &Cause,
) -> Result<Done, Error> {
    let workspace = job.workspace_id;
    let slot = slot_of(job);
    let verified_at = job.verified_at.unwrap_or(cause.now);
    let mut changes = vec![secrets::promoted(engine, workspace, slot, version, verified_at, cause).await?];
    let told = format!("version {version}");
    if job.policy.changes_key {
        return Ok(Done { outcome: ActOutcome::Committed, changes, told, picture: None });
    }
    let known = engine.store().exposures_of_account(workspace, job.account_id).await?;
    let account = Account { secret_generation: version, ..scene.account.clone() };
    for exposure in known.into_iter().filter(|exposure| exposure.generation == version) {
        let member = engine.store().member_get_any(workspace, exposure.member_id).await?;
        if let Some(member) = member.filter(|member| !member.standing().is_active()) {
            let kind = ExposureKind::RotationOperator;
            changes.push(exposures::record(&account, &member, kind, cause, engine.ids(cause)));
        }
    }
    Ok(Done { outcome: ActOutcome::Committed, changes, told, picture: None })
}

/// What an admin sees before trusting a connector; changes nothing.
pub(crate) async fn probe(
    target: &dyn Target,
    login: &str,
    limit: Duration,
) -> Result<latchkey_rotators::Probe, Failure> {
    tokio::time::timeout(limit, target.probe(login)).await.unwrap_or_else(|_| {
        let message = format!("the target did not answer within {} s", limit.as_secs());
        Err(Failure::not_applied(Class::Transient, message))
    })
}
