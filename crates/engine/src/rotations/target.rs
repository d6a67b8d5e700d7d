//! The seam to the real systems: connectors made from their rows, replaced by a fake in tests.

use std::pin::Pin;
use std::sync::Arc;

use latchkey_rotation::{Failure, Verdict};
pub use latchkey_rotators::recipe::CodeSource;
use latchkey_rotators::{Abilities, AnyConnector, Attempt, Kind, Probe, Receipt, Rotate, SessionsEnded};
use secrecy::SecretString;
use serde_json::Value;

/// An act at a target, under way.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A connector of any kind; see [`Rotate`] for what each does.
#[expect(missing_docs, reason = "each is the function of the same name of `Rotate`")]
pub trait Target: Send + Sync {
    fn abilities(&self) -> Abilities;
    fn probe<'a>(&'a self, username: &'a str) -> Doing<'a, Probe>;
    fn change<'a>(&'a self, attempt: &'a Attempt<'a>) -> Doing<'a, Receipt>;
    fn verify<'a>(&'a self, username: &'a str, secret: &'a SecretString) -> Doing<'a, Verdict>;
    fn end_sessions<'a>(&'a self, username: &'a str) -> Doing<'a, SessionsEnded>;
}

impl<R: Rotate + Send + Sync> Target for R {
    fn abilities(&self) -> Abilities {
        Rotate::abilities(self)
    }

    fn probe<'a>(&'a self, username: &'a str) -> Doing<'a, Probe> {
        Box::pin(Rotate::probe(self, username))
    }

    fn change<'a>(&'a self, attempt: &'a Attempt<'a>) -> Doing<'a, Receipt> {
        Box::pin(Rotate::change(self, attempt))
    }

    fn verify<'a>(&'a self, username: &'a str, secret: &'a SecretString) -> Doing<'a, Verdict> {
        Box::pin(Rotate::verify(self, username, secret))
    }

    fn end_sessions<'a>(&'a self, username: &'a str) -> Doing<'a, SessionsEnded> {
        Box::pin(Rotate::end_sessions(self, username))
    }
}

/// Makes connectors of their configuration.
pub trait Targets: Send + Sync {
    /// The connector of this kind, with the one-time codes of the login that it is about to prove.
    ///
    /// # Errors
    /// What is wrong with the configuration, naming the field and no value.
    fn make(
        &self,
        kind: &str,
        config: &Value,
        admin: Option<SecretString>,
        codes: Option<CodeSource>,
    ) -> Result<Arc<dyn Target>, String>;
}

/// The real systems.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealTargets;

impl Targets for RealTargets {
    fn make(
        &self,
        kind: &str,
        config: &Value,
        admin: Option<SecretString>,
        codes: Option<CodeSource>,
    ) -> Result<Arc<dyn Target>, String> {
        let Some(known) = Kind::from_word(kind) else {
            let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            return Err(format!("kind: there is no `{kind}`; there are {}", kinds.join(", ")));
        };
        let connector = AnyConnector::from_config(known, config, admin).map_err(|error| error.to_string())?;
        Ok(Arc::new(match codes {
            Some(codes) => connector.with_codes(codes),
            None => connector,
        }))
    }
}
