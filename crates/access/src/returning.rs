//! Coming back: a valid member again, with no access until it is given anew (A3).

use latchkey_kernel::id::{GrantId, TeamId};

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::grant::Grant;
use crate::member::Member;
use crate::offboarding::OffboardingCase;
use crate::refusal::Refusal;
use crate::team::Membership;
use crate::workspace::Workspace;

/// Makes a member active. `after` carries the attributes that the same request changes and
/// `active` true in its `resource`; the standing is set here. Nothing but the two rows is needed.
pub fn come_back(
    before: &Member,
    after: &Member,
    workspace: &Workspace,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    unimplemented!()
}

/// What a returned member had and could have again.
#[derive(Debug, Clone, Copy)]
pub struct Review<'a> {
    /// The member as read; the version is expected.
    pub member: &'a Member,
    /// The removed grants of their last case, those whose account or collection is still there.
    pub removed: &'a [Grant],
    /// The teams that they are in now.
    pub memberships: &'a [Membership],
}

/// Some of what a review offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick<T> {
    /// All that can still count.
    All,
    /// These.
    Only(Vec<T>),
}

/// What a person gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Removed grants, to be given anew.
    pub grants: Pick<GrantId>,
    /// Team memberships, to be confirmed.
    pub teams: Pick<TeamId>,
    /// Why.
    pub reason: Option<String>,
}

/// Closes a review: what was chosen is given anew in the present epoch, and the rest stays dormant.
///
/// # Errors
/// When no review is open, a member reviews themselves, or a choice is not on offer.
pub fn close_review(
    review: Review<'_>,
    choice: &Choice,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Takes an offboarding back as a mistake: closes the review with everything given anew, and
/// calls off the case's rotations that have not been done; what was rotated stays.
///
/// # Errors
/// As [`close_review`].
pub fn undo(
    review: Review<'_>,
    case: &OffboardingCase,
    reason: &str,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}
