//! The flight recorder: what the directory asked, what came of it, kept within bounds.
//!
//! Recording never makes a request wait: entries go into a bounded buffer that a background task
//! writes in batches. When more come than are kept, what went wrong pushes out what went well, and
//! writes push out reads; what has nothing to push out is not even put together. How many were
//! left out is counted and logged.

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
    /// By what they are worth, the least first.
    entries: [VecDeque<FlightEntry>; 3],
    left_out: u64,
}

/// What an entry is worth to who looks for what happened. More pushes out less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// A read that was answered.
    Read,
    /// A write that was done.
    Write,
    /// What was refused, or failed.
    Fault,
}

impl Worth {
    /// That of a request that may change something or not, with what became of it.
    pub const fn of(mutating: bool, verdict: Verdict) -> Self {
        match (verdict, mutating) {
            (Verdict::Accepted, false) => Self::Read,
            (Verdict::Accepted, true) => Self::Write,
            _ => Self::Fault,
        }
    }
}

impl Waiting {
    fn is_full(&self) -> bool {
        self.entries.iter().map(VecDeque::len).sum::<usize>() >= BUFFER
    }

    /// Those that an entry of this worth pushes out.
    fn less(&mut self, worth: Worth) -> &mut [VecDeque<FlightEntry>] {
        &mut self.entries[..worth as usize]
    }
}

impl Recorder {
    /// Whether an entry of this worth would be kept now; asked before one is put together.
    pub fn has_room(&self, worth: Worth) -> bool {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        let room = !waiting.is_full() || waiting.less(worth).iter().any(|entries| !entries.is_empty());
        if !room {
            waiting.left_out += 1;
        }
        room
    }

    /// Keeps an entry for the next writing.
    pub fn record(&self, entry: FlightEntry) {
        let worth = Worth::of(entry.mutating, entry.verdict);
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        if waiting.is_full() {
            waiting.left_out += 1;
            let Some(less) = waiting.less(worth).iter_mut().find(|entries| !entries.is_empty()) else {
                return;
            };
            less.pop_front();
        }
        waiting.entries[worth as usize].push_back(entry);
    }

    /// Takes what waits, oldest first, and how many were left out since the last time.
    pub fn take(&self) -> (Vec<FlightEntry>, u64) {
        let mut waiting = self.waiting.lock().expect("no holder of this lock panics");
        let taken = std::mem::take(&mut *waiting);
        let mut entries: Vec<_> = taken.entries.into_iter().flatten().collect();
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

#[cfg(test)]
mod tests {
    use latchkey_kernel::id::{RequestId, TokenId, WorkspaceId};
    use latchkey_kernel::{SeededEntropy, Timestamp};

    use super::*;

    fn entry(at: i64, mutating: bool, verdict: Verdict) -> FlightEntry {
        let now = Timestamp::from_micros(at);
        let entropy = SeededEntropy::new(u64::try_from(at).unwrap());
        FlightEntry {
            workspace_id: WorkspaceId::fresh(now, &entropy),
            id: FlightId::fresh(now, &entropy),
            at: now,
            token_id: TokenId::fresh(now, &entropy),
            request_id: RequestId::fresh(now, &entropy),
            method: "PATCH".to_owned(),
            path: "/Users/{id}".to_owned(),
            status: 200,
            verdict,
            mutating,
            micros: 1,
            address: "127.0.0.1".to_owned(),
            agent: None,
            detail: serde_json::Value::Null,
        }
    }

    #[test]
    fn when_more_come_than_are_kept_faults_push_out_writes_and_writes_push_out_reads() {
        let recorder = Recorder::default();
        let room = |worth| recorder.has_room(worth);
        for at in 0..BUFFER as i64 {
            assert!(room(Worth::Read));
            recorder.record(entry(at, false, Verdict::Accepted));
        }
        assert_eq!([Worth::Read, Worth::Write, Worth::Fault].map(room), [false, true, true]);
        for at in 0..BUFFER as i64 - 1 {
            assert!(room(Worth::Write));
            recorder.record(entry(10_000 + at, true, Verdict::Accepted));
        }
        recorder.record(entry(50_000, false, Verdict::Refused));
        assert_eq!([Worth::Read, Worth::Write, Worth::Fault].map(room), [false, false, true]);
        recorder.record(entry(60_000, true, Verdict::Accepted));
        recorder.record(entry(70_000, true, Verdict::Failed));
        let (kept, left_out) = recorder.take();
        let count = |verdict| kept.iter().filter(|entry| entry.verdict == verdict).count();
        assert_eq!(kept.len(), BUFFER);
        assert_eq!([Verdict::Refused, Verdict::Failed].map(count), [1, 1]);
        assert!(kept.iter().all(|entry| entry.mutating || entry.verdict == Verdict::Refused));
        // The reads, one write for the failure, the write that had no room, and the three asked for in vain.
        assert_eq!(left_out, BUFFER as u64 + 2 + 3);
        assert!(kept.is_sorted_by_key(|entry| entry.id));
        assert!(room(Worth::Read));
    }
}
