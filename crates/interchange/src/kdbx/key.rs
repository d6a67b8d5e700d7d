//! The key of a database, out of a password, a key file or both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Unlock;
use crate::error::ReadError;

pub(super) fn composite(unlock: &Unlock) -> Result<Zeroizing<[u8; 32]>, ReadError> {
    if unlock.password.is_none() && unlock.key_file.is_none() {
        return Err(ReadError::Locked { or: Some("its key file, or both") });
    }
    let mut hash = Sha256::new();
    if let Some(password) = &unlock.password {
        hash.update(Sha256::digest(password.expose_secret()));
    }
    if let Some(file) = &unlock.key_file {
        hash.update(&key_of(file)[..]);
    }
    Ok(Zeroizing::new(hash.finalize().into()))
}

/// XML of version 1 or 2, 32 bytes as they are, 64 hexadecimal digits, or the hash of any other file.
fn key_of(file: &[u8]) -> Zeroizing<[u8; 32]> {
    let text = std::str::from_utf8(file).unwrap_or_default();
    let key = if text.contains("<KeyFile") {
        of_xml(text)
    } else if let Ok(key) = <[u8; 32]>::try_from(file) {
        Some(Zeroizing::new(key))
    } else {
        of_hex(text)
    };
    key.unwrap_or_else(|| Zeroizing::new(Sha256::digest(file).into()))
}

fn of_xml(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (_, rest) = text.split_once("<Data")?;
    let (data, _) = rest.split_once('>')?.1.split_once("</Data>")?;
    let data: Zeroizing<String> = Zeroizing::new(data.split_whitespace().collect());
    let is_second = text.split_once("<Version>").is_some_and(|(_, rest)| rest.trim_start().starts_with('2'));
    if is_second {
        return of_hex(&data);
    }
    let bytes = Zeroizing::new(STANDARD.decode(data.as_bytes()).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn of_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let digits = text.trim().as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(key)
}
