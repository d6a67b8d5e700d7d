//! Provisioning jobs: who performs them, what they remember of each object, and their logs.
//!
//! What a job remembers is written in batches of [`Write`]s, each whole or not at all, and only by
//! whoever performs the job now: a batch expects the *fence* that the job was taken with, so that
//! one who was thought dead writes nothing more.

pub mod job;
pub mod log;
pub mod member;
pub mod object;
pub mod order;

use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_provisioning::ledger::{Digest, ObjectKey, Totals, Write};
use uuid::Uuid;

use crate::change::Op;
use crate::statement::Stmt;
use crate::value::{Val, params};
use crate::{CommitError, Store, StoreError};

/// A job as whoever performs it knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The job.
    pub job_id: JobId,
    /// Since when it is performed by the same one: grows with each taking.
    pub fence: i64,
}

impl From<ObjectKey> for Val {
    fn from(key: ObjectKey) -> Self {
        Self::Id(Uuid::from_bytes(key.0))
    }
}

impl From<Digest> for Val {
    fn from(digest: Digest) -> Self {
        Self::Bytes(digest.0.to_vec())
    }
}

impl crate::row::Column for ObjectKey {
    fn read(row: &crate::row::Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(Uuid::read(row, at)?.map(|uuid| Self(uuid.into_bytes())))
    }
}

/// A list of keys, for `= any($n)`.
fn keys(list: &[ObjectKey]) -> Val {
    Val::Ids(list.iter().map(|key| Uuid::from_bytes(key.0)).collect())
}

/// All statements of this room.
#[cfg(test)]
pub(crate) fn statements() -> Vec<&'static Stmt> {
    [job::STATEMENTS, log::STATEMENTS, member::STATEMENTS, object::STATEMENTS, order::STATEMENTS].concat()
}

/// Rows of this list come after a key; of the first page, after none.
fn after(key: Option<ObjectKey>) -> ObjectKey {
    // No key of SHA-256 is all zeros.
    key.unwrap_or(ObjectKey([0; 16]))
}

impl Store {
    /// Writes a batch of what a job remembers, whole or not at all.
    ///
    /// # Errors
    /// [`crate::Conflict::Moved`] when somebody else performs the job now; nothing was written.
    pub async fn provisioning_write(&self, held: Held, writes: Vec<Write>) -> Result<(), CommitError> {
        let Held { workspace_id: ws, job_id: job, fence } = held;
        let mut ops = vec![job::expect(ws, job, fence)];
        for write in writes {
            match write {
                Write::Object(row) => ops.push(object::upsert(ws, job, &row)),
                Write::Forget(key) => {
                    ops.push(object::forget(ws, job, key));
                    ops.push(member::forget_group(ws, job, key));
                }
                Write::Membership { group, member, told, wanted, at } => {
                    ops.extend(member::set(ws, job, (group, member), (told, wanted), at));
                }
                Write::Member(row) => ops.push(member::put(ws, job, row)),
                Write::Unsent { key, at } => {
                    ops.extend(member::unsent(ws, job, key, at));
                    ops.push(object::manager_unsent(ws, job, key, at));
                }
                Write::Linked { key, at } => {
                    ops.extend(member::linked(ws, job, key, at));
                    ops.push(object::manager_linked(ws, job, key, at));
                }
                Write::State(state) => ops.push(job::set_state(ws, job, &state)),
                Write::Log(entry) => ops.push(log::insert(ws, job, &entry)),
            }
        }
        self.apply(ops).await
    }

    /// How a job's objects stand.
    pub async fn provisioning_totals(&self, ws: WorkspaceId, job: JobId) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        let objects = self.scan(&object::OBJECT_TOTALS, params![ws, job], object::load_totals).await?;
        let members = self.scan(&member::IN_GROUP_TOTALS, params![ws, job], member::load_totals).await?;
        if let Some(found) = objects.into_iter().next() {
            totals = found;
        }
        if let Some((sent, due)) = members.into_iter().next() {
            totals.members = sent;
            totals.references_failed += due;
        }
        Ok(totals)
    }
}

/// Of no kind that people know, so that a message says what the row is.
const fn op(stmt: &'static Stmt, params: Vec<Val>) -> Op {
    Op::new(stmt, params, "provisioning job")
}
