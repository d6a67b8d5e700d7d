//! Values of secrets: what each kind takes, and how they are sealed and opened.

use std::fmt;

use latchkey_access::secret::{SealedValue, Secret, SecretKind};
use latchkey_access::secrets as rules;
use latchkey_access::{Actor, refusal::Refusal};
use latchkey_kernel::id::{AccountId, WorkspaceId};
use latchkey_vault::totp::Totp;
use latchkey_vault::{OpenError, Place, value_digest};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{Engine, Error};

/// How long a password, key or note may be, in bytes.
const TEXT_MAX: usize = 64 * 1_024;
/// How large a file may be, in bytes.
const FILE_MAX: usize = 1_024 * 1_024;
/// How many recovery codes there may be.
const CODES_MAX: usize = 100;

/// The plain value of a secret. Wiped from memory when dropped, and shown nowhere by itself.
pub struct Value(Zeroizing<Vec<u8>>);

impl Value {
    /// The value of these bytes.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes, for who hands them on.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, for who hands it on; `None` for a file that is no text.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    fn text(&self) -> Result<&str, Refusal> {
        self.expose_text().ok_or(Refusal::BadValue { what: "the value must be text in UTF-8" })
    }

    /// The value in the form in which its kind is sealed.
    pub(crate) fn checked(&self, kind: SecretKind) -> Result<Self, Error> {
        let max = if kind == SecretKind::Attachment { FILE_MAX } else { TEXT_MAX };
        if self.0.is_empty() {
            return Err(Refusal::BadValue { what: "the value is empty; give one" }.into());
        }
        if self.0.len() > max {
            let what = if kind == SecretKind::Attachment {
                "a file may have 1 MiB at most; keep a larger one elsewhere and its key here"
            } else {
                "the value may have 64 KiB at most"
            };
            return Err(Refusal::BadValue { what }.into());
        }
        let kept = match kind {
            SecretKind::Attachment => self.0.clone(),
            SecretKind::Totp => {
                // The error names the part that is wrong and never the seed.
                let totp = Totp::parse(self.text()?).map_err(|error| Error::Invalid(error.to_string()))?;
                Zeroizing::new(totp.to_uri().expose_secret().as_bytes().to_vec())
            }
            SecretKind::RecoveryCodes => codes_kept(self.text()?)?,
            SecretKind::Password | SecretKind::SshKey | SecretKind::Note | SecretKind::ApiKey => {
                self.text()?;
                self.0.clone()
            }
        };
        Ok(Self(kept))
    }

    /// The recovery codes of a value that was kept.
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.expose_text().map(|text| text.lines().collect()).unwrap_or_default()
    }
}

impl From<&SecretString> for Value {
    fn from(text: &SecretString) -> Self {
        Self(Zeroizing::new(text.expose_secret().as_bytes().to_vec()))
    }
}

/// Shows nothing.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(***)")
    }
}

/// One code a line, as people paste them: with commas, blanks or lines between.
fn codes_kept(text: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let codes = || text.split(|c: char| c == ',' || c.is_whitespace()).filter(|code| !code.is_empty());
    match codes().count() {
        0 => Err(Refusal::BadValue { what: "there is no recovery code in this; give one a line" }),
        1..=CODES_MAX => {
            let mut kept = Zeroizing::new(Vec::with_capacity(text.len() + 1));
            for code in codes() {
                if !kept.is_empty() {
                    kept.push(b'\n');
                }
                kept.extend_from_slice(code.as_bytes());
            }
            Ok(kept)
        }
        _ => Err(Refusal::BadValue { what: "at most 100 recovery codes are kept together" }),
    }
}

/// Where a version of a secret stands, as its ciphertext is bound to it.
pub(crate) fn place(workspace: WorkspaceId, secret: &Secret, version: i64) -> Place {
    at(workspace, (secret.account_id, secret.id), version, secret.kind)
}

pub(crate) fn at(
    workspace: WorkspaceId,
    (account, secret): (AccountId, latchkey_kernel::id::SecretId),
    version: i64,
    kind: SecretKind,
) -> Place {
    Place { workspace, account, secret, version, kind: sealed_kind(kind) }
}

/// The vault is a room that knows nothing of the rules; the words are the same.
const fn sealed_kind(kind: SecretKind) -> latchkey_vault::SecretKind {
    match kind {
        SecretKind::Password => latchkey_vault::SecretKind::Password,
        SecretKind::Totp => latchkey_vault::SecretKind::Totp,
        SecretKind::RecoveryCodes => latchkey_vault::SecretKind::RecoveryCodes,
        SecretKind::SshKey => latchkey_vault::SecretKind::SshKey,
        SecretKind::Note => latchkey_vault::SecretKind::Note,
        SecretKind::ApiKey => latchkey_vault::SecretKind::ApiKey,
        SecretKind::Attachment => latchkey_vault::SecretKind::Attachment,
    }
}

/// Seals a checked value as this version of a secret, under the workspace's present key.
pub(crate) async fn seal(
    engine: &Engine,
    secret: &Secret,
    version: i64,
    value: &Value,
) -> Result<SealedValue, Error> {
    let workspace = secret.workspace_id;
    let key = engine.vault(workspace).await?;
    Ok(SealedValue {
        version,
        key_number: key.number(),
        digest: value_digest(engine.keys(), workspace, secret.account_id, &value.0),
        sealed: key.seal(&place(workspace, secret, version), &value.0, engine.entropy()),
    })
}

/// Opens a stored version. One that doesn't open where it stands was altered or moved: that is an
/// alarm and a record in the audit log, and no value.
pub(crate) async fn open(engine: &Engine, secret: &Secret, version: i64) -> Result<Value, Error> {
    let workspace = secret.workspace_id;
    let sealed = engine.store().secret_sealed(workspace, secret.id, version).await?;
    let sealed = sealed.ok_or(Error::NotFound { what: "version" })?;
    let opened = match latchkey_vault::key_number(&sealed) {
        Err(error) => Err(error),
        Ok(number) => match engine.key(workspace, number).await? {
            Some(key) => key.open(&place(workspace, secret, version), &sealed),
            // No key of this workspace: it comes from elsewhere.
            None => Err(OpenError::AlteredOrMoved),
        },
    };
    match opened {
        Ok(plain) => Ok(Value(plain)),
        Err(error) => Err(alarm(engine, secret, version, error).await),
    }
}

/// Raises the alarm for a version that does not open.
pub(crate) async fn alarm(engine: &Engine, secret: &Secret, version: i64, error: OpenError) -> Error {
    tracing::error!(
        workspace = %secret.workspace_id, account = %secret.account_id, secret = %secret.id, version, %error,
        "a stored secret does not open where it stands"
    );
    metrics::counter!("latchkey_secrets_tampered_total").increment(1);
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    let account = engine.store().account_get(secret.workspace_id, secret.account_id).await;
    if let Ok(Some(account)) = account {
        let changes = rules::tampered(&account, secret, version, &cause, engine.ids(&cause));
        if let Err(failed) = engine.store().commit(changes).await {
            tracing::error!(error = &failed as &dyn std::error::Error, "the alarm could not be recorded");
        }
    }
    Error::Tampered { source: error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: SecretKind, text: &[u8]) -> Result<Vec<u8>, String> {
        let value = Value(Zeroizing::new(text.to_vec())).checked(kind);
        value.map(|value| value.0.to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn both_rooms_have_the_same_words_for_kinds() {
        let words: Vec<_> = SecretKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let sealed: Vec<_> = SecretKind::ALL.iter().map(|kind| sealed_kind(*kind).as_str()).collect();
        assert_eq!(words, sealed);
        assert_eq!(words.len(), latchkey_vault::SecretKind::ALL.len());
    }

    #[test]
    fn each_kind_takes_what_it_is_for_and_no_refusal_repeats_the_value() {
        assert_eq!(checked(SecretKind::Password, b" pass word "), Ok(b" pass word ".to_vec()));
        assert_eq!(
            checked(SecretKind::RecoveryCodes, b"aa-1, bb-2\r\n\ncc-3 "),
            Ok(b"aa-1\nbb-2\ncc-3".to_vec())
        );
        assert_eq!(checked(SecretKind::Attachment, &[0, 255]), Ok(vec![0, 255]));
        assert!(checked(SecretKind::Totp, b"JBSWY3DPEHPK3PXP").unwrap().starts_with(b"otpauth://totp/"));
        let long = vec![b'x'; TEXT_MAX + 1];
        for (kind, text) in [
            (SecretKind::Password, &b""[..]),
            (SecretKind::Note, &long),
            (SecretKind::ApiKey, &[0xff, b'c', b'a', b'n', b'a', b'r', b'y']),
            (SecretKind::Totp, b"canary!"),
            (SecretKind::Totp, b"otpauth://totp/x?secret=canary1"),
            (SecretKind::RecoveryCodes, b" ,\n"),
        ] {
            let refused = checked(kind, text).unwrap_err();
            assert!(!refused.contains("canary"), "{refused}");
        }
        let file = vec![0; FILE_MAX + 1];
        assert!(checked(SecretKind::Attachment, &file).is_err());
        assert!(checked(SecretKind::Attachment, &file[1..]).is_ok());
    }
}
