//! What a person tells a job: to pause, to start, to forget, to let go.

use std::process::ExitCode;

use latchkey_cycles::{Ledger as _, Reset, StoredLedger, restart as forget};
use latchkey_provisioning::ledger::Write;
use latchkey_provisioning::state::{JobState, JobStatus};
use serde_json::json;

use super::open::Opened;
use super::options;
use crate::output::Output;

pub(super) async fn allow_deletes(
    options: options::AllowDeletes,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let taken = opened.take(&opened.store().await?).await?;
    let allowed = allow(&taken.ledger, options.at_most).await;
    let (held, most) = taken.end(allowed).await?;
    output.answer(&json!({ "held": held, "allowed": most }), || {
        format!(
            "{held} objects are held. The next cycle may disable and delete up to {most}; `latchkey provision run` runs it."
        )
    });
    Ok(ExitCode::SUCCESS)
}

/// How many are held, and how many of them may go now.
async fn allow(ledger: &StoredLedger, at_most: Option<usize>) -> anyhow::Result<(usize, usize)> {
    let held = usize::try_from(ledger.totals().await?.held).unwrap_or(usize::MAX);
    let most = at_most.unwrap_or(held);
    let state = JobState { approved: Some(most), ..ledger.state().await? };
    ledger.write(vec![Write::State(Box::new(state))]).await?;
    Ok((held, most))
}

pub(super) async fn restart(options: options::Restart, output: Output) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options.job)?;
    let taken = opened.take(&opened.store().await?).await?;
    let resets: Vec<Reset> = options
        .reset
        .iter()
        .flat_map(|one| match one {
            options::Reset::Watermark => vec![Reset::Watermark],
            options::Reset::Escrows => vec![Reset::Escrows],
            options::Reset::Quarantine => vec![Reset::Quarantine],
            options::Reset::Links => vec![Reset::Links],
            options::Reset::Full => vec![Reset::Watermark, Reset::Escrows, Reset::Quarantine, Reset::Links],
        })
        .collect();
    let forgotten = forget(&taken.ledger, &resets).await;
    taken.end(forgotten.map_err(Into::into)).await?;
    output.answer(&json!({ "restarted": true }), || {
        "Done; the next cycle begins anew. What is linked stays linked unless you reset links.".to_owned()
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn pause(options: options::Job, output: Output) -> anyhow::Result<ExitCode> {
    set(options, JobStatus::Paused, "Paused; all that the job remembers is kept.", output).await
}

pub(super) async fn start(options: options::Job, output: Output) -> anyhow::Result<ExitCode> {
    set(options, JobStatus::Active, "Started; it goes on where it was.", output).await
}

async fn set(
    options: options::Job,
    status: JobStatus,
    words: &'static str,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let opened = Opened::read(options)?;
    let taken = opened.take(&opened.store().await?).await?;
    let put = put(&taken.ledger, status).await;
    taken.end(put).await?;
    output.answer(&json!({ "status": status }), || words.to_owned());
    Ok(ExitCode::SUCCESS)
}

async fn put(ledger: &StoredLedger, status: JobStatus) -> anyhow::Result<()> {
    let mut state = ledger.state().await?;
    state.status = status;
    if status == JobStatus::Active {
        state.quarantine = None;
    }
    ledger.write(vec![Write::State(Box::new(state))]).await?;
    Ok(())
}
