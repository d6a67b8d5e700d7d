//! What a job remembers, and where.

use std::future::Future;

use latchkey_kernel::Timestamp;
use latchkey_provisioning::Kind;
use latchkey_provisioning::ledger::{MemberRow, ObjectKey, ObjectRow, Totals, Write};
use latchkey_provisioning::state::JobState;

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else performs the job now; nothing was written.
    #[error("another node performs this job now")]
    Lost,
    /// The database failed.
    #[error("the job's ledger: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where a job's rows are kept. Lists come in the order of their keys, from behind `after` on.
pub trait Ledger: Send + Sync {
    /// Where the job stands.
    fn state(&self) -> impl Future<Output = Result<JobState, LedgerError>> + Send;

    /// The rows of these objects, as far as there are any, in any order.
    fn objects(&self, keys: &[ObjectKey])
    -> impl Future<Output = Result<Vec<ObjectRow>, LedgerError>> + Send;

    /// All rows.
    fn page(
        &self,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ObjectRow>, LedgerError>> + Send;

    /// Those that are to be tried again by now, or wait for a person's word.
    fn due_objects(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ObjectRow>, LedgerError>> + Send;

    /// People whose manager is to be sent by now.
    fn due_managers(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ObjectRow>, LedgerError>> + Send;

    /// Groups of which memberships are to be sent by now.
    fn due_groups(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ObjectKey>, LedgerError>> + Send;

    /// A group's memberships that are to be sent by now.
    fn due_members(
        &self,
        group: ObjectKey,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<MemberRow>, LedgerError>> + Send;

    /// A group's memberships, by member.
    fn members_of(
        &self,
        group: ObjectKey,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<MemberRow>, LedgerError>> + Send;

    /// Everybody's memberships of whom this is one.
    fn groups_of(
        &self,
        member: ObjectKey,
    ) -> impl Future<Output = Result<Vec<MemberRow>, LedgerError>> + Send;

    /// Who is linked to this object of the target.
    fn linked_to(
        &self,
        kind: Kind,
        target_id: &str,
    ) -> impl Future<Output = Result<Option<ObjectRow>, LedgerError>> + Send;

    /// How the objects stand.
    fn totals(&self) -> impl Future<Output = Result<Totals, LedgerError>> + Send;

    /// Makes all of the changes durable, or none.
    fn write(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), LedgerError>> + Send;
}
