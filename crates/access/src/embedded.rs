//! A workspace's own directory: people and groups who are kept here and provisioned elsewhere.
//!
//! It says who there is, not who may use what: a person in it becomes a member only by a
//! provisioning job. Each change has a number within its workspace, and each row carries that of
//! its last one, so that a job asks for what changed since a number.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{ObjectId, WorkspaceId};
use serde_json::{Map, Value};

#[cfg(doc)]
use crate::change::Change;

latchkey_kernel::words! {
    /// What an object of the directory is.
    ObjectKind {
        /// A person.
        User = "user",
        /// A group.
        Group = "group",
    }
}

latchkey_kernel::words! {
    /// Whether an object is still there.
    ObjectPresence {
        /// It is.
        Present = "present",
        /// It is in the bin, and may come back.
        SoftDeleted = "soft_deleted",
        /// It is gone; only its id is kept, so that jobs learn of it.
        Deleted = "deleted",
    }
}

/// A person or a group.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedObject {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id, which never changes.
    pub id: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// A person's login name, a group's display name: one of a kind among those present.
    pub name: String,
    /// The name as it is compared.
    pub name_key: String,
    /// The id by which another system knows it: one of a kind.
    pub external_id: Option<String>,
    /// Whether a person may sign in; groups always.
    pub enabled: bool,
    /// Whether it is still there.
    pub presence: ObjectPresence,
    /// All else, by the names that mappings use.
    pub attributes: Map<String, Value>,
    /// A person's manager.
    pub manager: Option<ObjectId>,
    /// The number of its last change.
    pub changed: i64,
    /// The number since which a group's members are told anew, and not what came and went.
    pub whole_from: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was written last.
    pub modified_at: Timestamp,
}

impl EmbeddedObject {
    /// Whether it may be provisioned, as far as the directory says.
    pub fn is_active(&self) -> bool {
        self.enabled && self.presence == ObjectPresence::Present
    }
}

/// That a person or a group was given an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedAssignment {
    /// To whom: a group's direct members have it as well.
    pub principal_id: ObjectId,
    /// The application, by the name that jobs say.
    pub application: String,
    /// The role's value; empty for the default access.
    pub role: String,
    /// The role's name for people.
    pub display: String,
    /// Whether the role entitles to be provisioned.
    pub entitles: bool,
}

/// One change of the directory; see [`Change`] for what holds for every change.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are named after the columns that they write or expect")]
pub enum EmbeddedChange {
    /// Takes the workspace's next number, which every later change of the set gives its rows, and
    /// keeps others waiting for theirs until the commit, so that numbers become visible in order.
    Begin,
    /// A new object; its name must be free among those of its kind that are present, its external id
    /// among those that are not gone. Its manager must exist.
    Insert(Box<EmbeddedObject>),
    /// Every column of an object; the same for its name and manager. Fails as moved unless its number is
    /// `expect`. A group's members are told anew.
    Update { object: Box<EmbeddedObject>, expect: i64 },
    /// Puts a member into a group or takes it out; as it was changes nothing. Both must exist. Who
    /// has an application by the group is told anew.
    MemberSet { group_id: ObjectId, member_id: ObjectId, present: bool },
    /// By condition: takes an object out of all groups, and all members out of it, and ends what it is
    /// assigned.
    Clear { id: ObjectId },
    /// Gives an object an application in a role; given already changes how the role is called and whether
    /// it entitles. The object must exist; it and, of a group, its direct members are told anew.
    Assign(EmbeddedAssignment),
    /// Ends it; not there is no failure. The same are told anew.
    Unassign { principal_id: ObjectId, application: String, role: String },
}

impl From<EmbeddedChange> for crate::change::Change {
    fn from(change: EmbeddedChange) -> Self {
        Self::Embedded(change)
    }
}
