//! Grants are given, shortened, prolonged and ended.

use latchkey_kernel::Timestamp;

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::grant::{Grant, GrantObject, Permission};
use crate::member::Member;
use crate::refusal::Refusal;
use crate::team::Team;

/// Who is to receive.
#[derive(Debug, Clone, Copy)]
pub enum Receiver<'a> {
    /// A member.
    Member(&'a Member),
    /// A team.
    Team(&'a Team),
}

/// What is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// On what.
    pub object: GrantObject,
    /// What it allows.
    pub permission: Permission,
    /// Counts from then on.
    pub starts_at: Option<Timestamp>,
    /// Counts until then.
    pub ends_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

/// Gives a grant. To a member it is given in their present epoch, and expects that they are
/// still active in it when it is committed.
///
/// # Errors
/// When the member is out (R11) or a guest who may not hold it, or the end makes no sense.
pub fn give(
    receiver: Receiver<'_>,
    wish: Wish,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<(Grant, ChangeSet), Refusal> {
    unimplemented!()
}

/// Ends a grant at once.
pub fn end(grant: &Grant, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}

/// Sets when a grant ends; `None` is never.
///
/// # Errors
/// When the end is not in the future and after the start.
pub fn set_end(
    grant: &Grant,
    ends_at: Option<Timestamp>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}
