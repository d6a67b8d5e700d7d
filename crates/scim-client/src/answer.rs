//! What comes back from a target, and what is kept of it for the log.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::failure::{Failure, FailureKind};

/// One request with its answer, for the provisioning log (P4). Bodies are those that were sent;
/// headers, and with them the token, are not kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exchange {
    /// As `PATCH`.
    pub method: &'static str,
    /// From the base on, as `/Users/7`.
    pub path: String,
    /// What was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Json>,
    /// The answer's status; none when there was no answer.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// What was left out of it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Nobody.
    None,
    /// This one: its id and all of it.
    One(String, Map<String, Json>),
    /// So many.
    Several(usize),
}

/// A page of all objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub resources: Vec<Map<String, Json>>,
    /// Where the next page begins, where the target has cursors (RFC 9865).
    pub next_cursor: Option<String>,
}

pub(crate) fn object(body: &[u8]) -> Result<Map<String, Json>, Failure> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(incompatible("the answer is JSON, but no object")),
        Err(_) if body.trim_ascii_start().starts_with(b"<") => Err(incompatible(
            "the answer is a web page and no JSON; the URL is probably that of a sign-in page or of the application itself, not of its SCIM endpoint",
        )),
        Err(_) => Err(incompatible("the answer is no JSON; the URL is probably not that of a SCIM endpoint")),
    }
}

/// The id that a resource has.
pub(crate) fn id_of(resource: &Map<String, Json>) -> Result<String, Failure> {
    match resource.get("id") {
        Some(Json::String(id)) if !id.is_empty() => Ok(id.clone()),
        Some(Json::Number(id)) => Ok(id.to_string()),
        _ => Err(incompatible("the resource that the target answers with has no id (RFC 7643 §3.1)")),
    }
}

pub(crate) fn list(body: &[u8]) -> Result<Listed, Failure> {
    let mut object = object(body)?;
    let total = object.get("totalResults").and_then(Json::as_u64);
    let next_cursor = object.get("nextCursor").and_then(Json::as_str).map(str::to_owned);
    let resources = match object.remove("Resources").or_else(|| object.remove("resources")) {
        Some(Json::Array(values)) => values
            .into_iter()
            .map(|value| match value {
                Json::Object(resource) => Ok(resource),
                _ => {
                    Err(incompatible("the list that the target answers with has entries that are no objects"))
                }
            })
            .collect::<Result<Vec<_>, _>>()?,
        // RFC 7644 §3.4.2: required only when there is something.
        None | Some(Json::Null) if total == Some(0) => Vec::new(),
        _ => {
            return Err(incompatible(
                "the answer to a search is no list response: it has no Resources (RFC 7644 §3.4.2)",
            ));
        }
    };
    let total = total.ok_or_else(|| {
        incompatible("the answer to a search is no list response: it has no totalResults (RFC 7644 §3.4.2)")
    })?;
    Ok(Listed { total, resources, next_cursor })
}

fn incompatible(message: &str) -> Failure {
    Failure::new(FailureKind::Incompatible, message)
}
