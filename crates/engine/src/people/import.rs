//! Many people and groups at once, as a file or an upload has them.

use std::collections::{HashMap, HashSet};

use latchkey_access::authority::Action;
use latchkey_access::{
    ChangeSet, EmbeddedAssignment, EmbeddedObject, ObjectKind, ObjectPresence, people as rules,
};
use latchkey_kernel::id::ObjectId;
use latchkey_scim::filter::fold;

use super::{ObjectPatch, fresh, settled, taken};
use crate::{Caller, Engine, Error};

/// Objects written in one transaction.
const PORTION: usize = 200;

/// A person as a file has them. Who it is, the external id says, else the name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// What is to be so; what is absent stays.
    pub patch: ObjectPatch,
    /// The manager's external id or name; an empty text takes the manager away.
    pub manager: Option<String>,
    /// Names or external ids of groups that the person is in; others stay as they are.
    pub groups: Vec<String>,
    /// Applications and roles that the person is given.
    pub assignments: Vec<(String, String)>,
}

/// A group as a file has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupDraft {
    /// What is to be so.
    pub patch: ObjectPatch,
    /// All members, by external id or name; `None` leaves them as they are.
    pub members: Option<Vec<String>>,
}

/// What is to be brought in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roster {
    /// People.
    pub people: Vec<Draft>,
    /// Groups.
    pub groups: Vec<GroupDraft>,
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// The person of each draft, in order.
    #[serde(skip)]
    pub people: Vec<ObjectId>,
    /// The group of each draft, in order.
    #[serde(skip)]
    pub groups: Vec<ObjectId>,
    /// Objects that were made.
    pub added: usize,
    /// Objects that were changed.
    pub updated: usize,
    /// Objects that were so already.
    pub unchanged: usize,
    /// People and groups that were named and are not there.
    pub unknown: Vec<String>,
}

/// Brings people and groups in: makes whom it does not find, and changes who is different. A portion
/// at a time, each whole or not at all; run again, it goes on where it broke off.
///
/// # Errors
/// When a name is empty, too long or taken, or the caller may not; what was written stays.
pub async fn import(engine: &Engine, by: &Caller, roster: &Roster) -> Result<Report, Error> {
    let mut report = Report::default();
    for portion in roster.people.chunks(PORTION) {
        let patches: Vec<&ObjectPatch> = portion.iter().map(|draft| &draft.patch).collect();
        let ids = portion_of(engine, by, ObjectKind::User, &patches, &mut report).await?;
        report.people.extend(ids);
    }
    for portion in roster.groups.chunks(PORTION) {
        let patches: Vec<&ObjectPatch> = portion.iter().map(|draft| &draft.patch).collect();
        let ids = portion_of(engine, by, ObjectKind::Group, &patches, &mut report).await?;
        report.groups.extend(ids);
    }
    managers(engine, by, roster, &mut report).await?;
    seats(engine, by, roster, &mut report).await?;
    for (draft, id) in roster.people.iter().zip(report.people.clone()) {
        for (application, role) in &draft.assignments {
            let assignment = EmbeddedAssignment {
                principal_id: id,
                application: application.clone(),
                role: role.clone(),
                display: role.clone(),
                entitles: true,
            };
            let has = engine.store().embedded_assignments(by.workspace_id(), &[id]).await?;
            if !has.iter().any(|(_, one)| *one == assignment) {
                super::assign(engine, by, ObjectKind::User, &assignment).await?;
            }
        }
    }
    report.unknown.sort();
    report.unknown.dedup();
    Ok(report)
}

/// Puts every person into the bin who is not among these: a list that is whole says that they left.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn leave_absent(
    engine: &Engine,
    by: &Caller,
    present: &[ObjectId],
) -> Result<Vec<ObjectId>, Error> {
    by.may(Action::WriteProvisioning)?;
    let present: HashSet<ObjectId> = present.iter().copied().collect();
    let (mut after, mut gone) = (None, Vec::new());
    loop {
        let page = engine.store().embedded_page(by.workspace_id(), ObjectKind::User, after, PORTION).await?;
        let Some(last) = page.last() else { return Ok(gone) };
        after = Some(last.id);
        for row in page {
            if row.presence == ObjectPresence::Present && !present.contains(&row.id) {
                super::bin(engine, by, (ObjectKind::User, row.id), true).await?;
                gone.push(row.id);
            }
        }
    }
}

async fn portion_of(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    patches: &[&ObjectPatch],
    report: &mut Report,
) -> Result<Vec<ObjectId>, Error> {
    for patch in patches {
        patch.check(kind)?;
    }
    let (ids, counts) = settled(engine, || async {
        let cause = by.cause(engine, Action::WriteProvisioning)?;
        let mut changes = ChangeSet::new(by.workspace_id());
        let mut ids = Vec::with_capacity(patches.len());
        let mut counts = [0_usize; 3];
        // The same one twice in a portion is changed twice, one after the other.
        let mut made: HashMap<ObjectId, EmbeddedObject> = HashMap::new();
        for patch in patches {
            let found = match whose(engine, by, kind, patch, &made).await? {
                // Their row has a number of this set; another set writes it.
                Some(row) if made.contains_key(&row.id) => {
                    return Err(Error::Invalid(format!(
                        "{:?} stands in the list twice; keep one of them",
                        row.name
                    ))
                    .into());
                }
                found => found,
            };
            let row = match found {
                Some(before) => {
                    let mut after = patch.apply(&before);
                    // Who is told of is there: back from the bin.
                    after.presence = ObjectPresence::Present;
                    let set = rules::update(&before, after.clone(), &cause, engine.ids(&cause))?;
                    counts[if set.is_empty() { 2 } else { 1 }] += 1;
                    changes.append(set);
                    after
                }
                None => {
                    let row = fresh(engine, by, kind, patch);
                    counts[0] += 1;
                    changes.append(rules::add(row.clone(), &cause, engine.ids(&cause))?);
                    row
                }
            };
            ids.push(row.id);
            made.insert(row.id, row);
        }
        engine.commit(changes, taken(kind)).await?;
        Ok((ids, counts))
    })
    .await?;
    report.added += counts[0];
    report.updated += counts[1];
    report.unchanged += counts[2];
    Ok(ids)
}

/// Whom a draft is about.
async fn whose(
    engine: &Engine,
    by: &Caller,
    kind: ObjectKind,
    patch: &ObjectPatch,
    made: &HashMap<ObjectId, EmbeddedObject>,
) -> Result<Option<EmbeddedObject>, Error> {
    let (store, ws) = (engine.store(), by.workspace_id());
    let key = patch.name.as_deref().map(|name| fold(name.trim()).into_owned());
    let external = patch.external_id.as_ref().and_then(Option::as_deref).filter(|id| !id.is_empty());
    let same = |row: &&EmbeddedObject| {
        external.is_some_and(|id| row.external_id.as_deref() == Some(id))
            || key.as_ref().is_some_and(|key| row.name_key == *key)
    };
    if let Some(row) = made.values().find(same) {
        return Ok(Some(row.clone()));
    }
    if let Some(id) = external
        && let Some(found) = store.embedded_external(ws, kind, id).await?
    {
        return Ok(Some(found));
    }
    match key {
        Some(key) => Ok(store.embedded_named(ws, kind, &key).await?),
        None => Ok(None),
    }
}

async fn managers(engine: &Engine, by: &Caller, roster: &Roster, report: &mut Report) -> Result<(), Error> {
    for (draft, id) in roster.people.iter().zip(report.people.clone()) {
        let Some(text) = &draft.manager else { continue };
        let manager = if text.is_empty() { None } else { person(engine, by, text).await? };
        if manager.is_none() && !text.is_empty() {
            report.unknown.push(text.clone());
            continue;
        }
        let row = super::find(engine, by, ObjectKind::User, id).await?;
        if row.manager != manager {
            let patch = ObjectPatch { manager: Some(manager), ..ObjectPatch::default() };
            super::change(engine, by, (ObjectKind::User, id), &patch).await?;
        }
    }
    Ok(())
}

async fn person(engine: &Engine, by: &Caller, text: &str) -> Result<Option<ObjectId>, Error> {
    let (store, ws) = (engine.store(), by.workspace_id());
    if let Some(found) = store.embedded_external(ws, ObjectKind::User, text).await? {
        return Ok(Some(found.id));
    }
    Ok(store.embedded_named(ws, ObjectKind::User, &fold(text)).await?.map(|row| row.id))
}

async fn seats(engine: &Engine, by: &Caller, roster: &Roster, report: &mut Report) -> Result<(), Error> {
    let mut coming: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    for (draft, id) in roster.people.iter().zip(&report.people) {
        for name in &draft.groups {
            match super::called(engine, by, ObjectKind::Group, name).await {
                Ok(group) => coming.entry(group.id).or_default().push(*id),
                Err(Error::NotFound { .. }) => report.unknown.push(name.clone()),
                Err(error) => return Err(error),
            }
        }
    }
    let mut whole: HashMap<ObjectId, HashSet<ObjectId>> = HashMap::new();
    for (draft, id) in roster.groups.iter().zip(&report.groups) {
        let Some(members) = &draft.members else { continue };
        let list = whole.entry(*id).or_default();
        for text in members {
            match person(engine, by, text).await? {
                Some(member) => {
                    list.insert(member);
                }
                None => report.unknown.push(text.clone()),
            }
        }
    }
    for (group, list) in whole {
        let list = list.into_iter().chain(coming.remove(&group).unwrap_or_default()).collect();
        let present = all_members(engine, by, group).await?;
        let added: Vec<ObjectId> = sorted(&list, &present);
        let removed: Vec<ObjectId> = sorted(&present, &list);
        super::set_members(engine, by, group, (&added, &removed)).await?;
    }
    for (group, list) in coming {
        let present = all_members(engine, by, group).await?;
        let added: Vec<ObjectId> = sorted(&list.into_iter().collect(), &present);
        super::set_members(engine, by, group, (&added, &[])).await?;
    }
    Ok(())
}

fn sorted(of: &HashSet<ObjectId>, but: &HashSet<ObjectId>) -> Vec<ObjectId> {
    let mut list: Vec<ObjectId> = of.difference(but).copied().collect();
    list.sort_unstable();
    list
}

async fn all_members(engine: &Engine, by: &Caller, group: ObjectId) -> Result<HashSet<ObjectId>, Error> {
    let (mut all, mut after) = (HashSet::new(), None);
    loop {
        let page = engine.store().embedded_members(by.workspace_id(), group, after, 5_000).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(*last);
        all.extend(page);
    }
}
