//! Every connector there is, by its kind: one line each in the table below.

use futures_util::FutureExt as _;
use latchkey_rotation::{Class, Failure, Outcome};
use secrecy::SecretString;
use serde_json::Value;

use crate::config::ConfigError;
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::recipe::CodeSource;
use crate::said::masked;

macro_rules! connectors {
    ($($(#[$doc:meta])* $variant:ident($connector:ty) = $word:literal),* $(,)?) => {
        /// The kinds of targets that a secret can be changed at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum Kind { $($(#[$doc])* #[serde(rename = $word)] $variant),* }

        impl Kind {
            /// Every kind, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word as it is stored and shown to machines.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The kind of a stored word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        /// A connector of any kind.
        #[derive(Debug)]
        pub enum AnyConnector { $($(#[$doc])* $variant(Box<$connector>)),* }

        impl AnyConnector {
            /// A connector as configured. `admin` is the password or key of the login that changes others'
            /// secrets; it is never part of `config`.
            ///
            /// # Errors
            /// When the configuration is wrong; the error names the field and what is allowed.
            pub fn from_config(
                kind: Kind,
                config: &Value,
                admin: Option<SecretString>,
            ) -> Result<Self, ConfigError> {
                match kind {
                    $(Kind::$variant => {
                        Ok(Self::$variant(Box::new(<$connector>::from_config(config, admin)?)))
                    })*
                }
            }

            /// Its kind.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant),* }
            }
        }

        impl Rotate for AnyConnector {
            fn abilities(&self) -> Abilities {
                match self { $(Self::$variant(connector) => connector.abilities()),* }
            }

            async fn probe(&self, username: &str) -> Result<Probe, Failure> {
                match self {
                    $(Self::$variant(connector) => unbroken(Outcome::NotApplied, &[], connector.probe(username)).await),*
                }
            }

            async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
                let secrets = [Some(attempt.new), attempt.old];
                match self {
                    $(Self::$variant(connector) => {
                        unbroken(Outcome::Unknown, &secrets, connector.change(attempt)).await
                    })*
                }
            }

            async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
                match self {
                    $(Self::$variant(connector) => {
                        unbroken(Outcome::NotApplied, &[Some(secret)], connector.verify(username, secret)).await
                    })*
                }
            }

            async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
                match self {
                    $(Self::$variant(connector) => {
                        unbroken(Outcome::NotApplied, &[], connector.end_sessions(username)).await
                    })*
                }
            }
        }
    };
}

connectors! {
    /// A role of a PostgreSQL server.
    Postgres(crate::postgres::Postgres) = "postgres",
    /// A user of a MySQL or MariaDB server.
    Mysql(crate::mysql::Mysql) = "mysql",
    /// An entry of an LDAP directory.
    Ldap(crate::ldap::Ldap) = "ldap",
    /// A login of an Active Directory domain.
    ActiveDirectory(crate::active_directory::ActiveDirectory) = "active_directory",
    /// The password of a Unix login, over SSH.
    Unix(crate::unix::Unix) = "unix",
    /// The key of a Unix login.
    SshKey(crate::ssh_key::SshKey) = "ssh_key",
    /// A target that HTTP requests of a recipe change.
    Http(crate::http::HttpRecipe) = "http",
    /// A target whose web pages a recipe walks through.
    Browser(crate::browser::BrowserRecipe) = "browser",
    /// A receiver of signed webhooks.
    Webhook(crate::webhook::Webhook) = "webhook",
}

impl AnyConnector {
    /// With the one-time codes of the account that it is about to log in as; only recipes ask for them.
    #[must_use]
    pub fn with_codes(self, source: CodeSource) -> Self {
        match self {
            Self::Http(connector) => Self::Http(Box::new(connector.with_codes(source))),
            Self::Browser(connector) => Self::Browser(Box::new(connector.with_codes(source))),
            other => other,
        }
    }
}

/// An act whose driver breaks down over what a target sends has failed like any other: no target may end a
/// worker. And whatever a connector passed on, its message holds none of these secrets.
async fn unbroken<T>(
    outcome: Outcome,
    secrets: &[Option<&SecretString>],
    act: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let caught = std::panic::AssertUnwindSafe(Box::pin(act)).catch_unwind().await;
    let ended = caught.unwrap_or_else(|_| {
        let says =
            "what the target sent is not its protocol; check that host and port are of this kind of target";
        Err(match outcome {
            Outcome::NotApplied => Failure::not_applied(Class::NeedsPerson, says),
            Outcome::Unknown => Failure::unknown(Class::NeedsPerson, says),
        })
    });
    ended.map_err(|mut failure| {
        failure.message = masked(&failure.message, secrets.iter().copied().flatten());
        failure
    })
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_words_and_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.as_str()));
        }
        assert_eq!(Kind::from_word("telnet"), None);
    }
}
