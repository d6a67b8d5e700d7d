//! Groups in groups: who is in a group by way of those that are in it.

use std::collections::{BTreeSet, HashSet};

use latchkey_provisioning::Kind;
use latchkey_provisioning::ledger::{ObjectKey, ObjectRow, Write};

use crate::cycle::{Broken, Run};
use crate::ledger::Ledger;
use crate::source::Source;
use crate::target::Target;

/// Memberships that are written together.
const AT_ONCE: usize = 5_000;

impl<S: Source, T: Target, L: Ledger> Run<'_, S, T, L> {
    /// Works out anew who is in the groups that the source told of, and in all that those are in.
    /// A group that is in itself, by whatever way, adds nobody.
    pub(crate) async fn expand(&mut self) -> Result<(), Broken> {
        if !self.bench.job.file.expand_nested_groups {
            return Ok(());
        }
        for group in self.with_those_above().await? {
            let wanted = self.members_below(group).await?;
            let at = self.bench.clock.now();
            let known = self.bench.ledger.members_of(group, None, usize::MAX >> 1).await?;
            let known: HashSet<ObjectKey> =
                known.into_iter().filter(|row| row.wanted).map(|row| row.member).collect();
            let change = |member: &ObjectKey, wanted: bool| Write::Membership {
                group,
                member: *member,
                told: None,
                wanted: Some(wanted),
                at,
            };
            let mut writes: Vec<Write> =
                wanted.difference(&known).map(|member| change(member, true)).collect();
            writes.extend(known.difference(&wanted).map(|member| change(member, false)));
            while !writes.is_empty() {
                let rest = writes.split_off(writes.len().min(AT_ONCE));
                self.bench.ledger.write(writes).await?;
                writes = rest;
            }
        }
        Ok(())
    }

    /// The groups that changed, and those that they are in.
    async fn with_those_above(&mut self) -> Result<BTreeSet<ObjectKey>, Broken> {
        let mut all = std::mem::take(&mut self.regrouped);
        let mut next: Vec<ObjectKey> = all.iter().copied().collect();
        while let Some(key) = next.pop() {
            let above = self.bench.ledger.groups_of(key).await?;
            for row in above.into_iter().filter(|row| row.told) {
                if all.insert(row.group) {
                    next.push(row.group);
                }
            }
        }
        Ok(all)
    }

    /// Everybody in a group and in those within it; the groups themselves are no members then.
    async fn members_below(&self, group: ObjectKey) -> Result<HashSet<ObjectKey>, Broken> {
        let (mut people, mut seen) = (HashSet::new(), HashSet::from([group]));
        let mut next = vec![group];
        while let Some(key) = next.pop() {
            let rows = self.bench.ledger.members_of(key, None, usize::MAX >> 1).await?;
            let told: Vec<ObjectKey> =
                rows.into_iter().filter(|row| row.told).map(|row| row.member).collect();
            let groups = self.bench.ledger.objects(&told).await?;
            let groups: HashSet<ObjectKey> =
                groups.iter().filter(|row: &&ObjectRow| row.kind == Kind::Group).map(|row| row.key).collect();
            people.extend(told.into_iter().filter(|key| !groups.contains(key)));
            next.extend(groups.into_iter().filter(|key| seen.insert(*key)));
        }
        Ok(people)
    }
}
