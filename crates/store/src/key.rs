//! Workspace keys, wrapped.

use latchkey_access::secret::KeyRow;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::WorkspaceId;

use crate::change::Op;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "k.workspace_id, k.number, k.kek_id, k.primary_wrap, k.recovery_wrap, k.created_at, k.retired_at"
    };
}

statements! {
    KEY_GET = concat!("select ", columns!(), " from workspace_key k where k.workspace_id = $1 and k.number = $2");
    KEY_LAST = concat!("select ", columns!(), " from workspace_key k where k.workspace_id = $1 \
        order by k.number desc limit 1");
    KEY_LIST = concat!("select ", columns!(), " from workspace_key k where k.workspace_id = $1 order by k.number");
    KEYS_REPLACED = "select distinct k.workspace_id from workspace_key k where k.retired_at is null \
        and exists (select 1 from workspace_key o where o.workspace_id = k.workspace_id \
        and o.number > k.number)";
    KEY_SEALED = "select count(*) from secret_version v where v.workspace_id = $1 and v.key_number = $2";
    KEY_INSERT = "insert into workspace_key (workspace_id, number, kek_id, primary_wrap, recovery_wrap, \
        created_at, retired_at) values ($1, $2, $3, $4, $5, $6, $7)";
    KEY_REWRAP = "update workspace_key set kek_id = $3, primary_wrap = $4, recovery_wrap = $5 \
        where workspace_id = $1 and number = $2 and kek_id = $6 and retired_at is null";
    KEY_SEALS = "select 1 from workspace_key where workspace_id = $1 and number = $2 and retired_at is null \
        for share";
    KEY_LOCK = "select 1 from workspace_key where workspace_id = $1 and number = $2 for update";
    KEY_RETIRE = "update workspace_key set retired_at = $3, primary_wrap = $4, recovery_wrap = $4 \
        where workspace_id = $1 and number = $2 and retired_at is null and not exists (select 1 \
        from secret_version v where v.workspace_id = $1 and v.key_number = $2) and not exists (select 1 \
        from connector n where n.workspace_id = $1 and n.admin_key = $2) and not exists (select 1 \
        from rotation_picture p where p.workspace_id = $1 and p.key_number = $2) and not exists (select 1 \
        from provisioning_secret s where s.workspace_id = $1 and s.key_number = $2) and exists (select 1 \
        from workspace_key o where o.workspace_id = $1 and o.number > $2 and o.retired_at is null)";
}

fn load(row: &mut Columns<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        workspace_id: row.next()?,
        number: row.next()?,
        kek_id: row.next()?,
        primary: row.next()?,
        recovery: row.next()?,
        created_at: row.next()?,
        retired_at: row.maybe()?,
    })
}

impl Store {
    /// The key of this number.
    pub async fn key_get(&self, ws: WorkspaceId, number: i64) -> Result<Option<KeyRow>, StoreError> {
        self.look_up_one(&KEY_GET, params![ws, number], load).await
    }

    /// The key of the highest number, which seals.
    pub async fn key_last(&self, ws: WorkspaceId) -> Result<Option<KeyRow>, StoreError> {
        self.look_up_one(&KEY_LAST, params![ws], load).await
    }

    /// The workspaces in which a key has been replaced and is not retired yet.
    pub async fn workspaces_with_replaced_keys(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.scan(&KEYS_REPLACED, Vec::new(), crate::row::first).await
    }

    /// All keys of a workspace, oldest first, with how many versions are sealed under each.
    pub async fn key_list(&self, ws: WorkspaceId) -> Result<Vec<(KeyRow, u64)>, StoreError> {
        let mut keys = Vec::new();
        for key in self.look_up(&KEY_LIST, params![ws], load).await? {
            let sealed = self.scan_count(&KEY_SEALED, params![ws, key.number]).await?;
            keys.push((key, sealed));
        }
        Ok(keys)
    }
}

pub(crate) fn insert(ws: WorkspaceId, row: &KeyRow) -> Op {
    let params = params![
        ws,
        row.number,
        &row.kek_id,
        &row.primary[..],
        &row.recovery[..],
        row.created_at,
        row.retired_at,
    ];
    Op::new(&KEY_INSERT, params, "workspace key")
}

pub(crate) fn rewrap(ws: WorkspaceId, row: &KeyRow, expect: &str) -> Op {
    let params = params![ws, row.number, &row.kek_id, &row.primary[..], &row.recovery[..], expect];
    Op::new(&KEY_REWRAP, params, "workspace key").or_moved("workspace key")
}

/// Fails as moved unless the key is there to seal with, and keeps it so until the commit.
pub(crate) fn seals(ws: WorkspaceId, number: i64) -> Op {
    Op::new(&KEY_SEALS, params![ws, number], "workspace key").or_moved("workspace key")
}

/// The lock comes first: what was sealed under the key meanwhile is seen by the statement after it.
pub(crate) fn retire(ws: WorkspaceId, number: i64, at: Timestamp) -> [Op; 2] {
    let empty: &[u8] = &[];
    [
        Op::new(&KEY_LOCK, params![ws, number], "workspace key").or_moved("workspace key"),
        Op::new(&KEY_RETIRE, params![ws, number, at, empty], "workspace key").or_moved("workspace key"),
    ]
}
