//! What people ask of a job at once: one object, a preview, what was previewed, taking back, a test.

use latchkey_access::authority::Action as Leave;
use latchkey_cycles::{Cycle, DryTarget, JobSource, LedgerError, MemoryLedger, Options, Plan, Silent};
use latchkey_engine::{Caller, Error, jobs};
use latchkey_kernel::id::{CycleId, JobId};
use latchkey_kernel::{OsEntropy, SystemClock};
use latchkey_provisioning::feed::{Change, Members};
use latchkey_provisioning::ledger::Totals;
use latchkey_provisioning::lint::{self, Warning};
use latchkey_provisioning::log::{Action, LogEntry};
use latchkey_provisioning::state::CycleSummary;
use latchkey_provisioning::{Kind, TargetPath};
use latchkey_scim_client::{Credential, Diagnosis};
use latchkey_store::provisioning::log::LogFilter;
use secrecy::SecretString;
use serde_json::json;

use crate::Jobs;
use crate::hold::{HoldError, Holding};
use crate::live::Live;
use crate::open::{self, Kept};
use crate::perform::{Opened, Trouble, cycle, defined};

/// What was done at once.
#[derive(Debug)]
pub struct Asked {
    /// In short.
    pub cycle: CycleSummary,
    /// Each decision.
    pub entries: Vec<LogEntry>,
}

/// What a cycle would do.
#[derive(Debug)]
pub struct Preview {
    /// In short.
    pub cycle: CycleSummary,
    /// Each decision.
    pub entries: Vec<LogEntry>,
    /// Just this, to be applied.
    pub plan: Plan,
}

/// Whether the ends of a job can be reached.
#[derive(Debug)]
pub struct Validation {
    /// What the source said; the error of one that does not answer.
    pub source: Result<String, String>,
    /// What was asked of the target.
    pub target: Diagnosis,
    /// What of the mappings deserves a second look.
    pub warnings: Vec<Warning>,
}

/// A job with where it stands.
#[derive(Debug)]
pub struct Found {
    /// The row.
    pub row: latchkey_store::provisioning::job::JobRow,
    /// How its objects stand.
    pub totals: Totals,
    /// The cycle under way on this node.
    pub live: Option<Live>,
}

/// An on-demand run takes so many entries of the log.
const ENTRIES: usize = 10_000;

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Hold(HoldError::Gone) => Self::NotFound { what: "provisioning job" },
            Trouble::Hold(HoldError::Store(error)) | Trouble::Store(error) => Self::Store(error),
            Trouble::Hold(error @ HoldError::Elsewhere) => Self::Clash(error.to_string()),
            Trouble::Ledger(LedgerError::Lost) => Self::Contended,
            Trouble::Ledger(LedgerError::Store(source)) => Self::Damaged { what: "job's ledger", source },
            Trouble::Engine(error) => error,
            Trouble::Source(error) => Self::Clash(format!("the source cannot be read: {error}")),
            Trouble::Open(error) => Self::Invalid(error.to_string()),
        }
    }
}

impl Jobs {
    /// A job with where it stands.
    ///
    /// # Errors
    /// When there is no such job, or the caller may not.
    pub async fn find(&self, by: &Caller, id: JobId) -> Result<Found, Error> {
        let row = jobs::get(&self.engine, by, id).await?;
        let totals = self.engine.store().provisioning_totals(row.workspace_id, id).await?;
        let live = self.hands.live((row.workspace_id, id)).map(|(live, _)| live);
        Ok(Found { row, totals, live })
    }

    /// Brings one person or group in step now, the group with its members, and compares them with what the
    /// target holds. Waits for a cycle under way.
    ///
    /// # Errors
    /// When there is nobody of this id or name, another node performs the job, or the caller may not.
    pub async fn on_demand(
        &self,
        by: &Caller,
        id: JobId,
        (kind, text): (Kind, &str),
    ) -> Result<Asked, Error> {
        let detail = json!({ "kind": kind, "object": text });
        jobs::performed(&self.engine, by, id, "provisioning_job.on_demand", &detail).await?;
        let (holding, opened) = self.take(by, id).await?;
        let done = demanded(&holding, &opened, kind, text).await;
        self.give(holding, done).await
    }

    /// What a cycle would do; nothing is written. `drift` compares all that was sent with what the target holds.
    ///
    /// # Errors
    /// When the job cannot be opened, or the caller may not.
    pub async fn preview(&self, by: &Caller, id: JobId, full: bool, drift: bool) -> Result<Preview, Error> {
        by.may(Leave::WriteProvisioning)?;
        let row = jobs::get(&self.engine, by, id).await?;
        let opened = self.open(&row).await?;
        let stored = latchkey_cycles::StoredLedger::new(self.engine.store().clone(), row.held());
        let ledger = MemoryLedger::copy_of(&stored).await.map_err(Trouble::from)?;
        let target = DryTarget::new(opened.target);
        let cycle = Cycle {
            job: &opened.job,
            source: &opened.source,
            target: &target,
            ledger: &ledger,
            clock: &SystemClock,
            entropy: &OsEntropy,
            progress: &Silent,
            options: Options { full: full || drift, check_drift: drift, ..Options::default() },
        };
        let done = cycle.run().await.map_err(Trouble::from)?;
        let entries = ledger.log();
        let plan = Plan::of(opened.job.definition, &entries);
        Ok(Preview { cycle: done, entries, plan })
    }

    /// Does exactly what a preview told, and nothing else.
    ///
    /// # Errors
    /// When the job was defined anew since, another node performs it, or the caller may not.
    pub async fn apply(&self, by: &Caller, id: JobId, plan: Plan) -> Result<Asked, Error> {
        let detail = json!({ "changes": plan.len() });
        jobs::performed(&self.engine, by, id, "provisioning_job.preview_applied", &detail).await?;
        let (holding, opened) = self.take(by, id).await?;
        let done = if plan.definition == Some(opened.job.definition) {
            let how = Options { plan: Some(plan), ..Options::default() };
            let done = cycle(&opened, &holding.ledger, &Silent, how).run().await;
            done.map_err(|error| Trouble::from(error).into())
        } else {
            let message = "the job was defined anew since the preview was made; make another";
            Err(Error::Clash(message.to_owned()))
        };
        self.give(holding, done).await
    }

    /// Takes back what a cycle disabled, deleted or took out of groups; the last that did without one. `object`
    /// restricts it to whom it is part of the name or id of.
    ///
    /// # Errors
    /// When there is nothing to take back, another node performs the job, or the caller may not.
    pub async fn undo(
        &self,
        by: &Caller,
        id: JobId,
        cycle_id: Option<CycleId>,
        object: Option<String>,
    ) -> Result<Asked, Error> {
        let detail = json!({ "cycle": cycle_id, "object": object });
        jobs::performed(&self.engine, by, id, "provisioning_job.undone", &detail).await?;
        let (holding, opened) = self.take(by, id).await?;
        let done = self.undone(&holding, &opened, cycle_id, object).await;
        self.give(holding, done).await
    }

    async fn undone(
        &self,
        holding: &Holding,
        opened: &Opened,
        cycle_id: Option<CycleId>,
        object: Option<String>,
    ) -> Result<CycleSummary, Error> {
        let store = self.engine.store();
        let cycle_id = match cycle_id {
            Some(id) => id,
            None => {
                let cycles = store.provisioning_cycles(holding.key(), 500).await?;
                let took = |one: &&CycleSummary| {
                    one.counts.disabled + one.counts.deleted + one.counts.members_removed > 0
                };
                cycles.iter().find(took).map(|one| one.id).ok_or_else(nothing)?
            }
        };
        let filter = LogFilter {
            cycle: Some(cycle_id),
            text: object,
            limit: 1_000_000,
            oldest_first: true,
            ..LogFilter::default()
        };
        let mut entries = store.provisioning_log(holding.key(), &filter).await?;
        entries.retain(can_be_undone);
        if entries.is_empty() {
            return Err(nothing());
        }
        let done = cycle(opened, &holding.ledger, &Silent, Options::default()).undo(entries).await;
        Ok(done.map_err(Trouble::from)?)
    }

    /// Whether source and target can be reached, with credentials that are not saved if some are given.
    ///
    /// # Errors
    /// When the job cannot be opened, or the caller may not.
    pub async fn validate(
        &self,
        by: &Caller,
        id: JobId,
        (base, token): (Option<String>, Option<SecretString>),
    ) -> Result<Validation, Error> {
        by.may(Leave::WriteProvisioning)?;
        let row = jobs::get(&self.engine, by, id).await?;
        let file = defined(&row).map_err(Trouble::from)?;
        let secrets = jobs::secrets(&self.engine, (row.workspace_id, id)).await?;
        let own = (self.engine.store().clone(), row.workspace_id);
        let source = open::source(&file, &Kept(&secrets), None, Some(own)).map_err(Trouble::from)?;
        let credential = token.map(Credential::Bearer);
        let target =
            open::target(&file, &Kept(&secrets), base.as_deref(), credential).map_err(Trouble::from)?;
        let read = source.test().await;
        let matching: Vec<(Kind, TargetPath)> = [Kind::User, Kind::Group]
            .into_iter()
            .filter_map(|kind| {
                let first = file.mapping(kind)?.matching().into_iter().next()?.target.clone();
                Some((kind, first))
            })
            .collect();
        let diagnosis = target.test(&matching, &OsEntropy).await;
        let warnings = [&file.users, &file.groups].into_iter().flatten().flat_map(lint::warnings).collect();
        Ok(Validation { source: read.map_err(|error| error.to_string()), target: diagnosis, warnings })
    }

    /// Takes a job for something that is asked of it.
    async fn take(&self, by: &Caller, id: JobId) -> Result<(Holding, Opened), Error> {
        let key = (by.workspace_id(), id);
        let holding = self.hands.hold(self.engine.store(), key, true).await.map_err(Trouble::from)?;
        match self.open(&holding.row).await {
            Ok(opened) => Ok((holding, opened)),
            Err(error) => {
                holding.free().await?;
                Err(error.into())
            }
        }
    }

    /// Keeps what came of it, and gives the job free in any case.
    async fn give(&self, holding: Holding, done: Result<CycleSummary, Error>) -> Result<Asked, Error> {
        let (store, key) = (self.engine.store(), holding.key());
        let kept = async {
            let cycle = done?;
            store.provisioning_cycle_put(key, &cycle).await?;
            let filter = LogFilter {
                cycle: Some(cycle.id),
                limit: ENTRIES,
                oldest_first: true,
                ..LogFilter::default()
            };
            let entries = store.provisioning_log(key, &filter).await?;
            Ok(Asked { cycle, entries })
        }
        .await;
        holding.free().await?;
        kept
    }
}

async fn demanded(holding: &Holding, opened: &Opened, kind: Kind, text: &str) -> Result<CycleSummary, Error> {
    let what = if kind == Kind::User { "person" } else { "group" };
    if opened.job.file.mapping(kind).is_none() {
        return Err(Error::Invalid(format!("the job leaves {what}s out")));
    }
    let found = opened.source.search(kind, text).await.map_err(Trouble::from)?;
    if found.len() != 1 {
        return Err(Error::Invalid(match found.len() {
            0 => format!("the source has no {what} whose id, login name or display name is {text:?}"),
            many => format!("{many} {what}s of the source are called {text:?}; give the id"),
        }));
    }
    let mut changes = members_of(&opened.source, &found[0]).await.map_err(Trouble::from)?;
    changes.extend(found);
    let how = Options { check_drift: true, ..Options::default() };
    let done = cycle(opened, &holding.ledger, &Silent, how).run_for(changes).await;
    Ok(done.map_err(Trouble::from)?)
}

fn nothing() -> Error {
    Error::Invalid("there is nothing to take back: nobody was disabled, deleted or taken out".to_owned())
}

/// A group brings its members along, so that they are there to be its members.
async fn members_of(
    source: &JobSource,
    found: &Change,
) -> Result<Vec<Change>, latchkey_provisioning::feed::SourceError> {
    use latchkey_cycles::Source as _;
    match found {
        Change::Present { members: Some(Members::Whole(ids)), .. } => source.fetch(Kind::User, ids).await,
        _ => Ok(Vec::new()),
    }
}

fn can_be_undone(entry: &LogEntry) -> bool {
    let removed = entry.detail.members.as_ref().is_some_and(|members| !members.removed.is_empty());
    entry.detail.undo.is_some() && matches!(entry.action, Action::Disable | Action::Delete) || removed
}
