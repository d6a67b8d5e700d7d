//! Joins the rooms: opens keys and database, and gives the services their ports.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use latchkey_engine::Engine;
use latchkey_kernel::{OsEntropy, SystemClock};
use latchkey_store::{Options, Store};
use latchkey_vault::source::Need;
use latchkey_vault::{KeyFolder, Opened, RecoveryKit};
use secrecy::{ExposeSecret, SecretString};

use crate::cli::Place;

/// Opens what is at `place`, making keys and schema where there are none.
///
/// # Errors
/// When the folder, the key or the database cannot be used; the error says which and what to do.
pub(crate) async fn open(place: &Place, options: Options) -> anyhow::Result<Engine> {
    make_folder(&place.data)?;
    let opened = open_keys(place).await?;
    let store = open_store(place, options).await?;
    Ok(join(store, opened))
}

/// Gives the services their ports.
pub(crate) fn join(store: Store, opened: Opened) -> Engine {
    Engine::new(store, opened.ring, opened.keys, Arc::new(SystemClock), Arc::new(OsEntropy))
}

/// Opens the keys, making them at first start; then their recovery kit is shown, once.
///
/// # Errors
/// When the key source cannot be used.
pub(crate) async fn open_keys(place: &Place) -> anyhow::Result<Opened> {
    let folder = KeyFolder::new(&place.data);
    let opened = folder.open(&place.key_source, &given, &OsEntropy).await?;
    if let Some(kit) = &opened.kit {
        show_kit(kit);
        opened.warning.iter().for_each(|warning| anstream::eprintln!("{warning}"));
    }
    Ok(opened)
}

/// Opens the database, making or migrating its schema.
///
/// # Errors
/// When it cannot be used.
pub(crate) async fn open_store(place: &Place, options: Options) -> anyhow::Result<Store> {
    match &place.database_url {
        Some(url) => Store::connect_postgres(url, options)
            .await
            .context("cannot use the PostgreSQL database of --database-url (DATABASE_URL)"),
        None => Store::open_sqlite(database_path(&place.data), options)
            .with_context(|| format!("cannot use the database in {}", place.data.display())),
    }
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

/// What a key source asks for: the names of variables are the operator's choice, in `--key-source`.
#[expect(clippy::disallowed_methods, reason = "this is the binary, and clap cannot know the names")]
pub(crate) fn given(need: Need<'_>) -> Option<SecretString> {
    let name = match need {
        Need::Variable(name) => name,
        Need::Passphrase => "LATCHKEY_PASSPHRASE",
        Need::TransitToken => "LATCHKEY_TRANSIT_TOKEN",
    };
    std::env::var(name).ok().map(SecretString::from)
}

fn show_kit(kit: &RecoveryKit) {
    anstream::eprintln!(
        "Recovery kit, shown this once. Print it and lock it away: with it and a backup everything can be \
         opened when the keys are lost.\n\n  {}\n",
        kit.to_text().expose_secret()
    );
}
