//! Sealing: XChaCha20-Poly1305 under a key for the purpose, bound to the context.
//!
//! Format: one byte of version (1), 24 bytes of random nonce, the ciphertext with its tag.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use latchkey_kernel::Entropy;
use zeroize::Zeroizing;

use crate::KeyRing;

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// The sealed text was made under another key, for another context, or altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed text does not open: it was altered or moved, or the key file is not the one that it was sealed under"
)]
pub struct UnsealError;

impl KeyRing {
    /// Seals `plain` for a purpose, bound to `context`: it opens only with the same two.
    pub fn seal(&self, purpose: &str, context: &[&[u8]], plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let nonce = entropy.bytes::<NONCE>();
        let payload = Payload { msg: plain, aad: &bind(context) };
        let sealed = self
            .cipher(purpose)
            .encrypt(&XNonce::from(nonce), payload)
            .expect("sealing fails only beyond 256 GiB");
        [&[VERSION], &nonce[..], &sealed].concat()
    }

    /// Opens what [`KeyRing::seal`] made.
    ///
    /// # Errors
    /// When purpose, context or key differ, or a bit was altered.
    pub fn open(
        &self,
        purpose: &str,
        context: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let (version, rest) = sealed.split_first().ok_or(UnsealError)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(UnsealError)?;
        if *version != VERSION {
            return Err(UnsealError);
        }
        let payload = Payload { msg: ciphertext, aad: &bind(context) };
        let plain = self.cipher(purpose).decrypt(&XNonce::from(*nonce), payload).map_err(|_| UnsealError)?;
        Ok(Zeroizing::new(plain))
    }

    fn cipher(&self, purpose: &str) -> XChaCha20Poly1305 {
        let key = self.key_for(purpose);
        XChaCha20Poly1305::new((&*key).into())
    }
}

/// Each part with its length before it, so that no two contexts give the same bytes.
fn bind(context: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in context {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_kernel::SeededEntropy;

    #[test]
    fn v1_opens_only_for_the_purpose_and_context_it_was_sealed_for() {
        let entropy = SeededEntropy::new(3);
        let ring = KeyRing::ephemeral(&entropy);
        let sealed = ring.seal("token", &[b"workspace", b"id"], b"canary", &entropy);
        assert_eq!(&*ring.open("token", &[b"workspace", b"id"], &sealed).unwrap(), b"canary");
        assert!(!sealed.windows(6).any(|w| w == b"canary"));
        for (purpose, context) in [
            ("other", [&b"workspace"[..], b"id"]),
            ("token", [b"workspac", b"eid"]),
            ("token", [b"id", b"workspace"]),
        ] {
            assert_eq!(ring.open(purpose, &context, &sealed), Err(UnsealError));
        }
        assert_eq!(
            KeyRing::ephemeral(&entropy).open("token", &[b"workspace", b"id"], &sealed),
            Err(UnsealError)
        );
    }

    #[test]
    fn any_altered_bit_and_any_cut_fail() {
        let entropy = SeededEntropy::new(4);
        let ring = KeyRing::ephemeral(&entropy);
        let sealed = ring.seal("token", &[], b"value", &entropy);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(ring.open("token", &[], &altered), Err(UnsealError), "byte {at}");
            assert_eq!(ring.open("token", &[], &sealed[..at]), Err(UnsealError), "cut at {at}");
        }
    }
}
