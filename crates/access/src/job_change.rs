//! What people change of a workspace's provisioning jobs: the part of [`Change`] that is theirs.
//!
//! What a job remembers, whoever performs it writes; a person's word to a job is an *order*, which
//! the performer carries out between two cycles.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{JobId, OrderId};
use serde_json::Value;

#[cfg(doc)]
use crate::change::Change;

/// One change of what provisioning jobs have; see [`Change`] for what holds for every change.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are named after the columns that they write or expect")]
pub enum JobChange {
    /// A new job, paused; its name must be free. `fed` says that it reads the workspace's own directory.
    Insert { job_id: JobId, name: String, definition: String, fed: bool, at: Timestamp },
    /// Another definition of a job; its name must be free among the others, and it must exist.
    Define { job_id: JobId, name: String, definition: String, fed: bool },
    /// Mappings in the place of the definition's, as an Entra ID schema has them; none for the definition's
    /// own. The job must exist.
    Schema { job_id: JobId, schema: Option<String> },
    /// Removes a job with all that it remembers; it must exist.
    Delete { job_id: JobId },
    /// A person's word to a job, which must exist; the job is due at `at`.
    Order { job_id: JobId, order_id: OrderId, body: Value, at: Timestamp },
    /// A secret of a job, in the place of the one of this name; fails as moved unless the workspace has the
    /// key that it is sealed under and that key is not retired. The job must exist.
    SecretSet { job_id: JobId, name: String, sealed: Vec<u8>, key: i64, at: Timestamp },
    /// Removes a secret of a job; not there is no failure.
    SecretDelete { job_id: JobId, name: String },
    /// Replaces a secret's ciphertext and the key that it is sealed under; fails as moved unless it is
    /// sealed under `from`, and as [`JobChange::SecretSet`] for the key `to`.
    SecretReseal { job_id: JobId, name: String, from: i64, to: i64, sealed: Vec<u8> },
}

impl From<JobChange> for crate::change::Change {
    fn from(change: JobChange) -> Self {
        Self::Job(change)
    }
}
