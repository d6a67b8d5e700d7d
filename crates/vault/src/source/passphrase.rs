//! A key stretched from a passphrase by Argon2id.

use argon2::{Algorithm, Argon2, Params, Version};
use latchkey_kernel::Entropy;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::LocalKek;
use crate::envelope::KEY;
use crate::error::KeyError;

/// Less is not taken, whatever the file says: whoever could lower it could guess faster.
const LEAST_KIB: u32 = 19 * 1024;
const LEAST_ROUNDS: u32 = 2;
/// More is not taken either, or a file could keep the server from starting.
const MOST_KIB: u32 = 4 * 1024 * 1024;
const MOST_ROUNDS: u32 = 64;
const MOST_LANES: u32 = 16;
const LEAST_CHARACTERS: usize = 12;

/// How a passphrase is stretched; kept beside what its key wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Memory in KiB.
    memory_kib: u32,
    /// Passes over it.
    rounds: u32,
    /// Lanes.
    lanes: u32,
    /// Salt, in hexadecimal digits.
    salt: String,
}

impl Stretch {
    /// 64 MiB, three passes, and a fresh salt.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let salt = data_encoding::HEXLOWER.encode(&entropy.bytes::<16>());
        Self { memory_kib: 64 * 1024, rounds: 3, lanes: 1, salt }
    }

    /// The key of a new passphrase.
    ///
    /// # Errors
    /// When it is too short.
    pub fn first_key(&self, passphrase: &SecretString) -> Result<LocalKek, KeyError> {
        if passphrase.expose_secret().trim_end_matches(['\r', '\n']).chars().count() < LEAST_CHARACTERS {
            return Err(KeyError::ShortPassphrase { least: LEAST_CHARACTERS });
        }
        self.key(passphrase)
    }

    /// The key of a passphrase, right or wrong: the id of the key tells which.
    ///
    /// # Errors
    /// When the parameters are beyond what is taken.
    pub fn key(&self, passphrase: &SecretString) -> Result<LocalKek, KeyError> {
        let within = (LEAST_KIB..=MOST_KIB).contains(&self.memory_kib)
            && (LEAST_ROUNDS..=MOST_ROUNDS).contains(&self.rounds)
            && (1..=MOST_LANES).contains(&self.lanes);
        let salt = data_encoding::HEXLOWER.decode(self.salt.as_bytes()).ok().filter(|salt| salt.len() >= 16);
        let params = Params::new(self.memory_kib, self.rounds, self.lanes, Some(KEY)).ok();
        let out_of_bounds =
            || KeyError::WeakStretch { least_mib: LEAST_KIB / 1024, least_rounds: LEAST_ROUNDS };
        let (true, Some(salt), Some(params)) = (within, salt, params) else { return Err(out_of_bounds()) };
        // A passphrase out of a file or a pipe often brings its line's end along.
        let passphrase = passphrase.expose_secret().trim_end_matches(['\r', '\n']);
        let mut key = Zeroizing::new([0; KEY]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut key[..])
            .map_err(|_| out_of_bounds())?;
        Ok(LocalKek::new("passphrase", &key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Kek;
    use latchkey_kernel::SeededEntropy;

    fn at_the_floor() -> Stretch {
        Stretch { memory_kib: LEAST_KIB, rounds: LEAST_ROUNDS, ..Stretch::fresh(&SeededEntropy::new(1)) }
    }

    #[test]
    fn the_key_depends_on_the_passphrase_and_the_salt_and_not_on_a_line_end() {
        let stretch = at_the_floor();
        let id = |stretch: &Stretch, text: &str| {
            stretch.first_key(&SecretString::from(text)).unwrap().id().to_owned()
        };
        let usual = id(&stretch, "four random words");
        assert_eq!(usual, id(&stretch, "four random words\r\n"));
        assert_ne!(usual, id(&stretch, "four random Words"));
        assert_ne!(usual, id(&Stretch { salt: "00".repeat(16), ..stretch }, "four random words"));
    }

    #[test]
    fn parameters_below_the_floor_or_beyond_reason_are_refused() {
        let fine = at_the_floor;
        for bad in [
            Stretch { memory_kib: LEAST_KIB - 1, ..fine() },
            Stretch { memory_kib: u32::MAX, ..fine() },
            Stretch { rounds: LEAST_ROUNDS - 1, ..fine() },
            Stretch { rounds: u32::MAX, ..fine() },
            Stretch { lanes: 0, ..fine() },
            Stretch { lanes: 1000, ..fine() },
            Stretch { salt: "00".repeat(15), ..fine() },
            Stretch { salt: "salt".to_owned(), ..fine() },
        ] {
            let error = bad.key(&SecretString::from("four random words")).err().unwrap();
            assert!(matches!(error, KeyError::WeakStretch { .. }), "{bad:?}");
        }
    }

    #[test]
    fn a_new_passphrase_must_be_long_and_no_error_quotes_it() {
        let error = at_the_floor().first_key(&SecretString::from("canary\n")).err().unwrap();
        assert!(matches!(error, KeyError::ShortPassphrase { least: 12 }));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
