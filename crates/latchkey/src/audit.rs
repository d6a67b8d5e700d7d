//! `latchkey audit verify`.

use std::process::ExitCode;

use latchkey_store::Options;
use serde_json::json;

use crate::cli::Audit;
use crate::output::Output;
use crate::wire;

/// Ends with 1 when a record was altered, removed or moved.
pub(crate) async fn run(command: Audit, output: Output) -> anyhow::Result<ExitCode> {
    let Audit::Verify { workspace, place } = command;
    let engine = wire::open(&place, Options::one_command()).await?;
    let mut whole = true;
    let mut found = false;
    for each in engine.store().workspace_list().await? {
        if workspace.as_ref().is_some_and(|name| *name != each.name) {
            continue;
        }
        found = true;
        let report = engine.store().audit_verify(each.id).await?;
        whole &= report.breaks.is_empty();
        let faults: Vec<String> = report.breaks.iter().map(ToString::to_string).collect();
        output.answer(
            &json!({
                "workspace": each.name,
                "whole": report.breaks.is_empty(),
                "sealed": report.sealed,
                "unsealed": report.unsealed,
                "faults": faults,
            }),
            || {
                let mut lines = vec![format!(
                    "{}: {} ({} records sealed, {} newer not yet sealed)",
                    each.name,
                    if report.breaks.is_empty() { "whole" } else { "NOT WHOLE" },
                    report.sealed,
                    report.unsealed
                )];
                lines.extend(faults.iter().map(|fault| format!("  {fault}")));
                lines.join("\n")
            },
        );
    }
    if let (false, Some(name)) = (found, workspace) {
        anyhow::bail!("there is no workspace {name:?}; `latchkey admin workspace list` shows those that are");
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
