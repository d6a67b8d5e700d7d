//! A key-encryption key that this process holds: from a file, a variable, a credential or a passphrase.

use std::future::ready;

use aes::Aes256;
use aes_gcm_siv::AesGcmSiv;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use hkdf::Hkdf;
use latchkey_kernel::Entropy;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Answer, Kek};
use crate::envelope::{KEY, TAG, WRAP_NONCE, WRAPPED};
use crate::error::KeyError;

/// The format byte of a wrap, then its algorithm: AES-256-GCM-SIV.
const FORM: [u8; 2] = [1, 1];

/// A key in this process's memory. Wiped when dropped.
pub struct LocalKek {
    id: String,
    cipher: Box<AesGcmSiv<Aes256>>,
}

impl LocalKek {
    /// The wrapping key of a source. Its id names the source and commits to the key.
    pub fn new(source: &str, secret: &Zeroizing<[u8; KEY]>) -> Self {
        let expand = |label: &[u8], out: &mut [u8]| {
            Hkdf::<Sha256>::new(Some(b"latchkey kek 1"), &secret[..])
                .expand(label, out)
                .expect("a few bytes are within HKDF's bound");
        };
        let mut commitment = [0; 16];
        expand(b"id", &mut commitment);
        let mut key = Zeroizing::new([0; KEY]);
        expand(b"wrap", &mut key[..]);
        let cipher = Box::new(AesGcmSiv::new((&*key).into()));
        Self { id: format!("{source}-{}", data_encoding::HEXLOWER.encode(&commitment)), cipher }
    }

    fn open(&self, bound: &[u8], wrapped: &[u8]) -> Result<Zeroizing<[u8; KEY]>, KeyError> {
        let opened = || {
            let (nonce, rest) = wrapped.strip_prefix(&FORM)?.split_first_chunk::<WRAP_NONCE>()?;
            let rest: &[u8; WRAPPED] = rest.try_into().ok()?;
            let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
            let mut key = Zeroizing::new([0; KEY]);
            key.copy_from_slice(ciphertext);
            self.cipher
                .decrypt_inout_detached(nonce.into(), bound, key.as_mut_slice().into(), tag.into())
                .ok()?;
            Some(key)
        };
        match wrapped {
            [1, 1, ..] => opened().ok_or_else(|| KeyError::NotOpened { kek_id: self.id.clone() }),
            _ => Err(KeyError::unknown_format(wrapped)),
        }
    }
}

impl Kek for LocalKek {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap<'a>(
        &'a self,
        bound: &'a [u8],
        key: &'a [u8; KEY],
        entropy: &'a dyn Entropy,
    ) -> Answer<'a, Vec<u8>> {
        let nonce = entropy.bytes::<WRAP_NONCE>();
        let mut out = Vec::with_capacity(FORM.len() + WRAP_NONCE + WRAPPED);
        out.extend_from_slice(&FORM);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(key);
        let start = FORM.len() + WRAP_NONCE;
        let tag = self
            .cipher
            .encrypt_inout_detached((&nonce).into(), bound, (&mut out[start..]).into())
            .expect("wrapping 32 bytes does not fail");
        out.extend_from_slice(&tag);
        Box::pin(ready(Ok(out)))
    }

    fn unwrap<'a>(&'a self, bound: &'a [u8], wrapped: &'a [u8]) -> Answer<'a, Zeroizing<[u8; KEY]>> {
        Box::pin(ready(self.open(bound, wrapped)))
    }
}

/// A key as a variable holds it: 64 hexadecimal digits, or 32 bytes in base64.
pub(crate) fn key_from_variable(text: &str) -> Option<Zeroizing<[u8; KEY]>> {
    let text = text.trim().as_bytes();
    let bytes = match text.len() {
        64 => data_encoding::HEXLOWER_PERMISSIVE.decode(text),
        43 => data_encoding::BASE64_NOPAD.decode(text),
        _ => data_encoding::BASE64.decode(text),
    };
    let bytes = Zeroizing::new(bytes.ok()?);
    let mut key = Zeroizing::new([0; KEY]);
    key.copy_from_slice(Some(&bytes[..]).filter(|bytes| bytes.len() == KEY)?);
    Some(key)
}

/// A key as a credential holds it: the same, or the 32 bytes themselves.
pub(crate) fn key_from_credential(bytes: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
    if let Ok(key) = <&[u8; KEY]>::try_from(bytes) {
        return Some(Zeroizing::new(*key));
    }
    key_from_variable(std::str::from_utf8(bytes).ok()?)
}
