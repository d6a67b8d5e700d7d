//! How changes are worded: as RFC 7644 has it, and in Entra ID's two ways.
//!
//! Pure, so that each request's shape is a snapshot in this crate's tests.

use latchkey_provisioning::jobfile::Dialect;
use latchkey_provisioning::target_schema::{self, Type};
use latchkey_provisioning::{Difference, Kind, TargetPath};
use serde_json::{Map, Value as Json, json};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// What Entra ID lists for groups besides the core schema.
const ADSCIM: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

/// The most members in one request.
pub const MEMBERS_AT_ONCE: usize = 500;

/// The body of a creation.
pub fn create(kind: Kind, dialect: Dialect, mut resource: Map<String, Json>) -> Json {
    if let Some(Json::Array(emails)) = resource.get_mut("emails") {
        primary(emails);
    }
    let mut schemas = vec![if kind == Kind::User { USER } else { GROUP }.to_owned()];
    let entra = matches!(dialect, Dialect::Entra | Dialect::EntraCompliant);
    match (kind, entra) {
        (Kind::User, true) => schemas.push(ENTERPRISE.to_owned()),
        (Kind::Group, true) => schemas.push(ADSCIM.to_owned()),
        // RFC 7643 §3: every schema that has values in the resource.
        (_, false) => schemas
            .extend(resource.keys().filter(|key| key.to_ascii_lowercase().starts_with("urn:")).cloned()),
    }
    let mut body = Map::new();
    body.insert("schemas".to_owned(), json!(schemas));
    if entra {
        let name = if kind == Kind::User { "User" } else { "Group" };
        body.insert("meta".to_owned(), json!({ "resourceType": name }));
    }
    body.extend(resource);
    Json::Object(body)
}

/// The work address is the primary one, unless the mapping says otherwise.
fn primary(emails: &mut [Json]) {
    if emails.iter().any(|email| email.get("primary").is_some()) {
        return;
    }
    let work = emails.iter_mut().find(|email| email.get("type").and_then(Json::as_str) == Some("work"));
    if let Some(Json::Object(work)) = work {
        work.insert("primary".to_owned(), json!(true));
    }
}

/// The body of a change. `resource` is what the target holds.
pub fn change(
    kind: Kind,
    dialect: Dialect,
    differences: &[Difference],
    resource: &Map<String, Json>,
) -> Json {
    let operations = match dialect {
        Dialect::Rfc | Dialect::Auto => rfc(kind, differences, resource),
        Dialect::Entra => differences.iter().map(|one| entra(kind, one)).collect(),
        Dialect::EntraCompliant => compliant(kind, differences),
    };
    body(operations)
}

fn body(operations: Vec<Json>) -> Json {
    json!({ "schemas": [PATCH], "Operations": operations })
}

fn is_reference(kind: Kind, path: &TargetPath) -> bool {
    target_schema::attribute(kind, path).kind == Type::Reference
}

/// A filtered path reaches only what is there (RFC 7644 §3.5.2.3), so what isn't is added whole.
fn rfc(kind: Kind, differences: &[Difference], resource: &Map<String, Json>) -> Vec<Json> {
    let mut operations = Vec::new();
    let mut added: Vec<(TargetPath, Map<String, Json>)> = Vec::new();
    for one in differences {
        let entry = TargetPath { sub: None, ..one.path.clone() };
        let there = one.path.which.is_none() || entry.read(resource).is_some();
        let Some(value) = &one.new else {
            operations.push(json!({ "op": "remove", "path": one.path.to_string() }));
            continue;
        };
        if !there {
            match added.iter_mut().find(|(path, _)| *path == entry) {
                Some((_, whole)) => one.path.write(whole, value.clone()),
                None => {
                    let mut whole = Map::new();
                    one.path.write(&mut whole, value.clone());
                    added.push((entry, whole));
                }
            }
            continue;
        }
        let value = match value {
            Json::String(id) if is_reference(kind, &one.path) && one.path.sub.is_none() => {
                json!({ "value": id })
            }
            value => value.clone(),
        };
        let op = if one.old.is_none() { "add" } else { "replace" };
        operations.push(json!({ "op": op, "path": one.path.to_string(), "value": value }));
    }
    for (path, mut whole) in added {
        let holder = match &path.urn {
            Some(urn) => whole.get_mut(urn).and_then(Json::as_object_mut),
            None => Some(&mut whole),
        };
        let values = holder.and_then(|holder| holder.remove(&path.attribute));
        let path = TargetPath { which: None, sub: None, ..path };
        operations.push(json!({ "op": "add", "path": path.to_string(), "value": values }));
    }
    operations
}

fn entra(kind: Kind, one: &Difference) -> Json {
    let path = one.path.to_string();
    let Some(value) = &one.new else { return json!({ "op": "Remove", "path": path }) };
    let op = if one.old.is_none() || is_reference(kind, &one.path) { "Add" } else { "Replace" };
    let value = match value {
        Json::Bool(true) => json!("True"),
        Json::Bool(false) => json!("False"),
        value => value.clone(),
    };
    json!({ "op": op, "path": path, "value": value })
}

fn compliant(kind: Kind, differences: &[Difference]) -> Vec<Json> {
    let mut operations = Vec::new();
    let mut simple: Vec<(String, Json)> = Vec::new();
    for one in differences {
        let path = one.path.to_string();
        let reference = is_reference(kind, &one.path);
        match &one.new {
            None => operations.push(json!({ "op": "remove", "path": path })),
            Some(value) if one.path.which.is_none() && !reference => simple.push((path, value.clone())),
            Some(value) => {
                let op = if one.old.is_none() { "add" } else { "replace" };
                operations.push(json!({ "op": op, "path": path, "value": value }));
            }
        }
    }
    match simple.len() {
        0 => {}
        1 => operations.extend(
            simple.into_iter().map(|(path, value)| json!({ "op": "replace", "path": path, "value": value })),
        ),
        _ => {
            let value: Map<String, Json> = simple.into_iter().collect();
            operations.push(json!({ "op": "replace", "value": value }));
        }
    }
    operations
}

/// The bodies that add members to a group, in portions.
pub fn add_members(dialect: Dialect, ids: &[String]) -> Vec<Json> {
    ids.chunks(MEMBERS_AT_ONCE)
        .map(|ids| {
            body(vec![match dialect {
                Dialect::Entra => {
                    let values: Vec<Json> =
                        ids.iter().map(|id| json!({ "$ref": null, "value": id })).collect();
                    json!({ "op": "Add", "path": "members", "value": values })
                }
                Dialect::Rfc | Dialect::EntraCompliant | Dialect::Auto => {
                    let values: Vec<Json> = ids.iter().map(|id| json!({ "value": id })).collect();
                    json!({ "op": "add", "path": "members", "value": values })
                }
            }])
        })
        .collect()
}

/// The bodies that take members out of a group, in portions.
pub fn remove_members(dialect: Dialect, ids: &[String]) -> Vec<Json> {
    ids.chunks(MEMBERS_AT_ONCE)
        .map(|ids| match dialect {
            Dialect::Entra => {
                let values: Vec<Json> = ids.iter().map(|id| json!({ "value": id })).collect();
                body(vec![json!({ "op": "Remove", "path": "members", "value": values })])
            }
            Dialect::Rfc | Dialect::EntraCompliant | Dialect::Auto => body(
                ids.iter()
                    .map(|id| json!({ "op": "remove", "path": format!("members[value eq {}]", json!(id)) }))
                    .collect(),
            ),
        })
        .collect()
}

/// A search for the one object that has this value.
pub fn filter(path: &TargetPath, value: &str) -> String {
    // A SCIM text is a JSON text, escapes included (RFC 7644 §3.4.2.2).
    format!("{path} eq {}", json!(value))
}
