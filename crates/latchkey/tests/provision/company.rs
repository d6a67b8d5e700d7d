//! The people and groups of a test, as CSV files have them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Who is in the files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Company {
    pub(crate) people: BTreeMap<u32, Person>,
    /// By id: the name, and who is in it.
    pub(crate) groups: BTreeMap<u32, (String, Vec<u32>)>,
}

/// A row of `people.csv`.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) login: String,
    pub(crate) given: String,
    pub(crate) title: String,
    pub(crate) manager: Option<u32>,
    pub(crate) enabled: bool,
}

impl Company {
    /// So many people, of whom the first is everybody's manager, and a group of them all.
    pub(crate) fn of(count: u32) -> Self {
        let person = |id: u32| Person {
            login: format!("person{id}@corp.example"),
            given: format!("Given{id}"),
            title: "Engineer".to_owned(),
            manager: (id > 1).then_some(1),
            enabled: true,
        };
        let people: BTreeMap<u32, Person> = (1..=count).map(|id| (id, person(id))).collect();
        let all = people.keys().copied().collect();
        Self { people, groups: [(1, ("Everybody".to_owned(), all))].into() }
    }

    pub(crate) fn person(&mut self, id: u32) -> &mut Person {
        self.people.get_mut(&id).expect("the test knows its people")
    }

    /// Takes somebody out of the files altogether.
    pub(crate) fn remove(&mut self, id: u32) {
        self.people.remove(&id);
        self.groups.values_mut().for_each(|(_, members)| members.retain(|member| *member != id));
    }

    /// Writes the files as an export should: under another name first.
    pub(crate) fn write(&self, folder: &Path) {
        let mut people =
            "id,userPrincipalName,displayName,givenName,surname,mail,jobTitle,manager,accountEnabled\n"
                .to_owned();
        for (id, one) in &self.people {
            let Person { login, given, title, enabled, .. } = one;
            let manager = one.manager.map(|id| format!("p{id}")).unwrap_or_default();
            _ = writeln!(
                people,
                "p{id},{login},{given} Moss,{given},Moss,{login},{title},{manager},{enabled}"
            );
        }
        let mut groups = "id,displayName,members\n".to_owned();
        for (id, (name, members)) in &self.groups {
            let members: Vec<String> = members.iter().map(|id| format!("p{id}")).collect();
            _ = writeln!(groups, "g{id},{name},{}", members.join(";"));
        }
        for (name, text) in [("people.csv", people), ("groups.csv", groups)] {
            let new = folder.join(format!("{name}.new"));
            std::fs::write(&new, text).expect("temporary files can be written");
            std::fs::rename(new, folder.join(name)).expect("temporary files can be renamed");
        }
    }
}
