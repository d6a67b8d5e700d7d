//! Cycles, on demand and undone.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use latchkey_cycles::{Cycle, JobSource, Ledger as _, Options, Plan, Source as _, StoredLedger};
use latchkey_kernel::id::CycleId;
use latchkey_kernel::{Clock as _, OsEntropy, SystemClock};
use latchkey_provisioning::Kind;
use latchkey_provisioning::feed::{Change, Members};
use latchkey_provisioning::ledger::Totals;
use latchkey_provisioning::log::{Action, LogEntry};
use latchkey_provisioning::state::{CycleSummary, JobState, JobStatus};
use latchkey_scim_client::Client;
use latchkey_store::provisioning::log::LogFilter;
use serde_json::json;

use super::open::{Opened, Taken, standing};
use super::options;
use super::told::{Told, planned_summary, summary};
use crate::output::Output;
use crate::serve::stop_signal;

/// Some objects failed and are tried again.
const ESCROWED: u8 = 2;
/// The job is in quarantine.
const QUARANTINED: u8 = 3;

/// Between cycles of a job that is watched and says no schedule; Entra ID's own.
const UNSCHEDULED: Duration = Duration::from_secs(40 * 60);
/// Until the next cycle when the source cannot be watched.
const UNWATCHED: Duration = Duration::from_secs(5);

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
    let code = cycle(&opened, (&source, &target), &taken, how, output).await;
    taken.end(code).await
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
    let planned = options.plan.is_some();
    let done = of(opened, (source, target), taken, options, &told).run().await?;
    finish(taken, &done, planned, &told, output).await
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

async fn finish(
    taken: &Taken,
    done: &CycleSummary,
    planned: bool,
    told: &Told,
    output: Output,
) -> anyhow::Result<ExitCode> {
    taken.store().provisioning_cycle_put(taken.key(), done).await?;
    let (state, totals) = (taken.ledger.state().await?, taken.ledger.totals().await?);
    let code = code_of(&state, &totals, done, planned);
    let value = json!({
        "event": "finished", "exit": code, "cycle": done, "totals": totals, "quarantine": state.quarantine,
    });
    output.answer(&value, || {
        let mut text = match code {
            0 if planned => planned_summary(done),
            _ => summary(done, &told.failures()),
        };
        if state.quarantine.is_some() {
            text.push_str(&format!("\nThe job is {}", standing(&state, SystemClock.now())));
        }
        text
    });
    Ok(ExitCode::from(code))
}

/// What a plan left out is no failure of the plan, though it is out of step.
fn code_of(state: &JobState, totals: &Totals, done: &CycleSummary, planned: bool) -> u8 {
    let failed = done.counts.failed + done.counts.references_failed;
    let before = if planned { 0 } else { totals.escrowed + totals.references_failed };
    match (state.quarantine.is_some() || done.error.is_some(), failed + before) {
        (true, _) => QUARANTINED,
        (false, 0) => 0,
        (false, _) => ESCROWED,
    }
}

fn read_plan(path: &std::path::Path, opened: &Opened) -> anyhow::Result<Plan> {
    let text = std::fs::read(path).with_context(|| format!("cannot read the preview {}", path.display()))?;
    let whole: serde_json::Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is no preview", path.display()))?;
    if let Some(error) = whole["error"].as_str() {
        bail!("the preview {} broke off, so it is not whole; make another ({error})", path.display());
    }
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
    let code = tokio::select! {
        // A cycle that was stopped goes on where it was.
        () = stop_signal() => {
            output.answer(&json!({ "event": "stopped" }), || {
                "Stopped; the next cycle goes on where this one was.".to_owned()
            });
            Ok(ExitCode::SUCCESS)
        }
        code = keep_running(&opened, (&source, &target), &taken, output) => code,
    };
    taken.end(code).await
}

/// Ends when the job does not run by itself (any more).
async fn keep_running(
    opened: &Opened,
    (source, target): (&JobSource, &Client),
    taken: &Taken,
    output: Output,
) -> anyhow::Result<ExitCode> {
    loop {
        let state = taken.ledger.state().await?;
        if state.status != JobStatus::Active {
            let standing = standing(&state, SystemClock.now());
            bail!("the job is {standing}; `latchkey provision start` lets it run");
        }
        cycle(opened, (source, target), taken, Options::default(), output).await?;
        let state = taken.ledger.state().await?;
        let now = SystemClock.now();
        let scheduled = opened.file().schedule.unwrap_or(UNSCHEDULED);
        let wait = state.quarantine.as_ref().map_or(scheduled, |it| it.next_attempt.since(now));
        let changed = async {
            match (&state.watermark, &state.quarantine) {
                (Some(watermark), None) => source.changed(watermark).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = changed => if let Err(error) = changed {
                output.remark(format!("the source cannot be watched now: {error}"));
                tokio::time::sleep(UNWATCHED.min(wait)).await;
            },
        }
    }
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
    let (what, many, section) = match kind {
        Kind::User => ("person", "people", "users"),
        Kind::Group => ("group", "groups", "groups"),
    };
    if opened.file().mapping(kind).is_none() {
        bail!("the job leaves {many} out: there is no [{section}] in its file");
    }
    // As logs and messages write ids.
    let prefix = if kind == Kind::User { "user:" } else { "group:" };
    let found = source.search(kind, text.strip_prefix(prefix).unwrap_or(&text)).await?;
    let found = match found.len() {
        0 => bail!("the source has no {what} whose id, login name, mail address or display name is {text:?}"),
        1 => found,
        several => {
            let ids: Vec<&str> = found.iter().map(|change| change.id().0.as_str()).collect();
            bail!(
                "{several} {many} of the source are called {text:?}; give the id of one: {}",
                ids.join(", ")
            )
        }
    };
    let taken = opened.take(&store).await?;
    // A group brings its members along, so that they are there to be its members.
    let mut changes = match &found[0] {
        Change::Present { members: Some(Members::Whole(ids)), .. } => source.fetch(Kind::User, ids).await?,
        _ => Vec::new(),
    };
    changes.extend(found);
    let code = at_once(&opened, (&source, &target), &taken, changes, output).await;
    taken.end(code).await
}

async fn at_once(
    opened: &Opened,
    (source, target): (&JobSource, &Client),
    taken: &Taken,
    changes: Vec<Change>,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let told = Told::new(output);
    let how = Options { check_drift: true, ..Options::default() };
    let done = of(opened, (source, target), taken, how, &told).run_for(changes).await?;
    let filter = LogFilter { cycle: Some(done.id), limit: 1_000, oldest_first: true, ..LogFilter::default() };
    let entries = taken.store().provisioning_log(taken.key(), &filter).await?;
    if !output.is_json() {
        for entry in &entries {
            anstream::println!("{}", super::look::whole(entry));
        }
    }
    finish(taken, &done, false, &told, output).await
}

pub(super) async fn undo(options: options::Undo, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let target = opened.target()?;
    let store = opened.store().await?;
    let cycle =
        options.cycle.map(|text| text.parse().with_context(|| format!("{text:?} is no id of a cycle")));
    let cycle = cycle.transpose()?;
    let source = opened.source(&store).await?;
    let taken = opened.take(&store).await?;
    let code =
        take_back(&opened, (&source, &target), &taken, (cycle, options.object, options.dry_run), output);
    let code = code.await;
    taken.end(code).await
}

async fn take_back(
    opened: &Opened,
    (source, target): (&JobSource, &Client),
    taken: &Taken,
    (cycle, object, dry_run): (Option<CycleId>, Option<String>, bool),
    output: Output,
) -> anyhow::Result<ExitCode> {
    let cycle = match cycle {
        Some(cycle) => cycle,
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
        text: object,
        limit: 1_000_000,
        oldest_first: true,
        ..LogFilter::default()
    };
    let entries = taken.store().provisioning_log(taken.key(), &filter).await?;
    let entries: Vec<LogEntry> = entries.into_iter().filter(can_be_undone).collect();
    if entries.is_empty() {
        bail!("nothing of this cycle can be taken back: it disabled, deleted and took out nobody");
    }
    if dry_run {
        let value = json!({ "cycle": cycle, "entries": entries });
        output.answer(&value, || {
            let lines: Vec<String> = entries.iter().map(super::look::line).collect();
            format!("{}\n{} would be taken back.", lines.join("\n"), entries.len())
        });
        return Ok(ExitCode::SUCCESS);
    }
    let told = Told::new(output);
    let done = of(opened, (source, target), taken, Options::default(), &told).undo(entries).await?;
    taken.store().provisioning_cycle_put(taken.key(), &done).await?;
    let code = if done.error.is_some() || done.counts.failed > 0 { ESCROWED } else { 0 };
    output.answer(&json!({ "event": "finished", "exit": code, "cycle": done }), || {
        summary(&done, &told.failures())
    });
    Ok(ExitCode::from(code))
}

fn can_be_undone(entry: &LogEntry) -> bool {
    let removed = entry.detail.members.as_ref().is_some_and(|members| !members.removed.is_empty());
    entry.detail.undo.is_some() && matches!(entry.action, Action::Disable | Action::Delete) || removed
}
