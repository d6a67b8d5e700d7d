//! What happened when, from the moment that the directory's request left.

use latchkey_kernel::Timestamp;
use serde_json::{Value, json};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// The word for machines.
    pub(super) event: &'static str,
    pub(super) text: String,
}

/// Moments in order of time; those of one instant in the order in which they were added.
#[derive(Debug)]
pub(super) struct Timeline {
    start: Timestamp,
    moments: Vec<Moment>,
}

impl Timeline {
    /// Counts from `start`.
    pub(super) fn from(start: Timestamp) -> Self {
        Self { start, moments: Vec::new() }
    }

    pub(super) fn add(&mut self, at: Timestamp, event: &'static str, text: impl Into<String>) {
        self.moments.push(Moment { at, event, text: text.into() });
        let start = self.start;
        self.moments.sort_by_key(|moment| millis(start, moment.at));
    }

    /// Whole milliseconds from the start to `at`.
    pub(super) fn millis(&self, at: Timestamp) -> i64 {
        millis(self.start, at)
    }

    /// A line for each moment, as `+    12 ms  answer received`.
    pub(super) fn lines(&self) -> Vec<String> {
        let widest = self.moments.iter().map(|m| self.millis(m.at).to_string().len()).max().unwrap_or(1);
        self.moments
            .iter()
            .map(|moment| format!("+{:>widest$} ms  {}", self.millis(moment.at), moment.text))
            .collect()
    }

    pub(super) fn facts(&self) -> Vec<Value> {
        self.moments
            .iter()
            .map(|m| json!({"ms": self.millis(m.at), "at": m.at, "event": m.event, "text": m.text}))
            .collect()
    }
}

/// The API's times have no part finer than a millisecond, so both are cut to milliseconds before
/// they are compared. Never negative.
fn millis(start: Timestamp, at: Timestamp) -> i64 {
    (at.as_millis() - start.as_millis()).max(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_stand_in_order_of_time_and_align() {
        let start = Timestamp::parse("2026-03-01T09:30:00.250900Z").unwrap();
        let mut timeline = Timeline::from(start);
        timeline.add(start.plus(Duration::from_millis(120)), "answered", "answer received");
        timeline.add(start, "sent", "request sent");
        // The server's own record, cut to milliseconds: earlier than the start by a fraction.
        let cut = Timestamp::parse("2026-03-01T09:30:00.250Z").unwrap();
        timeline.add(cut.plus(Duration::from_millis(3)), "cut", "access cut");
        timeline.add(cut.plus(Duration::from_millis(3)), "grants", "grants removed");
        assert_eq!(
            timeline.lines(),
            [
                "+  0 ms  request sent",
                "+  3 ms  access cut",
                "+  3 ms  grants removed",
                "+120 ms  answer received"
            ]
        );
        // A clock that was set back between the two must not put the effect before its cause.
        assert_eq!(timeline.millis(cut.minus(Duration::from_millis(7))), 0);
        assert_eq!(timeline.facts()[1]["event"], "cut");
    }
}
