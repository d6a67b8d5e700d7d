//! What goes wrong with keys. No variant holds a key or any part of one.

use crate::keyring::KeyFileError;

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
    #[error("a wrapped key has format {found}, which this version of Latchkey does not know")]
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
}
