//! A workspace's key, and the secrets that are sealed under it.
//!
//! Each version of a secret has an item key of its own. The workspace key wraps it (AES-256-GCM-SIV),
//! and two keys are derived from it: one encrypts the payload (XChaCha20-Poly1305), the other is
//! written beside it as a commitment. Neither cipher commits to its key by itself: without the
//! commitment one ciphertext could be made that opens to different texts under different keys.

use std::fmt;

use aes::Aes256;
use aes_gcm_siv::AesGcmSiv;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use hkdf::Hkdf;
use latchkey_kernel::Entropy;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::envelope::{
    ALGORITHMS, BODY_START, COMMITMENT, FORMAT, KEY, NONCE, OpenError, Sealed, TAG, WRAP_END, WRAP_NONCE,
    WRAPPED, pad, padded, unpadded,
};
use crate::place::{Bound, Place};

/// A workspace's key of one number, ready for use. Wiped from memory when dropped.
pub struct WorkspaceKey {
    number: i64,
    key: Box<Zeroizing<[u8; KEY]>>,
    /// The key with its schedule expanded, for it is used at each seal and open.
    cipher: Box<AesGcmSiv<Aes256>>,
}

impl WorkspaceKey {
    /// A fresh key.
    pub(crate) fn fresh(number: i64, entropy: &dyn Entropy) -> Self {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        entropy.fill(&mut key[..]);
        Self::from_bytes(number, key)
    }

    pub(crate) fn from_bytes(number: i64, key: Box<Zeroizing<[u8; KEY]>>) -> Self {
        let cipher = Box::new(AesGcmSiv::new((&**key).into()));
        Self { number, key, cipher }
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY] {
        &self.key
    }

    /// Which of the workspace's keys this is; they count up from 1.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// Seals one version of a secret, under an item key of its own: it opens at this place only.
    pub fn seal(&self, place: &Place, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        // One call for all that is random: asking the operating system costs as much as a cipher.
        let mut random = Zeroizing::new([0; KEY + WRAP_NONCE + NONCE]);
        entropy.fill(&mut random[..]);
        let (item, nonces) = random.split_first_chunk::<KEY>().expect("the lengths add up");
        let (wrap_nonce, nonce) = nonces.split_first_chunk::<WRAP_NONCE>().expect("the lengths add up");
        let nonce: &[u8; NONCE] = nonce.try_into().expect("the lengths add up");

        let derived = Derived::from(item);
        // The exact capacity: a buffer that grew would leave copies of the secret behind.
        let mut out = Vec::with_capacity(BODY_START + padded(plain.len()) + TAG);
        self.wrap_into(&mut out, place, item, wrap_nonce);
        out.extend_from_slice(derived.commitment());
        out.extend_from_slice(nonce);
        out.extend_from_slice(plain);
        pad(&mut out, BODY_START);
        let tag = derived
            .cipher()
            .encrypt_inout_detached(
                nonce.into(),
                payload_bound(place).as_slice(),
                (&mut out[BODY_START..]).into(),
            )
            .expect("sealing fails only beyond 256 GiB");
        out.extend_from_slice(&tag);
        out
    }

    /// Opens what was sealed for this place under this key.
    ///
    /// # Errors
    /// When it was sealed for another place or under another key, was altered in any bit, or is of
    /// an unknown format.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let sealed = Sealed::read(sealed)?;
        let item = self.unwrap_item(place, &sealed)?;
        let derived = Derived::committed(&item, sealed.commitment)?;
        let mut plain = Zeroizing::new(sealed.body.to_vec());
        derived
            .cipher()
            .decrypt_inout_detached(
                sealed.nonce.into(),
                payload_bound(place).as_slice(),
                plain.as_mut_slice().into(),
                sealed.tag.into(),
            )
            .map_err(|_| OpenError::AlteredOrMoved)?;
        let length = unpadded(&plain).ok_or(OpenError::AlteredOrMoved)?;
        plain.truncate(length);
        Ok(plain)
    }

    /// Wraps the item key of what is sealed under `from` with this key; the payload stays as it is.
    ///
    /// # Errors
    /// When `from` does not open the wrap, or the wrap does not belong to the payload.
    pub fn rewrap(
        &self,
        from: &Self,
        place: &Place,
        sealed: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, OpenError> {
        let parts = Sealed::read(sealed)?;
        let item = from.unwrap_item(place, &parts)?;
        Derived::committed(&item, parts.commitment)?;
        let mut out = Vec::with_capacity(sealed.len());
        self.wrap_into(&mut out, place, &item, &entropy.bytes());
        out.extend_from_slice(&sealed[WRAP_END..]);
        Ok(out)
    }

    fn wrap_into(&self, out: &mut Vec<u8>, place: &Place, item: &[u8; KEY], nonce: &[u8; WRAP_NONCE]) {
        out.extend_from_slice(&[FORMAT, ALGORITHMS]);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(nonce);
        let start = out.len();
        out.extend_from_slice(item);
        let tag = self
            .cipher
            .encrypt_inout_detached(
                nonce.into(),
                self.item_bound(place).as_slice(),
                (&mut out[start..]).into(),
            )
            .expect("wrapping 32 bytes does not fail");
        out.extend_from_slice(&tag);
    }

    fn unwrap_item(&self, place: &Place, sealed: &Sealed<'_>) -> Result<Zeroizing<[u8; KEY]>, OpenError> {
        if sealed.number != self.number {
            return Err(OpenError::OtherKey { sealed_under: sealed.number, given: self.number });
        }
        let mut item = Zeroizing::new([0; KEY]);
        let (wrapped, tag) = sealed.wrapped.split_at(WRAPPED - TAG);
        item.copy_from_slice(wrapped);
        let tag: &[u8; TAG] = tag.try_into().expect("the lengths add up");
        self.cipher
            .decrypt_inout_detached(
                sealed.wrap_nonce.into(),
                self.item_bound(place).as_slice(),
                item.as_mut_slice().into(),
                tag.into(),
            )
            .map_err(|_| OpenError::AlteredOrMoved)?;
        Ok(item)
    }

    fn item_bound(&self, place: &Place) -> Bound {
        Bound::new("ik").with(&[FORMAT, ALGORITHMS]).with(&self.number.to_be_bytes()).at(place)
    }
}

/// Shows the number alone.
impl fmt::Debug for WorkspaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkspaceKey({}, ***)", self.number)
    }
}

/// Never names the workspace key, so that a rewrap leaves the payload as it is.
fn payload_bound(place: &Place) -> Bound {
    Bound::new("pt").with(&[FORMAT, ALGORITHMS]).at(place)
}

/// What follows from an item key: the payload's key, then the commitment.
struct Derived(Zeroizing<[u8; KEY + COMMITMENT]>);

impl Derived {
    /// The item key is random and as long as the hash, so HKDF needs no extract step (RFC 5869, 3.3).
    fn from(item: &[u8; KEY]) -> Self {
        let mut out = Zeroizing::new([0; KEY + COMMITMENT]);
        Hkdf::<Sha256>::from_prk(item)
            .expect("an item key is as long as the hash")
            .expand(b"latchkey item 1", &mut out[..])
            .expect("64 bytes are within HKDF's bound");
        Self(out)
    }

    /// The same, if it is what was committed to: looked at before anything is decrypted.
    fn committed(item: &[u8; KEY], commitment: &[u8; COMMITMENT]) -> Result<Self, OpenError> {
        let derived = Self::from(item);
        if bool::from(derived.commitment().ct_eq(commitment)) {
            Ok(derived)
        } else {
            Err(OpenError::AlteredOrMoved)
        }
    }

    fn commitment(&self) -> &[u8] {
        &self.0[KEY..]
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: &[u8; KEY] = self.0.first_chunk().expect("the lengths add up");
        XChaCha20Poly1305::new(key.into())
    }
}

#[cfg(test)]
mod tests;
