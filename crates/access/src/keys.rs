//! Workspace keys are added, wrapped anew, and retired when nothing is sealed under them.

use latchkey_kernel::id::{SecretId, WorkspaceId};
use serde_json::json;

use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::secret::KeyRow;

/// Adds a key. It seals from now on; of two nodes that add one of the same number, one does.
pub fn add(key: KeyRow, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(key.workspace_id);
    let detail = json!({ "number": key.number, "kek": key.kek_id });
    changes.note((cause, ids), "vault.key_added", ("workspace", &key.workspace_id), detail);
    changes.push(Change::KeyInsert(key));
    changes
}

/// Wraps a key anew, as when the key-encryption key changes.
pub fn rewrap(before: &KeyRow, after: KeyRow, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(before.workspace_id);
    let detail = json!({ "number": before.number, "before": { "kek": before.kek_id },
        "after": { "kek": after.kek_id } });
    changes.note((cause, ids), "vault.key_rewrapped", ("workspace", &before.workspace_id), detail);
    changes.push(Change::KeyRewrap { key: after, expect: before.kek_id.clone() });
    changes
}

/// A version whose item key has been sealed under another workspace key; the payload is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// The secret.
    pub secret_id: SecretId,
    /// The version.
    pub version: i64,
    /// The workspace key that it was sealed under.
    pub from: i64,
    /// The ciphertext.
    pub sealed: Vec<u8>,
}

/// Keeps versions that were sealed anew under the key `to`.
pub fn reseal(
    workspace_id: WorkspaceId,
    to: i64,
    batch: Vec<Resealed>,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace_id);
    if batch.is_empty() {
        return changes;
    }
    let detail = json!({ "key": to, "versions": batch.len() });
    changes.note((cause, ids), "vault.resealed", ("workspace", &workspace_id), detail);
    changes.changes.extend(batch.into_iter().map(|Resealed { secret_id, version, from, sealed }| {
        Change::SecretReseal { secret_id, version, from, to, sealed }
    }));
    changes
}

/// Retires a key under which nothing is sealed any more, and forgets its wraps.
pub fn retire(key: &KeyRow, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(key.workspace_id);
    changes.push(Change::KeyRetire { number: key.number, at: cause.now });
    let detail = json!({ "number": key.number });
    changes.note((cause, ids), "vault.key_retired", ("workspace", &key.workspace_id), detail);
    changes
}
