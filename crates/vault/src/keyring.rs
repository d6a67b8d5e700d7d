//! The root key and the keys derived from it.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use latchkey_kernel::Entropy;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::files;

/// What goes wrong with a key file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file system refused.
    #[error("cannot {what} the key file {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The content is not a key.
    #[error(
        "{path} is not a Latchkey key file: it must hold 64 hexadecimal digits; restore it from the backup"
    )]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner can read it.
    #[error("{path} can be read by others (mode {mode:o}); run: chmod 600 {path}")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl KeyFileError {
    /// Whether a file was to be made that another process has made just before.
    pub(crate) fn is_already_there(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

/// The root key of an installation. Cheap to clone; wiped from memory with the last clone.
#[derive(Clone)]
pub struct KeyRing {
    root: Arc<Zeroizing<[u8; 32]>>,
}

impl KeyRing {
    /// Opens `DIR/keys/root.key`, making it at first start.
    ///
    /// # Errors
    /// When the file cannot be read or made, has no key in it, or can be read by others.
    pub fn open_or_create(dir: &Path, entropy: &dyn Entropy) -> Result<Self, KeyFileError> {
        Self::open_or_create_file(&Self::path_in(dir), entropy)
    }

    pub(crate) fn open_or_create_file(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyFileError> {
        match Self::create(path, entropy) {
            Err(error) if error.is_already_there() => Self::open_file(path),
            made => made,
        }
    }

    /// Where the key lies in a data folder.
    pub fn path_in(dir: &Path) -> PathBuf {
        dir.join("keys").join("root.key")
    }

    /// Opens a key file that is there.
    ///
    /// # Errors
    /// When it cannot be read, has no key in it, or can be read by others.
    pub fn open_file(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |what| move |source| KeyFileError::File { what, path: path.to_owned(), source };
        let mode = fs::metadata(path).map_err(failed("read"))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Mode { path: path.to_owned(), mode });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed("read"))?);
        let root = read_hex(text.trim()).ok_or_else(|| KeyFileError::Content { path: path.to_owned() })?;
        Ok(Self { root: Arc::new(root) })
    }

    /// A ring that is kept nowhere, for tests and simulations.
    pub fn ephemeral(entropy: &dyn Entropy) -> Self {
        Self { root: Arc::new(Zeroizing::new(entropy.bytes())) }
    }

    /// HMAC-SHA-256 of `data` under the key for this purpose: the form in which tokens are kept.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        self.hasher(purpose).hash(data)
    }

    /// The same with the key made ready, for what is hashed at each request: 3 blocks of SHA-256
    /// instead of 10.
    pub fn hasher(&self, purpose: &str) -> KeyedHasher {
        KeyedHasher(keyed(&self.key_for(purpose)[..]))
    }

    pub(crate) fn key_for(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac(&self.root[..], &[b"latchkey key 1\0", purpose.as_bytes()]))
    }

    /// Two processes that start at once agree on one key, and a crash leaves none half written.
    fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyFileError> {
        let ring = Self::ephemeral(entropy);
        ring.write(path, entropy)?;
        Ok(ring)
    }

    /// Writes the root in clear, where nothing lies yet.
    pub(crate) fn write(&self, path: &Path, entropy: &dyn Entropy) -> Result<(), KeyFileError> {
        let mut line = Zeroizing::new(Vec::with_capacity(65));
        for byte in self.root.iter() {
            write!(line, "{byte:02x}").expect("writing to memory does not fail");
        }
        line.push(b'\n');
        files::write_new(path, &line, entropy)
    }

    pub(crate) fn from_root(root: Zeroizing<[u8; 32]>) -> Self {
        Self { root: Arc::new(root) }
    }

    pub(crate) fn root(&self) -> &[u8; 32] {
        &self.root
    }
}

/// Keyed hashes for one purpose. The key is wiped from memory with it.
pub struct KeyedHasher(Hmac<Sha256>);

impl KeyedHasher {
    /// As [`KeyRing::keyed_hash`] for its purpose.
    pub fn hash(&self, data: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(data).finalize().into_bytes().into()
    }
}

/// Shows nothing of the key.
impl fmt::Debug for KeyedHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHasher(***)")
    }
}

/// Shows nothing of the key.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(***)")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn read_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut out = Zeroizing::new([0; 32]);
    for (byte, pair) in out.iter_mut().zip(digits.chunks(2)) {
        let value = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = value(pair[0])? * 16 + value(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_kernel::SeededEntropy;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_made_at_first_start_is_the_one_found_at_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let first = KeyRing::open_or_create(dir.path(), &SeededEntropy::new(1)).unwrap();
        let second = KeyRing::open_or_create(dir.path(), &SeededEntropy::new(2)).unwrap();
        assert_eq!(first.keyed_hash("x", b"data"), second.keyed_hash("x", b"data"));
        assert_ne!(first.keyed_hash("x", b"data"), first.keyed_hash("y", b"data"));
        let mode = fs::metadata(KeyRing::path_in(dir.path())).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(dir.path().join("keys")).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        KeyRing::open_or_create(dir.path(), &SeededEntropy::new(1)).unwrap();
        let path = KeyRing::path_in(dir.path());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(KeyRing::open_file(&path), Err(KeyFileError::Mode { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "zz").unwrap();
        assert!(matches!(KeyRing::open_file(&path), Err(KeyFileError::Content { .. })));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", KeyRing::ephemeral(&SeededEntropy::new(1))), "KeyRing(***)");
    }
}
