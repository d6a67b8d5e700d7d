//! A worker takes a job up: for the first time, after a pause, or from one that died.

use latchkey_kernel::Timestamp;

use crate::act::{Act, TaskKind};
use crate::job::Job;
use crate::policy::Policy;
use crate::state::{Reason, State};

/// What is so at the time at which a job is taken up.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What the account's connector makes of it now.
    pub policy: Policy,
    /// The present version of the account's secret, where the vault has one.
    pub current: Option<i64>,
    /// How many passwords the account has had.
    pub generation: i64,
}

/// The job as whoever holds its lease has to see it. What was under way when the last holder was
/// lost is unknown: a change may have arrived, a login may have failed.
#[must_use]
pub fn take_up(mut job: Job, facts: &Facts, now: Timestamp) -> Job {
    if let Some(begun) = job.login_begun.take() {
        let at_the_latest = begun.plus(job.policy.settles_within).min(now);
        job.failed_login_at = job.failed_login_at.max(Some(at_the_latest));
    }
    if job.is_untouched() && job.committed_at.is_none() && !job.state.is_over() {
        job.old = facts.current;
        if job.policy.changes_key != facts.policy.changes_key && job.staged.take().is_some() {
            // What is ready is of the other secret.
            job.value_sent = 0;
            job.state = State::Locked;
        }
        let revision = job.policy.revision;
        job.policy = Policy { revision, ..facts.policy.clone() };
        if job.called_off {
            job.to(State::Abandoned, now);
        } else if job.generation.is_some_and(|generation| facts.generation > generation) {
            job.to(State::Superseded, now);
        }
    }
    if job.policy.revision != facts.policy.revision {
        // Somebody changed the connector: whatever it waits for may be put right.
        job.policy.revision = facts.policy.revision;
        job.failures = 0;
        job.run_after = job.run_after.min(now);
    }
    match job.state {
        State::Planned => job.state = State::Locked,
        State::Applying => {
            job.trials.clear();
            job.state = State::Reconciling;
        }
        // It was sent before; which one works has to be seen before it can end.
        State::Staged if job.called_off => {
            job.trials.clear();
            job.state = State::Reconciling;
        }
        _ => {}
    }
    if job.state == State::Locked && job.reason == Reason::VerifyOnly && job.ask.is_none() {
        if job.old.is_none() || job.policy.by_hand {
            // There is nothing to try, or nothing to try it at.
            job.to(State::Abandoned, now);
        }
    } else if job.state == State::Staged && job.policy.by_hand && !job.task_open {
        job.ask = Some(TaskKind::ChangeByHand);
    }
    job
}

/// What must be durable before the act is performed, so that a crash in it is noticed.
#[must_use]
pub fn begin(mut job: Job, act: &Act, now: Timestamp) -> Job {
    match act {
        Act::Change { .. } => {
            job.state = State::Applying;
            job.changes_sent += 1;
            job.value_sent += 1;
            job.sent_at = Some(now);
            job.late_tries = 0;
            job.taken_at = None;
            job.trials.clear();
            if !job.policy.by_admin {
                // It logs in with the old secret.
                job.login_begun = Some(now);
            }
        }
        Act::Login { .. } => job.login_begun = Some(now),
        Act::Stage { .. }
        | Act::Commit { .. }
        | Act::EndSessions
        | Act::OpenTask(_)
        | Act::Wait(_)
        | Act::Nothing => {}
    }
    job
}
