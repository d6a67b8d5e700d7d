//! A job that keeps failing is slowed down, and in the end stopped.

use std::time::Duration;

use latchkey_kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// What the objects of a job came to so far: those in escrow, and those that are in step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects whose last try failed, apart from references.
    pub failed: u64,
    /// References that could not be set.
    pub failed_references: u64,
    /// Objects that are in step.
    pub succeeded: u64,
}

/// Why a job is in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Source or target cannot be reached, or refuse the credential.
    EncounteredQuarantineException,
    /// At least 5,000 failures, and more than 40 % of all.
    EncounteredEscrowProportionThreshold,
    /// More than 40,000 failures apart from references.
    EncounteredBaseEscrowThreshold,
    /// 60,000 failures or more, references included.
    EncounteredTotalEscrowThreshold,
    /// More would be deleted or disabled than the job allows (P3).
    TooManyDeletes,
    /// A person asked for it.
    QuarantinedOnDemand,
    /// An upload to the job broke off.
    IngestionInterrupted,
}

/// The job's quarantine, as status shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Why.
    pub reason: Reason,
    /// When this series began.
    pub series_began: Timestamp,
    /// When it was imposed last.
    pub current_began: Timestamp,
    /// How often it was looked at again and kept.
    pub series_count: u32,
    /// When it is looked at again.
    pub next_attempt: Timestamp,
    /// What went wrong, for a person.
    pub message: String,
}

/// Whether the counts call for quarantine.
pub fn by_counts(counts: Counts) -> Option<Reason> {
    let all = counts.failed + counts.failed_references;
    if all >= 60_000 {
        return Some(Reason::EncounteredTotalEscrowThreshold);
    }
    if counts.failed < 5_000 {
        return None;
    }
    if counts.failed > 40_000 {
        return Some(Reason::EncounteredBaseEscrowThreshold);
    }
    // More than 40 %, in whole numbers.
    let events = counts.failed + counts.succeeded;
    (counts.failed * 10 > events * 4).then_some(Reason::EncounteredEscrowProportionThreshold)
}

/// After so long in one series the job is disabled.
pub const DISABLED_AFTER: Duration = Duration::from_secs(28 * 24 * 3_600);

/// What follows when a job in quarantine, or about to be, has been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It goes on as usual.
    Lifted,
    /// It is (still) slowed down; a person is told when `news` says so.
    Kept {
        /// The record.
        quarantine: Quarantine,
        /// Whether it began, or its reason changed.
        news: bool,
    },
    /// It has lasted too long: the job is switched off.
    Disabled,
}

/// Folds an evaluation into the record. `found` is the reason that holds now, with words for a person.
pub fn fold(before: Option<&Quarantine>, found: Option<(Reason, String)>, now: Timestamp) -> Next {
    let Some((reason, message)) = found else { return Next::Lifted };
    let Some(before) = before else {
        let quarantine = Quarantine {
            reason,
            series_began: now,
            current_began: now,
            series_count: 0,
            next_attempt: next_attempt(now, now, reason),
            message,
        };
        return Next::Kept { quarantine, news: true };
    };
    if now.since(before.series_began) >= DISABLED_AFTER {
        return Next::Disabled;
    }
    let quarantine = Quarantine {
        reason,
        series_began: before.series_began,
        current_began: now,
        series_count: before.series_count + 1,
        next_attempt: next_attempt(before.series_began, now, reason),
        message,
    };
    Next::Kept { news: reason != before.reason, quarantine }
}

/// A connection that fails is probed each minute, so that a short outage costs minutes; all else is
/// tried 6, 12 and 24 hours after the beginning and then each day. What waits for a person's word
/// waits.
fn next_attempt(began: Timestamp, now: Timestamp, reason: Reason) -> Timestamp {
    const HOUR: u64 = 3_600;
    let age = now.since(began).as_secs();
    match reason {
        Reason::EncounteredQuarantineException => now.plus(Duration::from_secs(60)),
        _ if age < 6 * HOUR => began.plus(Duration::from_secs(6 * HOUR)),
        _ if age < 12 * HOUR => began.plus(Duration::from_secs(12 * HOUR)),
        _ => began.plus(Duration::from_secs((age / (24 * HOUR) + 1) * 24 * HOUR)),
    }
}
