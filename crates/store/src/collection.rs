//! Collections: folders of accounts, in a tree.

use latchkey_access::{Collection, Version};
use latchkey_kernel::id::{CollectionId, WorkspaceId};

use crate::change::Op;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::{Val, params};
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "c.workspace_id, c.id, c.name, c.parent_id, c.version, c.created_at"
    };
}

// A walk ends at depth 64, far beyond what the rules allow, whatever somebody wrote by hand.
statements! {
    COLLECTION_GET = concat!("select ", columns!(), " from collection c where c.workspace_id = $1 and c.id = $2");
    COLLECTION_PAGE = concat!("select ", columns!(), " from collection c where c.workspace_id = $1 \
        order by c.id limit $2");
    COLLECTION_PAGE_AFTER = concat!("select ", columns!(), " from collection c where c.workspace_id = $1 \
        and c.id > $2 order by c.id limit $3");
    COLLECTION_ANCESTORS = concat!("with recursive up (id, parent_id, depth) as ( \
        select c.id, c.parent_id, 0 from collection c where c.workspace_id = $1 and c.id = $2 \
        union all select c.id, c.parent_id, up.depth + 1 from up join collection c on c.workspace_id = $1 \
        and c.id = up.parent_id where up.depth < 64) \
        select ", columns!(), " from up cross join collection c where c.workspace_id = $1 and c.id = up.id order by up.depth");
    COLLECTION_DESCENDANTS = concat!("with recursive down (id, depth) as ( \
        select c.id, 0 from collection c where c.workspace_id = $1 and c.id = $2 \
        union all select c.id, down.depth + 1 from down join collection c on c.workspace_id = $1 \
        and c.parent_id = down.id where down.depth < 64) \
        select ", columns!(), " from down cross join collection c where c.workspace_id = $1 and c.id = down.id \
        order by down.depth, c.id");
    COLLECTION_INSERT = "insert into collection (workspace_id, id, name, parent_id, version, created_at) \
        values ($1, $2, $3, $4, $5, $6)";
    COLLECTION_UPDATE = "update collection set name = $3, parent_id = $4, version = $5, created_at = $6 \
        where workspace_id = $1 and id = $2 and version = $7";
    COLLECTION_TOUCH = "update collection set version = version + 1 where workspace_id = $1 and id = $2 \
        and version = $3";
    COLLECTION_DELETE = "delete from collection where workspace_id = $1 and id = $2 and version = $3";
}

fn load(row: &mut Columns<'_>) -> Result<Collection, StoreError> {
    Ok(Collection {
        workspace_id: row.next()?,
        id: row.next()?,
        name: row.next()?,
        parent_id: row.maybe()?,
        version: row.next()?,
        created_at: row.next()?,
    })
}

impl Store {
    /// The collection of this id.
    pub async fn collection_get(
        &self,
        ws: WorkspaceId,
        id: CollectionId,
    ) -> Result<Option<Collection>, StoreError> {
        self.look_up_one(&COLLECTION_GET, params![ws, id], load).await
    }

    /// Collections after an id, in id order.
    pub async fn collection_page(
        &self,
        ws: WorkspaceId,
        after: Option<CollectionId>,
        limit: usize,
    ) -> Result<Vec<Collection>, StoreError> {
        let limit = limit_of(limit);
        match after {
            None => self.scan(&COLLECTION_PAGE, params![ws, limit], load).await,
            Some(id) => self.scan(&COLLECTION_PAGE_AFTER, params![ws, id, limit], load).await,
        }
    }

    /// A collection and those above it, from itself to the root.
    pub async fn collection_ancestors(
        &self,
        ws: WorkspaceId,
        id: CollectionId,
    ) -> Result<Vec<Collection>, StoreError> {
        self.look_up(&COLLECTION_ANCESTORS, params![ws, id], load).await
    }

    /// A collection and those below it, from itself down, level by level.
    pub async fn collection_descendants(
        &self,
        ws: WorkspaceId,
        id: CollectionId,
    ) -> Result<Vec<Collection>, StoreError> {
        self.scan(&COLLECTION_DESCENDANTS, params![ws, id], load).await
    }
}

fn values(ws: WorkspaceId, c: &Collection) -> Vec<Val> {
    params![ws, c.id, &c.name, c.parent_id, c.version, c.created_at]
}

pub(crate) fn insert(ws: WorkspaceId, row: &Collection) -> Op {
    Op::new(&COLLECTION_INSERT, values(ws, row), "collection")
}

pub(crate) fn update(ws: WorkspaceId, row: &Collection, expect: Version) -> Op {
    let mut params = values(ws, row);
    params.push(expect.into());
    Op::new(&COLLECTION_UPDATE, params, "collection").or_moved("collection")
}

pub(crate) fn touch(ws: WorkspaceId, id: CollectionId, expect: Version) -> Op {
    Op::new(&COLLECTION_TOUCH, params![ws, id, expect], "collection").or_moved("collection")
}

pub(crate) fn delete(ws: WorkspaceId, id: CollectionId, expect: Version) -> Op {
    Op::new(&COLLECTION_DELETE, params![ws, id, expect], "collection")
        .or_moved("collection")
        .in_use("collection")
}
