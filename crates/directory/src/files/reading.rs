//! The second pass: objects, page after page.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Watermark};
use latchkey_provisioning::{Entry, EntryId, Kind, Presence};
use tokio::sync::mpsc;

use super::faults::Faults;
use super::person::{Group, Person};
use super::roster::Roster;
use super::rows::{self, Row};
use super::stamp::{Opened, State, unreadable};
use super::{Place, label};
use crate::attributes::{PAGE, Selection};

/// So many pages may wait to be taken; the reading of files waits then.
const AHEAD: usize = 2;

/// A reading of files: all of them, or that nothing changed.
#[derive(Debug)]
pub struct Reading {
    pages: Option<mpsc::Receiver<Told>>,
    expected: u64,
    watermark: Option<Watermark>,
    failed: Option<SourceError>,
}

/// What the thread that reads has to say.
#[derive(Debug)]
enum Told {
    Page(Vec<Change>),
    End(Watermark),
    Failed(SourceError),
}

impl Reading {
    /// Nothing changed.
    pub(super) fn of_nothing(watermark: Watermark) -> Self {
        Self { pages: None, expected: 0, watermark: Some(watermark), failed: None }
    }

    pub(super) fn start(teller: Teller) -> Self {
        let (sender, pages) = mpsc::channel(AHEAD);
        let expected = teller.expected();
        tokio::task::spawn_blocking(move || {
            let told = teller.tell_all(&mut |page| sender.blocking_send(Told::Page(page)).is_ok());
            // Nobody listens any more when the reading was dropped, and then nobody needs to know.
            let _ = sender.blocking_send(match told {
                Ok(watermark) => Told::End(watermark),
                Err(error) => Told::Failed(error),
            });
        });
        Self { pages: Some(pages), expected, watermark: None, failed: None }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.pages.is_some()
    }

    pub(crate) const fn expected(&self) -> Option<u64> {
        Some(self.expected)
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let (Some(pages), None) = (&mut self.pages, &self.watermark) else { return Ok(None) };
        let error = match pages.recv().await {
            Some(Told::Page(page)) => return Ok(Some(page)),
            Some(Told::End(watermark)) => {
                self.watermark = Some(watermark);
                return Ok(None);
            }
            Some(Told::Failed(error)) => error,
            None => SourceError::new(SourceErrorKind::Unreachable, "reading the files broke off"),
        };
        self.failed = Some(error.clone());
        Err(error)
    }

    pub(crate) fn watermark(self) -> Watermark {
        self.watermark.unwrap_or_else(|| Watermark(String::new()))
    }
}

/// All that the second pass needs.
pub(super) struct Teller {
    pub(super) place: Place,
    pub(super) roster: Roster,
    pub(super) state: State,
    pub(super) users: bool,
    pub(super) groups: bool,
    pub(super) user_selection: Selection,
    pub(super) group_selection: Selection,
}

/// Which objects are looked for.
pub(super) enum Select {
    Ids(HashSet<EntryId>),
    Called(String),
}

impl Teller {
    fn expected(&self) -> u64 {
        let of = |told: bool, kind| if told { self.roster.count(kind) } else { 0 };
        of(self.users, Kind::User) + of(self.groups, Kind::Group)
    }

    /// Tells all as pages, until one is refused.
    fn tell_all(&self, tell: &mut dyn FnMut(Vec<Change>) -> bool) -> Result<Watermark, SourceError> {
        for (kind, told) in [(Kind::User, self.users), (Kind::Group, self.groups)] {
            if !told {
                continue;
            }
            let mut page = Vec::new();
            self.each(kind, &|_, _| true, &mut |change| {
                page.push(change);
                if page.len() == PAGE && !tell(std::mem::take(&mut page)) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })?;
            if !page.is_empty() {
                tell(page);
            }
        }
        if !self.state.untouched().is_ok_and(|untouched| untouched) {
            return Err(replaced(&self.place.people));
        }
        Ok(self.state.watermark())
    }

    /// The objects of one kind that are looked for.
    pub(super) fn select(&self, kind: Kind, select: &Select) -> Result<Vec<Change>, SourceError> {
        let mut found = Vec::new();
        let is_meant = |row: &Row<'_>, subject: &Subject<'_>| match (select, subject) {
            (Select::Ids(ids), subject) => ids.contains(&subject.entry_id()),
            (Select::Called(text), Subject::Person(person)) => person.is_called(row, text),
            (Select::Called(text), Subject::Group(group)) => group.is_called(row, text),
        };
        self.each(kind, &is_meant, &mut |change| {
            found.push(change);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn each(
        &self,
        kind: Kind,
        is_meant: &dyn Fn(&Row<'_>, &Subject<'_>) -> bool,
        tell: &mut dyn FnMut(Change) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        let path = match kind {
            Kind::User => &self.place.people,
            Kind::Group => match &self.place.groups {
                Some(path) => path,
                None => return Ok(()),
            },
        };
        let name = label(path);
        let mut opened = Opened::new(path).map_err(|error| unreadable(path, &error))?;
        let (mut faults, mut stopped) = (Faults::default(), false);
        rows::each(&mut opened, (&name, self.place.format), &[], &mut faults, &mut |row, faults| {
            let subject = match kind {
                Kind::User => Person::read(row, &name, faults).map(Subject::Person),
                Kind::Group => Group::read(row, &name, faults).map(Subject::Group),
            };
            let Some(subject) = subject.filter(|subject| is_meant(row, subject)) else {
                return ControlFlow::Continue(());
            };
            let flow = tell(self.change(row, subject));
            stopped = flow.is_break();
            flow
        })?;
        // The first pass found no fault and another digest in these bytes: so they are not the same.
        let now = opened.seen(path).sha256;
        let before = self.state.files.iter().find(|seen| seen.path == *path);
        if !stopped && before.is_none_or(|seen| seen.sha256 != now) {
            return Err(replaced(path));
        }
        Ok(())
    }

    fn change(&self, row: &Row<'_>, subject: Subject<'_>) -> Change {
        let id = subject.entry_id();
        match subject {
            Subject::Person(person) => {
                let attributes = person.attributes(row, &self.user_selection);
                let entry = Entry {
                    id,
                    kind: Kind::User,
                    presence: Presence::Present,
                    enabled: person.enabled,
                    attributes,
                    manager: person.manager.as_deref().map(|text| self.roster.manager(text)),
                    assignments: self.roster.assignments(&person.id, person.assignments),
                };
                Change::Present { entry: Box::new(entry), members: None }
            }
            Subject::Group(group) => {
                let attributes = group.attributes(row, &self.group_selection);
                let members = Members::Whole(self.roster.members(&group.id));
                let entry = Entry {
                    id,
                    kind: Kind::Group,
                    presence: Presence::Present,
                    enabled: true,
                    attributes,
                    manager: None,
                    assignments: group.assignments,
                };
                Change::Present { entry: Box::new(entry), members: Some(members) }
            }
        }
    }
}

enum Subject<'r> {
    Person(Person<'r>),
    Group(Group<'r>),
}

impl Subject<'_> {
    fn entry_id(&self) -> EntryId {
        match self {
            Self::Person(person) => EntryId(format!("user:{}", person.id)),
            Self::Group(group) => EntryId(format!("group:{}", group.id)),
        }
    }
}

fn replaced(path: &Path) -> SourceError {
    let message = format!(
        "{} or a file beside it was written while it was read, so nothing is concluded from it; the next cycle reads again",
        path.display()
    );
    SourceError::new(SourceErrorKind::Unreachable, message)
}
