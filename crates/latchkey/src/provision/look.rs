//! Where a job stands, what it did, and whether its ends can be reached.

use std::process::ExitCode;

use anyhow::{Context, bail};
use latchkey_kernel::{Clock as _, OsEntropy, SystemClock};
use latchkey_provisioning::Kind;
use latchkey_provisioning::log::{Action, LogEntry, Status};
use latchkey_provisioning::target_path::TargetPath;
use latchkey_store::provisioning::log::LogFilter;
use serde_json::json;

use super::open::{Opened, standing};
use super::options::{self, Form};
use super::told::summary;
use crate::output::Output;
use latchkey_jobs::{changed, csv_of};

pub(super) async fn test_connection(options: options::Job, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options)?;
    let target = opened.target()?;
    let store = opened.store().await?;
    let read = opened.source(&store).await?.test().await;
    store.close().await?;
    let matching: Vec<(Kind, TargetPath)> = [Kind::User, Kind::Group]
        .into_iter()
        .filter_map(|kind| {
            let first = opened.file().mapping(kind)?.matching().into_iter().next()?.target.clone();
            Some((kind, first))
        })
        .collect();
    let diagnosis = target.test(&matching, &OsEntropy).await;
    let warnings = opened.warnings();
    let ok = read.is_ok() && diagnosis.ok;
    let value = json!({
        "ok": ok,
        "source": { "ok": read.is_ok(), "message": read.as_ref().map_or_else(ToString::to_string, Clone::clone) },
        "target": diagnosis,
        "warnings": warnings,
    });
    output.answer(&value, || {
        let mark = |ok: bool| if ok { "ok  " } else { "FAIL" };
        let mut lines = vec![match &read {
            Ok(found) => format!("{} source: {found}", mark(true)),
            Err(error) => format!("{} source: {error}", mark(false)),
        }];
        for check in &diagnosis.checks {
            lines.push(format!(
                "{} target: {}: {} ({} ms)",
                mark(check.ok),
                check.name,
                check.message,
                check.millis
            ));
        }
        lines.extend(warnings.iter().map(|warning| format!("note {warning}")));
        lines.join("\n")
    });
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn status(options: options::Job, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options)?;
    let store = opened.store().await?;
    let Some(row) = opened.row(&store).await? else {
        output.answer(&json!({ "job": opened.file().name, "status": "not_run" }), || {
            format!("{} has not run yet; `latchkey provision run` runs it.", opened.file().name)
        });
        return Ok(ExitCode::SUCCESS);
    };
    let totals = store.provisioning_totals(row.workspace_id, row.id).await?;
    let cycles = store.provisioning_cycles((row.workspace_id, row.id), 10).await?;
    let running = opened.is_running(&store, &row);
    store.close().await?;
    let now = SystemClock.now();
    let value = json!({
        "job": row.name, "id": row.id, "state": row.state, "totals": totals, "running": running,
        "cycles": cycles,
    });
    output.answer(&value, || {
        let mut lines = vec![
            format!("{}: {}", row.name, standing(&row.state, now)),
            format!(
                "  at the target: {} people ({} more disabled), {} groups, {} memberships",
                totals.users, totals.users_out, totals.groups, totals.members
            ),
        ];
        if totals.escrowed + totals.references_failed > 0 {
            lines.push(format!(
                "  failed and tried again: {} objects, {} references",
                totals.escrowed, totals.references_failed
            ));
        }
        if totals.held > 0 {
            lines.push(format!("  held: {}; `latchkey provision allow-deletes` lets them go", totals.held));
        }
        if let Some(steady) = row.state.steady_last {
            lines.push(format!("  everything was in step at {steady}"));
        }
        if running {
            lines.push("  a cycle is running now".to_owned());
        }
        if let Some(last) = &row.state.last {
            lines.push(format!("Last: {}", summary(last, &[])));
        }
        lines.join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn logs(options: options::Logs, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let word = |what: &str, text: &str, known: Vec<&str>| {
        anyhow::anyhow!("{text:?} is no {what}; there are {}", known.join(", "))
    };
    let status = options.status.map(|text| {
        Status::from_word(&text)
            .ok_or_else(|| word("status", &text, Status::ALL.iter().map(|one| one.as_str()).collect()))
    });
    let action = options.action.map(|text| {
        Action::from_word(&text)
            .ok_or_else(|| word("action", &text, Action::ALL.iter().map(|one| one.as_str()).collect()))
    });
    let cycle = options
        .cycle
        .map(|text| text.parse().with_context(|| format!("{text:?} is no id of a cycle")))
        .transpose()?;
    let filter = LogFilter {
        cycle,
        text: options.object,
        action: action.transpose()?,
        status: status.transpose()?,
        code: options.code,
        limit: options.limit.min(1_000_000),
        ..LogFilter::default()
    };
    let store = opened.store().await?;
    let Some(row) = opened.row(&store).await? else { bail!("the job has not run yet, so it has no log") };
    let mut entries = store.provisioning_log((row.workspace_id, row.id), &filter).await?;
    store.close().await?;
    if !options.all && filter.status.is_none() && filter.action.is_none() {
        entries.retain(|entry| entry.status != Status::Skipped || entry.action == Action::StagedDelete);
    }
    match options.format {
        Form::Csv => anstream::print!("{}", csv_of(&entries)),
        Form::Json => {
            for entry in &entries {
                anstream::println!("{}", serde_json::to_string(entry)?);
            }
        }
        Form::Words => output.answer(&entries, || {
            if entries.is_empty() {
                return "Nothing; --all also shows what was skipped.".to_owned();
            }
            entries.iter().map(whole).collect::<Vec<_>>().join("\n")
        }),
    }
    Ok(ExitCode::SUCCESS)
}

/// An entry in one line.
pub(super) fn line(entry: &LogEntry) -> String {
    let code = entry.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    let kind = if entry.kind == Kind::User { "person" } else { "group" };
    let sign = match (entry.action, entry.status) {
        (_, Status::Failure) => "!",
        (Action::Create, _) => "+",
        (Action::Disable | Action::Delete, _) => "-",
        (Action::Update, _) => "~",
        (Action::StagedDelete, _) => "?",
        (Action::Other, _) => "·",
    };
    format!(
        "{sign} {} {} {kind} {}: {}{code}: {}",
        entry.at, entry.action, entry.label, entry.status, entry.message
    )
}

/// An entry with what changed, and why.
pub(super) fn whole(entry: &LogEntry) -> String {
    let mut lines = vec![line(entry)];
    if let Some(path) = &entry.detail.matched_by {
        lines.push(format!("    found at the target by {path}"));
    }
    if let Some(facts) = entry.detail.facts.as_ref().filter(|facts| facts.is_soft_deleted()) {
        lines.push(format!(
            "    active: {}, assigned: {}, in scope: {}",
            facts.is_active, facts.assigned, facts.is_in_provisioning_scope
        ));
        for clause in facts.scope_evaluation_result.iter().filter(|clause| !clause.holds) {
            lines.push(format!("    {}: {} does not hold", clause.group, clause.clause));
        }
    }
    lines.extend(entry.detail.modified.iter().map(|one| format!("    {}", changed(one))));
    lines.join("\n")
}
