//! What a provisioning job does with each person and group, and why.
//!
//! Pure: from an object as the source has it, what is linked to it and what the target holds,
//! [`decide()`] gives what is to be done with its reasons; nothing here reads, sends or waits. The
//! way of one object is
//!
//! `entry → facts (is it in scope?) → desired values → match or link → difference → decision`
//!
//! and each step leaves what the log needs to explain it (P4). The clocks of single failures
//! ([`escrow`]), of a job that keeps failing ([`quarantine`]) and the limit on deletions
//! ([`deletions`]) are here too, as functions of counts and times.
#![warn(missing_docs)]

pub mod decide;
pub mod defaults;
pub mod deletions;
pub mod desired;
pub mod difference;
pub mod entry;
pub mod escrow;
pub mod facts;
pub mod feed;
pub mod gallery;
pub mod graph_schema;
pub mod jobfile;
pub mod ledger;
pub mod lint;
pub mod log;
pub mod mapping;
pub mod members;
pub mod quarantine;
pub mod scope;
pub mod state;
pub mod target_path;
pub mod target_schema;

pub use decide::{Decision, Link, Settings, SkipReason, decide};
pub use desired::{Desired, ObjectError, desired};
pub use difference::{Difference, difference};
pub use entry::{Assignment, Entry, EntryId, Kind, Presence};
pub use facts::{Facts, facts};
pub use mapping::{Apply, AttributeMapping, Flow, ObjectMapping, Source};
pub use scope::{Clause, Group, Operator, Scope};
pub use target_path::TargetPath;
