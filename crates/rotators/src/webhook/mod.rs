//! A target behind a receiver of the customer's own, told by signed webhooks in four steps:
//! create (here is the new secret, keep it), set (make it the one that works), test (does this
//! one work?), finish (forget the old one and end what was opened with it).
//!
//! Signed as Standard Webhooks are; sent once each: whether and when again is the job's to decide.

mod call;
mod config;
mod sign;

use std::sync::Arc;

use latchkey_kernel::{OsEntropy, SystemClock};
use latchkey_rotation::{Class, Failure};
use secrecy::SecretString;
use serde_json::{Value, json};

pub use config::{Delivery, WebhookConfig};

use crate::config::{ConfigError, read};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use call::Caller;

/// Asks a webhook's receiver to change a password.
#[derive(Debug, Clone)]
pub struct Webhook {
    caller: Caller,
}

impl Webhook {
    /// A connector as configured (see [`WebhookConfig`]); `signing` is the secret shared with the
    /// receiver, as `whsec_` and base64.
    ///
    /// # Errors
    /// When a field breaks a rule, or the signing secret is missing or none.
    pub fn from_config(config: &Value, signing: Option<SecretString>) -> Result<Self, ConfigError> {
        let config: WebhookConfig = read(config)?;
        let checked = config.check(signing.as_ref())?;
        Ok(Self { caller: Caller::new(checked, Arc::new(SystemClock), Arc::new(OsEntropy)) })
    }
}

impl Rotate for Webhook {
    fn abilities(&self) -> Abilities {
        Abilities { by_admin: true, ends_sessions: true, proves_refusal: true }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        let data = json!({ "username": username, "secret": null });
        let answer = self.caller.call("test", &self.caller.fresh_id(), data, &[]).await?;
        let mut warnings = self.caller.warnings();
        if answer["ready"] != json!(true) {
            warnings.push("the receiver did not say that it is ready: a test without a secret is answered with {\"ready\": true}".to_owned());
        }
        Ok(Probe { target: format!("webhook at {}", self.caller.url()), warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let (job, secret) = (attempt.idempotency_key, attempt.new);
        let data = json!({ "username": attempt.username, "job": job, "secret": self.caller.carry(secret)? });
        self.caller.call("create", &format!("{job}.create"), data, &[secret]).await?;
        let data = json!({ "username": attempt.username, "job": job });
        self.caller.call("set", &format!("{job}.set"), data, &[secret]).await?;
        Ok(Receipt { method: format!("signed webhook, secret {}", self.caller.manner()) })
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        let data = json!({ "username": username, "secret": self.caller.carry(secret)? });
        let answer = self.caller.call("test", &self.caller.fresh_id(), data, &[secret]).await?;
        match answer["works"] {
            Value::Bool(true) => Ok(Verdict::Works),
            Value::Bool(false) => Ok(Verdict::Refused),
            _ => Err(Failure::not_applied(
                Class::NeedsPerson,
                "webhook test: the receiver must answer with {\"works\": true} or {\"works\": false}",
            )),
        }
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        let data = json!({ "username": username });
        let answer = self.caller.call("finish", &self.caller.fresh_id(), data, &[]).await?;
        Ok(SessionsEnded { count: answer["sessions_ended"].as_u64() })
    }
}
