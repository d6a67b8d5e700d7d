//! A reading of a directory, step by step.

use std::collections::VecDeque;
use std::sync::Arc;

use latchkey_provisioning::Kind;
use latchkey_provisioning::feed::{Change, SourceError, Watermark};
use uuid::Uuid;

use super::Place;
use super::entry::Found;
use super::link::Link;
use super::mark::Mark;
use super::people::People;
use crate::any::interrupted;
use crate::attributes::PAGE;

/// How many entries are asked for by name before they are told.
const NAMED: usize = 500;

/// What is still to be told.
#[derive(Debug)]
pub(super) enum Step {
    /// All of one kind, from a page on.
    Whole { kind: Kind, cookie: Vec<u8> },
    /// These, by name; people first.
    Changed(VecDeque<(Kind, String, Uuid)>),
    /// Those who left.
    Left(VecDeque<Change>),
}

/// A reading of a directory.
#[derive(Debug)]
pub struct Reading {
    place: Arc<Place>,
    link: Link,
    mark: Mark,
    people: People,
    steps: VecDeque<Step>,
    full: bool,
    expected: u64,
    failed: Option<SourceError>,
}

impl Reading {
    pub(super) fn new(
        place: Arc<Place>,
        link: Link,
        mark: Mark,
        people: People,
        steps: VecDeque<Step>,
        full: bool,
    ) -> Self {
        let count = |step: &Step| match step {
            Step::Whole { kind, .. } => mark.known(*kind).0.len(),
            Step::Changed(changed) => changed.len(),
            Step::Left(left) => left.len(),
        };
        let expected = steps.iter().map(count).sum::<usize>() as u64;
        Self { place, link, mark, people, steps, full, expected, failed: None }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) const fn expected(&self) -> Option<u64> {
        Some(self.expected)
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
            let (place, people, assigned) = (&self.place, &mut self.people, &self.mark.assigned.0);
            let changes = match step {
                Step::Whole { kind, cookie } => {
                    let kind = *kind;
                    let wanted = place.wanted(kind);
                    let query = place.query(&wanted.filter, &wanted.attributes);
                    let page = self.link.page(query, cookie.clone()).await?;
                    let entries = page.entries.into_iter().map(Found::from).collect();
                    let changes = place.tell(&self.link, kind, entries, people, assigned).await?;
                    if page.cookie.is_empty() {
                        self.steps.pop_front();
                    } else {
                        *cookie = page.cookie;
                    }
                    changes
                }
                Step::Changed(left) => {
                    let Some((kind, _, _)) = left.front() else {
                        self.steps.pop_front();
                        continue;
                    };
                    let kind = *kind;
                    let count = left.iter().take(NAMED).take_while(|(one, _, _)| *one == kind).count();
                    let names = left.iter().take(count).map(|(_, name, id)| (name.clone(), *id)).collect();
                    let changes = place.tell_named(&self.link, kind, names, people, assigned).await?;
                    left.drain(..count);
                    changes
                }
                Step::Left(left) if left.is_empty() => {
                    self.steps.pop_front();
                    continue;
                }
                Step::Left(left) => left.drain(..left.len().min(PAGE)).collect(),
            };
            for change in changes.iter().filter(|change| matches!(change, Change::Present { .. })) {
                if let Ok(id) = Uuid::parse_str(&change.id().0) {
                    self.mark.known_mut(change.kind()).0.insert(id);
                }
            }
            if !changes.is_empty() {
                return Ok(Some(changes));
            }
        }
        Ok(None)
    }

    pub(crate) fn watermark(self) -> Watermark {
        if self.steps.is_empty() && self.failed.is_none() {
            self.mark.watermark()
        } else {
            Watermark(String::new())
        }
    }
}
