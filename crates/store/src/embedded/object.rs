//! People and groups of a workspace's own directory.

use latchkey_access::{EmbeddedObject, ObjectKind};
use latchkey_kernel::id::{ObjectId, WorkspaceId};

use super::{after, ids, op, seq};
use crate::change::Op;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "o.workspace_id, o.id, o.kind, o.name, o.name_key, o.external_id, o.enabled, o.presence, o.attributes, \
         o.manager_id, o.changed, o.whole_from, o.created_at, o.modified_at"
    };
}

statements! {
    ENTRIES_OF_IDS = concat!("select ", columns!(), " from embedded_object o where o.workspace_id = $1 and o.id = any($2)");
    ENTRY_NAMED = concat!("select ", columns!(), " from embedded_object o where o.workspace_id = $1 and o.kind = $2 \
        and o.name_key = $3 and o.presence = 'present'");
    ENTRY_EXTERNAL = concat!("select ", columns!(), " from embedded_object o where o.workspace_id = $1 and o.kind = $2 \
        and o.external_id = $3 and o.presence <> 'deleted'");
    ENTRY_PAGE = concat!("select ", columns!(), " from embedded_object o where o.workspace_id = $1 and o.kind = $2 \
        and o.id > $3 and o.presence <> 'deleted' order by o.id limit $4");
    ENTRY_COUNT = "select count(*) from embedded_object o where o.workspace_id = $1 and o.kind = $2 \
        and o.presence <> 'deleted'";
    ENTRY_CHANGES = concat!("select ", columns!(), " from embedded_object o where o.workspace_id = $1 \
        and (o.changed, o.id) > ($2, $3) and o.changed <= $4 order by o.changed, o.id limit $5");
    ENTRY_INSERT = concat!("insert into embedded_object (workspace_id, id, kind, name, name_key, external_id, enabled, \
        presence, attributes, manager_id, created_at, modified_at, changed, whole_from) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ", seq!(), ", ", seq!(), ")");
    ENTRY_UPDATE = concat!("update embedded_object set name = $3, name_key = $4, external_id = $5, enabled = $6, \
        presence = $7, attributes = $8, manager_id = $9, modified_at = $10, changed = ", seq!(), ", whole_from = ", seq!(),
        " where workspace_id = $1 and id = $2 and changed = $11");
    ENTRY_TOUCH = concat!("update embedded_object set changed = ", seq!(), ", whole_from = ", seq!(),
        " where workspace_id = $1 and id = $2");
    ENTRY_TOUCH_MEMBERS = concat!("update embedded_object set changed = ", seq!(), " where workspace_id = $1 \
        and id in (select m.member_id from embedded_member m where m.workspace_id = $1 and m.group_id = $2 and m.present)");
}

fn load(row: &mut Columns<'_>) -> Result<EmbeddedObject, StoreError> {
    Ok(EmbeddedObject {
        workspace_id: row.next()?,
        id: row.next()?,
        kind: row.next()?,
        name: row.next()?,
        name_key: row.next()?,
        external_id: row.maybe()?,
        enabled: row.next()?,
        presence: row.next()?,
        attributes: row.json()?,
        manager: row.maybe()?,
        changed: row.next()?,
        whole_from: row.next()?,
        created_at: row.next()?,
        modified_at: row.next()?,
    })
}

impl Store {
    /// The objects of these ids, as far as there are any, those that are gone as well; in any order.
    pub async fn embedded_objects(
        &self,
        ws: WorkspaceId,
        list: &[ObjectId],
    ) -> Result<Vec<EmbeddedObject>, StoreError> {
        self.scan(&ENTRIES_OF_IDS, params![ws, ids(list)], load).await
    }

    /// The object of this id, even if it is gone.
    pub async fn embedded_object(
        &self,
        ws: WorkspaceId,
        id: ObjectId,
    ) -> Result<Option<EmbeddedObject>, StoreError> {
        self.look_up_one(&ENTRIES_OF_IDS, params![ws, ids(&[id])], load).await
    }

    /// The object that is present and has this folded name.
    pub async fn embedded_named(
        &self,
        ws: WorkspaceId,
        kind: ObjectKind,
        name_key: &str,
    ) -> Result<Option<EmbeddedObject>, StoreError> {
        self.look_up_one(&ENTRY_NAMED, params![ws, kind, name_key], load).await
    }

    /// The object that has this external id and is not gone.
    pub async fn embedded_external(
        &self,
        ws: WorkspaceId,
        kind: ObjectKind,
        external_id: &str,
    ) -> Result<Option<EmbeddedObject>, StoreError> {
        self.look_up_one(&ENTRY_EXTERNAL, params![ws, kind, external_id], load).await
    }

    /// Objects that are not gone, in the order of their ids.
    pub async fn embedded_page(
        &self,
        ws: WorkspaceId,
        kind: ObjectKind,
        behind: Option<ObjectId>,
        limit: usize,
    ) -> Result<Vec<EmbeddedObject>, StoreError> {
        self.scan(&ENTRY_PAGE, params![ws, kind, after(behind), limit_of(limit)], load).await
    }

    /// How many objects of a kind are not gone.
    pub async fn embedded_count(&self, ws: WorkspaceId, kind: ObjectKind) -> Result<u64, StoreError> {
        self.scan_count(&ENTRY_COUNT, params![ws, kind]).await
    }

    /// Objects whose last change has a number behind that of `since` and not behind `until`, in the
    /// order of numbers and ids; the next page begins behind the last one's.
    pub async fn embedded_changes(
        &self,
        ws: WorkspaceId,
        since: (i64, Option<ObjectId>),
        until: i64,
        limit: usize,
    ) -> Result<Vec<EmbeddedObject>, StoreError> {
        // Without an id, all of this number were told.
        let behind = since.1.unwrap_or_else(|| ObjectId::from_uuid(uuid::Uuid::max()));
        self.scan(&ENTRY_CHANGES, params![ws, since.0, behind, until, limit_of(limit)], load).await
    }
}

fn attributes(o: &EmbeddedObject) -> String {
    serde_json::to_string(&o.attributes).unwrap_or_else(|_| "{}".to_owned())
}

pub(super) fn insert(ws: WorkspaceId, o: &EmbeddedObject) -> Op {
    let params = params![
        ws,
        o.id,
        o.kind,
        &o.name,
        &o.name_key,
        o.external_id.as_deref(),
        o.enabled,
        o.presence,
        attributes(o),
        o.manager,
        o.created_at,
        o.modified_at,
    ];
    op(&ENTRY_INSERT, params)
}

pub(super) fn update(ws: WorkspaceId, o: &EmbeddedObject, expect: i64) -> Op {
    let params = params![
        ws,
        o.id,
        &o.name,
        &o.name_key,
        o.external_id.as_deref(),
        o.enabled,
        o.presence,
        attributes(o),
        o.manager,
        o.modified_at,
        expect,
    ];
    op(&ENTRY_UPDATE, params).or_moved("person or group")
}

pub(super) fn touch_with_members(ws: WorkspaceId, id: ObjectId) -> [Op; 2] {
    [
        op(&ENTRY_TOUCH, params![ws, id]).or_missing("person or group"),
        op(&ENTRY_TOUCH_MEMBERS, params![ws, id]),
    ]
}
