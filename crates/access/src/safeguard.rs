//! The safeguard on mass removal: access is always cut; rotations beyond it wait for a person.

use serde_json::json;

use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::offboarding::{CaseState, OffboardingCase};
use crate::outbox::EffectState;
use crate::refusal::{REASON_MAX, Refusal, bounded};
use crate::workspace::Safeguard;

/// How many are leaving at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wave {
    /// Cases cut within [`Safeguard::WINDOW`] before now, without the one being decided.
    pub leavers: u64,
    /// Members that are active now, the one being decided included.
    pub active: u64,
}

/// Whether one more leaver is more than the workspace lets pass without a person's word.
pub fn trips(safeguard: Safeguard, wave: Wave) -> bool {
    wave.leavers.saturating_add(1) > passes(safeguard, wave)
}

/// How many may leave within the window before rotations wait.
pub(crate) fn passes(safeguard: Safeguard, wave: Wave) -> u64 {
    let before = wave.active.saturating_add(wave.leavers);
    let share = before.saturating_mul(u64::from(safeguard.percent)) / 100;
    share.max(u64::from(safeguard.minimum))
}

/// A person lets a held case's rotations go.
///
/// # Errors
/// [`Refusal::NothingWaits`] unless the case is held.
pub fn release(case: &OffboardingCase, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    if case.state != CaseState::Held {
        return Err(Refusal::NothingWaits);
    }
    let mut changes = ChangeSet::new(case.workspace_id);
    changes.push(Change::CaseSetState { case_id: case.id, from: CaseState::Held, to: CaseState::Open });
    changes.push(Change::OutboxSetStateOfCase {
        case_id: case.id,
        from: EffectState::Held,
        to: EffectState::Ready,
        at: cause.now,
    });
    let detail = json!({ "member": case.member_id, "epoch": case.epoch });
    changes.note((cause, ids), "offboarding.released", ("offboarding", &case.id), detail);
    Ok(changes)
}

/// A person calls off what has not been done of a case's rotations.
///
/// # Errors
/// [`Refusal::NothingWaits`] when the case is complete.
pub fn call_off(
    case: &OffboardingCase,
    reason: &str,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    if case.state.is_over() {
        return Err(Refusal::NothingWaits);
    }
    bounded("the reason", reason, REASON_MAX)?;
    let mut changes = ChangeSet::new(case.workspace_id);
    push_call_off(&mut changes, case, cause);
    let detail = json!({ "member": case.member_id, "epoch": case.epoch, "reason": reason });
    changes.note((cause, ids), "offboarding.rotations_called_off", ("offboarding", &case.id), detail);
    Ok(changes)
}

/// Cancels what has not been done; nothing is left to do then.
pub(crate) fn push_call_off(changes: &mut ChangeSet, case: &OffboardingCase, cause: &Cause) {
    for from in [EffectState::Ready, EffectState::Held] {
        let to = EffectState::Cancelled;
        changes.push(Change::OutboxSetStateOfCase { case_id: case.id, from, to, at: cause.now });
    }
    if !case.state.is_over() {
        let to = CaseState::Complete;
        changes.push(Change::CaseSetState { case_id: case.id, from: case.state, to });
    }
}
