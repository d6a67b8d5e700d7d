//! `latchkey restore`: a backup into an empty installation of either database, or a drill of it.
//!
//! The file is read through and checked first, then loaded, read back and compared. Only then is
//! it there. `--verify-only` does all of it in a folder that is thrown away.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use latchkey_engine::{Caller, Engine, key_recovery};
use latchkey_store::Options;
use latchkey_store::snapshot::{Manifest, examine, restore_to_postgres, restore_to_sqlite};
use latchkey_vault::backup::{BackupKey, StreamError};
use latchkey_vault::{Opened, RecoveryKit};
use serde::Serialize;
use serde_json::json;

use super::file::Backup;
use super::keys::Opener;
use crate::cli::{Place, Restore};
use crate::output::Output;
use crate::wire;

/// Ends with 1 when what was restored is not sound: a broken audit chain, secrets that don't open.
pub(crate) async fn run(options: Restore, output: Output) -> anyhow::Result<ExitCode> {
    let Restore { file, recovery_kit, verify_only, place } = options;
    let head = Backup::open(&file)?.head;
    if !verify_only && place.database_url.is_none() {
        refuse_used(&place)?;
    }
    let opener = Opener::find(&place, recovery_kit.as_deref(), &head).await?;
    let key = opener.backup_key(&head).await?;
    let key = read_through(&file, key).await?;

    let drill =
        verify_only.then(|| tempfile::Builder::new().prefix("latchkey-drill-").tempdir()).transpose()?;
    let place = match &drill {
        // Keys that are made from a kit are thrown away with the folder.
        Some(folder) => Place {
            data: folder.path().to_owned(),
            database_url: None,
            key_source: latchkey_vault::KeySource::File,
        },
        None => place,
    };
    wire::make_folder(&place.data)?;
    let manifest = load(&file, &key, &place).await?;
    let (opened, kit) = opener.installation(&place, &head).await?;
    let found = look(&place, opened, kit.as_ref()).await?;

    let sound = found.iter().all(Found::is_sound);
    output.answer(
        &json!({
            "restored": !verify_only,
            "sound": sound,
            "id": head.id,
            "taken_at": head.taken_at,
            "schema": manifest.schema,
            "rows": manifest.rows(),
            "tables": manifest.tables,
            "workspaces": found,
        }),
        || {
            let done = if verify_only { "would restore" } else { "restored" };
            let mut lines = vec![format!(
                "{}: {done} {} rows of {} tables, as of {}",
                file.display(),
                manifest.rows(),
                manifest.tables.len(),
                head.taken_at
            )];
            lines.extend(found.iter().map(Found::line));
            lines.join("\n")
        },
    );
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A workspace as it came out of the backup.
#[derive(Debug, Serialize)]
struct Found {
    workspace: String,
    audit_records: u64,
    audit_faults: Vec<String>,
    secrets_opened: u64,
    secrets_failed: u64,
    keys_recovered: usize,
}

impl Found {
    fn is_sound(&self) -> bool {
        self.audit_faults.is_empty() && self.secrets_failed == 0
    }

    fn line(&self) -> String {
        let audit = if self.audit_faults.is_empty() { "whole" } else { "NOT WHOLE" };
        let mut line = format!(
            "  {}: audit log {audit} ({} records), {} stored values open",
            self.workspace, self.audit_records, self.secrets_opened
        );
        if self.secrets_failed > 0 {
            line.push_str(&format!(", {} DO NOT", self.secrets_failed));
        }
        self.audit_faults.iter().for_each(|fault| line.push_str(&format!("\n    {fault}")));
        line
    }
}

fn refuse_used(place: &Place) -> anyhow::Result<()> {
    let file = wire::database_path(&place.data);
    if file.exists() {
        anyhow::bail!(
            "there is a database in {} already; restore into a folder without one (its `keys` may be there)",
            place.data.display()
        );
    }
    Ok(())
}

/// Reads and checks all of the file, so that one that is cut or altered is known before anything is written.
async fn read_through(file: &Path, key: BackupKey) -> anyhow::Result<BackupKey> {
    let backup = Backup::open(file)?;
    let checked = tokio::task::spawn_blocking(move || {
        let found = examine(key.open(&backup.head_bytes, backup.rest));
        (found, key)
    });
    let (found, key) = checked.await.context("reading the backup failed")?;
    found.map_err(|error| cause_of(error, file))?;
    Ok(key)
}

/// The sentence about the file itself, where there is one.
fn cause_of(error: latchkey_store::snapshot::SnapshotError, file: &Path) -> anyhow::Error {
    let stream = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .and_then(|error| error.get_ref())
        .and_then(|inner| inner.downcast_ref::<StreamError>())
        .copied();
    let error = stream.map_or_else(|| anyhow::Error::new(error), anyhow::Error::new);
    error.context(format!("{} cannot be restored, and nothing was", file.display()))
}

async fn load(file: &Path, key: &BackupKey, place: &Place) -> anyhow::Result<Manifest> {
    let backup = Backup::open(file)?;
    let rows = key.open(&backup.head_bytes, backup.rest);
    let loaded = match &place.database_url {
        Some(url) => restore_to_postgres(url, rows).await,
        None => {
            let path = wire::database_path(&place.data);
            let loading = tokio::task::spawn_blocking(move || restore_to_sqlite(&path, rows));
            loading.await.context("loading the backup failed")?
        }
    };
    loaded.map_err(|error| cause_of(error, file))
}

/// Opens what was restored as a server would, and looks whether it is sound.
async fn look(place: &Place, opened: Opened, kit: Option<&RecoveryKit>) -> anyhow::Result<Vec<Found>> {
    let store = wire::open_store(place, Options::one_command()).await?;
    let engine = wire::join(store, opened);
    let mut all = Vec::new();
    for workspace in engine.store().workspace_list().await? {
        let by = Caller::operator(workspace.id, engine.fresh_request_id());
        let keys_recovered = match kit {
            Some(kit) => key_recovery::recover(&engine, &by, kit).await?,
            None => 0,
        };
        all.push(of_workspace(&engine, &by, workspace.name, keys_recovered).await?);
    }
    engine.store().close().await?;
    Ok(all)
}

async fn of_workspace(
    engine: &Engine,
    by: &Caller,
    workspace: String,
    keys_recovered: usize,
) -> anyhow::Result<Found> {
    let audit = engine.store().audit_verify(by.workspace_id()).await?;
    let secrets = key_recovery::check(engine, by).await?;
    Ok(Found {
        workspace,
        audit_records: audit.sealed + audit.unsealed,
        audit_faults: audit.breaks.iter().map(ToString::to_string).collect(),
        secrets_opened: secrets.opened,
        secrets_failed: secrets.failed,
        keys_recovered,
    })
}
