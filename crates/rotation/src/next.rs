//! What is to be done next.

use latchkey_kernel::Timestamp;

use crate::act::{Act, TaskKind};
use crate::job::Job;
use crate::state::{Reason, State};

/// What the next act depends on besides the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// The present instant.
    pub now: Timestamp,
    /// Whether the connector is paused: nothing goes to the target, but a person is asked in time.
    pub paused: bool,
    /// Whether the host is left alone until this time after too many failures.
    pub host_rests_until: Option<Timestamp>,
}

impl Conditions {
    /// Nothing stands in the way.
    pub const fn at(now: Timestamp) -> Self {
        Self { now, paused: false, host_rests_until: None }
    }
}

/// What is to be done next. The job has been taken up ([`crate::take_up()`]) by whoever asks.
pub fn next_act(job: &Job, conditions: &Conditions) -> Act {
    let now = conditions.now;
    if job.state.is_over() || job.state == State::Held {
        return Act::Nothing;
    }
    if let Some(kind) = job.ask {
        return Act::OpenTask(kind);
    }
    if job.state == State::ManualTask {
        return Act::Nothing;
    }
    let proven = job.state == State::Verified;
    if now >= job.gives_up_at() && !proven {
        return Act::OpenTask(last_kind(job));
    }
    if now >= job.deadline && !job.task_open && !proven {
        return Act::OpenTask(TaskKind::TakesLong);
    }
    if now < job.run_after {
        return Act::Wait(until(job, job.run_after));
    }
    let act = of_state(job, now);
    if act.is_at_target() {
        if conditions.paused {
            return Act::Wait(until(job, now.plus(job.policy.longest_pause)));
        }
        if let Some(at) = conditions.host_rests_until.filter(|at| *at > now) {
            return Act::Wait(until(job, at));
        }
    }
    act
}

/// A wait never sleeps through the time at which a person is to be asked.
fn until(job: &Job, at: Timestamp) -> Timestamp {
    let asks_at = if job.task_open { job.gives_up_at() } else { job.deadline };
    at.min(asks_at)
}

fn of_state(job: &Job, now: Timestamp) -> Act {
    match job.state {
        State::Planned | State::Held | State::Applying => Act::Nothing,
        State::Locked if job.reason == Reason::VerifyOnly => {
            job.old.map_or(Act::Nothing, |version| login(job, version, now))
        }
        State::Locked => Act::Stage { refused: u32::try_from(job.rejected.len()).unwrap_or(u32::MAX) },
        // Not before a login may fail: what was changed has to be proven at once.
        State::Staged if now < job.login_allowed_at() => Act::Wait(until(job, job.login_allowed_at())),
        State::Staged => {
            job.staged.map_or(Act::Stage { refused: 0 }, |new| Act::Change { new, old: job.old })
        }
        State::Applied => job.staged.map_or(Act::Nothing, |version| login(job, version, now)),
        State::Verified => job.staged.map_or(Act::Nothing, |version| Act::Commit { version }),
        State::Committed => Act::EndSessions,
        State::Retiring => job.old.map_or(Act::Nothing, |version| login(job, version, now)),
        State::Reconciling => {
            let untried = job.candidates().find(|version| job.verdict_of(*version).is_none());
            untried.map_or(Act::Nothing, |version| login(job, version, now))
        }
        State::Diverged
        | State::ManualTask
        | State::Done
        | State::RolledBack
        | State::Abandoned
        | State::Superseded
        | State::Waived => Act::Nothing,
    }
}

fn login(job: &Job, version: i64, now: Timestamp) -> Act {
    let allowed = job.login_allowed_at();
    if now < allowed { Act::Wait(until(job, allowed)) } else { Act::Login { version } }
}

/// What is asked when only a person is left.
fn last_kind(job: &Job) -> TaskKind {
    if job.committed_at.is_some() {
        TaskKind::OldStillWorks
    } else if job.is_untouched() || job.state == State::Staged {
        TaskKind::NeedsPerson
    } else {
        TaskKind::Diverged
    }
}
