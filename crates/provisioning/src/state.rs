//! Where a job stands: its watermark, its quarantine, its cycles.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::CycleId;
use serde::{Deserialize, Serialize};

use crate::feed::Watermark;
use crate::ledger::Digest;
use crate::quarantine::Quarantine;

latchkey_kernel::words! {
    /// Whether a job runs by itself.
    JobStatus {
        /// On its schedule.
        Active = "active",
        /// Not until it is started; all it remembers is kept.
        Paused = "paused",
        /// It was in quarantine for too long, and runs when a person starts it.
        Disabled = "disabled",
    }
}

latchkey_kernel::words! {
    /// What a cycle reads.
    CycleKind {
        /// Everything.
        Initial = "initial",
        /// What changed.
        Incremental = "incremental",
        /// What was pushed, or one object that a person asked for.
        OnDemand = "on_demand",
        /// A person took back what an earlier cycle did.
        Undo = "undo",
    }
}

latchkey_kernel::words! {
    /// How a cycle ended.
    CycleOutcome {
        /// Everything is in step.
        Succeeded = "succeeded",
        /// Some objects failed, and are tried again.
        EntryLevelErrors = "entry_level_errors",
        /// It broke off.
        Failed = "failed",
    }
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    /// Whether it runs by itself.
    pub status: JobStatus,
    /// Where the next reading goes on; `None` reads everything.
    pub watermark: Option<Watermark>,
    /// The definition under which the watermark was reached: another one reads everything.
    pub definition: Option<Digest>,
    /// Set while the job keeps failing.
    pub quarantine: Option<Quarantine>,
    /// How many may be disabled or deleted by the word of a person, given for the next cycle.
    pub approved: Option<usize>,
    /// How many were disabled or deleted by what was pushed since the last cycle.
    pub pushed_out: usize,
    /// Cycles in a row that broke off.
    pub failures_in_row: u32,
    /// When nothing was left to do for the first time.
    pub steady_first: Option<Timestamp>,
    /// And for the last time.
    pub steady_last: Option<Timestamp>,
    /// The last cycle.
    pub last: Option<CycleSummary>,
    /// The last cycle that did not break off.
    pub last_whole: Option<CycleSummary>,
    /// The last such cycle that sent anything.
    pub last_with_exports: Option<CycleSummary>,
}

impl Default for JobState {
    fn default() -> Self {
        Self {
            status: JobStatus::Active,
            watermark: None,
            definition: None,
            quarantine: None,
            approved: None,
            pushed_out: 0,
            failures_in_row: 0,
            steady_first: None,
            steady_last: None,
            last: None,
            last_whole: None,
            last_with_exports: None,
        }
    }
}

/// What a cycle came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CycleSummary {
    /// Its id.
    pub id: CycleId,
    /// What it read.
    pub kind: CycleKind,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub outcome: CycleOutcome,
    /// What it did.
    pub counts: Counts,
    /// Why it broke off.
    pub error: Option<String>,
}

/// What a cycle did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Objects that the source told of.
    pub read: u64,
    /// Those that nothing had changed of.
    pub unchanged: u64,
    /// Objects made.
    pub created: u64,
    /// Objects changed.
    pub updated: u64,
    /// Objects disabled.
    pub disabled: u64,
    /// Objects deleted.
    pub deleted: u64,
    /// Objects that would have been disabled or deleted, and wait for a person's word.
    pub held: u64,
    /// Objects that nothing was done with, for a reason.
    pub skipped: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Members added to groups.
    pub members_added: u64,
    /// Members taken out of groups.
    pub members_removed: u64,
    /// Managers set or taken away.
    pub managers_set: u64,
    /// References that could not be set.
    pub references_failed: u64,
    /// Requests that were sent to the target.
    pub requests: u64,
}

impl Counts {
    /// Changes that were made at the target.
    pub const fn exports(&self) -> u64 {
        self.created
            + self.updated
            + self.disabled
            + self.deleted
            + self.members_added
            + self.members_removed
            + self.managers_set
    }
}
