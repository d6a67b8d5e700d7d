//! One file a noun: what it looks like, and who answers for it.

mod accounts;
mod audit;
mod collections;
mod connectors;
mod flights;
mod grants;
mod jobs;
mod keys;
mod knowledge;
mod members;
mod offboardings;
mod people;
mod reviews;
mod rotations;
mod secrets;
mod tasks;
mod teams;
mod tokens;
mod transfers;
mod ways;
mod workspace;

use crate::ApiState;
use crate::endpoint::Endpoint;

/// Everything that is served.
pub(crate) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let mut all = workspace::endpoints();
    all.extend(members::endpoints());
    all.extend(reviews::endpoints());
    all.extend(teams::endpoints());
    all.extend(collections::endpoints());
    all.extend(accounts::endpoints());
    all.extend(secrets::endpoints());
    all.extend(knowledge::endpoints());
    all.extend(grants::endpoints());
    all.extend(offboardings::endpoints());
    all.extend(connectors::endpoints());
    all.extend(rotations::endpoints());
    all.extend(tasks::endpoints());
    all.extend(audit::endpoints());
    all.extend(keys::endpoints());
    all.extend(transfers::endpoints());
    all.extend(tokens::endpoints());
    all.extend(flights::endpoints());
    all.extend(people::endpoints());
    all.extend(jobs::endpoints());
    all
}

/// What a handler answers: a body, or a problem.
pub(crate) type Answer<T> = Result<axum::Json<T>, crate::problem::Problem>;

/// Turns a service's error into the problem of this caller's request.
pub(crate) fn problem(
    by: &latchkey_engine::Caller,
) -> impl Fn(latchkey_engine::Error) -> crate::problem::Problem {
    let request_id = by.request_id();
    move |error| crate::problem::Problem::from_error(&error, request_id)
}

/// A word of a closed set in a query or a body.
pub(crate) fn word<T>(
    what: &str,
    text: Option<&str>,
    read: impl Fn(&str) -> Option<T>,
    all: impl Iterator<Item = &'static str>,
) -> Result<Option<T>, crate::problem::Problem> {
    let Some(text) = text else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| {
        let known: Vec<_> = all.collect();
        crate::problem::Problem::invalid(format!("{what} must be one of: {}", known.join(", ")))
    })
}

/// A field of a PATCH body: absent stays, `null` empties, a value sets.
pub(crate) fn double<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// What people typed into a search, folded as names are; none where nothing is left.
pub(crate) fn looked_for(text: &str) -> Option<String> {
    let text = latchkey_scim::filter::fold(text.trim()).into_owned();
    (!text.is_empty()).then_some(text)
}
