//! The recovery key: every workspace key is also sealed to its public half, and its private half is
//! given out once, as the recovery kit, and kept nowhere.
//!
//! Sealing is HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305. Form: one byte of format (1), the id of the recovery key (8), the
//! encapsulated key (32), the ciphertext with its tag.

use std::convert::Infallible;
use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use latchkey_kernel::Entropy;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::envelope::{KEY, TAG};
use crate::error::KeyError;

const FORMAT: u8 = 1;
const INFO: &[u8] = b"latchkey recovery 1";
const ID: usize = 8;

type Public = <Kem as hpke::Kem>::PublicKey;
type Private = <Kem as hpke::Kem>::PrivateKey;

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

/// The private half, to be printed and locked away. Wiped from memory when dropped.
pub struct RecoveryKit {
    seed: Zeroizing<[u8; KEY]>,
    private: Private,
    public: RecoveryKey,
}

impl RecoveryKit {
    /// A fresh one.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self::from_seed(Zeroizing::new(entropy.bytes()))
    }

    pub(crate) fn from_seed(seed: Zeroizing<[u8; KEY]>) -> Self {
        let (private, public) = Kem::derive_keypair(&seed[..]);
        Self { seed, private, public: RecoveryKey(public.to_bytes().into()) }
    }

    pub(crate) fn seed(&self) -> &[u8; KEY] {
        &self.seed
    }

    /// The half that seals.
    pub fn public(&self) -> RecoveryKey {
        self.public.clone()
    }

    pub(crate) fn open(&self, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<[u8; KEY]>, KeyError> {
        let opened = || -> Option<Result<Zeroizing<[u8; KEY]>, KeyError>> {
            let (id, rest) = sealed.strip_prefix(&[FORMAT])?.split_first_chunk::<ID>()?;
            if *id != self.public.id_bytes() {
                let sealed_for = data_encoding::HEXLOWER.encode(id);
                return Some(Err(KeyError::OtherKit { kit: self.public.id(), sealed_for }));
            }
            let (encapsulated, ciphertext) = rest.split_first_chunk::<KEY>()?;
            let ciphertext: &[u8; KEY + TAG] = ciphertext.try_into().ok()?;
            let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
            let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &OpModeR::Base,
                &self.private,
                &encapsulated,
                INFO,
                ciphertext,
                bound,
            );
            let plain = Zeroizing::new(plain.ok()?);
            let mut key = Zeroizing::new([0; KEY]);
            key.copy_from_slice(plain.get(..KEY)?);
            Some(Ok(key))
        };
        opened().unwrap_or_else(|| {
            Err(KeyError::NotOpened { kek_id: format!("recovery kit {}", self.public.id()) })
        })
    }
}

/// Shows the id alone.
impl fmt::Debug for RecoveryKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryKit({}, ***)", self.public.id())
    }
}

/// Randomness that was passed in, in the form that HPKE draws it.
struct Drawn<'a>(&'a dyn Entropy);

impl TryRng for Drawn<'_> {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.bytes()))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}
