//! `recovery.json`: what seals for the recovery kit.
//!
//! Whoever could put another public key there would be sealed for from then on, so it bears a keyed
//! hash by the root key.

use std::path::Path;

use latchkey_kernel::Entropy;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::error::KeyError;
use crate::files;
use crate::keyring::KeyRing;
use crate::place::Bound;
use crate::recovery::{RecoveryKey, RecoveryKit};

const FORMAT: u8 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecoveryFile {
    format: u8,
    /// All three in base64.
    public: String,
    hash: String,
    root: String,
}

impl RecoveryFile {
    /// The recovery key, and its kit if both were made just now.
    pub(super) fn open_or_create(
        path: &Path,
        ring: &KeyRing,
        entropy: &dyn Entropy,
    ) -> Result<(RecoveryKey, Option<RecoveryKit>), KeyError> {
        if let Some(file) = Self::read(path)? {
            return Ok((file.checked(path, ring)?, None));
        }
        let kit = RecoveryKit::fresh(entropy);
        let public = kit.public();
        let file = Self {
            format: FORMAT,
            public: data_encoding::BASE64.encode(public.as_bytes()),
            hash: data_encoding::BASE64.encode(&hash(ring, &public)),
            root: data_encoding::BASE64.encode(&public.seal(bound().as_slice(), ring.root(), entropy)),
        };
        let mut bytes = serde_json::to_vec_pretty(&file).expect("texts and numbers are JSON");
        bytes.push(b'\n');
        match files::write_new(path, &bytes, entropy) {
            Ok(()) => Ok((public, Some(kit))),
            // Another process was first, and shows its kit.
            Err(error) if error.is_already_there() => Self::open_or_create(path, ring, entropy),
            Err(error) => Err(error.into()),
        }
    }

    /// The root, opened with the kit.
    pub(super) fn recover(path: &Path, kit: &RecoveryKit) -> Result<KeyRing, KeyError> {
        let altered = || KeyError::Altered { path: path.to_owned() };
        let file = Self::read(path)?.ok_or_else(altered)?;
        let sealed = data_encoding::BASE64.decode(file.root.as_bytes()).map_err(|_| altered())?;
        let ring = KeyRing::from_root(kit.open(bound().as_slice(), &sealed)?);
        file.checked(path, &ring)?;
        Ok(ring)
    }

    fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let Some(bytes) = files::read(path)? else { return Ok(None) };
        let file = serde_json::from_slice::<Self>(&bytes).ok().filter(|file| file.format == FORMAT);
        file.map(Some).ok_or_else(|| KeyError::Altered { path: path.to_owned() })
    }

    fn checked(&self, path: &Path, ring: &KeyRing) -> Result<RecoveryKey, KeyError> {
        let checked = || {
            let public = data_encoding::BASE64.decode(self.public.as_bytes()).ok()?;
            let public = RecoveryKey::from_bytes(public.try_into().ok()?);
            let said = data_encoding::BASE64.decode(self.hash.as_bytes()).ok()?;
            bool::from(hash(ring, &public)[..].ct_eq(&said)).then_some(public)
        };
        checked().ok_or_else(|| KeyError::Altered { path: path.to_owned() })
    }
}

fn hash(ring: &KeyRing, public: &RecoveryKey) -> [u8; 32] {
    ring.keyed_hash("recovery public key", public.as_bytes())
}

fn bound() -> Bound {
    Bound::new("root").with(&[FORMAT])
}
