//! The payload: signed blocks, a cipher, perhaps gzip, and a header of its own.

use std::io::Read;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::header::{Cipher, Header};
use super::{FORMAT, Keys, take, take_array, take_length};
use crate::error::ReadError;
use crate::limits::Limits;

/// The payload in the clear, unpacked.
pub(super) fn open(
    mut rest: &[u8],
    header: &Header<'_>,
    keys: &Keys,
    limits: &Limits,
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let altered = || ReadError::malformed(FORMAT, "it was altered or damaged");
    let mut sealed = Zeroizing::new(Vec::with_capacity(rest.len()));
    for index in 0.. {
        let tag = take_array::<32>(&mut rest)?;
        let size = rest.get(..4).unwrap_or_default();
        let length = take_length(&mut rest)?;
        let data = take(&mut rest, length)?;
        let expected = keys.tag_of(index, &[&index.to_le_bytes(), size, data]);
        if !bool::from(expected[..].ct_eq(&tag[..])) {
            return Err(altered());
        }
        if data.is_empty() {
            break;
        }
        sealed.extend_from_slice(data);
    }
    match header.cipher {
        Cipher::Aes256 => {
            let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&keys.cipher[..], header.iv);
            let length = cipher
                .map_err(|_| altered())?
                .decrypt_padded::<Pkcs7>(&mut sealed)
                .map_err(|_| altered())?
                .len();
            sealed.truncate(length);
        }
        Cipher::ChaCha20 => {
            let cipher = ChaCha20::new_from_slices(&keys.cipher[..], header.iv);
            cipher.map_err(|_| altered())?.apply_keystream(&mut sealed);
        }
    }
    if header.is_packed { unpack(&sealed, limits) } else { Ok(sealed) }
}

fn unpack(packed: &[u8], limits: &Limits) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let limit = limits.unpacked_bytes;
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Zeroizing::new(Vec::with_capacity(packed.len().saturating_mul(4).min(limit)));
    flate2::read::GzDecoder::new(packed)
        .take(bound)
        .read_to_end(&mut plain)
        .map_err(|_| ReadError::malformed(FORMAT, "its compressed content is damaged"))?;
    if plain.len() > limit {
        return Err(ReadError::TooLarge { what: "the unpacked database", limit });
    }
    Ok(plain)
}

/// The stream that protected values are read with, in the order in which they stand, and the XML.
pub(super) fn inner(mut rest: &[u8]) -> Result<(ChaCha20, &str), ReadError> {
    let malformed = |why: &str| ReadError::malformed(FORMAT, why);
    let (mut kind, mut key) = (None, None);
    loop {
        let [id] = take_array(&mut rest)?;
        let size = take_length(&mut rest)?;
        let data = take(&mut rest, size)?;
        match id {
            0 => break,
            1 => kind = Some(data),
            2 => key = Some(data),
            // Attached files.
            _ => {}
        }
    }
    let (Some([3, 0, 0, 0]), Some(key)) = (kind, key) else {
        return Err(malformed("its values are protected in a way that we don't know"));
    };
    let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(key)));
    let stream = ChaCha20::new_from_slices(&hash[..32], &hash[32..44]).expect("32 bytes of key, 12 of nonce");
    let text = std::str::from_utf8(rest).map_err(|_| malformed("its XML is not UTF-8"))?;
    Ok((stream, text))
}
