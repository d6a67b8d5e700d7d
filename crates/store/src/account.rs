//! Accounts.

use latchkey_access::{Account, OwnerFlag, Version};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, MemberId, TeamId, WorkspaceId};

use crate::change::Op;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::{Val, params};
use crate::{Store, StoreError};

/// The columns of an account `a`, for [`load`].
macro_rules! columns {
    () => {
        "a.workspace_id, a.id, a.name, a.app, a.url, a.username, a.sensitivity, a.offboarding_rotation, \
         a.collection_id, a.owner_id, a.owner_flag, a.successor_id, a.secret_generation, a.version, \
         a.created_at, a.modified_at"
    };
}
pub(crate) use columns;

statements! {
    ACCOUNT_GET = concat!("select ", columns!(), " from account a where a.workspace_id = $1 and a.id = $2");
    ACCOUNT_LIST_BY_IDS = concat!("select ", columns!(), " from account a where a.workspace_id = $1 \
        and a.id = any($2) order by a.id");
    ACCOUNT_PAGE = concat!("select ", columns!(), " from account a where a.workspace_id = $1 \
        order by a.id limit $2");
    ACCOUNT_PAGE_AFTER = concat!("select ", columns!(), " from account a where a.workspace_id = $1 \
        and a.id > $2 order by a.id limit $3");
    ACCOUNTS_OF_COLLECTION = concat!("select ", columns!(), " from account a where a.workspace_id = $1 \
        and a.collection_id = $2 order by a.id");
    ACCOUNTS_OWNED = concat!("select ", columns!(), " from account a where a.workspace_id = $1 \
        and a.owner_id = $2 order by a.id");
    ACCOUNTS_OF_TEAM = concat!("with recursive below (id, depth) as ( \
        select g.collection_id, 0 from access_grant g where g.workspace_id = $1 and g.team_id = $2 \
        and g.collection_id is not null \
        union select c.id, b.depth + 1 from below b join collection c on c.workspace_id = $1 \
        and c.parent_id = b.id where b.depth < 64), \
        who (id) as (select g.account_id from access_grant g where g.workspace_id = $1 and g.team_id = $2 \
        and g.account_id is not null \
        union select a.id from below b cross join account a where a.workspace_id = $1 and a.collection_id = b.id) \
        select ", columns!(), " from who w cross join account a where a.workspace_id = $1 \
        and a.id = w.id order by a.id");
    ACCOUNT_INSERT = "insert into account (workspace_id, id, name, app, url, username, sensitivity, \
        offboarding_rotation, collection_id, owner_id, owner_flag, successor_id, secret_generation, version, \
        created_at, modified_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    ACCOUNT_UPDATE = "update account set name = $3, app = $4, url = $5, username = $6, sensitivity = $7, \
        offboarding_rotation = $8, collection_id = $9, owner_id = $10, owner_flag = $11, successor_id = $12, \
        secret_generation = $13, version = $14, created_at = $15, modified_at = $16 \
        where workspace_id = $1 and id = $2 and version = $17";
    ACCOUNT_DELETE = "delete from account where workspace_id = $1 and id = $2 and version = $3";
    ACCOUNT_HAND_OVER = "update account set owner_id = $4, owner_flag = $5, version = version + 1, \
        modified_at = $6 where workspace_id = $1 and id = $2 and owner_id = $3";
}

pub(crate) fn load(row: &mut Columns<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        workspace_id: row.next()?,
        id: row.next()?,
        name: row.next()?,
        app: row.next()?,
        url: row.maybe()?,
        username: row.maybe()?,
        sensitivity: row.next()?,
        offboarding_rotation: row.next()?,
        collection_id: row.maybe()?,
        owner_id: row.maybe()?,
        owner_flag: row.maybe()?,
        successor_id: row.maybe()?,
        secret_generation: row.next()?,
        version: row.next()?,
        created_at: row.next()?,
        modified_at: row.next()?,
    })
}

impl Store {
    /// The account of this id.
    pub async fn account_get(&self, ws: WorkspaceId, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.look_up_one(&ACCOUNT_GET, params![ws, id], load).await
    }

    /// The accounts of these ids, in id order; ids that are not there are left out.
    pub async fn account_list_by_ids(
        &self,
        ws: WorkspaceId,
        ids: &[AccountId],
    ) -> Result<Vec<Account>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.look_up(&ACCOUNT_LIST_BY_IDS, params![ws, ids], load).await
    }

    /// Accounts after an id, in id order.
    pub async fn account_page(
        &self,
        ws: WorkspaceId,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let limit = limit_of(limit);
        match after {
            None => self.scan(&ACCOUNT_PAGE, params![ws, limit], load).await,
            Some(id) => self.scan(&ACCOUNT_PAGE_AFTER, params![ws, id, limit], load).await,
        }
    }

    /// The accounts that lie in a collection itself, in id order.
    pub async fn accounts_of_collection(
        &self,
        ws: WorkspaceId,
        collection: CollectionId,
    ) -> Result<Vec<Account>, StoreError> {
        self.scan(&ACCOUNTS_OF_COLLECTION, params![ws, collection], load).await
    }

    /// The accounts that a team's grants reach, on the account or a collection above it, in id order.
    pub async fn accounts_of_team(&self, ws: WorkspaceId, team: TeamId) -> Result<Vec<Account>, StoreError> {
        self.look_up(&ACCOUNTS_OF_TEAM, params![ws, team], load).await
    }

    /// The accounts that a member owns, in id order.
    pub async fn accounts_owned(&self, ws: WorkspaceId, owner: MemberId) -> Result<Vec<Account>, StoreError> {
        self.look_up(&ACCOUNTS_OWNED, params![ws, owner], load).await
    }
}

fn values(ws: WorkspaceId, a: &Account) -> Vec<Val> {
    params![
        ws,
        a.id,
        &a.name,
        &a.app,
        a.url.as_ref(),
        a.username.as_ref(),
        a.sensitivity,
        a.offboarding_rotation,
        a.collection_id,
        a.owner_id,
        a.owner_flag,
        a.successor_id,
        a.secret_generation,
        a.version,
        a.created_at,
        a.modified_at,
    ]
}

pub(crate) fn insert(ws: WorkspaceId, row: &Account) -> Op {
    Op::new(&ACCOUNT_INSERT, values(ws, row), "account")
}

pub(crate) fn update(ws: WorkspaceId, row: &Account, expect: Version) -> Op {
    let mut params = values(ws, row);
    params.push(expect.into());
    Op::new(&ACCOUNT_UPDATE, params, "account").or_moved("account")
}

pub(crate) fn delete(ws: WorkspaceId, id: AccountId, expect: Version) -> Op {
    Op::new(&ACCOUNT_DELETE, params![ws, id, expect], "account").or_moved("account")
}

pub(crate) fn hand_over(
    ws: WorkspaceId,
    id: AccountId,
    (from, to, flag): (MemberId, Option<MemberId>, Option<OwnerFlag>),
    at: Timestamp,
) -> Op {
    Op::new(&ACCOUNT_HAND_OVER, params![ws, id, from, to, flag, at], "account")
}
