//! From rows to a company: every rule that a file must keep, and every place where it doesn't.

use std::collections::HashMap;

use super::column::Column;
use super::company::{Company, Group, Person};
use super::problem::{Place, Problem};
use super::row::{Cell, Row, Sheet};
use crate::demo::entra;

/// The company that the rows describe, or everything that is wrong with them.
pub(super) fn check(sheet: Sheet) -> Result<Company, Vec<Problem>> {
    let Sheet { rows, ignored, problems } = sheet;
    let mut check = Check { rows: &rows, problems, user_names: HashMap::new(), external_ids: HashMap::new() };
    if rows.is_empty() && check.problems.is_empty() {
        check.problems.push(Problem {
            place: Place::File,
            found: "names nobody".to_owned(),
            expected: "at least one person".to_owned(),
        });
    }
    let mut people: Vec<Person> = rows.iter().enumerate().map(|(at, row)| check.person(at, row)).collect();
    for (at, row) in rows.iter().enumerate() {
        let manager = check.manager(at, row);
        people[at].manager = manager;
    }
    let groups = check.groups();
    let mut problems = check.problems;
    if problems.is_empty() {
        return Ok(Company { people, groups, ignored });
    }
    // In the order of the file, whichever rule found them. Stable: within a row as found.
    problems.sort_by_key(|problem| match problem.place {
        Place::File => 0,
        Place::Row(n) | Place::Cell(n, _) | Place::Entry(n) | Place::Field(n, _) => n,
    });
    Err(problems)
}

struct Check<'a> {
    rows: &'a [Row],
    problems: Vec<Problem>,
    /// Lower-cased `userName` → index of its row.
    user_names: HashMap<String, usize>,
    external_ids: HashMap<String, usize>,
}

impl Check<'_> {
    fn person(&mut self, at: usize, row: &Row) -> Person {
        let user_name = self.user_name(at, row).unwrap_or_default();
        let given_name = self.text(row, Column::GivenName);
        let family_name = self.text(row, Column::FamilyName);
        let display_name = self.text(row, Column::DisplayName).unwrap_or_else(|| {
            let names: Vec<&str> =
                [&given_name, &family_name].into_iter().filter_map(Option::as_deref).collect();
            if names.is_empty() { user_name.clone() } else { names.join(" ") }
        });
        Person {
            display_name,
            email: self.email(row),
            active: self.active(row),
            job_title: self.text(row, Column::JobTitle),
            department: self.text(row, Column::Department),
            manager: None,
            employee_number: self.text(row, Column::EmployeeNumber),
            external_id: self
                .external_id(at, row)
                .unwrap_or_else(|| entra::object_id(&format!("user {}", user_name.to_lowercase()))),
            preferred_language: self.text(row, Column::PreferredLanguage),
            city: self.text(row, Column::City),
            country: self.text(row, Column::Country),
            user_name,
            given_name,
            family_name,
        }
    }

    fn text(&mut self, row: &Row, column: Column) -> Option<String> {
        match &row.cells.get(&column)?.1 {
            Cell::Text(text) if text.is_empty() => None,
            Cell::Text(text) => Some(text.clone()),
            Cell::Unfit(found) => {
                self.problems.push(row.problem(column, found, "text"));
                None
            }
            Cell::Flag(_) | Cell::List(_) => {
                self.problems.push(row.problem(column, "is no text", "text"));
                None
            }
        }
    }

    fn user_name(&mut self, at: usize, row: &Row) -> Option<String> {
        let before = self.problems.len();
        let Some(user_name) = self.text(row, Column::UserName) else {
            if self.problems.len() == before {
                self.problems.push(row.problem(
                    Column::UserName,
                    "is empty",
                    "the name that they sign in with, as ida.holm@corp.example",
                ));
            }
            return None;
        };
        // userName is unique without case (RFC 7643 §4.1.1).
        if let Some(earlier) = self.user_names.insert(user_name.to_lowercase(), at) {
            let found = format!("{user_name:?} stands in {} too", self.rows[earlier].named());
            self.problems.push(row.problem(Column::UserName, found, "each name once, case aside"));
        }
        Some(user_name)
    }

    fn external_id(&mut self, at: usize, row: &Row) -> Option<String> {
        let id = self.text(row, Column::ExternalId)?;
        if let Some(earlier) = self.external_ids.insert(id.clone(), at) {
            let found = format!("{id:?} stands in {} too", self.rows[earlier].named());
            self.problems.push(row.problem(Column::ExternalId, found, "each id once"));
        }
        Some(id)
    }

    fn email(&mut self, row: &Row) -> Option<String> {
        let email = self.text(row, Column::Email)?;
        let plausible = email
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !email.contains(' '));
        if !plausible {
            let expected = "a mail address, as ida.holm@corp.example";
            self.problems.push(row.problem(Column::Email, format!("{email:?} is none"), expected));
        }
        Some(email)
    }

    fn active(&mut self, row: &Row) -> bool {
        let cell = row.cells.get(&Column::Active).map(|(_, cell)| cell);
        let found = match cell {
            None => return true,
            Some(Cell::Flag(flag)) => return *flag,
            Some(Cell::Text(text)) => match text.to_lowercase().as_str() {
                "" | "true" | "yes" | "1" => return true,
                "false" | "no" | "0" => return false,
                _ => format!("{text:?} is neither"),
            },
            Some(Cell::Unfit(found)) => found.clone(),
            Some(Cell::List(_)) => "is a list".to_owned(),
        };
        self.problems.push(row.problem(Column::Active, found, "true or false"));
        true
    }

    fn manager(&mut self, at: usize, row: &Row) -> Option<usize> {
        let name = self.text(row, Column::Manager)?;
        match self.user_names.get(&name.to_lowercase()) {
            Some(manager) if *manager == at => {
                self.problems.push(row.problem(Column::Manager, "is the person themself", "somebody else"));
                None
            }
            Some(manager) => Some(*manager),
            None => {
                let expected = format!("the `{}` of somebody in this file", Column::UserName.name());
                self.problems.push(row.problem(
                    Column::Manager,
                    format!("{name:?} is nobody here"),
                    expected,
                ));
                None
            }
        }
    }

    fn groups(&mut self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        // Lower-cased name → index of the group and of the row that first names it.
        let mut known: HashMap<String, (usize, usize)> = HashMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            for name in self.group_names(row) {
                let (group, first) = *known.entry(name.to_lowercase()).or_insert_with(|| {
                    let external_id = entra::object_id(&format!("group {}", name.to_lowercase()));
                    groups.push(Group { display_name: name.clone(), external_id, members: Vec::new() });
                    (groups.len() - 1, at)
                });
                let group = &mut groups[group];
                if group.display_name != name {
                    // Two spellings are one name to SCIM: the second group would be refused (409).
                    let found =
                        format!("{name:?} is {:?} in {}", group.display_name, self.rows[first].named());
                    self.problems.push(row.problem(Column::Groups, found, "one spelling"));
                } else if group.members.last() != Some(&at) {
                    group.members.push(at);
                }
            }
        }
        groups
    }

    fn group_names(&mut self, row: &Row) -> Vec<String> {
        let cell = row.cells.get(&Column::Groups).map(|(_, cell)| cell);
        let names: Vec<String> = match cell {
            None => Vec::new(),
            Some(Cell::Text(text)) => text.split(';').map(|name| name.trim().to_owned()).collect(),
            Some(Cell::List(names)) => names.clone(),
            Some(Cell::Unfit(found)) => {
                self.problems.push(row.problem(Column::Groups, found, "names of groups"));
                Vec::new()
            }
            Some(Cell::Flag(_)) => Vec::new(),
        };
        names.into_iter().filter(|name| !name.is_empty()).collect()
    }
}
