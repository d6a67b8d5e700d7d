//! People and groups as a SCIM bulk request has them (RFC 7644 §3.7), as HR systems upload them.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Draft, GroupDraft, ObjectPatch};
use crate::Error;

/// One operation of a request, understood or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A person.
    Person(Box<Draft>),
    /// A group.
    Group(Box<GroupDraft>),
    /// It could not be understood, for this reason.
    Refused(String),
}

/// An operation with its `bulkId`.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// As the request has it.
    pub bulk_id: Option<String>,
    /// What it says.
    pub outcome: Outcome,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    schemas: Vec<String>,
    #[serde(rename = "Operations")]
    operations: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    method: String,
    path: String,
    #[serde(rename = "bulkId")]
    bulk_id: Option<String>,
    #[serde(default)]
    data: Map<String, Value>,
}

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// SCIM's names of simple attributes, and ours.
const SIMPLE: &[(&str, &str)] = &[
    ("displayName", "displayName"),
    ("title", "jobTitle"),
    ("preferredLanguage", "preferredLanguage"),
    ("nickName", "mailNickname"),
    ("userType", "userType"),
];
const NAME: &[(&str, &str)] = &[("givenName", "givenName"), ("familyName", "surname")];
const ADDRESS: &[(&str, &str)] = &[
    ("formatted", "physicalDeliveryOfficeName"),
    ("streetAddress", "streetAddress"),
    ("locality", "city"),
    ("region", "state"),
    ("postalCode", "postalCode"),
    ("country", "country"),
];
const COMPANY: &[(&str, &str)] = &[
    ("employeeNumber", "employeeId"),
    ("department", "department"),
    ("division", "division"),
    ("costCenter", "costCenter"),
    ("organization", "companyName"),
];

/// Reads a request of at most `most` operations. What is wrong with one of them does not stop the others.
///
/// # Errors
/// When it is no bulk request, or too large.
pub fn read_bulk(body: &[u8], most: usize) -> Result<Vec<Operation>, Error> {
    let request: Request = serde_json::from_slice(body)
        .map_err(|error| Error::Invalid(format!("the body is no SCIM bulk request: {error}")))?;
    if !request.schemas.iter().any(|schema| schema == BULK) {
        return Err(Error::Invalid(format!("schemas must have {BULK}")));
    }
    if request.operations.len() > most {
        let found = request.operations.len();
        return Err(Error::Invalid(format!(
            "there are {found} operations, and {most} are taken in one request"
        )));
    }
    Ok(request.operations.into_iter().map(operation).collect())
}

fn operation(raw: Raw) -> Operation {
    let path = raw.path.trim_end_matches('/');
    let outcome = if !raw.method.eq_ignore_ascii_case("POST") {
        Outcome::Refused(format!(
            "the method is {:?}, but each operation is a POST, of somebody who is there already as well",
            raw.method
        ))
    } else if path.eq_ignore_ascii_case("/Users") {
        person(&raw.data).map_or_else(Outcome::Refused, |draft| Outcome::Person(Box::new(draft)))
    } else if path.eq_ignore_ascii_case("/Groups") {
        group(&raw.data).map_or_else(Outcome::Refused, |draft| Outcome::Group(Box::new(draft)))
    } else {
        Outcome::Refused(format!("the path is {:?}, but /Users or /Groups is needed", raw.path))
    };
    Operation { bulk_id: raw.bulk_id, outcome }
}

fn text(data: &Map<String, Value>, name: &str) -> Result<Option<Option<String>>, String> {
    match data.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) => Ok(Some(Some(text.clone()))),
        Some(other) => Err(format!("{name} is {other}, but a text is needed")),
    }
}

/// Sets what is there by our names; null takes away, absent stays.
fn take(into: &mut Map<String, Value>, from: &Map<String, Value>, names: &[(&str, &str)]) {
    for (theirs, ours) in names {
        if let Some(value) = from.get(*theirs) {
            into.insert((*ours).to_owned(), value.clone());
        }
    }
}

/// The value of the wanted type, else the primary one, else (where no type is asked for) the first.
fn chosen<'v>(data: &'v Map<String, Value>, name: &str, of_type: &str) -> Option<&'v Map<String, Value>> {
    let list: Vec<&Map<String, Value>> =
        data.get(name)?.as_array()?.iter().filter_map(Value::as_object).collect();
    let typed = list.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(of_type));
    let untyped = list.iter().find(|one| one.get("type").is_none());
    typed.or(untyped).copied()
}

fn person(data: &Map<String, Value>) -> Result<Draft, String> {
    let name = text(data, "userName")?.flatten();
    let external_id = text(data, "externalId")?;
    if name.is_none() && external_id.as_ref().is_none_or(Option::is_none) {
        return Err("neither userName nor externalId says who it is".to_owned());
    }
    // Some systems send booleans as text, with any capital letters.
    let enabled = match data.get("active") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(active)) => Some(*active),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => Some(true),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => Some(false),
        Some(other) => return Err(format!("active is {other}, but true or false is needed")),
    };
    let mut attributes = Map::new();
    take(&mut attributes, data, SIMPLE);
    if let Some(Value::Object(parts)) = data.get("name") {
        take(&mut attributes, parts, NAME);
    }
    if let Some(address) = chosen(data, "addresses", "work") {
        take(&mut attributes, address, ADDRESS);
    }
    for (list, of_type, ours) in [
        ("emails", "work", "mail"),
        ("phoneNumbers", "work", "telephoneNumber"),
        ("phoneNumbers", "mobile", "mobile"),
        ("phoneNumbers", "fax", "facsimileTelephoneNumber"),
    ] {
        let cleared = data.get(list).is_some_and(Value::is_null);
        let value = chosen(data, list, of_type).and_then(|one| one.get("value"));
        if cleared {
            attributes.insert(ours.to_owned(), Value::Null);
        } else if let Some(value) = value.filter(|_| of_type == "work" || typed(data, list, of_type)) {
            attributes.insert(ours.to_owned(), value.clone());
        }
    }
    let mut manager = None;
    for (urn, extension) in data.iter().filter(|(name, _)| name.starts_with("urn:")) {
        let Value::Object(parts) = extension else { continue };
        if urn == ENTERPRISE {
            take(&mut attributes, parts, COMPANY);
            manager = match parts.get("manager") {
                None => None,
                Some(Value::Null) => Some(String::new()),
                Some(Value::String(id)) => Some(id.clone()),
                Some(Value::Object(one)) => {
                    Some(one.get("value").and_then(Value::as_str).unwrap_or_default().to_owned())
                }
                Some(other) => return Err(format!("manager is {other}, but an object with value is needed")),
            };
        } else {
            attributes.extend(parts.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    let patch = ObjectPatch { name, external_id, enabled, attributes, manager: None };
    Ok(Draft { patch, manager, ..Draft::default() })
}

fn typed(data: &Map<String, Value>, list: &str, of_type: &str) -> bool {
    let all = data.get(list).and_then(Value::as_array);
    all.is_some_and(|all| all.iter().any(|one| one["type"] == of_type))
}

fn group(data: &Map<String, Value>) -> Result<GroupDraft, String> {
    let name = text(data, "displayName")?.flatten();
    let external_id = text(data, "externalId")?;
    if name.is_none() && external_id.as_ref().is_none_or(Option::is_none) {
        return Err("neither displayName nor externalId says which group it is".to_owned());
    }
    let members = match data.get("members") {
        None => None,
        Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(all)) => {
            let one = |member: &Value| member["value"].as_str().map(str::to_owned);
            let ids: Option<Vec<String>> = all.iter().map(one).collect();
            Some(ids.ok_or("each of members needs a value: the external id of a person")?)
        }
        Some(other) => return Err(format!("members is {other}, but a list is needed")),
    };
    let patch = ObjectPatch { name, external_id, ..ObjectPatch::default() };
    Ok(GroupDraft { patch, members })
}
