//! What a cycle would do.

use std::process::ExitCode;

use anyhow::Context;
use latchkey_cycles::{Cycle, DryTarget, MemoryLedger, Options, Plan, Silent};
use latchkey_kernel::{Clock as _, OsEntropy, SystemClock};
use latchkey_provisioning::log::{Action, LogEntry, Status};
use serde_json::json;

use super::look::whole;
use super::open::Opened;
use super::options;
use super::told::figures;
use crate::output::Output;

pub(super) async fn run(options: options::Preview, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let target = DryTarget::new(opened.target()?);
    let store = opened.store().await?;
    let source = opened.source(&store).await?;
    let ledger = match opened.row(&store).await? {
        Some(row) => {
            let held = latchkey_cycles::StoredLedger::new(store.clone(), row.held());
            MemoryLedger::copy_of(&held).await?
        }
        None => MemoryLedger::default(),
    };
    let how =
        Options { full: options.full || options.drift, check_drift: options.drift, ..Options::default() };
    let cycle = Cycle {
        job: &opened.job,
        source: &source,
        target: &target,
        ledger: &ledger,
        clock: &SystemClock,
        entropy: &OsEntropy,
        progress: &Silent,
        options: how,
    };
    let done = cycle.run().await?;
    store.close().await?;
    let log = ledger.log();
    let plan = Plan::of(opened.job.definition, &log);
    let value = json!({
        "madeAt": SystemClock.now(), "job": opened.file().name, "counts": done.counts, "error": done.error,
        "entries": log, "plan": plan,
    });
    if let Some(path) = &options.out {
        std::fs::write(path, serde_json::to_vec_pretty(&value)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    output.answer(&value, || words(&log, &done.counts, done.error.as_deref(), plan.len()));
    let code = match (&done.error, done.counts.failed) {
        (Some(_), _) => 3,
        (None, 0) => 0,
        (None, _) => 2,
    };
    Ok(ExitCode::from(code))
}

fn words(
    log: &[LogEntry],
    counts: &latchkey_provisioning::state::Counts,
    error: Option<&str>,
    changes: usize,
) -> String {
    let mut lines: Vec<String> = log
        .iter()
        .filter(|entry| entry.action != Action::Other || entry.status == Status::Failure)
        .map(whole)
        .collect();
    if let Some(error) = error {
        lines.push(format!("The preview broke off: {error}"));
    }
    lines.push(if changes == 0 {
        "Nothing would be changed.".to_owned()
    } else {
        format!("{changes} changes would be made; nothing was. In all: {}", figures(counts))
    });
    lines.join("\n")
}
