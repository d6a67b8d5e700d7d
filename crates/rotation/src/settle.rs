//! Which of the secrets works, and what follows from it.
//!
//! | new works | old works | what follows |
//! |---|---|---|
//! | yes | not tried | the new one is the account's; the old one is tried after that |
//! | no | yes | not applied: sent again, or another value, or rolled back |
//! | no | no | a change may still be at work: the new one again until it cannot arrive any more; then tries stop, so that nobody is locked out: reset by the connector's credential, else a person |
//! | ? | ? | tried again after a pause |

use latchkey_kernel::Timestamp;

use crate::act::TaskKind;
use crate::failure::{Class, Failure};
use crate::job::Job;
use crate::pause;
use crate::state::{Reason, State};
use crate::verdict::Verdict;

/// The new secret works.
pub(crate) fn verified(job: &mut Job, now: Timestamp) {
    job.verified_at = Some(now);
    job.change_failed = None;
    job.state = State::Verified;
}

/// One login of a reconciliation has an answer.
pub(crate) fn tried(job: &mut Job, version: i64, verdict: Verdict, now: Timestamp, jitter: f64) {
    match verdict {
        Verdict::Works if job.staged == Some(version) && is_half_done(job) => {
            job.trials.clear();
            job.state = State::Staged;
        }
        Verdict::Works if job.staged == Some(version) => verified(job, now),
        Verdict::Works => other_works(job, version, now, jitter),
        Verdict::Refused => {
            if job.candidates().all(|version| job.verdict_of(version).is_some()) {
                none_works(job, now, jitter);
            }
        }
    }
}

/// Whether a change that puts the new secret beside the old one may have been cut off before it took the
/// old one away: sent again, it does the rest.
fn is_half_done(job: &Job) -> bool {
    job.policy.changes_in_steps && job.taken_at.is_none() && !job.called_off
}

fn other_works(job: &mut Job, version: i64, now: Timestamp, jitter: f64) {
    // What is decided for good is decided when a change that was sent cannot arrive any more.
    let for_good = job.called_off || matches!(job.changed_class(), Some(Class::Policy | Class::NeedsPerson));
    if let Some(at) = settles_at(job).filter(|_| for_good) {
        job.trials.clear();
        job.run_after = at.max(now);
        return;
    }
    job.rejected.retain(|rejected| *rejected != version);
    if let Some(old) = job.old.filter(|old| *old != version) {
        // Refused just now, but still what the vault calls the account's.
        job.rejected.push(old);
    }
    job.old = Some(version);
    job.trials.clear();
    if job.called_off {
        job.to(State::RolledBack, now);
        return;
    }
    if job.changed_class().is_none_or(|class| class == Class::Transient || class == Class::Auth) {
        again(job, now, jitter);
        return;
    }
    not_applied(job, now);
}

fn again(job: &mut Job, now: Timestamp, jitter: f64) {
    job.failures += 1;
    job.run_after = now.plus(pause::after(&job.policy, job.failures, jitter));
    job.state = State::Staged;
}

/// The old secret is the one that works, by what the target said or by what a login showed.
pub(crate) fn not_applied(job: &mut Job, now: Timestamp) {
    match job.changed_class() {
        Some(Class::Policy) => another_value(job, now),
        Some(Class::NeedsPerson) => {
            job.state = State::Staged;
            job.ask = Some(TaskKind::NeedsPerson);
        }
        Some(Class::Transient | Class::Auth) | None => job.state = State::Staged,
    }
}

/// The refused value is kept until it is proven which one works.
fn another_value(job: &mut Job, now: Timestamp) {
    let refused = u32::try_from(job.rejected.len()).unwrap_or(u32::MAX);
    if refused >= job.policy.other_values {
        job.state = State::Staged;
        job.ask = Some(TaskKind::NeedsPerson);
        return;
    }
    job.rejected.extend(job.staged.take());
    job.value_sent = 0;
    job.run_after = now;
    job.state = State::Locked;
}

fn none_works(job: &mut Job, now: Timestamp, jitter: f64) {
    let nothing_known = job.old.is_none() && job.rejected.is_empty();
    let may_reset = job.policy.by_admin && !job.called_off;
    if may_reset && nothing_known {
        job.trials.clear();
        again(job, now, jitter);
    } else if may_reset && job.policy.resets_drift && !job.reset {
        job.reset = true;
        job.trials.clear();
        again(job, now, jitter);
    } else if let Some(at) = new_is_tried_again_at(job, now, jitter) {
        job.trials.retain(|trial| job.staged != Some(trial.version));
        job.late_tries += 1;
        job.run_after = at;
    } else {
        job.state = State::Diverged;
        job.ask = Some(TaskKind::Diverged);
    }
}

/// A change that is still at work when the new secret is tried, as `chpasswd` behind a lost connection,
/// may be done when the old one is: then both were refused, and the new one works. So that it was refused
/// settles nothing unless it was seen after the change could not arrive any more. Until then it is tried
/// again after growing pauses, the last of them at that time.
fn new_is_tried_again_at(job: &Job, now: Timestamp, jitter: f64) -> Option<Timestamp> {
    let pause = pause::after(&job.policy, job.late_tries + 1, jitter);
    settles_at(job).map(|at| now.plus(pause).min(at.max(now)))
}

/// When the change that was sent cannot arrive any more, if the new secret was refused before that.
fn settles_at(job: &Job) -> Option<Timestamp> {
    let at = job.sent_at?.plus(job.policy.settles_within);
    let refused = job.trials.iter().find(|trial| job.staged == Some(trial.version))?;
    (refused.at < at).then_some(at)
}

/// The target lets nobody try, so no try can tell which secret works.
pub(crate) fn cannot_log_in(job: &mut Job, failure: &Failure, now: Timestamp) {
    match job.state {
        State::Retiring => {
            job.exceptions.push(format!("that the old password is refused was not shown: {failure}"));
            job.to(State::Done, now);
        }
        State::Applied | State::Reconciling => {
            job.state = State::Diverged;
            job.ask = Some(TaskKind::Diverged);
        }
        State::Locked if job.reason == Reason::VerifyOnly => job.ask = Some(TaskKind::NeedsPerson),
        _ => {}
    }
}

/// What is left once the sessions of the old secret are ended.
pub(crate) fn retire(job: &mut Job, now: Timestamp) {
    if job.old.is_none() || job.policy.by_hand {
        job.to(State::Done, now);
    } else if job.policy.proves_refusal {
        job.state = State::Retiring;
    } else {
        job.exceptions
            .push("that the old password is refused was not shown: the connector cannot".to_owned());
        job.to(State::Done, now);
    }
}

/// The old secret was tried after the new one had become the account's.
pub(crate) fn old_tried(job: &mut Job, verdict: Verdict, now: Timestamp) {
    match verdict {
        Verdict::Refused => {
            job.old_refused_at = Some(now);
            job.to(State::Done, now);
        }
        Verdict::Works => {
            let since = job.committed_at.unwrap_or(now);
            let tolerated_until = since.plus(job.policy.old_tolerance);
            if now < tolerated_until {
                job.run_after = tolerated_until.min(now.plus(job.policy.longest_pause));
            } else {
                job.ask = Some(TaskKind::OldStillWorks);
            }
        }
    }
}
