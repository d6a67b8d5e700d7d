//! One object: decided on, sent, remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use latchkey_expr::Surroundings;
use latchkey_kernel::id::{CycleId, LogId};
use latchkey_kernel::{Clock, Entropy, Timestamp};
use latchkey_provisioning::decide::{Settings, Target as Known};
use latchkey_provisioning::desired::leaving;
use latchkey_provisioning::difference::ModifiedProperty;
use latchkey_provisioning::escrow::{self, Retry};
use latchkey_provisioning::feed::Change;
use latchkey_provisioning::ledger::{Digest, ObjectKey, ObjectRow, Trouble, Write};
use latchkey_provisioning::log::{Action, Detail, LogEntry, Status, Undo};
use latchkey_provisioning::state::Counts;
use latchkey_provisioning::{
    Decision, Desired, Difference, Entry, Facts, Kind, Link, ObjectMapping, Presence, SkipReason, decide,
    desired, facts,
};
use latchkey_scim_client::{Exchange, Failure, FailureKind, Found};
use serde_json::{Map, Value as Json, json};

use crate::cycle::{Broken, Job, Options};
use crate::ledger::{Ledger, LedgerError};
use crate::source::Source;
use crate::target::Target;

/// What is to be done with one that has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It is put aside until it is known how many there are.
    Stage,
    /// It is disabled or deleted.
    Perform,
    /// It waits for a person's word.
    Hold,
}

/// One object to look at.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) change: Change,
    pub(crate) row: Option<ObjectRow>,
    /// What the target holds, if that was read already.
    pub(crate) held: Option<Map<String, Json>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) writes: Vec<Write>,
    pub(crate) log: Option<Box<LogEntry>>,
    pub(crate) staged: Option<Task>,
    pub(crate) counts: Counts,
}

/// What all objects of a cycle are decided with.
pub(crate) struct Bench<'c, S, T, L> {
    pub(crate) job: &'c Job,
    pub(crate) source: &'c S,
    pub(crate) target: &'c T,
    pub(crate) ledger: &'c L,
    pub(crate) clock: &'c dyn Clock,
    pub(crate) entropy: &'c dyn Entropy,
    pub(crate) options: &'c Options,
    pub(crate) cycle: CycleId,
    /// Which objects of the target were matched in this cycle, and by whom.
    pub(crate) claims: Mutex<HashMap<String, ObjectKey>>,
}

/// The target's object, as far as it is known.
enum Holding {
    Unknown,
    None,
    One(String, Map<String, Json>),
    Several(usize),
    Gone,
}

impl Holding {
    fn known(&self) -> Known<'_> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::None => Known::None,
            Self::One(id, resource) => Known::One(id, resource),
            Self::Several(count) => Known::Several(*count),
            Self::Gone => Known::Gone,
        }
    }

    fn resource(&self) -> Option<&Map<String, Json>> {
        match self {
            Self::One(_, resource) => Some(resource),
            _ => None,
        }
    }
}

/// How an object fails without the target's doing.
struct Fault {
    code: String,
    message: String,
    retry_after: Option<std::time::Duration>,
}

/// What happens to one object, step by step.
struct Work<'w> {
    entry: Entry,
    mapping: &'w ObjectMapping,
    facts: Facts,
    desired: Desired,
    row: ObjectRow,
    link: Option<Link>,
    digest: Digest,
    begun: Timestamp,
    trail: Vec<Exchange>,
    matched_by: Option<String>,
    /// The link points elsewhere than the row's did.
    relinked: bool,
    /// Rows of others that change with it.
    others: Vec<Write>,
}

impl<S: Source, T: Target, L: Ledger> Bench<'_, S, T, L> {
    /// Brings one object in step.
    pub(crate) async fn object(&self, task: Task, gate: Gate) -> Result<Outcome, Broken> {
        let Task { change, row, held } = task;
        let Some(mapping) = self.job.file.mapping(change.kind()) else { return Ok(Outcome::default()) };
        let digest = self.job.digest(&change);
        let (entry, told) = match &change {
            Change::Present { entry, .. } => ((**entry).clone(), true),
            Change::Left { id, kind, presence } => (absent(id.clone(), *kind, *presence), false),
        };
        let row = self.row(row, &entry, told);
        let facts = facts(&entry, mapping, self.job.file.sync_all);
        let surroundings = Surroundings {
            now: self.clock.now(),
            entropy: self.entropy,
            default_domain: &self.job.file.default_domain,
        };
        let wanted = if told {
            desired(&entry, mapping, facts.is_soft_deleted(), &surroundings)
        } else {
            leaving(&entry, mapping, &surroundings)
        };
        let link = row.link.clone();
        let mut work = Work {
            entry,
            mapping,
            facts,
            desired: Desired::default(),
            row,
            link,
            digest,
            begun: self.clock.now(),
            trail: Vec::new(),
            matched_by: None,
            relinked: false,
            others: Vec::new(),
        };
        match wanted {
            Ok(wanted) => work.desired = wanted,
            // Who has left has no need of values that cannot be worked out.
            Err(error) if work.link.is_none() && work.facts.is_soft_deleted() => drop(error),
            Err(error) => {
                let fault =
                    Fault { code: error.code().to_owned(), message: error.to_string(), retry_after: None };
                return Ok(self.failed(work, Action::Other, fault));
            }
        }
        let holding = match (held, &work.link) {
            (Some(held), Some(link)) => Holding::One(link.target_id.clone(), held),
            _ => Holding::Unknown,
        };
        self.steps(work, holding, gate, change).await
    }

    /// The row to go on from, with what the source told of the object's name and manager.
    fn row(&self, row: Option<ObjectRow>, entry: &Entry, told: bool) -> ObjectRow {
        let mut row =
            row.unwrap_or_else(|| ObjectRow::new(entry.id.clone(), entry.kind, entry.label().to_owned()));
        if told {
            entry.label().clone_into(&mut row.label);
            let sends = self.job.sends_managers(entry.kind);
            row.manager = entry.manager.as_ref().filter(|_| sends).map(ObjectKey::of);
            row.manager_due = (row.manager != row.manager_sent).then(|| self.clock.now());
        }
        row
    }

    async fn steps(
        &self,
        mut work: Work<'_>,
        mut holding: Holding,
        gate: Gate,
        change: Change,
    ) -> Result<Outcome, Broken> {
        let settings = Settings {
            skip_out_of_scope_deletions: self.job.file.skip_out_of_scope_deletions,
            check_drift: self.options.check_drift,
        };
        let mut rematched = false;
        // Each way through is short; a target that contradicts itself must not keep us for ever.
        for _ in 0..16 {
            let decision = decide(
                &work.entry,
                work.mapping,
                (&work.facts, &work.desired),
                work.link.as_ref(),
                holding.known(),
                settings,
            );
            let done = match decision {
                Decision::Skip(reason) => return Ok(self.skipped(work, &holding, reason)),
                Decision::Match => self.matched(&mut work).await.map(|found| holding = found),
                Decision::Read => self.read(&mut work).await.map(|found| holding = found),
                Decision::Relink => {
                    work.link = None;
                    work.relinked = true;
                    holding = Holding::Unknown;
                    Ok(())
                }
                Decision::Create if !self.is_planned(&work, Action::Create, &created(&work.desired)) => {
                    return Ok(left_out(&work));
                }
                Decision::Create => match self.create(&mut work).await {
                    Ok(id) => {
                        let fingerprint = Some(work.desired.fingerprint());
                        work.link = Some(Link { target_id: id, managed: true, fingerprint });
                        let modified = created(&work.desired);
                        return Ok(self.done(work, Action::Create, modified, None));
                    }
                    // Somebody made it meanwhile, we perhaps: whose answer was lost.
                    Err(Stop::Target(failure)) if failure.kind == FailureKind::Conflict && !rematched => {
                        rematched = true;
                        holding = Holding::Unknown;
                        Ok(())
                    }
                    Err(stop) => return self.stopped(work, Action::Create, stop),
                },
                Decision::Update { target_id, differences, disables, managed } => {
                    if disables && gate != Gate::Perform {
                        return Ok(self.set_aside(work, holding, gate, change));
                    }
                    let action = if disables { Action::Disable } else { Action::Update };
                    let modified: Vec<_> = differences.iter().map(Difference::shown).collect();
                    if !self.is_planned(&work, action, &modified) {
                        return Ok(left_out(&work));
                    }
                    let held = holding.resource().cloned().unwrap_or_default();
                    let sent = self
                        .target
                        .change(work.entry.kind, &target_id, (&differences, &held), &mut work.trail)
                        .await;
                    match sent {
                        Ok(()) => {
                            let fingerprint = Some(work.desired.fingerprint());
                            work.link = Some(Link { target_id, managed, fingerprint });
                            let undo = disables.then(|| restore(&differences));
                            return Ok(self.done(work, action, modified, undo));
                        }
                        Err(failure) if failure.kind == FailureKind::NotFound => {
                            // What was matched may be gone as well as what was linked.
                            work.link.get_or_insert(Link { target_id, managed: true, fingerprint: None });
                            holding = Holding::Gone;
                            Ok(())
                        }
                        Err(failure) => return self.stopped(work, action, Stop::Target(failure)),
                    }
                }
                Decision::Delete { target_id } => {
                    if gate != Gate::Perform {
                        return Ok(self.set_aside(work, holding, gate, change));
                    }
                    if !self.is_planned(&work, Action::Delete, &[]) {
                        return Ok(left_out(&work));
                    }
                    return self.delete(work, &target_id).await;
                }
                Decision::Ambiguous { count } => {
                    let message = format!(
                        "{count} objects of the target match; it cannot be told which is meant. Make the attribute that it is matched by unique there, or match by another one"
                    );
                    let fault =
                        Fault { code: "DuplicateTargetEntries".to_owned(), message, retry_after: None };
                    return Ok(self.failed(work, Action::Other, fault));
                }
            };
            if let Err(stop) = done {
                return self.stopped(work, Action::Other, stop);
            }
        }
        let message = "the target says that the object is there and that it is not, in turn".to_owned();
        Ok(self.failed(
            work,
            Action::Other,
            Fault { code: "InvalidAnchor".to_owned(), message, retry_after: None },
        ))
    }

    /// Whether this is to be done, or no plan says what is.
    fn is_planned(&self, work: &Work<'_>, action: Action, modified: &[ModifiedProperty]) -> bool {
        self.options.plan.as_ref().is_none_or(|plan| plan.allows(work.row.key, action, modified))
    }

    /// Looks for the object by one attribute after the other.
    async fn matched(&self, work: &mut Work<'_>) -> Result<Holding, Stop> {
        let kind = work.entry.kind;
        for (path, value) in &work.desired.matching {
            match self.target.find(kind, path, value, &mut work.trail).await? {
                Found::None => {}
                Found::Several(count) => return Ok(Holding::Several(count)),
                Found::One(id, resource) => {
                    work.matched_by = Some(path.to_string());
                    self.claim(work.row.key, kind, &id, &mut work.others).await?;
                    // A group is read without its members.
                    return Ok(Holding::One(id, resource));
                }
            }
        }
        Ok(Holding::None)
    }

    /// Sees to it that an object of the target is that of one object of the source alone.
    async fn claim(
        &self,
        key: ObjectKey,
        kind: Kind,
        target_id: &str,
        others: &mut Vec<Write>,
    ) -> Result<(), Stop> {
        let taken = |label: &str| {
            Stop::Fault(Fault {
                code: "DuplicateSourceEntries".to_owned(),
                message: format!(
                    "the object of the target that matches belongs to {label} already; two objects of the source have the same value in the attribute that they are matched by"
                ),
                retry_after: None,
            })
        };
        let by = *self
            .claims
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(format!("{kind:?}/{target_id}"))
            .or_insert(key);
        if by != key {
            return Err(taken("another object of the same name"));
        }
        let Some(mut other) = self.ledger.linked_to(kind, target_id).await? else { return Ok(()) };
        if other.key == key {
            return Ok(());
        }
        if other.managed().is_some() {
            let now =
                self.source.fetch(kind, std::slice::from_ref(&other.id)).await.map_err(Broken::Source)?;
            if now.iter().any(|change| matches!(change, Change::Present { .. })) {
                return Err(taken(&other.label));
            }
        }
        // Made anew at the source under another id: the account goes over to it.
        other.link = None;
        other.digest = None;
        other.held = false;
        others.push(Write::Object(Box::new(other)));
        Ok(())
    }

    async fn read(&self, work: &mut Work<'_>) -> Result<Holding, Stop> {
        let Some(link) = &work.link else { return Ok(Holding::Unknown) };
        let id = link.target_id.clone();
        let found = self.target.read(work.entry.kind, &id, &mut work.trail).await?;
        Ok(found.map_or(Holding::Gone, |resource| Holding::One(id, resource)))
    }

    async fn create(&self, work: &mut Work<'_>) -> Result<String, Stop> {
        for wanted in work.desired.values.iter_mut().filter(|wanted| wanted.candidates.len() > 1) {
            let mut free = None;
            for candidate in &wanted.candidates {
                let found =
                    self.target.find(work.entry.kind, &wanted.path, candidate, &mut work.trail).await?;
                if found == Found::None {
                    free = Some(candidate.clone());
                    break;
                }
            }
            let Some(free) = free else {
                return Err(Stop::Fault(Fault {
                    code: "Conflict".to_owned(),
                    message: format!(
                        "{}: all {} values that SelectUniqueValue gives are taken at the target",
                        wanted.path,
                        wanted.candidates.len()
                    ),
                    retry_after: None,
                }));
            };
            wanted.value = Some(Json::String(free));
        }
        let resource = work.desired.resource();
        Ok(self.target.create(work.entry.kind, resource, &mut work.trail).await?)
    }

    async fn delete(&self, mut work: Work<'_>, target_id: &str) -> Result<Outcome, Broken> {
        let kind = work.entry.kind;
        let before = match self.target.read(kind, target_id, &mut work.trail).await {
            Ok(before) => before,
            Err(failure) => return self.stopped(work, Action::Delete, Stop::Target(failure)),
        };
        let ends = match kind {
            Kind::User => self.ledger.groups_of(work.row.key).await?,
            Kind::Group => self.ledger.members_of(work.row.key, None, usize::MAX >> 1).await?,
        };
        let ends = ends.into_iter().filter(|row| row.sent);
        let ends: Vec<ObjectKey> =
            ends.map(|row| if kind == Kind::User { row.group } else { row.member }).collect();
        let groups = if kind == Kind::User { ends.clone() } else { Vec::new() };
        let undo = before.map(|resource| Undo::Recreate { resource: Json::Object(resource), ends });
        if undo.is_some()
            && let Err(failure) = self.target.delete(kind, target_id, &mut work.trail).await
        {
            return self.stopped(work, Action::Delete, Stop::Target(failure));
        }
        if let Err(failure) = self.take_out(target_id, &groups, &mut work.trail).await? {
            return self.stopped(work, Action::Delete, Stop::Target(failure));
        }
        let key = work.row.key;
        let mut outcome = self.done(work, Action::Delete, Vec::new(), undo);
        outcome.writes = vec![Write::Unsent { key, at: None }, Write::Forget(key)];
        Ok(outcome)
    }

    /// Takes somebody who is deleted out of the groups that they were put into: not every target does
    /// that by itself, and RFC 7644 §3.6 does not ask for it.
    async fn take_out(
        &self,
        target_id: &str,
        groups: &[ObjectKey],
        trail: &mut Vec<Exchange>,
    ) -> Result<Result<(), Failure>, Broken> {
        for group in self.ledger.objects(groups).await? {
            let Some(group_id) = group.managed() else { continue };
            let gone = [target_id.to_owned()];
            match self.target.change_members(group_id, (&[], &gone), trail).await {
                Err(failure) if failure.kind.is_transient() || failure.kind.is_connection() => {
                    return Ok(Err(failure));
                }
                // One that takes them out itself may not know them any more.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(Ok(()))
    }

    /// Leaves an object that would be disabled or deleted as it is, for now.
    fn set_aside(&self, mut work: Work<'_>, holding: Holding, gate: Gate, change: Change) -> Outcome {
        if gate == Gate::Stage {
            let held = match holding {
                Holding::One(_, resource) => Some(resource),
                _ => None,
            };
            return Outcome {
                staged: Some(Task { change, row: Some(work.row), held }),
                ..Outcome::default()
            };
        }
        let news = !work.row.held;
        work.row.held = true;
        work.row.trouble = work.row.trouble.filter(|trouble| trouble.reference);
        work.row.digest = Some(work.digest);
        let counts = Counts { held: 1, requests: requests(&work.trail), ..Counts::default() };
        let message = "it would be disabled or deleted, but so would more than the job allows in one cycle; allow it, or give the object back at the source";
        let log = news.then(|| {
            let entry = self.entry(&work, Action::StagedDelete, Status::Skipped, None, message.to_owned());
            Box::new(entry)
        });
        Outcome { writes: vec![Write::Object(Box::new(work.row))], log, staged: None, counts }
    }

    fn skipped(&self, mut work: Work<'_>, holding: &Holding, reason: SkipReason) -> Outcome {
        let message = match (reason, work.facts.obstacle()) {
            (SkipReason::NotEffectivelyEntitled, Some(obstacle)) => obstacle.to_owned(),
            _ => reason.explain().to_owned(),
        };
        let log = self.entry(&work, Action::Other, Status::Skipped, Some(code_of(reason)), message);
        let counts = Counts { skipped: 1, requests: requests(&work.trail), ..Counts::default() };
        let soft_deleted = work.facts.is_soft_deleted();
        let left_for_good = work.entry.presence == Presence::Deleted;
        match reason {
            SkipReason::RedundantExport => {
                let fingerprint = Some(work.desired.fingerprint());
                let link = match (work.link.take(), holding) {
                    (Some(link), _) => {
                        Some(Link { managed: link.managed || !soft_deleted, fingerprint, ..link })
                    }
                    (None, Holding::One(id, _)) => {
                        Some(Link { target_id: id.clone(), managed: true, fingerprint })
                    }
                    (None, _) => None,
                };
                work.link = link;
                work.row.out = soft_deleted;
            }
            // The object of the target is gone, and it is not to be made again.
            SkipReason::NotEffectivelyEntitled => work.link = None,
            _ => {}
        }
        let key = work.row.key;
        let mut writes = self.remembered(work);
        if left_for_good {
            writes = vec![Write::Unsent { key, at: None }, Write::Forget(key)];
        }
        Outcome { writes, log: Some(Box::new(log)), staged: None, counts }
    }

    fn done(
        &self,
        mut work: Work<'_>,
        action: Action,
        modified: Vec<ModifiedProperty>,
        undo: Option<Undo>,
    ) -> Outcome {
        let message = match action {
            Action::Create => "it was created",
            Action::Update if work.row.link.is_none() => "it was found at the target, linked and updated",
            Action::Update if work.row.out && !work.facts.is_soft_deleted() => {
                "it was updated, and is in again"
            }
            Action::Update => "it was updated",
            Action::Disable => work.facts.obstacle().unwrap_or("it was disabled"),
            Action::Delete if undo.is_none() => "it was to be deleted, and was gone already",
            _ => "it was deleted",
        };
        let mut log = self.entry(&work, action, Status::Success, None, message.to_owned());
        log.target_id = log.target_id.or_else(|| work.row.link.as_ref().map(|link| link.target_id.clone()));
        log.detail.modified = modified;
        log.detail.undo = undo;
        let mut counts = Counts { requests: requests(&work.trail), ..Counts::default() };
        match action {
            Action::Create => counts.created = 1,
            Action::Disable => counts.disabled = 1,
            Action::Delete => counts.deleted = 1,
            _ => counts.updated = 1,
        }
        work.row.out = work.facts.is_soft_deleted();
        Outcome { writes: self.remembered(work), log: Some(Box::new(log)), staged: None, counts }
    }

    /// The row after the object was brought in step, and whatever waited for it.
    fn remembered(&self, work: Work<'_>) -> Vec<Write> {
        let Work { mut row, link, digest, relinked, mut others, .. } = work;
        let now = self.clock.now();
        let key = row.key;
        let was = row.managed().map(str::to_owned);
        let before = row.link.as_ref().map(|link| link.target_id.clone());
        row.link = link;
        row.digest = Some(digest);
        row.trouble = row.trouble.filter(|trouble| trouble.reference);
        row.held = false;
        let is = row.managed().map(str::to_owned);
        let moved =
            relinked || before.is_some() && before != row.link.as_ref().map(|link| link.target_id.clone());
        if moved {
            row.manager_sent = None;
            row.manager_due = row.manager.map(|_| now);
        }
        others.push(Write::Object(Box::new(row)));
        if moved {
            others.push(Write::Unsent { key, at: is.as_ref().map(|_| now) });
        }
        if is.is_some() && (moved || is != was) {
            others.push(Write::Linked { key, at: now });
        }
        others
    }

    fn stopped(&self, work: Work<'_>, action: Action, stop: Stop) -> Result<Outcome, Broken> {
        match stop {
            Stop::Broken(broken) => Err(broken),
            Stop::Target(failure) if failure.kind.is_connection() => Err(Broken::Target(failure)),
            Stop::Target(failure) => {
                let fault = Fault {
                    code: failure.kind.code().to_owned(),
                    message: failure.message,
                    retry_after: failure.retry_after,
                };
                Ok(self.failed(work, action, fault))
            }
            Stop::Fault(fault) => Ok(self.failed(work, action, fault)),
        }
    }

    /// Puts a failed object into escrow.
    fn failed(&self, mut work: Work<'_>, action: Action, fault: Fault) -> Outcome {
        let now = self.clock.now();
        let before = work.row.trouble.take();
        let (first_failed, attempts) =
            before.map_or((now, 0), |trouble| (trouble.first_failed, trouble.attempts + 1));
        let (next_attempt, when) = match escrow::next(first_failed, now, fault.retry_after) {
            Retry::At(at) if at <= now => (Some(at), "it is tried again in the next cycle".to_owned()),
            Retry::At(at) => {
                (Some(at), format!("it was tried {} times and is tried again after {at}", attempts + 1))
            }
            Retry::GivenUp => {
                (None, "it failed for 28 days and is not tried again until it changes".to_owned())
            }
        };
        let message = format!("{}; {when}", fault.message);
        let mut log = self.entry(&work, action, Status::Failure, Some(fault.code.clone()), message);
        log.detail.exchanges = work.trail.iter().map(|one| self.shown(one, &work.desired)).collect();
        let counts = Counts { failed: 1, requests: requests(&work.trail), ..Counts::default() };
        work.row.digest = Some(work.digest);
        work.row.trouble = next_attempt.map(|next_attempt| Trouble {
            first_failed,
            attempts,
            next_attempt,
            code: fault.code,
            message: fault.message,
            reference: false,
        });
        if work.relinked {
            work.row.link = None;
        }
        let mut writes = work.others;
        writes.push(Write::Object(Box::new(work.row)));
        Outcome { writes, log: Some(Box::new(log)), staged: None, counts }
    }

    /// A request as the log of a failure shows it: with its body, unless that holds what may not be shown.
    fn shown(&self, exchange: &Exchange, desired: &Desired) -> Json {
        let mut shown = exchange.clone();
        if desired.values.iter().any(|wanted| wanted.redacted) {
            shown.body = None;
        }
        json!(shown)
    }

    fn entry(
        &self,
        work: &Work<'_>,
        action: Action,
        status: Status,
        code: Option<String>,
        message: String,
    ) -> LogEntry {
        let now = self.clock.now();
        let steps = work.trail.iter().map(|one| {
            json!({ "method": one.method, "path": one.path, "status": one.status, "millis": one.millis })
        });
        LogEntry {
            id: LogId::fresh(now, self.entropy),
            cycle: self.cycle,
            at: now,
            kind: work.entry.kind,
            key: work.row.key,
            source_id: work.entry.id.clone(),
            label: work.row.label.clone(),
            target_id: work.link.as_ref().map(|link| link.target_id.clone()),
            action,
            status,
            code,
            message,
            millis: u64::try_from(now.since(work.begun).as_millis()).unwrap_or(u64::MAX),
            detail: Detail {
                facts: Some(work.facts.clone()),
                matched_by: work.matched_by.clone(),
                exchanges: steps.collect(),
                ..Detail::default()
            },
        }
    }
}

/// Why the steps of an object ended early.
enum Stop {
    Target(Failure),
    Fault(Fault),
    Broken(Broken),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Target(failure)
    }
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Broken(Broken::Ledger(error))
    }
}

fn absent(id: latchkey_provisioning::EntryId, kind: Kind, presence: Presence) -> Entry {
    Entry {
        id,
        kind,
        presence,
        enabled: true,
        attributes: Map::new(),
        assignments: Vec::new(),
        manager: None,
    }
}

/// What a plan does not have: nothing is remembered, so that the next cycle finds it again.
fn left_out(work: &Work<'_>) -> Outcome {
    let counts = Counts { skipped: 1, requests: requests(&work.trail), ..Counts::default() };
    Outcome { counts, ..Outcome::default() }
}

fn requests(trail: &[Exchange]) -> u64 {
    trail.len() as u64
}

fn created(desired: &Desired) -> Vec<ModifiedProperty> {
    let values = desired.values.iter().filter_map(|wanted| {
        let new = wanted.value.as_ref().or(wanted.default.as_ref())?;
        let one = Difference {
            path: wanted.path.clone(),
            old: None,
            new: Some(new.clone()),
            redacted: wanted.redacted,
        };
        Some(one.shown())
    });
    values.collect()
}

fn restore(differences: &[Difference]) -> Undo {
    let values = differences.iter().filter(|one| !one.redacted);
    Undo::Restore { values: values.map(|one| (one.path.to_string(), one.old.clone())).collect() }
}

fn code_of(reason: SkipReason) -> String {
    format!("{reason:?}")
}
