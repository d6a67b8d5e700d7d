//! `latchkey offboarding`: the report of a leaver, and whether one that was handed over is genuine.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use latchkey_engine::evidence::{self, Signed};
use latchkey_engine::members;
use latchkey_evidence::verify;
use latchkey_store::Options;
use serde_json::json;

use crate::cli::Place;
use crate::output::Output;
use crate::rotate::operator;
use crate::wire;

#[derive(Debug, Subcommand)]
pub(crate) enum Offboarding {
    /// Write the signed report of a member's last offboarding
    ///
    /// The report says when access ended, what the member could reach and had seen, which passwords were
    /// changed and how that was proved, and what still waits for a person. On standard output it is words
    /// for people; --json gives the signed JSON, --html writes a page to read and print.
    Report(Box<Report>),
    /// Check that a signed report is what was signed; needs no database
    Verify {
        /// The signed JSON
        file: PathBuf,
        /// The fingerprint of the installation's key, as its reports show it
        #[arg(long, value_name = "FINGERPRINT")]
        key: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// User name, mail address or id of the member
    member: String,
    /// What the report would say if the member left now; nothing is changed
    #[arg(long)]
    foresee: bool,
    /// Also write the signed JSON to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write the report as a page to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Name of the workspace; not needed where there is only one
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Ends with 1 when a report is not genuine.
pub(crate) async fn run(command: Offboarding, output: Output) -> anyhow::Result<ExitCode> {
    match command {
        Offboarding::Report(options) => {
            let Report { member, foresee, out, html, workspace, place } = *options;
            let engine = wire::open(&place, Options::one_command()).await?;
            let by = operator(&engine, workspace.as_deref()).await?;
            let id = match member.parse() {
                Ok(id) => id,
                Err(_) => members::by_login(&engine, &by, &member).await?.id,
            };
            let signed = if foresee {
                evidence::foreseen(&engine, &by, id).await?
            } else {
                evidence::of_member(&engine, &by, id).await.with_context(|| {
                    format!("{member} has no offboarding to report; --foresee tells what would be")
                })?
            };
            if let Some(path) = &out {
                write(path, serde_json::to_string_pretty(&signed)?.as_bytes())?;
            }
            if let Some(path) = &html {
                write(path, evidence::page(&signed)?.as_bytes())?;
            }
            output.answer(&signed, || words(&signed));
            Ok(ExitCode::SUCCESS)
        }
        Offboarding::Verify { file, key } => {
            let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let signed: Signed = serde_json::from_slice(&text)
                .with_context(|| format!("{} is no signed report", file.display()))?;
            let fingerprint = signed.fingerprint()?;
            let verdict = verify(&signed, key.as_deref());
            let told = json!({
                "genuine": verdict.is_ok(),
                "key": fingerprint,
                "error": verdict.err().map(|error| error.to_string()),
            });
            output.answer(&told, || match verdict {
                Ok(()) if key.is_some() => format!("{} is genuine.", file.display()),
                Ok(()) => format!(
                    "{} is as it was signed, with the key {fingerprint}; compare it with the one that the installation's own reports show, or give it with --key.",
                    file.display()
                ),
                Err(error) => format!("{}: {error}", file.display()),
            });
            Ok(if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// Writes a report or a picture, readable by its owner alone: it says what somebody could reach.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn words(signed: &Signed) -> String {
    let report = &signed.report;
    let mut lines = vec![report.summary.clone(), String::new()];
    for account in &report.accounts {
        let what = match &account.change {
            Some(change) if change.committed_at.is_some() => {
                let refused = if change.old_refused_at.is_some() { ", old refused" } else { "" };
                format!("changed, new opens{refused}")
            }
            Some(change) => change.state.replace('_', " "),
            None if account.decision == "rotate" => "to be changed".to_owned(),
            None => format!("left as it is: {}", account.rule.replace('_', " ")),
        };
        lines.push(format!("  {}: {what}", account.name));
    }
    for exception in &report.exceptions {
        lines.push(format!("  exception at {}: {}", exception.account, exception.reason));
    }
    lines.join("\n").trim_end().to_owned()
}
