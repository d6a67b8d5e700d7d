//! Every connector there is, by its kind: one line each in the table below.

use latchkey_rotation::Failure;
use secrecy::SecretString;
use serde_json::Value;

use crate::config::ConfigError;
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};

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
                match self { $(Self::$variant(connector) => Box::pin(connector.probe(username)).await),* }
            }

            async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
                match self { $(Self::$variant(connector) => Box::pin(connector.change(attempt)).await),* }
            }

            async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
                match self {
                    $(Self::$variant(connector) => Box::pin(connector.verify(username, secret)).await),*
                }
            }

            async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
                match self { $(Self::$variant(connector) => Box::pin(connector.end_sessions(username)).await),* }
            }
        }
    };
}

connectors! {
    /// A role of a PostgreSQL server.
    Postgres(crate::postgres::Postgres) = "postgres",
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
