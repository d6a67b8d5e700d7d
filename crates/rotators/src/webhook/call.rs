//! One signed call, and what its answer means.

use std::fmt;
use std::sync::Arc;

use latchkey_kernel::{Clock, Entropy};
use latchkey_rotation::{Class, Failure, Outcome};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::config::Checked;
use crate::http::{Outgoing, Session, Trouble};
use crate::recipe::Known;

#[derive(Clone)]
pub(super) struct Caller {
    checked: Checked,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// How a receiver says that it cannot: `{"error": "policy", "applied": false}`.
#[derive(Debug, Deserialize)]
struct Said {
    error: Class,
    applied: Option<bool>,
}

impl Caller {
    pub(super) fn new(checked: Checked, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { checked, clock, entropy }
    }

    pub(super) fn url(&self) -> &str {
        self.checked.url.as_str()
    }

    pub(super) fn manner(&self) -> &'static str {
        if self.checked.key.is_some() { "sealed to the receiver" } else { "in clear" }
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.checked.key.is_none() {
            warnings.push("secrets travel in clear within TLS: whatever ends TLS can read them".to_owned());
        }
        if self.checked.url.scheme() == "http" {
            warnings.push("calls travel without TLS; only this machine may be called so".to_owned());
        }
        warnings
    }

    /// An id for a call that is its own cause.
    pub(super) fn fresh_id(&self) -> String {
        let bytes: [u8; 16] = self.entropy.bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The secret as it travels.
    pub(super) fn carry(&self, secret: &SecretString) -> Result<Value, Failure> {
        match &self.checked.key {
            None => Ok(json!({ "plain": secret.expose_secret() })),
            Some(key) => key.seal(secret).map(|sealed| json!({ "sealed": sealed })).ok_or_else(|| {
                Failure::not_applied(Class::NeedsPerson, "the secret cannot be sealed to the receiver's key")
            }),
        }
    }

    /// Calls `rotation.{step}`. Only `set` can leave it open whether something changed.
    pub(super) async fn call(
        &self,
        step: &str,
        id: &str,
        data: Value,
        secrets: &[&SecretString],
    ) -> Result<Value, Failure> {
        let fail = |class, outcome, what: &str| {
            let message = format!("webhook {step} at {}: {what}", self.checked.url);
            Failure { class, outcome, message, evidence: None }
        };
        let now = self.clock.now();
        let message =
            json!({ "type": format!("rotation.{step}"), "timestamp": now.to_string(), "data": data });
        let body = Zeroizing::new(message.to_string().into_bytes());
        let headers = self.headers(id, now.as_millis().div_euclid(1_000), &body).ok_or_else(|| {
            fail(Class::NeedsPerson, Outcome::NotApplied, "the job's key cannot be sent as a header")
        })?;
        let Checked { url, origins, network, tls, limits, .. } = &self.checked;
        let mut session = Session::new(network, tls, origins.clone(), *limits)
            .map_err(|_| fail(Class::NeedsPerson, Outcome::NotApplied, "no HTTP client can be made"))?;
        let out =
            Outgoing { method: Method::POST, url: url.clone(), headers, body: Some(body), follow: false };
        let may_have = |sent| if sent && step == "set" { Outcome::Unknown } else { Outcome::NotApplied };
        let answer = session
            .send(out, &Known::of(secrets.iter().copied()))
            .await
            .map_err(|Trouble { sent, class, what }| fail(class, may_have(sent), &what))?;
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body).map_err(|_| {
                fail(Class::NeedsPerson, may_have(true), "the answer is no JSON; an empty one is {}")
            });
        }
        let said = serde_json::from_slice::<Said>(&answer.body).ok();
        let class = match (&said, answer.status) {
            (Some(said), _) => said.error,
            (None, 401 | 403) => Class::Auth,
            (None, 408 | 429 | 500..) => Class::Transient,
            _ => Class::NeedsPerson,
        };
        // A refusal with a reason changed nothing, unless the receiver says that it did.
        let outcome = match said.and_then(|said| said.applied.or(Some(false))) {
            Some(false) if answer.status < 500 => Outcome::NotApplied,
            _ => may_have(true),
        };
        Err(fail(class, outcome, &format!("answered with status {}", answer.status)))
    }

    fn headers(&self, id: &str, seconds: i64, body: &[u8]) -> Option<HeaderMap> {
        let mut signature = HeaderValue::from_str(&self.checked.signing.sign(id, seconds, body)?).ok()?;
        signature.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("webhook-id"), id.parse().ok()?);
        headers.insert(HeaderName::from_static("idempotency-key"), id.parse().ok()?);
        headers.insert(HeaderName::from_static("webhook-timestamp"), seconds.into());
        headers.insert(HeaderName::from_static("webhook-signature"), signature);
        Some(headers)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("checked", &self.checked).finish_non_exhaustive()
    }
}
