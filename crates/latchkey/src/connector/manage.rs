//! `latchkey connector`: how secrets are changed at each target, and which accounts go through it.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use latchkey_access::rotation::{Connector, RotationMode};
use latchkey_engine::rotations::Limits;
use latchkey_engine::rotations::connectors::{self, NewConnector, NewSetting};
use latchkey_engine::{Caller, Engine};
use latchkey_kernel::id::ConnectorId;
use latchkey_rotation::Schedule;
use latchkey_store::Options;
use secrecy::SecretString;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::Place;
use crate::output::{Output, table};
use crate::rotate::{account, operator};
use crate::wire;

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    /// Add a connector and print its id, alone, on standard output
    Add {
        /// What to call it
        name: String,
        /// The kind of target, as postgres
        #[arg(long, value_name = "KIND")]
        kind: String,
        /// Where the target is, as JSON: {"host": "db.example.com", "admin": "rotator"}
        #[arg(long, value_name = "JSON", default_value = "{}")]
        config: String,
        /// What its rotations are held to, as JSON: {"failed_login_every_seconds": 1800}
        #[arg(long, value_name = "JSON", default_value = "{}")]
        limits: String,
        /// File with the credential that changes others' secrets; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        admin_file: Option<PathBuf>,
        /// Rotations that it performs at once
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        at_once: u16,
        /// Name of the workspace; not needed where there is only one
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List the connectors; never their credentials
    List {
        /// Name of the workspace; not needed where there is only one
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Have an account's password changed by a connector
    Assign {
        /// Id or name of the account
        account: String,
        /// Id or name of the connector
        connector: String,
        /// Login name at the target, where it differs from the account's
        #[arg(long, value_name = "NAME")]
        login: Option<String>,
        /// Change the password every so many days
        #[arg(long, value_name = "DAYS")]
        every_days: Option<u16>,
        /// Try the stored password every so many hours
        #[arg(long, value_name = "HOURS")]
        verify_every_hours: Option<u16>,
        /// Wait for a person's approval before each change that nobody asked for
        #[arg(long)]
        on_approval: bool,
        /// Name of the workspace; not needed where there is only one
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a connector that no account has
    Remove {
        /// Id or name of the connector
        connector: String,
        /// Name of the workspace; not needed where there is only one
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: ConnectorCommand, output: Output) -> anyhow::Result<()> {
    match command {
        ConnectorCommand::Add { name, kind, config, limits, admin_file, at_once, workspace, place } => {
            let (engine, by) = open(&place, workspace.as_deref()).await?;
            let config: Value = serde_json::from_str(&config).context("--config is no JSON")?;
            let limits: Limits = serde_json::from_str(&limits).context("--limits does not read")?;
            let admin = admin_file.map(read_secret).transpose()?;
            let new = NewConnector { name, kind, config, limits, admin, at_once: Some(at_once) };
            let row = connectors::add(&engine, &by, &new).await?;
            output.answer(&value(&row), || row.id.to_string());
        }
        ConnectorCommand::List { workspace, place } => {
            let (engine, by) = open(&place, workspace.as_deref()).await?;
            let rows = connectors::list(&engine, &by).await?;
            let values: Vec<Value> = rows.iter().map(value).collect();
            output.answer(&values, || listed(&rows));
        }
        ConnectorCommand::Assign {
            account: asked,
            connector,
            login,
            every_days,
            verify_every_hours,
            on_approval,
            workspace,
            place,
        } => {
            let (engine, by) = open(&place, workspace.as_deref()).await?;
            let account = account(&engine, &by, &asked).await?;
            let row = find(&engine, &by, &connector).await?;
            let new = NewSetting {
                connector_id: Some(row.id),
                mode: if on_approval { RotationMode::OnApproval } else { RotationMode::Automatic },
                login,
                schedule: Schedule { every_days, verify_every_hours, ..Schedule::default() },
            };
            let set = connectors::set(&engine, &by, account.id, &new).await?;
            let answer = json!({ "account": account.id, "connector": row.id, "mode": set.mode, "login": set.login,
                "schedule": set.schedule });
            output.answer(&answer, || format!("{} is rotated by {}", account.name, row.name));
        }
        ConnectorCommand::Remove { connector, workspace, place } => {
            let (engine, by) = open(&place, workspace.as_deref()).await?;
            let row = find(&engine, &by, &connector).await?;
            connectors::remove(&engine, &by, row.id).await?;
            output.answer(&json!({ "removed": row.id }), || format!("{} is removed", row.name));
        }
    }
    Ok(())
}

async fn open(place: &Place, workspace: Option<&str>) -> anyhow::Result<(Engine, Caller)> {
    let engine = wire::open(place, Options::one_command()).await?;
    let by = operator(&engine, workspace).await?;
    Ok((engine, by))
}

async fn find(engine: &Engine, by: &Caller, asked: &str) -> anyhow::Result<Connector> {
    if let Ok(id) = asked.parse::<ConnectorId>() {
        return Ok(connectors::get(engine, by, id).await?);
    }
    let all = connectors::list(engine, by).await?;
    let found = all.into_iter().find(|row| row.name == asked);
    found.with_context(|| format!("there is no connector {asked:?}; `latchkey connector list` shows them"))
}

/// The first line of a file, or all of it where it has several: keys have.
fn read_secret(file: PathBuf) -> anyhow::Result<SecretString> {
    let mut text = Zeroizing::new(String::new());
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text = Zeroizing::new(
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?,
        );
    }
    let trimmed = text.trim_end_matches(['\r', '\n']);
    if trimmed.is_empty() {
        bail!("the credential in {} is empty", file.display());
    }
    Ok(SecretString::from(trimmed))
}

fn value(row: &Connector) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "host": row.host,
        "config": row.config,
        "limits": row.limits,
        "has_admin": row.sealed_admin.is_some(),
        "at_once": row.at_once,
        "paused": row.paused,
    })
}

fn listed(rows: &[Connector]) -> String {
    if rows.is_empty() {
        return "There is no connector; add one with `latchkey connector add`.".to_owned();
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let state =
                row.paused.as_ref().map_or_else(|| "ready".to_owned(), |why| format!("paused: {why}"));
            vec![row.id.to_string(), row.name.clone(), row.kind.clone(), row.host.clone(), state]
        })
        .collect();
    table(&["ID", "NAME", "KIND", "HOST", "STATE"], &cells)
}
