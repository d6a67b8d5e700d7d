//! What a cycle that ended makes of the job's state.

use latchkey_kernel::Timestamp;
use latchkey_provisioning::feed::Watermark;
use latchkey_provisioning::ledger::{Digest, Totals};
use latchkey_provisioning::quarantine::{self, Counts as Failures, Next, Reason};
use latchkey_provisioning::state::{CycleOutcome, CycleSummary, JobState, JobStatus};

/// How far a cycle came.
pub(crate) enum Reached {
    /// To its end: the next one goes on here.
    Whole { watermark: Watermark, definition: Digest },
    /// To its end, but it was not to do everything: the next one begins where this one did.
    Part,
    /// It broke off; the next one begins where this one did.
    Broken(String),
}

/// The state after a cycle.
pub(crate) fn fold(
    mut state: JobState,
    summary: &CycleSummary,
    totals: &Totals,
    reached: Reached,
    now: Timestamp,
) -> JobState {
    let found = match reached {
        Reached::Broken(message) => {
            state.failures_in_row += 1;
            Some((Reason::EncounteredQuarantineException, message))
        }
        Reached::Part => {
            state.approved = None;
            judged(totals)
        }
        Reached::Whole { watermark, definition } => {
            state.watermark = Some(watermark);
            state.definition = Some(definition);
            state.failures_in_row = 0;
            state.approved = None;
            state.pushed_out = 0;
            state.last_whole = Some(summary.clone());
            if summary.counts.exports() > 0 {
                state.last_with_exports = Some(summary.clone());
            }
            judged(totals)
        }
    };
    match quarantine::fold(state.quarantine.as_ref(), found, now) {
        Next::Lifted => state.quarantine = None,
        Next::Kept { quarantine, .. } => state.quarantine = Some(quarantine),
        Next::Disabled => state.status = JobStatus::Disabled,
    }
    if summary.outcome == CycleOutcome::Succeeded && totals.held == 0 {
        state.steady_first.get_or_insert(now);
        state.steady_last = Some(now);
    }
    state.last = Some(summary.clone());
    state
}

fn judged(totals: &Totals) -> Option<(Reason, String)> {
    if totals.held > 0 {
        let message = format!(
            "{} objects would be disabled or deleted, more than the job allows in one cycle; they are left as they are until a person allows it, or the source has them again",
            totals.held
        );
        return Some((Reason::TooManyDeletes, message));
    }
    let failures = Failures {
        failed: totals.escrowed,
        failed_references: totals.references_failed,
        succeeded: totals.users + totals.users_out + totals.groups,
    };
    let reason = quarantine::by_counts(failures)?;
    let message = format!(
        "{} objects and {} references failed, {} objects are in step",
        failures.failed, failures.failed_references, failures.succeeded
    );
    Some((reason, message))
}
