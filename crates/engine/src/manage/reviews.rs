//! Returning members: what they had, and giving it back in one call.

use latchkey_access::offboarding::OffboardingCase;
use latchkey_access::returning::{self as rules, Choice, Review};
use latchkey_access::{Grant, Member, Membership};
use latchkey_kernel::id::MemberId;

use super::Session;
use crate::Error;
use crate::engine::only_moved;

/// What a returned member had and could have again.
#[derive(Debug, Clone)]
pub struct ReviewView {
    /// Who came back.
    pub member: Member,
    /// The leaving that it was before.
    pub case: Option<OffboardingCase>,
    /// The direct grants that were removed, those whose account or collection is still there.
    pub removed: Vec<Grant>,
    /// The teams that they are in now, by name.
    pub memberships: Vec<(Membership, String)>,
}

impl Session<'_> {
    /// The active members whose return nobody has decided on yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn review_list(&self, after: Option<MemberId>, limit: usize) -> Result<Vec<Member>, Error> {
        Ok(self.engine.store().members_awaiting_review(self.workspace_id, after, limit).await?)
    }

    /// What a returned member had.
    ///
    /// # Errors
    /// When there is no such member, or they did not come back.
    pub async fn review_get(&self, id: MemberId) -> Result<ReviewView, Error> {
        let member = self.member(id).await?;
        if !member.standing().awaits_review() {
            return Err(latchkey_access::refusal::Refusal::NothingToReview.into());
        }
        let store = self.engine.store();
        let case = store.case_last_of_member(self.workspace_id, id).await?;
        let removed = match &case {
            Some(case) => store.case_removed_grants_living(self.workspace_id, case.id).await?,
            None => Vec::new(),
        };
        let memberships = store.memberships_of_member(self.workspace_id, id).await?;
        Ok(ReviewView { member, case, removed, memberships })
    }

    /// Closes a review: what was chosen is given anew, and the rest stays dormant.
    ///
    /// # Errors
    /// When no review is open, somebody reviews themselves, or a choice is not on offer.
    pub async fn review_close(&self, id: MemberId, choice: &Choice) -> Result<Member, Error> {
        self.engine
            .settle(async || {
                let view = self.review_get(id).await?;
                let memberships: Vec<Membership> = view.memberships.iter().map(|(m, _)| *m).collect();
                let review =
                    Review { member: &view.member, removed: &view.removed, memberships: &memberships };
                let cause = self.cause();
                let changes = rules::close_review(review, choice, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(self.member(id).await?)
            })
            .await
    }

    /// Takes an offboarding back as a mistake: everything is given anew, and rotations that were
    /// not done are called off.
    ///
    /// # Errors
    /// When no review is open: the member must be active again first.
    pub async fn review_undo(&self, id: MemberId, reason: &str) -> Result<Member, Error> {
        self.engine
            .settle(async || {
                let view = self.review_get(id).await?;
                let case = view.case.as_ref().ok_or(Error::NotFound { what: "offboarding case" })?;
                let memberships: Vec<Membership> = view.memberships.iter().map(|(m, _)| *m).collect();
                let review =
                    Review { member: &view.member, removed: &view.removed, memberships: &memberships };
                let cause = self.cause();
                let changes = rules::undo(review, case, reason, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(self.member(id).await?)
            })
            .await
    }
}
