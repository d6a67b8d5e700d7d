//! A connection to the server, and what its errors mean.

use latchkey_rotation::{Class, Failure};
use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{Conn, Error, IoError, OptsBuilder, Params, SslOpts};
use secrecy::{ExposeSecret, SecretString};

use crate::limit::{Limit, TimedOut};
use crate::said::said;

/// Where the server is, and how to talk to it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<SslOpts>,
    pub(super) limit: Limit,
}

/// What went wrong with a connection or a statement.
#[derive(Debug)]
pub(super) enum Fault {
    TimedOut(TimedOut),
    Server(Error),
}

/// An open connection; closed on drop.
pub(super) struct Session {
    conn: Conn,
    limit: Limit,
}

impl Session {
    pub(super) async fn open(
        target: &Target,
        username: &str,
        password: &SecretString,
    ) -> Result<Self, Fault> {
        let options = OptsBuilder::default()
            .ip_or_hostname(target.host.as_str())
            .tcp_port(target.port)
            .user(Some(username))
            .pass(Some(password.expose_secret()))
            .ssl_opts(target.tls.clone())
            // What the driver would ask for right after the login, which not every login may.
            .max_allowed_packet(Some(1 << 20))
            .wait_timeout(Some(600))
            .prefer_socket(false);
        let conn = target.limit.on(Box::pin(Conn::new(options))).await??;
        Ok(Self { conn, limit: target.limit })
    }

    pub(super) async fn execute(&mut self, sql: &str) -> Result<(), Fault> {
        Ok(self.limit.on(self.conn.query_drop(sql)).await??)
    }

    pub(super) async fn rows<R: FromRow + Send + 'static>(
        &mut self,
        sql: &str,
        parameters: impl Into<Params> + Send,
    ) -> Result<Vec<R>, Fault> {
        Ok(self.limit.on(self.conn.exec(sql, parameters.into())).await??)
    }

    /// Why the last statement failed, where MariaDB only says that it did: the first of its warnings that is
    /// one of these.
    pub(super) async fn reason(&mut self, wanted: &[u16]) -> Option<Fault> {
        let warnings: Vec<(String, u16, String)> =
            self.limit.on(self.conn.query("show warnings")).await.ok()?.ok()?;
        let (_, code, message) = warnings.into_iter().find(|(_, code, _)| wanted.contains(code))?;
        Some(Fault::Server(Error::Server(mysql_async::ServerError { code, message, state: String::new() })))
    }

    /// Says goodbye, so that the server's log has no broken connection.
    pub(super) async fn close(self) {
        let limit = self.limit;
        let _ = limit.on(self.conn.disconnect()).await;
    }
}

impl From<TimedOut> for Fault {
    fn from(timed_out: TimedOut) -> Self {
        Self::TimedOut(timed_out)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

impl Fault {
    /// The number of the server's answer, if it answered.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Server(Error::Server(answer)) => Some(answer.code),
            _ => None,
        }
    }

    /// In words, without these secrets.
    pub(super) fn words<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) -> String {
        match self {
            Self::TimedOut(timed_out) => timed_out.to_string(),
            Self::Server(Error::Server(answer)) => {
                format!("{} ({})", said(&answer.message, secrets), answer.code)
            }
            Self::Server(Error::Io(error)) => said(&error.to_string(), secrets),
            Self::Server(Error::Driver(mysql_async::DriverError::ConnectionClosed)) => {
                "the connection was closed".to_owned()
            }
            // The driver's other sentences quote what was on the wire.
            Self::Server(_) => "what came back is not what MySQL's protocol asks for".to_owned(),
        }
    }

    /// Why no connection came about, for a login that may enter. Nothing was changed.
    pub(super) fn connecting(&self, target: &Target, secrets: &[&SecretString]) -> Failure {
        let words = self.words(secrets.iter().copied());
        let (class, advice) = match self {
            Self::Server(Error::Server(answer)) => match answer.code {
                1044 | 1045 | 1698 | 1862 => (Class::Auth, "check the admin login and its password"),
                1130 | 1251 => (Class::NeedsPerson, "let the login in from this machine's address"),
                1129 => (
                    Class::NeedsPerson,
                    "this machine is blocked after too many failed logins; FLUSH HOSTS there",
                ),
                3118 | 4151 | 3955 | 4166 => (Class::NeedsPerson, "unlock the login there"),
                3159 | 4046 => (Class::NeedsPerson, "the server wants TLS; set `sslmode`"),
                _ => (Class::Transient, "it is tried again"),
            },
            Self::Server(Error::Io(error)) if is_tls(error) => {
                (Class::NeedsPerson, "check `sslmode` and `ca_pem`, and the server's certificate")
            }
            Self::Server(Error::Driver(mysql_async::DriverError::NoClientSslFlagFromServer)) => {
                let message = format!(
                    "cannot log in to {target}: the server has no TLS; set it up there, or `sslmode`"
                );
                return Failure::not_applied(Class::NeedsPerson, message);
            }
            Self::Server(Error::Driver(mysql_async::DriverError::UnknownAuthPlugin { .. })) => {
                let message = format!(
                    "cannot log in to {target}: the login's authentication plugin is none of mysql_native_password \
                     and caching_sha2_password; change the plugin there"
                );
                return Failure::not_applied(Class::NeedsPerson, message);
            }
            _ => (Class::Transient, "check host, port and firewall; it is tried again"),
        };
        Failure::not_applied(class, format!("cannot log in to {target}: {words}; {advice}"))
    }
}

/// Whether it is about the certificate or TLS itself, and not about the network below.
fn is_tls(error: &IoError) -> bool {
    match error {
        IoError::Tls(_) => true,
        IoError::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MySQL at {}:{}", self.host, self.port)
    }
}
