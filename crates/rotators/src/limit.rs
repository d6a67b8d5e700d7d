//! Time limits: no act waits for a target for ever.

use std::time::Duration;

use crate::config::ConfigError;

/// The time limit of a step, unless the configuration has another.
pub(crate) const DEFAULT_SECONDS: u64 = 15;

/// How long one step (a connection, a request) may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(Duration);

/// The step did not end in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimedOut(pub(crate) Duration);

impl Limit {
    /// From `timeout_seconds`.
    pub(crate) fn seconds(seconds: Option<u64>) -> Result<Self, ConfigError> {
        match seconds.unwrap_or(DEFAULT_SECONDS) {
            seconds @ 1..=300 => Ok(Self(Duration::from_secs(seconds))),
            _ => Err(ConfigError::new("timeout_seconds", "must be 1 to 300")),
        }
    }

    pub(crate) const fn duration(self) -> Duration {
        self.0
    }

    pub(crate) async fn on<T>(self, step: impl Future<Output = T>) -> Result<T, TimedOut> {
        tokio::time::timeout(self.0, step).await.map_err(|_| TimedOut(self.0))
    }
}

impl std::fmt::Display for TimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no answer within {} s", self.0.as_secs())
    }
}
