//! A company of 300 people and 20 groups, and what happens to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{self, Everything};

/// The directory: people and groups by their ids.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    pub(crate) people: BTreeMap<u32, Employee>,
    pub(crate) groups: BTreeMap<u32, Team>,
    /// Who has been provisioned, and so is still there when disabled.
    known: BTreeSet<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Employee {
    pub(crate) login: String,
    pub(crate) given: String,
    pub(crate) surname: String,
    pub(crate) mail: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) department: String,
    pub(crate) manager: Option<u32>,
    pub(crate) enabled: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) name: String,
    pub(crate) members: BTreeSet<u32>,
}

/// The stage in which nothing may be sent.
pub(crate) const UNCHANGED: &str = "unchanged";

type Change = fn(&mut Company);

/// What happens, in order.
pub(crate) const STAGES: &[(&str, Change)] = &[
    ("300 people and 20 groups", |_| {}),
    (UNCHANGED, |_| {}),
    ("new titles, names, mails and managers", Company::attributes_change),
    ("renamed logins and groups", Company::renames),
    ("moves between groups", Company::moves),
    ("people disabled", Company::some_leave),
    ("people and a group removed", Company::some_are_removed),
    ("people enabled again", Company::some_return),
    (UNCHANGED, |_| {}),
];

const GIVEN: &[&str] =
    &["Ada", "Bo", "Carmen", "Dmitri", "Elif", "Farid", "Gréta", "Hana", "Ígor", "June", "Kofi", "Léa"];
const SURNAMES: &[&str] = &[
    "Almeida",
    "Brandt",
    "O'Kéfa",
    "van Dijk",
    "Eriksen",
    "Fontaine",
    "García-López",
    "Haddad",
    "Ionescu",
    "Järvinen",
    "Kovács",
    "Łukasik",
    "Møller",
];
const DEPARTMENTS: &[&str] = &["Geology", "Engineering", "Field work", "Finance", "People"];
const TITLES: &[&str] = &["Engineer", "Geologist", "Surveyor", "Accountant"];

impl Company {
    pub(crate) fn new() -> Self {
        let person = |id: u32| {
            let at = |list: &[&str], step: u32| list[((id / step) as usize) % list.len()].to_owned();
            let login = format!("person{id}@quarry.example");
            Employee {
                mail: Some(login.clone()),
                login,
                given: at(GIVEN, 1),
                surname: at(SURNAMES, 1),
                title: (!id.is_multiple_of(7)).then(|| at(TITLES, 1)),
                department: at(DEPARTMENTS, 1),
                // The first ten lead; they never leave.
                manager: (id > 10).then(|| id % 10 + 1),
                enabled: true,
            }
        };
        let mut people: BTreeMap<u32, Employee> = (1..=300).map(|id| (id, person(id))).collect();
        // Left before there was a job: these must never appear.
        people.extend((301..=303).map(|id| (id, Employee { enabled: false, ..person(id) })));
        let group = |id: u32| Team {
            name: format!("Group {id}"),
            members: people.keys().copied().filter(|person| person % 20 == id || person % 13 == id).collect(),
        };
        let groups = (0..20).map(|id| (id, group(id))).collect();
        Self { people, groups, known: BTreeSet::new() }
    }

    fn attributes_change(&mut self) {
        for (id, person) in &mut self.people {
            match id % 10 {
                1 => person.title = Some("Head of \"something\" \\ else".to_owned()),
                2 => person.title = None,
                3 => person.surname = format!("{}-Lund", person.surname),
                4 => person.mail = Some(format!("mail{id}@quarry.example")),
                5 if *id % 20 == 5 => person.mail = None,
                6 => person.department = "Research & development".to_owned(),
                7 => person.manager = Some(1),
                8 => person.manager = None,
                _ => {}
            }
        }
    }

    fn renames(&mut self) {
        for (id, person) in self.people.iter_mut().filter(|(id, _)| **id % 25 == 0) {
            person.login = format!("Renamed.{id}@quarry.example");
        }
        for group in [2, 9] {
            self.group(group).name = format!("Formerly {group} – now \"other\"");
        }
    }

    fn moves(&mut self) {
        for id in (20..=300).step_by(20) {
            self.group(0).members.remove(&id);
            self.group(1).members.insert(id);
        }
        self.group(3).members.clear();
        let all = self.people.keys().copied().collect();
        self.group(4).members = all;
    }

    fn some_leave(&mut self) {
        for id in (30..=300).step_by(30) {
            self.person(id).enabled = false;
        }
        // Disabled at the same time as put into another group.
        self.group(5).members.insert(30);
        // What changes on the last day is written too.
        self.person(60).title = Some("Emeritus".to_owned());
    }

    fn some_are_removed(&mut self) {
        for id in (17..=300).step_by(50) {
            self.people.remove(&id);
            self.known.remove(&id);
            self.groups.values_mut().for_each(|group| _ = group.members.remove(&id));
        }
        self.groups.remove(&19);
    }

    fn some_return(&mut self) {
        for id in (60..=300).step_by(60) {
            self.person(id).enabled = true;
        }
    }

    fn person(&mut self, id: u32) -> &mut Employee {
        self.people.get_mut(&id).expect("the stage knows its people")
    }

    fn group(&mut self, id: u32) -> &mut Team {
        self.groups.get_mut(&id).expect("the stage knows its groups")
    }

    /// What the provider should hold after a cycle.
    pub(crate) fn expected(&mut self) -> Everything {
        self.known.extend(self.people.iter().filter(|(_, person)| person.enabled).map(|(id, _)| *id));
        let login = |id: &u32| self.people.get(id).map(|person| person.login.clone());
        let people = self.people.iter().filter(|(id, _)| self.known.contains(id)).map(|(id, person)| {
            let expected = model::Person {
                active: person.enabled,
                display_name: person.display(),
                given_name: person.given.clone(),
                family_name: person.surname.clone(),
                mail: person.mail.clone().unwrap_or_default(),
                title: person.title.clone().unwrap_or_default(),
                department: person.department.clone(),
                external_id: person_id(*id),
                manager: person.manager.as_ref().and_then(login).unwrap_or_default(),
            };
            (person.login.clone(), expected)
        });
        let groups = self.groups.iter().map(|(id, group)| {
            // Whoever is disabled is in the groups that the directory has them in, as far as they are there.
            let members = group.members.iter().filter(|person| self.known.contains(person));
            let members = members.filter_map(login).collect();
            (group.name.clone(), model::Group { external_id: group_id(*id), members })
        });
        Everything { people: people.collect(), groups: groups.collect() }
    }
}

impl Employee {
    pub(crate) fn display(&self) -> String {
        format!("{} {}", self.given, self.surname)
    }
}

pub(crate) fn person_id(id: u32) -> String {
    format!("p{id}")
}

pub(crate) fn group_id(id: u32) -> String {
    format!("g{id}")
}
