//! What a rotation is held to: taken from the connector and the account when it is planned.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::state::Reason;

/// What a rotation is held to. A snapshot: a job is judged by what held when it was planned, and is
/// planned anew when the connector has changed before anything was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Nothing can be automated: a person changes it.
    pub by_hand: bool,
    /// It is the account's SSH key that is changed, not its password.
    #[serde(default)]
    pub changes_key: bool,
    /// A change puts the new secret beside the old one and then takes the old one away: cut off in
    /// between, both work until it is sent again.
    #[serde(default)]
    pub changes_in_steps: bool,
    /// The connector needs no working old secret.
    pub by_admin: bool,
    /// The connector can end sessions.
    pub ends_sessions: bool,
    /// A fresh login with the new secret can be made.
    pub proves_new: bool,
    /// The connector can show that the old secret is refused.
    pub proves_refusal: bool,
    /// When no secret of ours works, the connector's own credential may set the new one over it.
    pub resets_drift: bool,
    /// How long the target may go on taking the old secret.
    pub old_tolerance: Duration,
    /// At most one failed login of ours in this time, so that nobody is locked out.
    pub failed_login_every: Duration,
    /// How long after a change was sent it may still arrive.
    pub settles_within: Duration,
    /// The first pause after a failure that may pass; it doubles.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long it may be tried before a person is asked as well.
    pub patience: Duration,
    /// How long it may be tried before only the person is left.
    pub gives_up_after: Duration,
    /// How many other values are tried when the target refuses one.
    pub other_values: u32,
    /// The connector's version at this time.
    pub revision: i64,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Policy {
    /// What holds where nothing else is said.
    pub const fn usual(reason: Reason) -> Self {
        let urgent = reason.is_urgent();
        Self {
            by_hand: false,
            changes_key: false,
            changes_in_steps: false,
            by_admin: true,
            ends_sessions: false,
            proves_new: true,
            proves_refusal: true,
            resets_drift: false,
            old_tolerance: Duration::ZERO,
            failed_login_every: Duration::from_secs(30 * 60),
            settles_within: MINUTE,
            first_pause: Duration::from_secs(30),
            longest_pause: HOUR,
            patience: if urgent { Duration::from_secs(4 * 60 * 60) } else { DAY },
            gives_up_after: if urgent { DAY } else { Duration::from_secs(3 * 24 * 60 * 60) },
            other_values: 3,
            revision: 0,
        }
    }

    /// A person does it, with nothing to log in with.
    pub const fn by_hand(reason: Reason) -> Self {
        let mut policy = Self::usual(reason);
        policy.by_hand = true;
        policy.by_admin = false;
        policy.proves_new = false;
        policy.proves_refusal = false;
        policy
    }
}
