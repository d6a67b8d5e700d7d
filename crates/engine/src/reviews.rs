//! The review of who came back: what they had, and giving it back in one call (A3).

use latchkey_access::authority::Action;
use latchkey_access::offboarding::OffboardingCase;
use latchkey_access::returning::{self as rules, Choice};
use latchkey_access::{Grant, Member, Membership, Team};
use latchkey_kernel::id::MemberId;

use crate::engine::only_moved;
use crate::{Caller, Engine, Error, members};

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
}

/// The members whose return awaits a decision.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller) -> Result<Vec<Member>, Error> {
    by.may(Action::ReadReviews)?;
    Ok(engine.store().members_awaiting_review(by.workspace_id()).await?)
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
    decide(engine, by, id, |review, cause| Ok(rules::close_review(view(review), choice, cause, engine.ids(cause))?))
        .await
}

/// Takes the offboarding back as a mistake: everything given anew, and what was not yet rotated
/// is called off.
///
/// # Errors
/// As [`close`].
pub async fn undo(engine: &Engine, by: &Caller, id: MemberId, reason: &str) -> Result<Review, Error> {
    by.may(Action::CancelRotations)?;
    decide(engine, by, id, |review, cause| {
        let case = review.case.as_ref().ok_or(latchkey_access::refusal::Refusal::NothingToReview)?;
        Ok(rules::undo(view(review), case, reason, cause, engine.ids(cause))?)
    })
    .await
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
}

fn view(parts: &Parts) -> rules::Review<'_> {
    rules::Review { member: &parts.member, removed: &parts.grants, memberships: &parts.memberships }
}

async fn load(engine: &Engine, by: &Caller, id: MemberId) -> Result<Review, Error> {
    let member = members::find(engine, by, id).await?;
    let store = engine.store();
    let (case, teams) = tokio::try_join!(
        store.case_last_of_member(by.workspace_id(), id),
        store.memberships_of_member(by.workspace_id(), id),
    )?;
    let grants = match &case {
        Some(case) => store.case_grants(by.workspace_id(), case.id, true).await?,
        None => Vec::new(),
    };
    Ok(Review { open: member.standing().awaits_review(), member, case, grants, teams })
}
