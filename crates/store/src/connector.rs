//! Connectors, and what holds for the rotations of an account.

use latchkey_access::member::Version;
use latchkey_access::rotation::{AccountRotation, Connector};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, ConnectorId, WorkspaceId};

use crate::change::Op;
use crate::member::limit_of;
use crate::row::{self, Columns};
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "n.id, n.workspace_id, n.name, n.kind, n.host, n.config, n.limits, n.sealed_admin, n.admin_key, n.at_once, \
         n.paused, n.version, n.created_at, n.modified_at"
    };
}

macro_rules! setting_columns {
    () => {
        "s.workspace_id, s.account_id, s.connector_id, s.mode, s.login, s.schedule, s.rotates_at, \
         s.verifies_at, s.version"
    };
}

statements! {
    CONNECTOR_GET = concat!("select ", columns!(), " from connector n where n.workspace_id = $1 and n.id = $2");
    CONNECTOR_LIST = concat!("select ", columns!(), " from connector n where n.workspace_id = $1 order by n.name");
    CONNECTOR_ACCOUNTS = "select count(*) from account_rotation s where s.workspace_id = $1 \
        and s.connector_id = $2";
    CONNECTOR_INSERT = "insert into connector (id, workspace_id, name, kind, host, config, limits, sealed_admin, \
        admin_key, at_once, paused, version, created_at, modified_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    CONNECTOR_UPDATE = "update connector set name = $3, kind = $4, host = $5, config = $6, limits = $7, \
        sealed_admin = $8, admin_key = $9, at_once = $10, paused = $11, version = $12, modified_at = $13 \
        where workspace_id = $1 and id = $2 and version = $14";
    CONNECTOR_DELETE = "delete from connector where workspace_id = $1 and id = $2 and version = $3";
    CONNECTOR_PAUSE = "update connector set paused = $3, version = version + 1, modified_at = $4 \
        where workspace_id = $1 and id = $2 and paused is null";
    SETTING_GET = concat!("select ", setting_columns!(), " from account_rotation s where s.workspace_id = $1 \
        and s.account_id = $2");
    SETTINGS_DUE = concat!("select ", setting_columns!(), " from account_rotation s where s.rotates_at <= $1 \
        union all select ", setting_columns!(), " from account_rotation s where s.verifies_at <= $1 \
        and (s.rotates_at is null or s.rotates_at > $1) limit $2");
    SETTING_INSERT = "insert into account_rotation (workspace_id, account_id, connector_id, mode, login, schedule, \
        rotates_at, verifies_at, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        on conflict (workspace_id, account_id) do nothing";
    SETTING_UPDATE = "update account_rotation set connector_id = $3, mode = $4, login = $5, schedule = $6, \
        rotates_at = $7, verifies_at = $8, version = $9 \
        where workspace_id = $1 and account_id = $2 and version = $10";
    SETTING_DUE = "update account_rotation set rotates_at = $3, verifies_at = $4 \
        where workspace_id = $1 and account_id = $2";
}

fn load(row: &mut Columns<'_>) -> Result<Connector, StoreError> {
    Ok(Connector {
        id: row.next()?,
        workspace_id: row.next()?,
        name: row.next()?,
        kind: row.next()?,
        host: row.next()?,
        config: row.json()?,
        limits: row.json()?,
        sealed_admin: row.maybe()?,
        admin_key: row.maybe()?,
        at_once: row.next()?,
        paused: row.maybe()?,
        version: row.next()?,
        created_at: row.next()?,
        modified_at: row.next()?,
    })
}

fn load_setting(row: &mut Columns<'_>) -> Result<(WorkspaceId, AccountRotation), StoreError> {
    let workspace_id = row.next()?;
    let setting = AccountRotation {
        account_id: row.next()?,
        connector_id: row.maybe()?,
        mode: row.next()?,
        login: row.maybe()?,
        schedule: row.json()?,
        rotates_at: row.maybe()?,
        verifies_at: row.maybe()?,
        version: row.next()?,
    };
    Ok((workspace_id, setting))
}

impl Store {
    /// The connector of this id.
    pub async fn connector_get(
        &self,
        ws: WorkspaceId,
        id: ConnectorId,
    ) -> Result<Option<Connector>, StoreError> {
        self.look_up_one(&CONNECTOR_GET, params![ws, id], load).await
    }

    /// All connectors of a workspace, by name.
    pub async fn connector_list(&self, ws: WorkspaceId) -> Result<Vec<Connector>, StoreError> {
        self.scan(&CONNECTOR_LIST, params![ws], load).await
    }

    /// How many accounts have this connector.
    pub async fn connector_accounts(&self, ws: WorkspaceId, id: ConnectorId) -> Result<u64, StoreError> {
        Ok(self.look_up_one(&CONNECTOR_ACCOUNTS, params![ws, id], row::count).await?.unwrap_or(0))
    }

    /// What holds for the rotations of an account.
    pub async fn account_rotation(
        &self,
        ws: WorkspaceId,
        account: AccountId,
    ) -> Result<Option<AccountRotation>, StoreError> {
        let found = self.look_up_one(&SETTING_GET, params![ws, account], load_setting).await?;
        Ok(found.map(|(_, setting)| setting))
    }

    /// Accounts of all workspaces whose scheduled change or check is due.
    pub async fn account_rotations_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(WorkspaceId, AccountRotation)>, StoreError> {
        self.look_up(&SETTINGS_DUE, params![now, limit_of(limit)], load_setting).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, n: &Connector) -> Op {
    let params = params![
        n.id,
        ws,
        &n.name,
        &n.kind,
        &n.host,
        &n.config,
        &n.limits,
        n.sealed_admin.as_deref(),
        n.admin_key,
        n.at_once,
        n.paused.as_ref(),
        n.version,
        n.created_at,
        n.modified_at,
    ];
    Op::new(&CONNECTOR_INSERT, params, "connector")
}

pub(crate) fn update(ws: WorkspaceId, n: &Connector, expect: Version) -> Op {
    let params = params![
        ws,
        n.id,
        &n.name,
        &n.kind,
        &n.host,
        &n.config,
        &n.limits,
        n.sealed_admin.as_deref(),
        n.admin_key,
        n.at_once,
        n.paused.as_ref(),
        n.version,
        n.modified_at,
        expect,
    ];
    Op::new(&CONNECTOR_UPDATE, params, "connector").or_moved("connector")
}

pub(crate) fn delete(ws: WorkspaceId, id: ConnectorId, expect: Version) -> Op {
    Op::new(&CONNECTOR_DELETE, params![ws, id, expect], "connector").or_moved("connector").in_use("connector")
}

pub(crate) fn pause(ws: WorkspaceId, id: ConnectorId, reason: &str, at: Timestamp) -> Op {
    Op::new(&CONNECTOR_PAUSE, params![ws, id, reason, at], "connector")
}

pub(crate) fn setting_set(ws: WorkspaceId, s: &AccountRotation, expect: Option<Version>) -> Op {
    let mut params = params![
        ws,
        s.account_id,
        s.connector_id,
        s.mode,
        s.login.as_ref(),
        &s.schedule,
        s.rotates_at,
        s.verifies_at,
        s.version,
    ];
    let op = match expect {
        None => Op::new(&SETTING_INSERT, params, "account or connector"),
        Some(expect) => {
            params.push(expect.into());
            Op::new(&SETTING_UPDATE, params, "account or connector")
        }
    };
    op.or_moved("account's rotation")
}

pub(crate) fn setting_due(
    ws: WorkspaceId,
    account: AccountId,
    rotates_at: Option<Timestamp>,
    verifies_at: Option<Timestamp>,
) -> Op {
    Op::new(&SETTING_DUE, params![ws, account, rotates_at, verifies_at], "account's rotation")
}
