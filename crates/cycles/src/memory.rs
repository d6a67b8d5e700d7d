//! A ledger in memory: for previews, and for simulations.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use latchkey_kernel::Timestamp;
use latchkey_provisioning::Kind;
use latchkey_provisioning::ledger::{MemberRow, ObjectKey, ObjectRow, Totals, Write};
use latchkey_provisioning::log::LogEntry;
use latchkey_provisioning::state::JobState;

use crate::ledger::{Ledger, LedgerError};

/// A job's rows in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    state: JobState,
    objects: BTreeMap<ObjectKey, ObjectRow>,
    /// By group and member.
    members: BTreeMap<(ObjectKey, ObjectKey), MemberRow>,
    /// By member and group.
    groups: BTreeSet<(ObjectKey, ObjectKey)>,
    log: Vec<LogEntry>,
}

const FIRST: ObjectKey = ObjectKey([0; 16]);
const LAST: ObjectKey = ObjectKey([255; 16]);

impl MemoryLedger {
    /// A copy of what another ledger holds, apart from its log.
    ///
    /// # Errors
    /// When the other cannot be read.
    pub async fn copy_of(ledger: &impl Ledger) -> Result<Self, LedgerError> {
        const PORTION: usize = 5_000;
        let mut rows = Rows { state: ledger.state().await?, ..Rows::default() };
        let mut after = None;
        loop {
            let page = ledger.page(after, PORTION).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            rows.objects.extend(page.into_iter().map(|row| (row.key, row)));
        }
        let groups: Vec<ObjectKey> =
            rows.objects.values().filter(|row| row.kind == Kind::Group).map(|row| row.key).collect();
        for group in groups {
            let mut after = None;
            loop {
                let page = ledger.members_of(group, after, PORTION).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.member);
                page.into_iter().for_each(|row| rows.put(row));
            }
        }
        Ok(Self { rows: Mutex::new(rows) })
    }

    /// The entries of the log, in the order in which they were written.
    pub fn log(&self) -> Vec<LogEntry> {
        self.rows().log.clone()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find<T>(&self, look: impl FnOnce(&Rows) -> T) -> Result<T, LedgerError> {
        Ok(look(&self.rows()))
    }
}

fn behind<T>(after: Option<T>) -> (Bound<T>, Bound<T>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

impl Rows {
    fn put(&mut self, row: MemberRow) {
        if row.told || row.wanted || row.sent {
            self.groups.insert((row.member, row.group));
            self.members.insert((row.group, row.member), row);
        } else {
            self.groups.remove(&(row.member, row.group));
            self.members.remove(&(row.group, row.member));
        }
    }

    fn change(&mut self, group: ObjectKey, member: ObjectKey, change: impl FnOnce(&mut MemberRow)) {
        if let Some(mut row) = self.members.get(&(group, member)).copied() {
            change(&mut row);
            self.put(row);
        }
    }

    /// The memberships with this object at one of the ends.
    fn ends(&self, key: ObjectKey) -> Vec<(ObjectKey, ObjectKey)> {
        let of_member =
            self.groups.range((key, FIRST)..=(key, LAST)).map(|(member, group)| (*group, *member));
        let of_group = self.members.range((key, FIRST)..=(key, LAST)).map(|(pair, _)| *pair);
        of_member.chain(of_group).collect()
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Object(row) => {
                self.objects.insert(row.key, *row);
            }
            Write::Forget(key) => {
                self.objects.remove(&key);
                let of_group: Vec<_> =
                    self.members.range((key, FIRST)..=(key, LAST)).map(|(pair, _)| *pair).collect();
                for (group, member) in of_group {
                    self.put(MemberRow { group, member, told: false, wanted: false, sent: false, due: None });
                }
            }
            Write::Membership { group, member, told, wanted, at } => {
                let known = self.members.get(&(group, member)).copied();
                let mut row = known.unwrap_or(MemberRow {
                    group,
                    member,
                    told: false,
                    wanted: false,
                    sent: false,
                    due: None,
                });
                row.told = told.unwrap_or(row.told);
                if let Some(wanted) = wanted {
                    row.wanted = wanted;
                    row.due = (row.wanted != row.sent).then_some(at);
                }
                self.put(row);
            }
            Write::Member(row) => self.put(row),
            Write::Unsent { key, at } => {
                for (group, member) in self.ends(key) {
                    self.change(group, member, |row| {
                        row.sent = false;
                        row.due = at.filter(|_| row.wanted);
                    });
                }
                for row in self.objects.values_mut().filter(|row| row.manager_sent == Some(key)) {
                    row.manager_sent = None;
                    // One who is to be sent instead is still to be sent.
                    row.manager_due = match row.manager {
                        Some(manager) if manager != key => row.manager_due,
                        manager => manager.and(at),
                    };
                }
            }
            Write::Linked { key, at } => {
                for (group, member) in self.ends(key) {
                    self.change(group, member, |row| {
                        if row.wanted != row.sent {
                            row.due = Some(at);
                        }
                    });
                }
                let waits = |row: &&mut ObjectRow| row.manager == Some(key) && row.manager_sent != Some(key);
                self.objects.values_mut().filter(waits).for_each(|row| row.manager_due = Some(at));
            }
            Write::State(state) => self.state = *state,
            Write::Log(entry) => self.log.push(*entry),
        }
    }
}

impl Ledger for MemoryLedger {
    async fn state(&self) -> Result<JobState, LedgerError> {
        self.find(|rows| rows.state.clone())
    }

    async fn objects(&self, keys: &[ObjectKey]) -> Result<Vec<ObjectRow>, LedgerError> {
        self.find(|rows| keys.iter().filter_map(|key| rows.objects.get(key).cloned()).collect())
    }

    async fn page(&self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<ObjectRow>, LedgerError> {
        self.find(|rows| rows.objects.range(behind(after)).take(limit).map(|(_, row)| row.clone()).collect())
    }

    async fn due_objects(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, LedgerError> {
        let is_due = |row: &&ObjectRow| row.held || row.retry_at().is_some_and(|at| at <= now);
        self.find(|rows| {
            let found = rows.objects.range(behind(after)).map(|(_, row)| row).filter(is_due);
            found.take(limit).cloned().collect()
        })
    }

    async fn due_managers(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, LedgerError> {
        let is_due = |row: &&ObjectRow| row.manager_due.is_some_and(|at| at <= now);
        self.find(|rows| {
            let found = rows.objects.range(behind(after)).map(|(_, row)| row).filter(is_due);
            found.take(limit).cloned().collect()
        })
    }

    async fn due_groups(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectKey>, LedgerError> {
        self.find(|rows| {
            let behind = behind(after.map(|group| (group, LAST)));
            let due = rows.members.range(behind).filter(|(_, row)| row.due.is_some_and(|at| at <= now));
            let mut groups: Vec<ObjectKey> = due.map(|(_, row)| row.group).collect();
            groups.dedup();
            groups.truncate(limit);
            groups
        })
    }

    async fn due_members(
        &self,
        group: ObjectKey,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        self.find(|rows| {
            let all = rows.members.range((group, FIRST)..=(group, LAST)).map(|(_, row)| *row);
            all.filter(|row| row.due.is_some_and(|at| at <= now)).take(limit).collect()
        })
    }

    async fn members_of(
        &self,
        group: ObjectKey,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        self.find(|rows| {
            let first = after.map_or(Bound::Included((group, FIRST)), |key| Bound::Excluded((group, key)));
            let all = rows.members.range((first, Bound::Included((group, LAST))));
            all.take(limit).map(|(_, row)| *row).collect()
        })
    }

    async fn groups_of(&self, member: ObjectKey) -> Result<Vec<MemberRow>, LedgerError> {
        self.find(|rows| {
            let groups = rows.groups.range((member, FIRST)..=(member, LAST));
            groups.filter_map(|(member, group)| rows.members.get(&(*group, *member)).copied()).collect()
        })
    }

    async fn linked_to(&self, kind: Kind, target_id: &str) -> Result<Option<ObjectRow>, LedgerError> {
        let is_it = |row: &&ObjectRow| {
            row.kind == kind && row.link.as_ref().is_some_and(|link| link.target_id == target_id)
        };
        self.find(|rows| rows.objects.values().find(is_it).cloned())
    }

    async fn totals(&self) -> Result<Totals, LedgerError> {
        self.find(|rows| {
            let mut totals = Totals::default();
            for row in rows.objects.values() {
                match (row.link.is_some(), row.kind) {
                    (true, Kind::User) if row.out => totals.users_out += 1,
                    (true, Kind::User) => totals.users += 1,
                    (true, Kind::Group) => totals.groups += 1,
                    (false, _) => {}
                }
                totals.escrowed += u64::from(row.retry_at().is_some());
                totals.references_failed += u64::from(row.manager_due.is_some());
                totals.held += u64::from(row.held);
            }
            totals.members = rows.members.values().filter(|row| row.sent).count() as u64;
            totals.references_failed += rows.members.values().filter(|row| row.due.is_some()).count() as u64;
            totals
        })
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), LedgerError> {
        let mut rows = self.rows();
        writes.into_iter().for_each(|write| rows.write(write));
        Ok(())
    }
}
