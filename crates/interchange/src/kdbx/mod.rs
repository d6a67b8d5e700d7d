//! KeePass databases, KDBX 4: read alone, and never more of one than the bounds allow.
//!
//! Written to the published format; the primitives are libraries'. The crate that reads all of
//! KeePass's formats brings a second date library, takes whatever memory the file asks for, and
//! unpacks without a bound.

mod entry;
mod header;
pub(crate) mod kdf;
mod key;
mod payload;
mod xml;

use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Unlock;
use crate::error::ReadError;
use crate::format::Format;
use crate::item::Reading;
use crate::limits::Limits;
use header::Header;

const FORMAT: Format = Format::Kdbx;

/// How every KeePass 2 database begins.
pub(crate) const SIGNATURE: [u8; 8] = [0x03, 0xD9, 0xA2, 0x9A, 0x67, 0xFB, 0x4B, 0xB5];

pub(crate) fn read(
    bytes: &[u8],
    unlock: &Unlock,
    reading: &mut Reading,
    limits: &Limits,
) -> Result<(), ReadError> {
    let (header, rest) = Header::read(bytes)?;
    let composite = key::composite(unlock)?;
    let transformed = header.kdf.derive(&composite, limits)?;
    let keys = Keys::of(&header.master_seed, &transformed);
    let (digest, rest) = rest.split_first_chunk::<32>().ok_or_else(cut_short)?;
    let (tag, blocks) = rest.split_first_chunk::<32>().ok_or_else(cut_short)?;
    if Sha256::digest(header.bytes)[..] != digest[..] {
        return Err(ReadError::malformed(FORMAT, "its header was altered"));
    }
    if !bool::from(keys.tag_of(u64::MAX, &[header.bytes])[..].ct_eq(&tag[..])) {
        return Err(ReadError::WrongKey);
    }
    let plain = payload::open(blocks, &header, &keys, limits)?;
    let (mut stream, text) = payload::inner(&plain)?;
    xml::read(text, &mut stream, reading, limits)
}

/// What the key and the header's seed give.
struct Keys {
    cipher: Zeroizing<[u8; 32]>,
    blocks: Zeroizing<[u8; 64]>,
}

impl Keys {
    fn of(seed: &[u8; 32], transformed: &[u8; 32]) -> Self {
        let cipher = Sha256::new().chain_update(seed).chain_update(transformed).finalize();
        let blocks = Sha512::new().chain_update(seed).chain_update(transformed).chain_update([1]).finalize();
        Self { cipher: Zeroizing::new(cipher.into()), blocks: Zeroizing::new(blocks.into()) }
    }

    /// The tag of a block, or of the header, which counts as the last of all blocks.
    fn tag_of(&self, index: u64, parts: &[&[u8]]) -> [u8; 32] {
        use hmac::{Hmac, KeyInit, Mac};
        let key = Sha512::new().chain_update(index.to_le_bytes()).chain_update(&self.blocks[..]).finalize();
        let key = Zeroizing::new(<[u8; 64]>::from(key));
        let mut mac = Hmac::<Sha256>::new_from_slice(&key[..]).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

fn cut_short() -> ReadError {
    ReadError::malformed(FORMAT, "it ends in the middle")
}

/// Takes `count` bytes off the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], ReadError> {
    let (front, rest) = bytes.split_at_checked(count).ok_or_else(cut_short)?;
    *bytes = rest;
    Ok(front)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], ReadError> {
    let (front, rest) = bytes.split_first_chunk::<N>().ok_or_else(cut_short)?;
    *bytes = rest;
    Ok(*front)
}

/// A length of four bytes.
fn take_length(bytes: &mut &[u8]) -> Result<usize, ReadError> {
    usize::try_from(u32::from_le_bytes(take_array(bytes)?)).map_err(|_| cut_short())
}
