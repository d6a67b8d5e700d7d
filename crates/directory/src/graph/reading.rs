//! A reading of Graph: a round of delta queries for people, then one for groups.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use latchkey_provisioning::EntryId;
use latchkey_provisioning::Kind;
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Watermark};
use reqwest::Url;
use uuid::Uuid;

use super::assigned::Assigned;
use super::heard::{Heard, id};
use super::{Mark, Place, collection};
use crate::any::interrupted;
use crate::attributes::PAGE;

/// How many objects are asked for before they are told.
const SETTLED: usize = 120;

/// A reading of Graph.
#[derive(Debug)]
pub struct Reading {
    place: Arc<Place>,
    full: bool,
    assigned: Assigned,
    steps: VecDeque<Step>,
    mark: Mark,
    expected: Option<u64>,
    failed: Option<SourceError>,
}

#[derive(Debug)]
enum Step {
    /// People of a first round, told as they come. Whoever comes a second time is asked for at the end.
    People { link: Url, seen: HashSet<Uuid>, again: BTreeMap<Uuid, Heard> },
    /// Any other round: heard to its end before anything is told, for the parts of one object may
    /// be far from each other.
    Round { kind: Kind, link: Url, heard: BTreeMap<Uuid, Heard> },
    /// To be asked for, and then told.
    Settle { kind: Kind, heard: Vec<(Uuid, Heard)> },
    /// Groups of a first round: all of them was heard.
    Groups { heard: Vec<(Uuid, Heard)> },
    /// What is left of a page.
    Changes(Vec<Change>),
}

impl Reading {
    pub(super) async fn begin(
        place: Arc<Place>,
        mark: Option<Mark>,
        assigned: Assigned,
    ) -> Result<Self, SourceError> {
        let mut steps = VecDeque::new();
        let mut expected = mark.is_none().then_some(0);
        for kind in [Kind::User, Kind::Group].into_iter().filter(|kind| place.told(*kind).is_some()) {
            let link = match &mark {
                None => place.begin(kind),
                Some(mark) => {
                    let link = if kind == Kind::User { &mark.users } else { &mark.groups };
                    place.calls.link(link.as_deref().unwrap_or_default()).map_err(|_| super::expired())?
                }
            };
            match (&mark, kind) {
                (None, Kind::User) => {
                    steps.push_back(Step::People { link, seen: HashSet::new(), again: BTreeMap::new() });
                }
                (None, Kind::Group) => steps.push_back(Step::Round { kind, link, heard: BTreeMap::new() }),
                (Some(mark), _) => {
                    let before =
                        if kind == Kind::User { &mark.assigned_users } else { &mark.assigned_groups };
                    let differ = before.differ(&assigned.marks(kind));
                    let heard = differ.into_iter().map(|id| (id, Heard::default())).collect();
                    steps.push_back(Step::Round { kind, link, heard });
                }
            }
            if let Some(so_far) = expected {
                let count = place.calls.get(&place.calls.url(&[collection(kind), "$count"], &[])).await?;
                if count.status == 401 {
                    return Err(count.refusal());
                }
                expected = count.number().map(|count| so_far + count);
            }
        }
        let next = Mark {
            users: None,
            groups: None,
            tracked: place.tracked(),
            assigned_users: assigned.marks(Kind::User),
            assigned_groups: assigned.marks(Kind::Group),
        };
        Ok(Self { place, full: mark.is_none(), assigned, steps, mark: next, expected, failed: None })
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) const fn expected(&self) -> Option<u64> {
        self.expected
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        // Whoever stops waiting in the middle has no whole reading either.
        self.failed = Some(interrupted());
        let page = self.page().await;
        self.failed = page.as_ref().err().cloned();
        page
    }

    async fn page(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        while let Some(step) = self.steps.pop_front() {
            let mut changes = match step {
                Step::Changes(changes) => changes,
                Step::People { link, seen, again } => self.people(link, seen, again).await?,
                Step::Round { kind, link, heard } => {
                    self.round(kind, link, heard).await?;
                    continue;
                }
                Step::Settle { kind, mut heard } => {
                    let rest = heard.split_off(heard.len().min(SETTLED));
                    let changes = self.place.settle(kind, heard, &self.assigned, self.full).await?;
                    if !rest.is_empty() {
                        self.steps.push_front(Step::Settle { kind, heard: rest });
                    }
                    changes
                }
                Step::Groups { mut heard } => {
                    let rest = heard.split_off(heard.len().min(PAGE));
                    if !rest.is_empty() {
                        self.steps.push_front(Step::Groups { heard: rest });
                    }
                    self.groups(heard)
                }
            };
            if changes.len() > PAGE {
                self.steps.push_front(Step::Changes(changes.split_off(PAGE)));
            }
            if !changes.is_empty() {
                return Ok(Some(changes));
            }
        }
        Ok(None)
    }

    async fn people(
        &mut self,
        link: Url,
        mut seen: HashSet<Uuid>,
        mut again: BTreeMap<Uuid, Heard>,
    ) -> Result<Vec<Change>, SourceError> {
        let page = self.place.calls.page(&link).await?;
        let mut changes = Vec::with_capacity(page.values.len());
        for item in &page.values {
            let id = id(item.get("id"))?;
            if !seen.contains(&id) && !item.contains_key("@removed") {
                seen.insert(id);
                changes.push(self.place.present(Kind::User, id, item, &self.assigned, None));
            } else if seen.contains(&id) {
                again.entry(id).or_default().hear(item)?;
            }
        }
        match (page.next, page.delta) {
            (Some(link), _) => self.steps.push_front(Step::People { link, seen, again }),
            (None, delta) => {
                self.ended(Kind::User, delta)?;
                if seen.is_empty() {
                    let message = "Graph lists no people at all: that would disable everybody; check what the application may read";
                    return Err(SourceError::new(SourceErrorKind::Malformed, message));
                }
                self.steps.push_front(Step::Settle { kind: Kind::User, heard: again.into_iter().collect() });
            }
        }
        Ok(changes)
    }

    async fn round(
        &mut self,
        kind: Kind,
        link: Url,
        mut heard: BTreeMap<Uuid, Heard>,
    ) -> Result<(), SourceError> {
        let mut link = link;
        loop {
            let page = self.place.calls.page(&link).await?;
            for item in &page.values {
                heard.entry(id(item.get("id"))?).or_default().hear(item)?;
            }
            match (page.next, page.delta) {
                (Some(next), _) => link = next,
                (None, delta) => {
                    self.ended(kind, delta)?;
                    break;
                }
            }
        }
        if !self.full {
            self.steps.push_front(Step::Settle { kind, heard: heard.into_iter().collect() });
            return Ok(());
        }
        // A first round tells all there is to tell, unless something moved in the meantime.
        let (unclear, clear): (Vec<_>, Vec<_>) = heard.into_iter().partition(|(_, one)| {
            one.contradicts_itself() || one.members_are_unclear() || (one.there && one.removed.is_some())
        });
        self.steps.push_front(Step::Settle { kind, heard: unclear });
        self.steps.push_front(Step::Groups { heard: clear });
        Ok(())
    }

    /// The end of a round is where the next begins; a page without any link is no end.
    fn ended(&mut self, kind: Kind, delta: Option<Url>) -> Result<(), SourceError> {
        let link = delta.ok_or_else(|| {
            let message =
                format!("the last page of {} has no deltaLink: the list broke off", collection(kind));
            SourceError::new(SourceErrorKind::Unreachable, message)
        })?;
        let place = if kind == Kind::User { &mut self.mark.users } else { &mut self.mark.groups };
        *place = Some(link.to_string());
        Ok(())
    }

    fn groups(&self, heard: Vec<(Uuid, Heard)>) -> Vec<Change> {
        let there = heard.into_iter().filter(|(_, one)| one.there);
        let present = there.map(|(id, one)| {
            let members = one.added.iter().map(|id| EntryId(id.to_string())).collect();
            self.place.present(
                Kind::Group,
                id,
                &one.properties,
                &self.assigned,
                Some(Members::Whole(members)),
            )
        });
        present.collect()
    }

    pub(crate) fn watermark(self) -> Watermark {
        if !self.steps.is_empty() || self.failed.is_some() {
            return Watermark(String::new());
        }
        // Texts alone: this cannot fail.
        Watermark(serde_json::to_string(&self.mark).unwrap_or_default())
    }
}
