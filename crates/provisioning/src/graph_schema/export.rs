//! From mappings to a `synchronizationSchema`.

use serde_json::{Map, Value as Json, json};

use super::import::{import, places};
use super::{Note, object};
use crate::entry::Kind;
use crate::mapping::ObjectMapping;
use crate::scope::Operator;

/// A schema, and what it cannot say.
#[derive(Debug)]
pub struct Exported {
    /// The schema.
    pub schema: Json,
    /// What Entra ID does not know of what is in it.
    pub warnings: Vec<Note>,
}

type Fields = Map<String, Json>;

const SOURCE: &str = "Azure Active Directory";
const TARGET: &str = "customappsso";

/// Writes mappings. Given the schema that they came from, everything of it that they do not say
/// otherwise stays as it is, ids, directories and metadata included.
pub fn export(
    users: Option<&ObjectMapping>,
    groups: Option<&ObjectMapping>,
    original: Option<&Json>,
) -> Exported {
    let original = original.filter(|json| json.get("synchronizationRules").is_some_and(Json::is_array));
    let mut schema = original.cloned().unwrap_or_else(|| fresh(users.is_some(), groups.is_some()));
    let before = import(&schema).ok();
    let mut warnings = Vec::new();
    for (kind, mapping) in [(Kind::User, users), (Kind::Group, groups)] {
        let place = places(&schema).into_iter().find(|(known, ..)| *known == kind);
        let was = before
            .as_ref()
            .and_then(|it| if kind == Kind::User { it.users.as_ref() } else { it.groups.as_ref() });
        match (place, mapping) {
            (None, None) => {}
            (None, Some(mapping)) => {
                let added = added(kind, mapping);
                if let Some(mappings) = mappings_of(&mut schema, 0) {
                    mappings.push(added);
                    say(
                        mapping,
                        &format!("synchronizationRules[0].objectMappings[{}]", mappings.len() - 1),
                        &mut warnings,
                    );
                }
            }
            (Some((_, rule, at)), mapping) => {
                let held = mappings_of(&mut schema, rule).and_then(|mappings| mappings.get_mut(at));
                let Some(Json::Object(held)) = held else { continue };
                match mapping {
                    Some(mapping) => {
                        merge(held, was, mapping);
                        say(
                            mapping,
                            &format!("synchronizationRules[{rule}].objectMappings[{at}]"),
                            &mut warnings,
                        );
                    }
                    None => _ = held.insert("enabled".to_owned(), json!(false)),
                }
            }
        }
    }
    Exported { schema, warnings }
}

fn mappings_of(schema: &mut Json, rule: usize) -> Option<&mut Vec<Json>> {
    let rule = schema.get_mut("synchronizationRules")?.get_mut(rule)?.as_object_mut()?;
    rule.entry("objectMappings").or_insert_with(|| json!([])).as_array_mut()
}

/// Writes over what says something else, and leaves what says the same as it was written.
fn merge(held: &mut Fields, was: Option<&ObjectMapping>, mapping: &ObjectMapping) {
    let mut fields = object::write(mapping);
    fields.remove("attributeMappings");
    let before = was.map(object::write).unwrap_or_default();
    for (key, value) in fields {
        if before.get(&key) != Some(&value) {
            held.insert(key, value);
        }
    }
    let old: Vec<Json> = held.get("attributeMappings").and_then(Json::as_array).cloned().unwrap_or_default();
    let was: Vec<Fields> = was.iter().flat_map(|was| &was.attributes).map(object::write_attribute).collect();
    let mut new: Vec<Fields> = mapping.attributes.iter().map(object::write_attribute).collect();
    let mut merged = Vec::new();
    for one in old {
        let target = one.as_object().and_then(target_of);
        let place = new.iter().position(|it| target_of(it) == target);
        let before = was.iter().find(|it| target_of(it) == target);
        match (one, place) {
            (Json::Object(one), Some(at)) => {
                merged.push(Json::Object(merge_attribute(one, before, new.remove(at))))
            }
            // What could not be read is not ours to take away.
            (one, None) if before.is_none() => merged.push(one),
            _ => {}
        }
    }
    merged.extend(new.into_iter().map(Json::Object));
    held.insert("attributeMappings".to_owned(), Json::Array(merged));
}

fn merge_attribute(mut held: Fields, before: Option<&Fields>, new: Fields) -> Fields {
    const CLEARS: &str = "flowNullValues";
    if !new.contains_key(CLEARS) && before.is_some_and(|before| before.contains_key(CLEARS)) {
        held.remove(CLEARS);
    }
    for (key, value) in new {
        if before.and_then(|before| before.get(&key)) != Some(&value) {
            held.insert(key, value);
        }
    }
    held
}

/// The target of a mapping as it is written here, however it is written there.
fn target_of(mapping: &Fields) -> Option<String> {
    let text = mapping.get("targetAttributeName")?.as_str()?;
    let path = text.parse::<crate::TargetPath>();
    Some(path.map_or_else(|_| text.to_owned(), |path| path.to_string()).to_lowercase())
}

fn say(mapping: &ObjectMapping, place: &str, warnings: &mut Vec<Note>) {
    for (at, group) in mapping.scope.groups.iter().enumerate() {
        for (clause_at, clause) in group.clauses.iter().enumerate() {
            if clause.operator() == Operator::IsMemberOf {
                warnings.push(Note {
                    place: format!("{place}.scope.groups[{at}].clauses[{clause_at}].operatorName"),
                    message: "Entra ID does not support IsMemberOf in filters".to_owned(),
                });
            }
        }
    }
    for (at, one) in mapping.attributes.iter().enumerate().filter(|(_, one)| one.clears) {
        warnings.push(Note {
            place: format!("{place}.attributeMappings[{at}].flowNullValues"),
            message: format!(
                "Entra ID does not take {} away at the target when it is gone at the source",
                one.target
            ),
        });
    }
}

fn added(kind: Kind, mapping: &ObjectMapping) -> Json {
    let (source, target, name) = match kind {
        Kind::User => {
            ("User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "Provision users")
        }
        Kind::Group => ("Group", "urn:ietf:params:scim:schemas:core:2.0:Group", "Provision groups"),
    };
    let mut object = object::write(mapping);
    object.insert("name".to_owned(), json!(name));
    object.insert("sourceObjectName".to_owned(), json!(source));
    object.insert("targetObjectName".to_owned(), json!(target));
    object.insert("metadata".to_owned(), json!([]));
    Json::Object(object)
}

fn fresh(users: bool, groups: bool) -> Json {
    let name = match (users, groups) {
        (true, false) => "USER_OUTBOUND_USER",
        (false, true) => "GROUP_OUTBOUND_GROUP",
        _ => "USER_AND_GROUP_OUTBOUND",
    };
    json!({
        "directories": [],
        "synchronizationRules": [{
            "name": name,
            "priority": 1,
            "editable": true,
            "sourceDirectoryName": SOURCE,
            "targetDirectoryName": TARGET,
            "metadata": [],
            "objectMappings": [],
        }],
    })
}
