//! Who was given which application in a workspace's own directory, directly or by a group.

use latchkey_access::EmbeddedAssignment;
use latchkey_kernel::id::{ObjectId, WorkspaceId};

use super::{ids, op};
use crate::change::Op;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "a.principal_id, a.application, a.role, a.display, a.entitles"
    };
}

statements! {
    GIVEN_DIRECTLY = concat!("select a.principal_id, ", columns!(), " from embedded_assignment a \
        where a.workspace_id = $1 and a.principal_id = any($2) order by a.principal_id, a.application, a.role");
    GIVEN_BY_GROUP = concat!("select m.member_id, ", columns!(), " from embedded_member m \
        join embedded_assignment a on a.workspace_id = m.workspace_id and a.principal_id = m.group_id \
        where m.workspace_id = $1 and m.member_id = any($2) and m.present \
        order by m.member_id, a.application, a.role, a.principal_id");
    GIVE = "insert into embedded_assignment (workspace_id, principal_id, application, role, display, entitles) \
        values ($1, $2, $3, $4, $5, $6) on conflict (workspace_id, principal_id, application, role) \
        do update set display = excluded.display, entitles = excluded.entitles";
    GIVEN_END = "delete from embedded_assignment where workspace_id = $1 and principal_id = $2 \
        and application = $3 and role = $4";
    GIVEN_CLEAR = "delete from embedded_assignment where workspace_id = $1 and principal_id = $2";
}

fn load(row: &mut Columns<'_>) -> Result<(ObjectId, EmbeddedAssignment), StoreError> {
    let who = row.next()?;
    let assignment = EmbeddedAssignment {
        principal_id: row.next()?,
        application: row.next()?,
        role: row.next()?,
        display: row.next()?,
        entitles: row.next()?,
    };
    Ok((who, assignment))
}

impl Store {
    /// What these objects were given, themselves or by a group that they are in: pairs of who has it and
    /// the assignment.
    pub async fn embedded_assignments(
        &self,
        ws: WorkspaceId,
        list: &[ObjectId],
    ) -> Result<Vec<(ObjectId, EmbeddedAssignment)>, StoreError> {
        let mut all = self.scan(&GIVEN_DIRECTLY, params![ws, ids(list)], load).await?;
        all.extend(self.scan(&GIVEN_BY_GROUP, params![ws, ids(list)], load).await?);
        Ok(all)
    }
}

pub(super) fn insert(ws: WorkspaceId, a: &EmbeddedAssignment) -> Op {
    op(&GIVE, params![ws, a.principal_id, &a.application, &a.role, &a.display, a.entitles])
}

pub(super) fn delete(ws: WorkspaceId, principal: ObjectId, application: &str, role: &str) -> Op {
    op(&GIVEN_END, params![ws, principal, application, role])
}

pub(super) fn clear(ws: WorkspaceId, principal: ObjectId) -> Op {
    op(&GIVEN_CLEAR, params![ws, principal])
}
