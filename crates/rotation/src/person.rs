//! What a person says to a rotation.

use std::time::Duration;

use latchkey_kernel::Timestamp;

use crate::act::Follow;
use crate::job::Job;
use crate::settle;
use crate::state::{Reason, State};
use latchkey_kernel::words;

words! {
    /// What a person says to a task.
    Word {
        /// It is done: the new password is set, or what was wrong at the target is put right.
        Changed = "changed",
        /// Try again.
        Retry = "retry",
        /// The old password works and stays.
        OldWorks = "old_works",
        /// The risk is accepted; nothing more is done.
        Waive = "waive",
    }
}

/// What a person said does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// Nothing is left to decide.
    #[error("the rotation is over: it is {0}")]
    Over(State),
    /// An act is under way at the target.
    #[error("the password is being changed at this moment; try again in a minute")]
    UnderWay,
    /// There is no task.
    #[error("no task is open for this rotation")]
    NoTask,
    /// The new password is the account's already.
    #[error("the new password is the account's already; it cannot be taken back")]
    Committed,
    /// There is no new password that could have been set.
    #[error("no new password was made ready that could have been set; say `retry` instead")]
    NothingStaged,
    /// It does not wait.
    #[error("the rotation does not wait for approval")]
    NotHeld,
}

/// Lets a held rotation go.
///
/// # Errors
/// When it does not wait.
pub fn release(mut job: Job, now: Timestamp) -> Result<Job, PersonError> {
    if job.state != State::Held {
        return Err(PersonError::NotHeld);
    }
    job.state = State::Planned;
    restart_clock(&mut job, now);
    Ok(job)
}

/// Calls a rotation off. What was not sent is over at once; what was sent ends when it is known
/// which secret works, and rolls forward if it is the new one.
///
/// # Errors
/// When it is over or the new secret is the account's.
pub fn call_off(mut job: Job, now: Timestamp) -> Result<(Job, Vec<Follow>), PersonError> {
    may_decide(&job)?;
    if job.committed_at.is_some() || job.state == State::Verified {
        return Err(PersonError::Committed);
    }
    let mut follows = Vec::new();
    job.called_off = true;
    if job.is_untouched() {
        job.to(State::Abandoned, now);
    } else {
        restart_clock(&mut job, now);
        if matches!(job.state, State::Staged | State::Locked | State::ManualTask | State::Diverged) {
            job.trials.clear();
            job.ask = None;
            job.state = State::Reconciling;
        }
    }
    close_task(&mut job, &mut follows);
    Ok((job, follows))
}

/// A person's word to an open task.
///
/// # Errors
/// When it does not fit where the rotation stands.
pub fn answer(mut job: Job, word: Word, now: Timestamp) -> Result<(Job, Vec<Follow>), PersonError> {
    may_decide(&job)?;
    if !job.task_open {
        return Err(PersonError::NoTask);
    }
    match word {
        Word::Waive => job.to(State::Waived, now),
        Word::OldWorks if job.committed_at.is_some() || job.state == State::Verified => {
            return Err(PersonError::Committed);
        }
        Word::OldWorks => job.to(State::RolledBack, now),
        Word::Retry => retry(&mut job),
        Word::Changed if job.committed_at.is_some() || job.reason == Reason::VerifyOnly => retry(&mut job),
        Word::Changed if job.staged.is_none() => return Err(PersonError::NothingStaged),
        // Somebody else set it: from here on it may be at the target.
        Word::Changed if job.policy.proves_new && !job.policy.by_hand => {
            job.changes_sent += 1;
            job.sent_at = Some(now);
            job.trials.clear();
            job.change_failed = None;
            job.state = State::Applied;
        }
        Word::Changed => {
            job.changes_sent += 1;
            settle::verified(&mut job, now);
        }
    }
    if !job.state.is_over() {
        restart_clock(&mut job, now);
    }
    let mut follows = Vec::new();
    close_task(&mut job, &mut follows);
    Ok((job, follows))
}

fn retry(job: &mut Job) {
    job.ask = None;
    job.trials.clear();
    job.state = if job.committed_at.is_some() {
        State::Retiring
    } else if job.is_untouched() {
        if job.staged.is_some() { State::Staged } else { State::Locked }
    } else if job.staged.is_some() {
        State::Reconciling
    } else {
        State::Locked
    };
}

fn may_decide(job: &Job) -> Result<(), PersonError> {
    if job.state.is_over() {
        return Err(PersonError::Over(job.state));
    }
    if job.state == State::Applying || job.login_begun.is_some() {
        return Err(PersonError::UnderWay);
    }
    Ok(())
}

fn restart_clock(job: &mut Job, now: Timestamp) {
    job.failures = 0;
    job.run_after = now;
    job.deadline = now.plus(job.policy.patience);
}

fn close_task(job: &mut Job, follows: &mut Vec<Follow>) {
    if std::mem::take(&mut job.task_open) {
        follows.push(Follow::CloseTask);
    }
}

/// How much longer than its time a person may take before others are told.
pub const REMINDERS: [u8; 3] = [50, 80, 100];

/// Which reminder is due, in percent of the time that a task has: the highest one that was passed.
pub fn reminder(opened_at: Timestamp, due_at: Timestamp, now: Timestamp) -> Option<u8> {
    let (whole, gone) = (due_at.since(opened_at), now.since(opened_at));
    let passed = |percent: &&u8| gone >= whole.mul_f64(f64::from(**percent) / 100.0);
    if whole == Duration::ZERO {
        return Some(100);
    }
    REMINDERS.iter().rev().find(passed).copied()
}

/// A task's time by how much harm a leaver could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Four hours.
    Critical,
    /// A day.
    Privileged,
    /// Five working days.
    Standard,
}

/// Until when a person is to have done it.
pub fn due(urgency: Urgency, now: Timestamp) -> Timestamp {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    match urgency {
        Urgency::Critical => now.plus(HOUR * 4),
        Urgency::Privileged => now.plus(HOUR * 24),
        Urgency::Standard => working_days(now, 5),
    }
}

/// Saturdays and Sundays don't count; in UTC, for a workspace has no place.
fn working_days(from: Timestamp, days: u32) -> Timestamp {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let mut at = from;
    let mut left = days;
    while left > 0 {
        at = at.plus(DAY);
        // The epoch was a Thursday.
        let weekday = (at.as_micros().div_euclid(86_400_000_000) + 3).rem_euclid(7);
        if weekday < 5 {
            left -= 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_working_days_step_over_a_weekend() {
        let cases = [
            ("2026-03-02T09:00:00Z", "2026-03-09T09:00:00Z"), // Monday
            ("2026-03-06T09:00:00Z", "2026-03-13T09:00:00Z"), // Friday
            ("2026-03-07T09:00:00Z", "2026-03-13T09:00:00Z"), // Saturday
        ];
        for (from, until) in cases {
            let from = Timestamp::parse(from).unwrap();
            assert_eq!(due(Urgency::Standard, from), Timestamp::parse(until).unwrap(), "{from}");
        }
    }

    #[test]
    fn reminders_come_at_half_at_four_fifths_and_at_the_end() {
        let at = |secs: i64| Timestamp::from_micros(secs * 1_000_000);
        let cases = [(0, None), (49, None), (50, Some(50)), (79, Some(50)), (80, Some(80)), (100, Some(100))];
        for (now, expected) in cases {
            assert_eq!(reminder(at(0), at(100), at(now)), expected, "{now}");
        }
    }
}
