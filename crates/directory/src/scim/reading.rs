//! A reading of a SCIM provider, page after page.

use std::collections::{BTreeSet, HashSet, VecDeque};

use latchkey_provisioning::feed::{Change, SourceError, SourceErrorKind, Watermark};
use latchkey_provisioning::{Kind, Presence};
use serde_json::{Map, Value as Json};

use super::list::List;
use super::resource::{entry_id, id, last_modified};
use super::{Abilities, Mark, Scim};
use crate::any::interrupted;
use crate::attributes::PAGE;

/// Changes of one moment are told in any order, and a provider's nodes have clocks of their own.
const OVERLAP: i64 = 5;

/// A reading of a SCIM provider.
#[derive(Debug)]
pub struct Reading {
    scim: Scim,
    cursors: bool,
    steps: VecDeque<Step>,
    /// What the last reading knew; grows with what this one tells.
    mark: Mark,
    since: Option<jiff::Timestamp>,
    /// Whether each resource said when it was changed.
    dated: bool,
    told: HashSet<(Kind, String)>,
    expected: Option<u64>,
    failed: Option<SourceError>,
}

#[derive(Debug)]
enum Step {
    /// Resources, all or those that changed; the first page of some is read before.
    Resources { list: List, first: Option<Vec<Map<String, Json>>> },
    /// Who is there, to see who left.
    Ids { kind: Kind },
    /// What is left of a page.
    Changes(Vec<Change>),
}

impl Reading {
    pub(super) async fn all(scim: &Scim, abilities: Abilities) -> Result<Self, SourceError> {
        let mut reading = Self::new(scim, abilities, Mark::default(), None);
        let mut expected = 0;
        for kind in scim.told() {
            let mut list = List::new(kind, abilities.cursors);
            let first = list.next(scim).await?;
            expected += list.total().unwrap_or_default();
            reading.steps.push_back(Step::Resources { list, first });
        }
        if scim.0.users
            && matches!(reading.steps.front(), Some(Step::Resources { first: Some(first), .. }) if first.is_empty())
        {
            return Err(SourceError::new(
                SourceErrorKind::Malformed,
                format!(
                    "{} lists no people at all: that would disable everybody; check what the token may see",
                    scim.0.base
                ),
            ));
        }
        reading.expected = Some(expected);
        Ok(reading)
    }

    pub(super) async fn since(scim: &Scim, abilities: Abilities, mark: Mark) -> Result<Self, SourceError> {
        let since =
            mark.latest.and_then(|latest| latest.checked_sub(jiff::SignedDuration::from_secs(OVERLAP)).ok());
        let Some(since) = since else { return Self::all(scim, abilities).await };
        let mut reading = Self::new(scim, abilities, mark, Some(since));
        for kind in scim.told() {
            let mut list = List::new(kind, abilities.cursors);
            list.filter = Some(format!("meta.lastModified gt \"{since}\""));
            let first = match list.next(scim).await {
                Ok(first) => first,
                // It says that it filters, but not by this.
                Err(error) if error.kind == SourceErrorKind::Malformed => {
                    return Self::all(scim, abilities).await;
                }
                Err(error) => return Err(error),
            };
            let ignored = |one: &Map<String, Json>| last_modified(one).is_none_or(|time| time <= since);
            if first.iter().flatten().any(ignored) {
                return Self::all(scim, abilities).await;
            }
            reading.steps.push_back(Step::Resources { list, first });
        }
        reading.steps.extend(scim.told().map(|kind| Step::Ids { kind }));
        Ok(reading)
    }

    fn new(scim: &Scim, abilities: Abilities, mark: Mark, since: Option<jiff::Timestamp>) -> Self {
        Self {
            scim: scim.clone(),
            cursors: abilities.cursors,
            steps: VecDeque::new(),
            mark,
            since,
            dated: true,
            told: HashSet::new(),
            expected: None,
            failed: None,
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.since.is_none()
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
        while let Some(step) = self.steps.front_mut() {
            let changes = match step {
                Step::Changes(changes) => {
                    let changes = std::mem::take(changes);
                    self.steps.pop_front();
                    changes
                }
                Step::Resources { list, first } => {
                    let (kind, page) = (
                        list.kind,
                        match first.take() {
                            Some(first) => Some(first),
                            None => list.next(&self.scim).await?,
                        },
                    );
                    match page {
                        Some(page) => self.resources(kind, &page)?,
                        None => {
                            self.steps.pop_front();
                            continue;
                        }
                    }
                }
                Step::Ids { kind } => {
                    let kind = *kind;
                    let changes = self.compare(kind).await?;
                    self.steps.pop_front();
                    changes
                }
            };
            let mut changes = changes;
            if changes.len() > PAGE {
                // Providers may give more than was asked for.
                self.steps.push_front(Step::Changes(changes.split_off(PAGE)));
            }
            if !changes.is_empty() {
                return Ok(Some(changes));
            }
        }
        Ok(None)
    }

    fn resources(&mut self, kind: Kind, page: &[Map<String, Json>]) -> Result<Vec<Change>, SourceError> {
        let mut changes = Vec::with_capacity(page.len());
        for resource in page {
            let (users, groups) = (&self.mark.users, &self.mark.groups);
            let is_group = |member: &str| groups.contains(member) && !users.contains(member);
            changes.push(self.scim.0.plan.change(kind, resource, is_group)?);
            let id = id(resource)?.to_owned();
            match last_modified(resource) {
                Some(time) => self.mark.latest = self.mark.latest.max(Some(time)),
                None => self.dated = false,
            }
            self.mark.known(kind).insert(id.clone());
            if self.since.is_some() {
                self.told.insert((kind, id));
            }
        }
        Ok(changes)
    }

    /// Compares who is there with who was. Somebody who came between the two questions is read now.
    async fn compare(&mut self, kind: Kind) -> Result<Vec<Change>, SourceError> {
        let mut list = List::new(kind, self.cursors);
        list.ids_alone = true;
        let mut there = BTreeSet::new();
        while let Some(page) = list.next(&self.scim).await? {
            for resource in &page {
                there.insert(id(resource)?.to_owned());
            }
        }
        if kind == Kind::User && there.is_empty() {
            return Err(SourceError::new(
                SourceErrorKind::Malformed,
                "the provider lists no people at all: that would disable everybody",
            ));
        }
        let known = self.mark.known(kind);
        let left: Vec<String> = known.difference(&there).cloned().collect();
        let new: Vec<String> = there.difference(known).cloned().collect();
        let mut changes = Vec::new();
        for own in left {
            known.remove(&own);
            changes.push(Change::Left { id: entry_id(kind, &own), kind, presence: Presence::Deleted });
        }
        for own in new.iter().filter(|own| !self.told.contains(&(kind, (*own).clone()))) {
            if let Some(change) = self.scim.one(kind, own).await? {
                changes.push(change);
                self.mark.known(kind).insert(own.clone());
            }
        }
        Ok(changes)
    }

    pub(crate) fn watermark(self) -> Watermark {
        if !self.steps.is_empty() || self.failed.is_some() {
            return Watermark(String::new());
        }
        let latest = self.mark.latest.filter(|_| self.dated);
        // Texts alone: this cannot fail.
        Watermark(serde_json::to_string(&Mark { latest, ..self.mark }).unwrap_or_default())
    }
}
