//! Tokens are issued, regenerated with a grace, shown and revoked.

use std::time::Duration;

use latchkey_kernel::Timestamp;

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::member::{Member, Standing};
use crate::refusal::Refusal;
use crate::token::Token;

/// Whether a token opens anything at `now`; for a member's token, `member` is their standing (A1).
pub fn opens(token: &Token, member: Option<&Standing>, now: Timestamp) -> bool {
    unimplemented!()
}

/// Makes a directory's token.
pub fn issue(token: Token, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}

/// Makes a member's token, in their present epoch.
///
/// # Errors
/// When the member is out, there is no scope, or one is not for their role.
pub fn issue_for_member(
    token: Token,
    member: &Member,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Puts `new` in the place of `old`, which stays valid for `grace`.
///
/// # Errors
/// When the old one is over or is a member's.
pub fn regenerate(
    old: &Token,
    new: Token,
    grace: Duration,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Ends a token at once; one that is over already is left as it is.
pub fn revoke(token: &Token, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}

/// That a token's text is about to be shown.
pub fn revealed(token: &Token, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}
