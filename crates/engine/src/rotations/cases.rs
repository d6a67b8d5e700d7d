//! What follows when a rotation is over: its case may close, its account's schedule goes on, and what
//! else uses the password is told.

use latchkey_access::context::Cause;
use latchkey_access::rotation::{AccountRotation, RotationRow};
use latchkey_access::rotations::{self as rules, Settled};
use latchkey_access::{Actor, ChangeSet, RotationChange};
use latchkey_kernel::id::{CaseId, WorkspaceId};
use latchkey_rotation::{Job, Reason, State};

use super::plan::{Asked, Planned, plan, schedule_of};
use super::row::job_of;
use super::scene::Scene;
use super::tasks;
use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Caller, Engine, Error};

/// Cases that are closed in one round for one workspace.
const CASES: usize = 100;
/// How the cause of a rotation begins that follows from another account's.
const OF_DEPENDENT: &str = "dependent:";

/// What follows from the end of a rotation. All of it is found by the next round as well, so that
/// nothing is lost if this is not reached.
pub(crate) async fn after_end(engine: &Engine, row: &RotationRow, job: &Job) -> Result<(), Error> {
    if let Some(setting) = engine.store().account_rotation(row.workspace_id, row.account_id).await?
        && job.state == State::Done
    {
        reschedule(engine, row.workspace_id, &setting, job.reason).await?;
    }
    if row.case_id.is_some() {
        close_settled_of(engine, row.workspace_id).await?;
    }
    Ok(())
}

/// When an account's password is changed and tried next, from now on.
pub(crate) async fn reschedule(
    engine: &Engine,
    workspace: WorkspaceId,
    setting: &AccountRotation,
    reason: Reason,
) -> Result<(), Error> {
    let now = engine.now();
    let schedule = schedule_of(setting);
    // A check changes nothing, so the next change is due when it was.
    let rotates_at = if reason == Reason::VerifyOnly { setting.rotates_at } else { schedule.rotates_at(now) };
    let verifies_at = schedule.verifies_at(now);
    if (rotates_at, verifies_at) == (setting.rotates_at, setting.verifies_at) {
        return Ok(());
    }
    let mut changes = ChangeSet::new(workspace);
    changes
        .push(RotationChange::SettingDue { account_id: setting.account_id, rotates_at, verifies_at }.into());
    settled(engine.commit(changes, only_moved).await)
}

/// Closes what nothing is left to do for, in every workspace.
pub(crate) async fn close_settled(engine: &Engine) -> Result<(), Error> {
    for workspace in engine.store().workspace_list().await? {
        close_settled_of(engine, workspace.id).await?;
    }
    Ok(())
}

async fn close_settled_of(engine: &Engine, workspace: WorkspaceId) -> Result<(), Error> {
    for case in engine.store().cases_settled(workspace, CASES).await? {
        let found = outcome(engine, workspace, case.id).await?;
        let cause = engine.cause(Actor::System, engine.fresh_request_id());
        let changes = rules::conclude(&case, &found, &cause, engine.ids(&cause));
        settled(engine.commit(changes, only_moved).await)?;
    }
    Ok(())
}

/// What became of the rotations of a case.
pub(crate) async fn outcome(engine: &Engine, workspace: WorkspaceId, case: CaseId) -> Result<Settled, Error> {
    let mut found = Settled::default();
    for row in engine.store().rotations_of_case(workspace, case).await? {
        let job = job_of(&row)?;
        found.rotations += 1;
        if !job.state.is_safe() {
            found.exceptions.push((row.account_id, format!("the rotation ended as {}", job.state)));
        }
        found.exceptions.extend(job.exceptions.iter().map(|why| (row.account_id, why.clone())));
        found.safe_at = found.safe_at.max(job.committed_at.or(job.ended_at));
    }
    Ok(found)
}

/// Each dependent of the account gets a task, or, if it is another account with the same password, a
/// rotation of its own.
pub(crate) async fn tell_dependents(
    engine: &Engine,
    scene: &Scene,
    job: &Job,
    cause: &Cause,
) -> Result<Vec<ChangeSet>, Error> {
    let mut sets = Vec::new();
    for dependent in engine.store().dependents(job.workspace_id, job.account_id).await? {
        let Some(other) = dependent.other_account_id else {
            sets.push(tasks::for_dependent(engine, scene, job, &dependent, cause));
            continue;
        };
        if job.cause.starts_with(OF_DEPENDENT) {
            // Two accounts that name each other would go on for ever.
            continue;
        }
        let asked = Asked {
            account_id: other,
            reason: Reason::Request,
            cause: format!("{OF_DEPENDENT}{}:{other}", job.id),
            priority: job.priority,
            generation: None,
            case_id: None,
            by_effect: false,
        };
        if plan(engine, job.workspace_id, &asked, cause).await? == Planned::Busy {
            tracing::info!(account = %other, "it is being rotated already; what depends on it waits for no other");
        }
    }
    Ok(sets)
}

/// Another node was first, or it is not so any more: the next round looks again.
fn settled(done: Result<(), Attempt>) -> Result<(), Error> {
    match done {
        Err(Attempt::Failed(error)) => Err(error),
        Ok(()) | Err(Attempt::Again) => Ok(()),
    }
}

/// A case's rotations that are under way are called off; one that is being performed at this moment
/// goes on.
pub(crate) async fn call_off(engine: &Engine, by: &Caller, case: CaseId) -> Result<(), Error> {
    for row in engine.store().rotations_of_case(by.workspace_id(), case).await? {
        if row.over {
            continue;
        }
        match super::service::call_off_any(engine, by, row.id).await {
            // It has ended meanwhile, or cannot be taken back any more.
            Ok(()) | Err(Error::Clash(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
