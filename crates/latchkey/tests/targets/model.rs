//! What should be at a provider, and how it differs from what is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{Feature, Which, lacks};

/// Everything that a provider holds, by `userName` and by `displayName`.
#[derive(Debug, Default)]
pub(crate) struct Everything {
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) groups: BTreeMap<String, Group>,
}

/// Somebody; an empty text is an attribute that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) active: bool,
    pub(crate) display_name: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) mail: String,
    pub(crate) title: String,
    pub(crate) department: String,
    pub(crate) external_id: String,
    /// The manager's `userName`.
    pub(crate) manager: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) external_id: String,
    /// The members' `userName`s.
    pub(crate) members: BTreeSet<String>,
}

/// What is not as it should be, in sentences.
pub(crate) fn differences(expected: &Everything, found: &Everything, which: Which) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, person) in &expected.people {
        match found.people.get(name) {
            None => wrong.push(format!("{name} is not there")),
            Some(there) => person.compare(name, there, which, &mut wrong),
        }
    }
    for (name, there) in &found.people {
        let stays = lacks(which, Feature::Deletion) && !there.active;
        if !expected.people.contains_key(name) && !stays {
            let how = if there.active { "active" } else { "disabled" };
            wrong.push(format!("{name} is there, {how}, and should not be"));
        }
    }
    for (name, group) in &expected.groups {
        match found.groups.get(name) {
            None => wrong.push(format!("group {name} is not there")),
            Some(there) if there == group => {}
            Some(there) => {
                let more: Vec<_> = there.members.difference(&group.members).collect();
                let fewer: Vec<_> = group.members.difference(&there.members).collect();
                wrong.push(format!(
                    "group {name}: too many {more:?}, missing {fewer:?}, externalId {:?} for {:?}",
                    there.external_id, group.external_id
                ));
            }
        }
    }
    let extra = found.groups.keys().filter(|name| !expected.groups.contains_key(*name));
    wrong.extend(extra.map(|name| format!("group {name} is there and should not be")));
    wrong
}

impl Person {
    fn compare(&self, name: &str, there: &Self, which: Which, wrong: &mut Vec<String>) {
        let mut say = |what: &str, wanted: &str, found: &str| {
            if wanted != found {
                wrong.push(format!("{name}: {what} is {found:?}, not {wanted:?}"));
            }
        };
        say("active", &self.active.to_string(), &there.active.to_string());
        say("name.givenName", &self.given_name, &there.given_name);
        say("name.familyName", &self.family_name, &there.family_name);
        say("externalId", &self.external_id, &there.external_id);
        let mail_stays = lacks(which, Feature::NoMail) || lacks(which, Feature::LastMail);
        if !(self.mail.is_empty() && mail_stays) {
            say("work mail", &self.mail, &there.mail);
        }
        for (feature, what, wanted, found) in [
            (Feature::DisplayName, "displayName", &self.display_name, &there.display_name),
            (Feature::Title, "title", &self.title, &there.title),
            (Feature::Department, "department", &self.department, &there.department),
            (Feature::Manager, "manager", &self.manager, &there.manager),
        ] {
            // What is not kept has to be absent: a stale value would be worse than none.
            say(what, if lacks(which, feature) { "" } else { wanted }, found);
        }
    }
}
