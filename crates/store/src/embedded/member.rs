//! Who is in which group of a workspace's own directory, and who came and went since a number.

use latchkey_kernel::id::{ObjectId, WorkspaceId};

use super::{after, op, seq};
use crate::change::Op;
use crate::member::limit_of;
use crate::row::{Columns, first};
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

statements! {
    SEAT_PAGE = "select m.member_id from embedded_member m where m.workspace_id = $1 and m.group_id = $2 \
        and m.member_id > $3 and m.present order by m.member_id limit $4";
    SEAT_GROUPS = "select m.group_id from embedded_member m where m.workspace_id = $1 and m.member_id = $2 \
        and m.present order by m.group_id";
    SEAT_CHANGES = "select m.changed, m.group_id, m.member_id, m.present from embedded_member m \
        where m.workspace_id = $1 and (m.changed, m.group_id, m.member_id) > ($2, $3, $4) and m.changed <= $5 \
        order by m.changed, m.group_id, m.member_id limit $6";
    SEAT_TAKE = concat!("insert into embedded_member (workspace_id, group_id, member_id, present, changed) \
        values ($1, $2, $3, $4, ", seq!(), ") on conflict (workspace_id, group_id, member_id) do update \
        set present = excluded.present, changed = excluded.changed where not embedded_member.present");
    SEAT_LEAVE = concat!("update embedded_member set present = $4, changed = ", seq!(), " where workspace_id = $1 \
        and group_id = $2 and member_id = $3 and present");
    SEAT_TOUCH_ASSIGNED = concat!("update embedded_object set changed = ", seq!(), " where workspace_id = $1 and id = $3 \
        and exists (select 1 from embedded_assignment a where a.workspace_id = $1 and a.principal_id = $2)");
    SEAT_CLEAR_GROUP = concat!("update embedded_member set present = $3, changed = ", seq!(), " where workspace_id = $1 \
        and group_id = $2 and present");
    SEAT_CLEAR_MEMBER = concat!("update embedded_member set present = $3, changed = ", seq!(), " where workspace_id = $1 \
        and member_id = $2 and present");
    SEAT_TOUCH_OF_ASSIGNED_GROUP = concat!("update embedded_object set changed = ", seq!(), " where workspace_id = $1 \
        and id in (select m.member_id from embedded_member m where m.workspace_id = $1 and m.group_id = $2 and m.present) \
        and exists (select 1 from embedded_assignment a where a.workspace_id = $1 and a.principal_id = $2)");
}

/// That somebody came into a group or left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatChange {
    /// The number of the change.
    pub changed: i64,
    /// The group.
    pub group_id: ObjectId,
    /// Who.
    pub member_id: ObjectId,
    /// Whether they are in it now.
    pub present: bool,
}

fn load_change(row: &mut Columns<'_>) -> Result<SeatChange, StoreError> {
    Ok(SeatChange {
        changed: row.next()?,
        group_id: row.next()?,
        member_id: row.next()?,
        present: row.next()?,
    })
}

impl Store {
    /// A group's members, by id.
    pub async fn embedded_members(
        &self,
        ws: WorkspaceId,
        group: ObjectId,
        behind: Option<ObjectId>,
        limit: usize,
    ) -> Result<Vec<ObjectId>, StoreError> {
        self.scan(&SEAT_PAGE, params![ws, group, after(behind), limit_of(limit)], first).await
    }

    /// The groups that somebody is in.
    pub async fn embedded_groups_of(
        &self,
        ws: WorkspaceId,
        member: ObjectId,
    ) -> Result<Vec<ObjectId>, StoreError> {
        self.scan(&SEAT_GROUPS, params![ws, member], first).await
    }

    /// Who came and went with numbers behind that of `since` and not behind `until`; the next page begins
    /// behind the last one.
    pub async fn embedded_seat_changes(
        &self,
        ws: WorkspaceId,
        since: (i64, Option<(ObjectId, ObjectId)>),
        until: i64,
        limit: usize,
    ) -> Result<Vec<SeatChange>, StoreError> {
        // Without ids, all of this number were told.
        let last = ObjectId::from_uuid(uuid::Uuid::max());
        let (group, member) = since.1.unwrap_or((last, last));
        let params = params![ws, since.0, group, member, until, limit_of(limit)];
        self.scan(&SEAT_CHANGES, params, load_change).await
    }
}

pub(super) fn set(ws: WorkspaceId, group: ObjectId, member: ObjectId, present: bool) -> [Op; 2] {
    let stmt = if present { &SEAT_TAKE } else { &SEAT_LEAVE };
    [op(stmt, params![ws, group, member, present]), op(&SEAT_TOUCH_ASSIGNED, params![ws, group, member])]
}

/// Who has an application by the group is told anew before they are taken out of it.
pub(super) fn clear(ws: WorkspaceId, id: ObjectId) -> [Op; 3] {
    [
        op(&SEAT_TOUCH_OF_ASSIGNED_GROUP, params![ws, id]),
        op(&SEAT_CLEAR_GROUP, params![ws, id, false]),
        op(&SEAT_CLEAR_MEMBER, params![ws, id, false]),
    ]
}
