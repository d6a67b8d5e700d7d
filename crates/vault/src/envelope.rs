//! The form of a sealed secret, byte by byte.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 1 | algorithms, 1: item key by AES-256-GCM-SIV, payload by XChaCha20-Poly1305, HKDF-SHA-256 |
//! | 8 | number of the workspace key that wraps the item key |
//! | 12 + 48 | nonce and wrapped item key |
//! | 32 | commitment to the item key |
//! | 24 | nonce of the payload |
//! | 64·n + 16 | the payload, padded to blocks of 64 bytes, and its tag |
//!
//! Only the newest format is written. A rewrap replaces what stands before the commitment; what
//! follows is bound to the place and the item key, never to the workspace key.

pub(crate) const FORMAT: u8 = 1;
pub(crate) const ALGORITHMS: u8 = 1;
pub(crate) const KEY: usize = 32;
pub(crate) const TAG: usize = 16;
pub(crate) const WRAP_NONCE: usize = 12;
pub(crate) const WRAPPED: usize = KEY + TAG;
pub(crate) const COMMITMENT: usize = 32;
pub(crate) const NONCE: usize = 24;
/// Where the commitment begins: what stands before is the wrap.
pub(crate) const WRAP_END: usize = 2 + 8 + WRAP_NONCE + WRAPPED;
pub(crate) const BODY_START: usize = WRAP_END + COMMITMENT + NONCE;
/// Payloads are padded to multiples of this, so that their length does not tell a password's.
pub(crate) const BLOCK: usize = 64;
/// What ends the payload and begins the padding; zeros follow (ISO/IEC 7816-4).
const END: u8 = 0x80;

/// Why a sealed secret does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Written by a newer Latchkey, or no sealed secret at all.
    #[error(
        "a sealed secret has format {format}, algorithms {algorithms}, which this version of Latchkey does not know (it reads format 1, algorithms 1): run the version that wrote it"
    )]
    UnknownFormat {
        /// The first byte.
        format: u8,
        /// The second byte.
        algorithms: u8,
    },
    /// Shorter than the shortest, or cut.
    #[error("a sealed secret of {length} bytes is cut off: restore the row from a backup")]
    Cut {
        /// How long it is.
        length: usize,
    },
    /// Another workspace key than the given one wraps it.
    #[error("a secret that is sealed under workspace key {sealed_under} was to be opened with key {given}")]
    OtherKey {
        /// The number in its header.
        sealed_under: i64,
        /// The number of the key that was given.
        given: i64,
    },
    /// Altered, or moved from another workspace, account, secret, version or kind.
    #[error(
        "a sealed secret does not open where it stands: it was altered, or moved from another place; \
         treat it as tampering, and restore the row from a backup"
    )]
    AlteredOrMoved,
}

/// A sealed secret taken apart.
pub(crate) struct Sealed<'a> {
    pub(crate) number: i64,
    pub(crate) wrap_nonce: &'a [u8; WRAP_NONCE],
    pub(crate) wrapped: &'a [u8; WRAPPED],
    pub(crate) commitment: &'a [u8; COMMITMENT],
    pub(crate) nonce: &'a [u8; NONCE],
    /// Padded payload without its tag.
    pub(crate) body: &'a [u8],
    pub(crate) tag: &'a [u8; TAG],
}

impl<'a> Sealed<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, OpenError> {
        Self::take_apart(bytes, known_format(bytes)?).ok_or(OpenError::Cut { length: bytes.len() })
    }

    fn take_apart(bytes: &'a [u8], rest: &'a [u8]) -> Option<Self> {
        let (number, rest) = rest.split_first_chunk()?;
        let (wrap_nonce, rest) = rest.split_first_chunk()?;
        let (wrapped, rest) = rest.split_first_chunk()?;
        let (commitment, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (body, tag) = rest.split_last_chunk()?;
        debug_assert_eq!(body.len() + BODY_START + TAG, bytes.len());
        let number = i64::from_be_bytes(*number);
        let whole_blocks = !body.is_empty() && body.len().is_multiple_of(BLOCK);
        whole_blocks.then_some(Self { number, wrap_nonce, wrapped, commitment, nonce, body, tag })
    }
}

/// The number of the workspace key that a sealed secret needs.
///
/// # Errors
/// When it is of an unknown format or cut.
pub fn key_number(sealed: &[u8]) -> Result<i64, OpenError> {
    Ok(Sealed::read(sealed)?.number)
}

/// What follows the two bytes that name the form.
fn known_format(bytes: &[u8]) -> Result<&[u8], OpenError> {
    match bytes {
        [FORMAT, ALGORITHMS, rest @ ..] => Ok(rest),
        [format, algorithms, ..] => {
            Err(OpenError::UnknownFormat { format: *format, algorithms: *algorithms })
        }
        _ => Err(OpenError::Cut { length: bytes.len() }),
    }
}

/// How long a payload of `length` bytes is with its padding: at least one byte marks its end.
pub(crate) const fn padded(length: usize) -> usize {
    (length / BLOCK + 1) * BLOCK
}

/// Pads what stands in `out` from `start` on.
pub(crate) fn pad(out: &mut Vec<u8>, start: usize) {
    let end = start + padded(out.len() - start);
    out.push(END);
    out.resize(end, 0);
}

/// How long the payload in a padded block is.
pub(crate) fn unpadded(block: &[u8]) -> Option<usize> {
    let end = block.iter().rposition(|byte| *byte != 0)?;
    (block[end] == END).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_comes_off_whatever_the_payload_ends_in() {
        for length in [0, 1, 62, 63, 64, 65, 127, 128] {
            for last in [0, END, 7] {
                let payload = vec![last; length];
                let mut block = payload.clone();
                pad(&mut block, 0);
                assert_eq!((block.len() % BLOCK, block.len()), (0, padded(length)));
                assert_eq!(unpadded(&block), Some(length), "{length} bytes of {last}");
            }
        }
        assert_eq!(unpadded(&[0; BLOCK]), None);
        assert_eq!(unpadded(&[1; BLOCK]), None);
    }

    #[test]
    fn an_unknown_format_is_told_from_a_cut_one() {
        assert_eq!(key_number(&[2, 1, 0]), Err(OpenError::UnknownFormat { format: 2, algorithms: 1 }));
        assert_eq!(key_number(&[1, 9, 0]), Err(OpenError::UnknownFormat { format: 1, algorithms: 9 }));
        assert_eq!(key_number(&[1]), Err(OpenError::Cut { length: 1 }));
        assert_eq!(key_number(&[1, 1, 0]), Err(OpenError::Cut { length: 3 }));
        assert!(OpenError::UnknownFormat { format: 2, algorithms: 1 }.to_string().contains("format 2"));
    }
}
