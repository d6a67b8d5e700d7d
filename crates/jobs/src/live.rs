//! What the cycle under way is at, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use latchkey_cycles::{Event, Phase, Progress};
use latchkey_kernel::{Clock as _, SystemClock, Timestamp};
use latchkey_provisioning::state::{Counts, CycleKind};

/// How far a cycle is.
#[derive(Debug, Clone, Default)]
pub struct Live(Arc<Mutex<At>>);

#[derive(Debug, Clone, Copy, Default)]
struct At {
    began: Option<Timestamp>,
    kind: Option<CycleKind>,
    expected: Option<u64>,
    phase: Option<Phase>,
    counts: Counts,
}

impl Live {
    /// As status shows it: objects done and to come, since when, and at what.
    pub fn to_json(&self) -> serde_json::Value {
        let at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::json!({
            "units": "objects",
            "completedUnits": at.counts.read,
            "totalUnits": at.expected,
            "progressObservationDateTime": SystemClock.now(),
            "kind": at.kind,
            "phase": at.phase,
            "began": at.began,
            "counts": at.counts,
        })
    }
}

impl Progress for Live {
    fn tell(&self, event: Event<'_>) {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Began { kind, expected } => {
                at.began.get_or_insert(SystemClock.now());
                (at.kind, at.expected) = (Some(kind), expected);
            }
            Event::Phase(phase) => at.phase = Some(phase),
            Event::Counts(counts) => at.counts = *counts,
            Event::Logged(_) | Event::Ended(_) => {}
        }
    }
}
