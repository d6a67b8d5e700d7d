//! Joins the rooms: opens keys and database, and gives the services their ports.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use latchkey_engine::Engine;
use latchkey_kernel::{OsEntropy, SystemClock};
use latchkey_store::{Options, Store};
use latchkey_vault::KeyRing;

use crate::cli::Place;

/// Opens what is at `place`, making keys and schema where there are none.
///
/// # Errors
/// When the folder, the key or the database cannot be used; the error says which and what to do.
pub(crate) async fn open(place: &Place, options: Options) -> anyhow::Result<Engine> {
    make_folder(&place.data)?;
    let keys = KeyRing::open_or_create(&place.data, &OsEntropy)?;
    let store = match &place.database_url {
        Some(url) => Store::connect_postgres(url, options)
            .await
            .context("cannot use the PostgreSQL database of --database-url (DATABASE_URL)")?,
        None => Store::open_sqlite(database_path(&place.data), options)
            .with_context(|| format!("cannot use the database in {}", place.data.display()))?,
    };
    Ok(Engine::new(store, keys, Arc::new(SystemClock), Arc::new(OsEntropy)))
}

/// Where the embedded database lies in a data folder.
pub(crate) fn database_path(data: &Path) -> std::path::PathBuf {
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
