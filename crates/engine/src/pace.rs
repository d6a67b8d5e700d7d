//! How many requests a second a token may make, where a limit is set.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::TokenId;

/// Spaces a token's requests by the generic cell rate algorithm: one instant a token, no timer.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    /// When each token's next request would be due if all came evenly.
    due: Mutex<HashMap<TokenId, Timestamp>>,
}

impl Pacer {
    /// Lets a request through, or says how long to wait. A burst of one second's worth passes.
    pub(crate) fn admit(&self, token: TokenId, per_second: u32, now: Timestamp) -> Result<(), Duration> {
        let step = Duration::from_secs(1) / per_second.max(1);
        let mut due = self.due.lock().expect("no holder of this lock panics");
        let next = due.entry(token).or_insert(now);
        let base = (*next).max(now);
        let ahead = base.since(now);
        if ahead + step > Duration::from_secs(1).max(step) {
            return Err(ahead + step - Duration::from_secs(1).max(step));
        }
        *next = base.plus(step);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_kernel::SeededEntropy;

    #[test]
    fn a_second_takes_as_many_as_the_limit_and_the_next_second_again() {
        let pacer = Pacer::default();
        let start = Timestamp::from_micros(1_000_000);
        let token = TokenId::fresh(start, &SeededEntropy::new(1));
        let other = TokenId::fresh(start, &SeededEntropy::new(2));
        let taken = |now| (0..100).take_while(|_| pacer.admit(token, 10, now).is_ok()).count();
        assert_eq!(taken(start), 10);
        let wait = pacer.admit(token, 10, start).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
        assert!(pacer.admit(other, 10, start).is_ok(), "one token's pace is not another's");
        assert_eq!(taken(start.plus(Duration::from_secs(1))), 10);
    }
}
