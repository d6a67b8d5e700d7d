//! A workspace's own directory, as admins keep it: people, groups, and who was given what.
//!
//! Whatever changes wakes the provisioning jobs that read it, so that a leaver is out at once.

mod bulk;
mod import;

use std::collections::HashMap;

use latchkey_access::authority::Action;
use latchkey_access::{EmbeddedAssignment, EmbeddedObject, ObjectKind, ObjectPresence, people as rules};
use latchkey_kernel::id::ObjectId;
use latchkey_scim::filter::fold;
use latchkey_store::{Conflict, UniqueKey};
use serde_json::{Map, Value};

pub use bulk::{Operation, Outcome, read_bulk};
pub use import::{Draft, GroupDraft, Report, Roster, import, leave_absent};

use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Caller, Engine, Error};

/// What is to be different about a person or a group; `None` leaves as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObjectPatch {
    /// The login name, or the group's name.
    pub name: Option<String>,
    /// The id by which another system knows it.
    pub external_id: Option<Option<String>>,
    /// Whether a person may sign in.
    pub enabled: Option<bool>,
    /// Attributes; null takes one away.
    pub attributes: Map<String, Value>,
    /// The manager.
    pub manager: Option<Option<ObjectId>>,
}

/// Attributes have columns of their own for these.
const OWN: &[&str] =
    &["userPrincipalName", "userName", "objectId", "externalId", "accountEnabled", "enabled"];

impl ObjectPatch {
    fn apply(&self, before: &EmbeddedObject) -> EmbeddedObject {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            name.trim().clone_into(&mut after.name);
            after.name_key = fold(&after.name).into_owned();
        }
        if let Some(external) = &self.external_id {
            after.external_id = external.clone().filter(|id| !id.is_empty());
        }
        if before.kind == ObjectKind::User {
            after.enabled = self.enabled.unwrap_or(before.enabled);
            after.manager = self.manager.unwrap_or(before.manager);
        }
        for (name, value) in &self.attributes {
            if value.is_null() || value.as_str() == Some("") {
                after.attributes.remove(name);
            } else {
                after.attributes.insert(name.clone(), value.clone());
            }
        }
        after
    }

    fn check(&self, kind: ObjectKind) -> Result<(), Error> {
        let own = if kind == ObjectKind::User { OWN } else { &["displayName", "objectId", "externalId"] };
        match self.attributes.keys().find(|name| own.contains(&name.as_str()) || name.is_empty()) {
            Some(name) => Err(Error::Invalid(format!(
                "{name:?} is no attribute to set like others: name, external id, enabled and manager are given as such"
            ))),
            None => Ok(()),
        }
    }
}

const fn what(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::User => "person",
        ObjectKind::Group => "group",
    }
}

/// A page of people or groups that are not gone, in order of their ids.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    after: Option<ObjectId>,
    limit: usize,
) -> Result<Vec<EmbeddedObject>, Error> {
    by.may(Action::ReadProvisioning)?;
    Ok(engine.store().embedded_page(by.workspace_id(), kind, after, limit).await?)
}

/// One person or group that is not gone.
///
/// # Errors
/// When there is none of this id, or the caller may not.
pub async fn get(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    id: ObjectId,
) -> Result<EmbeddedObject, Error> {
    by.may(Action::ReadProvisioning)?;
    find(engine, by, kind, id).await
}

/// The one of this id, name or external id.
///
/// # Errors
/// When there is none, or the caller may not.
pub async fn called(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    text: &str,
) -> Result<EmbeddedObject, Error> {
    by.may(Action::ReadProvisioning)?;
    if let Ok(id) = text.parse() {
        return find(engine, by, kind, id).await;
    }
    let (store, ws) = (engine.store(), by.workspace_id());
    if let Some(found) = store.embedded_named(ws, kind, &fold(text)).await? {
        return Ok(found);
    }
    store.embedded_external(ws, kind, text).await?.ok_or(Error::NotFound { what: what(kind) })
}

/// Adds a person or a group.
///
/// # Errors
/// When a name is empty, too long or taken, or the caller may not.
pub async fn add(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    new: &ObjectPatch,
) -> Result<EmbeddedObject, Error> {
    new.check(kind)?;
    let id = settled(engine, || async {
        let cause = by.cause(engine, Action::WriteProvisioning)?;
        if let Some(manager) = new.manager.flatten() {
            find(engine, by, ObjectKind::User, manager).await?;
        }
        let object = fresh(engine, by, kind, new);
        engine.commit(rules::add(object.clone(), &cause, engine.ids(&cause))?, taken(kind)).await?;
        Ok(object.id)
    })
    .await?;
    find(engine, by, kind, id).await
}

fn fresh(engine: &Engine, by: &Caller, kind: ObjectKind, new: &ObjectPatch) -> EmbeddedObject {
    let now = engine.now();
    let empty = EmbeddedObject {
        workspace_id: by.workspace_id(),
        id: ObjectId::fresh(now, engine.entropy()),
        kind,
        name: String::new(),
        name_key: String::new(),
        external_id: None,
        enabled: true,
        presence: ObjectPresence::Present,
        attributes: Map::new(),
        manager: None,
        changed: 0,
        whole_from: 0,
        created_at: now,
        modified_at: now,
    };
    new.apply(&empty)
}

/// Changes a person or a group.
///
/// # Errors
/// As [`add`], and when there is none of this id.
pub async fn change(
    engine: &Engine,
    by: &Caller,
    (kind, id): (ObjectKind, ObjectId),
    patch: &ObjectPatch,
) -> Result<EmbeddedObject, Error> {
    patch.check(kind)?;
    if let Some(manager) = patch.manager.flatten() {
        find(engine, by, ObjectKind::User, manager).await?;
    }
    rewrite(engine, by, (kind, id), |before| patch.apply(before)).await
}

/// Puts a person or a group into the bin, or takes it out again.
///
/// # Errors
/// When there is none of this id, its name was taken meanwhile, or the caller may not.
pub async fn bin(
    engine: &Engine,
    by: &Caller,
    (kind, id): (ObjectKind, ObjectId),
    binned: bool,
) -> Result<EmbeddedObject, Error> {
    let presence = if binned { ObjectPresence::SoftDeleted } else { ObjectPresence::Present };
    rewrite(engine, by, (kind, id), |before| EmbeddedObject { presence, ..before.clone() }).await
}

async fn rewrite(
    engine: &Engine,
    by: &Caller,
    (kind, id): (ObjectKind, ObjectId),
    change: impl Fn(&EmbeddedObject) -> EmbeddedObject,
) -> Result<EmbeddedObject, Error> {
    settled(engine, || async {
        let cause = by.cause(engine, Action::WriteProvisioning)?;
        let before = find(engine, by, kind, id).await?;
        let changes = rules::update(&before, change(&before), &cause, engine.ids(&cause))?;
        engine.commit(changes, taken(kind)).await
    })
    .await?;
    find(engine, by, kind, id).await
}

/// Removes a person or a group for good.
///
/// # Errors
/// When there is none of this id, or the caller may not.
pub async fn purge(engine: &Engine, by: &Caller, kind: ObjectKind, id: ObjectId) -> Result<(), Error> {
    settled(engine, || async {
        let cause = by.cause(engine, Action::WriteProvisioning)?;
        let before = find(engine, by, kind, id).await?;
        engine.commit(rules::purge(&before, &cause, engine.ids(&cause)), only_moved).await
    })
    .await
}

/// A page of a group's members.
///
/// # Errors
/// When there is no such group, or the caller may not.
pub async fn members(
    engine: &Engine,
    by: &Caller,
    group: ObjectId,
    after: Option<ObjectId>,
    limit: usize,
) -> Result<Vec<EmbeddedObject>, Error> {
    by.may(Action::ReadProvisioning)?;
    find(engine, by, ObjectKind::Group, group).await?;
    let (store, ws) = (engine.store(), by.workspace_id());
    let ids = store.embedded_members(ws, group, after, limit).await?;
    let mut found = store.embedded_objects(ws, &ids).await?;
    found.sort_by_key(|object| object.id);
    Ok(found)
}

/// Puts members into a group, and takes others out.
///
/// # Errors
/// When one of them is not there, or the caller may not.
pub async fn set_members(
    engine: &Engine,
    by: &Caller,
    group: ObjectId,
    (added, removed): (&[ObjectId], &[ObjectId]),
) -> Result<(), Error> {
    settled(engine, || async {
        let cause = by.cause(engine, Action::WriteProvisioning)?;
        let row = find(engine, by, ObjectKind::Group, group).await?;
        let known = engine.store().embedded_objects(by.workspace_id(), added).await?;
        let known: HashMap<ObjectId, &EmbeddedObject> = known.iter().map(|one| (one.id, one)).collect();
        for id in added {
            let there = known.get(id).is_some_and(|one| one.presence != ObjectPresence::Deleted);
            if !there || *id == group {
                return Err(Error::NotFound { what: "person" }.into());
            }
        }
        let changes = rules::set_members(&row, (added, removed), &cause, engine.ids(&cause));
        engine.commit(changes, only_moved).await
    })
    .await
}

/// What a person or group was given, itself or by a group that it is a direct member of.
///
/// # Errors
/// When there is none of this id, or the caller may not.
pub async fn assignments(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    id: ObjectId,
) -> Result<Vec<EmbeddedAssignment>, Error> {
    by.may(Action::ReadProvisioning)?;
    find(engine, by, kind, id).await?;
    let all = engine.store().embedded_assignments(by.workspace_id(), &[id]).await?;
    Ok(all.into_iter().map(|(_, assignment)| assignment).collect())
}

/// Gives a person or a group an application in a role.
///
/// # Errors
/// When there is none of this id, a text is empty or too long, or the caller may not.
pub async fn assign(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    assignment: &EmbeddedAssignment,
) -> Result<(), Error> {
    settled(engine, || async {
        let cause = by.cause(engine, Action::WriteProvisioning)?;
        let row = find(engine, by, kind, assignment.principal_id).await?;
        let changes = rules::assign(&row, assignment.clone(), &cause, engine.ids(&cause))?;
        engine.commit(changes, only_moved).await
    })
    .await
}

/// Ends that a person or a group has an application in a role.
///
/// # Errors
/// When there is none of this id, or the caller may not.
pub async fn unassign(
    engine: &Engine,
    by: &Caller,
    (kind, id): (ObjectKind, ObjectId),
    (application, role): (&str, &str),
) -> Result<(), Error> {
    settled(engine, || async {
        let cause = by.cause(engine, Action::WriteProvisioning)?;
        let row = find(engine, by, kind, id).await?;
        let changes = rules::unassign(&row, (application, role), &cause, engine.ids(&cause));
        engine.commit(changes, only_moved).await
    })
    .await
}

/// Settles, and wakes who provisions from the directory.
async fn settled<T, F>(engine: &Engine, attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Attempt>>,
{
    let done = engine.settle(attempt).await?;
    engine.wake_jobs();
    Ok(done)
}

async fn find(engine: &Engine, by: &Caller, kind: ObjectKind, id: ObjectId) -> Result<EmbeddedObject, Error> {
    let found = engine.store().embedded_object(by.workspace_id(), id).await?;
    found
        .filter(|row| row.kind == kind && row.presence != ObjectPresence::Deleted)
        .ok_or(Error::NotFound { what: what(kind) })
}

fn taken(kind: ObjectKind) -> impl Fn(&Conflict) -> Option<Error> {
    move |conflict| {
        let what = what(kind);
        match conflict {
            Conflict::Unique(UniqueKey::EmbeddedName) => {
                Some(Error::Clash(format!("another {what} has this name; choose another")))
            }
            Conflict::Unique(UniqueKey::EmbeddedExternalId) => {
                Some(Error::Clash(format!("another {what} has this external id; each has its own")))
            }
            _ => None,
        }
    }
}
