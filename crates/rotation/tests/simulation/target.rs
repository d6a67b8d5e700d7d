//! A model of the real system: which secret works, and all the ways in which it can be a nuisance.

use std::time::Duration;

use latchkey_kernel::Timestamp;
use latchkey_rotation::{Class, Failure, Verdict};

use crate::chance::Chance;

/// What this target is like; drawn once a history.
#[derive(Debug, Clone)]
pub(crate) struct Nature {
    pub(crate) by_admin: bool,
    /// The old secret goes on working for so long after a change.
    pub(crate) lag: Duration,
    /// It has both secrets until it is told otherwise, for ever.
    pub(crate) keeps_old: bool,
    /// How many of a hundred values it refuses.
    pub(crate) picky: u64,
    /// It refuses the value that it has.
    pub(crate) remembers: bool,
    /// Failed logins lock nobody out, so that one follows the other at once.
    pub(crate) locks_nobody: bool,
    /// How many of a hundred requests go wrong.
    pub(crate) faulty: u64,
}

impl Nature {
    pub(crate) fn draw(chance: &Chance) -> Self {
        Self {
            by_admin: chance.percent(70),
            lag: Duration::from_secs(if chance.percent(25) { chance.below(3000) } else { 0 }),
            keeps_old: chance.percent(4),
            picky: [0, 0, 10, 60, 100][chance.place(5)],
            remembers: chance.percent(40),
            locks_nobody: chance.percent(40),
            faulty: [0, 10, 40, 70][chance.place(4)],
        }
    }
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) nature: Nature,
    pub(crate) works: u64,
    pub(crate) also: Option<(u64, Timestamp)>,
    /// Changes that are still on their way: when they arrive, and what they set.
    pub(crate) under_way: Vec<(Timestamp, u64, u64)>,
    pub(crate) failed_logins: Vec<Timestamp>,
    pub(crate) down_until: Timestamp,
    pub(crate) admin_refused_until: Timestamp,
    pub(crate) wants_person_until: Timestamp,
}

/// The longest that a change can take to arrive.
pub(crate) const LATEST: Duration = Duration::from_secs(55);

impl Target {
    pub(crate) fn new(nature: Nature, works: u64) -> Self {
        let never = Timestamp::default();
        Self {
            nature,
            works,
            also: None,
            under_way: Vec::new(),
            failed_logins: Vec::new(),
            down_until: never,
            admin_refused_until: never,
            wants_person_until: never,
        }
    }

    /// What was under way arrives.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let (arrived, waiting): (Vec<_>, _) = self.under_way.drain(..).partition(|(at, ..)| *at <= now);
        self.under_way = waiting;
        for (_, old, new) in arrived {
            if self.nature.by_admin || self.accepts(old, now) {
                self.set(new, now);
            }
        }
    }

    pub(crate) fn set(&mut self, value: u64, now: Timestamp) {
        if value == self.works {
            return;
        }
        let until =
            if self.nature.keeps_old { Timestamp::from_micros(i64::MAX) } else { now.plus(self.nature.lag) };
        self.also = Some((self.works, until));
        self.works = value;
    }

    pub(crate) fn accepts(&self, value: u64, now: Timestamp) -> bool {
        value == self.works || self.also.is_some_and(|(old, until)| old == value && now < until)
    }

    pub(crate) fn login(&mut self, value: u64, now: Timestamp, chance: &Chance) -> Result<Verdict, Failure> {
        if now < self.down_until {
            return Err(Failure::not_applied(Class::Transient, "the target does not answer"));
        }
        if chance.percent(self.nature.faulty / 3) {
            if chance.percent(50) && !self.accepts(value, now) {
                self.failed_logins.push(now);
            }
            return Err(Failure::unknown(Class::Transient, "the answer was lost"));
        }
        if self.accepts(value, now) {
            return Ok(Verdict::Works);
        }
        self.failed_logins.push(now);
        Ok(Verdict::Refused)
    }

    pub(crate) fn change(
        &mut self,
        old: u64,
        new: u64,
        now: Timestamp,
        chance: &Chance,
    ) -> Result<(), Failure> {
        if now < self.down_until {
            return Err(Failure::not_applied(Class::Transient, "the target does not answer"));
        }
        if self.nature.by_admin && now < self.admin_refused_until {
            return Err(Failure::not_applied(Class::Auth, "the connector's credential is refused"));
        }
        if now < self.wants_person_until {
            return Err(Failure::not_applied(Class::NeedsPerson, "the target shows a CAPTCHA"));
        }
        if !self.nature.by_admin && !self.accepts(old, now) {
            self.failed_logins.push(now);
            return Err(Failure::unknown(Class::Transient, "the old password is refused"));
        }
        if new % 100 < self.nature.picky || (self.nature.remembers && new == self.works) {
            return Err(Failure::not_applied(Class::Policy, "the target refuses this password"));
        }
        if !chance.percent(self.nature.faulty) {
            self.set(new, now);
            if !self.nature.locks_nobody && chance.percent(10) {
                // The network brings it a second time. Those that lock nobody out are databases and
                // the like, whose sessions bring a statement once.
                self.under_way.push((now.plus(LATEST), old, new));
            }
            return Ok(());
        }
        match chance.below(4) {
            0 => return Err(Failure::not_applied(Class::Transient, "the target is busy")),
            1 => self.set(new, now),
            2 => {
                let late = Duration::from_secs(chance.below(LATEST.as_secs()));
                self.under_way.push((now.plus(late), old, new));
            }
            _ => {}
        }
        Err(Failure::unknown(Class::Transient, "no answer came in time"))
    }

    /// A target that locks a login counts the failures within some time.
    pub(crate) fn most_failures_in_a_window(&self, window: Duration) -> usize {
        let within = |from: &Timestamp| {
            self.failed_logins.iter().filter(|at| **at >= *from && **at < from.plus(window)).count()
        };
        self.failed_logins.iter().map(within).max().unwrap_or(0)
    }
}
