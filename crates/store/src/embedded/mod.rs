//! A workspace's own directory: its objects, who is in which group, and who was given what.
//!
//! Each change of a workspace's has a number, taken by [`EmbeddedChange::Begin`] under a lock of
//! that workspace's alone, so that whoever reads what changed since a number misses nothing that
//! is committed later with a smaller one.

pub mod assignment;
pub mod member;
pub mod object;

use latchkey_access::EmbeddedChange;
use latchkey_kernel::id::{ObjectId, WorkspaceId};

use crate::change::Op;
use crate::row::first;
use crate::statement::{Stmt, statements};
use crate::value::{Val, params};
use crate::{Store, StoreError};

statements! {
    FEED_NEXT = "insert into embedded_feed (workspace_id, seq) values ($1, 1) \
        on conflict (workspace_id) do update set seq = embedded_feed.seq + 1";
    FEED_SEQ = "select f.seq from embedded_feed f where f.workspace_id = $1";
}

/// The number of the change under way, for statements that follow [`FEED_NEXT`].
macro_rules! seq {
    () => {
        "(select f.seq from embedded_feed f where f.workspace_id = $1)"
    };
}
pub(crate) use seq;

/// All statements of this room.
#[cfg(test)]
pub(crate) fn statements() -> Vec<&'static Stmt> {
    [STATEMENTS, object::STATEMENTS, member::STATEMENTS, assignment::STATEMENTS].concat()
}

/// A list of ids, for `= any($n)`.
fn ids(list: &[ObjectId]) -> Val {
    Val::Ids(list.iter().map(|id| id.as_uuid()).collect())
}

/// Ids come after this one; of the first page, after none.
fn after(id: Option<ObjectId>) -> ObjectId {
    // No id of version 7 is all zeros.
    id.unwrap_or_else(|| ObjectId::from_uuid(uuid::Uuid::nil()))
}

fn op(stmt: &'static Stmt, params: Vec<Val>) -> Op {
    Op::new(stmt, params, "person or group")
}

impl Store {
    /// The number of the workspace's last change of its own directory; 0 before the first.
    pub async fn embedded_seq(&self, ws: WorkspaceId) -> Result<i64, StoreError> {
        Ok(self.look_up_one(&FEED_SEQ, params![ws], first::<i64>).await?.unwrap_or(0))
    }
}

pub(crate) fn push(ops: &mut Vec<Op>, ws: WorkspaceId, change: EmbeddedChange) {
    match change {
        EmbeddedChange::Begin => ops.push(op(&FEED_NEXT, params![ws])),
        EmbeddedChange::Insert(row) => ops.push(object::insert(ws, &row)),
        EmbeddedChange::Update { object, expect } => ops.push(object::update(ws, &object, expect)),
        EmbeddedChange::MemberSet { group_id, member_id, present } => {
            ops.extend(member::set(ws, group_id, member_id, present));
        }
        EmbeddedChange::Clear { id } => {
            ops.extend(member::clear(ws, id));
            ops.push(assignment::clear(ws, id));
        }
        EmbeddedChange::Assign(row) => {
            ops.push(assignment::insert(ws, &row));
            ops.extend(object::touch_with_members(ws, row.principal_id));
        }
        EmbeddedChange::Unassign { principal_id, application, role } => {
            ops.push(assignment::delete(ws, principal_id, &application, &role));
            ops.extend(object::touch_with_members(ws, principal_id));
        }
    }
}
