//! The configuration of the connector.

use std::sync::Arc;

use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

use super::sign::{ReceiverKey, SigningKey};
use crate::config::ConfigError;
use crate::http::{Limits, limits};
use crate::network::{Network, tls};
use crate::recipe::{Host, Origins};

/// What an admin gives for a webhook's receiver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where the calls go.
    pub url: String,
    /// How the secret travels.
    pub delivery: Delivery,
    /// What may be reached.
    #[serde(default)]
    pub network: Network,
    /// The longest wait for one answer.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u32,
}

fn timeout_seconds() -> u32 {
    30
}

/// How the secret travels.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivery {
    /// Sealed to this X25519 key of the receiver (base64), so that no proxy or log on the way can
    /// read it.
    SealedTo(String),
    /// In clear, within TLS.
    InClear,
}

/// A configuration that was checked.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) url: Url,
    pub(super) key: Option<ReceiverKey>,
    pub(super) signing: SigningKey,
    pub(super) origins: Origins,
    pub(super) network: Arc<Network>,
    pub(super) tls: rustls::ClientConfig,
    pub(super) limits: Limits,
}

impl WebhookConfig {
    pub(super) fn check(self, signing: Option<&SecretString>) -> Result<Checked, ConfigError> {
        let field = |field: &str, problem: String| ConfigError::new(field, problem);
        let signing = signing.and_then(SigningKey::parse).ok_or_else(|| {
            field(
                "the signing secret",
                "give it as whsec_ and base64 of 24 to 64 bytes; the receiver has the same".into(),
            )
        })?;
        let wrong = || field("url", "an address as https://rotate.example.com/hook".into());
        let url = Url::parse(&self.url).map_err(|_| wrong())?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(field("url", "it must hold no name, no password and no fragment".into()));
        }
        let name = url.host_str().ok_or_else(wrong)?;
        let text = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let host = Host::parse(&text).map_err(|problem| field("url", problem))?;
        let origins = Origins::new(vec![host], self.network.plain_http_on_loopback);
        origins.allow(&url).map_err(|_| {
            field("url", "https; http only on this machine, and with network.plain_http_on_loopback".into())
        })?;
        let key = match &self.delivery {
            Delivery::InClear => None,
            Delivery::SealedTo(text) => Some(ReceiverKey::parse(text).ok_or_else(|| {
                field("delivery.sealed_to", "base64 of the 32 bytes of an X25519 public key".into())
            })?),
        };
        Ok(Checked {
            url,
            key,
            signing,
            origins,
            tls: tls(&self.network)?,
            network: Arc::new(self.network),
            limits: limits(self.timeout_seconds, self.timeout_seconds.clamp(1, 600), 64 << 10)?,
        })
    }
}
