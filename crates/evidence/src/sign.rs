//! Signatures: a report as bytes, and whether they are those that were signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::Report;

/// Signs reports of one installation.
pub struct Signer {
    key: SigningKey,
}

/// A report with its signature, as it is handed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    /// The report.
    pub report: Report,
    /// Over the report's canonical form.
    pub signature: Signature,
}

/// A signature and what it is checked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `Ed25519` (RFC 8032).
    pub algorithm: String,
    /// Of the report's canonical form: its JSON without blanks, fields in the order of the format.
    pub sha256: String,
    /// The public key, in Base64.
    pub public_key: String,
    /// The signature, in Base64.
    pub value: String,
}

/// Why a report cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Key or signature are no such things.
    #[error("the signature cannot be read; the file was cut or altered")]
    Unreadable,
    /// The report is not what was signed.
    #[error("the report was altered after it was signed")]
    Altered,
    /// Another installation signed it.
    #[error(
        "the report was signed with another key than the one that was expected; compare the key's fingerprint with the one that the installation shows"
    )]
    OtherKey,
}

impl Signer {
    /// The signer whose key is made of these bytes, which are secret.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// The public key's fingerprint, to be compared by people.
    pub fn fingerprint(&self) -> String {
        fingerprint(self.key.verifying_key().as_bytes())
    }

    /// Signs a report.
    pub fn sign(&self, report: Report) -> Signed {
        let bytes = canonical(&report);
        let signature = Signature {
            algorithm: "Ed25519".to_owned(),
            sha256: hex(&Sha256::digest(&bytes)),
            public_key: STANDARD.encode(self.key.verifying_key().as_bytes()),
            value: STANDARD.encode(self.key.sign(&bytes).to_bytes()),
        };
        Signed { report, signature }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.fingerprint())
    }
}

impl Signed {
    /// The fingerprint of the key that it says it was signed with.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn fingerprint(&self) -> Result<String, SignatureError> {
        let key = STANDARD.decode(&self.signature.public_key).map_err(|_| SignatureError::Unreadable)?;
        Ok(fingerprint(&key))
    }
}

/// Whether a report is what was signed; with `expected`, whether by the key of this fingerprint.
///
/// # Errors
/// Why it cannot be trusted.
pub fn verify(signed: &Signed, expected: Option<&str>) -> Result<(), SignatureError> {
    let unreadable = |_| SignatureError::Unreadable;
    let decode = |text: &str| STANDARD.decode(text).map_err(unreadable);
    let key: [u8; 32] =
        decode(&signed.signature.public_key)?.try_into().map_err(|_| SignatureError::Unreadable)?;
    let value: [u8; 64] =
        decode(&signed.signature.value)?.try_into().map_err(|_| SignatureError::Unreadable)?;
    let key = VerifyingKey::from_bytes(&key).map_err(|_| SignatureError::Unreadable)?;
    let bytes = canonical(&signed.report);
    key.verify_strict(&bytes, &ed25519_dalek::Signature::from_bytes(&value))
        .map_err(|_| SignatureError::Altered)?;
    match expected {
        Some(expected) if fingerprint(key.as_bytes()) != expected => Err(SignatureError::OtherKey),
        _ => Ok(()),
    }
}

/// The bytes that are signed. Every field is written in the order of its declaration, and no map is
/// in it, so there is one form.
fn canonical(report: &Report) -> Vec<u8> {
    serde_json::to_vec(report).unwrap_or_default()
}

fn fingerprint(key: &[u8]) -> String {
    let digest = Sha256::digest(key);
    let groups: Vec<String> = digest[..16].chunks(2).map(hex).collect();
    groups.join(" ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
