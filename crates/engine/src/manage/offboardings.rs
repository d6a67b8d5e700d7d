//! Offboarding cases: what was cut, what follows, and a person's word where it waits for one.

use latchkey_access::offboarding::{CaseItem, CaseState, OffboardingCase};
use latchkey_access::outbox::{EffectKind, EffectState, OutboxEvent};
use latchkey_access::{Grant, Member, safeguard};
use latchkey_kernel::id::{CaseId, OutboxId};

use super::Session;
use crate::Error;
use crate::engine::only_moved;

/// A case with all that belongs to it.
#[derive(Debug, Clone)]
pub struct CaseView {
    /// The case.
    pub case: OffboardingCase,
    /// Who left; a tombstone if they were deleted since.
    pub member: Member,
    /// What follows for each account.
    pub items: Vec<CaseItem>,
    /// The direct grants that were removed.
    pub removed: Vec<Grant>,
    /// The rotations and notices.
    pub effects: Vec<OutboxEvent>,
}

impl Session<'_> {
    /// A page of cases, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case_list(
        &self,
        state: Option<CaseState>,
        before: Option<CaseId>,
        limit: usize,
    ) -> Result<Vec<(OffboardingCase, Member)>, Error> {
        Ok(self.engine.store().case_page(self.workspace_id, state, before, limit).await?)
    }

    /// One case with all that belongs to it.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn case_get(&self, id: CaseId) -> Result<CaseView, Error> {
        let store = self.engine.store();
        let workspace = self.workspace_id;
        let missing = Error::NotFound { what: "offboarding case" };
        let (case, member) = store.case_get(workspace, id).await?.ok_or(missing)?;
        let (items, removed, effects) = tokio::try_join!(
            store.case_items(workspace, id),
            store.case_removed_grants(workspace, id),
            store.outbox_of_case(workspace, id),
        )?;
        Ok(CaseView { case, member, items, removed, effects })
    }

    /// Lets a held case's rotations go.
    ///
    /// # Errors
    /// When there is no such case or nothing of it waits.
    pub async fn case_release(&self, id: CaseId) -> Result<CaseView, Error> {
        self.engine
            .settle(async || {
                let view = self.case_get(id).await?;
                let cause = self.cause();
                let changes = safeguard::release(&view.case, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(self.case_get(id).await?)
            })
            .await
    }

    /// Calls off what has not been done of a case's rotations.
    ///
    /// # Errors
    /// When there is no such case or nothing of it is left to do.
    pub async fn case_call_off(&self, id: CaseId, reason: &str) -> Result<CaseView, Error> {
        self.engine
            .settle(async || {
                let view = self.case_get(id).await?;
                let cause = self.cause();
                let changes = safeguard::call_off(&view.case, reason, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(self.case_get(id).await?)
            })
            .await
    }

    /// A page of the outbox, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outbox_list(
        &self,
        kind: Option<EffectKind>,
        state: Option<EffectState>,
        after: Option<OutboxId>,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, Error> {
        Ok(self.engine.store().outbox_page(self.workspace_id, kind, state, after, limit).await?)
    }
}
