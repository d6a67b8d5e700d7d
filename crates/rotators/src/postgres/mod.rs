//! PostgreSQL: the password of a role, changed by a verifier that is computed here.

mod probe;
mod scram;
mod session;

use std::time::{Duration, Instant};

use latchkey_kernel::{Entropy, OsEntropy};
use latchkey_rotation::{Class, Failure};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::config::SslMode;
use zeroize::Zeroizing;

use crate::config::{self, ConfigError};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::limit::Limit;
use crate::tls::{self, Check};
use session::{Fault, Session, Target};

/// Where a server is, and who changes passwords there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's name or address, or the folder of its socket.
    pub host: String,
    /// Its port; 5432 if it is not named.
    pub port: Option<u16>,
    /// Where the admin login connects; `postgres` if it is not named.
    pub database: Option<String>,
    /// Where logins are proved, if not in `database`. It need not let the role in: a refusal that comes
    /// after the password was checked proves it as well.
    pub verify_database: Option<String>,
    /// The login that changes others' passwords. Without one, a role changes its own.
    pub admin: Option<String>,
    /// How much of the server is checked; `verify-full` if it is not named, `prefer` on this machine.
    pub sslmode: Option<Sslmode>,
    /// The authority of the server's certificate in PEM, if this machine does not trust it.
    pub ca_pem: Option<String>,
    /// Rounds that a login costs its client, 4096 to 1000000; 4096 if it is not named.
    pub scram_rounds: Option<u32>,
    /// How long each step may take.
    pub timeout_seconds: Option<u64>,
}

/// libpq's words, without `allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sslmode {
    /// No TLS; passwords are never sent in plain all the same (SCRAM).
    Disable,
    /// TLS if the server has it; only on this machine.
    Prefer,
    /// TLS, without a look at the certificate.
    Require,
    /// A certificate of a trusted authority.
    VerifyCa,
    /// A certificate of a trusted authority for this host.
    VerifyFull,
}

/// The connector.
#[derive(Debug)]
pub struct Postgres {
    target: Target,
    database: String,
    verify_database: String,
    admin: Option<(String, SecretString)>,
    rounds: u32,
}

impl Postgres {
    /// A connector as configured; `password` is the admin login's.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn from_config(config: &Value, password: Option<SecretString>) -> Result<Self, ConfigError> {
        Self::new(config::read(config)?, password)
    }

    fn new(config: Config, password: Option<SecretString>) -> Result<Self, ConfigError> {
        let local = config.host.starts_with('/') || config::is_loopback(&config.host);
        if !config.host.starts_with('/') {
            config::host("host", &config.host)?;
        }
        let sslmode = config.sslmode.unwrap_or(if local { Sslmode::Prefer } else { Sslmode::VerifyFull });
        if sslmode == Sslmode::Prefer && !local {
            return Err(ConfigError::new(
                "sslmode",
                "`prefer` is for this machine only, since whoever stands in between can refuse TLS; use \
                 `verify-full`, or `require`, or `disable` where no TLS is to be had",
            ));
        }
        let (check, mode) = match sslmode {
            Sslmode::Disable => (Check::Nothing, SslMode::Disable),
            Sslmode::Prefer => (Check::Nothing, SslMode::Prefer),
            Sslmode::Require => (Check::Nothing, SslMode::Require),
            Sslmode::VerifyCa => (Check::Chain, SslMode::Require),
            Sslmode::VerifyFull => (Check::Whole, SslMode::Require),
        };
        let rounds = config.scram_rounds.unwrap_or(scram::FEWEST_ROUNDS);
        if !(scram::FEWEST_ROUNDS..=scram::MOST_ROUNDS).contains(&rounds) {
            return Err(ConfigError::new("scram_rounds", "must be 4096 to 1000000"));
        }
        let admin = match (config.admin, password) {
            (Some(admin), Some(password)) => Some((admin, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(ConfigError::new(
                    "admin",
                    "has no password; give the admin credential, or leave both out",
                ));
            }
            (None, Some(_)) => {
                return Err(ConfigError::new(
                    "admin",
                    "is missing: the name of the login whose password was given",
                ));
            }
        };
        let database = config.database.unwrap_or_else(|| "postgres".to_owned());
        Ok(Self {
            target: Target {
                host: config.host,
                port: config.port.unwrap_or(5432),
                tls: tls::client(check, config.ca_pem.as_deref())?,
                mode,
                limit: Limit::seconds(config.timeout_seconds)?,
            },
            verify_database: config.verify_database.unwrap_or_else(|| database.clone()),
            database,
            admin,
            rounds,
        })
    }

    /// A session that may change the password: the admin's, else the role's own.
    async fn changing(&self, username: &str, old: Option<&SecretString>) -> Result<Session, Failure> {
        let (login, password) = match (&self.admin, old) {
            (Some((admin, password)), _) => (admin.as_str(), password),
            (None, Some(old)) => (username, old),
            (None, None) => {
                return Err(Failure::not_applied(
                    Class::NeedsPerson,
                    format!(
                        "{}: without an admin login the password of {username:?} is changed with the old one, \
                         which is not known; configure an admin login",
                        self.target
                    ),
                ));
            }
        };
        let session = Session::open(&self.target, &self.database, login, password).await;
        session.map_err(|fault| fault.connecting(&self.target, &[password]))
    }

    fn admin(&self) -> Result<(&str, &SecretString), Failure> {
        let missing = || {
            Failure::not_applied(
                Class::NeedsPerson,
                format!("{} has no admin login configured, which this needs", self.target),
            )
        };
        self.admin.as_ref().map(|(admin, password)| (admin.as_str(), password)).ok_or_else(missing)
    }

    /// Whether the server lets a password in that nobody has.
    async fn lets_all_in(&self, username: &str) -> Result<bool, Failure> {
        let entropy: &dyn Entropy = &OsEntropy;
        let wrong: String = entropy.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.verify(username, &SecretString::from(wrong)).await? == Verdict::Works)
    }
}

impl Rotate for Postgres {
    fn abilities(&self) -> Abilities {
        Abilities {
            by_admin: self.admin.is_some(),
            ends_sessions: self.admin.is_some(),
            proves_refusal: true,
        }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        check_name(&self.target, username)?;
        let mut warnings = Vec::new();
        let mut target = "PostgreSQL".to_owned();
        if let Some((admin, password)) = &self.admin {
            let session = self.changing(username, None).await?;
            target = format!("PostgreSQL {}", session.version());
            let row = session.row(probe::LOOK, username).await.map_err(|fault| {
                let words = fault.words([password]);
                Failure::not_applied(
                    Class::Transient,
                    format!("{} could not be looked at: {words}", self.target),
                )
            })?;
            let found = probe::Found { target: &self.target, admin, username, row: &row };
            if let Some(failure) = found.obstacle() {
                return Err(failure);
            }
            warnings = found.warnings();
        }
        match self.lets_all_in(username).await {
            Ok(false) => {}
            Ok(true) => warnings.push(format!(
                "the server lets {username:?} in with any password from here (trust, peer or the like in \
                 pg_hba.conf), so no login proves anything; ask for scram-sha-256 there"
            )),
            // Without an admin login this is all that the look can rest on.
            Err(failure) if self.admin.is_none() => return Err(failure),
            Err(failure) => warnings.push(format!("logins cannot be proved: {failure}")),
        }
        Ok(Probe { target, warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let Attempt { username, old, new, .. } = *attempt;
        check_name(&self.target, username)?;
        if new.expose_secret().is_empty() || new.expose_secret().contains('\0') {
            return Err(Failure::not_applied(
                Class::Policy,
                format!("{} takes no password that is empty or holds a NUL", self.target),
            ));
        }
        let session = self.changing(username, old).await?;
        if session
            .version()
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok())
            .is_some_and(|v| v < 10)
        {
            return Err(Failure::not_applied(
                Class::NeedsPerson,
                format!("{} is older than PostgreSQL 10 and knows no SCRAM; upgrade it", self.target),
            ));
        }
        let entropy: &dyn Entropy = &OsEntropy;
        let verifier = scram::verifier(new.expose_secret(), &entropy.bytes(), self.rounds);
        let sql = Zeroizing::new(format!("ALTER ROLE {} PASSWORD '{}'", quoted(username), *verifier));
        session.execute(&sql).await.map_err(|fault| self.refused_change(&fault, attempt))?;
        Ok(Receipt { method: "ALTER ROLE with a SCRAM-SHA-256 verifier".to_owned() })
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        check_name(&self.target, username)?;
        if secret.expose_secret().is_empty() || secret.expose_secret().contains('\0') {
            // No role can have such a password; the protocol cannot even ask.
            return Ok(Verdict::Refused);
        }
        let fault = match Session::open(&self.target, &self.verify_database, username, secret).await {
            Ok(_) => return Ok(Verdict::Works),
            Err(fault) => fault,
        };
        let after_password = ["InitializeSessionUserId", "CheckMyDatabase"];
        let routine = fault.routine().unwrap_or_default();
        match fault.code().map(tokio_postgres::error::SqlState::code) {
            Some("28P01") => Ok(Verdict::Refused),
            // These are asked only of who has shown the password.
            Some("3D000" | "42501") => Ok(Verdict::Works),
            Some("53300" | "55000") if after_password.contains(&routine) => Ok(Verdict::Works),
            Some("28000") => Err(Failure::not_applied(
                Class::NeedsPerson,
                format!(
                    "{} does not let {username:?} log in from here, whatever the password: {}; see pg_hba.conf and LOGIN",
                    self.target,
                    fault.words([secret])
                ),
            )),
            _ => Err(fault.connecting(&self.target, &[secret])),
        }
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        const END: &str = "select pg_catalog.count(*) filter (where pg_catalog.pg_terminate_backend(pid)) \
            from pg_catalog.pg_stat_activity where usename = $1 and pid <> pg_catalog.pg_backend_pid()";
        const LEFT: &str = "select pg_catalog.count(*) from pg_catalog.pg_stat_activity \
            where usename = $1 and pid <> pg_catalog.pg_backend_pid()";
        let (_, password) = self.admin()?;
        let session = self.changing(username, None).await?;
        let failed = |fault: Fault| {
            let words = fault.words([password]);
            let (class, advice) = match fault.code().map(tokio_postgres::error::SqlState::code) {
                Some("42501") => (Class::NeedsPerson, "GRANT pg_signal_backend to the admin login"),
                _ => (Class::Transient, "it is tried again"),
            };
            let message =
                format!("{}: sessions of {username:?} were not ended: {words}; {advice}", self.target);
            Failure::not_applied(class, message)
        };
        let count = |row: tokio_postgres::Row| row.try_get::<_, i64>(0).unwrap_or_default();
        let ended = count(session.row(END, username).await.map_err(failed)?);
        // The signal is sent, not yet heard.
        let deadline = Instant::now() + self.target.limit.duration();
        loop {
            let left = count(session.row(LEFT, username).await.map_err(failed)?);
            if left == 0 {
                return Ok(SessionsEnded { count: u64::try_from(ended).ok() });
            }
            if Instant::now() > deadline {
                return Err(Failure::not_applied(
                    Class::Transient,
                    format!(
                        "{}: {left} sessions of {username:?} are still open after they were told to end; it may \
                         log in faster than it is cut off",
                        self.target
                    ),
                ));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Postgres {
    fn refused_change(&self, fault: &Fault, attempt: &Attempt<'_>) -> Failure {
        let username = attempt.username;
        let admin = self.admin.as_ref().map(|(_, password)| password);
        let words = fault.words([attempt.new].into_iter().chain(attempt.old).chain(admin));
        let says = |what: &str| format!("{}: the password of {username:?} {what}: {words}", self.target);
        if fault.may_have_arrived() {
            return Failure::unknown(Class::Transient, says("may or may not have been changed"));
        }
        let (class, what) = match fault.code().map(tokio_postgres::error::SqlState::code) {
            Some("42501") => (
                Class::NeedsPerson,
                "was not changed, since the admin login may not (it needs CREATEROLE and, from PostgreSQL 16, ADMIN \
                 OPTION on the role)",
            ),
            Some("42704") => (Class::NeedsPerson, "was not changed, since there is no such role"),
            Some("25006") => (Class::NeedsPerson, "was not changed: this is a standby; name the primary"),
            Some("22023" | "28P01") => {
                (Class::Policy, "was not changed, since the server's rules refuse the new one")
            }
            _ => (Class::Transient, "was not changed"),
        };
        Failure::not_applied(class, says(what))
    }
}

/// An identifier as SQL takes it, whatever it holds.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

fn check_name(target: &Target, username: &str) -> Result<(), Failure> {
    // The server cuts longer names off, and would change another role's password.
    if username.is_empty() || username.len() > 63 || username.contains('\0') {
        return Err(Failure::not_applied(
            Class::NeedsPerson,
            format!(
                "{target} has no role {username:?}: names have 1 to 63 bytes; check the account's login name"
            ),
        ));
    }
    Ok(())
}
