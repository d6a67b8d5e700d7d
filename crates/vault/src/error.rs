//! What goes wrong with keys. No variant holds a key or any part of one.

use std::path::PathBuf;

use crate::keyring::KeyFileError;
use crate::source::TransitFault;

/// Why a key does not open, or a key source cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The wrap was made by another key than the one at hand.
    #[error(
        "the key was wrapped by {wrapped_by}, and this installation's key source is {have}: \
         start with the former source, or recover with the recovery kit"
    )]
    OtherKek {
        /// The key that made the wrap.
        wrapped_by: String,
        /// The key at hand.
        have: String,
    },
    /// Altered or moved.
    #[error(
        "a wrapped key does not open under {kek_id}: it was altered or moved from another workspace; \
         treat it as tampering, and restore the row from a backup"
    )]
    NotOpened {
        /// The key that should have opened it.
        kek_id: String,
    },
    /// A wrap of another version of Latchkey, or none.
    #[error("a wrapped key begins with {found}, which this version of Latchkey does not know")]
    UnknownFormat {
        /// Its first bytes.
        found: String,
    },
    /// The kit is another installation's.
    #[error(
        "the recovery kit {kit} is not the one that this key was sealed for ({sealed_for}): look for the kit with that number"
    )]
    OtherKit {
        /// The id of the kit at hand.
        kit: String,
        /// The id of the kit that is needed.
        sealed_for: String,
    },
    /// The source has no key.
    #[error("there is no key: the key source needs {what}")]
    NotGiven {
        /// What it needs.
        what: String,
    },
    /// What was given is no key.
    #[error(
        "{place} holds no key: it must be 32 random bytes in hexadecimal digits or base64, as `openssl rand -hex 32` prints them"
    )]
    NotAKey {
        /// Where it was looked for.
        place: String,
    },
    /// A new passphrase is too short.
    #[error("the passphrase is too short: use at least {least} characters, best some random words")]
    ShortPassphrase {
        /// The least length.
        least: usize,
    },
    /// Argon2 parameters that are not taken.
    #[error(
        "the Argon2 parameters beside the wrapped keys are out of bounds (at least {least_mib} MiB, {least_rounds} rounds and 16 bytes of salt): they were altered; restore keys/root.sealed from a backup"
    )]
    WeakStretch {
        /// The least memory.
        least_mib: u32,
        /// The least number of rounds.
        least_rounds: u32,
    },
    /// A wrong passphrase, as far as can be told.
    #[error("this passphrase opens none of the wrapped keys: try again")]
    WrongPassphrase,
    /// The service did not do it.
    #[error("the transit service {service} was asked in vain: {fault}")]
    Transit {
        /// Its address and the key's name.
        service: String,
        /// What went wrong.
        fault: TransitFault,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up here: {0}")]
    Tls(String),
    /// The root lies in clear, and the source is another than the file.
    #[error(
        "{path} holds the root key in clear, and the key source is {want}: move the keys there with `latchkey vault rotate-keys`, or start with `file`"
    )]
    StillInClear {
        /// The root key file.
        path: PathBuf,
        /// The source that is wanted.
        want: String,
    },
    /// The root is wrapped, and by none of the keys at hand.
    #[error(
        "{path} is wrapped by {wrapped_by}, and the key source is {want}: start with that source, or recover with the recovery kit"
    )]
    OtherSource {
        /// The file of wrapped roots.
        path: PathBuf,
        /// The keys that wrap it.
        wrapped_by: String,
        /// The source, or its key.
        want: String,
    },
    /// A file that is not as it was written.
    #[error("{path} was altered or is of another version of Latchkey: restore it from a backup")]
    Altered {
        /// The file.
        path: PathBuf,
    },
}

impl KeyError {
    pub(crate) fn unknown_format(wrapped: &[u8]) -> Self {
        Self::UnknownFormat { found: data_encoding::HEXLOWER.encode(&wrapped[..wrapped.len().min(2)]) }
    }
}
