//! When an object that failed is tried again.

use std::time::Duration;

use latchkey_kernel::Timestamp;

const HOUR: Duration = Duration::from_secs(3_600);
/// For so long after its first failure an object is tried in each cycle.
const EACH_CYCLE: Duration = Duration::from_secs(6 * 3_600);
/// After so long it is given up.
pub const GIVE_UP: Duration = Duration::from_secs(28 * 24 * 3_600);

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not before.
    At(Timestamp),
    /// Never: the object is dropped from the escrow.
    GivenUp,
}

/// When an object that failed first at `first` and again now is tried next: in the next cycle for
/// six hours, then 6, 12 and 24 hours after the first failure, then each day, and after 28 days not
/// any more. `later` is what the target asked for (`Retry-After`), if it did.
pub fn next(first: Timestamp, now: Timestamp, later: Option<Duration>) -> Retry {
    let age = now.since(first);
    if age >= GIVE_UP {
        return Retry::GivenUp;
    }
    let at = if age < EACH_CYCLE {
        now
    } else if age < 12 * HOUR {
        first.plus(12 * HOUR)
    } else {
        let days = age.as_secs() / (24 * 3_600) + 1;
        first.plus(Duration::from_secs(days * 24 * 3_600))
    };
    Retry::At(later.map_or(at, |wait| at.max(now.plus(wait))))
}
