//! A connection to the server, and what its errors mean.

use latchkey_rotation::{Class, Failure};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::limit::{Limit, TimedOut};
use crate::said::said;

/// Where the server is, and how to talk to it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: ClientConfig,
    pub(super) mode: SslMode,
    pub(super) limit: Limit,
}

/// What went wrong with a connection or a statement.
#[derive(Debug)]
pub(super) enum Fault {
    TimedOut(TimedOut),
    /// The catalogue does not hold what it always holds.
    NoRow,
    Server(tokio_postgres::Error),
}

/// An open connection; closed on drop.
pub(super) struct Session {
    client: Client,
    version: String,
    connection: JoinHandle<()>,
    limit: Limit,
}

impl Session {
    pub(super) async fn open(
        target: &Target,
        database: &str,
        username: &str,
        password: &SecretString,
    ) -> Result<Self, Fault> {
        let mut config = tokio_postgres::Config::new();
        config
            .host(&target.host)
            .port(target.port)
            .dbname(database)
            .user(username)
            .password(password.expose_secret())
            .application_name("latchkey")
            .ssl_mode(target.mode);
        let connecting = config.connect(MakeRustlsConnect::new(target.tls.clone()));
        let (client, connection) = target.limit.on(Box::pin(connecting)).await??;
        let version = connection.parameter("server_version").unwrap_or("of unknown version").to_owned();
        // What goes wrong with the connection shows at the statement that waits for it.
        let connection = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { client, version, connection, limit: target.limit })
    }

    /// As `16.4`.
    pub(super) fn version(&self) -> &str {
        self.version.split_whitespace().next().unwrap_or_default()
    }

    /// A statement without parameters, which poolers and utility statements need.
    pub(super) async fn execute(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.limit.on(self.client.batch_execute(sql)).await??)
    }

    pub(super) async fn row(&self, sql: &str, username: &str) -> Result<Row, Fault> {
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&username, Type::TEXT)];
        let rows = self.limit.on(self.client.query_typed(sql, &parameters)).await??;
        rows.into_iter().next().ok_or(Fault::NoRow)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl From<TimedOut> for Fault {
    fn from(timed_out: TimedOut) -> Self {
        Self::TimedOut(timed_out)
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl Fault {
    /// What the server answered, if it did.
    pub(super) fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Server(error) => error.code(),
            Self::TimedOut(_) | Self::NoRow => None,
        }
    }

    /// The server's own function that refused. Unlike its sentences it is the same in every language.
    pub(super) fn routine(&self) -> Option<&str> {
        match self {
            Self::Server(error) => error.as_db_error()?.routine(),
            Self::TimedOut(_) | Self::NoRow => None,
        }
    }

    /// Whether the server may have carried the statement out before this happened. An error that it answers
    /// means that it did not, except where it was being shut down: then it may have been committed and only
    /// not yet replicated.
    pub(super) fn may_have_arrived(&self) -> bool {
        self.code().is_none_or(|code| {
            [&SqlState::ADMIN_SHUTDOWN, &SqlState::CRASH_SHUTDOWN, &SqlState::CANNOT_CONNECT_NOW]
                .contains(&code)
                || code.code().starts_with("08")
        })
    }

    /// In words, without these secrets.
    pub(super) fn words<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) -> String {
        let error = match self {
            Self::TimedOut(timed_out) => return timed_out.to_string(),
            Self::NoRow => return "the server does not know the login that it let in".to_owned(),
            Self::Server(error) => error,
        };
        if let Some(answer) = error.as_db_error() {
            return format!("{} ({})", said(answer.message(), secrets), answer.code().code());
        }
        let mut words = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let inner_words = inner.to_string();
            if !words.contains(&inner_words) {
                words = format!("{words}: {inner_words}");
            }
            cause = inner.source();
        }
        said(&words, secrets)
    }

    /// Why no connection came about, for a login that may enter. Nothing was changed.
    pub(super) fn connecting(&self, target: &Target, secrets: &[&SecretString]) -> Failure {
        let (place, words) = (target.to_string(), self.words(secrets.iter().copied()));
        let (class, advice) = match self.code().map(SqlState::code) {
            // Answered by poolers too, whose other answers of this class are not about the password.
            Some("28P01" | "28000") => {
                (Class::Auth, "check the admin login and its password, and pg_hba.conf")
            }
            Some("3D000") => (Class::NeedsPerson, "name another `database`"),
            Some("42501") => {
                (Class::NeedsPerson, "grant CONNECT on the database, or name another `database`")
            }
            Some(_) => (Class::Transient, "it is tried again"),
            None if words.starts_with("error performing TLS handshake") => {
                (Class::NeedsPerson, "check `sslmode` and `ca_pem`, and the server's certificate")
            }
            None if words.starts_with("authentication error")
                || words.starts_with("unsupported authentication") =>
            {
                (
                    Class::NeedsPerson,
                    "the server asks for a kind of login other than by password; see pg_hba.conf",
                )
            }
            None => (Class::Transient, "check host, port and firewall; it is tried again"),
        };
        Failure::not_applied(class, format!("cannot log in to {place}: {words}; {advice}"))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgreSQL at {}:{}", self.host, self.port)
    }
}
