//! A key that never leaves its service: the transit engine of Vault and OpenBao.
//!
//! Form of a wrap: one byte of format (1), one of algorithm (2), the service's ciphertext as text.

mod address;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use latchkey_kernel::Entropy;
use reqwest::header::HeaderValue;
use reqwest::{Client, StatusCode, redirect};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::{Answer, Kek};
use crate::envelope::KEY;
use crate::error::KeyError;

pub use address::TransitAddress;

const FORM: [u8; 2] = [1, 2];
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(10);
/// An answer is one ciphertext or one key.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why a transit service did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitFault {
    /// No connection, or one that broke.
    #[error("it cannot be reached ({0}); check the address, the network and its certificate")]
    Unreachable(String),
    /// No answer in time.
    #[error("it did not answer within {} seconds; check its load and the network", TIMEOUT.as_secs())]
    Late,
    /// 403.
    #[error(
        "it refused the token (403): the token needs `update` on encrypt/ and decrypt/ of this key, and may have expired"
    )]
    Forbidden,
    /// 404, or a message that says so.
    #[error(
        "it has no such key or no transit engine there (404): check the name after `#` and the path of the engine"
    )]
    NoKey,
    /// 503.
    #[error("it is sealed or in maintenance (503): unseal it, then try again")]
    Sealed,
    /// It does not open this ciphertext.
    #[error(
        "it does not open this wrap (400): it was made by another key, altered or moved, or the key's old version is gone (min_decryption_version)"
    )]
    NotOpened,
    /// Another status.
    #[error("it answered with status {0}; its log says why")]
    Status(u16),
    /// An answer of another shape.
    #[error("its answer is not that of a transit engine; check the address")]
    BadAnswer,
}

/// A key of a transit service.
pub struct TransitKek {
    id: String,
    address: TransitAddress,
    token: HeaderValue,
    client: Client,
}

impl TransitKek {
    /// The key at this address, used with this token. Asks nothing of the service yet.
    ///
    /// # Errors
    /// When the token cannot be a token, or TLS cannot be set up here.
    pub fn new(address: TransitAddress, token: &SecretString) -> Result<Self, KeyError> {
        Self::with_timeout(address, token, TIMEOUT)
    }

    fn with_timeout(
        address: TransitAddress,
        token: &SecretString,
        timeout: Duration,
    ) -> Result<Self, KeyError> {
        let mut value = HeaderValue::from_str(token.expose_secret().trim())
            .map_err(|_| KeyError::NotGiven { what: "a transit token of printable characters".to_owned() })?;
        value.set_sensitive(true);
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| KeyError::Tls(error.to_string()))?;
        Ok(Self { id: address.kek_id(), address, token: value, client })
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        act: &str,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<T, TransitFault> {
        let url = self.address.url(act);
        let request = self.client.post(url).header("X-Vault-Token", &self.token);
        let request = request.header("X-Vault-Request", "true").header("Content-Type", "application/json");
        // Owned by the request, which wipes it when it is done.
        let body = reqwest::Body::from(bytes::Bytes::from_owner(body));
        let mut response = request.body(body).send().await.map_err(fault)?;
        let status = response.status();
        let mut answer = Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER));
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if answer.len() + chunk.len() > LONGEST_ANSWER {
                return Err(TransitFault::BadAnswer);
            }
            answer.extend_from_slice(&chunk);
        }
        match status {
            StatusCode::OK => {
                let answer: Enveloped<T> =
                    serde_json::from_slice(&answer).map_err(|_| TransitFault::BadAnswer)?;
                Ok(answer.data)
            }
            StatusCode::BAD_REQUEST if has_text(&answer, b"encryption key not found") => {
                Err(TransitFault::NoKey)
            }
            StatusCode::BAD_REQUEST if act == "decrypt" => Err(TransitFault::NotOpened),
            StatusCode::FORBIDDEN => Err(TransitFault::Forbidden),
            StatusCode::NOT_FOUND => Err(TransitFault::NoKey),
            StatusCode::SERVICE_UNAVAILABLE => Err(TransitFault::Sealed),
            status => Err(TransitFault::Status(status.as_u16())),
        }
    }

    async fn wrap_there(&self, bound: &[u8], key: &[u8; KEY]) -> Result<Vec<u8>, TransitFault> {
        let plaintext = Zeroizing::new(BASE64.encode(key));
        let answer: Encrypted = self.ask("encrypt", request("plaintext", &plaintext, bound)).await?;
        if answer.ciphertext.is_empty() {
            return Err(TransitFault::BadAnswer);
        }
        Ok([&FORM, answer.ciphertext.as_bytes()].concat())
    }

    async fn unwrap_there(
        &self,
        bound: &[u8],
        ciphertext: &str,
    ) -> Result<Zeroizing<[u8; KEY]>, TransitFault> {
        let mut answer: Decrypted = self.ask("decrypt", request("ciphertext", ciphertext, bound)).await?;
        let plain = BASE64.decode(answer.plaintext.as_bytes()).map(Zeroizing::new);
        answer.plaintext.zeroize();
        let mut key = Zeroizing::new([0; KEY]);
        match plain {
            Ok(plain) if plain.len() == KEY => key.copy_from_slice(&plain),
            _ => return Err(TransitFault::BadAnswer),
        }
        Ok(key)
    }

    fn failed(&self, fault: TransitFault) -> KeyError {
        KeyError::Transit { service: self.address.to_string(), fault }
    }
}

impl Kek for TransitKek {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap<'a>(&'a self, bound: &'a [u8], key: &'a [u8; KEY], _: &'a dyn Entropy) -> Answer<'a, Vec<u8>> {
        Box::pin(async { self.wrap_there(bound, key).await.map_err(|fault| self.failed(fault)) })
    }

    fn unwrap<'a>(&'a self, bound: &'a [u8], wrapped: &'a [u8]) -> Answer<'a, Zeroizing<[u8; KEY]>> {
        Box::pin(async move {
            let ciphertext = wrapped.strip_prefix(&FORM).and_then(|text| std::str::from_utf8(text).ok());
            let ciphertext = ciphertext.ok_or_else(|| KeyError::unknown_format(wrapped))?;
            self.unwrap_there(bound, ciphertext).await.map_err(|fault| self.failed(fault))
        })
    }
}

#[derive(Deserialize)]
struct Enveloped<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: String,
}

/// The body by hand, into a buffer of its size that is wiped: base64 and `vault:v1:…` need no escapes.
/// The context is for keys with derivation; the others take no notice of it.
fn request(field: &str, value: &str, bound: &[u8]) -> Zeroizing<Vec<u8>> {
    let bound = BASE64.encode(bound);
    let value = Zeroizing::new(serde_json::Value::from(value).to_string());
    let parts =
        ["{\"", field, "\":", &value, ",\"associated_data\":\"", &bound, "\",\"context\":\"", &bound, "\"}"];
    let mut body = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| body.extend_from_slice(part.as_bytes()));
    body
}

fn has_text(answer: &[u8], text: &[u8]) -> bool {
    answer.windows(text.len()).any(|window| window == text)
}

/// The source of an error names hosts and certificates, never bodies or headers.
fn fault(error: reqwest::Error) -> TransitFault {
    if error.is_timeout() {
        return TransitFault::Late;
    }
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    TransitFault::Unreachable(deepest.to_string())
}

/// The certificates that the system trusts.
fn tls() -> Result<ClientConfig, KeyError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| KeyError::Tls(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests;
