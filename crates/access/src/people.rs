//! People and groups of a workspace's own directory are made, changed, binned and purged.

use latchkey_kernel::id::ObjectId;
use serde_json::{Value, json};

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::embedded::{EmbeddedAssignment, EmbeddedChange, EmbeddedObject, ObjectKind, ObjectPresence};
use crate::refusal::{NAME_MAX, Refusal, bounded};

/// What an object's records call it.
const fn noun(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::User => "person",
        ObjectKind::Group => "group",
    }
}

fn note(
    changes: &mut ChangeSet,
    by: (&Cause, Ids<'_>),
    words: (&'static str, &'static str),
    object: &EmbeddedObject,
    detail: Value,
) {
    let action = if object.kind == ObjectKind::User { words.0 } else { words.1 };
    changes.note(by, action, (noun(object.kind), &object.id), detail);
}

fn checked(object: &EmbeddedObject) -> Result<(), Refusal> {
    let what = match object.kind {
        ObjectKind::User => "the person's login name",
        ObjectKind::Group => "the group's name",
    };
    bounded(what, &object.name, NAME_MAX)
}

fn begun(object: &EmbeddedObject) -> ChangeSet {
    let mut changes = ChangeSet::new(object.workspace_id);
    changes.push(EmbeddedChange::Begin.into());
    changes
}

/// Adds a person or a group.
///
/// # Errors
/// When its name is empty or too long.
pub fn add(object: EmbeddedObject, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    checked(&object)?;
    let mut changes = begun(&object);
    let detail = json!({ "name": object.name, "external_id": object.external_id, "enabled": object.enabled });
    note(&mut changes, (cause, ids), ("person.added", "group.added"), &object, detail);
    changes.push(EmbeddedChange::Insert(Box::new(object)).into());
    Ok(changes)
}

/// Writes an object as it is from now on; nothing changed is an empty change set.
///
/// # Errors
/// When its name is empty or too long, or a person would be their own manager.
pub fn update(
    before: &EmbeddedObject,
    after: EmbeddedObject,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    checked(&after)?;
    if after.manager == Some(after.id) {
        return Err(Refusal::OwnManager);
    }
    let after = EmbeddedObject {
        workspace_id: before.workspace_id,
        id: before.id,
        kind: before.kind,
        created_at: before.created_at,
        modified_at: before.modified_at,
        ..after
    };
    if after == *before {
        return Ok(ChangeSet::new(before.workspace_id));
    }
    let words = match (before.presence, after.presence) {
        (ObjectPresence::Present, ObjectPresence::SoftDeleted) => ("person.deleted", "group.deleted"),
        (ObjectPresence::SoftDeleted, ObjectPresence::Present) => ("person.restored", "group.restored"),
        _ if before.enabled && !after.enabled => ("person.disabled", "group.updated"),
        _ if !before.enabled && after.enabled => ("person.enabled", "group.updated"),
        _ => ("person.updated", "group.updated"),
    };
    let mut names: Vec<&String> = after
        .attributes
        .iter()
        .filter(|(name, value)| before.attributes.get(*name) != Some(value))
        .map(|(name, _)| name)
        .collect();
    names.extend(before.attributes.keys().filter(|name| !after.attributes.contains_key(*name)));
    let told = |object: &EmbeddedObject| json!({ "name": object.name, "enabled": object.enabled, "manager": object.manager });
    let detail = json!({ "changed": names, "before": told(before), "after": told(&after) });
    let mut changes = begun(before);
    note(&mut changes, (cause, ids), words, before, detail);
    let object = EmbeddedObject { modified_at: cause.now, ..after };
    changes.push(EmbeddedChange::Update { object: Box::new(object), expect: before.changed }.into());
    Ok(changes)
}

/// Removes an object for good: nothing is kept of it but its id, so that jobs learn of it.
pub fn purge(before: &EmbeddedObject, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = begun(before);
    let gone = EmbeddedObject {
        presence: ObjectPresence::Deleted,
        enabled: false,
        attributes: serde_json::Map::new(),
        manager: None,
        modified_at: cause.now,
        ..before.clone()
    };
    changes.push(EmbeddedChange::Update { object: Box::new(gone), expect: before.changed }.into());
    changes.push(EmbeddedChange::Clear { id: before.id }.into());
    note(
        &mut changes,
        (cause, ids),
        ("person.purged", "group.purged"),
        before,
        json!({ "name": before.name }),
    );
    changes
}

/// Puts members into a group, and takes others out.
pub fn set_members(
    group: &EmbeddedObject,
    (added, removed): (&[ObjectId], &[ObjectId]),
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    if added.is_empty() && removed.is_empty() {
        return ChangeSet::new(group.workspace_id);
    }
    let mut changes = begun(group);
    for (list, present) in [(added, true), (removed, false)] {
        for member_id in list {
            let set = EmbeddedChange::MemberSet { group_id: group.id, member_id: *member_id, present };
            changes.push(set.into());
        }
    }
    let detail = json!({ "name": group.name, "added": added, "removed": removed });
    note(&mut changes, (cause, ids), ("group.members_changed", "group.members_changed"), group, detail);
    changes
}

/// Gives an object an application in a role.
///
/// # Errors
/// When the application's name is empty or too long.
pub fn assign(
    object: &EmbeddedObject,
    assignment: EmbeddedAssignment,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    bounded("the application's name", &assignment.application, NAME_MAX)?;
    let mut changes = begun(object);
    let detail =
        json!({ "name": object.name, "application": assignment.application, "role": assignment.role });
    note(&mut changes, (cause, ids), ("person.assigned", "group.assigned"), object, detail);
    changes.push(EmbeddedChange::Assign(assignment).into());
    Ok(changes)
}

/// Ends that an object has an application in a role.
pub fn unassign(
    object: &EmbeddedObject,
    (application, role): (&str, &str),
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = begun(object);
    let (application, role) = (application.to_owned(), role.to_owned());
    let detail = json!({ "name": object.name, "application": application, "role": role });
    note(&mut changes, (cause, ids), ("person.unassigned", "group.unassigned"), object, detail);
    changes.push(EmbeddedChange::Unassign { principal_id: object.id, application, role }.into());
    changes
}
