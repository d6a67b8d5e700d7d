//! What a connector's rotations are held to, as an admin sets it.

use std::time::Duration;

use latchkey_access::rotation::{AccountRotation, Connector, RotationMode};
use latchkey_rotation::{Policy, Reason};
use latchkey_rotators::Abilities;
use serde::{Deserialize, Serialize};

/// What a connector's rotations are held to; what is not named has its usual value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// At most one failed login of ours in so many seconds at one account. Half an hour, and none for
    /// kinds of targets that lock nobody out.
    pub failed_login_every_seconds: Option<u32>,
    /// For how many seconds after a change the target may go on taking the old password.
    pub old_tolerance_seconds: Option<u32>,
    /// Whether the connector's credential may set a new password over one that nobody knows.
    pub resets_drift: Option<bool>,
    /// After how many seconds of failures a person is asked as well.
    pub patience_seconds: Option<u32>,
    /// How long a change that was sent may take to arrive, in seconds.
    pub settles_within_seconds: Option<u32>,
    /// The first pause after a failure, in seconds.
    pub first_pause_seconds: Option<u32>,
}

/// Kinds that lock no login after failures, as they come.
const NO_LOCKOUT: &[&str] = &["postgres", "mysql", "mariadb", "ssh_key", "webhook"];

/// Whether it is an account's SSH key that a connector changes.
pub(crate) fn changes_key(connector: &Connector) -> bool {
    connector.kind == latchkey_rotators::Kind::SshKey.as_str()
}

/// Kinds whose change puts the new secret beside the old one first: a line more in `authorized_keys`,
/// `RETAIN CURRENT PASSWORD`, a webhook's receiver that waits for `finish`.
const IN_STEPS: &[&str] = &["ssh_key", "mysql", "webhook"];

/// What one rotation is held to.
pub(crate) fn policy(
    reason: Reason,
    setting: Option<&AccountRotation>,
    connector: Option<(&Connector, Option<Abilities>)>,
) -> Policy {
    let by_hand = setting.is_some_and(|setting| setting.mode == RotationMode::ByHand);
    let Some((connector, abilities)) = connector.filter(|_| !by_hand) else {
        return Policy::by_hand(reason);
    };
    let limits: Limits = serde_json::from_value(connector.limits.clone()).unwrap_or_default();
    let mut policy = Policy::usual(reason);
    policy.changes_key = changes_key(connector);
    policy.changes_in_steps = IN_STEPS.contains(&connector.kind.as_str());
    policy.revision = connector.version.0;
    if let Some(abilities) = abilities {
        policy.by_admin = abilities.by_admin;
        policy.ends_sessions = abilities.ends_sessions;
        policy.proves_refusal = abilities.proves_refusal;
    }
    if NO_LOCKOUT.contains(&connector.kind.as_str()) {
        policy.failed_login_every = Duration::ZERO;
    }
    // An act may take two minutes, and its request a little longer.
    policy.settles_within = Duration::from_secs(150);
    let set = |slot: &mut Duration, value: Option<u32>| {
        if let Some(seconds) = value {
            *slot = Duration::from_secs(u64::from(seconds));
        }
    };
    set(&mut policy.failed_login_every, limits.failed_login_every_seconds);
    set(&mut policy.old_tolerance, limits.old_tolerance_seconds);
    set(&mut policy.patience, limits.patience_seconds);
    set(&mut policy.settles_within, limits.settles_within_seconds);
    set(&mut policy.first_pause, limits.first_pause_seconds);
    policy.resets_drift = limits.resets_drift.unwrap_or(false);
    policy.gives_up_after = policy.gives_up_after.max(policy.patience);
    policy
}
