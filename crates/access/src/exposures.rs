//! Who knows a password.

use crate::account::{Account, ExposureKind};
use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::member::Member;

/// Records that a member knows the account's present password. When the member is out, a
/// rotation follows at once unless the account says never: somebody outside knows it.
pub fn record(
    account: &Account,
    member: &Member,
    kind: ExposureKind,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    unimplemented!()
}
