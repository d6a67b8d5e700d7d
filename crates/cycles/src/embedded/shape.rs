//! A row of the directory as a provisioning job sees it.

use std::collections::{HashMap, HashSet};

use latchkey_access::{EmbeddedAssignment, EmbeddedObject, ObjectKind, ObjectPresence};
use latchkey_kernel::id::ObjectId;
use latchkey_provisioning::feed::{Change, Members, Wanted};
use latchkey_provisioning::{Assignment, Entry, EntryId, Kind, Presence};
use serde_json::Value as Json;

/// Always told: logs and on-demand runs call people by them.
const LABELS: &[&str] = &["displayName", "userPrincipalName", "userName", "mail"];

/// What a job asks for.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    application: Option<String>,
    users: Option<HashSet<String>>,
    groups: Option<HashSet<String>>,
}

impl Shape {
    pub(super) fn new(application: Option<String>, wanted: &Wanted) -> Self {
        let names = |list: &Option<Vec<String>>| {
            let labels = LABELS.iter().map(|name| (*name).to_owned());
            list.as_ref().map(|list| list.iter().cloned().chain(labels).collect())
        };
        Self { application, users: names(&wanted.users), groups: names(&wanted.groups) }
    }

    /// The kinds of objects that the job takes, people first.
    pub(super) fn kinds(&self) -> Vec<ObjectKind> {
        let all = [(ObjectKind::User, &self.users), (ObjectKind::Group, &self.groups)];
        all.into_iter().filter(|(_, wanted)| wanted.is_some()).map(|(kind, _)| kind).collect()
    }

    pub(super) fn takes(&self, kind: ObjectKind) -> bool {
        self.kinds().contains(&kind)
    }

    /// What counts of assignments, by who has it.
    pub(super) fn given(
        &self,
        all: Vec<(ObjectId, EmbeddedAssignment)>,
    ) -> HashMap<ObjectId, Vec<Assignment>> {
        let mut given: HashMap<ObjectId, Vec<Assignment>> = HashMap::new();
        for (id, one) in all {
            if self.application.as_ref().is_some_and(|application| *application != one.application) {
                continue;
            }
            let list = given.entry(id).or_default();
            let assignment = Assignment { role: one.role, display: one.display, entitles: one.entitles };
            if !list.contains(&assignment) {
                list.push(assignment);
            }
        }
        given
    }

    pub(super) fn change(
        &self,
        row: EmbeddedObject,
        assignments: Vec<Assignment>,
        members: Option<Members>,
    ) -> Change {
        let (id, kind) = (EntryId(row.id.to_string()), kind(row.kind));
        let presence = match row.presence {
            ObjectPresence::Present => Presence::Present,
            ObjectPresence::SoftDeleted => Presence::SoftDeleted,
            ObjectPresence::Deleted => Presence::Deleted,
        };
        if presence != Presence::Present {
            return Change::Left { id, kind, presence };
        }
        let mut attributes = row.attributes;
        let (name, login) = match row.kind {
            ObjectKind::User => ("userPrincipalName", Some("userName")),
            ObjectKind::Group => ("displayName", None),
        };
        for name in [Some(name), login].into_iter().flatten() {
            attributes.insert(name.to_owned(), Json::from(row.name.clone()));
        }
        attributes.insert("objectId".to_owned(), Json::from(id.0.clone()));
        if let Some(external) = row.external_id {
            attributes.insert("externalId".to_owned(), Json::from(external));
        }
        if row.kind == ObjectKind::User {
            for name in ["accountEnabled", "enabled"] {
                attributes.insert(name.to_owned(), Json::Bool(row.enabled));
            }
        }
        let wanted = if row.kind == ObjectKind::User { &self.users } else { &self.groups };
        attributes.retain(|name, _| wanted.as_ref().is_some_and(|wanted| wanted.contains(name)));
        let manager = row.manager.map(|id| EntryId(id.to_string()));
        let entry = Entry { id, kind, presence, enabled: row.enabled, attributes, assignments, manager };
        Change::Present { entry: Box::new(entry), members }
    }
}

pub(super) fn is_there(row: &EmbeddedObject) -> bool {
    row.presence == ObjectPresence::Present
}

pub(super) const fn kind(kind: ObjectKind) -> Kind {
    match kind {
        ObjectKind::User => Kind::User,
        ObjectKind::Group => Kind::Group,
    }
}

pub(super) const fn kind_of(kind: Kind) -> ObjectKind {
    match kind {
        Kind::User => ObjectKind::User,
        Kind::Group => ObjectKind::Group,
    }
}
