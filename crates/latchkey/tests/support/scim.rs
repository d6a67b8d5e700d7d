//! SCIM's shapes: bodies as clients send them, and what every answer must be.

use std::collections::BTreeSet;

use latchkey_testkit::{Answer, Client};
use serde_json::{Value, json};

use super::{enc, list, text};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(crate) const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub(crate) const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
pub(crate) const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
pub(crate) const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
pub(crate) const BULK_ANSWER: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// Every keyword of RFC 7644 table 9 and RFC 9865 §4.
const SCIM_TYPES: &[&str] = &[
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "sensitive",
    "invalidCursor",
    "expiredCursor",
    "invalidCount",
];

/// A user with what a directory's mapping sends, and whatever `extra` adds or puts in its place.
pub(crate) fn user(user_name: &str, extra: Value) -> Value {
    let mut body = json!({
        "schemas": [USER],
        "userName": user_name,
        "externalId": format!("oid-{user_name}"),
        "active": true,
        "name": {"givenName": "Ida", "familyName": "Holm"},
        "emails": [{"type": "work", "value": user_name, "primary": true}],
    });
    if extra.get(ENTERPRISE).is_some() {
        body["schemas"] = json!([USER, ENTERPRISE]);
    }
    merge(&mut body, extra);
    body
}

/// A group of these members.
pub(crate) fn group(display_name: &str, members: &[&str]) -> Value {
    let mut body = json!({"schemas": [GROUP], "displayName": display_name});
    if !members.is_empty() {
        body["members"] = members.iter().map(|id| json!({"value": id})).collect();
    }
    body
}

/// A PATCH body of one operation, or of a list of them.
pub(crate) fn patch(operations: Value) -> Value {
    let operations = if operations.is_array() { operations } else { json!([operations]) };
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

/// Sets the members of `extra` on `body`.
pub(crate) fn merge(body: &mut Value, extra: Value) {
    if let (Value::Object(body), Value::Object(extra)) = (body, extra) {
        body.extend(extra);
    }
}

/// Creates, checks what every 201 must be, and gives the body.
pub(crate) async fn create(client: &Client, path: &str, body: &Value) -> Value {
    let answer = client.post(path, body).await.expect(201);
    assert_media_type(&answer);
    let made = answer.json();
    assert_eq!(
        answer.headers.get("location").and_then(|value| value.to_str().ok()),
        Some(text(&made, "/meta/location")),
        "Location is meta.location (RFC 7644 §3.3): {made}"
    );
    assert!(!text(&made, "/id").is_empty(), "a created resource has an id: {made}");
    made
}

/// Creates a user and gives its id.
pub(crate) async fn user_id(client: &Client, user_name: &str) -> String {
    let made = create(client, "/Users", &user(user_name, json!({}))).await;
    text(&made, "/id").to_owned()
}

/// Creates a group and gives its id.
pub(crate) async fn group_id(client: &Client, display_name: &str, members: &[&str]) -> String {
    let made = create(client, "/Groups", &group(display_name, members)).await;
    text(&made, "/id").to_owned()
}

/// Reads a resource or list that must be there.
pub(crate) async fn read(client: &Client, path: &str) -> Value {
    let answer = client.get(path).await.expect(200);
    assert_media_type(&answer);
    answer.json()
}

/// Reads `path` with a filter and gives the ListResponse, after checking its shape.
pub(crate) async fn find(client: &Client, path: &str, filter: &str) -> Value {
    let join = if path.contains('?') { '&' } else { '?' };
    let found = read(client, &format!("{path}{join}filter={}", enc(filter))).await;
    assert_list(&found);
    found
}

/// The ids that a filter finds.
pub(crate) async fn found_ids(client: &Client, path: &str, filter: &str) -> Vec<String> {
    ids(&find(client, path, filter).await)
}

/// The ids in a ListResponse, in its order.
pub(crate) fn ids(found: &Value) -> Vec<String> {
    list(found, "/Resources").iter().map(|resource| text(resource, "/id").to_owned()).collect()
}

/// The ids of a group's members.
pub(crate) async fn members(client: &Client, group: &str) -> BTreeSet<String> {
    let group = read(client, &format!("/Groups/{group}")).await;
    list(&group, "/members").iter().map(|member| text(member, "/value").to_owned()).collect()
}

/// A set of ids, to compare with [`members`].
pub(crate) fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// Disables or enables a user as Entra does.
pub(crate) async fn set_active(client: &Client, id: &str, active: bool) -> Answer {
    let word = if active { "True" } else { "False" };
    let body = patch(json!({"op": "Replace", "path": "active", "value": word}));
    let answer = client.patch(&format!("/Users/{id}"), &body).await;
    assert!(matches!(answer.status, 200 | 204), "active={word}: {answer:?}");
    answer
}

/// The values of a multi-valued attribute that have this type, in any case.
pub(crate) fn of_type<'a>(resource: &'a Value, attribute: &str, kind: &str) -> Vec<&'a Value> {
    list(resource, &format!("/{attribute}"))
        .iter()
        .filter(|value| text(value, "/type").eq_ignore_ascii_case(kind))
        .collect()
}

/// Everything that SCIM sends has SCIM's media type (RFC 7644 §3.1).
pub(crate) fn assert_media_type(answer: &Answer) {
    let media_type =
        answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (essence, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    assert_eq!(essence.trim(), "application/scim+json", "{answer:?}");
    let charset = parameters.trim().to_ascii_lowercase();
    assert!(charset.is_empty() || charset.contains("utf-8"), "{answer:?}");
}

/// The shape of a ListResponse (RFC 7644 §3.4.2): whole numbers, `Resources` always a list.
pub(crate) fn assert_list(found: &Value) {
    assert_eq!(found["schemas"], json!([LIST]), "{found}");
    assert!(found["totalResults"].is_u64(), "totalResults is a number: {found}");
    let count = list(found, "/Resources").len();
    assert!(found["Resources"].is_array(), "Resources is a list: {found}");
    assert!(found.get("itemsPerPage").is_none_or(|value| *value == json!(count)), "itemsPerPage: {found}");
    assert!(found.get("startIndex").is_none_or(Value::is_u64), "startIndex is a number: {found}");
}

/// Every error is an error as RFC 7644 §3.12 wants it; gives `scimType` (or "") and `detail`.
pub(crate) fn assert_error(answer: &Answer) -> (String, String) {
    assert!(answer.status >= 400, "an error was expected: {answer:?}");
    assert_media_type(answer);
    let body: Value = serde_json::from_slice(&answer.body)
        .unwrap_or_else(|error| panic!("an error body that is no JSON ({error}): {answer:?}"));
    assert_eq!(body["schemas"], json!([ERROR]), "{answer:?}");
    assert_eq!(body["status"], json!(answer.status.to_string()), "status is a string: {answer:?}");
    let detail = text(&body, "/detail").to_owned();
    assert!(!detail.is_empty(), "an error says what to do: {answer:?}");
    let scim_type = match body.get("scimType") {
        None => "",
        Some(Value::String(word)) if SCIM_TYPES.contains(&word.as_str()) => word,
        Some(other) => panic!("{other} is no scimType: {answer:?}"),
    };
    if answer.status == 401 {
        let challenge = answer.headers.get("www-authenticate").and_then(|value| value.to_str().ok());
        assert!(
            challenge.is_some_and(|text| text.starts_with("Bearer")),
            "401 says how to authenticate (RFC 7235 §3.1): {answer:?}"
        );
    }
    (scim_type.to_owned(), detail)
}

/// Like [`assert_error`], of this status and keyword (`""` for none); gives the detail.
pub(crate) fn assert_refused(answer: &Answer, status: u16, scim_type: &str) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    let (found, detail) = assert_error(answer);
    assert_eq!(found, scim_type, "{answer:?}");
    detail
}
