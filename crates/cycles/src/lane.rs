//! The fast lane into a cycle that is under way: who left meanwhile does not wait for its end.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use latchkey_provisioning::ledger::ObjectKey;
use latchkey_provisioning::{EntryId, Kind};

use crate::cycle::{Broken, Run};
use crate::ledger::Ledger;
use crate::source::Source;
use crate::target::Target;

/// Objects that are to be looked at between two portions of a cycle.
#[derive(Debug, Clone, Default)]
pub struct Lane(Arc<Mutex<Vec<(Kind, EntryId)>>>);

impl Lane {
    /// Puts objects into the lane.
    pub fn push(&self, objects: impl IntoIterator<Item = (Kind, EntryId)>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(objects);
    }

    /// Takes all that is in it.
    pub fn take(&self) -> Vec<(Kind, EntryId)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Source, T: Target, L: Ledger> Run<'_, S, T, L> {
    /// Looks at who is in the lane, and lets those go who left, within the limit. What the reading told
    /// of them before is older, and is not looked at any more: the next cycle tells of them anew.
    pub(crate) async fn urgent(&mut self) -> Result<(), Broken> {
        let Some(lane) = self.bench.options.lane.clone() else { return Ok(()) };
        let urgent = lane.take();
        if urgent.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.staged);
        for kind in [Kind::User, Kind::Group] {
            let of_kind: HashSet<&EntryId> =
                urgent.iter().filter(|(one, _)| *one == kind).map(|(_, id)| id).collect();
            let ids: Vec<EntryId> = of_kind.into_iter().cloned().collect();
            if ids.is_empty() {
                continue;
            }
            let changes = self.bench.source.fetch(kind, &ids).await?;
            // Before they are passed over, they are looked at.
            let keys: Vec<ObjectKey> = ids.iter().map(ObjectKey::of).collect();
            keys.iter().for_each(|key| {
                self.passed_over.remove(key);
            });
            self.portion(changes).await?;
            self.passed_over.extend(keys);
        }
        self.let_go().await?;
        self.staged = waiting;
        self.write_rest().await
    }
}
