//! Workspaces: the tenants.

use latchkey_access::{Version, Workspace};
use latchkey_kernel::id::WorkspaceId;

use crate::change::Op;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "w.id, w.name, w.name_key, w.state, w.policy, w.version, w.created_at"
    };
}

statements! {
    WORKSPACE_GET = concat!("select ", columns!(), " from workspace w where w.id = $1");
    WORKSPACE_BY_NAME = concat!("select ", columns!(), " from workspace w where w.name_key = $1");
    WORKSPACE_LIST = concat!("select ", columns!(), " from workspace w order by w.name_key");
    WORKSPACE_INSERT = "insert into workspace (id, name, name_key, state, policy, version, created_at) \
        values ($1, $2, $3, $4, $5, $6, $7)";
    WORKSPACE_HEAD_INSERT = "insert into audit_head (workspace_id, seq, hash) values ($1, 0, $2)";
    WORKSPACE_UPDATE = "update workspace set name = $2, name_key = $3, state = $4, policy = $5, version = $6, \
        created_at = $7 where id = $1 and version = $8";
}

pub(crate) fn load(row: &mut Columns<'_>) -> Result<Workspace, StoreError> {
    Ok(Workspace {
        id: row.next()?,
        name: row.next()?,
        name_key: row.next()?,
        state: row.next()?,
        policy: row.json()?,
        version: row.next()?,
        created_at: row.next()?,
    })
}

impl Store {
    /// The workspace of this id.
    pub async fn workspace_get(&self, id: WorkspaceId) -> Result<Option<Workspace>, StoreError> {
        self.look_up_one(&WORKSPACE_GET, params![id], load).await
    }

    /// The workspace of this folded name.
    pub async fn workspace_by_name(&self, name_key: &str) -> Result<Option<Workspace>, StoreError> {
        self.look_up_one(&WORKSPACE_BY_NAME, params![name_key], load).await
    }

    /// All workspaces of the installation, by name.
    pub async fn workspace_list(&self) -> Result<Vec<Workspace>, StoreError> {
        self.scan(&WORKSPACE_LIST, params![], load).await
    }
}

fn values(row: &Workspace) -> Vec<crate::value::Val> {
    let policy = serde_json::to_string(&row.policy).expect("a policy has no map keys that JSON cannot write");
    params![row.id, &row.name, &row.name_key, row.state, policy, row.version, row.created_at]
}

pub(crate) fn insert(row: &Workspace) -> [Op; 2] {
    [
        Op::new(&WORKSPACE_INSERT, values(row), "workspace"),
        Op::new(&WORKSPACE_HEAD_INSERT, params![row.id, crate::audit::FIRST_HASH.as_slice()], "workspace"),
    ]
}

pub(crate) fn update(row: &Workspace, expect: Version) -> Op {
    let mut params = values(row);
    params.push(expect.into());
    Op::new(&WORKSPACE_UPDATE, params, "workspace").or_moved("workspace")
}
