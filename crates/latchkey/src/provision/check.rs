//! What is wrong with a job file, and what is probably regretted.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use latchkey_provisioning::jobfile;
use serde_json::json;

use crate::output::Output;

const HELP: &str = "\
Errors refuse the job: a field that is wrong, or a mapping that would send what is no valid SCIM.
Warnings are allowed and probably regretted: an active that does not follow who leaves, roles without
assignments, a filter that lets in others than were meant.

Ends with 1 when there is an error, else with 0. Nothing is connected to; `latchkey provision
test-connection` does that.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Lint {
    /// The job, as provision.toml
    pub(crate) file: PathBuf,
}

pub(super) fn lint(options: &Lint, output: Output) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&options.file)
        .with_context(|| format!("cannot read the job file {}", options.file.display()))?;
    let checked = jobfile::check(&text);
    let ok = checked.errors.is_empty();
    let value = json!({ "ok": ok, "errors": checked.errors, "warnings": checked.warnings });
    output.answer(&value, || {
        let path = options.file.display();
        let errors = checked.errors.iter().map(|problem| format!("error   {path}: {problem}"));
        let warnings = checked.warnings.iter().map(|problem| format!("warning {path}: {problem}"));
        let mut lines: Vec<String> = errors.chain(warnings).collect();
        lines.push(match (checked.errors.len(), checked.warnings.len()) {
            (0, 0) => "Nothing to say against it.".to_owned(),
            (0, warnings) => format!("It can run; {warnings} of it you may regret."),
            (errors, _) => format!("It cannot run: {errors} to mend."),
        });
        lines.join("\n")
    });
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
