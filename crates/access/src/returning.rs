//! Coming back: a valid member again, with no access until it is given anew (A3).

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey_kernel::id::{GrantId, TeamId};
use serde_json::json;

use crate::audit::Actor;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::grant::{Grant, GrantSubject};
use crate::member::{Member, MemberState, Standing};
use crate::offboarding::OffboardingCase;
use crate::refusal::{REASON_MAX, Refusal, bounded};
use crate::team::Membership;
use crate::workspace::{Reactivation, Workspace};
use crate::{authority, grants, members, safeguard};

/// Makes a member active. `after` carries the attributes that the same request changes and
/// `active` true in its `resource`; the standing is set here. Nothing but the two rows is needed.
pub fn come_back(
    before: &Member,
    after: &Member,
    workspace: &Workspace,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    if before.state != MemberState::Inactive {
        return members::update_attributes(before, after.clone(), cause, ids);
    }
    let standing = Standing { state: MemberState::Active, ..before.standing() };
    let row = members::with_attributes(before, after, standing, cause);
    let mut changes = ChangeSet::new(before.workspace_id);
    let mut detail = members::difference(before, &row);
    detail["epoch"] = json!(standing.epoch);
    detail["policy"] = json!(workspace.policy.reactivation);
    detail["review_open"] = json!(standing.awaits_review());
    changes.push(Change::MemberUpdate { member: Member { left_at: None, ..row }, expect: before.version });
    if standing.awaits_review() && workspace.policy.reactivation == Reactivation::Restore {
        changes.push(Change::MembershipConfirmAll { member_id: before.id, epoch: standing.epoch });
        let detail = json!({ "epoch": standing.epoch, "rule": "policy_restore" });
        changes.note((cause, ids), "member.teams_confirmed", ("member", &before.id), detail);
    }
    changes.note((cause, ids), "member.reactivated", ("member", &before.id), detail);
    changes
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
    /// Their direct grants now: what is given already is not given twice.
    pub present: &'a [Grant],
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

impl Choice {
    /// Everything, for this reason.
    pub fn all(reason: impl Into<String>) -> Self {
        Self { grants: Pick::All, teams: Pick::All, reason: Some(reason.into()) }
    }

    /// Whether everything is given back.
    pub fn is_whole(&self) -> bool {
        self.grants == Pick::All && self.teams == Pick::All
    }
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
    let member = review.member;
    let standing = member.standing();
    may_decide(member, choice, cause)?;
    if !standing.awaits_review() {
        return Err(Refusal::NothingToReview);
    }
    let grants = chosen_grants(review, &choice.grants, cause)?;
    let teams = chosen_teams(review, &choice.teams)?;
    let mut changes = ChangeSet::new(member.workspace_id);
    let reviewed =
        Member { reviewed_epoch: standing.epoch, version: member.version.next(), ..member.clone() };
    // The version is expected, so the member is active in this epoch at the commit.
    changes.push(Change::MemberUpdate { member: reviewed, expect: member.version });
    let detail = json!({
        "epoch": standing.epoch,
        "reason": choice.reason,
        "grants": grants.iter().map(|grant| grant.id).collect::<Vec<_>>(),
        "teams": teams,
    });
    changes.note((cause, ids), "member.return_reviewed", ("member", &member.id), detail);
    give_anew(&mut changes, member, (grants, teams), choice.reason.as_deref(), (cause, ids));
    Ok(changes)
}

/// Only for somebody who is in, by somebody else.
fn may_decide(member: &Member, choice: &Choice, cause: &Cause) -> Result<(), Refusal> {
    if !member.standing().is_active() {
        return Err(Refusal::MemberNotActive);
    }
    if matches!(cause.actor, Actor::Member(actor, _) if actor == member.id) {
        return Err(Refusal::OwnReview);
    }
    match &choice.reason {
        Some(reason) => bounded("the reason", reason, REASON_MAX),
        None => Ok(()),
    }
}

/// New grants in the present epoch in place of those that were removed, and teams that count again.
fn give_anew(
    changes: &mut ChangeSet,
    member: &Member,
    (grants, teams): (Vec<&Grant>, Vec<TeamId>),
    reason: Option<&str>,
    (cause, ids): (&Cause, Ids<'_>),
) {
    let epoch = member.access_epoch;
    for removed in grants {
        let grant = Grant {
            id: ids.grant(),
            subject: GrantSubject::Member(member.id, epoch),
            reason: reason.map(str::to_owned).or_else(|| removed.reason.clone()),
            granted_by: cause.actor.to_string(),
            granted_at: cause.now,
            ..removed.clone()
        };
        let mut detail = grants::described(&grant);
        detail["anew"] = json!(removed.id);
        changes.note((cause, ids), "grant.given", ("grant", &grant.id), detail);
        changes.push(Change::GrantInsert(grant));
    }
    for team_id in teams {
        changes.push(Change::MembershipConfirm { team_id, member_id: member.id, epoch });
        let detail = json!({ "member": member.id, "epoch": epoch });
        changes.note((cause, ids), "team.member_confirmed", ("team", &team_id), detail);
    }
}

/// For how long after the cut an offboarding may be taken back from what was removed in it.
pub const UNDO_WITHIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Takes an offboarding back as a mistake, within [`UNDO_WITHIN`]: gives anew what is chosen of what was
/// removed, closes the review if it is open, and, if all is given back, calls off the case's rotations that
/// have not been done. What was rotated stays: no earlier password comes back. Where only some is given
/// back, every rotation goes on, since the others were known to somebody who has no access to them.
///
/// # Errors
/// As [`close_review`], but a review need not be open; and when it is too late.
pub fn undo(
    review: Review<'_>,
    case: &OffboardingCase,
    choice: &Choice,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let member = review.member;
    if case.member_id != member.id || case.epoch.next() != member.access_epoch {
        return Err(Refusal::NotInReview { what: "case" });
    }
    if cause.now > case.cut_at.plus(UNDO_WITHIN) {
        return Err(Refusal::UndoTooLate);
    }
    let mut changes = if member.standing().awaits_review() {
        close_review(review, choice, cause, ids)?
    } else {
        may_decide(member, choice, cause)?;
        let given = (chosen_grants(review, &choice.grants, cause)?, chosen_teams(review, &choice.teams)?);
        let mut changes = ChangeSet::new(member.workspace_id);
        changes.push(Change::MemberExpect { member_id: member.id, epoch: member.access_epoch });
        give_anew(&mut changes, member, given, choice.reason.as_deref(), (cause, ids));
        changes
    };
    let whole = choice.is_whole();
    if whole {
        safeguard::push_call_off(&mut changes, case, cause);
    }
    let detail = json!({ "member": member.id, "epoch": case.epoch, "reason": choice.reason, "whole": whole });
    changes.note((cause, ids), "offboarding.undone", ("offboarding", &case.id), detail);
    Ok(changes)
}

/// The removed grants to give anew, each once; of all, those that could still count.
fn chosen_grants<'a>(
    review: Review<'a>,
    pick: &Pick<GrantId>,
    cause: &Cause,
) -> Result<Vec<&'a Grant>, Refusal> {
    let over = |grant: &Grant| grant.ends_at.is_some_and(|ends| ends <= cause.now);
    let may = |grant: &Grant| authority::may_receive(review.member.role, grant.permission);
    let is_there = |grant: &Grant| {
        let same = |one: &&Grant| one.object == grant.object && one.permission == grant.permission;
        let counts = |one: &Grant| matches!(one.subject, GrantSubject::Member(_, epoch) if epoch == review.member.access_epoch);
        review.present.iter().filter(same).any(|one| counts(one) && !over(one))
    };
    match pick {
        Pick::All => Ok(review
            .removed
            .iter()
            .filter(|grant| !over(grant) && may(grant).is_ok() && !is_there(grant))
            .collect()),
        Pick::Only(ids) => {
            let ids: BTreeSet<&GrantId> = ids.iter().collect();
            let found: Result<Vec<&Grant>, Refusal> = ids
                .into_iter()
                .map(|id| {
                    let grant = review.removed.iter().find(|grant| grant.id == *id);
                    let grant = grant.ok_or(Refusal::NotInReview { what: "grant" })?;
                    may(grant)?;
                    if over(grant) { Err(Refusal::BadEnd) } else { Ok(grant) }
                })
                .collect();
            Ok(found?.into_iter().filter(|grant| !is_there(grant)).collect())
        }
    }
}

/// The teams to confirm, each once; of all, those that don't count already.
fn chosen_teams(review: Review<'_>, pick: &Pick<TeamId>) -> Result<Vec<TeamId>, Refusal> {
    let own = || review.memberships.iter().filter(|row| row.member_id == review.member.id);
    match pick {
        Pick::All => {
            let dormant = own().filter(|row| row.confirmed != Some(review.member.access_epoch));
            Ok(dormant.map(|row| row.team_id).collect())
        }
        Pick::Only(ids) => {
            let ids: BTreeSet<TeamId> = ids.iter().copied().collect();
            if ids.iter().all(|id| own().any(|row| row.team_id == *id)) {
                Ok(ids.into_iter().collect())
            } else {
                Err(Refusal::NotInReview { what: "team" })
            }
        }
    }
}
