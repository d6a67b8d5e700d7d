//! Where a mapping writes: a path into a SCIM resource.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value as Json, json};

/// A path of the forms `userName`, `name.familyName`, `emails[type eq "work"].value` and
/// `urn:…:User:department`, with the extension's URN apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetPath {
    /// The extension that the attribute is of; `None` is the core schema.
    pub urn: Option<String>,
    /// The attribute.
    pub attribute: String,
    /// Which of several values: the sub-attribute and what it equals.
    pub which: Option<(String, String)>,
    /// The sub-attribute.
    pub sub: Option<String>,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path:?} is no target attribute: {reason}; the forms are userName, name.familyName, emails[type eq \"work\"].value and urn:…:User:department"
)]
pub struct PathError {
    path: String,
    reason: &'static str,
}

impl FromStr for TargetPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let wrong = |reason| PathError { path: text.to_owned(), reason };
        let text = text.trim();
        let (urn, rest) = if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) {
            // Colons may not stand in attribute names, so the last one before a bracket parts them.
            let end = text.find('[').unwrap_or(text.len());
            let at = text[..end]
                .rfind(':')
                .filter(|at| *at > 3)
                .ok_or_else(|| wrong("the URN names no attribute"))?;
            (Some(text[..at].to_owned()), &text[at + 1..])
        } else {
            (None, text)
        };
        let urn = urn.filter(|urn| !is_core(urn));
        let (attribute, which, rest) = match rest.split_once('[') {
            None => {
                let (attribute, sub) =
                    rest.split_once('.').map_or((rest, ""), |(attribute, sub)| (attribute, sub));
                (attribute, None, sub)
            }
            Some((attribute, rest)) => {
                let (filter, after) =
                    rest.rsplit_once(']').ok_or_else(|| wrong("a bracket is not closed"))?;
                let sub = match after.strip_prefix('.') {
                    Some(sub) if !sub.is_empty() => sub,
                    None if after.is_empty() => "",
                    _ => return Err(wrong("after the filter comes a dot and a sub-attribute")),
                };
                (
                    attribute,
                    Some(which(filter).ok_or_else(|| wrong("the filter is of the form type eq \"work\""))?),
                    sub,
                )
            }
        };
        if !is_name(attribute) {
            return Err(wrong("the attribute's name is missing or not made of letters, digits, - and _"));
        }
        if !rest.is_empty() && !is_name(rest) {
            return Err(wrong("there is one level of sub-attributes"));
        }
        let sub = (!rest.is_empty()).then(|| rest.to_owned());
        Ok(Self { urn, attribute: attribute.to_owned(), which, sub })
    }
}

fn is_core(urn: &str) -> bool {
    urn.to_ascii_lowercase().starts_with("urn:ietf:params:scim:schemas:core:2.0:")
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn which(filter: &str) -> Option<(String, String)> {
    let mut words = filter.trim().splitn(3, ' ');
    let (sub, operator, value) = (words.next()?, words.next()?, words.next()?.trim());
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let value = match quoted {
        Some(text) => text.replace("\\\"", "\"").replace("\\\\", "\\"),
        None if matches!(value, "true" | "false") => value.to_owned(),
        None => return None,
    };
    (operator.eq_ignore_ascii_case("eq") && is_name(sub)).then(|| (sub.to_owned(), value))
}

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.attribute)?;
        if let Some((sub, value)) = &self.which {
            write!(f, "[{sub} eq {}]", json!(value))?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl TargetPath {
    /// What a resource holds there; attribute names are compared without case (RFC 7643 §2.1).
    pub fn read<'r>(&self, resource: &'r Map<String, Json>) -> Option<&'r Json> {
        let resource = match &self.urn {
            Some(urn) => member(resource, urn)?.as_object()?,
            None => resource,
        };
        let value = member(resource, &self.attribute)?;
        let value = match (&self.which, value) {
            (Some((sub, wanted)), Json::Array(values)) => {
                values.iter().find(|value| is_the_one(value, sub, wanted))?
            }
            (Some(_), _) => return None,
            (None, value) => value,
        };
        let found = match (&self.sub, value) {
            (Some(sub), Json::Object(object)) => member(object, sub)?,
            // What is asked of a simple value is its value.
            (Some(sub), simple) if sub.eq_ignore_ascii_case("value") && !simple.is_array() => simple,
            (Some(_), _) => return None,
            (None, value) => value,
        };
        (!found.is_null()).then_some(found)
    }

    /// Writes a value into a resource that is being put together.
    pub fn write(&self, resource: &mut Map<String, Json>, value: Json) {
        let resource = match &self.urn {
            Some(urn) => object_at(resource, urn),
            None => resource,
        };
        let Some(which) = &self.which else {
            match &self.sub {
                Some(sub) => object_at(resource, &self.attribute).insert(sub.clone(), value),
                None => resource.insert(self.attribute.clone(), value),
            };
            return;
        };
        let slot = resource.entry(self.attribute.clone()).or_insert_with(|| json!([]));
        if !slot.is_array() {
            *slot = json!([]);
        }
        let Json::Array(values) = slot else { return };
        let at = values.iter().position(|value| is_the_one(value, &which.0, &which.1));
        let at = at.unwrap_or_else(|| {
            let wanted = match which.1.as_str() {
                "true" | "True" if which.0.eq_ignore_ascii_case("primary") => json!(true),
                text => json!(text),
            };
            values.push(json!({ which.0.clone(): wanted }));
            values.len() - 1
        });
        if let Some(Json::Object(object)) = values.get_mut(at) {
            match (&self.sub, value) {
                (Some(sub), value) => {
                    object.insert(sub.clone(), value);
                }
                (None, Json::Object(whole)) => object.extend(whole),
                (None, value) => {
                    object.insert("value".to_owned(), value);
                }
            }
        }
    }
}

fn member<'r>(object: &'r Map<String, Json>, name: &str) -> Option<&'r Json> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn object_at<'r>(object: &'r mut Map<String, Json>, name: &str) -> &'r mut Map<String, Json> {
    let slot = object.entry(name.to_owned()).or_insert_with(|| Json::Object(Map::new()));
    if !slot.is_object() {
        *slot = Json::Object(Map::new());
    }
    match slot {
        Json::Object(inner) => inner,
        _ => unreachable!("it has just been made an object"),
    }
}

fn is_the_one(value: &Json, sub: &str, wanted: &str) -> bool {
    let found = value.as_object().and_then(|object| member(object, sub));
    match found {
        Some(Json::String(text)) => text.eq_ignore_ascii_case(wanted),
        Some(Json::Bool(flag)) => wanted.eq_ignore_ascii_case(if *flag { "true" } else { "false" }),
        _ => false,
    }
}
