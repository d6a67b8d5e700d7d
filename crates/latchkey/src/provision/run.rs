//! Cycles, on demand and undone.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use latchkey_cycles::{Cycle, JobSource, Ledger as _, Options, Plan, Source as _, StoredLedger};
use latchkey_kernel::{Clock as _, OsEntropy, SystemClock};
use latchkey_provisioning::Kind;
use latchkey_provisioning::ledger::Totals;
use latchkey_provisioning::log::{Action, LogEntry};
use latchkey_provisioning::state::{CycleSummary, JobState, JobStatus};
use latchkey_scim_client::Client;
use latchkey_store::provisioning::log::LogFilter;
use serde_json::json;

use super::open::{Opened, Taken, standing};
use super::options;
use super::told::{Told, summary};
use crate::output::Output;

/// Some objects failed and are tried again.
const ESCROWED: u8 = 2;
/// The job is in quarantine.
const QUARANTINED: u8 = 3;

pub(super) async fn run(options: options::Run, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let plan = options.plan.map(|path| read_plan(&path, &opened)).transpose()?;
    let target = opened.target()?;
    let store = opened.store().await?;
    let source = opened.source(&store).await?;
    let taken = opened.take(&store).await?;
    if taken.row.state.status == JobStatus::Paused {
        output.remark("The job is paused; this one cycle runs because you asked for it.");
    }
    let how = Options {
        full: options.full || options.repair_drift,
        check_drift: options.repair_drift,
        plan,
        lane: None,
    };
    let code = cycle(&opened, (&source, &target), &taken, how, output).await?;
    taken.free().await?;
    Ok(code)
}

/// One cycle, and what it came to.
async fn cycle(
    opened: &Opened,
    (source, target): (&JobSource, &Client),
    taken: &Taken,
    options: Options,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let told = Told::new(output);
    let done = of(opened, (source, target), taken, options, &told).run().await?;
    finish(taken, &done, &told, output).await
}

fn of<'c>(
    opened: &'c Opened,
    (source, target): (&'c JobSource, &'c Client),
    taken: &'c Taken,
    options: Options,
    told: &'c Told,
) -> Cycle<'c, JobSource, Client, StoredLedger> {
    Cycle {
        job: &opened.job,
        source,
        target,
        ledger: &taken.ledger,
        clock: &SystemClock,
        entropy: &OsEntropy,
        progress: told,
        options,
    }
}

async fn finish(taken: &Taken, done: &CycleSummary, told: &Told, output: Output) -> anyhow::Result<ExitCode> {
    taken.store().provisioning_cycle_put(taken.key(), done).await?;
    let (state, totals) = (taken.ledger.state().await?, taken.ledger.totals().await?);
    let code = code_of(&state, &totals, done);
    let value = json!({
        "event": "finished", "exit": code, "cycle": done, "totals": totals, "quarantine": state.quarantine,
    });
    output.answer(&value, || {
        let mut text = summary(done, &told.failures());
        if state.quarantine.is_some() {
            text.push_str(&format!("\nThe job is {}", standing(&state, SystemClock.now())));
        }
        text
    });
    Ok(ExitCode::from(code))
}

fn code_of(state: &JobState, totals: &Totals, done: &CycleSummary) -> u8 {
    if state.quarantine.is_some() || done.error.is_some() {
        QUARANTINED
    } else if totals.escrowed + totals.references_failed + done.counts.failed > 0 {
        ESCROWED
    } else {
        0
    }
}

fn read_plan(path: &std::path::Path, opened: &Opened) -> anyhow::Result<Plan> {
    let text = std::fs::read(path).with_context(|| format!("cannot read the preview {}", path.display()))?;
    let whole: serde_json::Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is no preview", path.display()))?;
    let plan: Plan = serde_json::from_value(whole["plan"].clone())
        .with_context(|| format!("{} is no preview", path.display()))?;
    if plan.definition != Some(opened.job.definition) {
        bail!("the job file was changed since the preview {} was made; make another", path.display());
    }
    Ok(plan)
}

/// Runs on the job's schedule, and as soon as the source has something new.
pub(super) async fn watch(options: options::Watch, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let target = opened.target()?;
    let store = opened.store().await?;
    let source = opened.source(&store).await?;
    let taken = opened.take(&store).await?;
    let ends = tokio::signal::ctrl_c();
    tokio::pin!(ends);
    let code = loop {
        let code = tokio::select! {
            // A cycle that was stopped goes on where it was.
            _ = &mut ends => break ExitCode::SUCCESS,
            code = cycle(&opened, (&source, &target), &taken, Options::default(), output) => code?,
        };
        let state = taken.ledger.state().await?;
        if state.status != JobStatus::Active {
            output.remark(format!("The job is {}", standing(&state, SystemClock.now())));
            break code;
        }
        let now = SystemClock.now();
        let scheduled = opened.file().schedule.unwrap_or(Duration::from_secs(40 * 60));
        let wait = state.quarantine.as_ref().map_or(scheduled, |it| it.next_attempt.since(now));
        let changed = async {
            match (&state.watermark, &state.quarantine) {
                (Some(watermark), None) => source.changed(watermark).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = &mut ends => break ExitCode::SUCCESS,
            () = tokio::time::sleep(wait) => {}
            changed = changed => if let Err(error) = changed {
                output.remark(format!("the source cannot be watched now: {error}"));
                tokio::time::sleep(Duration::from_secs(5)).await;
            },
        }
    };
    taken.free().await?;
    Ok(code)
}

pub(super) async fn on_demand(options: options::OnDemand, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let target = opened.target()?;
    let store = opened.store().await?;
    let source = opened.source(&store).await?;
    let (kind, text) = match (options.subject.user, options.subject.group) {
        (Some(user), _) => (Kind::User, user),
        (None, group) => (Kind::Group, group.unwrap_or_default()),
    };
    let what = if kind == Kind::User { "person" } else { "group" };
    if opened.file().mapping(kind).is_none() {
        bail!("the job leaves {what}s out: there is no [{what}s] in its file");
    }
    let found = source.search(kind, &text).await?;
    let found = match found.len() {
        0 => bail!("the source has no {what} whose id, login name, mail address or display name is {text:?}"),
        1 => found,
        several => bail!("{several} {what}s of the source are called {text:?}; give the id"),
    };
    let taken = opened.take(&store).await?;
    // A group brings its members along, so that they are there to be its members.
    let mut changes = match &found[0] {
        latchkey_provisioning::feed::Change::Present {
            members: Some(latchkey_provisioning::feed::Members::Whole(ids)),
            ..
        } => source.fetch(Kind::User, ids).await?,
        _ => Vec::new(),
    };
    changes.extend(found);
    let told = Told::new(output);
    let how = Options { check_drift: true, ..Options::default() };
    let done = of(&opened, (&source, &target), &taken, how, &told).run_for(changes).await?;
    let filter = LogFilter { cycle: Some(done.id), limit: 1_000, oldest_first: true, ..LogFilter::default() };
    let entries = taken.store().provisioning_log(taken.key(), &filter).await?;
    if !output.is_json() {
        for entry in &entries {
            anstream::println!("{}", super::look::whole(entry));
        }
    }
    let code = finish(&taken, &done, &told, output).await?;
    taken.free().await?;
    Ok(code)
}

pub(super) async fn undo(options: options::Undo, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let target = opened.target()?;
    let store = opened.store().await?;
    let source = opened.source(&store).await?;
    let taken = opened.take(&store).await?;
    let cycle = match options.cycle {
        Some(text) => text.parse().with_context(|| format!("{text:?} is no id of a cycle"))?,
        None => {
            let cycles = taken.store().provisioning_cycles(taken.key(), 500).await?;
            let took = cycles.iter().find(|cycle| {
                cycle.counts.disabled + cycle.counts.deleted + cycle.counts.members_removed > 0
            });
            took.context("no cycle disabled, deleted or took out anything that could be taken back")?.id
        }
    };
    let filter = LogFilter {
        cycle: Some(cycle),
        text: options.object,
        limit: 1_000_000,
        oldest_first: true,
        ..LogFilter::default()
    };
    let entries = taken.store().provisioning_log(taken.key(), &filter).await?;
    let entries: Vec<LogEntry> = entries.into_iter().filter(can_be_undone).collect();
    if entries.is_empty() {
        bail!("nothing of this cycle can be taken back: it disabled, deleted and took out nobody");
    }
    if options.dry_run {
        let value = json!({ "cycle": cycle, "entries": entries });
        output.answer(&value, || {
            let lines: Vec<String> = entries.iter().map(super::look::line).collect();
            format!("{}\n{} would be taken back.", lines.join("\n"), entries.len())
        });
        taken.free().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let told = Told::new(output);
    let done = of(&opened, (&source, &target), &taken, Options::default(), &told).undo(entries).await?;
    taken.store().provisioning_cycle_put(taken.key(), &done).await?;
    output.answer(&json!({ "event": "undone", "cycle": done }), || summary(&done, &told.failures()));
    taken.free().await?;
    Ok(ExitCode::from(if done.error.is_some() || done.counts.failed > 0 { ESCROWED } else { 0 }))
}

fn can_be_undone(entry: &LogEntry) -> bool {
    let removed = entry.detail.members.as_ref().is_some_and(|members| !members.removed.is_empty());
    entry.detail.undo.is_some() && matches!(entry.action, Action::Disable | Action::Delete) || removed
}
