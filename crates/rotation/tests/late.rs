//! A change that is still at work when its secrets are tried.

use std::time::Duration;

use latchkey_kernel::id::{AccountId, RotationId, WorkspaceId};
use latchkey_kernel::{SeededEntropy, Timestamp};
use latchkey_rotation::{
    Act, ActOutcome, Class, Conditions, Facts, Failure, Job, Plan, Policy, Reason, State, TaskKind, Verdict,
    begin, fold, next_act, take_up,
};

const OLD: i64 = 1;
const NEW: i64 = 2;

/// One worker, and a target at which the new secret works from some time on; the old one never does.
struct Play {
    job: Job,
    now: Timestamp,
    sent_at: Timestamp,
    /// When each login was, counted from the change, and with which version.
    logins: Vec<(Duration, i64)>,
}

impl Play {
    /// Up to a change of which nobody knows whether it arrived.
    fn after_an_unknown_outcome(policy: Policy) -> Self {
        let now = Timestamp::parse("2026-03-02T09:00:00Z").expect("a time");
        let entropy = SeededEntropy::new(1);
        let plan = Plan {
            id: RotationId::fresh(now, &entropy),
            workspace_id: WorkspaceId::fresh(now, &entropy),
            account_id: AccountId::fresh(now, &entropy),
            reason: Reason::Request,
            cause: "a test".to_owned(),
            priority: 1,
            policy: policy.clone(),
            held: false,
            run_after: now,
            generation: None,
            old: Some(OLD),
            failed_login_at: None,
        };
        let job = take_up(Job::plan(plan, now), &Facts { policy, current: Some(OLD), generation: 1 }, now);
        let mut play = Self { job, now, sent_at: now, logins: Vec::new() };
        play.keep(&ActOutcome::Staged { version: NEW });
        let act = next_act(&play.job, &Conditions::at(play.now));
        assert_eq!(act, Act::Change { new: NEW, old: Some(OLD) });
        play.job = begin(play.job, &act, play.now);
        play.keep(&ActOutcome::Changed(Err(Failure::unknown(Class::Transient, "the answer was lost"))));
        play
    }

    fn keep(&mut self, outcome: &ActOutcome) {
        self.job = fold(self.job.clone(), outcome, self.now, 1.0).0;
    }

    /// Goes on until it is verified or a person is asked.
    fn goes_on(&mut self, works_after: Option<Duration>) {
        for _ in 0..50 {
            if matches!(self.job.state, State::Verified | State::Diverged) {
                return;
            }
            match next_act(&self.job, &Conditions::at(self.now)) {
                Act::Wait(at) => self.now = at,
                act @ Act::Login { version } => {
                    let since = self.now.since(self.sent_at);
                    self.logins.push((since, version));
                    self.job = begin(self.job.clone(), &act, self.now);
                    // The target takes its time, too.
                    self.now = self.now.plus(Duration::from_millis(20));
                    let works = version == NEW && works_after.is_some_and(|after| since >= after);
                    let verdict = if works { Verdict::Works } else { Verdict::Refused };
                    self.keep(&ActOutcome::LoggedIn { version, verdict: Ok(verdict) });
                }
                act => panic!("{act:?} at {:?}", self.job),
            }
        }
        panic!("it goes on for ever: {:?}", self.logins);
    }

    fn tries_of_new(&self) -> Vec<u64> {
        self.logins.iter().filter(|(_, version)| *version == NEW).map(|(at, _)| at.as_secs()).collect()
    }
}

fn locks_nobody() -> Policy {
    Policy {
        failed_login_every: Duration::ZERO,
        settles_within: Duration::from_secs(150),
        ..Policy::usual(Reason::Request)
    }
}

#[test]
fn a_change_that_arrives_between_the_two_tries_is_found() {
    let mut play = Play::after_an_unknown_outcome(locks_nobody());
    // The first try comes after the pause that every failure is followed by.
    play.goes_on(Some(Duration::from_millis(30_010)));
    assert_eq!(play.job.state, State::Verified);
    assert_eq!(play.tries_of_new(), [30, 60], "{:?}", play.logins);
    assert_eq!(play.job.ask, None, "nobody is asked");
}

#[test]
fn one_that_takes_as_long_as_it_may_is_found_and_pauses_grow_until_then() {
    let mut play = Play::after_an_unknown_outcome(locks_nobody());
    play.goes_on(Some(Duration::from_secs(149)));
    assert_eq!(play.job.state, State::Verified);
    assert_eq!(play.tries_of_new(), [30, 60, 120, 150], "{:?}", play.logins);
    let old = play.logins.iter().filter(|(_, version)| *version == OLD).count();
    assert_eq!(old, 1, "the old one was refused, and is not tried again");
}

#[test]
fn when_it_cannot_arrive_any_more_a_person_is_asked_at_once() {
    let mut play = Play::after_an_unknown_outcome(locks_nobody());
    play.goes_on(None);
    assert_eq!((play.job.state, play.job.ask), (State::Diverged, Some(TaskKind::Diverged)));
    assert_eq!(play.tries_of_new(), [30, 60, 120, 150], "{:?}", play.logins);
}

#[test]
fn the_budget_of_failed_logins_holds_and_one_more_try_is_enough() {
    let every = Duration::from_secs(30 * 60);
    let policy = Policy { failed_login_every: every, ..locks_nobody() };
    for (works_after, end) in [(Some(Duration::from_secs(31)), State::Verified), (None, State::Diverged)] {
        let mut play = Play::after_an_unknown_outcome(policy.clone());
        play.goes_on(works_after);
        assert_eq!(play.job.state, end);
        assert_eq!(play.tries_of_new().len(), 2, "{:?}", play.logins);
        let spaced = play.logins.windows(2).all(|pair| pair[1].0 - pair[0].0 >= every);
        assert!(spaced, "{:?}", play.logins);
    }
}

#[test]
fn a_change_in_steps_that_may_have_been_cut_off_is_sent_again_although_the_new_one_works() {
    let policy = Policy { changes_in_steps: true, ..locks_nobody() };
    let mut play = Play::after_an_unknown_outcome(policy);
    play.now = play.job.run_after;
    let login = next_act(&play.job, &Conditions::at(play.now));
    assert_eq!(login, Act::Login { version: NEW });
    play.job = begin(play.job.clone(), &login, play.now);
    play.keep(&ActOutcome::LoggedIn { version: NEW, verdict: Ok(Verdict::Works) });
    let again = next_act(&play.job, &Conditions::at(play.now));
    assert_eq!(again, Act::Change { new: NEW, old: Some(OLD) });
    play.job = begin(play.job.clone(), &again, play.now);
    play.keep(&ActOutcome::Changed(Ok(())));
    play.goes_on(Some(Duration::ZERO));
    assert_eq!(play.job.state, State::Verified, "it took it as a whole now");
}
