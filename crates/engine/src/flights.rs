//! The flight recorder: what the directory asked, what came of it, kept within bounds.
//!
//! Recording never makes a request wait: entries go into a bounded buffer that a background task
//! writes in batches. When more come than are kept, writes push out reads, and how many were left
//! out is counted and logged.

use std::collections::VecDeque;
use std::sync::Mutex;

use latchkey_kernel::id::FlightId;
pub use latchkey_store::{FlightEntry, FlightFilter, Verdict};

use latchkey_access::authority::Action;

use crate::{Caller, Engine, Error};

/// How many entries wait for the next writing at most.
const BUFFER: usize = 1_000;

/// Entries that wait to be written.
#[derive(Debug, Default)]
pub struct Recorder {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    reads: VecDeque<FlightEntry>,
    writes: VecDeque<FlightEntry>,
    left_out: u64,
}

impl Recorder {
    /// Whether an entry of this kind would be kept now; asked before one is built.
    pub fn has_room(&self, mutating: bool) -> bool {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        let room = mutating || waiting.reads.len() + waiting.writes.len() < BUFFER;
        if !room {
            waiting.left_out += 1;
        }
        room
    }

    /// Keeps an entry for the next writing.
    pub fn record(&self, entry: FlightEntry) {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        if waiting.reads.len() + waiting.writes.len() >= BUFFER {
            let dropped = waiting.reads.pop_front().or_else(|| waiting.writes.pop_front());
            waiting.left_out += u64::from(dropped.is_some());
        }
        if entry.mutating { waiting.writes.push_back(entry) } else { waiting.reads.push_back(entry) }
    }

    /// Takes what waits, oldest first, and how many were left out since the last time.
    pub fn take(&self) -> (Vec<FlightEntry>, u64) {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        let taken = std::mem::take(&mut *waiting);
        let mut entries: Vec<_> = taken.reads.into_iter().chain(taken.writes).collect();
        entries.sort_by_key(|entry| entry.id);
        (entries, taken.left_out)
    }
}

/// What was recorded, newest first.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller, filter: FlightFilter) -> Result<Vec<FlightEntry>, Error> {
    by.may(Action::ReadDirectory)?;
    write_waiting(engine).await?;
    Ok(engine.store().flight_list(by.workspace_id(), filter).await?)
}

/// One entry.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: FlightId) -> Result<FlightEntry, Error> {
    by.may(Action::ReadDirectory)?;
    write_waiting(engine).await?;
    engine.store().flight_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "flight" })
}

/// Writes what waits; who looks sees their own last request.
pub(crate) async fn write_waiting(engine: &Engine) -> Result<(), Error> {
    let (entries, left_out) = engine.recorder.take();
    if left_out > 0 {
        tracing::info!(left_out, "flight recorder left out entries under load");
        metrics::counter!("latchkey_flights_left_out_total").increment(left_out);
    }
    if !entries.is_empty() {
        engine.store().flight_record(entries).await?;
    }
    Ok(())
}
