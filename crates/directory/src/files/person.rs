//! What a row says of a person or a group, apart from its attributes.

use std::borrow::Cow;

use latchkey_provisioning::Assignment;
use serde_json::{Map, Value as Json};

use super::faults::Faults;
use super::rows::Row;
use crate::attributes::Selection;

/// The column of ids, and what stands in for it where there is none.
pub(super) const PERSON_ID: &[&str] = &["id", "userPrincipalName"];
/// The same of groups.
pub(super) const GROUP_ID: &[&str] = &["id", "displayName"];
/// Where login names are.
const LOGIN: &[&str] = &["userPrincipalName", "userName", "login"];

/// The names that Entra's mappings use, and by which others files call the same.
const PERSON_ALIASES: &[(&str, &[&str])] = &[
    ("userPrincipalName", &["userName", "login"]),
    ("mail", &["email"]),
    ("givenName", &["firstName"]),
    ("surname", &["lastName", "familyName", "sn"]),
    ("displayName", &["name"]),
    ("jobTitle", &["title"]),
    ("employeeId", &["employeeNumber"]),
    ("telephoneNumber", &["phone"]),
    ("mobile", &["mobilePhone"]),
    ("facsimileTelephoneNumber", &["fax"]),
    ("physicalDeliveryOfficeName", &["office"]),
    ("mailNickname", &["alias"]),
];
const GROUP_ALIASES: &[(&str, &[&str])] = &[("displayName", &["name"])];

/// A person's row.
pub(super) struct Person<'r> {
    pub(super) id: Cow<'r, str>,
    pub(super) login: Option<Cow<'r, str>>,
    pub(super) enabled: bool,
    pub(super) manager: Option<Cow<'r, str>>,
    pub(super) assignments: Vec<Assignment>,
}

/// A group's row.
pub(super) struct Group<'r> {
    pub(super) id: Cow<'r, str>,
    /// How the group, and with it its direct members, was given to the application.
    pub(super) assignments: Vec<Assignment>,
}

/// Tells `faults` all that is wrong with a row; `None` when anything is.
struct Reader<'a, 'r> {
    row: &'a Row<'r>,
    file: &'a str,
    faults: &'a mut Faults,
    wrong: bool,
}

impl<'r> Reader<'_, 'r> {
    fn take<T>(&mut self, column: &str, value: Result<T, String>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(message) => {
                self.say(column, &message);
                None
            }
        }
    }

    fn say(&mut self, column: &str, message: &str) {
        self.faults.say(self.file, self.row.place, Some(column), message);
        self.wrong = true;
    }

    fn text(&mut self, column: &str) -> Option<Cow<'r, str>> {
        self.take(column, self.row.text(column)).flatten()
    }

    fn flag(&mut self, column: &str) -> Option<bool> {
        self.take(column, self.row.flag(column)).flatten()
    }

    fn id(&mut self, columns: &[&str]) -> Cow<'r, str> {
        // Where the header has none of them, that was said once; an object without any is the fault here.
        let column = columns.iter().find(|column| self.row.has(column)).unwrap_or(&columns[0]);
        let wrong = self.wrong;
        match self.text(column) {
            Some(id) => id,
            None => {
                if self.wrong == wrong {
                    let instead = columns.join(" or ");
                    self.say(column, &format!("found nothing, but each row needs its own {instead}"));
                }
                Cow::Borrowed("")
            }
        }
    }

    fn assignments(&mut self) -> Vec<Assignment> {
        let assigned = self.flag("assigned");
        let roles = self.take("role", self.row.list("role")).unwrap_or_default();
        if assigned == Some(false) || (assigned.is_none() && roles.is_empty()) {
            return Vec::new();
        }
        let assignment =
            |role: &str| Assignment { role: role.to_owned(), display: role.to_owned(), entitles: true };
        if roles.is_empty() {
            return vec![assignment("")];
        }
        roles.iter().map(|role| assignment(role)).collect()
    }
}

impl<'r> Person<'r> {
    pub(super) fn read(row: &Row<'r>, file: &str, faults: &mut Faults) -> Option<Self> {
        let mut reader = Reader { row, file, faults, wrong: false };
        let id = reader.id(PERSON_ID);
        let login = LOGIN.iter().find(|column| row.has(column)).and_then(|column| reader.text(column));
        if row.has("enabled") && row.has("accountEnabled") {
            reader.say("accountEnabled", "there is a column \"enabled\" too; keep one of them");
        }
        let (enabled, entra) = (reader.flag("enabled"), reader.flag("accountEnabled"));
        let manager = reader.text("manager");
        let assignments = reader.assignments();
        let enabled = enabled.or(entra).unwrap_or(true);
        (!reader.wrong).then_some(Self { id, login, enabled, manager, assignments })
    }

    /// The file's own attributes, and the same by the names that Entra's mappings use.
    pub(super) fn attributes(&self, row: &Row<'_>, selection: &Selection) -> Map<String, Json> {
        let mut attributes = row.attributes(selection);
        alias(&mut attributes, row, selection, PERSON_ALIASES, &self.id);
        for name in ["accountEnabled", "enabled"] {
            if selection.wants(name) {
                attributes.insert(name.to_owned(), Json::Bool(self.enabled));
            }
        }
        attributes
    }

    /// Whether people would call it so.
    pub(super) fn is_called(&self, row: &Row<'_>, text: &str) -> bool {
        is_called(
            row,
            &self.id,
            text,
            &["userPrincipalName", "userName", "login", "mail", "email", "displayName", "name"],
        )
    }
}

impl<'r> Group<'r> {
    pub(super) fn read(row: &Row<'r>, file: &str, faults: &mut Faults) -> Option<Self> {
        let mut reader = Reader { row, file, faults, wrong: false };
        let (id, assignments) = (reader.id(GROUP_ID), reader.assignments());
        (!reader.wrong).then_some(Self { id, assignments })
    }

    pub(super) fn attributes(&self, row: &Row<'_>, selection: &Selection) -> Map<String, Json> {
        let mut attributes = row.attributes(selection);
        attributes.remove("members");
        alias(&mut attributes, row, selection, GROUP_ALIASES, &self.id);
        attributes
    }

    pub(super) fn is_called(&self, row: &Row<'_>, text: &str) -> bool {
        is_called(row, &self.id, text, &["displayName", "name", "mail"])
    }
}

/// Whether files with these columns can give a person this attribute.
pub(super) fn can_tell(name: &str, has: impl Fn(&str) -> bool) -> bool {
    let computed =
        ["objectId", "accountEnabled", "enabled", "manager", "IsSoftDeleted", "appRoleAssignments"];
    let aliases =
        PERSON_ALIASES.iter().find(|(alias, _)| *alias == name).map_or(&[][..], |(_, others)| others);
    has(name) || computed.contains(&name) || aliases.iter().any(|other| has(other))
}

fn alias(
    attributes: &mut Map<String, Json>,
    row: &Row<'_>,
    selection: &Selection,
    aliases: &[(&str, &[&str])],
    id: &str,
) {
    for (name, others) in aliases {
        if selection.wants(name) && !attributes.contains_key(*name) {
            let found = others.iter().find_map(|other| row.text(other).ok().flatten());
            attributes.extend(found.map(|text| ((*name).to_owned(), Json::from(text.into_owned()))));
        }
    }
    if selection.wants("objectId") && !attributes.contains_key("objectId") {
        attributes.insert("objectId".to_owned(), Json::from(id));
    }
}

fn is_called(row: &Row<'_>, id: &str, text: &str, columns: &[&str]) -> bool {
    let same = |found: &str| found == text || found.to_lowercase() == text.to_lowercase();
    same(id) || columns.iter().any(|column| row.text(column).ok().flatten().is_some_and(|found| same(&found)))
}
