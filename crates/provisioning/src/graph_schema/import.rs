//! From a `synchronizationSchema` to mappings.

use serde_json::Value as Json;

use super::reader::{At, Found};
use super::{Note, object};
use crate::entry::Kind;
use crate::mapping::ObjectMapping;

/// What a schema says about people and groups.
#[derive(Debug)]
pub struct Imported {
    /// How people are provisioned; `None` when the schema does not say.
    pub users: Option<ObjectMapping>,
    /// How groups are provisioned; `None` when the schema does not say.
    pub groups: Option<ObjectMapping>,
    /// What cannot be kept, or works in another way here.
    pub warnings: Vec<Note>,
}

/// Reads a schema as Microsoft Graph and Entra ID's portal give it.
///
/// # Errors
/// Every field that is not what it has to be, with its place, what was found and what is allowed.
pub fn import(schema: &Json) -> Result<Imported, Vec<Note>> {
    let found = Found::default();
    let mut imported = Imported { users: None, groups: None, warnings: Vec::new() };
    if let Some(root) = At::root(schema, &found) {
        read(&root, &mut imported);
    }
    let faults = found.faults.into_inner();
    if !faults.is_empty() {
        return Err(faults);
    }
    imported.warnings = found.warnings.into_inner();
    Ok(imported)
}

/// The place of the object mapping of each kind that counts, by rule and mapping.
pub(super) fn places(schema: &Json) -> Vec<(Kind, usize, usize)> {
    let found = Found::default();
    let Some(root) = At::root(schema, &found) else { return Vec::new() };
    let mut places: Vec<(Kind, usize, usize)> = Vec::new();
    for (rule, at) in in_order(&root) {
        for (mapping_at, mapping) in rule.objects("objectMappings").iter().enumerate() {
            let Some(kind) = object::kind_of(mapping) else { continue };
            if !places.iter().any(|(known, ..)| *known == kind) {
                places.push((kind, at, mapping_at));
            }
        }
    }
    places
}

/// Rules run in the order of their priority, the lowest first.
fn in_order<'j>(root: &At<'j>) -> Vec<(At<'j>, usize)> {
    let rules = root.objects("synchronizationRules").into_iter().enumerate();
    let mut rules: Vec<(u64, usize, At<'j>)> = rules
        .map(|(at, rule)| (rule.number("priority", 0..=1_000_000).unwrap_or(u64::MAX), at, rule))
        .collect();
    rules.sort_by_key(|(priority, at, _)| (*priority, *at));
    rules.into_iter().map(|(_, at, rule)| (rule, at)).collect()
}

fn read(root: &At<'_>, imported: &mut Imported) {
    if !root.object.contains_key("synchronizationRules") {
        root.fault(
            "synchronizationRules",
            "it is missing: this is no synchronizationSchema of Microsoft Graph",
        );
        return;
    }
    for (rule, _) in in_order(root) {
        let directory = rule.text("targetDirectoryName");
        for mapping in rule.objects("objectMappings") {
            if mapping.need("sourceObjectName", "User or Group").is_none() {
                continue;
            }
            let Some(kind) = object::kind_of(&mapping) else {
                let name = mapping.text("sourceObjectName").unwrap_or_default();
                mapping.warn(
                    "sourceObjectName",
                    format!("objects of the kind {name} are not provisioned here; the mapping is left out"),
                );
                continue;
            };
            let slot = if kind == Kind::User { &mut imported.users } else { &mut imported.groups };
            if slot.is_some() {
                mapping.warn("sourceObjectName", "there is a mapping for this kind of object already, in a rule of a lower priority number; this one is left out");
                continue;
            }
            let definitions = definitions(root, directory, mapping.text("targetObjectName"));
            *slot = Some(object::read(&mapping, kind, &definitions));
        }
    }
    if imported.users.is_none() && imported.groups.is_none() {
        root.warn("synchronizationRules", "there is no mapping for users or groups in it");
    }
}

/// What the target's directory declares of an object's attributes.
fn definitions<'j>(root: &At<'j>, directory: Option<&str>, object: Option<&str>) -> Vec<At<'j>> {
    let named = |at: &At<'_>, name: Option<&str>| name.is_some() && at.text("name") == name;
    let directories = root.objects("directories").into_iter().filter(|one| named(one, directory));
    let objects = directories.flat_map(|one| one.objects("objects")).filter(|one| named(one, object));
    objects.flat_map(|one| one.objects("attributes")).collect()
}
