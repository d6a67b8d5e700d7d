//! Who performs a job: one at a time within a process by turns, and one node by its lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use latchkey_cycles::{Lane, StoredLedger};
use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_kernel::{Clock as _, SystemClock};
use latchkey_store::provisioning::Held;
use latchkey_store::provisioning::job::JobRow;
use latchkey_store::{Store, StoreError};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio::task::AbortHandle;

use crate::live::Live;

/// For so long a job belongs to whoever took it last; renewed well before.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
const RENEWED: Duration = Duration::from_secs(5);
/// For so long people wait for a job that another node performs.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Key = (WorkspaceId, JobId);

/// Why a job could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Another node performs it.
    #[error("another node performs this job now; try again when its cycle has ended")]
    Elsewhere,
    /// It was removed.
    #[error("there is no such provisioning job")]
    Gone,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The hands of this process.
pub(crate) struct Hands {
    pub(crate) name: String,
    turns: Mutex<HashMap<Key, Arc<Turn<()>>>>,
    live: Mutex<HashMap<Key, (Live, Lane)>>,
}

impl Hands {
    pub(crate) fn new(store: &Store) -> Self {
        // One server has a file: what it held before it died is its own. Of several nodes each has a name.
        let name = if store.has_one_server() {
            "server".to_owned()
        } else {
            let mut bytes = [0; 16];
            latchkey_kernel::Entropy::fill_public(&latchkey_kernel::OsEntropy, &mut bytes);
            uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
        };
        Self { name, turns: Mutex::default(), live: Mutex::default() }
    }

    async fn turn(&self, key: Key) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(key).or_default())
        };
        turn.lock_owned().await
    }

    /// What the cycle under way of this job is at, and the way into it.
    pub(crate) fn live(&self, key: Key) -> Option<(Live, Lane)> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    pub(crate) fn set_live(&self, key: Key, live: Option<(Live, Lane)>) {
        let mut all = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match live {
            Some(live) => all.insert(key, live),
            None => all.remove(&key),
        };
    }

    /// Takes a job, after whoever else has it in this process. With `patience` also after another node.
    pub(crate) async fn hold(&self, store: &Store, key: Key, patience: bool) -> Result<Holding, HoldError> {
        let turn = self.turn(key).await;
        let begun = tokio::time::Instant::now();
        loop {
            let now = SystemClock.now();
            if let Some(row) = store.provisioning_job_take(key, now, now.plus(LEASE), &self.name).await? {
                let held = row.held();
                let renewal = tokio::spawn(renew(store.clone(), held)).abort_handle();
                let ledger = StoredLedger::new(store.clone(), held);
                return Ok(Holding { row, ledger, held, store: store.clone(), renewal, _turn: turn });
            }
            if store.provisioning_job(key.0, key.1).await?.is_none() {
                return Err(HoldError::Gone);
            }
            if !patience || begun.elapsed() > PATIENCE {
                return Err(HoldError::Elsewhere);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// A job that nobody else performs. Dropped before it is freed, its lease runs out.
pub(crate) struct Holding {
    pub(crate) row: JobRow,
    pub(crate) ledger: StoredLedger,
    pub(crate) held: Held,
    store: Store,
    renewal: AbortHandle,
    _turn: OwnedMutexGuard<()>,
}

impl Holding {
    pub(crate) const fn key(&self) -> Key {
        (self.held.workspace_id, self.held.job_id)
    }

    pub(crate) async fn free(self) -> Result<(), StoreError> {
        self.renewal.abort();
        self.store.provisioning_job_free(self.held).await
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn renew(store: Store, held: Held) {
    loop {
        tokio::time::sleep(RENEWED).await;
        let until = SystemClock.now().plus(LEASE);
        if let Ok(false) = store.provisioning_job_renew(held, until).await {
            // Somebody else has it: the next write says so.
            return;
        }
    }
}
