//! The expression language: its functions, and what an expression gives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use latchkey_expr::{Attributes, Expected, FUNCTIONS, Program, Surroundings, Value};
use latchkey_kernel::{Clock as _, OsEntropy, SystemClock};
use latchkey_provisioning::Kind;
use latchkey_provisioning::feed::Change;
use serde_json::{Value as Json, json};

use super::open::{Host, parse};
use super::options;
use crate::output::Output;

pub(super) async fn expression(options: options::Expression, output: Output) -> anyhow::Result<ExitCode> {
    let program = Program::compile(&options.text)?;
    let mut attributes: BTreeMap<String, Json> = BTreeMap::new();
    let mut domain = String::new();
    if let (Some(user), Some(path)) = (&options.user, &options.job) {
        let (found, default_domain) = person(user, path, options.source_dir.clone()).await?;
        attributes = found;
        domain = default_domain;
    }
    for pair in &options.values {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("{pair:?} is no NAME=VALUE, as givenName=Mira"))?;
        attributes.insert(name.to_owned(), Json::String(value.to_owned()));
    }
    let look = Known(attributes);
    let surroundings = Surroundings { now: SystemClock.now(), entropy: &OsEntropy, default_domain: &domain };
    let trace = program.trace(&look, &surroundings);
    let part = |from: usize, to: usize| options.text.get(from..to).unwrap_or_default();
    let (result, ok) = match &trace.result {
        Ok(found) => (json!({ "value": found.value.to_json() }), true),
        Err(error) => (json!({ "error": error.to_string() }), false),
    };
    let value = json!({ "result": result, "steps": trace.steps });
    output.answer(&value, || {
        let mut lines: Vec<String> = trace
            .steps
            .iter()
            .map(|step| {
                let text = part(step.span.start, step.span.end);
                match (&step.value, &step.error) {
                    (Some(value), _) => format!("{text} = {value}"),
                    (None, error) => format!("{text} failed: {}", error.as_deref().unwrap_or_default()),
                }
            })
            .collect();
        lines.push(match &trace.result {
            Ok(found) => format!("→ {}", found.value.to_json()),
            Err(error) => format!("→ {error}"),
        });
        lines.join("\n")
    });
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The attributes of one person.
struct Known(BTreeMap<String, Json>);

impl Attributes for Known {
    fn attribute<'a>(&'a self, name: &str) -> Value<'a> {
        self.0.get(name).map_or(Value::Null, Value::from_json)
    }
}

async fn person(
    user: &str,
    path: &PathBuf,
    source_dir: Option<PathBuf>,
) -> anyhow::Result<(BTreeMap<String, Json>, String)> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the job file {}", path.display()))?;
    let file = parse(path, &text)?;
    let source = latchkey_jobs::open::source(&file, &Host { job_file: path }, source_dir, None)
        .context("name the attributes with --set instead")?;
    let found = source.search(Kind::User, user).await?;
    match found.into_iter().next() {
        Some(Change::Present { entry, .. }) => {
            Ok((entry.attributes.into_iter().collect(), file.default_domain))
        }
        _ => bail!("the source has nobody whose id, login name, mail address or display name is {user:?}"),
    }
}

pub(super) fn functions(name: Option<&str>, output: Output) -> anyhow::Result<ExitCode> {
    let Some(name) = name else {
        let all: Vec<Json> = FUNCTIONS
            .iter()
            .map(|one| json!({ "name": one.name, "signature": one.signature(), "help": one.help }))
            .collect();
        output.answer(&all, || {
            let lines: Vec<String> =
                FUNCTIONS.iter().map(|one| format!("{}\n    {}", one.signature(), one.help)).collect();
            lines.join("\n")
        });
        return Ok(ExitCode::SUCCESS);
    };
    let found = FUNCTIONS.iter().find(|one| {
        std::iter::once(&one.name).chain(one.aliases).any(|known| known.eq_ignore_ascii_case(name))
    });
    let Some(function) = found else {
        bail!("there is no function {name:?}; `latchkey provision functions` lists all");
    };
    let examples: Vec<String> = function
        .examples
        .iter()
        .map(|example| match &example.gives {
            Expected::Text(text) => format!("{} → {text:?}", example.text),
            Expected::List(list) => format!("{} → {}", example.text, list.join(", ")),
            Expected::Null => format!("{} → nothing", example.text),
            Expected::Matches(pattern) => format!("{} → something like {pattern}", example.text),
            Expected::Fails(words) => format!("{} fails: {words}", example.text),
        })
        .collect();
    let value = json!({
        "name": function.name, "signature": function.signature(), "help": function.help, "examples": examples,
    });
    output.answer(&value, || {
        format!("{}\n    {}\n\n{}", function.signature(), function.help, examples.join("\n"))
    });
    Ok(ExitCode::SUCCESS)
}
