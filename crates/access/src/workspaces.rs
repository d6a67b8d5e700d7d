//! Workspaces are made, get their policy, and are recovered on the host.

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::member::Member;
use crate::refusal::Refusal;
use crate::workspace::{Policy, Workspace};

/// Makes a workspace with its first Owner, whose role and state are set here.
///
/// # Errors
/// When the name is empty or too long.
pub fn create(
    workspace: Workspace,
    owner: Member,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Sets the policy. `successor` is the member of `policy.successor`, needed when it is set.
///
/// # Errors
/// When the successor is out or a guest, or a number makes no sense.
pub fn set_policy(
    before: &Workspace,
    policy: Policy,
    successor: Option<&Member>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Puts somebody in charge of an ownerless workspace (A6). `before` is the member's row if they
/// have one, active or not; `after` the row to be, whose role and state are set here.
///
/// # Errors
/// [`Refusal::NotOwnerless`].
pub fn recover(
    workspace: &Workspace,
    before: Option<&Member>,
    after: Member,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}
