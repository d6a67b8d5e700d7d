//! Performs a provisioning job's cycles.
//!
//! A [`Cycle`] reads a [`Source`] page by page, lets the `provisioning` room decide on each object,
//! writes the [`Target`], and puts down in a [`Ledger`] what was done, before it goes on:
//!
//! `read → decide → send → remember`, then leavers, then references, then the watermark.
//!
//! Whatever is still to do stands in the ledger and the watermark moves last, so a cycle that is
//! killed anywhere goes on where it was (P1). Disabling and deleting waits until the whole source
//! has been read and the limit allows it (P3).
#![warn(missing_docs)]

mod any;
mod cycle;
mod embedded;
mod end;
mod lane;
mod ledger;
mod memory;
mod nested;
mod object;
mod plan;
mod preview;
mod progress;
mod references;
mod restart;
mod source;
mod stored;
mod target;
mod undo;

pub use any::{JobReading, JobSource};
pub use cycle::{Cycle, Job, Options};
pub use embedded::{Embedded, EmbeddedReading, watermark as embedded_watermark};
pub use lane::Lane;
pub use ledger::{Ledger, LedgerError};
pub use memory::MemoryLedger;
pub use plan::Plan;
pub use preview::DryTarget;
pub use progress::{Event, Phase, Progress, Silent};
pub use restart::{Reset, restart};
pub use source::{Reading, Source};
pub use stored::StoredLedger;
pub use target::Target;
