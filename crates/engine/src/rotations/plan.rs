//! Rotations are planned: from what offboarding asks for, on schedule, or because somebody asks.

use latchkey_access::Actor;
use latchkey_access::context::Cause;
use latchkey_access::outbox::OutboxEvent;
use latchkey_access::rotation::RotationMode;
use latchkey_access::rotations as rules;
use latchkey_access::secret::VersionState;
use latchkey_kernel::id::{AccountId, CaseId, MemberId, RotationId, WorkspaceId};
use latchkey_kernel::{Entropy, Timestamp};
use latchkey_rotation::{Job, Plan, Reason, Schedule, State};
use latchkey_store::{Conflict, UniqueKey};
use serde::Deserialize;

use super::row::{job_of, new_row};
use super::scene::Scene;
use crate::error::Attempt;
use crate::{Engine, Error};

/// Events that are taken up at once.
const EVENTS: usize = 100;
/// For how long nobody else takes an event up: after that it is looked at again, if its account had
/// another rotation under way.
const EVENT_LEASE: std::time::Duration = std::time::Duration::from_secs(5);

/// What an outbox event of the kind `rotation` carries.
#[derive(Debug, Deserialize)]
struct Wanted {
    account_id: AccountId,
    generation: i64,
    #[serde(default)]
    #[expect(dead_code, reason = "it says who for the reader of the event")]
    member_id: Option<MemberId>,
    rule: String,
}

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) account_id: AccountId,
    pub(crate) reason: Reason,
    pub(crate) cause: String,
    pub(crate) priority: i64,
    /// The password that has to go, where it is a certain one.
    pub(crate) generation: Option<i64>,
    pub(crate) case_id: Option<CaseId>,
    /// Whether an effect of the outbox asks for it.
    pub(crate) by_effect: bool,
}

/// What came of asking.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    /// There is a rotation now.
    New(RotationId),
    /// The account has another one under way.
    Busy,
    /// The cause has its rotation already.
    Known,
    /// The account is gone.
    Nothing,
}

/// Takes up what offboarding asks for. The answer says how many events were looked at.
pub(crate) async fn take_events(engine: &Engine) -> Result<usize, Error> {
    let events = engine.store().outbox_take_rotations(engine.now(), EVENT_LEASE, EVENTS).await?;
    let count = events.len();
    for event in events {
        let workspace = event.workspace_id;
        let id = event.id;
        if plan_event(engine, event).await? == Planned::Nothing {
            let done = engine.store().commit(rules::drop_event(workspace, id)).await;
            match done.map_err(|error| Attempt::from_commit(error, |_| None)) {
                Err(Attempt::Failed(error)) => return Err(error),
                // Somebody else has done it.
                Ok(()) | Err(Attempt::Again) => {}
            }
        }
    }
    Ok(count)
}

async fn plan_event(engine: &Engine, event: OutboxEvent) -> Result<Planned, Error> {
    let wanted: Wanted = match serde_json::from_value(event.payload.clone()) {
        Ok(wanted) => wanted,
        Err(error) => {
            tracing::error!(event = %event.id, %error, "an event asks for a rotation in a form that is not known");
            return Ok(Planned::Nothing);
        }
    };
    let reason = match wanted.rule.as_str() {
        "grant_end" => Reason::GrantEnd,
        "breach" => Reason::Breach,
        _ => Reason::Offboarding,
    };
    let asked = Asked {
        account_id: wanted.account_id,
        reason,
        cause: event.key,
        priority: event.priority,
        generation: Some(wanted.generation),
        case_id: event.case_id,
        by_effect: true,
    };
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    plan(engine, event.workspace_id, &asked, &cause).await
}

/// Plans what the schedules ask for. The answer says how many were due.
pub(crate) async fn take_schedules(engine: &Engine) -> Result<usize, Error> {
    let now = engine.now();
    let due = engine.store().account_rotations_due(now, EVENTS).await?;
    let count = due.len();
    for (workspace, setting) in due {
        let is_due = |at: Option<Timestamp>| at.filter(|at| *at <= now);
        let (reason, at) = match (is_due(setting.rotates_at), is_due(setting.verifies_at)) {
            (Some(at), _) => (Reason::Schedule, at),
            (None, Some(at)) => (Reason::VerifyOnly, at),
            (None, None) => continue,
        };
        let asked = Asked {
            account_id: setting.account_id,
            reason,
            cause: format!("{reason}:{}:{}", setting.account_id, at.as_micros()),
            priority: if reason == Reason::VerifyOnly { 40 } else { 30 },
            generation: None,
            case_id: None,
            by_effect: false,
        };
        let cause = engine.cause(Actor::System, engine.fresh_request_id());
        plan(engine, workspace, &asked, &cause).await?;
        // Due again when the next is; one that found another under way comes after it.
        super::cases::reschedule(engine, workspace, &setting, reason).await?;
    }
    Ok(count)
}

/// Plans one rotation.
pub(crate) async fn plan(
    engine: &Engine,
    workspace: WorkspaceId,
    asked: &Asked,
    cause: &Cause,
) -> Result<Planned, Error> {
    let Some(scene) = Scene::load(engine, workspace, asked.account_id).await? else {
        return Ok(Planned::Nothing);
    };
    let last = engine.store().rotations_of_account(workspace, asked.account_id, 1).await?;
    let failed_login_at = last.first().map(job_of).transpose()?.and_then(|job| job.failed_login_at);
    let approval = scene.setting.as_ref().is_some_and(|setting| setting.mode == RotationMode::OnApproval);
    let plan = Plan {
        id: RotationId::fresh(cause.now, engine.entropy()),
        workspace_id: workspace,
        account_id: asked.account_id,
        reason: asked.reason,
        cause: asked.cause.clone(),
        priority: asked.priority,
        policy: scene.policy(asked.reason),
        // Who asks has said so, and a login changes nothing.
        held: approval && !matches!(asked.reason, Reason::Request | Reason::VerifyOnly),
        run_after: cause.now,
        generation: asked.generation,
        old: scene.in_state(VersionState::Current),
        failed_login_at,
    };
    let mut job = Job::plan(plan, cause.now);
    if asked.generation.is_some_and(|generation| scene.account.secret_generation > generation) {
        job.state = State::Superseded;
        job.ended_at = Some(cause.now);
    }
    let row = new_row(&job, scene.connector.as_ref().map(|connector| connector.id), asked.case_id)?;
    let changes = rules::plan(row, asked.by_effect, cause, engine.ids(cause));
    match engine.store().commit(changes).await {
        Ok(()) => Ok(Planned::New(job.id)),
        Err(latchkey_store::CommitError::Conflict(Conflict::Unique(UniqueKey::RotationOfAccount))) => {
            Ok(Planned::Busy)
        }
        Err(latchkey_store::CommitError::Conflict(Conflict::Unique(UniqueKey::RotationCause))) => {
            Ok(Planned::Known)
        }
        Err(error) => match Attempt::from_commit(error, |_| None) {
            Attempt::Failed(error) => Err(error),
            Attempt::Again => Err(Error::Contended),
        },
    }
}

/// What an account's schedule is.
pub(crate) fn schedule_of(setting: &latchkey_access::rotation::AccountRotation) -> Schedule {
    serde_json::from_value(setting.schedule.clone()).unwrap_or_default()
}

/// A number in 0..1.
pub(crate) fn jitter(entropy: &dyn Entropy) -> f64 {
    f64::from(u16::from_le_bytes(entropy.bytes::<2>())) / 65_536.0
}
