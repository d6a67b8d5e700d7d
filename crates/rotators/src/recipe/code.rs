//! One-time codes, which the vault computes and the connectors only use.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

/// A code, and how long it is the present one.
#[derive(Debug, Clone)]
pub struct OneTimeCode {
    /// The digits.
    pub code: SecretString,
    /// Until the next code takes its place.
    pub valid_for: Duration,
}

/// A code on its way, or why there is none: what happened, without any secret.
pub type Coming = Pin<Box<dyn Future<Output = Result<OneTimeCode, String>> + Send>>;

/// Where the codes of one account come from. Asked at the moment when a step needs a code, so that
/// whoever gives it can put its use on record first.
pub type CodeSource = Arc<dyn Fn() -> Coming + Send + Sync>;

/// Codes of which none is given out twice, since targets take each only once (RFC 6238, 5.2).
#[derive(Clone, Default)]
pub(crate) struct Codes {
    source: Option<CodeSource>,
    last: Arc<Mutex<Option<SecretString>>>,
}

impl Codes {
    pub(crate) fn from(source: CodeSource) -> Self {
        Self { source: Some(source), last: Arc::default() }
    }

    /// The present code, or the next one if the present one was used; none without a source.
    pub(crate) async fn next(&self) -> Result<Option<SecretString>, String> {
        let Some(source) = &self.source else { return Ok(None) };
        loop {
            let now = source().await?;
            {
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                let used = last.as_ref().is_some_and(|last| last.expose_secret() == now.code.expose_secret());
                if !used {
                    *last = Some(now.code.clone());
                    return Ok(Some(now.code));
                }
            }
            tokio::time::sleep(now.valid_for + Duration::from_millis(50)).await;
        }
    }
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codes").field("source", &self.source.is_some()).finish_non_exhaustive()
    }
}
