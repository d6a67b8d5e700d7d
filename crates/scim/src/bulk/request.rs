//! The request as sent.

use std::collections::HashSet;

use crate::Error;
use crate::etag::Preconditions;
use crate::json::{Json, Object};
use crate::limits::Limits;
use crate::name::same;
use crate::schema::{RESOURCE_TYPES, ResourceType};

/// A bulk request whose outer shape is right.
#[derive(Debug, Clone)]
pub struct BulkRequest {
    /// Stop after so many failures.
    pub fail_on_errors: Option<usize>,
    /// The operations in order.
    pub operations: Vec<Operation>,
}

/// One operation. What is wrong with it fails it alone, so it is kept with its fault.
#[derive(Debug, Clone)]
pub struct Operation {
    /// As sent, for the answer.
    pub method_text: String,
    /// The client's name for what a POST creates.
    pub bulk_id: Option<String>,
    /// As sent, for the answer.
    pub path: String,
    /// What to do, or why it can't be done.
    pub order: Result<Order, Error>,
}

/// What an operation wants.
#[derive(Debug, Clone)]
pub struct Order {
    pub(super) method: Method,
    pub(super) ty: &'static ResourceType,
    /// The id in the path, maybe a reference; none for a POST.
    pub(super) id: Option<String>,
    pub(super) conditions: Preconditions,
    pub(super) data: Json,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Create.
    Post,
    /// Replace.
    Put,
    /// Change.
    Patch,
    /// Delete.
    Delete,
}

/// Whether a body of so many bytes is taken at all; to be asked before it is parsed.
///
/// # Errors
/// 413 with the limit.
pub fn check_size(bytes: usize, limits: &Limits) -> Result<(), Error> {
    if bytes > limits.bulk_bytes { Err(too_large(limits)) } else { Ok(()) }
}

impl BulkRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// 413 when there are more operations than are taken; 400 `invalidSyntax` for what is no
    /// bulk request, `invalidValue` when two operations have one `bulkId`.
    pub fn parse(body: &Json, limits: &Limits) -> Result<Self, Error> {
        const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        if body.as_object().is_none() {
            let kind = body.kind();
            return Err(Error::invalid_syntax(format!("a bulk request is a JSON object, not {kind}")));
        }
        let urns = body.get("schemas").and_then(Json::as_array).unwrap_or_default();
        if !urns.iter().filter_map(Json::as_str).any(|urn| same(urn, BULK)) {
            let detail = format!("schemas does not name a bulk request; send \"schemas\": [{BULK:?}]");
            return Err(Error::invalid_syntax(detail));
        }
        let fail_on_errors = match body.get("failOnErrors") {
            None | Some(Json::Null) => None,
            // To stop after none would be to do nothing; after the first is what can be meant.
            Some(json) => match json.as_i64().map(usize::try_from) {
                Some(Ok(count)) => Some(count.max(1)),
                _ => return Err(Error::invalid_syntax("failOnErrors takes a whole number, from 1")),
            },
        };
        let operations = body.get("Operations").and_then(Json::as_array).unwrap_or_default();
        if operations.is_empty() {
            return Err(Error::invalid_syntax("Operations is missing or empty; send at least one operation"));
        }
        if operations.len() > limits.bulk_operations {
            return Err(too_large(limits));
        }
        let operations: Vec<Operation> = operations
            .iter()
            .enumerate()
            .map(|(at, json)| match json {
                Json::Object(members) => Ok(Operation::parse(members)),
                other => {
                    let kind = other.kind();
                    Err(Error::invalid_syntax(format!("Operations[{at}]: expected an object, got {kind}")))
                }
            })
            .collect::<Result<_, _>>()?;
        let mut names = HashSet::new();
        for name in operations.iter().filter_map(|operation| operation.bulk_id.as_deref()) {
            if !names.insert(name) {
                return Err(Error::invalid_value(format!("two operations have the bulkId {name:?}")));
            }
        }
        Ok(Self { fail_on_errors, operations })
    }
}

impl Operation {
    fn parse(members: &Object) -> Self {
        let text = |name| members.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        Self {
            method_text: text("method"),
            bulk_id: members.get("bulkId").and_then(Json::as_str).map(str::to_owned),
            path: text("path"),
            order: Order::parse(members),
        }
    }
}

impl Order {
    fn parse(members: &Object) -> Result<Self, Error> {
        let text = |name| members.get(name).and_then(Json::as_str);
        let method = text("method")
            .and_then(Method::of)
            .ok_or_else(|| Error::invalid_syntax("method takes POST, PUT, PATCH or DELETE"))?;
        let (ty, id) = path(text("path").unwrap_or_default())?;
        match (method, &id) {
            (Method::Post, None) if text("bulkId").is_none_or(str::is_empty) => {
                return Err(Error::invalid_value("a POST needs a bulkId"));
            }
            (Method::Post, Some(_)) => {
                return Err(Error::invalid_value("the path of a POST ends at the endpoint"));
            }
            (_, None) if method != Method::Post => {
                return Err(Error::invalid_value("the path needs an id behind the endpoint"));
            }
            _ => {}
        }
        let data = match (method, members.get("data")) {
            (Method::Delete, _) => Json::Null,
            (_, Some(data @ Json::Object(_))) => data.clone(),
            _ => return Err(Error::invalid_syntax("data is missing or is no object")),
        };
        let conditions = match text("version") {
            Some(version) if !version.is_empty() => Preconditions::of_version(version)?,
            _ => Preconditions::default(),
        };
        Ok(Self { method, ty, id, conditions, data })
    }
}

impl Method {
    fn of(text: &str) -> Option<Self> {
        [Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| same(method.as_str(), text))
    }

    /// As in HTTP.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

fn path(text: &str) -> Result<(&'static ResourceType, Option<String>), Error> {
    if text.is_empty() {
        return Err(Error::invalid_syntax("an operation needs a path, as \"/Users\" or \"/Users/{id}\""));
    }
    let relative = text.strip_prefix('/').unwrap_or(text);
    let (endpoint, id) = match relative.split_once('/') {
        Some((endpoint, id)) => (endpoint, Some(id).filter(|id| !id.is_empty())),
        None => (relative, None),
    };
    let ty = RESOURCE_TYPES.iter().copied().find(|ty| same(ty.endpoint.trim_start_matches('/'), endpoint));
    match ty {
        Some(ty) if id.is_none_or(|id| !id.contains(['/', '?'])) => Ok((ty, id.map(str::to_owned))),
        _ => Err(Error::not_found(format!(
            "there is no endpoint {text:?} in a bulk request; use /Users or /Groups"
        ))),
    }
}

/// RFC 7644 §3.7.4 wants the limits in the answer.
fn too_large(limits: &Limits) -> Error {
    let (operations, bytes) = (limits.bulk_operations, limits.bulk_bytes);
    let detail = format!(
        "a bulk request may have maxOperations {operations} and maxPayloadSize {bytes} bytes; send several smaller ones"
    );
    Error::new(413, None, detail)
}
