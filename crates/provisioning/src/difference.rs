//! What has to change at the target, attribute by attribute.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::desired::{Desired, Wanted};
use crate::mapping::Apply;
use crate::target_path::TargetPath;
use crate::target_schema::Type;

/// One attribute that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where.
    pub path: TargetPath,
    /// What the target holds.
    pub old: Option<Json>,
    /// What it is to hold; `None` takes the value away.
    pub new: Option<Json>,
    /// Whether logs may not show the values.
    pub redacted: bool,
}

/// How logs show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifiedProperty {
    /// The path.
    pub display_name: String,
    /// The old value, as text.
    pub old_value: Option<String>,
    /// The new value, as text.
    pub new_value: Option<String>,
}

impl Difference {
    /// As logs show it.
    pub fn shown(&self) -> ModifiedProperty {
        let text = |value: &Option<Json>| {
            value.as_ref().map(|value| match value {
                _ if self.redacted => "[Redact]".to_owned(),
                Json::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        ModifiedProperty {
            display_name: self.path.to_string(),
            old_value: text(&self.old),
            new_value: text(&self.new),
        }
    }
}

/// What differs between the desired state and a resource of the target.
pub fn difference(desired: &Desired, resource: &Map<String, Json>) -> Vec<Difference> {
    desired.values.iter().filter_map(|wanted| one(wanted, resource)).collect()
}

fn one(wanted: &Wanted, resource: &Map<String, Json>) -> Option<Difference> {
    let old = wanted.path.read(resource);
    let empty = old.is_none_or(is_empty);
    let new = match (wanted.apply, &wanted.value) {
        (Apply::OnCreate, _) => return None,
        (Apply::WhileEmpty, _) if !empty => return None,
        (Apply::AddOnly, Some(value)) => return added(wanted, old, value),
        (_, Some(value)) => Some(value),
        // A default stands in only while there is nothing.
        (Apply::Always, None) if wanted.clears && !empty && !wanted.attribute.required => None,
        (_, None) => return None,
    };
    if let (Some(old), Some(new)) = (old, new)
        && same(old, new, wanted)
    {
        return None;
    }
    Some(Difference {
        path: wanted.path.clone(),
        old: old.cloned(),
        new: new.cloned(),
        redacted: wanted.redacted,
    })
}

/// The values that are not there yet.
fn added(wanted: &Wanted, old: Option<&Json>, new: &Json) -> Option<Difference> {
    let there: &[Json] = old.and_then(Json::as_array).map_or(&[], Vec::as_slice);
    let Json::Array(values) = new else {
        let new = old.is_none_or(is_empty).then(|| new.clone())?;
        return Some(Difference {
            path: wanted.path.clone(),
            old: None,
            new: Some(new),
            redacted: wanted.redacted,
        });
    };
    let missing = values.iter().filter(|value| !there.iter().any(|known| covers(known, value, wanted)));
    let missing: Vec<Json> = missing.cloned().collect();
    let new = (!missing.is_empty()).then_some(Json::Array(missing));
    new.map(|new| Difference {
        path: wanted.path.clone(),
        old: old.cloned(),
        new: Some(new),
        redacted: wanted.redacted,
    })
}

/// Whether a target's value is the wanted one: whatever it adds of its own is not a difference.
fn same(old: &Json, new: &Json, wanted: &Wanted) -> bool {
    match (old, new) {
        (Json::Array(old), Json::Array(new)) => {
            old.len() == new.len()
                && new.iter().all(|value| old.iter().any(|known| covers(known, value, wanted)))
        }
        // A manager is an object at most targets, and its id here.
        (Json::Object(object), Json::String(_)) if wanted.attribute.kind == Type::Reference => {
            object.get("value").is_some_and(|old| covers(old, new, wanted))
        }
        (old, new) => covers(old, new, wanted),
    }
}

fn covers(old: &Json, new: &Json, wanted: &Wanted) -> bool {
    match (old, new) {
        (Json::Object(old), Json::Object(new)) => new.iter().all(|(key, value)| {
            old.get(key)
                .map_or(value.is_null() || *value == Json::Bool(false), |known| covers(known, value, wanted))
        }),
        (Json::String(old), Json::String(new)) if wanted.attribute.case_exact => old == new,
        (Json::String(old), Json::String(new)) => old == new || old.to_lowercase() == new.to_lowercase(),
        // Some targets keep booleans and numbers as text.
        (Json::String(old), Json::Bool(_) | Json::Number(_)) => old.eq_ignore_ascii_case(&new.to_string()),
        (old, new) => old == new,
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(values) => values.is_empty(),
        Json::Object(object) => object.is_empty(),
        _ => false,
    }
}
