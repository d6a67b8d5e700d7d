//! The provisioning log: for each decision, what led to it, what was sent and what came back (P4).

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CycleId, LogId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::difference::ModifiedProperty;
use crate::entry::{EntryId, Kind};
use crate::facts::Facts;
use crate::ledger::ObjectKey;

latchkey_kernel::words! {
    /// What was decided on an object.
    Action {
        /// It was made.
        Create = "create",
        /// It was changed.
        Update = "update",
        /// It was disabled.
        Disable = "disable",
        /// It was deleted.
        Delete = "delete",
        /// It would have been disabled or deleted, and waits for a person's word.
        StagedDelete = "stageddelete",
        /// Anything else: nothing was done, or nothing could be decided.
        Other = "other",
    }
}

latchkey_kernel::words! {
    /// What became of the decision.
    Status {
        /// It was carried out.
        Success = "success",
        /// It failed.
        Failure = "failure",
        /// Nothing was done, for a reason.
        Skipped = "skipped",
        /// It was carried out but for a part that could not be.
        Warning = "warning",
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Its id; ids grow with time.
    pub id: LogId,
    /// In which cycle.
    pub cycle: CycleId,
    /// When.
    pub at: Timestamp,
    /// What kind of object.
    pub kind: Kind,
    /// Which object.
    pub key: ObjectKey,
    /// Its id at the source.
    pub source_id: EntryId,
    /// What people call it.
    pub label: String,
    /// Its id at the target.
    pub target_id: Option<String>,
    /// What was decided.
    pub action: Action,
    /// What became of it.
    pub status: Status,
    /// The code of a failure or of the reason for doing nothing.
    pub code: Option<String>,
    /// What happened and, where somebody has to act, what to do.
    pub message: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// What led to it and what was sent.
    pub detail: Detail,
}

/// What led to a decision and what was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Detail {
    /// Why it belongs at the target, or does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// By which attribute it was found at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_by: Option<String>,
    /// What changed from what to what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modified: Vec<ModifiedProperty>,
    /// The requests, with their answers' status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Json>,
    /// Members that were added to the group, and taken out of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<MembersSent>,
    /// What takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
}

/// Members that were sent in one step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersSent {
    /// Who was added.
    pub added: Vec<ObjectKey>,
    /// Who was taken out.
    pub removed: Vec<ObjectKey>,
}

/// What takes a disabling or a deletion back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "how")]
pub enum Undo {
    /// Writing the values that were there: pairs of path and value.
    Restore {
        /// The paths with what they held.
        values: Vec<(String, Option<Json>)>,
    },
    /// Making it again.
    Recreate {
        /// As it was.
        resource: Json,
        /// The groups that a person was in, or the members that a group had.
        ends: Vec<ObjectKey>,
    },
}
