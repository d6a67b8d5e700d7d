//! Keys and what is sealed under them; one-time codes; generated passwords.
//!
//! ```text
//! key source ([`Kek`]) and recovery key ([`RecoveryKey`])
//!  └─ each wrap   the workspace key ([`WorkspaceKey`]), numbered
//!      └─ wraps    the item key, one for each version of a secret
//!          └─ encrypts   the secret, bound to its [`Place`]
//! ```
//!
//! Beside them stands the [`KeyRing`]: keyed hashes, and sealed tokens. Every sealed text is bound
//! to where it belongs, so that a row moved elsewhere doesn't open (V1). Knows nothing of storage,
//! and nothing of who may open what.
#![warn(missing_docs)]

pub mod backup;
pub mod content;
mod digest;
mod envelope;
mod error;
mod files;
mod folder;
pub mod generate;
mod keyring;
mod keys;
mod place;
mod recovery;
mod seal;
pub mod source;
pub mod totp;
mod workspace_key;

pub use digest::value_digest;
pub use envelope::{OpenError, key_number};
pub use error::KeyError;
pub use folder::{KeyFolder, Opened};
pub use keyring::{KeyFileError, KeyRing, KeyedHasher};
pub use keys::{Keys, WrappedKey};
pub use place::{Place, SecretKind};
pub use recovery::{KitError, RecoveryKey, RecoveryKit};
pub use seal::UnsealError;
pub use source::{Kek, KeySource};
pub use workspace_key::WorkspaceKey;
