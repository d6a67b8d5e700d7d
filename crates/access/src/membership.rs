//! Who is in a team: the directory's mirror, and in which epoch access through it counts.

use latchkey_kernel::id::MemberId;
use serde_json::json;

use crate::audit::Actor;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::member::{Epoch, Member, Standing};
use crate::refusal::{Refusal, kept_by};
use crate::team::{Membership, Team};
use crate::workspace::{Policy, Reactivation};

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
    let returned = member.reviewed < member.epoch;
    let trusted = member.is_active() && policy.reactivation == Reactivation::Restore;
    (!returned || trusted).then_some(member.epoch)
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
    let MemberChange { added, removed } = change;
    if added.is_empty() && removed.is_empty() {
        return Ok(());
    }
    kept_by(team.origin, cause.actor, "team")?;
    for member_id in &removed {
        changes.push(Change::MembershipDelete { team_id: team.id, member_id: *member_id });
    }
    for (member_id, confirmed) in &added {
        let membership = Membership { team_id: team.id, member_id: *member_id, confirmed: *confirmed };
        changes.push(Change::MembershipInsert(membership));
    }
    let written = changes.changes.iter().any(|change| match change {
        Change::TeamInsert(row) | Change::TeamUpdate { team: row, .. } => row.id == team.id,
        _ => false,
    });
    if !written {
        // Last, so that the team's row is held for the shortest time.
        changes.push(Change::TeamTouch { team_id: team.id, at: cause.now });
    }
    if !added.is_empty() {
        let dormant = added.iter().filter(|(_, confirmed)| confirmed.is_none());
        let dormant: Vec<MemberId> = dormant.map(|(id, _)| *id).collect();
        let ids_added: Vec<MemberId> = added.iter().map(|(id, _)| *id).collect();
        let detail = json!({ "team": team.display_name, "members": ids_added, "dormant": dormant });
        changes.note((cause, ids), "team.members_added", ("team", &team.id), detail);
    }
    if !removed.is_empty() {
        let detail = json!({ "team": team.display_name, "members": removed });
        changes.note((cause, ids), "team.members_removed", ("team", &team.id), detail);
    }
    Ok(())
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
    if !member.standing().is_active() {
        return Err(Refusal::MemberNotActive);
    }
    if matches!(cause.actor, Actor::Member(actor, _) if actor == member.id) {
        return Err(Refusal::OwnReview);
    }
    let (team_id, member_id, epoch) = (team.id, member.id, member.access_epoch);
    let mut changes = ChangeSet::new(team.workspace_id);
    if membership.confirmed == Some(epoch) {
        return Ok(changes);
    }
    changes.push(Change::MemberExpect { member_id, epoch });
    changes.push(Change::MembershipConfirm { team_id, member_id, epoch });
    let detail = json!({ "team": team.display_name, "member": member_id, "epoch": epoch });
    changes.note((cause, ids), "team.member_confirmed", ("team", &team.id), detail);
    Ok(changes)
}
