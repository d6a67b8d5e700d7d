//! Sources and targets that are known, and a job file made of two of them.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use latchkey_provisioning::gallery::{self, Role, Template};
use serde_json::json;

use crate::output::{Output, table};

const TEMPLATES_HELP: &str = "\
Examples:
  latchkey provision templates                 all, in a line each
  latchkey provision templates slack           what an admin does, and how Slack differs from the standard
  latchkey provision new --source csv-files --target slack";

const NEW_HELP: &str = "\
Examples:
  latchkey provision new --source csv-files --target generic-scim
  latchkey provision new --source active-directory --target slack --name 'Staff to Slack' --out slack.toml
  latchkey provision new --source ldap --target generic-scim --out -      to standard output

What is yours (addresses, names of files with secrets) is put in with an editor; then
`latchkey provision lint` and `latchkey provision test-connection` say what is still wrong.";

#[derive(Debug, Args)]
#[command(after_help = TEMPLATES_HELP)]
pub(crate) struct Templates {
    /// One of them, with its set-up steps and how it differs; all in short without it
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = NEW_HELP)]
pub(crate) struct New {
    /// Where people are read: the name of a source of `latchkey provision templates`
    #[arg(long, value_name = "NAME")]
    pub(crate) source: String,
    /// Where they are written: the name of a target of `latchkey provision templates`
    #[arg(long, value_name = "NAME")]
    pub(crate) target: String,
    /// What people will call the job; of the two names without it
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// The file, which must not be there yet; - is standard output
    #[arg(long, value_name = "FILE", default_value = "provision.toml")]
    pub(crate) out: PathBuf,
}

pub(super) fn templates(options: &Templates, output: Output) -> anyhow::Result<ExitCode> {
    let Some(name) = &options.name else {
        let all = gallery::templates();
        output.answer(&all, || {
            let rows = |role| -> Vec<Vec<String>> {
                let of_role = all.iter().filter(|one| one.content.kind == role);
                of_role.map(|one| vec![one.id.to_owned(), one.content.summary.clone()]).collect()
            };
            format!(
                "{}\n\n{}\n\n`latchkey provision templates NAME` says more of one; `latchkey provision new` makes a job of two.",
                table(&["Source", "Reads"], &rows(Role::Source)),
                table(&["Target", "Gets"], &rows(Role::Target))
            )
        });
        return Ok(ExitCode::SUCCESS);
    };
    let found = gallery::find(name);
    let template = found.with_context(|| {
        format!("there is no template {name:?}; `latchkey provision templates` lists all of them")
    })?;
    output.answer(&template, || whole(&template));
    Ok(ExitCode::SUCCESS)
}

fn whole(template: &Template) -> String {
    let content = &template.content;
    let role = match content.kind {
        Role::Source => "source",
        Role::Target => "target",
    };
    let mut lines = vec![format!("{} ({role} {})", content.name, template.id), content.summary.clone()];
    lines.extend(content.documentation.iter().cloned());
    lines.push("\nTo set it up:".to_owned());
    lines.extend(content.setup.iter().enumerate().map(|(at, step)| format!("  {}. {step}", at + 1)));
    if let Some(facts) = &content.facts {
        lines.push("\nHow it differs:".to_owned());
        lines.extend(facts.sentences().into_iter().map(|sentence| format!("  - {sentence}")));
    }
    lines.push(format!("\nIn a job file:\n\n{}", content.job.trim_end()));
    lines.join("\n")
}

pub(super) fn new(options: &New, output: Output) -> anyhow::Result<ExitCode> {
    let source = of_role(&options.source, Role::Source)?;
    let target = of_role(&options.target, Role::Target)?;
    let name = options.name.clone().unwrap_or_else(|| called(&source, &target));
    let text = gallery::job(&name, &source, &target);
    written(&options.out, &text, output, json!({ "name": name }), || {
        format!(
            "{} is written. Put in what is yours, then:\n  latchkey provision lint {0}\n  latchkey provision test-connection {0}",
            options.out.display()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a job between the two is called that nobody gave a name.
pub(super) fn called(source: &Template, target: &Template) -> String {
    format!("{} to {}", source.content.name, target.content.name)
}

/// The template of this name, if it can be what it is to be.
pub(super) fn of_role(name: &str, role: Role) -> anyhow::Result<Template> {
    let word = if role == Role::Source { "source" } else { "target" };
    let all = gallery::templates().into_iter().filter(|one| one.content.kind == role);
    match gallery::find(name) {
        Some(template) if template.content.kind == role => Ok(template),
        found => {
            let why = match found {
                Some(_) => format!("{name} is no {word}"),
                None => format!("there is no {word} {name:?}"),
            };
            let known: Vec<&str> = all.map(|one| one.id).collect();
            bail!("{why}; there are {}", known.join(", "))
        }
    }
}

/// Writes a new file, or to standard output where - is its name; answers with what was written.
pub(super) fn written(
    path: &Path,
    text: &str,
    output: Output,
    mut value: serde_json::Value,
    words: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    if path == Path::new("-") {
        value["text"] = text.into();
        output.answer(&value, || text.trim_end().to_owned());
        return Ok(());
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => bail!(
            "{} is there already, and nothing of it was changed; name another file with --out",
            path.display()
        ),
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    value["file"] = path.display().to_string().into();
    output.answer(&value, words);
    Ok(())
}
