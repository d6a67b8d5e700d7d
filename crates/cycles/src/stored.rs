//! A ledger in the store.

use std::time::Duration;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_provisioning::Kind;
use latchkey_provisioning::ledger::{MemberRow, ObjectKey, ObjectRow, Totals, Write};
use latchkey_provisioning::state::JobState;
use latchkey_store::provisioning::Held;
use latchkey_store::{CommitError, Conflict, Store, StoreError};

use crate::ledger::{Ledger, LedgerError};

/// How often a batch is offered again while too many others wait to be written.
const PATIENCE: u32 = 8;

/// A job's rows in the store, written by whoever holds the job.
#[derive(Debug, Clone)]
pub struct StoredLedger {
    store: Store,
    held: Held,
}

impl StoredLedger {
    /// The rows of a job that was taken.
    pub const fn new(store: Store, held: Held) -> Self {
        Self { store, held }
    }

    const fn job(&self) -> (WorkspaceId, JobId) {
        (self.held.workspace_id, self.held.job_id)
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl Ledger for StoredLedger {
    async fn state(&self) -> Result<JobState, LedgerError> {
        let (ws, id) = self.job();
        let job = self.store.provisioning_job(ws, id).await?;
        // Deleted by a person while it is performed.
        job.map(|job| job.state).ok_or(LedgerError::Lost)
    }

    async fn objects(&self, keys: &[ObjectKey]) -> Result<Vec<ObjectRow>, LedgerError> {
        Ok(self.store.provisioning_objects(self.job(), keys).await?)
    }

    async fn page(&self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<ObjectRow>, LedgerError> {
        Ok(self.store.provisioning_page(self.job(), after, limit).await?)
    }

    async fn due_objects(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, LedgerError> {
        Ok(self.store.provisioning_due(self.job(), now, after, limit).await?)
    }

    async fn due_managers(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, LedgerError> {
        Ok(self.store.provisioning_due_managers(self.job(), now, after, limit).await?)
    }

    async fn due_groups(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectKey>, LedgerError> {
        Ok(self.store.provisioning_due_groups(self.job(), now, after, limit).await?)
    }

    async fn due_members(
        &self,
        group: ObjectKey,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        Ok(self.store.provisioning_due_members(self.job(), group, now, limit).await?)
    }

    async fn members_of(
        &self,
        group: ObjectKey,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        Ok(self.store.provisioning_members_of(self.job(), group, after, limit).await?)
    }

    async fn groups_of(&self, member: ObjectKey) -> Result<Vec<MemberRow>, LedgerError> {
        Ok(self.store.provisioning_groups_of(self.job(), member).await?)
    }

    async fn linked_to(&self, kind: Kind, target_id: &str) -> Result<Option<ObjectRow>, LedgerError> {
        Ok(self.store.provisioning_linked_to(self.job(), kind, target_id).await?)
    }

    async fn totals(&self) -> Result<Totals, LedgerError> {
        let (ws, id) = self.job();
        Ok(self.store.provisioning_totals(ws, id).await?)
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), LedgerError> {
        let mut wait = Duration::from_millis(20);
        for _ in 0..PATIENCE {
            match self.store.provisioning_write(self.held, writes.clone()).await {
                Err(CommitError::Busy) => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                done => return done.map_err(of_commit),
            }
        }
        self.store.provisioning_write(self.held, writes).await.map_err(of_commit)
    }
}

fn of_commit(error: CommitError) -> LedgerError {
    match error {
        CommitError::Conflict(Conflict::Moved { .. }) => LedgerError::Lost,
        other => LedgerError::Store(Box::new(other)),
    }
}
