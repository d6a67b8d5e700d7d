//! A person or a group as a source has it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// The immutable id of an object at its source; no user and group of one source share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub String);

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person.
    User,
    /// A group.
    Group,
}

/// Whether the source still has an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    Present,
    /// It is in the bin and may come back.
    SoftDeleted,
    /// It is gone for good.
    Deleted,
}

/// That an object was given to the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The role's value, as the application knows it; empty for the default access.
    pub role: String,
    /// The role's name for people.
    pub display: String,
    /// Whether the role entitles to be provisioned.
    pub entitles: bool,
}

/// One object of a source, whole: decisions are made on all of it, never on what changed alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id at the source.
    pub id: EntryId,
    /// What it is.
    pub kind: Kind,
    /// Whether it is still there.
    pub presence: Presence,
    /// Whether it is enabled; groups always are.
    pub enabled: bool,
    /// Its attributes, by the source's names.
    pub attributes: Map<String, Json>,
    /// How it was given to the application, directly or by a group it is a direct member of.
    pub assignments: Vec<Assignment>,
    /// The person's manager.
    pub manager: Option<EntryId>,
}

impl Entry {
    /// What people call it: its display name, else its user name, else its id.
    pub fn label(&self) -> &str {
        let text =
            |name: &str| self.attributes.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        ["displayName", "userPrincipalName", "userName", "mail"]
            .into_iter()
            .find_map(text)
            .unwrap_or(&self.id.0)
    }
}
