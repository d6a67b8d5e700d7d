//! A host that keeps failing is left alone for a while, so that many jobs don't wear it down.

use std::time::Duration;

use latchkey_kernel::Timestamp;

/// Failures in a row after which a host rests.
const FAILURES: u32 = 5;
/// How long it rests first; each further failure doubles it.
const REST: Duration = Duration::from_secs(30);
/// The longest rest.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// One host: closed while it answers, open while it rests, half open for one try after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaker {
    failures: u32,
    rests_until: Option<Timestamp>,
    trying: bool,
}

impl Breaker {
    /// Whether a request may go there now; if so, [`Breaker::told`] has to follow.
    ///
    /// # Errors
    /// Until when the host rests.
    pub fn ask(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        match self.rests_until {
            None => Ok(()),
            Some(until) if now < until => Err(until),
            Some(_) if self.trying => Err(now.plus(Duration::from_secs(1))),
            Some(_) => {
                self.trying = true;
                Ok(())
            }
        }
    }

    /// Whether the host answered, however it did.
    pub fn told(&mut self, answered: bool, now: Timestamp) {
        if answered {
            *self = Self::default();
            return;
        }
        self.trying = false;
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            let doublings = (self.failures - FAILURES).min(10);
            self.rests_until = Some(now.plus(REST.saturating_mul(1 << doublings).min(LONGEST)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_rests_after_five_failures_and_is_then_tried_by_one() {
        let at = |secs: i64| Timestamp::from_micros(secs * 1_000_000);
        let mut breaker = Breaker::default();
        for second in 0..5 {
            assert_eq!(breaker.ask(at(second)), Ok(()), "closed at {second}");
            breaker.told(false, at(second));
        }
        assert_eq!(breaker.ask(at(5)), Err(at(34)), "open");
        assert_eq!(breaker.ask(at(34)), Ok(()), "half open: one may try");
        assert_eq!(breaker.ask(at(34)), Err(at(35)), "and only one");
        breaker.told(false, at(34));
        assert_eq!(breaker.ask(at(35)), Err(at(94)), "open for twice as long");
        assert_eq!(breaker.ask(at(94)), Ok(()));
        breaker.told(true, at(94));
        assert_eq!(breaker.ask(at(94)), Ok(()), "closed");
        assert_eq!(breaker.ask(at(94)), Ok(()));
    }

    #[test]
    fn an_answer_in_between_starts_the_count_anew() {
        let now = Timestamp::from_micros(0);
        let mut breaker = Breaker::default();
        for round in 0..20 {
            assert_eq!(breaker.ask(now), Ok(()), "{round}");
            breaker.told(round % 5 == 4, now);
        }
    }
}
