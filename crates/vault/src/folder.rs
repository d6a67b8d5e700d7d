//! The folder `keys` of an installation, and how it is opened.
//!
//! | file | holds | there with |
//! |---|---|---|
//! | `root.key` | the root key in clear | the source `file` alone |
//! | `root.sealed` | the root key, wrapped by each key source in use | every other source |
//! | `recovery.json` | the recovery key's public half; the root key sealed for it | always |
//!
//! The root key makes keyed hashes and seals tokens ([`KeyRing`]), and never changes. With the source
//! `file` the wrapping key is derived from it; with any other it is wrapped itself, so that no key
//! lies in clear on the disk. While the source is changed, two wraps lie in `root.sealed`.

mod recovery_file;
mod sealed_root;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use latchkey_kernel::Entropy;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::files;
use crate::keyring::KeyRing;
use crate::keys::Keys;
use crate::recovery::RecoveryKit;
use crate::source::{
    CREDENTIALS, Given, Kek, KeySource, LocalKek, Need, Stretch, TransitKek, key_from_credential,
    key_from_variable,
};
use recovery_file::RecoveryFile;
use sealed_root::SealedRoot;

/// The folder `keys` in a data folder.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    folder: PathBuf,
}

/// What a key folder gives.
#[derive(Debug)]
pub struct Opened {
    /// For keyed hashes and sealed tokens.
    pub ring: KeyRing,
    /// For workspace keys.
    pub keys: Keys,
    /// The recovery kit, if it was made just now: to be shown once, and kept nowhere.
    pub kit: Option<RecoveryKit>,
    /// What the operator should know.
    pub warning: Option<String>,
}

impl KeyFolder {
    /// The key folder in a data folder.
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join("keys") }
    }

    /// Opens the keys by this source, making them at first start.
    ///
    /// # Errors
    /// When the source has no key or another one than the folder needs, or a file cannot be used.
    pub async fn open(
        &self,
        source: &KeySource,
        given: Given<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Opened, KeyError> {
        let (ring, kek) = match source {
            KeySource::File => self.open_file(entropy)?,
            _ => match SealedRoot::read(&self.sealed_path())? {
                Some(sealed) => self.open_sealed(&sealed, source, given).await?,
                None if self.root_path().exists() => {
                    return Err(KeyError::StillInClear { path: self.root_path(), want: source.to_string() });
                }
                None => self.make_sealed(source, given, entropy).await?,
            },
        };
        let (recovery, kit) = RecoveryFile::open_or_create(&self.recovery_path(), &ring, entropy)?;
        let warning = (*source == KeySource::File).then(|| self.warning());
        Ok(Opened { keys: Keys::new(kek, recovery), ring, kit, warning })
    }

    /// Puts the root under one more source: the first step of changing it. Then every workspace key
    /// is to be rewrapped by the keys that this gives, and [`KeyFolder::keep_only`] ends it.
    ///
    /// # Errors
    /// When the new source cannot be used, or a file cannot be written.
    pub async fn add_source(
        &self,
        ring: &KeyRing,
        source: &KeySource,
        given: Given<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Keys, KeyError> {
        let (recovery, _) = RecoveryFile::open_or_create(&self.recovery_path(), ring, entropy)?;
        if *source == KeySource::File {
            if self.root_path().exists() {
                self.check_root_file(ring)?;
            } else {
                ring.write(&self.root_path(), entropy)?;
            }
            return Ok(Keys::new(file_kek(ring), recovery));
        }
        let (kek, stretch) = self.first_kek(source, given, entropy)?;
        let mut sealed = SealedRoot::read(&self.sealed_path())?.unwrap_or_default();
        sealed.add(&*kek, stretch, ring, entropy).await?;
        files::replace(&self.sealed_path(), &sealed.to_bytes(), entropy)?;
        Ok(Keys::new(kek, recovery))
    }

    /// Removes every wrap of the root but that of the key in use: the last step of changing the
    /// source, after the last workspace key was rewrapped.
    ///
    /// # Errors
    /// When the key in use does not open the root, or a file cannot be written.
    pub async fn keep_only(
        &self,
        ring: &KeyRing,
        keys: &Keys,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyError> {
        if keys.kek_id() == file_kek(ring).id() {
            self.check_root_file(ring)?;
            return Ok(files::remove(&self.sealed_path())?);
        }
        let path = self.sealed_path();
        let mut sealed = SealedRoot::read(&path)?.ok_or_else(|| KeyError::Altered { path: path.clone() })?;
        let opened =
            sealed.open(keys.kek()).await?.ok_or_else(|| other_source(&path, &sealed, keys.kek_id()))?;
        if opened.root() != ring.root() {
            return Err(KeyError::Altered { path });
        }
        sealed.keep_only(keys.kek_id());
        files::replace(&path, &sealed.to_bytes(), entropy)?;
        Ok(files::remove(&self.root_path())?)
    }

    /// Gives the root back from the recovery kit when the key source is lost, and puts it under a
    /// new one. [`Keys::recover`] then opens each workspace key, and [`Keys::wrap`] wraps it anew.
    ///
    /// # Errors
    /// When the kit is another installation's, a file was altered, or the new source cannot be used.
    pub async fn recover(
        &self,
        kit: &RecoveryKit,
        source: &KeySource,
        given: Given<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Opened, KeyError> {
        let ring = RecoveryFile::recover(&self.recovery_path(), kit)?;
        let keys = self.add_source(&ring, source, given, entropy).await?;
        self.keep_only(&ring, &keys, entropy).await?;
        self.open(source, given, entropy).await
    }

    fn open_file(&self, entropy: &dyn Entropy) -> Result<(KeyRing, Arc<dyn Kek>), KeyError> {
        let path = self.sealed_path();
        if !self.root_path().exists()
            && let Some(sealed) = SealedRoot::read(&path)?
        {
            return Err(other_source(&path, &sealed, "file"));
        }
        let ring = KeyRing::open_or_create_file(&self.root_path(), entropy)?;
        let kek = file_kek(&ring);
        Ok((ring, kek))
    }

    async fn open_sealed(
        &self,
        sealed: &SealedRoot,
        source: &KeySource,
        given: Given<'_>,
    ) -> Result<(KeyRing, Arc<dyn Kek>), KeyError> {
        if *source == KeySource::Passphrase {
            return self.open_by_passphrase(sealed, &passphrase(given)?).await;
        }
        let kek = self.kek(source, given)?;
        match sealed.open(&*kek).await? {
            Some(ring) => Ok((ring, kek)),
            None => Err(other_source(&self.sealed_path(), sealed, kek.id())),
        }
    }

    async fn open_by_passphrase(
        &self,
        sealed: &SealedRoot,
        passphrase: &SecretString,
    ) -> Result<(KeyRing, Arc<dyn Kek>), KeyError> {
        let mut error = other_source(&self.sealed_path(), sealed, "passphrase");
        for stretch in sealed.stretches() {
            let kek = stretch.key(passphrase)?;
            if let Some(ring) = sealed.open(&kek).await? {
                return Ok((ring, Arc::new(kek)));
            }
            error = KeyError::WrongPassphrase;
        }
        Err(error)
    }

    /// The first start with a source that is not the file.
    async fn make_sealed(
        &self,
        source: &KeySource,
        given: Given<'_>,
        entropy: &dyn Entropy,
    ) -> Result<(KeyRing, Arc<dyn Kek>), KeyError> {
        let (kek, stretch) = self.first_kek(source, given, entropy)?;
        let ring = KeyRing::ephemeral(entropy);
        let mut sealed = SealedRoot::default();
        sealed.add(&*kek, stretch, &ring, entropy).await?;
        match files::write_new(&self.sealed_path(), &sealed.to_bytes(), entropy) {
            Ok(()) => Ok((ring, kek)),
            Err(error) if error.is_already_there() => {
                let path = self.sealed_path();
                let sealed =
                    SealedRoot::read(&path)?.ok_or_else(|| KeyError::Altered { path: path.clone() })?;
                self.open_sealed(&sealed, source, given).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The key of a source that is used for the first time: what can be made here is made.
    fn first_kek(
        &self,
        source: &KeySource,
        given: Given<'_>,
        entropy: &dyn Entropy,
    ) -> Result<(Arc<dyn Kek>, Option<Stretch>), KeyError> {
        match source {
            KeySource::KeyFile(path) => {
                let made = KeyRing::open_or_create_file(path, entropy)?;
                Ok((key_file_kek(&made), None))
            }
            KeySource::Passphrase => {
                let stretch = Stretch::fresh(entropy);
                Ok((Arc::new(stretch.first_key(&passphrase(given)?)?), Some(stretch)))
            }
            _ => Ok((self.kek(source, given)?, None)),
        }
    }

    /// The key of a source, but for passphrases: their salt lies with what they wrapped.
    fn kek(&self, source: &KeySource, given: Given<'_>) -> Result<Arc<dyn Kek>, KeyError> {
        Ok(match source {
            KeySource::File => file_kek(&KeyRing::open_file(&self.root_path())?),
            KeySource::KeyFile(path) => key_file_kek(&KeyRing::open_file(path)?),
            KeySource::Env(name) => {
                let place = format!("the environment variable {name}");
                let text = given(Need::Variable(name)).ok_or_else(|| not_given(&place))?;
                let key = key_from_variable(text.expose_secret()).ok_or(KeyError::NotAKey { place })?;
                Arc::new(LocalKek::new("env", &key))
            }
            KeySource::Credential(name) => {
                let folder = given(Need::Variable(CREDENTIALS)).ok_or_else(|| {
                    not_given(&format!("{CREDENTIALS}, which systemd sets for LoadCredential={name}:…"))
                })?;
                let place = format!("the credential {name} in {CREDENTIALS}");
                let bytes = files::read(&Path::new(folder.expose_secret()).join(name))?.map(Zeroizing::new);
                let bytes = bytes.ok_or_else(|| not_given(&place))?;
                let key = key_from_credential(&bytes).ok_or(KeyError::NotAKey { place })?;
                Arc::new(LocalKek::new("credential", &key))
            }
            KeySource::Passphrase => return Err(KeyError::WrongPassphrase),
            KeySource::Transit(address) => {
                let token =
                    given(Need::TransitToken).ok_or_else(|| not_given("a token for the transit service"))?;
                Arc::new(TransitKek::new(address.clone(), &token)?)
            }
        })
    }

    /// That `root.key` holds this root, before anything rests on it.
    fn check_root_file(&self, ring: &KeyRing) -> Result<(), KeyError> {
        let path = self.root_path();
        if KeyRing::open_file(&path)?.root() == ring.root() {
            Ok(())
        } else {
            Err(KeyError::Altered { path })
        }
    }

    fn warning(&self) -> String {
        format!(
            "The key that opens every secret lies in {}, beside the data: whoever copies this disk or a \
             backup of the whole folder can read all secrets. For production choose another key source, \
             as credential:NAME or transit:https://HOST:PORT#KEY.",
            self.root_path().display()
        )
    }

    fn root_path(&self) -> PathBuf {
        self.folder.join("root.key")
    }

    fn sealed_path(&self) -> PathBuf {
        self.folder.join("root.sealed")
    }

    fn recovery_path(&self) -> PathBuf {
        self.folder.join("recovery.json")
    }
}

/// With the source `file`, the wrapping key is one of those derived from the root.
fn file_kek(ring: &KeyRing) -> Arc<dyn Kek> {
    Arc::new(LocalKek::new("file", &ring.key_for("kek")))
}

fn key_file_kek(key: &KeyRing) -> Arc<dyn Kek> {
    Arc::new(LocalKek::new("keyfile", &Zeroizing::new(*key.root())))
}

fn passphrase(given: Given<'_>) -> Result<SecretString, KeyError> {
    given(Need::Passphrase).ok_or_else(|| not_given("a passphrase"))
}

fn not_given(what: &str) -> KeyError {
    KeyError::NotGiven { what: what.to_owned() }
}

fn other_source(path: &Path, sealed: &SealedRoot, want: &str) -> KeyError {
    KeyError::OtherSource { path: path.to_owned(), wrapped_by: sealed.keks(), want: want.to_owned() }
}

#[cfg(test)]
mod tests;
