//! Taking back what a cycle disabled, deleted or took out of groups.

use std::collections::HashMap;

use latchkey_kernel::id::LogId;
use latchkey_provisioning::feed::Change;
use latchkey_provisioning::ledger::{MemberRow, ObjectKey, ObjectRow, Write};
use latchkey_provisioning::log::{Action, Detail, LogEntry, Status, Undo};
use latchkey_provisioning::state::CycleSummary;
use latchkey_provisioning::{Difference, Kind, Link, Presence, TargetPath};
use latchkey_scim_client::{Exchange, Failure};
use serde_json::{Map, Value as Json};

use crate::cycle::{Broken, Cycle, Run};
use crate::ledger::{Ledger, LedgerError};
use crate::progress::Event;
use crate::source::Source;
use crate::target::Target;

impl<S: Source, T: Target, L: Ledger> Cycle<'_, S, T, L> {
    /// Takes back what these entries of a log tell of: who was disabled is as before, who was
    /// deleted is made again, who was taken out of a group is a member again. What was taken back
    /// stays so until the object changes at the source.
    ///
    /// # Errors
    /// When the ledger failed.
    pub async fn undo(&self, mut entries: Vec<LogEntry>) -> Result<CycleSummary, LedgerError> {
        let state = self.ledger.state().await?;
        let mut run = self.begin_undo(&state);
        entries.retain(|entry| entry.status == Status::Success || entry.detail.members.is_some());
        // People before groups, so that members are there when groups are.
        entries.sort_by_key(|entry| (entry.kind, entry.detail.members.is_some(), entry.id));
        let mut error = None;
        for entry in entries {
            match run.take_back(&entry).await {
                Ok(()) => {}
                Err(Broken::Ledger(error)) => return Err(error),
                Err(Broken::Source(broken)) => error = Some(broken.to_string()),
                Err(Broken::Target(broken)) => error = Some(broken.to_string()),
            }
            if error.is_some() {
                break;
            }
        }
        let summary = run.summary(error);
        self.progress.tell(Event::Ended(&summary));
        Ok(summary)
    }
}

impl<S: Source, T: Target, L: Ledger> Run<'_, S, T, L> {
    async fn take_back(&mut self, entry: &LogEntry) -> Result<(), Broken> {
        let row = self.bench.ledger.objects(&[entry.key]).await?.into_iter().next();
        let mut trail = Vec::new();
        let (action, writes, sent) = match (&entry.detail.undo, &entry.detail.members) {
            (Some(Undo::Restore { values }), _) => {
                let Some(row) = row else { return Ok(()) };
                let (writes, sent) = self.restore(row, values, &mut trail).await;
                (Action::Update, writes, sent)
            }
            (Some(Undo::Recreate { resource, ends }), _) => {
                // Somebody made it again meanwhile.
                if row.as_ref().is_some_and(|row| row.link.is_some()) {
                    return Ok(());
                }
                let made = self.recreate(entry, resource, ends, &mut trail).await?;
                let (writes, sent) =
                    made.map_or_else(|failure| (Vec::new(), Err(failure)), |writes| (writes, Ok(())));
                (Action::Create, writes, sent)
            }
            (None, Some(members)) if !members.removed.is_empty() => {
                let Some(row) = row.filter(|row| row.link.is_some()) else { return Ok(()) };
                let (writes, sent) = self.readmit(&row, &members.removed, &mut trail).await?;
                (Action::Update, writes, sent)
            }
            _ => return Ok(()),
        };
        let failure = match sent {
            Err(failure) if failure.kind.is_connection() => return Err(Broken::Target(failure)),
            Err(failure) => Some(failure),
            Ok(()) => None,
        };
        self.counts.requests += trail.len() as u64;
        match (&failure, action) {
            (Some(_), _) => self.counts.failed += 1,
            (None, Action::Create) => self.counts.created += 1,
            (None, _) => self.counts.updated += 1,
        }
        let log = self.undone(entry, action, failure.as_ref());
        self.progress.tell(Event::Logged(&log));
        let mut writes = if failure.is_some() { Vec::new() } else { writes };
        writes.push(Write::Log(Box::new(log)));
        self.bench.ledger.write(writes).await?;
        self.progress.tell(Event::Counts(&self.counts));
        Ok(())
    }

    async fn restore(
        &self,
        mut row: ObjectRow,
        values: &[(String, Option<Json>)],
        trail: &mut Vec<Exchange>,
    ) -> (Vec<Write>, Result<(), Failure>) {
        let Some(link) = row.link.clone() else { return (Vec::new(), Ok(())) };
        let differences: Vec<Difference> = values
            .iter()
            .filter_map(|(path, value)| {
                let path = path.parse::<TargetPath>().ok()?;
                Some(Difference { path, old: Some(Json::Null), new: value.clone(), redacted: false })
            })
            .collect();
        let sent =
            self.bench.target.change(row.kind, &link.target_id, (&differences, &Map::new()), trail).await;
        row.link = Some(Link { managed: true, fingerprint: None, ..link });
        row.out = false;
        (vec![Write::Object(Box::new(row))], sent)
    }

    async fn recreate(
        &self,
        entry: &LogEntry,
        resource: &Json,
        ends: &[ObjectKey],
        trail: &mut Vec<Exchange>,
    ) -> Result<Result<Vec<Write>, Failure>, Broken> {
        let mut resource = resource.as_object().cloned().unwrap_or_default();
        // What a provider gives itself (RFC 7643 §3.1, §4.1.2, §4.2).
        for name in ["id", "meta", "schemas", "groups", "members"] {
            resource.remove(name);
        }
        let id = match self.bench.target.create(entry.kind, resource, trail).await {
            Ok(id) => id,
            Err(failure) => return Ok(Err(failure)),
        };
        let gone =
            Change::Left { id: entry.source_id.clone(), kind: entry.kind, presence: Presence::Deleted };
        let mut row = ObjectRow::new(entry.source_id.clone(), entry.kind, entry.label.clone());
        // The source does not have it, and that is nothing new.
        row.digest = Some(self.bench.job.digest(&gone));
        row.link = Some(Link { target_id: id.clone(), managed: true, fingerprint: None });
        let mut writes = vec![Write::Object(Box::new(row))];
        let known = self.bench.ledger.objects(ends).await?;
        let known: HashMap<ObjectKey, String> =
            known.into_iter().filter_map(|row| Some((row.key, row.link?.target_id))).collect();
        let pairs: Vec<(ObjectKey, ObjectKey, String, String)> = ends
            .iter()
            .filter_map(|end| {
                let other = known.get(end)?.clone();
                Some(match entry.kind {
                    Kind::User => (*end, entry.key, other, id.clone()),
                    Kind::Group => (entry.key, *end, id.clone(), other),
                })
            })
            .collect();
        for (group, member, group_id, member_id) in pairs {
            if let Err(failure) =
                self.bench.target.change_members(&group_id, (&[member_id], &[]), trail).await
            {
                return Ok(Err(failure));
            }
            writes.push(Write::Member(MemberRow {
                group,
                member,
                told: false,
                wanted: false,
                sent: true,
                due: None,
            }));
        }
        Ok(Ok(writes))
    }

    async fn readmit(
        &self,
        row: &ObjectRow,
        removed: &[ObjectKey],
        trail: &mut Vec<Exchange>,
    ) -> Result<(Vec<Write>, Result<(), Failure>), Broken> {
        let Some(link) = &row.link else { return Ok((Vec::new(), Ok(()))) };
        let known = self.bench.ledger.objects(removed).await?;
        let known: Vec<(ObjectKey, String)> =
            known.into_iter().filter_map(|row| Some((row.key, row.link?.target_id))).collect();
        if known.is_empty() {
            return Ok((Vec::new(), Ok(())));
        }
        let ids: Vec<String> = known.iter().map(|(_, id)| id.clone()).collect();
        let sent = self.bench.target.change_members(&link.target_id, (&ids, &[]), trail).await;
        let group = row.key;
        let rows = known.into_iter().map(|(member, _)| {
            Write::Member(MemberRow { group, member, told: false, wanted: false, sent: true, due: None })
        });
        Ok((rows.collect(), sent))
    }

    fn undone(&self, entry: &LogEntry, action: Action, failure: Option<&Failure>) -> LogEntry {
        let now = self.bench.clock.now();
        let what = match (&entry.detail.undo, action) {
            (Some(Undo::Restore { .. }), _) => "it is as it was before it was disabled",
            (Some(Undo::Recreate { .. }), _) => "it was made again",
            _ => "those who were taken out are members again",
        };
        LogEntry {
            id: LogId::fresh(now, self.bench.entropy),
            cycle: self.bench.cycle,
            at: now,
            action,
            status: if failure.is_some() { Status::Failure } else { Status::Success },
            code: failure.map(|failure| failure.kind.code().to_owned()),
            message: failure.map_or_else(
                || format!("undone: {what}; it stays so until it changes at the source"),
                |failure| format!("it could not be undone: {}", failure.message),
            ),
            millis: 0,
            detail: Detail::default(),
            ..entry.clone()
        }
    }
}
