//! The review of who came back: what they had, and giving it back in one call (A3).

use latchkey_access::authority::Action;
use latchkey_access::offboarding::OffboardingCase;
use latchkey_access::returning::{self as rules, Choice};
use latchkey_access::{Grant, GrantObject, Member, Membership, Team};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, MemberId, TeamId};
use latchkey_store::{GrantFilter, MemberTest, Page, Where};

use crate::engine::only_moved;
use crate::{Caller, Engine, Error, members};

/// Direct grants of one member that are looked at.
const GRANTS: usize = 20_000;

/// What a returned member had and could have again.
#[derive(Debug, Clone)]
pub struct Review {
    /// Who came back.
    pub member: Member,
    /// Whether somebody still has to decide.
    pub open: bool,
    /// How they left; `None` when they never had anything.
    pub case: Option<OffboardingCase>,
    /// The direct grants that were removed and whose account or collection is still there.
    pub grants: Vec<Grant>,
    /// The teams that they are in now, and in which epoch access through each counts.
    pub teams: Vec<(Team, Membership)>,
    /// Their direct grants now.
    pub present: Vec<Grant>,
}

impl Review {
    /// Until when the offboarding may be taken back.
    pub fn undo_until(&self) -> Option<Timestamp> {
        self.case.as_ref().map(|case| case.cut_at.plus(rules::UNDO_WITHIN))
    }
}

/// A page of the members whose return awaits a decision, in order of their ids.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    after: Option<MemberId>,
    limit: usize,
) -> Result<Vec<Member>, Error> {
    by.may(Action::ReadReviews)?;
    let page = after.map_or_else(|| Page::first(limit), |id| Page::after(id, limit));
    let awaiting = Where::Test(MemberTest::AwaitsReview);
    Ok(engine.store().member_page(by.workspace_id(), &awaiting, page).await?)
}

/// What one member had.
///
/// # Errors
/// When there is no such member, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: MemberId) -> Result<Review, Error> {
    by.may(Action::ReadReviews)?;
    load(engine, by, id).await
}

/// Gives back what is chosen and closes the review; the rest stays dormant.
///
/// # Errors
/// When no review is open, the choice is not on offer, or the caller may not or is the member.
pub async fn close(engine: &Engine, by: &Caller, id: MemberId, choice: &Choice) -> Result<Review, Error> {
    decide(engine, by, id, |review, cause| {
        Ok(rules::close_review(view(review), choice, cause, engine.ids(cause))?)
    })
    .await
}

/// Takes the offboarding back as a mistake, within 30 days: what is chosen is given anew, and if that is
/// all, what was not yet rotated is called off.
///
/// # Errors
/// As [`close`], but a review need not be open; and when it is too late.
pub async fn undo(engine: &Engine, by: &Caller, id: MemberId, choice: &Choice) -> Result<Review, Error> {
    by.may(Action::CancelRotations)?;
    let undone = decide(engine, by, id, |review, cause| {
        let case = review.case.as_ref().ok_or(latchkey_access::refusal::Refusal::NothingToReview)?;
        Ok(rules::undo(view(review), case, choice, cause, engine.ids(cause))?)
    })
    .await?;
    if let Some(case) = undone.case.as_ref().filter(|_| choice.is_whole()) {
        crate::rotations::call_off_case(engine, by, case.id).await?;
    }
    Ok(undone)
}

async fn decide(
    engine: &Engine,
    by: &Caller,
    id: MemberId,
    rule: impl Fn(&Parts, &latchkey_access::context::Cause) -> Result<latchkey_access::ChangeSet, Error>,
) -> Result<Review, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::CloseReview)?;
            let review = load(engine, by, id).await?;
            let parts = Parts {
                memberships: review.teams.iter().map(|(_, membership)| *membership).collect(),
                member: review.member,
                case: review.case,
                grants: review.grants,
                present: review.present,
            };
            engine.commit(rule(&parts, &cause)?, only_moved).await?;
            Ok(load(engine, by, id).await?)
        })
        .await
}

/// A review in the shape in which the rule takes it.
struct Parts {
    member: Member,
    case: Option<OffboardingCase>,
    grants: Vec<Grant>,
    memberships: Vec<Membership>,
    present: Vec<Grant>,
}

fn view(parts: &Parts) -> rules::Review<'_> {
    rules::Review {
        member: &parts.member,
        removed: &parts.grants,
        memberships: &parts.memberships,
        present: &parts.present,
    }
}

async fn load(engine: &Engine, by: &Caller, id: MemberId) -> Result<Review, Error> {
    let member = members::find(engine, by, id).await?;
    let store = engine.store();
    let of_member = GrantFilter { member: Some(id), ..GrantFilter::default() };
    let (case, memberships, present) = tokio::try_join!(
        store.case_of_member_last(by.workspace_id(), id),
        store.memberships_of_member(by.workspace_id(), id),
        store.grant_page(by.workspace_id(), of_member, None, GRANTS),
    )?;
    let ids: Vec<TeamId> = memberships.iter().map(|membership| membership.team_id).collect();
    let teams = store.team_list_by_ids(by.workspace_id(), &ids).await?;
    let named = |membership: Membership| {
        let team = teams.iter().find(|team| team.id == membership.team_id)?;
        Some((team.clone(), membership))
    };
    let teams = memberships.into_iter().filter_map(named).collect();
    let grants = match &case {
        Some(case) => {
            living(engine, by, store.case_removed_grants(by.workspace_id(), case.id).await?).await?
        }
        None => Vec::new(),
    };
    Ok(Review { open: member.standing().awaits_review(), member, case, grants, teams, present })
}

/// Those grants whose account or collection is still there.
async fn living(engine: &Engine, by: &Caller, grants: Vec<Grant>) -> Result<Vec<Grant>, Error> {
    let (store, workspace_id) = (engine.store(), by.workspace_id());
    let accounts: Vec<AccountId> = grants
        .iter()
        .filter_map(|grant| match grant.object {
            GrantObject::Account(id) => Some(id),
            GrantObject::Collection(_) => None,
        })
        .collect();
    let accounts = store.account_list_by_ids(workspace_id, &accounts).await?;
    let mut living = Vec::with_capacity(grants.len());
    for grant in grants {
        let is_there = match grant.object {
            GrantObject::Account(id) => accounts.iter().any(|account| account.id == id),
            GrantObject::Collection(id) => store.collection_get(workspace_id, id).await?.is_some(),
        };
        if is_there {
            living.push(grant);
        }
    }
    Ok(living)
}
