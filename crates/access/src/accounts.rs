//! Accounts are added, changed, handed over and removed.

use crate::account::Account;
use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::member::Member;
use crate::refusal::Refusal;

/// The members that an account names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// The member of `owner_id`.
    pub owner: Option<&'a Member>,
    /// The member of `successor_id`.
    pub successor: Option<&'a Member>,
}

/// Adds an account. Owner and successor must be active, and stay so until the commit. Who adds
/// it knows its password, so an exposure of the owner is recorded.
///
/// # Errors
/// When a named member is out or a guest, or a text is empty or too long.
pub fn create(account: Account, named: Named<'_>, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Writes an account anew. `named` is needed for whom `after` names otherwise than `before`; a
/// new owner clears the flag.
///
/// # Errors
/// As [`create`].
pub fn update(
    before: &Account,
    after: Account,
    named: Named<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Removes an account with its grants and exposures.
pub fn delete(account: &Account, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}
