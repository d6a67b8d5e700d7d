//! What came of an act, folded into the job.

use latchkey_kernel::Timestamp;

use crate::act::{ActOutcome, Follow, TaskKind};
use crate::failure::{Class, Failure, Outcome};
use crate::job::{Job, Trial};
use crate::settle;
use crate::state::{Reason, State};
use crate::verdict::Verdict;

/// How often ending sessions is tried before it is noted as an exception.
const SESSION_TRIES: u32 = 5;

/// The job after an act, and what else follows. `jitter` in 0..1 spreads the pauses.
pub fn fold(mut job: Job, outcome: &ActOutcome, now: Timestamp, jitter: f64) -> (Job, Vec<Follow>) {
    let mut follows = Vec::new();
    if let Some(failure) = failure_of(outcome).filter(|failure| failure.class == Class::Auth) {
        follows.push(Follow::PauseConnector { message: failure.message.clone() });
    }
    match outcome {
        ActOutcome::Staged { version } => staged(&mut job, *version),
        ActOutcome::Changed(Ok(())) => changed(&mut job, now),
        ActOutcome::Changed(Err(failure)) => change_failed(&mut job, failure, now, jitter),
        ActOutcome::LoggedIn { version, verdict } => logged_in(&mut job, *version, verdict, now, jitter),
        ActOutcome::Committed => committed(&mut job, now),
        ActOutcome::SessionsEnded(ended) => sessions_ended(&mut job, ended, now, jitter),
        ActOutcome::TaskOpened(kind) => {
            job.ask = None;
            job.task_open = true;
            if *kind != TaskKind::TakesLong {
                job.state = State::ManualTask;
            }
        }
    }
    if job.state.is_over() && std::mem::take(&mut job.task_open) {
        follows.push(Follow::CloseTask);
    }
    (job, follows)
}

fn failure_of(outcome: &ActOutcome) -> Option<&Failure> {
    match outcome {
        ActOutcome::Changed(Err(failure))
        | ActOutcome::LoggedIn { verdict: Err(failure), .. }
        | ActOutcome::SessionsEnded(Err(failure)) => Some(failure),
        _ => None,
    }
}

fn staged(job: &mut Job, version: i64) {
    job.staged = Some(version);
    job.value_sent = 0;
    job.state = State::Staged;
    if job.policy.by_hand {
        job.ask = Some(TaskKind::ChangeByHand);
    }
}

fn changed(job: &mut Job, now: Timestamp) {
    went_well(job, now);
    job.login_begun = None;
    job.change_failed = None;
    job.taken_at = Some(now);
    if job.policy.proves_new {
        job.state = State::Applied;
    } else {
        job.exceptions.push("no login with the new password was tried: the connector cannot".to_owned());
        settle::verified(job, now);
    }
}

fn change_failed(job: &mut Job, failure: &Failure, now: Timestamp, jitter: f64) {
    if job.login_begun.take().is_some() && failure.outcome == Outcome::Unknown {
        job.failed_login_at = Some(now);
    }
    job.change_failed = Some(failure.clone());
    job.fail(failure.clone(), now, jitter);
    // A target that has taken the value before refuses it as one that it had: ask which one works.
    let taken_before = failure.class == Class::Policy && job.value_sent > 1;
    if failure.outcome == Outcome::Unknown || taken_before {
        job.trials.clear();
        job.state = State::Reconciling;
        return;
    }
    settle::not_applied(job, now);
}

fn logged_in(job: &mut Job, version: i64, verdict: &Result<Verdict, Failure>, now: Timestamp, jitter: f64) {
    // What it says was so when it was begun, at the earliest.
    let at = job.login_begun.take().unwrap_or(now);
    let verdict = match verdict {
        Ok(verdict) => *verdict,
        Err(failure) => {
            if failure.outcome == Outcome::Unknown {
                job.failed_login_at = Some(now);
            }
            job.fail(failure.clone(), now, jitter);
            if failure.class == Class::NeedsPerson {
                settle::cannot_log_in(job, failure, now);
            }
            return;
        }
    };
    went_well(job, now);
    if verdict == Verdict::Refused {
        job.failed_login_at = Some(now);
    }
    match job.state {
        State::Locked if job.reason == Reason::VerifyOnly => match verdict {
            Verdict::Works => {
                job.verified_at = Some(now);
                job.to(State::Done, now);
            }
            Verdict::Refused => {
                job.trials.push(Trial { version, verdict, at });
                job.ask = Some(TaskKind::Drift);
                job.state = State::Diverged;
            }
        },
        State::Applied | State::Reconciling => {
            job.state = State::Reconciling;
            job.trials.push(Trial { version, verdict, at });
            settle::tried(job, version, verdict, now, jitter);
        }
        State::Retiring => settle::old_tried(job, verdict, now),
        // Whatever a login says in another state, nothing was waiting for it.
        _ => {}
    }
}

fn committed(job: &mut Job, now: Timestamp) {
    went_well(job, now);
    job.committed_at = Some(now);
    job.rejected.clear();
    if job.policy.ends_sessions {
        job.state = State::Committed;
        return;
    }
    if job.reason.is_urgent() && job.old.is_some() && !job.policy.by_hand {
        job.exceptions.push("sessions that were open were not ended: the connector cannot".to_owned());
    }
    settle::retire(job, now);
}

fn sessions_ended(job: &mut Job, ended: &Result<Option<u64>, Failure>, now: Timestamp, jitter: f64) {
    match ended {
        Ok(count) => {
            went_well(job, now);
            job.sessions_ended = *count;
            settle::retire(job, now);
        }
        Err(failure) => {
            job.fail(failure.clone(), now, jitter);
            if failure.class == Class::NeedsPerson || job.failures >= SESSION_TRIES {
                job.exceptions.push(format!("sessions that were open were not ended: {failure}"));
                went_well(job, now);
                settle::retire(job, now);
            }
        }
    }
}

fn went_well(job: &mut Job, now: Timestamp) {
    job.failures = 0;
    job.last_failure = None;
    job.run_after = job.run_after.min(now);
}
