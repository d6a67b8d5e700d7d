//! MySQL and MariaDB: the password of a user, for every host it may come from, hashed here.

mod hash;
mod session;
mod users;

use std::time::{Duration, Instant};

use latchkey_kernel::OsEntropy;
use latchkey_rotation::{Class, Failure, Outcome};
use mysql_async::SslOpts;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::config::{self, ConfigError};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::limit::Limit;
use crate::tls;
use session::{Fault, Session, Target};
pub use users::Sent;
use users::{Server, User};

/// Where a server is, and who changes passwords there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's name or address.
    pub host: String,
    /// Its port; 3306 if it is not named.
    pub port: Option<u16>,
    /// The login that changes others' passwords. It needs CREATE USER, SELECT on `mysql.*`, and to end
    /// sessions PROCESS and CONNECTION ADMIN. Without one, a user changes its own.
    pub admin: Option<String>,
    /// The hosts of the user (`user@host`) whose password is changed; all if they are not named.
    pub hosts: Option<Vec<String>>,
    /// How the new password is written into the statement.
    #[serde(default)]
    pub password_sent: Sent,
    /// How much of the server is checked; `verify-full` if it is not named, `disable` on this machine.
    pub sslmode: Option<Sslmode>,
    /// The authority of the server's certificate in PEM, if this machine does not trust it.
    pub ca_pem: Option<String>,
    /// How long each step may take.
    pub timeout_seconds: Option<u64>,
}

/// The words of PostgreSQL, as far as they fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sslmode {
    /// No TLS.
    Disable,
    /// TLS, without a look at the certificate.
    Require,
    /// A certificate of a trusted authority for this host.
    VerifyFull,
}

/// The connector.
#[derive(Debug)]
pub struct Mysql {
    target: Target,
    admin: Option<(String, SecretString)>,
    hosts: Option<Vec<String>>,
    sent: Sent,
}

impl Mysql {
    /// A connector as configured; `password` is the admin login's.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn from_config(config: &Value, password: Option<SecretString>) -> Result<Self, ConfigError> {
        let config: Config = config::read(config)?;
        config::host("host", &config.host)?;
        if config.hosts.as_ref().is_some_and(Vec::is_empty) {
            return Err(ConfigError::new("hosts", "name at least one host, or leave it out for all"));
        }
        let local = config::is_loopback(&config.host);
        let sslmode = config.sslmode.unwrap_or(if local { Sslmode::Disable } else { Sslmode::VerifyFull });
        let tls = match sslmode {
            Sslmode::Disable => None,
            Sslmode::Require => Some(SslOpts::default().with_danger_accept_invalid_certs(true)),
            Sslmode::VerifyFull => {
                let roots = match &config.ca_pem {
                    Some(pem) => tls::certificates("ca_pem", pem)?,
                    None => rustls_native_certs::load_native_certs().certs,
                };
                let roots = roots.into_iter().map(|root| root.to_vec().into()).collect();
                Some(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots))
            }
        };
        // The driver takes the process's.
        tls::provider();
        Ok(Self {
            target: Target {
                host: config.host,
                port: config.port.unwrap_or(3306),
                tls,
                limit: Limit::seconds(config.timeout_seconds)?,
            },
            admin: config::admin(config.admin, password)?,
            hosts: config.hosts,
            sent: config.password_sent,
        })
    }

    /// A session that may change the password, ready for our statements, and what server it is.
    async fn changing(
        &self,
        username: &str,
        old: Option<&SecretString>,
    ) -> Result<(Session, Server), Failure> {
        let (login, password) = match (&self.admin, old) {
            (Some((admin, password)), _) => (admin.as_str(), password),
            (None, Some(old)) => (username, old),
            (None, None) => {
                return Err(self.needs_person(format!(
                    "without an admin login the password of {username:?} is changed with the old one, which is not \
                     known; configure an admin login"
                )));
            }
        };
        let failed = |fault: Fault| fault.connecting(&self.target, &[password]);
        let mut session = Session::open(&self.target, login, password).await.map_err(failed)?;
        session.execute("set session sql_mode = ''").await.map_err(failed)?;
        let rows: Vec<String> = session.rows("select cast(version() as char)", ()).await.map_err(failed)?;
        let server = Server::from_version(rows.first().map_or("", String::as_str));
        Ok((session, server))
    }

    fn needs_person(&self, says: String) -> Failure {
        Failure::not_applied(Class::NeedsPerson, format!("{}: {says}", self.target))
    }

    /// What the admin login lacks to see and end others' sessions; without PROCESS it would see none.
    async fn lacks_for_sessions(&self, session: &mut Session) -> Result<Vec<&'static str>, Fault> {
        const HELD: &str = "select cast(privilege_type as char) from information_schema.user_privileges \
            where grantee = concat('''', replace(current_user(), '@', '''@'''), '''')";
        let held: Vec<String> = session.rows(HELD, ()).await?;
        let has = |one_of: &[&str]| held.iter().any(|held| one_of.contains(&held.as_str()));
        let mut lacks = Vec::new();
        if !has(&["PROCESS"]) {
            lacks.push("PROCESS");
        }
        if !has(&["SUPER", "CONNECTION ADMIN", "CONNECTION_ADMIN"]) {
            lacks.push("CONNECTION ADMIN (MySQL: CONNECTION_ADMIN)");
        }
        Ok(lacks)
    }

    /// The statement, and with it the point from which on the outcome is open.
    async fn alter(
        &self,
        session: &mut Session,
        server: &Server,
        users: &[User],
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        if self.sent == Sent::Plain {
            let off = session.execute("set session sql_log_off = 1, session long_query_time = 86400").await;
            off.map_err(|fault| {
                self.needs_person(format!(
                    "the session's logs could not be turned off, and with `password_sent: plain` they would \
                     hold the password: {}; grant SUPER (MariaDB: BINLOG ADMIN), or use `hashed`",
                    fault.words([attempt.new])
                ))
            })?;
        }
        let statements = users::alter(server, attempt.username, users, attempt.new, self.sent, &OsEntropy);
        // MariaDB changes one row after the other and does not take the first back.
        let some_rows = server.mariadb && users.len() > 1;
        for (done, sql) in statements.iter().enumerate() {
            if let Err(mut fault) = session.execute(sql).await {
                if fault.code() == Some(1396)
                    && let Some(reason) = session.reason(&[1819, 1290]).await
                {
                    fault = reason;
                }
                let mut failure = self.refused_change(&fault, some_rows, attempt);
                if done > 0 {
                    failure.outcome = Outcome::Unknown;
                }
                return Err(failure);
            }
        }
        Ok(())
    }

    /// `some_rows`: the statement is for several rows, which the server changes one after the other.
    fn refused_change(&self, fault: &Fault, some_rows: bool, attempt: &Attempt<'_>) -> Failure {
        let admin = self.admin.as_ref().map(|(_, password)| password);
        let words = fault.words([attempt.new].into_iter().chain(attempt.old).chain(admin));
        let says =
            |what: &str| format!("{}: the password of {:?} {what}: {words}", self.target, attempt.username);
        let Some(code) = fault.code().filter(|code| *code != 1396 || !some_rows) else {
            return Failure::unknown(Class::Transient, says("may or may not have been changed"));
        };
        match code {
            // Shutdown and a killed session answer also when the statement is through.
            1053 | 1317 | 1927 | 3169 => {
                Failure::unknown(Class::Transient, says("may or may not have been changed"))
            }
            1819 | 3638 => Failure::not_applied(
                Class::Policy,
                says("was not changed, since the server's rules refuse the new one"),
            ),
            1290 if self.sent == Sent::Hashed && words.contains("strict-password-validation") => {
                Failure::not_applied(
                    Class::NeedsPerson,
                    says(
                        "was not changed, since the server checks passwords and takes none that is hashed; set \
                     `password_sent` to `plain`, or strict_password_validation to OFF there",
                    ),
                )
            }
            1290 | 1836 => Failure::not_applied(
                Class::NeedsPerson,
                says("was not changed, since the server is read-only; name the primary"),
            ),
            1044 | 1142 | 1227 | 1370 => Failure::not_applied(
                Class::NeedsPerson,
                says("was not changed, since the admin login may not; GRANT CREATE USER ON *.* to it"),
            ),
            1396 => Failure::not_applied(
                Class::NeedsPerson,
                says("was not changed; check that the user is there and the admin login may change it"),
            ),
            _ => Failure::not_applied(Class::Transient, says("was not changed")),
        }
    }
}

impl Rotate for Mysql {
    fn abilities(&self) -> Abilities {
        Abilities {
            by_admin: self.admin.is_some(),
            ends_sessions: self.admin.is_some(),
            proves_refusal: true,
        }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        let mut warnings = Vec::new();
        if self.target.tls.is_none() && !config::is_loopback(&self.target.host) {
            warnings
                .push("`sslmode` is `disable`: who listens on the way can take the user's place".to_owned());
        }
        let Some((_, password)) = &self.admin else {
            // Nothing is known that could log in; that somebody answers has to do.
            let nobody = SecretString::from("");
            return match Session::open(&self.target, username, &nobody).await {
                Ok(session) => {
                    session.close().await;
                    warnings.push(format!("the server lets {username:?} in without a password"));
                    Ok(Probe { target: "MySQL".to_owned(), warnings })
                }
                Err(fault) if fault.code().is_some() => Ok(Probe { target: "MySQL".to_owned(), warnings }),
                Err(fault) => Err(fault.connecting(&self.target, &[])),
            };
        };
        let (mut session, server) = self.changing(username, None).await?;
        let users = users::find(&mut session, &server, &self.target, username, self.hosts.as_deref()).await?;
        let looked = |fault: Fault| {
            let says = format!("{} could not be looked at: {}", self.target, fault.words([password]));
            Failure::not_applied(Class::Transient, says)
        };
        let read_only: Vec<i64> = session.rows("select @@global.read_only", ()).await.map_err(looked)?;
        if read_only.first() == Some(&1) {
            warnings.push("the server is read-only: name the primary".to_owned());
        }
        let lacks = self.lacks_for_sessions(&mut session).await.map_err(looked)?;
        if !lacks.is_empty() {
            warnings.push(format!(
                "the admin login cannot end sessions; GRANT {} ON *.* to it",
                lacks.join(", ")
            ));
        }
        if self.sent == Sent::Plain {
            warnings.push(
                "`password_sent` is `plain`: the server's audit plugins and slow log may hold new passwords"
                    .to_owned(),
            );
        }
        session.close().await;
        let hosts: Vec<_> = users.iter().map(|user| user.host.as_str()).collect();
        Ok(Probe { target: format!("{} ({username} from {})", server.name(), hosts.join(", ")), warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let Attempt { username, old, new, .. } = *attempt;
        if new.expose_secret().is_empty() {
            let says = format!("{} takes no password that is empty", self.target);
            return Err(Failure::not_applied(Class::Policy, says));
        }
        let (mut session, server) = self.changing(username, old).await?;
        if self.admin.is_none() {
            let sql = users::set_own(&server, new, self.sent, &OsEntropy).ok_or_else(|| {
                self.needs_person(format!(
                    "MySQL takes {username:?}'s own change only as plain text; set `password_sent` to `plain`, or \
                     configure an admin login"
                ))
            })?;
            let changed = session.execute(&sql).await;
            changed.map_err(|fault| self.refused_change(&fault, false, attempt))?;
            session.close().await;
            return Ok(Receipt { method: "the login's own change with its old password".to_owned() });
        }
        let users = users::find(&mut session, &server, &self.target, username, self.hosts.as_deref()).await?;
        self.alter(&mut session, &server, &users, attempt).await?;
        let how = match self.sent {
            Sent::Hashed => format!("ALTER USER with {} computed here", users[0].plugin.as_str()),
            Sent::Plain => "the password as it is, with the session's logs off".to_owned(),
        };
        if !server.retains {
            session.close().await;
            return Ok(Receipt { method: how });
        }
        // Both work now. The old one goes only when the new one has been seen to work.
        match self.verify(username, new).await {
            Ok(Verdict::Works) => {}
            Ok(Verdict::Refused) => {
                let says =
                    format!("{}: the changed password of {username:?} is refused from here", self.target);
                return Err(Failure::unknown(Class::NeedsPerson, says));
            }
            Err(failure) => return Err(Failure::unknown(failure.class, failure.message)),
        }
        users::discard(&mut session, username, &users).await.map_err(|fault| {
            let says = format!(
                "{}: the new password of {username:?} works, but the old one was not discarded: {}",
                self.target,
                fault.words([new])
            );
            Failure::unknown(Class::Transient, says)
        })?;
        session.close().await;
        Ok(Receipt { method: format!("{how}, RETAIN CURRENT and then DISCARD OLD PASSWORD") })
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        let fault = match Session::open(&self.target, username, secret).await {
            Ok(session) => {
                session.close().await;
                return Ok(Verdict::Works);
            }
            Err(fault) => fault,
        };
        match fault.code() {
            Some(1045 | 1698) => Ok(Verdict::Refused),
            // It is expired, which is told only to who has shown it.
            Some(1862 | 1820) => Ok(Verdict::Works),
            _ => Err(fault.connecting(&self.target, &[secret])),
        }
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        const OPEN: &str = "select cast(id as signed) from information_schema.processlist \
            where user = ? and id <> connection_id()";
        if self.admin.is_none() {
            return Err(
                self.needs_person("no admin login is configured, which ending sessions needs".to_owned())
            );
        }
        let (mut session, _) = self.changing(username, None).await?;
        let failed = |fault: Fault| {
            let says =
                format!("{}: sessions of {username:?} were not ended: {}", self.target, fault.words([]));
            let class = if fault.code() == Some(1095) { Class::NeedsPerson } else { Class::Transient };
            Failure::not_applied(class, says)
        };
        let lacks = self.lacks_for_sessions(&mut session).await.map_err(failed)?;
        if !lacks.is_empty() {
            return Err(self.needs_person(format!(
                "sessions of {username:?} were not ended, since the admin login may not; GRANT {} ON *.* to it",
                lacks.join(", ")
            )));
        }
        let deadline = Instant::now() + self.target.limit.duration();
        let mut ended = std::collections::BTreeSet::new();
        loop {
            let open: Vec<i64> = session.rows(OPEN, (username,)).await.map_err(failed)?;
            if open.is_empty() {
                session.close().await;
                return Ok(SessionsEnded { count: Some(ended.len() as u64) });
            }
            if Instant::now() > deadline {
                let says =
                    format!("{} of {username:?} are still open after they were told to end", open.len());
                return Err(Failure::not_applied(
                    Class::Transient,
                    format!("{}: sessions {says}", self.target),
                ));
            }
            for id in open.into_iter().filter(|id| !ended.contains(id)).collect::<Vec<_>>() {
                match session.execute(&format!("kill connection {id}")).await {
                    Ok(()) => drop(ended.insert(id)),
                    // It went by itself.
                    Err(fault) if fault.code() == Some(1094) => {}
                    Err(fault) => return Err(failed(fault)),
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
