//! Bitwarden's export under a password: PBKDF2 or Argon2id, then AES-256-CBC with HMAC-SHA-256.

use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Unlock;
use crate::bitwarden::FORMAT;
use crate::error::ReadError;
use crate::kdbx::kdf::{Argon, affordable};
use crate::limits::Limits;

/// Opens the export if it is sealed; `None` if it is not.
pub(crate) fn open(
    bytes: &[u8],
    unlock: &Unlock,
    limits: &Limits,
) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
    let sealed: Sealed = serde_json::from_slice(bytes).map_err(|error| ReadError::json(FORMAT, &error))?;
    if !sealed.encrypted {
        return Ok(None);
    }
    if !sealed.password_protected {
        let why = "this export opens only in the Bitwarden account that made it; \
                   export again as `.json`, or as `.json (Encrypted)` of the kind `Password protected`";
        return Err(ReadError::CannotOpen(why.to_owned()));
    }
    let password = unlock.password.as_ref().ok_or(ReadError::Locked { or: None })?;
    let master = sealed.derive(password, limits)?;
    let keys = (expand(&master, b"enc"), expand(&master, b"mac"));
    // Tells a wrong password from an altered file's body.
    decrypt(&sealed.validation, &keys)?;
    decrypt(&sealed.data, &keys).map(Some)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sealed {
    #[serde(default)]
    encrypted: bool,
    #[serde(default)]
    password_protected: bool,
    #[serde(default)]
    salt: String,
    #[serde(default)]
    kdf_type: u8,
    #[serde(default)]
    kdf_iterations: u32,
    kdf_memory: Option<u32>,
    kdf_parallelism: Option<u32>,
    #[serde(default, rename = "encKeyValidation_DO_NOT_EDIT")]
    validation: String,
    #[serde(default)]
    data: String,
}

impl Sealed {
    fn derive(&self, password: &SecretString, limits: &Limits) -> Result<Zeroizing<[u8; 32]>, ReadError> {
        let password = password.expose_secret().as_bytes();
        let mut key = Zeroizing::new([0; 32]);
        match self.kdf_type {
            0 => {
                affordable(u64::from(self.kdf_iterations), limits)?;
                if self.kdf_iterations == 0 {
                    return Err(ReadError::malformed(FORMAT, "its key derivation has no rounds"));
                }
                pbkdf2::pbkdf2_hmac::<Sha256>(password, self.salt.as_bytes(), self.kdf_iterations, &mut *key);
            }
            1 => {
                let memory = self.kdf_memory.unwrap_or_default().saturating_mul(1024);
                let argon = Argon {
                    algorithm: argon2::Algorithm::Argon2id,
                    version: argon2::Version::V0x13,
                    memory,
                    passes: self.kdf_iterations,
                    lanes: self.kdf_parallelism.unwrap_or(1),
                };
                argon.derive(FORMAT, password, &Sha256::digest(self.salt.as_bytes()), limits, &mut key)?;
            }
            _ => return Err(ReadError::malformed(FORMAT, "its key derivation is one that we don't know")),
        }
        Ok(key)
    }
}

/// One block of HKDF-Expand, which is as long as the key.
fn expand(key: &[u8; 32], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(info);
    mac.update(&[1]);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

type Keys = (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>);

/// `2.iv|ciphertext|mac`, each in base64.
fn decrypt(text: &str, (enc, mac): &Keys) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let malformed = || ReadError::malformed(FORMAT, "a sealed text in it has another form");
    let parts = text.strip_prefix("2.").ok_or_else(malformed)?;
    let parts: Vec<Vec<u8>> = parts
        .splitn(3, '|')
        .map(|part| STANDARD.decode(part))
        .collect::<Result<_, _>>()
        .map_err(|_| malformed())?;
    let [iv, ciphertext, tag] = <[Vec<u8>; 3]>::try_from(parts).map_err(|_| malformed())?;
    let mut check = Hmac::<Sha256>::new_from_slice(&mac[..]).expect("HMAC takes keys of any length");
    check.update(&iv);
    check.update(&ciphertext);
    check.verify_slice(&tag).map_err(|_| ReadError::WrongKey)?;
    let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&enc[..], &iv).map_err(|_| malformed())?;
    let mut plain = Zeroizing::new(ciphertext);
    let length = cipher.decrypt_padded::<Pkcs7>(&mut plain).map_err(|_| malformed())?.len();
    plain.truncate(length);
    Ok(plain)
}
