//! Managers and members: sent when both ends are at the target.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::LogId;
use latchkey_provisioning::difference::ModifiedProperty;
use latchkey_provisioning::escrow::{self, Retry};
use latchkey_provisioning::ledger::{MemberRow, ObjectKey, ObjectRow, Trouble, Write};
use latchkey_provisioning::log::{Action, Detail, LogEntry, MembersSent, Status};
use latchkey_provisioning::mapping::{Reference, Source as From};
use latchkey_provisioning::state::Counts;
use latchkey_provisioning::{Difference, Kind, TargetPath};
use latchkey_scim_client::{Exchange, Failure, FailureKind};
use serde_json::{Map, Value as Json, json};

use crate::cycle::{Broken, Run, add};
use crate::ledger::Ledger;
use crate::object::Bench;
use crate::progress::{Event, Phase};
use crate::source::Source;
use crate::target::Target;

/// People whose managers are loaded and written together.
const PORTION: usize = 256;
/// Memberships of one group that are sent and written together.
const MEMBERS: usize = 2_000;
/// How long after its time a failed reference is still the one that failed before.
const SERIES: Duration = Duration::from_secs(48 * 3_600);
/// Members that a message names.
const NAMED: usize = 10;

/// What came of one reference.
#[derive(Default)]
struct Sent {
    writes: Vec<Write>,
    log: Option<LogEntry>,
    counts: Counts,
    /// The object itself is gone from the target.
    lost: Option<ObjectRow>,
}

impl<S: Source, T: Target, L: Ledger> Run<'_, S, T, L> {
    /// Sends what is due of managers and members. Answers with the objects that turned out to be
    /// gone from the target; their links are forgotten.
    pub(crate) async fn references(&mut self) -> Result<Vec<ObjectRow>, Broken> {
        self.progress.tell(Event::Phase(Phase::Managers));
        let mut lost = self.managers().await?;
        self.progress.tell(Event::Phase(Phase::Members));
        lost.extend(self.groups().await?);
        Ok(lost)
    }

    async fn managers(&mut self) -> Result<Vec<ObjectRow>, Broken> {
        let mapping = self.bench.job.file.users.as_ref();
        let path = mapping.and_then(|users| {
            users.attributes.iter().find(|one| matches!(one.source, From::Reference(Reference::Manager)))
        });
        let Some(path) = path.map(|one| &one.target) else { return Ok(Vec::new()) };
        let (mut lost, mut after) = (Vec::new(), None);
        loop {
            let now = self.bench.clock.now();
            let due = self.bench.ledger.due_managers(now, after, PORTION).await?;
            let Some(last) = due.last() else { return Ok(lost) };
            after = Some(last.key);
            let managers: Vec<ObjectKey> = due.iter().filter_map(|row| row.manager).collect();
            let managers = by_key(self.bench.ledger.objects(&managers).await?);
            let (bench, managers) = (&self.bench, &managers);
            let sent: Vec<Result<Sent, Broken>> = stream::iter(due)
                .map(|row| bench.manager(row, managers, path))
                .buffer_unordered(self.at_once())
                .collect()
                .await;
            self.sent(sent, &mut lost).await?;
        }
    }

    async fn groups(&mut self) -> Result<Vec<ObjectRow>, Broken> {
        let (mut lost, mut after) = (Vec::new(), None);
        loop {
            let now = self.bench.clock.now();
            let groups = self.bench.ledger.due_groups(now, after, PORTION).await?;
            let Some(last) = groups.last() else { return Ok(lost) };
            after = Some(*last);
            let rows = by_key(self.bench.ledger.objects(&groups).await?);
            let mut groups: Vec<(ObjectKey, Option<ObjectRow>)> =
                groups.into_iter().map(|key| (key, rows.get(&key).cloned())).collect();
            // A portion of each in turn, so that one large group does not keep the others waiting.
            while !groups.is_empty() {
                let bench = &self.bench;
                let sent: Vec<(Option<_>, Result<Sent, Broken>)> = stream::iter(groups)
                    .map(|(key, row)| async move {
                        match bench.members(key, row.as_ref(), now).await {
                            Ok((sent, more)) => (more.then_some((key, row)), Ok(sent)),
                            Err(broken) => (None, Err(broken)),
                        }
                    })
                    .buffer_unordered(self.at_once())
                    .collect()
                    .await;
                let (more, sent): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
                groups = more.into_iter().flatten().collect();
                self.sent(sent, &mut lost).await?;
            }
        }
    }

    fn at_once(&self) -> usize {
        usize::try_from(self.bench.job.file.target.concurrency).unwrap_or(1).max(1)
    }

    async fn sent(
        &mut self,
        all: Vec<Result<Sent, Broken>>,
        lost: &mut Vec<ObjectRow>,
    ) -> Result<(), Broken> {
        let (mut writes, mut last, mut broken) = (Vec::new(), Vec::new(), None);
        for sent in all {
            match sent {
                Ok(sent) => {
                    add(&mut self.counts, &sent.counts);
                    // What concerns other rows goes after what was decided on those.
                    let (of_others, own): (Vec<_>, Vec<_>) =
                        sent.writes.into_iter().partition(|write| matches!(write, Write::Unsent { .. }));
                    last.extend(of_others);
                    writes.extend(own);
                    if let Some(log) = sent.log {
                        self.progress.tell(Event::Logged(&log));
                        writes.push(Write::Log(Box::new(log)));
                    }
                    lost.extend(sent.lost);
                }
                Err(error) => {
                    broken.get_or_insert(error);
                }
            }
        }
        writes.append(&mut last);
        if !writes.is_empty() {
            self.bench.ledger.write(writes).await?;
        }
        self.progress.tell(Event::Counts(&self.counts));
        broken.map_or(Ok(()), Err)
    }
}

impl<S: Source, T: Target, L: Ledger> Bench<'_, S, T, L> {
    async fn manager(
        &self,
        mut row: ObjectRow,
        managers: &HashMap<ObjectKey, ObjectRow>,
        path: &TargetPath,
    ) -> Result<Sent, Broken> {
        let manager = row.manager.and_then(|key| managers.get(&key));
        let id = manager.and_then(ObjectRow::managed).map(str::to_owned);
        let Some(target_id) = row.managed().map(str::to_owned) else {
            // It is sent when the person is at the target.
            return Ok(self.waits(row, None));
        };
        if row.manager.is_some() && id.is_none() {
            let label = manager.map_or("the manager", |manager| manager.label.as_str());
            let message = format!(
                "unable to assign {label} as the manager of {}: {label} is not at the target; it is set when they are",
                row.label
            );
            return Ok(self.waits(row, Some(message)));
        }
        let old = row.manager_sent.and_then(|key| managers.get(&key)).map(|row| row.label.clone());
        let change = Difference {
            path: path.clone(),
            old: row.manager_sent.map(|_| Json::Null),
            new: id.map(Json::String),
            redacted: false,
        };
        let shown = ModifiedProperty {
            display_name: path.to_string(),
            old_value: old,
            new_value: manager.map(|manager| manager.label.clone()),
        };
        let allowed = self.options.plan.as_ref();
        if !allowed.is_none_or(|plan| plan.allows(row.key, Action::Update, std::slice::from_ref(&shown))) {
            return Ok(Sent::default());
        }
        let mut trail = Vec::new();
        let sent = self
            .target
            .change(Kind::User, &target_id, (std::slice::from_ref(&change), &Map::new()), &mut trail)
            .await;
        let requests = trail.len() as u64;
        match sent {
            Ok(()) => {
                let message = "its manager was set".to_owned();
                let mut log =
                    self.reference_entry(&row, (Action::Update, Status::Success), None, message, &trail);
                log.detail.modified = vec![shown];
                row.manager_sent = row.manager;
                row.manager_due = None;
                row.trouble = row.trouble.filter(|trouble| !trouble.reference);
                let counts = Counts { managers_set: 1, requests, ..Counts::default() };
                Ok(Sent { writes: vec![Write::Object(Box::new(row))], log: Some(log), counts, lost: None })
            }
            Err(failure) if failure.kind.is_connection() => Err(Broken::Target(failure)),
            // The person, or the manager: both are told by looking again.
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(self.lose(row, requests)),
            Err(failure) => {
                let (at, log) = self.reference_failed(&mut row, &failure, &trail);
                row.manager_due = at;
                let counts = Counts { references_failed: 1, requests, ..Counts::default() };
                Ok(Sent { writes: vec![Write::Object(Box::new(row))], log: Some(log), counts, lost: None })
            }
        }
    }

    /// Puts a manager aside until both ends are at the target.
    fn waits(&self, mut row: ObjectRow, message: Option<String>) -> Sent {
        row.manager_due = None;
        row.trouble = row.trouble.filter(|trouble| !trouble.reference);
        let log = message.map(|message| {
            let code = Some("UnableToResolveReferenceAttributeValue".to_owned());
            self.reference_entry(&row, (Action::Other, Status::Warning), code, message, &[])
        });
        Sent { writes: vec![Write::Object(Box::new(row))], log, ..Sent::default() }
    }

    /// One portion of a group's members, and whether there may be more.
    async fn members(
        &self,
        group: ObjectKey,
        row: Option<&ObjectRow>,
        now: Timestamp,
    ) -> Result<(Sent, bool), Broken> {
        let portion = if self.options.plan.is_some() { usize::MAX >> 1 } else { MEMBERS };
        let due = self.ledger.due_members(group, now, portion).await?;
        // What a plan leaves out stays due, and would come again and again.
        let more = due.len() == MEMBERS && self.options.plan.is_none();
        let Some((row, target_id)) = row.and_then(|row| Some((row, row.managed()?.to_owned()))) else {
            // They are sent when the group is at the target.
            let writes = due.into_iter().map(|member| Write::Member(MemberRow { due: None, ..member }));
            return Ok((Sent { writes: writes.collect(), ..Sent::default() }, more));
        };
        let keys: Vec<ObjectKey> = due.iter().map(|member| member.member).collect();
        let known = by_key(self.ledger.objects(&keys).await?);
        let mut plan = Plan::default();
        for member in due {
            let allowed = self.options.plan.as_ref();
            if allowed.is_none_or(|plan| plan.allows_member(group, member.member, member.wanted)) {
                plan.put(member, known.get(&member.member));
            }
        }
        let mut trail = Vec::new();
        let sent = if plan.is_empty() {
            Ok(())
        } else {
            let ids = (plan.ids(&plan.add), plan.ids(&plan.remove));
            self.target.change_members(&target_id, (&ids.0, &ids.1), &mut trail).await
        };
        let sent = match sent {
            Err(failure) if failure.kind.is_connection() => return Err(Broken::Target(failure)),
            Err(failure)
                if failure.kind == FailureKind::NotFound && self.is_gone(&target_id, &mut trail).await? =>
            {
                return Ok((self.lose(row.clone(), trail.len() as u64), false));
            }
            // One of them perhaps, which is told by sending each alone.
            Err(failure) if !failure.kind.is_transient() && plan.len() > 1 => {
                return self.one_by_one(row, &target_id, plan, trail).await.map(|sent| (sent, more));
            }
            sent => sent,
        };
        Ok((self.members_sent(row, plan, sent, &trail), more))
    }

    /// Whether a group is gone: an unknown member may be answered with 404 as well.
    async fn is_gone(&self, target_id: &str, trail: &mut Vec<Exchange>) -> Result<bool, Broken> {
        match self.target.read(Kind::Group, target_id, trail).await {
            Ok(found) => Ok(found.is_none()),
            Err(failure) if failure.kind.is_connection() => Err(Broken::Target(failure)),
            Err(_) => Ok(false),
        }
    }

    async fn one_by_one(
        &self,
        row: &ObjectRow,
        target_id: &str,
        plan: Plan,
        mut trail: Vec<Exchange>,
    ) -> Result<Sent, Broken> {
        let (mut done, mut failed) = (Plan { waits: plan.waits, ..Plan::default() }, Plan::default());
        let mut last = None;
        let all = plan
            .add
            .into_iter()
            .map(|one| (one, true))
            .chain(plan.remove.into_iter().map(|one| (one, false)));
        for ((member, id), adds) in all {
            let one = [id.clone()];
            let change: (&[String], &[String]) = if adds { (&one, &[]) } else { (&[], &one) };
            let to = match self.target.change_members(target_id, change, &mut trail).await {
                Ok(()) => &mut done,
                Err(failure) if failure.kind.is_connection() => return Err(Broken::Target(failure)),
                Err(failure) => {
                    last = Some(failure);
                    &mut failed
                }
            };
            if adds { to.add.push((member, id)) } else { to.remove.push((member, id)) }
        }
        let mut sent = self.members_sent(row, done, Ok(()), &trail);
        if let Some(failure) = last {
            let worse = self.members_sent(row, failed, Err(failure), &[]);
            sent.writes.extend(worse.writes);
            sent.log = worse.log.or(sent.log);
            add(&mut sent.counts, &worse.counts);
        }
        Ok(sent)
    }

    fn members_sent(
        &self,
        row: &ObjectRow,
        plan: Plan,
        sent: Result<(), Failure>,
        trail: &[Exchange],
    ) -> Sent {
        let mut counts = Counts { requests: trail.len() as u64, ..Counts::default() };
        let waits: Vec<Write> =
            plan.waits.iter().map(|member| Write::Member(MemberRow { due: None, ..*member })).collect();
        let changes = || plan.add.iter().chain(&plan.remove).map(|(member, _)| *member);
        let failure = match sent {
            Ok(()) => {
                let mut writes = waits;
                writes.extend(
                    changes()
                        .map(|member| Write::Member(MemberRow { sent: member.wanted, due: None, ..member })),
                );
                counts.members_added = plan.add.len() as u64;
                counts.members_removed = plan.remove.len() as u64;
                if row.trouble.as_ref().is_some_and(|trouble| trouble.reference) {
                    writes.push(Write::Object(Box::new(ObjectRow { trouble: None, ..row.clone() })));
                }
                let log = self.members_entry(row, &plan, trail);
                return Sent { writes, log, counts, lost: None };
            }
            Err(failure) => failure,
        };
        let mut failed = row.clone();
        let (at, log) = self.reference_failed(&mut failed, &failure, trail);
        counts.references_failed = (plan.add.len() + plan.remove.len()) as u64;
        let mut writes = waits;
        writes.extend(changes().map(|member| Write::Member(MemberRow { due: at, ..member })));
        writes.push(Write::Object(Box::new(failed)));
        Sent { writes, log: Some(log), counts, lost: None }
    }

    fn members_entry(&self, row: &ObjectRow, plan: &Plan, trail: &[Exchange]) -> Option<LogEntry> {
        let waiting = plan.waits.iter().filter(|member| member.wanted).count();
        if plan.is_empty() && waiting == 0 {
            return None;
        }
        let mut message = match (plan.add.len(), plan.remove.len()) {
            (0, 0) => String::new(),
            (added, 0) => format!("{added} members were added"),
            (0, removed) => format!("{removed} members were taken out"),
            (added, removed) => format!("{added} members were added, {removed} were taken out"),
        };
        let (mut status, mut code) = (Status::Success, None);
        if waiting > 0 {
            if !message.is_empty() {
                message.push_str("; ");
            }
            message.push_str(&format!(
                "{waiting} are not at the target, because they are out of scope or failed; they are added when they are"
            ));
            (status, code) = (Status::Warning, Some("UnableToResolveReferenceAttributeValue".to_owned()));
        }
        let action = if plan.is_empty() { Action::Other } else { Action::Update };
        let mut log = self.reference_entry(row, (action, status), code, message, trail);
        let keys = |list: &[(MemberRow, String)]| list.iter().map(|(member, _)| member.member).collect();
        log.detail.members = Some(MembersSent { added: keys(&plan.add), removed: keys(&plan.remove) });
        let names = plan.names.join(", ");
        if !names.is_empty() {
            let (old_value, new_value) =
                if plan.add.is_empty() { (Some(names), None) } else { (None, Some(names)) };
            log.detail.modified =
                vec![ModifiedProperty { display_name: "members".to_owned(), old_value, new_value }];
        }
        Some(log)
    }

    /// Forgets the link of an object that is gone from the target.
    fn lose(&self, mut row: ObjectRow, requests: u64) -> Sent {
        let key = row.key;
        row.link = None;
        row.digest = None;
        let writes = vec![Write::Object(Box::new(row.clone())), Write::Unsent { key, at: None }];
        let counts = Counts { requests, ..Counts::default() };
        Sent { writes, log: None, counts, lost: Some(row) }
    }

    /// When a reference that failed is tried again, and what the log says of it.
    fn reference_failed(
        &self,
        row: &mut ObjectRow,
        failure: &Failure,
        trail: &[Exchange],
    ) -> (Option<Timestamp>, LogEntry) {
        let now = self.clock.now();
        let before = row.trouble.take();
        let of_object = before.clone().filter(|trouble| !trouble.reference);
        // One that was not tried when it was due has come to nothing, and this is another.
        let before = before.filter(|trouble| now.since(trouble.next_attempt) < SERIES);
        let first = before.as_ref().map_or(now, |trouble| trouble.first_failed);
        let at = match escrow::next(first, now, failure.retry_after) {
            // In the next cycle, not in the one that is under way.
            Retry::At(at) => Some(at.max(now.plus(Duration::from_micros(1)))),
            Retry::GivenUp => None,
        };
        // That the object itself failed says more, and has its own time.
        row.trouble = of_object.or_else(|| {
            at.map(|next_attempt| Trouble {
                first_failed: first,
                attempts: before.map_or(0, |trouble| trouble.attempts + 1),
                next_attempt,
                code: failure.kind.code().to_owned(),
                message: failure.message.clone(),
                reference: true,
            })
        });
        let when = at.map_or_else(
            || "it is not tried again".to_owned(),
            |at| format!("it is tried again in the first cycle after {at}"),
        );
        let message = format!("{}; {when}", failure.message);
        let code = Some(failure.kind.code().to_owned());
        let mut log = self.reference_entry(row, (Action::Update, Status::Failure), code, message, trail);
        log.detail.exchanges = trail.iter().map(|one| json!(one)).collect();
        (at, log)
    }

    fn reference_entry(
        &self,
        row: &ObjectRow,
        (action, status): (Action, Status),
        code: Option<String>,
        message: String,
        trail: &[Exchange],
    ) -> LogEntry {
        let now = self.clock.now();
        let steps = trail.iter().map(|one| {
            json!({ "method": one.method, "path": one.path, "status": one.status, "millis": one.millis })
        });
        LogEntry {
            id: LogId::fresh(now, self.entropy),
            cycle: self.cycle,
            at: now,
            kind: row.kind,
            key: row.key,
            source_id: row.id.clone(),
            label: row.label.clone(),
            target_id: row.link.as_ref().map(|link| link.target_id.clone()),
            action,
            status,
            code,
            message,
            millis: trail.iter().map(|one| one.millis).sum(),
            detail: Detail { exchanges: steps.collect(), ..Detail::default() },
        }
    }
}

/// What is to be sent of one group.
#[derive(Default)]
struct Plan {
    add: Vec<(MemberRow, String)>,
    remove: Vec<(MemberRow, String)>,
    /// Those that are not at the target.
    waits: Vec<MemberRow>,
    /// The first few by name.
    names: Vec<String>,
}

impl Plan {
    fn put(&mut self, member: MemberRow, row: Option<&ObjectRow>) {
        // Whoever is linked, out or not: else it would matter whether somebody was disabled before or
        // after they came into a group, and a cycle that was disturbed would end otherwise (P1).
        let id = row.and_then(|row| row.link.as_ref()).map(|link| link.target_id.as_str());
        match id {
            _ if member.wanted == member.sent => self.waits.push(member),
            Some(id) => {
                if self.names.len() < NAMED {
                    self.names.extend(row.map(|row| row.label.clone()));
                }
                let list = if member.wanted { &mut self.add } else { &mut self.remove };
                list.push((member, id.to_owned()));
            }
            None if member.wanted => self.waits.push(member),
            // The target has no such object, so no such member either.
            None => self.waits.push(MemberRow { sent: false, ..member }),
        }
    }

    fn ids(&self, list: &[(MemberRow, String)]) -> Vec<String> {
        list.iter().map(|(_, id)| id.clone()).collect()
    }

    fn len(&self) -> usize {
        self.add.len() + self.remove.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn by_key(rows: Vec<ObjectRow>) -> HashMap<ObjectKey, ObjectRow> {
    rows.into_iter().map(|row| (row.key, row)).collect()
}
