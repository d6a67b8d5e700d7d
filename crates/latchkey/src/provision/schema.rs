//! Mappings from Entra ID and back, as its `synchronizationSchema`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use latchkey_provisioning::gallery::{self, Role};
use latchkey_provisioning::graph_schema::{self, Note};
use latchkey_provisioning::jobfile;
use serde_json::{Value as Json, json};

use super::open::parse;
use super::templates::{called, of_role, written};
use crate::output::Output;

const IMPORT_HELP: &str = "\
Examples:
  latchkey provision schema import entra.json
  latchkey provision schema import entra.json --source active-directory --target slack --out slack.toml

In the Entra admin centre: Enterprise applications, the application, Provisioning, Edit attribute
mappings, Show advanced options, Review your schema here, Download.
What works in another way here is told on standard error, each with its place in the schema.";

const EXPORT_HELP: &str = "\
Examples:
  latchkey provision schema export provision.toml > entra.json
  latchkey provision schema export provision.toml --original entra.json --out changed.json

With --original, what the job file does not say (directories, metadata, ids) stays as it was, so that
the schema can be uploaded where it came from.";

#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    /// Write a job file of the mappings and filters of a schema that was downloaded from Entra ID
    Import(Import),
    /// Write the mappings and filters of a job file as a schema that Entra ID takes
    Export(Export),
}

#[derive(Debug, Args)]
#[command(after_help = IMPORT_HELP)]
pub(crate) struct Import {
    /// The schema, as JSON
    pub(crate) schema: PathBuf,
    /// Where people will be read: the name of a source of `latchkey provision templates`
    #[arg(long, value_name = "NAME", default_value = "entra-id")]
    pub(crate) source: String,
    /// Where they will be written: the name of a target of `latchkey provision templates`
    #[arg(long, value_name = "NAME", default_value = "generic-scim")]
    pub(crate) target: String,
    /// What people will call the job; of the two names without it
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// The job file, which must not be there yet; - is standard output
    #[arg(long, value_name = "FILE", default_value = "provision.toml")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub(crate) struct Export {
    /// The job, as provision.toml
    pub(crate) file: PathBuf,
    /// The schema that the mappings came from
    #[arg(long, value_name = "FILE")]
    pub(crate) original: Option<PathBuf>,
    /// The schema's file, which must not be there yet; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) out: PathBuf,
}

pub(super) fn run(command: Schema, output: Output) -> anyhow::Result<ExitCode> {
    match command {
        Schema::Import(options) => import(&options, output),
        Schema::Export(options) => export(&options, output),
    }
}

fn import(options: &Import, output: Output) -> anyhow::Result<ExitCode> {
    let source = of_role(&options.source, Role::Source)?;
    let target = of_role(&options.target, Role::Target)?;
    let schema = read_json(&options.schema)?;
    let imported = graph_schema::import(&schema).map_err(|faults| {
        let lines: Vec<String> =
            faults.iter().map(|fault| format!("{}: {fault}", options.schema.display())).collect();
        anyhow::anyhow!("the schema cannot be used, and nothing was written:\n{}", lines.join("\n"))
    })?;
    let mappings: Vec<String> =
        [&imported.users, &imported.groups].into_iter().flatten().map(jobfile::section).collect();
    if mappings.is_empty() {
        bail!("{} maps neither users nor groups, so nothing was written", options.schema.display());
    }
    let name = options.name.clone().unwrap_or_else(|| called(&source, &target));
    let sections = format!("{}\n\n{}", target.connection().trim_start(), mappings.join("\n"));
    let text = gallery::job_of(&name, &source, &target, &sections);
    let checked = jobfile::check(&text);
    warn(&imported.warnings, output);
    for problem in &checked.errors {
        output.remark(format!("to mend in {}: {problem}", options.out.display()));
    }
    let value = json!({ "name": name, "warnings": imported.warnings, "errors": checked.errors });
    written(&options.out, &text, output, value, || {
        format!(
            "{} is written. Put in what is yours under [source] and [target], then:\n  latchkey provision lint {0}\n  latchkey provision preview {0}",
            options.out.display()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn export(options: &Export, output: Output) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&options.file)
        .with_context(|| format!("cannot read the job file {}", options.file.display()))?;
    let job = parse(&options.file, &text)?;
    let original = options.original.as_deref().map(read_json).transpose()?;
    if let Some(original) = &original
        && !original.get("synchronizationRules").is_some_and(Json::is_array)
    {
        bail!("--original is no synchronizationSchema: it has no list synchronizationRules");
    }
    let exported = graph_schema::export(job.users.as_ref(), job.groups.as_ref(), original.as_ref());
    warn(&exported.warnings, output);
    let schema = serde_json::to_string_pretty(&exported.schema)?;
    let value = json!({ "schema": exported.schema, "warnings": exported.warnings });
    written(&options.out, &format!("{schema}\n"), output, value, || {
        format!("{} is written.", options.out.display())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn read_json(path: &Path) -> anyhow::Result<Json> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Downloads begin with a byte order mark now and then.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    serde_json::from_slice(text).with_context(|| format!("{} is no JSON", path.display()))
}

fn warn(warnings: &[Note], output: Output) {
    for warning in warnings {
        output.remark(format!("warning: {warning}"));
    }
}
