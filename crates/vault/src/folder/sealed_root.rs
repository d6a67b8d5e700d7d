//! `root.sealed`: the root key, wrapped once by each key source in use.

use std::path::Path;

use latchkey_kernel::Entropy;
use serde::{Deserialize, Serialize};

use crate::error::KeyError;
use crate::files;
use crate::keyring::KeyRing;
use crate::place::Bound;
use crate::source::{Kek, Stretch};

const FORMAT: u8 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealedRoot {
    format: u8,
    wraps: Vec<Wrap>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrap {
    kek: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<Stretch>,
    /// In base64.
    root: String,
}

impl Default for SealedRoot {
    fn default() -> Self {
        Self { format: FORMAT, wraps: Vec::new() }
    }
}

impl SealedRoot {
    pub(super) fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let Some(bytes) = files::read(path)? else { return Ok(None) };
        let sealed = serde_json::from_slice::<Self>(&bytes).ok();
        let sealed = sealed.filter(|sealed| sealed.format == FORMAT && !sealed.wraps.is_empty());
        sealed.map(Some).ok_or_else(|| KeyError::Altered { path: path.to_owned() })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("texts and numbers are JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Wraps the root by one more key; an earlier wrap of the same key is replaced.
    pub(super) async fn add(
        &mut self,
        kek: &dyn Kek,
        passphrase: Option<Stretch>,
        ring: &KeyRing,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyError> {
        let root = kek.wrap(bound().as_slice(), ring.root(), entropy).await?;
        self.wraps.retain(|wrap| wrap.kek != kek.id());
        let root = data_encoding::BASE64.encode(&root);
        self.wraps.push(Wrap { kek: kek.id().to_owned(), passphrase, root });
        Ok(())
    }

    /// Opens the wrap of this key; `None` if there is none of it.
    pub(super) async fn open(&self, kek: &dyn Kek) -> Result<Option<KeyRing>, KeyError> {
        let Some(wrap) = self.wraps.iter().find(|wrap| wrap.kek == kek.id()) else { return Ok(None) };
        let not_opened = || KeyError::NotOpened { kek_id: wrap.kek.clone() };
        let root = data_encoding::BASE64.decode(wrap.root.as_bytes()).map_err(|_| not_opened())?;
        Ok(Some(KeyRing::from_root(kek.unwrap(bound().as_slice(), &root).await?)))
    }

    pub(super) fn keep_only(&mut self, kek_id: &str) {
        self.wraps.retain(|wrap| wrap.kek == kek_id);
    }

    pub(super) fn stretches(&self) -> impl Iterator<Item = &Stretch> {
        self.wraps.iter().filter_map(|wrap| wrap.passphrase.as_ref())
    }

    /// The keys that wrap it, for people.
    pub(super) fn keks(&self) -> String {
        self.wraps.iter().map(|wrap| wrap.kek.as_str()).collect::<Vec<_>>().join(" and ")
    }
}

fn bound() -> Bound {
    Bound::new("root").with(&[FORMAT])
}
