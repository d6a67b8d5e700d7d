//! What a cycle tells, on a terminal or as lines of JSON.

use std::sync::Mutex;
use std::sync::PoisonError;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use latchkey_cycles::{Event, Phase, Progress};
use latchkey_provisioning::log::{LogEntry, Status};
use latchkey_provisioning::state::{Counts, CycleKind, CycleOutcome, CycleSummary};
use serde_json::json;

use super::open::told;
use crate::output::Output;

/// Failures that are named at the end; the log has all of them.
const NAMED: usize = 10;

/// Tells about one cycle.
pub(super) struct Told {
    output: Output,
    bar: ProgressBar,
    /// What failed or was left out in part.
    failed: Mutex<Vec<LogEntry>>,
}

impl Told {
    pub(super) fn new(output: Output) -> Self {
        let target =
            if output.is_json() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        // A template that doesn't parse would only cost the bar its look.
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix:9} {bar:32} {pos:>7} of {len}  {per_sec:>9}  {eta:>4} left  {msg}",
        ) {
            bar.set_style(style.progress_chars("━━╌"));
        }
        Self { output, bar, failed: Mutex::default() }
    }

    /// The failures of the cycle.
    pub(super) fn failures(&self) -> Vec<LogEntry> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn line(&self, value: &serde_json::Value) {
        if self.output.is_json() {
            anstream::println!("{value}");
        }
    }
}

impl Progress for Told {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Began { kind, expected } => {
                self.bar.set_length(expected.unwrap_or(0));
                self.bar.set_prefix("objects");
                self.line(&json!({ "event": "began", "kind": kind, "expected": expected }));
            }
            Event::Phase(phase) => {
                self.bar.set_prefix(match phase {
                    Phase::Objects => "objects",
                    Phase::Retries => "retries",
                    Phase::Leavers => "leavers",
                    Phase::Managers => "managers",
                    Phase::Members => "members",
                });
                self.line(&json!({ "event": "phase", "phase": phase }));
            }
            Event::Counts(counts) => {
                self.bar.set_position(counts.read);
                if counts.failed > 0 {
                    self.bar.set_message(format!("{} failed", counts.failed));
                }
                self.line(&json!({ "event": "progress", "counts": counts }));
            }
            Event::Logged(entry) => {
                if entry.status == Status::Failure {
                    self.failed.lock().unwrap_or_else(PoisonError::into_inner).push(entry.clone());
                }
                self.line(&json!({
                    "event": "object", "kind": entry.kind, "object": entry.label, "sourceId": entry.source_id,
                    "targetId": entry.target_id, "action": entry.action, "status": entry.status,
                    "code": entry.code, "message": entry.message,
                }));
            }
            Event::Ended(_) => self.bar.finish_and_clear(),
        }
    }
}

/// A cycle in a few lines.
pub(super) fn summary(cycle: &CycleSummary, failures: &[LogEntry]) -> String {
    let counts = &cycle.counts;
    let kind = match cycle.kind {
        CycleKind::Initial => "Initial cycle",
        CycleKind::Incremental => "Incremental cycle",
        CycleKind::OnDemand => "On demand",
        CycleKind::Undo => "Undo",
    };
    let took = told(cycle.ended.since(cycle.began));
    let mut lines = vec![match (&cycle.error, cycle.outcome) {
        (Some(error), _) => format!("{kind} broke off after {took}: {error}"),
        (None, CycleOutcome::Succeeded) => format!("{kind} done in {took}: everything is in step."),
        (None, _) => format!("{kind} done in {took}; some of it failed and is tried again."),
    }];
    lines.push(format!("  {}", figures(counts)));
    for entry in failures.iter().take(NAMED) {
        let code = entry.code.as_deref().unwrap_or_default();
        lines.push(format!("  failed: {} ({code}): {}", entry.label, entry.message));
    }
    if failures.len() > NAMED {
        lines.push(format!(
            "  and {} more; `latchkey provision logs --status failure` lists them",
            failures.len() - NAMED
        ));
    }
    lines.join("\n")
}

/// A cycle that did what was looked at before.
pub(super) fn planned_summary(cycle: &CycleSummary) -> String {
    let took = told(cycle.ended.since(cycle.began));
    format!(
        "Done as in the preview in {took}; what was not in it is left to the next cycle.\n  {}",
        figures(&cycle.counts)
    )
}

/// What was done, without what was not.
pub(super) fn figures(counts: &Counts) -> String {
    let all = [
        (counts.read, "read"),
        (counts.unchanged, "unchanged"),
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.disabled, "disabled"),
        (counts.deleted, "deleted"),
        (counts.held, "held for a person's word"),
        (counts.skipped, "skipped"),
        (counts.failed, "failed"),
        (counts.members_added, "members added"),
        (counts.members_removed, "members taken out"),
        (counts.managers_set, "managers set"),
        (counts.references_failed, "references failed"),
        (counts.requests, "requests"),
    ];
    let told: Vec<String> =
        all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if told.is_empty() { "nothing to do, and nothing was sent".to_owned() } else { told.join(", ") }
}
