//! Key derivations, each priced before it is run.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::FORMAT;
use crate::error::ReadError;
use crate::format::Format;
use crate::limits::Limits;

/// How a database's key is derived.
pub(super) enum Kdf<'a> {
    Aes { rounds: u64, seed: [u8; 32] },
    Argon { argon: Argon, salt: &'a [u8] },
}

impl Kdf<'_> {
    pub(super) fn derive(
        &self,
        composite: &[u8; 32],
        limits: &Limits,
    ) -> Result<Zeroizing<[u8; 32]>, ReadError> {
        let mut key = Zeroizing::new([0; 32]);
        match self {
            Self::Argon { argon, salt } => argon.derive(FORMAT, composite, salt, limits, &mut key)?,
            Self::Aes { rounds, seed } => {
                affordable(*rounds, limits)?;
                let cipher = Aes256::new(seed.into());
                let mut state = Zeroizing::new(*composite);
                let (left, right) = state.split_at_mut(16);
                let left = <&mut [u8; 16]>::try_from(left).expect("half of 32 bytes");
                let right = <&mut [u8; 16]>::try_from(right).expect("half of 32 bytes");
                for _ in 0..*rounds {
                    cipher.encrypt_block(left.into());
                    cipher.encrypt_block(right.into());
                }
                key.copy_from_slice(&Sha256::digest(&state[..]));
            }
        }
        Ok(key)
    }
}

/// Argon2 with the costs that a file asks for.
pub(crate) struct Argon {
    pub(crate) algorithm: argon2::Algorithm,
    pub(crate) version: argon2::Version,
    /// In KiB.
    pub(crate) memory: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl Argon {
    pub(crate) fn derive(
        &self,
        format: Format,
        password: &[u8],
        salt: &[u8],
        limits: &Limits,
        key: &mut [u8; 32],
    ) -> Result<(), ReadError> {
        if self.memory > limits.kdf_memory {
            return Err(ReadError::TooCostly {
                what: format!("{} MiB of memory", self.memory / 1024),
                limit: format!("{} MiB", limits.kdf_memory / 1024),
            });
        }
        affordable(u64::from(self.memory) * u64::from(self.passes), limits)?;
        let odd = |_| ReadError::malformed(format, "its Argon2 has costs that don't go together");
        let params = argon2::Params::new(self.memory, self.passes, self.lanes, Some(32)).map_err(odd)?;
        let argon = argon2::Argon2::new(self.algorithm, self.version, params);
        argon.hash_password_into(password, salt, key).map_err(odd)
    }
}

/// Whether so many steps are within bounds.
pub(crate) fn affordable(steps: u64, limits: &Limits) -> Result<(), ReadError> {
    if steps > limits.kdf_work {
        return Err(ReadError::TooCostly {
            what: format!("{steps} steps of key derivation"),
            limit: limits.kdf_work.to_string(),
        });
    }
    Ok(())
}
