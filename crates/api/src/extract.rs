//! What handlers take from a request: bodies, query parameters and ids, each refused with a
//! sentence that says what is wrong.

use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::caller::By;
use crate::problem::Problem;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_json(&request)?;
        let bytes = Bytes::from_request(request, state).await.map_err(too_large_or_broken)?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Problem::invalid(format!("the body does not read: {error}")))
    }
}

/// Refuses a body of another media type than JSON.
pub(crate) fn read_json(request: &Request) -> Result<(), Problem> {
    let kind =
        request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        415,
        "media-type",
        "The body has another media type than is taken",
        "send the body as `Content-Type: application/json`",
    ))
}

pub(crate) fn too_large_or_broken(rejection: BytesRejection) -> Problem {
    if rejection.status() == 413 {
        return Problem::new(
            413,
            "too-large",
            "The body is too large",
            "send less than 1 MiB in one request",
        );
    }
    Problem::invalid("the body could not be read to its end")
}

/// Query parameters.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(value)| Self(value)).map_err(|rejection: QueryRejection| {
            Problem::invalid(format!("the query parameters do not read: {}", rejection.body_text()))
        })
    }
}

/// An id in the path; anything that is no id is a thing that is not there.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: std::str::FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let what = thing(parts.uri.path());
        let text = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let first = text.ok().and_then(|Path(found)| found.into_iter().next()).map(|(_, text)| text);
        match first.and_then(|text| text.parse().ok()) {
            Some(id) => Ok(Self(id)),
            None => Err(Problem::not_found(what)),
        }
    }
}

/// Two ids in the path.
pub(crate) struct Ids<A, B>(pub(crate) A, pub(crate) B);

impl<S: Send + Sync, A: std::str::FromStr, B: std::str::FromStr> FromRequestParts<S> for Ids<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let what = thing(parts.uri.path());
        let text = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let found = text.map(|Path(found)| found).unwrap_or_default();
        match found.as_slice() {
            [(_, a), (_, b)] => match (a.parse(), b.parse()) {
                (Ok(a), Ok(b)) => Ok(Self(a, b)),
                (Err(_), _) => Err(Problem::not_found(what)),
                (_, Err(_)) => Err(Problem::not_found(second(parts.uri.path()))),
            },
            _ => Err(Problem::not_found("thing")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    /// Put there by the check of tokens, before any handler.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthenticated)
    }
}

/// What the second id of a path is of.
fn second(path: &str) -> &'static str {
    if path.contains("/secrets/") {
        "secret"
    } else if path.contains("/dependents/") {
        "dependent"
    } else if path.contains("/pictures/") {
        "picture"
    } else {
        "member"
    }
}

/// What a path speaks of, in the words of the services' own refusals, so that a thing of another
/// workspace and text that is no id are answered alike (A7).
fn thing(path: &str) -> &'static str {
    let collection = path.strip_prefix(crate::endpoint::BASE).unwrap_or(path).trim_start_matches('/');
    if collection.starts_with("directory/") {
        return if collection.starts_with("directory/groups") { "group" } else { "person" };
    }
    match collection.split('/').next().unwrap_or_default() {
        "synchronization" => "provisioning job",
        "members" => "member",
        "teams" => "team",
        "collections" => "collection",
        "accounts" => "account",
        "grants" => "grant",
        "offboardings" => "offboarding case",
        "scim-tokens" | "api-tokens" => "token",
        "flights" => "flight",
        "connectors" => "connector",
        "rotations" => "rotation",
        "tasks" => "task",
        _ => "thing",
    }
}
