//! Who is who in the files: the first pass, in which every row is checked.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use latchkey_provisioning::{Assignment, EntryId, Kind};

use super::faults::Faults;
use super::person::{self, GROUP_ID, Group, PERSON_ID, Person};
use super::rows::{self, Place, Row};
use super::stamp::{Opened, State, unreadable};
use super::{Place as Files, label};

/// Everybody's id, who is in which group, and who is assigned through one.
///
/// What is kept per person is small: it has to fit for 100,000 of them, and for as many members.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Entry ids; everything else refers to them by number. People first, in the order of their file.
    names: Vec<EntryId>,
    people: HashMap<Box<str>, u32>,
    /// In small letters; `None` when several people have it.
    logins: HashMap<Box<str>, Option<u32>>,
    groups: HashMap<Box<str>, usize>,
    /// By the place of the group in its file.
    members: Vec<Vec<u32>>,
    /// Of the groups that are assigned.
    group_assignments: HashMap<usize, Vec<Assignment>>,
    /// Which groups that are assigned a person is in.
    through: HashMap<u32, Vec<usize>>,
    /// References to what is no person; groups among them.
    others: HashMap<Box<str>, u32>,
    /// Whether the files say at all who is assigned.
    tells_assignments: bool,
    /// What people's rows have.
    columns: HashSet<String>,
}

impl Roster {
    /// Reads and checks all files.
    pub(super) fn read(files: &Files, sync_all: bool) -> Result<(Self, State), SourceError> {
        let (mut roster, mut faults) = (Self::default(), Faults::default());
        let mut seen = Vec::new();
        let mut pass = |path: &Path, needs: &[&[&str]], faults: &mut Faults, found: Found<'_>| {
            let name = label(path);
            let mut opened = Opened::new(path).map_err(|error| unreadable(path, &error))?;
            rows::each(&mut opened, (&name, files.format), needs, faults, &mut |row, faults| {
                found(row, &name, faults);
                ControlFlow::Continue(())
            })?;
            seen.push(opened.seen(path));
            Ok::<_, SourceError>(())
        };
        let mut rows = 0_u64;
        pass(&files.people, &[PERSON_ID], &mut faults, &mut |row, name, faults| {
            rows += 1;
            roster.person(row, name, faults);
        })?;
        if rows == 0 && faults.is_empty() {
            let people = label(&files.people);
            faults.say(
                &people,
                Place::Whole,
                None,
                "it has no people: an empty file would disable everybody",
            );
        }
        if let Some(path) = &files.groups {
            pass(path, &[GROUP_ID], &mut faults, &mut |row, name, faults| roster.group(row, name, faults))?;
        }
        if let Some(path) = &files.memberships {
            let needs: &[&[&str]] = &[&["group"], &["member"]];
            pass(path, needs, &mut faults, &mut |row, name, faults| roster.membership(row, name, faults))?;
        }
        faults.check()?;
        roster.settle();
        if !sync_all && !roster.tells_assignments {
            return Err(SourceError::new(
                SourceErrorKind::Malformed,
                format!(
                    "the job takes who is assigned, but {} has no column \"assigned\" or \"role\", and no group has; add one, or set scope = \"all\"",
                    label(&files.people)
                ),
            ));
        }
        Ok((roster, State { files: seen }))
    }

    fn person(&mut self, row: &Row<'_>, file: &str, faults: &mut Faults) {
        self.look_at(row);
        let Some(person) = Person::read(row, file, faults) else { return };
        let number = self.name(format!("user:{}", person.id));
        if self.people.insert(person.id.as_ref().into(), number).is_some() {
            let message = format!("found {:?}, which a row before has too; ids are unique", person.id);
            faults.say(file, row.place, Some(id_column(row, PERSON_ID)), &message);
        }
        if let Some(login) = person.login {
            let login = login.to_lowercase().into_boxed_str();
            self.logins.entry(login).and_modify(|one| *one = None).or_insert(Some(number));
        }
    }

    fn group(&mut self, row: &Row<'_>, file: &str, faults: &mut Faults) {
        self.tells_assignments |= row.has("assigned") || row.has("role");
        let Some(group) = Group::read(row, file, faults) else { return };
        let place = self.members.len();
        if self.groups.insert(group.id.as_ref().into(), place).is_some() {
            let message = format!("found {:?}, which a row before has too; ids are unique", group.id);
            faults.say(file, row.place, Some(id_column(row, GROUP_ID)), &message);
        }
        let members = match row.list("members") {
            Ok(members) => members.iter().map(|text| self.reference(text)).collect(),
            Err(message) => {
                faults.say(file, row.place, Some("members"), &message);
                Vec::new()
            }
        };
        self.members.push(members);
        if !group.assignments.is_empty() {
            self.group_assignments.insert(place, group.assignments);
        }
    }

    fn membership(&mut self, row: &Row<'_>, file: &str, faults: &mut Faults) {
        let mut text = |column: &str| match row.text(column) {
            Ok(Some(text)) => Some(text),
            Ok(None) => {
                if row.has(column) || matches!(row.place, Place::Object(_)) {
                    faults.say(file, row.place, Some(column), "found nothing, but an id is needed");
                }
                None
            }
            Err(message) => {
                faults.say(file, row.place, Some(column), &message);
                None
            }
        };
        let (Some(group), Some(member)) = (text("group"), text("member")) else { return };
        match self.groups.get(&*group) {
            Some(&place) => {
                let member = self.reference(&member);
                self.members[place].push(member);
            }
            None => {
                let message =
                    format!("found {group:?}, but the id of a group in the file of groups is needed");
                faults.say(file, row.place, Some("group"), &message);
            }
        }
    }

    /// Whether people have this attribute.
    pub(super) fn can_tell(&self, name: &str) -> bool {
        person::can_tell(name, |column| self.columns.contains(column))
    }

    fn look_at(&mut self, row: &Row<'_>) {
        self.tells_assignments |= row.has("assigned") || row.has("role");
        if self.columns.is_empty() || matches!(row.place, Place::Object(_)) {
            for column in row.columns() {
                if !self.columns.contains(&column) {
                    self.columns.insert(column);
                }
            }
        }
    }

    fn name(&mut self, id: String) -> u32 {
        self.names.push(EntryId(id));
        u32::try_from(self.names.len() - 1).expect("no file has four thousand million rows")
    }

    /// A person by id or login name, else what may be a group, or nobody.
    fn reference(&mut self, text: &str) -> u32 {
        if let Some(number) = self.known_person(text) {
            return number;
        }
        if let Some(number) = self.others.get(text) {
            return *number;
        }
        // Which of both it is shows when all groups were read.
        let number = self.name(format!("user:{text}"));
        self.others.insert(text.into(), number);
        number
    }

    fn known_person(&self, text: &str) -> Option<u32> {
        let by_login = || self.logins.get(&*text.to_lowercase()).copied().flatten();
        self.people.get(text).copied().or_else(by_login)
    }

    /// Once all is read: groups in groups, nobody twice, and who is assigned through a group.
    fn settle(&mut self) {
        for (text, number) in &self.others {
            if self.groups.contains_key(text) {
                self.names[*number as usize] = EntryId(format!("group:{text}"));
            }
        }
        for (place, members) in self.members.iter_mut().enumerate() {
            let mut known = HashSet::with_capacity(members.len());
            members.retain(|member| known.insert(*member));
            members.shrink_to_fit();
            if self.group_assignments.contains_key(&place) {
                for member in members {
                    self.through.entry(*member).or_default().push(place);
                }
            }
        }
    }

    pub(super) fn count(&self, kind: Kind) -> u64 {
        match kind {
            Kind::User => self.people.len() as u64,
            Kind::Group => self.groups.len() as u64,
        }
    }

    /// The manager that a person's row names; somebody unknown stays a reference, which is told as such later.
    pub(super) fn manager(&self, text: &str) -> EntryId {
        match self.known_person(text) {
            Some(number) => self.names[number as usize].clone(),
            None => EntryId(format!("user:{text}")),
        }
    }

    /// How a person was given to the application: by the own row, and by groups.
    pub(super) fn assignments(&self, id: &str, mut own: Vec<Assignment>) -> Vec<Assignment> {
        let groups = self.people.get(id).and_then(|number| self.through.get(number));
        for assignment in groups.into_iter().flatten().flat_map(|place| &self.group_assignments[place]) {
            if !own.contains(assignment) {
                own.push(assignment.clone());
            }
        }
        own
    }

    /// Who is in a group.
    pub(super) fn members(&self, group: &str) -> Vec<EntryId> {
        let members = self.groups.get(group).map(|place| self.members[*place].as_slice());
        members.unwrap_or_default().iter().map(|number| self.names[*number as usize].clone()).collect()
    }
}

fn id_column(row: &Row<'_>, columns: &[&'static str]) -> &'static str {
    columns.iter().find(|column| row.has(column)).copied().unwrap_or(columns[0])
}

/// Is given each row, the file's name and where to tell faults.
type Found<'f> = &'f mut dyn FnMut(&Row<'_>, &str, &mut Faults);
