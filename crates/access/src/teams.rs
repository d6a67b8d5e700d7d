//! Teams are made, renamed and removed.

use crate::account::Account;
use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::refusal::Refusal;
use crate::team::Team;

/// Makes a team. Its origin must be that of who asks.
pub fn create(team: Team, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}

/// Writes a team's attributes; nothing changed is an empty change set.
///
/// # Errors
/// When the other side keeps the team (I15).
pub fn update(before: &Team, after: Team, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Removes a team with its memberships and grants.
///
/// Its members are still members, and a removal by mistake is common, so no password changes by
/// itself: Owners get one notice that names the privileged accounts among `reached`, which are
/// those that the team's grants reach. Without any (or with an empty slice) there is no notice.
///
/// # Errors
/// When the other side keeps the team (I15).
pub fn delete(team: &Team, reached: &[Account], cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}
