//! `latchkey vault`: the keys that secrets are sealed under.

use std::process::ExitCode;

use anyhow::Context;
use latchkey_access::Workspace;
use latchkey_engine::key_rotation::{self, KeyStatus, Progress as Done};
use latchkey_engine::{Caller, Engine, workspaces};
use latchkey_store::Options;
use serde_json::json;

use crate::cli::Vault;
use crate::output::{Output, table};
use crate::progress::Progress;
use crate::wire;

/// Ends with 1 when a secret does not open where it stands.
pub(crate) async fn run(command: Vault, output: Output) -> anyhow::Result<ExitCode> {
    match command {
        Vault::Status { workspace, place } => {
            let engine = wire::open(&place, Options::one_command()).await?;
            for each in chosen(&engine, workspace).await? {
                let by = Caller::operator(each.id, engine.fresh_request_id());
                let status = key_rotation::status(&engine, &by).await?;
                output.answer(&told(&each, &status), || words(&each, &status));
            }
            Ok(ExitCode::SUCCESS)
        }
        Vault::RotateKeys { workspace, resume, place } => {
            let engine = wire::open(&place, Options::one_command()).await?;
            let mut whole = true;
            for each in chosen(&engine, workspace).await? {
                whole &= rotate(&engine, &each, resume, output).await?.damaged == 0;
            }
            Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

async fn chosen(engine: &Engine, name: Option<String>) -> anyhow::Result<Vec<Workspace>> {
    match name {
        None => Ok(workspaces::list(engine).await?),
        Some(name) => {
            let found = workspaces::by_name(engine, &name).await;
            Ok(vec![found.with_context(|| format!("cannot use the workspace {name:?}"))?])
        }
    }
}

async fn rotate(
    engine: &Engine,
    workspace: &Workspace,
    resume: bool,
    output: Output,
) -> anyhow::Result<Done> {
    let by = Caller::operator(workspace.id, engine.fresh_request_id());
    let made = if resume { None } else { Some(key_rotation::begin(engine, &by).await?) };
    let progress = if output.is_json() { Progress::Hidden } else { Progress::Shown };
    let bar = progress.bar("Secrets", 0);
    let tell = |done: Done| bar.at(done.done + done.damaged, done.done + done.damaged + done.left);
    let done = key_rotation::finish(engine, workspace.id, tell).await;
    bar.finish();
    let done = done?;
    let status = key_rotation::status(engine, &by).await?;
    output.answer(
        &json!({
            "workspace": workspace.name,
            "key": made,
            "sealed_anew": done.done,
            "left": status.left(),
            "damaged": done.damaged,
        }),
        || {
            let mut lines = vec![format!(
                "{}: {}{} sealed anew, {} left",
                workspace.name,
                made.map(|number| format!("key {number} seals from now on; ")).unwrap_or_default(),
                done.done,
                status.left()
            )];
            if done.damaged > 0 {
                lines.push(format!(
                    "  {} DO NOT OPEN where they stand: they were altered or moved. \
                     The audit log names them (secret.tampered); restore them from a backup.",
                    done.damaged
                ));
            }
            lines.join("\n")
        },
    );
    Ok(done)
}

fn told(workspace: &Workspace, status: &KeyStatus) -> serde_json::Value {
    let keys: Vec<_> = status
        .keys
        .iter()
        .map(|key| {
            json!({
                "number": key.number,
                "wrapped_by": key.kek_id,
                "opens": key.opens,
                "created_at": key.created_at,
                "retired_at": key.retired_at,
                "versions": key.versions,
            })
        })
        .collect();
    json!({ "workspace": workspace.name, "left": status.left(), "keys": keys })
}

fn words(workspace: &Workspace, status: &KeyStatus) -> String {
    if status.keys.is_empty() {
        return format!("{}: no secret has been stored yet", workspace.name);
    }
    let last = status.keys.len() - 1;
    let rows: Vec<Vec<String>> = status
        .keys
        .iter()
        .enumerate()
        .map(|(at, key)| {
            let state = match (key.retired_at, at == last, key.opens) {
                (Some(_), ..) => "retired",
                (None, _, false) => "CLOSED: wrapped by another key source",
                (None, true, true) => "seals",
                (None, false, true) => "being replaced",
            };
            vec![
                key.number.to_string(),
                key.versions.to_string(),
                state.to_owned(),
                key.created_at.to_string(),
                key.kek_id.clone(),
            ]
        })
        .collect();
    format!("{}\n{}", workspace.name, table(&["KEY", "SECRETS", "STATE", "MADE", "WRAPPED BY"], &rows))
}
