//! The recovery kit: what is printed once, and opens everything when the key source is lost.

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable, Kem as _, OpModeR, Serializable};
use latchkey_kernel::Entropy;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{FORMAT, ID, INFO, RecoveryKey};
use crate::envelope::{KEY, TAG};
use crate::error::KeyError;

const KIT_FORMAT: u8 = 1;
const CHECKSUM: usize = 2;
const GROUP: usize = 4;
/// Letters of a kit, without the dashes.
const LENGTH: usize = (1 + KEY + CHECKSUM) * 8 / 5;

/// Crockford's base32: no letter that is taken for another, or that is easily misread.
static LETTERS: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    spec.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    spec.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    spec.ignore.push_str("- \t\r\n");
    spec.encoding().expect("32 symbols are a base32 alphabet")
});

/// Why a text is no recovery kit. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KitError {
    /// Letters are missing or too many.
    #[error(
        "a recovery kit has {LENGTH} letters and digits, and here are {count}: compare the groups with the paper"
    )]
    Length {
        /// How many there are.
        count: usize,
    },
    /// The checksum does not fit.
    #[error("a letter or digit of the recovery kit is wrong: compare the groups with the paper")]
    Mistyped,
    /// A kit of another version.
    #[error("this recovery kit has format {found}, which this version of Latchkey does not know")]
    UnknownFormat {
        /// Its first byte.
        found: u8,
    },
}

/// The private half, to be printed and locked away. Wiped from memory when dropped.
pub struct RecoveryKit {
    seed: Zeroizing<[u8; KEY]>,
    private: <Kem as hpke::Kem>::PrivateKey,
    public: RecoveryKey,
}

impl RecoveryKit {
    /// A fresh one.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self::from_seed(Zeroizing::new(entropy.bytes()))
    }

    fn from_seed(seed: Zeroizing<[u8; KEY]>) -> Self {
        let (private, public) = Kem::derive_keypair(&seed[..]);
        Self { seed, private, public: RecoveryKey(public.to_bytes().into()) }
    }

    /// The kit as it is printed: fourteen groups of four letters and digits, with a checksum in them.
    pub fn to_text(&self) -> SecretString {
        let mut bytes = Zeroizing::new([0; 1 + KEY + CHECKSUM]);
        bytes[0] = KIT_FORMAT;
        bytes[1..=KEY].copy_from_slice(&self.seed[..]);
        let sum = checksum(&bytes[..=KEY]);
        bytes[1 + KEY..].copy_from_slice(&sum);
        let letters = Zeroizing::new(LETTERS.encode(&bytes[..]));
        // Room for all of it, for a text that grew would leave copies behind.
        let mut text = String::with_capacity(letters.len() / GROUP * (GROUP + 1) - 1);
        for (at, c) in letters.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(c);
        }
        SecretString::from(text)
    }

    /// Reads what was printed, in either case, with or without the groups; `O` counts as 0, `I` and
    /// `L` as 1.
    ///
    /// # Errors
    /// When letters are missing, too many or mistyped. The error never quotes the text.
    pub fn parse(text: &str) -> Result<Self, KitError> {
        let bytes = LETTERS.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| {
            let count = text.chars().filter(char::is_ascii_alphanumeric).count();
            if count == LENGTH { KitError::Mistyped } else { KitError::Length { count } }
        })?;
        let bytes: &[u8; 1 + KEY + CHECKSUM] = bytes.as_slice().try_into().map_err(|_| KitError::Length {
            count: text.chars().filter(char::is_ascii_alphanumeric).count(),
        })?;
        let (said, sum) = bytes.split_at(1 + KEY);
        if checksum(said)[..] != *sum {
            return Err(KitError::Mistyped);
        }
        if said[0] != KIT_FORMAT {
            return Err(KitError::UnknownFormat { found: said[0] });
        }
        let mut seed = Zeroizing::new([0; KEY]);
        seed.copy_from_slice(&said[1..]);
        Ok(Self::from_seed(seed))
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

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    *hash.first_chunk().expect("a hash is longer")
}
