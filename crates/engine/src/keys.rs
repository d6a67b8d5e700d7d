//! Workspace keys: unwrapped at first use, and kept for as long as the process runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use latchkey_access::audit::Actor;
use latchkey_access::keys as rules;
use latchkey_access::secret::KeyRow;
use latchkey_kernel::id::WorkspaceId;
use latchkey_vault::{KeyError, WorkspaceKey, WrappedKey};

use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Engine, Error};

/// How many unwrapped keys are kept; beyond, all go and are unwrapped anew as they are needed.
const KEPT: usize = 4_096;

/// Unwrapped keys, by workspace and number. A number never stands for another key, so nothing
/// here grows old.
#[derive(Default)]
pub(crate) struct OpenKeys {
    keys: Mutex<HashMap<(WorkspaceId, i64), Arc<WorkspaceKey>>>,
}

impl OpenKeys {
    fn get(&self, workspace: WorkspaceId, number: i64) -> Option<Arc<WorkspaceKey>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(&(workspace, number)).cloned()
    }

    fn keep(&self, workspace: WorkspaceId, key: WorkspaceKey) -> Arc<WorkspaceKey> {
        let key = Arc::new(key);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEPT {
            keys.clear();
        }
        Arc::clone(keys.entry((workspace, key.number())).or_insert(key))
    }
}

impl Engine {
    /// The key that seals in this workspace now; the first is made at first use. Of two nodes that
    /// make it at the same time one does, and both use that one.
    ///
    /// # Errors
    /// When the key source cannot be used or the database fails.
    pub async fn vault(&self, workspace: WorkspaceId) -> Result<Arc<WorkspaceKey>, Error> {
        if let Some(row) = self.store().key_last(workspace).await? {
            return self.unwrapped(&row).await;
        }
        self.workspace(workspace).await?;
        self.settle(|| async {
            if let Some(row) = self.store().key_last(workspace).await? {
                return Ok(self.unwrapped(&row).await?);
            }
            self.add_key(workspace, 1, Actor::System).await
        })
        .await
    }

    /// Makes a workspace's key of this number, which seals from then on.
    pub(crate) async fn add_key(
        &self,
        workspace: WorkspaceId,
        number: i64,
        actor: Actor,
    ) -> Result<Arc<WorkspaceKey>, Attempt> {
        let cause = self.cause(actor, self.fresh_request_id());
        let made = self.key_source().new_workspace_key(workspace, number, self.entropy()).await;
        let (key, wrapped) = made.map_err(Error::from)?;
        let WrappedKey { number, kek_id, primary, recovery } = wrapped;
        let row = KeyRow {
            workspace_id: workspace,
            number,
            kek_id,
            primary,
            recovery,
            created_at: cause.now,
            retired_at: None,
        };
        self.commit(rules::add(row, &cause, self.ids(&cause)), only_moved).await?;
        Ok(self.open_keys.keep(workspace, key))
    }

    /// The key of this number; `None` when the workspace has none of it that opens anything.
    pub(crate) async fn key(
        &self,
        workspace: WorkspaceId,
        number: i64,
    ) -> Result<Option<Arc<WorkspaceKey>>, Error> {
        if let Some(key) = self.open_keys.get(workspace, number) {
            return Ok(Some(key));
        }
        let row = self.store().key_get(workspace, number).await?;
        match row.filter(|row| row.retired_at.is_none()) {
            Some(row) => self.unwrapped(&row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn unwrapped(&self, row: &KeyRow) -> Result<Arc<WorkspaceKey>, Error> {
        if let Some(key) = self.open_keys.get(row.workspace_id, row.number) {
            return Ok(key);
        }
        let opened = self.key_source().unwrap(row.workspace_id, &wrapped(row)).await;
        if let Err(error @ KeyError::NotOpened { .. }) = &opened {
            tracing::error!(workspace = %row.workspace_id, key = row.number, %error, "a workspace key was altered or moved");
        }
        Ok(self.open_keys.keep(row.workspace_id, opened?))
    }
}

/// A key's row as the key source reads it.
pub(crate) fn wrapped(row: &KeyRow) -> WrappedKey {
    WrappedKey {
        number: row.number,
        kek_id: row.kek_id.clone(),
        primary: row.primary.clone(),
        recovery: row.recovery.clone(),
    }
}
