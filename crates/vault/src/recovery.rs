//! The recovery key: every workspace key is also sealed to its public half, and its private half is
//! given out once, as the recovery kit, and kept nowhere.
//!
//! Sealing is HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305. Form: one byte of format (1), the id of the recovery key (8), the
//! encapsulated key (32), the ciphertext with its tag.

mod drawn;
mod kit;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable, OpModeS, Serializable};
use latchkey_kernel::Entropy;
use sha2::{Digest, Sha256};

use crate::envelope::KEY;
use drawn::Drawn;

pub use kit::{KitError, RecoveryKit};

const FORMAT: u8 = 1;
const INFO: &[u8] = b"latchkey recovery 1";
const ID: usize = 8;

type Public = <Kem as hpke::Kem>::PublicKey;

/// The public half: seals, and opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryKey([u8; KEY]);

impl RecoveryKey {
    /// The key of these bytes.
    pub const fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be kept beside the data.
    pub const fn as_bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// The number that the kit bears, too.
    pub fn id(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.id_bytes())
    }

    fn id_bytes(&self) -> [u8; ID] {
        let hash: [u8; 32] = Sha256::digest(self.0).into();
        *hash.first_chunk().expect("a hash is longer")
    }

    pub(crate) fn seal(&self, bound: &[u8], key: &[u8; KEY], entropy: &dyn Entropy) -> Vec<u8> {
        let public = Public::from_bytes(&self.0).expect("any 32 bytes are a key to X25519");
        let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public,
            INFO,
            key,
            bound,
            &mut Drawn(entropy),
        )
        .expect("sealing fails only for keys of low order, and the kit's is none");
        [&[FORMAT], &self.id_bytes()[..], &encapsulated.to_bytes(), &sealed].concat()
    }
}

#[cfg(test)]
mod tests;
