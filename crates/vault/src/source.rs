//! Key sources: where the key that wraps all others comes from.

mod local;
mod passphrase;
mod transit;

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;

use latchkey_kernel::Entropy;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::envelope::KEY;
use crate::error::KeyError;

pub use local::LocalKek;
pub(crate) use local::{key_from_credential, key_from_variable};
pub use passphrase::Stretch;
pub use transit::{TransitAddress, TransitFault, TransitKek};

/// What a source's answer is awaited as; boxed, so that the source is chosen at start.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, KeyError>> + Send + 'a>>;

/// A key-encryption key, wherever it lies. What it wraps opens only with the same `bound`.
pub trait Kek: Send + Sync {
    /// Tells this key from any other; kept beside what it wrapped.
    fn id(&self) -> &str;

    /// Wraps a key.
    fn wrap<'a>(
        &'a self,
        bound: &'a [u8],
        key: &'a [u8; KEY],
        entropy: &'a dyn Entropy,
    ) -> Answer<'a, Vec<u8>>;

    /// Unwraps what [`Kek::wrap`] made.
    fn unwrap<'a>(&'a self, bound: &'a [u8], wrapped: &'a [u8]) -> Answer<'a, Zeroizing<[u8; KEY]>>;
}

/// Which source an installation uses, as its configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The root key file in the data folder.
    File,
    /// A key file elsewhere.
    KeyFile(PathBuf),
    /// An environment variable of this name.
    Env(String),
    /// A systemd credential of this name.
    Credential(String),
    /// A passphrase that an operator gives at start.
    Passphrase,
    /// A key of a transit service, which never leaves it.
    Transit(TransitAddress),
}

/// What a source needs from outside; only the binary can ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need<'a> {
    /// An environment variable of this name.
    Variable(&'a str),
    /// The passphrase.
    Passphrase,
    /// The token for the transit service.
    TransitToken,
}

/// Answers what a source needs; `None` where there is nothing.
pub type Given<'a> = &'a (dyn Fn(Need<'_>) -> Option<SecretString> + Send + Sync);

/// The text names no key source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no key source: {why}")]
pub struct KeySourceError {
    text: String,
    why: &'static str,
}

/// The variable in which systemd names the folder of credentials.
pub(crate) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

impl FromStr for KeySource {
    type Err = KeySourceError;

    fn from_str(text: &str) -> Result<Self, KeySourceError> {
        let fail = |why| Err(KeySourceError { text: text.to_owned(), why });
        match text.split_once(':').unwrap_or((text, "")) {
            ("file", "") => Ok(Self::File),
            ("file", path) if path.starts_with('/') => Ok(Self::KeyFile(PathBuf::from(path))),
            ("file", _) => fail("write `file`, or `file:/full/path/of/the.key`"),
            ("env", name) if is_variable(name) => Ok(Self::Env(name.to_owned())),
            ("env", _) => fail("write `env:NAME` with the name of the variable, never the key itself"),
            ("credential", name) if is_credential(name) => Ok(Self::Credential(name.to_owned())),
            ("credential", _) => fail("write `credential:NAME` as in systemd's LoadCredential=NAME:…"),
            ("passphrase", "") => Ok(Self::Passphrase),
            // Whoever wrote the passphrase here must not find it in an error.
            ("passphrase", _) => {
                let text = "passphrase:…".to_owned();
                Err(KeySourceError { text, why: "write `passphrase` alone; the passphrase is asked for" })
            }
            ("transit", address) => address.parse().map(Self::Transit).or_else(fail),
            _ => fail(
                "there are file, file:/PATH, env:NAME, credential:NAME, passphrase and transit:https://HOST:PORT#KEY",
            ),
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("file"),
            Self::KeyFile(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Credential(name) => write!(f, "credential:{name}"),
            Self::Passphrase => f.write_str("passphrase"),
            Self::Transit(address) => write!(f, "transit:{address}"),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

fn is_credential(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c))
}

#[cfg(test)]
mod tests;
