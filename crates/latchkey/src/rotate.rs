//! `latchkey rotate`: an account's password is changed at the real system, and every act told.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use latchkey_access::Account;
use latchkey_engine::rotations::{self, DryRun, Hands, RotationFilter, RotationView};
use latchkey_engine::{Caller, Engine, accounts, workspaces};
use latchkey_kernel::id::AccountId;
use latchkey_rotation::{Reason, State};
use latchkey_store::Options;
use serde_json::{Value, json};

use crate::cli::Place;
use crate::offboarding::write;
use crate::output::Output;
use crate::wire;

/// How often a rotation is looked at that a server performs.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Accounts that are read at once.
const PAGE: usize = 500;

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Id or name of the account
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// Name of the workspace; not needed where there is only one
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Reach the target and tell what would be done; change nothing
    #[arg(long, conflicts_with = "verify_only")]
    dry_run: bool,
    /// Only log in with the stored password; change nothing
    #[arg(long)]
    verify_only: bool,
    /// Write the picture of the page at which the account's rotation failed last to this file, every field
    /// on it blanked; change nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "verify_only"])]
    picture: Option<PathBuf>,
    /// Seconds to wait for it; after that it goes on beside a running server
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
    #[command(flatten)]
    place: Place,
}

/// Ends with 0 only if the new password works and is the account's.
pub(crate) async fn run(options: Rotate, output: Output) -> anyhow::Result<ExitCode> {
    let engine = wire::open(&options.place, Options::one_command()).await?;
    let by = operator(&engine, options.workspace.as_deref()).await?;
    let account = account(&engine, &by, &options.account).await?;
    if options.dry_run {
        let dry = rotations::dry_run(&engine, &by, account.id).await?;
        let ready = dry.probe.as_ref().is_none_or(Result::is_ok);
        output.answer(&dry_value(&account, &dry), || dry_words(&account, &dry));
        return Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Some(file) = &options.picture {
        return picture(&engine, &by, &account, file, output).await;
    }
    let reason = if options.verify_only { Reason::VerifyOnly } else { Reason::Request };
    let asked = rotations::request(&engine, &by, account.id, reason).await?;
    let view = follow(&engine, &by, asked, Duration::from_secs(options.wait), output).await?;
    output.answer(&value(&account, &view), || words(&account, &view));
    Ok(if view.job.state == State::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the newest picture of the account's rotation that is under way.
async fn picture(
    engine: &Engine,
    by: &Caller,
    account: &Account,
    file: &Path,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let filter = RotationFilter { over: Some(false), account: Some(account.id), after: None };
    let (row, _) = rotations::list(engine, by, filter, 1).await?.pop().with_context(|| {
        format!("no rotation of {} is under way; pictures go when one is over", account.name)
    })?;
    let view = rotations::get(engine, by, row.id).await?;
    let (step, at, media_type) = view.pictures.last().with_context(|| {
        format!(
            "no failing step of {}'s rotation has a picture: only browser recipes take them",
            account.name
        )
    })?;
    let picture = rotations::picture(engine, by, row.id, *step).await?;
    write(file, &picture.bytes)?;
    let told = json!({ "account": account.id, "rotation": row.id, "step": step, "at": at,
        "media_type": media_type, "file": file });
    output.answer(&told, || format!("step {step} of {at}: {}", file.display()));
    Ok(ExitCode::SUCCESS)
}

/// The operator in the named workspace, or in the only one.
pub(crate) async fn operator(engine: &Engine, name: Option<&str>) -> anyhow::Result<Caller> {
    let workspace = match name {
        Some(name) => workspaces::by_name(engine, name)
            .await
            .with_context(|| format!("cannot use the workspace {name:?}"))?,
        None => {
            let mut all = workspaces::list(engine).await?;
            match (all.pop(), all.is_empty()) {
                (Some(only), true) => only,
                (None, _) => bail!("there is no workspace; make one with `latchkey admin workspace create`"),
                (Some(_), false) => bail!("there are several workspaces; name one with --workspace"),
            }
        }
    };
    Ok(Caller::operator(workspace.id, engine.fresh_request_id()))
}

/// The account of this id, or the only one of this name.
pub(crate) async fn account(engine: &Engine, by: &Caller, asked: &str) -> anyhow::Result<Account> {
    if let Ok(id) = asked.parse::<AccountId>() {
        return Ok(accounts::get(engine, by, id).await?);
    }
    let mut found: Option<Account> = None;
    let mut after = None;
    loop {
        let page = accounts::list(engine, by, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for account in page.into_iter().filter(|account| account.name == asked) {
            if found.replace(account).is_some() {
                bail!("several accounts are named {asked:?}; give the id of one");
            }
        }
    }
    found.with_context(|| format!("there is no account {asked:?}; give its id or its exact name"))
}

/// Works on a rotation until it is over or waits for a person, beside a server that may be first.
async fn follow(
    engine: &Engine,
    by: &Caller,
    asked: RotationView,
    wait: Duration,
    output: Output,
) -> anyhow::Result<RotationView> {
    let (key, hands) = ((by.workspace_id(), asked.row.id), Hands::of_command());
    let deadline = tokio::time::Instant::now() + wait;
    let mut view = asked;
    let mut told = 0;
    loop {
        for step in view.steps.iter().skip(told) {
            output.remark(format_args!("  {:<13} {}  ({} ms)", step.act, step.outcome, step.micros / 1_000));
        }
        told = view.steps.len();
        let rests = matches!(view.job.state, State::Held | State::ManualTask) && view.job.ask.is_none();
        if view.row.over || rests || tokio::time::Instant::now() >= deadline {
            return Ok(view);
        }
        if !rotations::work_on(engine, &hands, key).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        view = rotations::get(engine, by, key.1).await?;
    }
}

fn value(account: &Account, view: &RotationView) -> Value {
    let steps: Vec<Value> = view
        .steps
        .iter()
        .map(|step| {
            json!({ "at": step.at, "act": step.act, "outcome": step.outcome, "state": step.state,
                "micros": step.micros })
        })
        .collect();
    json!({
        "account": account.id,
        "rotation": view.row.id,
        "reason": view.job.reason,
        "state": view.job.state,
        "over": view.row.over,
        "verified_at": view.job.verified_at,
        "committed_at": view.job.committed_at,
        "old_refused_at": view.job.old_refused_at,
        "exceptions": view.job.exceptions,
        "last_failure": view.job.last_failure.as_ref().map(|failure| &failure.message),
        "next_at": view.row.run_after,
        "steps": steps,
        "pictures": view.pictures.len(),
    })
}

fn words(account: &Account, view: &RotationView) -> String {
    let name = &account.name;
    let why = view.job.last_failure.as_ref().map(|failure| format!(": {failure}")).unwrap_or_default();
    let mut lines = vec![match view.job.state {
        State::Done if view.job.reason == Reason::VerifyOnly => format!("{name}: the stored password works"),
        State::Done => format!("{name}: changed, proven and in use"),
        State::ManualTask => format!("{name}: a person has a task{why}"),
        State::Held => format!("{name}: it waits for approval"),
        State::Abandoned if view.job.reason == Reason::VerifyOnly => {
            format!("{name}: there is no stored password, or no connector to try it at")
        }
        state if state.is_over() => format!("{name}: {state}"),
        state => format!("{name}: {state}; it goes on beside a running server{why}"),
    }];
    if !view.pictures.is_empty() {
        lines.push("  a picture of the page is kept: see it with --picture FILE".to_owned());
    }
    lines.extend(view.job.exceptions.iter().map(|exception| format!("  but {exception}")));
    lines.join("\n")
}

fn dry_value(account: &Account, dry: &DryRun) -> Value {
    let probe = match &dry.probe {
        None => Value::Null,
        Some(Ok(probe)) => json!({ "target": probe.target, "warnings": probe.warnings }),
        Some(Err(problem)) => json!({ "problem": problem }),
    };
    json!({ "account": account.id, "login": dry.login, "probe": probe, "steps": dry.steps, "changed": false })
}

fn dry_words(account: &Account, dry: &DryRun) -> String {
    let mut lines = vec![format!("{}: nothing was changed", account.name)];
    match &dry.probe {
        None => lines.push("  no connector: it would be a person's task".to_owned()),
        Some(Ok(probe)) => {
            lines.push(format!("  target: {}", probe.target));
            lines.extend(probe.warnings.iter().map(|warning| format!("  warning: {warning}")));
        }
        Some(Err(problem)) => lines.push(format!("  it could not go on: {problem}")),
    }
    lines.extend(dry.steps.iter().enumerate().map(|(n, step)| format!("  {}. {step}", n + 1)));
    lines.join("\n")
}
