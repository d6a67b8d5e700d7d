//! One pass over the directory: all of it, or the range of numbers since the last pass.

use std::collections::BTreeMap;

use latchkey_access::ObjectKind;
use latchkey_kernel::id::ObjectId;
use latchkey_provisioning::EntryId;
use latchkey_provisioning::feed::{Change, Members, SourceError, Watermark};
use latchkey_store::embedded::member::SeatChange;

use super::{Embedded, PAGE, SEATS, broken, shape, watermark};

/// One pass. What changes while it is under way has a number behind `until`, and is told by the next.
#[derive(Debug)]
pub struct Reading {
    from: Embedded,
    since: Option<i64>,
    until: i64,
    expected: Option<u64>,
    at: At,
}

/// Where the next page begins.
#[derive(Debug)]
enum At {
    /// Everything, kind by kind, behind this id.
    All {
        kinds: Vec<ObjectKind>,
        behind: Option<ObjectId>,
    },
    /// Objects that changed, behind this number and id.
    Objects(i64, Option<ObjectId>),
    /// Who came into groups and left them, behind this number and pair.
    Seats(i64, Option<(ObjectId, ObjectId)>),
    End,
}

impl Reading {
    pub(super) fn new(from: Embedded, since: Option<i64>, until: i64, expected: Option<u64>) -> Self {
        let at = match since {
            None => At::All { kinds: from.shape.kinds(), behind: None },
            Some(number) => At::Objects(number, None),
        };
        Self { from, since, until, expected, at }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.since.is_none()
    }

    pub(crate) const fn expected(&self) -> Option<u64> {
        self.expected
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        loop {
            let page = match std::mem::replace(&mut self.at, At::End) {
                At::End => return Ok(None),
                At::All { kinds, behind } => self.all(kinds, behind).await?,
                At::Objects(number, id) => self.objects(number, id).await?,
                At::Seats(number, pair) => self.seats(number, pair).await?,
            };
            if !page.is_empty() {
                return Ok(Some(page));
            }
        }
    }

    async fn all(
        &mut self,
        mut kinds: Vec<ObjectKind>,
        behind: Option<ObjectId>,
    ) -> Result<Vec<Change>, SourceError> {
        let Some(kind) = kinds.first().copied() else { return Ok(Vec::new()) };
        let (store, ws) = (&self.from.store, self.from.workspace);
        let rows = store.embedded_page(ws, kind, behind, PAGE).await.map_err(broken)?;
        let next = if rows.len() < PAGE {
            kinds.remove(0);
            None
        } else {
            rows.last().map(|row| row.id)
        };
        self.at = At::All { kinds, behind: next };
        self.from.tell(rows, |_| true).await
    }

    async fn objects(&mut self, number: i64, id: Option<ObjectId>) -> Result<Vec<Change>, SourceError> {
        let (store, ws) = (&self.from.store, self.from.workspace);
        let mut rows = store.embedded_changes(ws, (number, id), self.until, PAGE).await.map_err(broken)?;
        self.at = match rows.last().filter(|_| rows.len() == PAGE) {
            Some(last) => At::Objects(last.changed, Some(last.id)),
            None => At::Seats(self.since.unwrap_or(0), None),
        };
        let since = self.since;
        rows.retain(|row| self.from.shape.takes(row.kind));
        self.from.tell(rows, |row| since.is_some_and(|since| row.whole_from > since)).await
    }

    async fn seats(
        &mut self,
        number: i64,
        pair: Option<(ObjectId, ObjectId)>,
    ) -> Result<Vec<Change>, SourceError> {
        if !self.from.shape.takes(ObjectKind::Group) {
            return Ok(Vec::new());
        }
        let (store, ws) = (&self.from.store, self.from.workspace);
        let rows =
            store.embedded_seat_changes(ws, (number, pair), self.until, SEATS).await.map_err(broken)?;
        if let Some(last) = rows.last().filter(|_| rows.len() == SEATS) {
            self.at = At::Seats(last.changed, Some((last.group_id, last.member_id)));
        }
        let mut of_group: BTreeMap<ObjectId, (Vec<EntryId>, Vec<EntryId>)> = BTreeMap::new();
        for SeatChange { group_id, member_id, present, .. } in rows {
            let (added, removed) = of_group.entry(group_id).or_default();
            let list = if present { added } else { removed };
            list.push(EntryId(member_id.to_string()));
        }
        let mut told = Vec::new();
        let ids: Vec<ObjectId> = of_group.keys().copied().collect();
        for ids in ids.chunks(PAGE) {
            let mut groups = store.embedded_objects(ws, ids).await.map_err(broken)?;
            // Of the others all members were told, as they are now, or will be.
            let since = self.since.unwrap_or(0);
            groups.retain(|row| shape::is_there(row) && row.whole_from <= since);
            for mut change in self.from.tell(groups, |_| false).await? {
                let id = change.id().0.parse::<ObjectId>().ok();
                let came_and_went = id.and_then(|id| of_group.remove(&id));
                if let (Change::Present { members, .. }, Some((added, removed))) =
                    (&mut change, came_and_went)
                {
                    *members = Some(Members::Delta { added, removed });
                    told.push(change);
                }
            }
        }
        Ok(told)
    }

    pub(crate) fn watermark(self) -> Watermark {
        // A pass that was left before its end has told nothing for good.
        if matches!(self.at, At::End) { watermark(self.until) } else { Watermark(String::new()) }
    }
}
