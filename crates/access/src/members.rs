//! Members come in, change and get roles.

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::member::{Member, Role};
use crate::refusal::Refusal;
use crate::succession::InCharge;
use crate::workspace::Workspace;

/// Lets somebody in. With the tombstone of one who was deleted under the same external id, the
/// epoch goes on from there: it is the same person, and what they had does not come back (A3).
/// Of several tombstones the one with the highest epoch is to be given.
pub fn admit(member: Member, tombstone: Option<&Member>, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}

/// Adds a member by hand.
///
/// # Errors
/// When the role is above the actor's; `actor` is `None` for an operator on the host.
pub fn add_local(
    member: Member,
    actor: Option<Role>,
    workspace: &Workspace,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Writes a member's attributes; standing and role stay. Nothing changed is an empty change set.
pub fn update_attributes(before: &Member, after: Member, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}

/// Changes a role.
///
/// `actor` is `None` for an operator on the host. `in_charge` is to be loaded when an active
/// Owner is demoted.
///
/// # Errors
/// When the actor may not, the member is out, or they are the last active Owner (A6).
pub fn set_role(
    before: &Member,
    role: Role,
    actor: Option<Role>,
    workspace: &Workspace,
    in_charge: Option<&InCharge>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}
