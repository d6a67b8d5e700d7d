//! When the next rotation or check of an account is due.

use std::time::Duration;

use latchkey_kernel::Timestamp;
use serde::{Deserialize, Serialize};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How an account's password is kept fresh. Absent is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// The password is changed every so many days.
    pub every_days: Option<u16>,
    /// Scheduled changes are at least so many hours apart, whatever else changed it meanwhile.
    pub at_most_every_hours: Option<u16>,
    /// Every so many hours a login shows whether the stored password still works.
    pub verify_every_hours: Option<u16>,
}

impl Schedule {
    /// When the password is to be changed next.
    pub fn rotates_at(&self, changed_at: Timestamp) -> Option<Timestamp> {
        let every = DAY.saturating_mul(u32::from(self.every_days.filter(|days| *days > 0)?));
        let apart = self.at_most_every_hours.map_or(Duration::ZERO, hours);
        Some(changed_at.plus(every.max(apart)))
    }

    /// When the stored password is to be tried next.
    pub fn verifies_at(&self, seen_at: Timestamp) -> Option<Timestamp> {
        self.verify_every_hours.filter(|count| *count > 0).map(|count| seen_at.plus(hours(count)))
    }
}

const fn hours(count: u16) -> Duration {
    Duration::from_secs(count as u64 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_due_unless_asked_for() {
        let at = Timestamp::from_micros(0);
        assert_eq!(Schedule::default().rotates_at(at), None);
        assert_eq!(Schedule::default().verifies_at(at), None);
        let monthly = Schedule { every_days: Some(30), ..Schedule::default() };
        assert_eq!(monthly.rotates_at(at), Some(at.plus(DAY * 30)));
        let bounded = Schedule { every_days: Some(1), at_most_every_hours: Some(72), ..Schedule::default() };
        assert_eq!(bounded.rotates_at(at), Some(at.plus(DAY * 3)));
        let watched = Schedule { verify_every_hours: Some(24), ..Schedule::default() };
        assert_eq!(watched.verifies_at(at), Some(at.plus(DAY)));
    }
}
