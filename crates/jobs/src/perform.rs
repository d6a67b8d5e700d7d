//! One look at a job: orders, leavers, its cycle if it is due, and when it is looked at next.

use std::time::Duration;

use latchkey_cycles::Job;
use latchkey_cycles::{Cycle, JobSource, Lane, Ledger as _, LedgerError, Options, Progress, StoredLedger};
use latchkey_engine::{Error, error_chain, jobs};
use latchkey_kernel::{Clock as _, OsEntropy, SystemClock, Timestamp};
use latchkey_provisioning::feed::SourceError;
use latchkey_provisioning::graph_schema::{self, Note};
use latchkey_provisioning::jobfile::{self, JobFile};
use latchkey_provisioning::ledger::Write;
use latchkey_provisioning::lint;
use latchkey_provisioning::quarantine::{self, Next, Reason};
use latchkey_provisioning::state::{CycleSummary, JobState, JobStatus};
use latchkey_scim_client::Client;
use latchkey_store::StoreError;
use latchkey_store::provisioning::job::JobRow;

use crate::hold::{HoldError, Holding, Key};
use crate::leavers::leavers;
use crate::live::Live;
use crate::open::{self, Kept, OpenError};
use crate::orders::{Order, carry_out};
use crate::{Jobs, news};

/// A job that cannot be opened is tried again after so long.
const MENDED: Duration = Duration::from_secs(60);
/// Entries of logs are kept for so long.
const LOGS_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Why a job could not be performed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Hold(#[from] HoldError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Engine(#[from] Error),
    #[error("{0}")]
    Source(#[from] SourceError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A job with its ends.
pub(crate) struct Opened {
    pub(crate) job: Job,
    pub(crate) source: JobSource,
    pub(crate) target: Client,
}

/// A job's definition with its mappings, checked again: it was when it was stored.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn defined(row: &JobRow) -> Result<JobFile, OpenError> {
    let mut file = parsed(&row.definition)?;
    if let Some(text) = &row.graph_schema {
        let schema = serde_json::from_str(text)
            .map_err(|error| OpenError(format!("the job's schema is no JSON: {error}")))?;
        with_schema(&mut file, &schema)?;
    }
    Ok(file)
}

/// Reads the definition of a job of a workspace.
///
/// # Errors
/// Every mistake in it.
pub fn parsed(text: &str) -> Result<JobFile, OpenError> {
    jobfile::parse_kept(text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        OpenError(format!("the job's definition cannot be used: {}", lines.join("; ")))
    })
}

/// Puts the mappings of an Entra ID schema in the place of a definition's; what it cannot keep comes back.
///
/// # Errors
/// Every field that is not what it has to be, and mappings that would send what is no SCIM.
pub fn with_schema(file: &mut JobFile, schema: &serde_json::Value) -> Result<Vec<Note>, OpenError> {
    let imported = graph_schema::import(schema).map_err(|notes| {
        let lines: Vec<String> = notes.iter().map(ToString::to_string).collect();
        OpenError(format!("the schema cannot be used: {}", lines.join("; ")))
    })?;
    let wrong: Vec<String> = [&imported.users, &imported.groups]
        .into_iter()
        .flatten()
        .flat_map(lint::errors)
        .map(|warning| format!("{}: {}", warning.about, warning.message))
        .collect();
    if !wrong.is_empty() {
        return Err(OpenError(format!("the schema cannot be used: {}", wrong.join("; "))));
    }
    (file.users, file.groups) = (imported.users, imported.groups);
    Ok(imported.warnings)
}

impl Jobs {
    pub(crate) async fn open(&self, row: &JobRow) -> Result<Opened, Trouble> {
        let file = defined(row)?;
        let secrets = jobs::secrets(&self.engine, (row.workspace_id, row.id)).await?;
        let own = (self.engine.store().clone(), row.workspace_id);
        let source = open::source(&file, &Kept(&secrets), None, Some(own))?;
        let target = open::target(&file, &Kept(&secrets), None, None)?;
        // With other mappings, everything is looked at anew.
        let text = format!("{}\n{}", row.definition, row.graph_schema.as_deref().unwrap_or_default());
        Ok(Opened { job: Job::new(file, &text), source, target })
    }

    /// Looks at a job: what people told it, who left, and its cycle if it is due.
    pub(crate) async fn perform(&self, key: Key) -> Result<(), Trouble> {
        let holding = self.hands.hold(self.engine.store(), key, false).await?;
        let done = self.perform_held(&holding).await;
        if let Err(trouble) = &done {
            // The job is left alone for a while, so that it does not take the turns of others.
            let at = SystemClock.now().plus(MENDED);
            self.engine.store().provisioning_job_plan(holding.held, Some(at)).await?;
            self.look_later(&holding).await?;
            tracing::warn!(workspace = %key.0, job = %key.1, error = error_chain(trouble), "a provisioning job could not be performed");
        }
        holding.free().await?;
        Ok(())
    }

    async fn perform_held(&self, holding: &Holding) -> Result<(), Trouble> {
        let store = self.engine.store();
        loop {
            // Whoever tells a job something wants it looked at now, whatever was planned when it was taken.
            let mut asked = false;
            for (id, body) in store.provisioning_orders(holding.key()).await? {
                asked = true;
                match serde_json::from_value::<Order>(body) {
                    Ok(order) => carry_out(&holding.ledger, &order).await?,
                    Err(error) => {
                        tracing::error!(job = %holding.row.id, %error, "an order to a job does not read")
                    }
                }
                store.provisioning_order_done(holding.key(), id).await?;
            }
            let state = holding.ledger.state().await?;
            let next = if state.status == JobStatus::Active {
                self.active(holding, &state, asked).await?
            } else {
                None
            };
            store.provisioning_job_plan(holding.held, next).await?;
            // An order that came meanwhile made the job due, and the plan put that off.
            if store.provisioning_orders(holding.key()).await?.is_empty() {
                return Ok(());
            }
        }
    }

    /// Performs a job that is on, and says when it is due next.
    async fn active(
        &self,
        holding: &Holding,
        state: &JobState,
        asked: bool,
    ) -> Result<Option<Timestamp>, Trouble> {
        let row = &holding.row;
        let opened = match self.open(row).await {
            Ok(opened) => opened,
            Err(Trouble::Open(error)) => return self.unopened(holding, state, &error).await,
            Err(other) => return Err(other),
        };
        let now = SystemClock.now();
        let quarantined = state.quarantine.as_ref().map(|quarantine| quarantine.next_attempt);
        let left = !self.let_go(holding, &opened, state).await?;
        // Whoever could not be let go at once is left to the cycle, which is then due.
        let due = asked || left || row.runs_at.is_some_and(|at| at <= now);
        let resting = quarantined.is_some_and(|at| at > now);
        if due && !resting {
            let lane = Lane::default();
            let live = Live::default();
            self.hands.set_live(holding.key(), Some((live.clone(), lane.clone())));
            let done =
                cycle(&opened, &holding.ledger, &live, Options { lane: Some(lane), ..Options::default() })
                    .run()
                    .await;
            self.hands.set_live(holding.key(), None);
            self.ended(holding, state, &opened, &done?).await?;
        }
        let state = holding.ledger.state().await?;
        Ok(next_run(&state, &opened.job.file, (due && !resting).then(|| SystemClock.now()), row.runs_at))
    }

    /// Lets leavers of the workspace's own directory go, without waiting for the cycle; false when the target
    /// or the source failed, or there were more than the limit. In quarantine, and before the first cycle, leavers are the cycle's.
    async fn let_go(&self, holding: &Holding, opened: &Opened, state: &JobState) -> Result<bool, Trouble> {
        let (Some(seen), JobSource::Embedded(source)) = (holding.row.feed_seen, &opened.source) else {
            return Ok(true);
        };
        let store = self.engine.store();
        let mut left = false;
        let until = if state.quarantine.is_some() || state.last.is_none() {
            store.embedded_seq(holding.row.workspace_id).await?
        } else {
            let (found, until) = leavers(source, &opened.job.file, &holding.ledger, seen).await?;
            if !found.is_empty() {
                let live = Live::default();
                let done = cycle(opened, &holding.ledger, &live, Options::default()).run_for(found).await?;
                store.provisioning_cycle_put(holding.key(), &done).await?;
                left = done.error.is_some() || done.counts.held > 0;
            }
            until
        };
        if until > seen {
            store.provisioning_job_seen(holding.held, until).await?;
        }
        Ok(!left)
    }

    /// Leaves to the next cycle whoever left until now.
    async fn look_later(&self, holding: &Holding) -> Result<(), Trouble> {
        if holding.row.feed_seen.is_some() {
            let store = self.engine.store();
            let seq = store.embedded_seq(holding.row.workspace_id).await?;
            store.provisioning_job_seen(holding.held, seq).await?;
        }
        Ok(())
    }

    /// Whoever left while a cycle of this job is under way goes into its lane.
    pub(crate) async fn hurry(&self, key: Key, seen: &mut i64) -> Result<(), Trouble> {
        let Some((_, lane)) = self.hands.live(key) else { return Ok(()) };
        let Some(row) = self.engine.store().provisioning_job(key.0, key.1).await? else { return Ok(()) };
        let Some(from) = row.feed_seen else { return Ok(()) };
        let file = defined(&row)?;
        let own = Some((self.engine.store().clone(), row.workspace_id));
        let JobSource::Embedded(source) = open::source(&file, &Kept(&jobs::Secrets::new()), None, own)?
        else {
            return Ok(());
        };
        // It only reads: the fence is whoever's performs the job.
        let ledger = StoredLedger::new(self.engine.store().clone(), row.held());
        let (found, until) = leavers(&source, &file, &ledger, from.max(*seen)).await?;
        *seen = until;
        lane.push(found.iter().map(|change| (change.kind(), change.id().clone())));
        Ok(())
    }

    /// What follows when a cycle has ended.
    async fn ended(
        &self,
        holding: &Holding,
        before: &JobState,
        opened: &Opened,
        done: &CycleSummary,
    ) -> Result<(), Trouble> {
        let store = self.engine.store();
        store.provisioning_cycle_put(holding.key(), done).await?;
        store.provisioning_log_prune(holding.key(), SystemClock.now().minus(LOGS_KEPT)).await?;
        let after = holding.ledger.state().await?;
        self.tell(holding, before, &after, &opened.job.file).await;
        Ok(())
    }

    async fn tell(&self, holding: &Holding, before: &JobState, after: &JobState, file: &JobFile) {
        if let Some(news) = news::of(&holding.row, before, after) {
            let secrets = jobs::secrets(&self.engine, holding.key()).await.unwrap_or_default();
            self.post.send(&news, file, secrets.get("WebhookSecret")).await;
        }
    }

    /// A job that cannot be opened is in quarantine like one that cannot be reached.
    async fn unopened(
        &self,
        holding: &Holding,
        before: &JobState,
        error: &OpenError,
    ) -> Result<Option<Timestamp>, Trouble> {
        let now = SystemClock.now();
        let mut after = holding.ledger.state().await?;
        let found = Some((Reason::EncounteredQuarantineException, error.to_string()));
        match quarantine::fold(after.quarantine.as_ref(), found, now) {
            Next::Kept { quarantine, .. } => after.quarantine = Some(quarantine),
            Next::Disabled => after.status = JobStatus::Disabled,
            Next::Lifted => {}
        }
        holding.ledger.write(vec![Write::State(Box::new(after.clone()))]).await?;
        self.look_later(holding).await?;
        if let Ok(file) = defined(&holding.row) {
            self.tell(holding, before, &after, &file).await;
        }
        Ok((after.status == JobStatus::Active).then(|| now.plus(MENDED)))
    }
}

/// A cycle of a job of this server.
pub(crate) fn cycle<'c>(
    opened: &'c Opened,
    ledger: &'c StoredLedger,
    progress: &'c dyn Progress,
    options: Options,
) -> Cycle<'c, JobSource, Client, StoredLedger> {
    Cycle {
        job: &opened.job,
        source: &opened.source,
        target: &opened.target,
        ledger,
        clock: &SystemClock,
        entropy: &OsEntropy,
        progress,
        options,
    }
}

/// When a job is due next: by its quarantine, or so long after its cycle as the schedule says.
fn next_run(
    state: &JobState,
    file: &JobFile,
    ended: Option<Timestamp>,
    planned: Option<Timestamp>,
) -> Option<Timestamp> {
    if state.status != JobStatus::Active {
        return None;
    }
    match (&state.quarantine, ended, file.schedule) {
        (Some(quarantine), _, _) => Some(quarantine.next_attempt),
        (None, Some(ended), Some(schedule)) => Some(ended.plus(schedule)),
        (None, Some(_), None) => None,
        (None, None, _) => planned,
    }
}
