//! What every connector does.

use latchkey_rotation::Failure;
pub use latchkey_rotation::Verdict;
use secrecy::SecretString;

/// What a connector can do at its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Abilities {
    /// It changes the secret with a credential of its own; else with the old secret.
    pub by_admin: bool,
    /// It can end sessions that were opened with the old secret.
    pub ends_sessions: bool,
    /// It can show that the old secret is refused.
    pub proves_refusal: bool,
}

/// One secret change at one target.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The login name at the target.
    pub username: &'a str,
    /// The secret that works now, if it is known.
    pub old: Option<&'a SecretString>,
    /// The secret that is to work; stored durably before this is called (V2).
    pub new: &'a SecretString,
    /// The same for each try of one job, for targets that can tell a repeated request.
    pub idempotency_key: &'a str,
}

/// What a target said of itself before anything was changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Probe {
    /// As `PostgreSQL 16.4`.
    pub target: String,
    /// What an admin should know before trusting the connector, as a server that lets everybody in
    /// without a password; empty is well.
    pub warnings: Vec<String>,
}

/// That the target took the change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Receipt {
    /// How it was changed, as `ALTER ROLE with a SCRAM-SHA-256 verifier`.
    pub method: String,
}

/// What became of the sessions that were open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SessionsEnded {
    /// How many, where the target says.
    pub count: Option<u64>,
}

/// A connector to one target. Every call makes connections of its own, so that a proof never rests
/// on a session that was opened before, and ends within the connector's time limit.
pub trait Rotate {
    /// What it can do.
    fn abilities(&self) -> Abilities;

    /// Reaches the target, checks the credential that changes others, and changes nothing.
    fn probe(&self, username: &str) -> impl Future<Output = Result<Probe, Failure>> + Send;

    /// Changes the secret. No error may hide that it may have been changed: see
    /// [`latchkey_rotation::Outcome`].
    fn change(&self, attempt: &Attempt<'_>) -> impl Future<Output = Result<Receipt, Failure>> + Send;

    /// Logs in afresh with this secret. `Err` is for what says nothing about the secret (network,
    /// a locked login), never for a refusal.
    fn verify(
        &self,
        username: &str,
        secret: &SecretString,
    ) -> impl Future<Output = Result<Verdict, Failure>> + Send;

    /// Ends what was opened with earlier secrets; called only where [`Abilities::ends_sessions`].
    fn end_sessions(&self, username: &str) -> impl Future<Output = Result<SessionsEnded, Failure>> + Send;
}
