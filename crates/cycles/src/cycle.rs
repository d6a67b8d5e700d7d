//! One cycle of a job.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Mutex;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt as _};
use latchkey_kernel::id::CycleId;
use latchkey_kernel::{Clock, Entropy, Timestamp};
use latchkey_provisioning::deletions::{self, Verdict};
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Watermark};
use latchkey_provisioning::jobfile::JobFile;
use latchkey_provisioning::ledger::{Digest, ObjectKey, ObjectRow, Write};
use latchkey_provisioning::log::Status;
use latchkey_provisioning::mapping::Reference;
use latchkey_provisioning::state::{Counts, CycleKind, CycleOutcome, CycleSummary, JobState};
use latchkey_provisioning::{EntryId, Kind, Presence};
use latchkey_scim_client::Failure;

use crate::end::{self, Reached};
use crate::lane::Lane;
use crate::ledger::{Ledger, LedgerError};
use crate::object::{Bench, Gate, Outcome, Task};
use crate::plan::Plan;
use crate::progress::{Event, Phase, Progress};
use crate::source::{Reading, Source};
use crate::target::Target;

/// How codes begin that say that the target does not speak SCIM.
const INCOMPATIBLE: &str = "SystemForCrossDomainIdentityManagementServiceIncompatible";

/// Objects of which the rows are loaded and written together.
const PORTION: usize = 256;

/// A job with the digest of its definition.
#[derive(Debug)]
pub struct Job {
    /// What is read, where it is written, what flows and when.
    pub file: JobFile,
    /// Of the text that it was read from: with another one, everything is looked at anew.
    pub definition: Digest,
}

impl Job {
    /// A job as its file has it.
    pub fn new(file: JobFile, text: &str) -> Self {
        Self { file, definition: Digest::of([text.as_bytes()]) }
    }

    /// Of what the source tells and of the definition.
    pub(crate) fn digest(&self, change: &Change) -> Digest {
        match change {
            Change::Present { entry, .. } => {
                // Rows of maps are sorted, so that the same entry always has the same text.
                let text = serde_json::to_vec(entry).unwrap_or_default();
                Digest::of([&self.definition.0[..], &text])
            }
            Change::Left { presence, .. } => {
                let word: &[u8] = if *presence == Presence::Deleted { b"deleted" } else { b"soft" };
                Digest::of([&self.definition.0[..], word])
            }
        }
    }

    /// Whether the managers of such objects are sent.
    pub(crate) fn sends_managers(&self, kind: Kind) -> bool {
        kind == Kind::User && self.file.users.as_ref().is_some_and(|users| users.sends(Reference::Manager))
    }

    fn sends_members(&self) -> bool {
        self.file.groups.as_ref().is_some_and(|groups| groups.sends(Reference::Members))
    }
}

/// How one cycle differs from others of its job.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Everything is read, whatever the watermark says.
    pub full: bool,
    /// What was sent is read and compared, to find what was changed by hand at the target.
    pub check_drift: bool,
    /// Only what is in it is done. The watermark stays, so that what is not is found again.
    pub plan: Option<Plan>,
    /// Who is to be looked at though the reading has not come to them, because they left meanwhile.
    pub lane: Option<Lane>,
}

/// A cycle, ready to run.
pub struct Cycle<'c, S, T, L> {
    /// The job.
    pub job: &'c Job,
    /// Where it reads.
    pub source: &'c S,
    /// Where it writes.
    pub target: &'c T,
    /// What it remembers.
    pub ledger: &'c L,
    /// The time.
    pub clock: &'c dyn Clock,
    /// What ids and `Guid()` draw from.
    pub entropy: &'c dyn Entropy,
    /// Who is told.
    pub progress: &'c dyn Progress,
    /// How it differs.
    pub options: Options,
}

/// Why a cycle broke off.
#[derive(Debug)]
pub(crate) enum Broken {
    Source(SourceError),
    Target(Failure),
    Ledger(LedgerError),
}

impl From<LedgerError> for Broken {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<SourceError> for Broken {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl<S: Source, T: Target, L: Ledger> Cycle<'_, S, T, L> {
    /// Runs it to its end. That source or target could not be reached is an outcome, which the
    /// job's state holds as well.
    ///
    /// # Errors
    /// When the ledger failed; what was written is whole, and the next cycle goes on from it.
    pub async fn run(&self) -> Result<CycleSummary, LedgerError> {
        let state = self.ledger.state().await?;
        let mut run = self.begin(&state);
        let reached = run.all(&state).await;
        // What was done is put down even when it broke off.
        let reached = match run.write_rest().await {
            Ok(()) => reached,
            Err(lost) => Err(lost),
        };
        run.finish(state, reached).await
    }

    /// Brings these objects in step at once, as the source has them now: what was pushed, or asked
    /// for by a person. The watermark stays. Who would go beyond the limit is left to the next cycle.
    ///
    /// # Errors
    /// As [`Cycle::run`].
    pub async fn run_for(&self, changes: Vec<Change>) -> Result<CycleSummary, LedgerError> {
        let mut state = self.ledger.state().await?;
        let mut run = self.begin(&state);
        run.kind = CycleKind::OnDemand;
        let done = run.some(changes).await;
        let done = match run.write_rest().await {
            Ok(()) => done,
            Err(lost) => Err(lost),
        };
        let out = run.counts.disabled + run.counts.deleted;
        state.pushed_out += usize::try_from(out).unwrap_or(usize::MAX);
        let error = match done {
            Ok(()) => None,
            Err(Broken::Ledger(error)) => return Err(error),
            Err(Broken::Source(error)) => Some(error.to_string()),
            Err(Broken::Target(failure)) => Some(failure.to_string()),
        };
        let summary = run.summary(error);
        self.ledger.write(vec![Write::State(Box::new(state))]).await?;
        self.progress.tell(Event::Ended(&summary));
        Ok(summary)
    }

    /// A run that takes things back.
    pub(crate) fn begin_undo<'r>(&'r self, state: &JobState) -> Run<'r, S, T, L> {
        let mut run = self.begin(state);
        run.kind = CycleKind::Undo;
        run
    }

    fn begin<'r>(&'r self, state: &JobState) -> Run<'r, S, T, L> {
        let began = self.clock.now();
        let cycle = CycleId::fresh(began, self.entropy);
        let bench = Bench {
            job: self.job,
            source: self.source,
            target: self.target,
            ledger: self.ledger,
            clock: self.clock,
            entropy: self.entropy,
            options: &self.options,
            cycle,
            claims: Mutex::new(HashMap::new()),
        };
        Run {
            bench,
            progress: self.progress,
            kind: CycleKind::Incremental,
            began,
            counts: Counts::default(),
            seen: HashSet::new(),
            passed_over: HashSet::new(),
            staged: Vec::new(),
            out: state.pushed_out,
            approved: state.approved,
            unwritten: Vec::new(),
            incompatible: None,
            regrouped: BTreeSet::new(),
        }
    }
}

/// A cycle that is under way.
pub(crate) struct Run<'r, S, T, L> {
    pub(crate) bench: Bench<'r, S, T, L>,
    pub(crate) progress: &'r dyn Progress,
    kind: CycleKind,
    began: Timestamp,
    pub(crate) counts: Counts,
    /// Whom the source told of, or who was looked at for another reason.
    seen: HashSet<ObjectKey>,
    /// Whom the fast lane brought in step, so that what the reading tells of them is older.
    pub(crate) passed_over: HashSet<ObjectKey>,
    /// Who is to be disabled or deleted, once it is known how many there are.
    pub(crate) staged: Vec<Task>,
    /// How many there are, those included that were out before this cycle began.
    out: usize,
    approved: Option<usize>,
    /// What came of the last portion of objects: written while the next one is under way.
    unwritten: Vec<Write>,
    /// How many objects failed because the target is no SCIM provider, and what the first was told.
    incompatible: Option<(u64, String)>,
    /// Groups of which the source told who is in them, while nested ones are expanded.
    pub(crate) regrouped: BTreeSet<ObjectKey>,
}

impl<S: Source, T: Target, L: Ledger> Run<'_, S, T, L> {
    async fn all(&mut self, state: &JobState) -> Result<Watermark, Broken> {
        let job = self.bench.job;
        let goes_on = !self.bench.options.full && state.definition == Some(job.definition);
        let since = state.watermark.as_ref().filter(|_| goes_on);
        let watermark = match self.read(since).await {
            // Too old: everything is read anew, and what is linked stays linked.
            Err(Broken::Source(error)) if error.kind == SourceErrorKind::Expired && since.is_some() => {
                self.seen.clear();
                self.read(None).await?
            }
            read => read?,
        };
        self.progress.tell(Event::Phase(Phase::Retries));
        self.retry().await?;
        self.progress.tell(Event::Phase(Phase::Leavers));
        self.let_go().await?;
        // A group that turned out to be gone is made anew, and then gets its members.
        for _ in 0..2 {
            self.expand().await?;
            let lost = self.references().await?;
            if lost.is_empty() {
                break;
            }
            self.look_again(lost).await?;
            self.let_go().await?;
        }
        Ok(watermark)
    }

    async fn some(&mut self, changes: Vec<Change>) -> Result<(), Broken> {
        self.progress.tell(Event::Began { kind: self.kind, expected: Some(changes.len() as u64) });
        self.take(changes).await?;
        self.write_rest().await?;
        self.let_go().await?;
        self.expand().await?;
        self.references().await?;
        Ok(())
    }

    async fn read(&mut self, since: Option<&Watermark>) -> Result<Watermark, Broken> {
        let mut reading = self.bench.source.read(since).await?;
        let full = reading.is_full();
        self.kind = if since.is_none() { CycleKind::Initial } else { CycleKind::Incremental };
        self.progress.tell(Event::Began { kind: self.kind, expected: reading.expected() });
        self.progress.tell(Event::Phase(Phase::Objects));
        while let Some(page) = reading.next().await? {
            self.take(page).await?;
        }
        self.write_rest().await?;
        if full {
            self.absent().await?;
            self.write_rest().await?;
        }
        Ok(reading.watermark())
    }

    /// Objects that are remembered and that a whole reading did not tell of.
    async fn absent(&mut self) -> Result<(), Broken> {
        let mut after = None;
        loop {
            let page = self.bench.ledger.page(after, 5_000).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key);
            let gone = page.into_iter().filter(|row| !self.seen.contains(&row.key));
            let gone: Vec<Change> = gone
                .map(|row| Change::Left { id: row.id, kind: row.kind, presence: Presence::Deleted })
                .collect();
            self.take(gone).await?;
        }
    }

    /// Objects that failed before, or waited for a person's word.
    async fn retry(&mut self) -> Result<(), Broken> {
        let mut after = None;
        loop {
            let now = self.bench.clock.now();
            let due = self.bench.ledger.due_objects(now, after, PORTION).await?;
            let Some(last) = due.last() else { return Ok(()) };
            after = Some(last.key);
            let due = due.into_iter().filter(|row| !self.seen.contains(&row.key)).collect();
            self.look_again(due).await?;
        }
    }

    /// Looks at objects as the source has them now.
    async fn look_again(&mut self, rows: Vec<ObjectRow>) -> Result<(), Broken> {
        for kind in [Kind::User, Kind::Group] {
            let ids: Vec<EntryId> =
                rows.iter().filter(|row| row.kind == kind).map(|row| row.id.clone()).collect();
            if ids.is_empty() {
                continue;
            }
            let now = self.bench.source.fetch(kind, &ids).await?;
            self.take(now).await?;
        }
        self.write_rest().await
    }

    /// Disables and deletes who left, or none of them.
    pub(crate) async fn let_go(&mut self) -> Result<(), Broken> {
        let staged = std::mem::take(&mut self.staged);
        let gate = if self.may_let_go() { Gate::Perform } else { Gate::Hold };
        let mut staged = staged.into_iter();
        loop {
            let mut portion: Vec<Task> = staged.by_ref().take(PORTION).collect();
            if portion.is_empty() {
                return self.write_rest().await;
            }
            // Somebody else may have taken the object of the target over meanwhile.
            let keys: Vec<ObjectKey> = portion.iter().map(|task| ObjectKey::of(task.change.id())).collect();
            let rows = self.bench.ledger.objects(&keys).await?;
            let rows: HashMap<ObjectKey, ObjectRow> = rows.into_iter().map(|row| (row.key, row)).collect();
            for (task, key) in portion.iter_mut().zip(keys) {
                task.row = rows.get(&key).cloned();
                if task.row.as_ref().is_none_or(|row| row.link.is_none()) {
                    task.held = None;
                }
            }
            self.perform(portion, gate).await?;
        }
    }

    fn may_let_go(&self) -> bool {
        let limit = self.bench.job.file.deletion_limit;
        deletions::judge(self.out, limit, self.approved) == Verdict::Perform
    }

    /// Takes in what the source tells.
    pub(crate) async fn take(&mut self, changes: Vec<Change>) -> Result<(), Broken> {
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            // What is told twice is looked at twice, one after the other: lists of members add up.
            let mut portion: Vec<Change> = Vec::with_capacity(PORTION);
            let mut told = HashSet::with_capacity(PORTION);
            while portion.len() < PORTION
                && let Some(change) = changes.next_if(|change| told.insert(ObjectKey::of(change.id())))
            {
                portion.push(change);
            }
            self.portion(portion).await?;
            self.urgent().await?;
        }
        Ok(())
    }

    pub(crate) async fn portion(&mut self, mut changes: Vec<Change>) -> Result<(), Broken> {
        changes.retain(|change| !self.passed_over.contains(&ObjectKey::of(change.id())));
        let keys: Vec<ObjectKey> = changes.iter().map(|change| ObjectKey::of(change.id())).collect();
        if self.depends_on_unwritten(&keys) {
            self.write_rest().await?;
        }
        let rows = self.bench.ledger.objects(&keys).await?;
        let mut rows: HashMap<ObjectKey, ObjectRow> = rows.into_iter().map(|row| (row.key, row)).collect();
        let now = self.bench.clock.now();
        let (mut tasks, mut lists) = (Vec::new(), Vec::new());
        for (mut change, key) in changes.into_iter().zip(keys) {
            self.counts.read += 1;
            self.seen.insert(key);
            let row = rows.remove(&key);
            if let Change::Present { members, .. } = &mut change
                && let Some(members) = members.take()
                && self.bench.job.sends_members()
            {
                lists.push((key, members));
            }
            let is_new = row.as_ref().is_none_or(|row| {
                let retry = row.held || row.retry_at().is_some_and(|at| at <= now);
                retry || self.bench.options.check_drift || row.digest != Some(self.bench.job.digest(&change))
            });
            if is_new {
                tasks.push(Task { change, row, held: None });
            } else {
                self.counts.unchanged += 1;
            }
        }
        self.perform(tasks, Gate::Stage).await?;
        if !lists.is_empty() {
            self.write_rest().await?;
        }
        for (group, members) in lists {
            self.members(group, members).await?;
        }
        Ok(())
    }

    /// Whether rows of these would be read other than they are going to be.
    fn depends_on_unwritten(&self, keys: &[ObjectKey]) -> bool {
        let keys: HashSet<&ObjectKey> = keys.iter().collect();
        self.unwritten.iter().any(|write| match write {
            Write::Object(row) => keys.contains(&row.key),
            Write::Forget(key) => keys.contains(key),
            Write::Unsent { .. } => true,
            _ => false,
        })
    }

    /// Writes what is not written yet.
    pub(crate) async fn write_rest(&mut self) -> Result<(), Broken> {
        let rest = std::mem::take(&mut self.unwritten);
        if !rest.is_empty() {
            self.bench.ledger.write(rest).await?;
        }
        Ok(())
    }

    async fn perform(&mut self, tasks: Vec<Task>, gate: Gate) -> Result<(), Broken> {
        let at_once = usize::try_from(self.bench.job.file.target.concurrency).unwrap_or(1).max(1);
        let mut tasks = tasks.into_iter();
        loop {
            let portion: Vec<Task> = tasks.by_ref().take(PORTION).collect();
            if portion.is_empty() {
                return Ok(());
            }
            let rest = std::mem::take(&mut self.unwritten);
            let bench = &self.bench;
            let work = stream::iter(portion)
                .map(|task| bench.object(task, gate))
                .buffer_unordered(at_once)
                .collect::<Vec<Result<Outcome, Broken>>>();
            let write = async { if rest.is_empty() { Ok(()) } else { bench.ledger.write(rest).await } };
            let (outcomes, written) = join(work, write).await;
            written?;
            self.remember(outcomes).await?;
        }
    }

    /// Puts down what came of objects. What was done is put down even when another one broke off.
    async fn remember(&mut self, outcomes: Vec<Result<Outcome, Broken>>) -> Result<(), Broken> {
        let (mut writes, mut broken) = (Vec::new(), None);
        for outcome in outcomes {
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(error) => {
                    broken.get_or_insert(error);
                    continue;
                }
            };
            add(&mut self.counts, &outcome.counts);
            let forgotten = outcome.writes.iter().filter_map(|write| match write {
                Write::Forget(key) => Some(*key),
                _ => None,
            });
            self.regrouped.extend(forgotten);
            writes.extend(outcome.writes);
            if let Some(log) = outcome.log {
                let code = log.code.as_deref().unwrap_or_default();
                if log.status == Status::Failure && code.starts_with(INCOMPATIBLE) {
                    self.incompatible.get_or_insert((0, log.message.clone())).0 += 1;
                }
                self.progress.tell(Event::Logged(&log));
                writes.push(Write::Log(log));
            }
            if let Some(mut task) = outcome.staged {
                self.out += 1;
                if !self.may_let_go() {
                    // It will not be compared with anything now.
                    task.held = None;
                }
                self.staged.push(task);
            }
        }
        self.unwritten = writes;
        self.progress.tell(Event::Counts(&self.counts));
        match broken {
            Some(broken) => {
                self.write_rest().await?;
                Err(broken)
            }
            None => Ok(()),
        }
    }

    /// Takes in who is in a group.
    async fn members(&mut self, group: ObjectKey, members: Members) -> Result<(), Broken> {
        const AT_ONCE: usize = 5_000;
        let at = self.bench.clock.now();
        let nested = self.bench.job.file.expand_nested_groups;
        if nested {
            self.regrouped.insert(group);
        }
        // With nested groups, what the target is to have follows from all of them.
        let told = |member: ObjectKey, is: bool| {
            let wanted = (!nested).then_some(is);
            Write::Membership { group, member, told: Some(is), wanted, at }
        };
        let (mut writes, digest) = match members {
            Members::Delta { added, removed } => {
                let added = added.iter().map(|member| told(ObjectKey::of(member), true));
                let removed = removed.iter().map(|member| told(ObjectKey::of(member), false));
                (added.chain(removed).collect::<Vec<_>>(), None)
            }
            Members::Whole(all) => {
                let mut wanted: Vec<ObjectKey> = all.iter().map(ObjectKey::of).collect();
                wanted.sort_unstable();
                wanted.dedup();
                let how: &[u8] = if nested { b"nested" } else { b"direct" };
                let digest = Digest::of(std::iter::once(how).chain(wanted.iter().map(|key| &key.0[..])));
                let row = self.bench.ledger.objects(&[group]).await?.into_iter().next();
                if row.is_some_and(|row| row.members == Some(digest)) {
                    return Ok(());
                }
                let rows = self.bench.ledger.members_of(group, None, usize::MAX >> 1).await?;
                let known: HashSet<ObjectKey> = rows
                    .iter()
                    .filter(|row| row.told && (nested || row.wanted))
                    .map(|row| row.member)
                    .collect();
                let new = wanted.iter().filter(|member| !known.contains(*member));
                let mut writes: Vec<Write> = new.map(|member| told(*member, true)).collect();
                let gone = rows.iter().filter(|row| row.told || (!nested && row.wanted));
                let gone = gone.filter(|row| wanted.binary_search(&row.member).is_err());
                writes.extend(gone.map(|row| told(row.member, false)));
                (writes, Some(digest))
            }
        };
        // The digest goes with the last of them, so that a list that was taken in by half is taken in again.
        while writes.len() > AT_ONCE {
            let rest = writes.split_off(AT_ONCE);
            self.bench.ledger.write(writes).await?;
            writes = rest;
        }
        if let Some(mut row) = self.bench.ledger.objects(&[group]).await?.into_iter().next() {
            row.members = digest;
            writes.push(Write::Object(Box::new(row)));
        }
        if !writes.is_empty() {
            self.bench.ledger.write(writes).await?;
        }
        Ok(())
    }

    pub(crate) fn summary(&self, error: Option<String>) -> CycleSummary {
        let outcome = match &error {
            Some(_) => CycleOutcome::Failed,
            None if self.counts.failed + self.counts.references_failed > 0 => CycleOutcome::EntryLevelErrors,
            None => CycleOutcome::Succeeded,
        };
        CycleSummary {
            id: self.bench.cycle,
            kind: self.kind,
            began: self.began,
            ended: self.bench.clock.now(),
            outcome,
            counts: self.counts,
            error,
        }
    }

    /// What is wrong when every object failed because what answers is no SCIM provider: the URL, most
    /// likely, which is no fault of theirs.
    fn is_no_provider(&self) -> Option<String> {
        let (count, message) = self.incompatible.as_ref()?;
        let counts = &self.counts;
        let all = *count == counts.failed && counts.exports() + counts.unchanged == 0;
        all.then(|| message.clone())
    }

    async fn finish(
        self,
        state: JobState,
        reached: Result<Watermark, Broken>,
    ) -> Result<CycleSummary, LedgerError> {
        let (reached, error) = match reached {
            Ok(_) if let Some(message) = self.is_no_provider() => {
                (Reached::Broken(message.clone()), Some(message))
            }
            Ok(_) if self.bench.options.plan.is_some() => (Reached::Part, None),
            Ok(watermark) => (Reached::Whole { watermark, definition: self.bench.job.definition }, None),
            Err(Broken::Ledger(error)) => return Err(error),
            Err(Broken::Source(error)) => (Reached::Broken(error.to_string()), Some(error.to_string())),
            Err(Broken::Target(failure)) => (Reached::Broken(failure.to_string()), Some(failure.to_string())),
        };
        let totals = self.bench.ledger.totals().await?;
        let mut summary = self.summary(error);
        if summary.outcome == CycleOutcome::Succeeded && totals.escrowed + totals.references_failed > 0 {
            summary.outcome = CycleOutcome::EntryLevelErrors;
        }
        let now = self.bench.clock.now();
        let state = end::fold(state, &summary, &totals, reached, now);
        self.bench.ledger.write(vec![Write::State(Box::new(state))]).await?;
        self.progress.tell(Event::Ended(&summary));
        Ok(summary)
    }
}

pub(crate) fn add(sum: &mut Counts, more: &Counts) {
    let Counts {
        read,
        unchanged,
        created,
        updated,
        disabled,
        deleted,
        held,
        skipped,
        failed,
        members_added,
        members_removed,
        managers_set,
        references_failed,
        requests,
    } = *more;
    sum.read += read;
    sum.unchanged += unchanged;
    sum.created += created;
    sum.updated += updated;
    sum.disabled += disabled;
    sum.deleted += deleted;
    sum.held += held;
    sum.skipped += skipped;
    sum.failed += failed;
    sum.members_added += members_added;
    sum.members_removed += members_removed;
    sum.managers_set += managers_set;
    sum.references_failed += references_failed;
    sum.requests += requests;
}
