//! The safeguard on mass removal: access is always cut; rotations beyond it wait for a person.

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::offboarding::OffboardingCase;
use crate::refusal::Refusal;
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
    unimplemented!()
}

/// A person lets a held case's rotations go.
///
/// # Errors
/// [`Refusal::NothingWaits`] unless the case is held.
pub fn release(case: &OffboardingCase, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    unimplemented!()
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
    unimplemented!()
}
