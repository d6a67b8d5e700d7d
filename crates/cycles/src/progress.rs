//! What a cycle tells while it is under way.

use latchkey_provisioning::log::LogEntry;
use latchkey_provisioning::state::{Counts, CycleKind, CycleSummary};

/// What a cycle is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the source, and bringing objects in step as they come.
    Objects,
    /// Trying again what failed, and what waits.
    Retries,
    /// Disabling and deleting who left.
    Leavers,
    /// Managers.
    Managers,
    /// Members of groups.
    Members,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'e> {
    /// The cycle began to read.
    Began {
        /// What it reads.
        kind: CycleKind,
        /// How many objects are to come, where that is known.
        expected: Option<u64>,
    },
    /// It goes over to this.
    Phase(Phase),
    /// Some objects are done: all counts so far.
    Counts(&'e Counts),
    /// A decision was made and carried out, or not.
    Logged(&'e LogEntry),
    /// The cycle ended.
    Ended(&'e CycleSummary),
}

/// Who is told.
pub trait Progress: Send + Sync {
    /// Tells.
    fn tell(&self, event: Event<'_>);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: Event<'_>) {}
}
