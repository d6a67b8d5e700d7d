//! How long to wait after a failure.

use std::time::Duration;

use crate::policy::Policy;

/// The pause after so many failures in a row: doubling from the first to the longest, of which
/// between a half and the whole is taken by `jitter` in 0..1, so that jobs which failed together
/// don't come back together.
pub(crate) fn after(policy: &Policy, failures: u32, jitter: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let whole = policy.first_pause.saturating_mul(1 << doublings).min(policy.longest_pause);
    whole.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    #[test]
    fn pauses_grow_from_half_a_minute_to_an_hour_and_are_spread() {
        let policy = Policy::usual(Reason::Request);
        let secs = |n, jitter| after(&policy, n, jitter).as_secs();
        assert_eq!([secs(1, 1.0), secs(2, 1.0), secs(3, 1.0)], [30, 60, 120]);
        assert_eq!(secs(1, 0.0), 15);
        assert_eq!([secs(40, 1.0), secs(u32::MAX, 0.0)], [3600, 1800]);
    }
}
