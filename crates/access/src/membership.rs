//! Who is in a team: the directory's mirror, and in which epoch access through it counts.

use latchkey_kernel::id::MemberId;

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::member::{Epoch, Member, Standing};
use crate::refusal::Refusal;
use crate::team::{Membership, Team};
use crate::workspace::Policy;

/// Who comes into a team, with the epoch in which access counts, and who goes out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberChange {
    /// In.
    pub added: Vec<(MemberId, Option<Epoch>)>,
    /// Out.
    pub removed: Vec<MemberId>,
}

/// The epoch in which access through a new membership counts; `None` is dormant. Dormant is what
/// an unreviewed return gets, unless the workspace trusts the directory with it.
pub fn confirmed_for(member: &Standing, policy: &Policy) -> Option<Epoch> {
    unimplemented!()
}

/// Adds a change of members to `changes`. It costs by the members that it names, not by those
/// that are there (S3), and rests on nothing but their existing.
///
/// # Errors
/// When the other side keeps the team (I15).
pub fn extend(
    changes: &mut ChangeSet,
    team: &Team,
    change: MemberChange,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<(), Refusal> {
    unimplemented!()
}

/// Lets access through a dormant membership count again, outside a review.
///
/// # Errors
/// When the member is out, or confirms for themselves.
pub fn confirm(
    team: &Team,
    membership: &Membership,
    member: &Member,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}
