//! Joins the rooms: opens keys and database, and gives the services their ports.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use latchkey_engine::Engine;
use latchkey_kernel::{OsEntropy, SystemClock};
use latchkey_store::{Options, Store};
use latchkey_vault::source::Need;
use latchkey_vault::{KeyFolder, RecoveryKit};
use secrecy::{ExposeSecret, SecretString};

use crate::cli::Place;

/// Opens what is at `place`, making keys and schema where there are none.
///
/// # Errors
/// When the folder, the key or the database cannot be used; the error says which and what to do.
pub(crate) async fn open(place: &Place, options: Options) -> anyhow::Result<Engine> {
    make_folder(&place.data)?;
    let keys = KeyFolder::new(&place.data).open(&place.key_source, &given, &OsEntropy).await?;
    if let Some(kit) = &keys.kit {
        keep_kit(&place.data, kit)?;
    }
    if let Some(warning) = &keys.warning {
        tracing::warn!("{warning}");
    }
    let store = match &place.database_url {
        Some(url) => Store::connect_postgres(url, options)
            .await
            .context("cannot use the PostgreSQL database of --database-url (DATABASE_URL)")?,
        None => Store::open_sqlite(database_path(&place.data), options)
            .with_context(|| format!("cannot use the database in {}", place.data.display()))?,
    };
    Ok(Engine::new(store, keys.ring, keys.keys, Arc::new(SystemClock), Arc::new(OsEntropy)))
}

/// What a key source needs from outside this process.
fn given(need: Need<'_>) -> Option<SecretString> {
    let name = match need {
        Need::Variable(name) => name,
        Need::Passphrase => "LATCHKEY_PASSPHRASE",
        Need::TransitToken => "LATCHKEY_TRANSIT_TOKEN",
    };
    #[expect(clippy::disallowed_methods, reason = "which variable it is, the key source says")]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty()).map(SecretString::from)
}

/// Where the recovery kit lies until somebody has locked it away.
pub(crate) fn kit_path(data: &Path) -> PathBuf {
    data.join("keys").join("recovery-kit.txt")
}

/// Writes the recovery kit for somebody to take away: it is made once and kept nowhere else.
fn keep_kit(data: &Path, kit: &RecoveryKit) -> anyhow::Result<()> {
    let path = kit_path(data);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write the recovery kit to {}", path.display()))?;
    writeln!(file, "{}", kit.to_text().expose_secret())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write the recovery kit to {}", path.display()))?;
    tracing::warn!(
        "the recovery kit, which opens every secret when the key source is lost, was written to {}: \
         print it, lock it away, and remove the file",
        path.display()
    );
    Ok(())
}

/// Where the embedded database lies in a data folder.
pub(crate) fn database_path(data: &Path) -> PathBuf {
    data.join("latchkey.db")
}

/// Makes the data folder, readable by its owner alone.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_folder(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("cannot make the data folder {}", data.display()))
}
