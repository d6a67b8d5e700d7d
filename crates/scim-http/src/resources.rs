//! Users and Groups, one at a time.

use axum::http::header;
use latchkey_engine::directory::{Done, GroupShown};
use latchkey_scim::etag::{Preconditions, weak};
use latchkey_scim::json::Json;
use latchkey_scim::projection::Projection;

use crate::failure::Failure;
use crate::flight::Flight;
use crate::reply::Reply;
use crate::serve::{Call, Outcome};
use crate::show::Shown;

pub(crate) async fn user_get(call: &Call<'_>) -> Outcome {
    let projection = projection(call);
    let user = call
        .directory
        .user_get(&call.segment, projection.wants("groups"))
        .await
        .map_err(|error| call.failure(error))?;
    got(call, &user, &projection)
}

pub(crate) async fn group_get(call: &Call<'_>) -> Outcome {
    let projection = projection(call);
    let group = call
        .directory
        .group_get(&call.segment, projection.wants("members"))
        .await
        .map_err(|error| call.failure(error))?;
    got(call, &group, &projection)
}

pub(crate) async fn user_create(call: &Call<'_>, body: &Json, flight: &mut Flight) -> Outcome {
    let done = call.directory.user_create(body, &call.scim.limits).await;
    let user = landed(call, flight, done)?;
    flight.target(&user.id());
    created(call, &user, &projection(call))
}

pub(crate) async fn group_create(call: &Call<'_>, body: &Json, flight: &mut Flight) -> Outcome {
    let projection = projection(call);
    let done = call.directory.group_create(body, shown(&projection), &call.scim.limits).await;
    let group = landed(call, flight, done)?;
    flight.target(&group.id());
    created(call, &group, &projection)
}

pub(crate) async fn user_replace(call: &Call<'_>, body: &Json, flight: &mut Flight) -> Outcome {
    let conditions = conditions(call)?;
    let done = call.directory.user_replace(&call.segment, body, &conditions, &call.scim.limits).await;
    let user = landed(call, flight, done)?;
    written(call, &user, &projection(call))
}

pub(crate) async fn group_replace(call: &Call<'_>, body: &Json, flight: &mut Flight) -> Outcome {
    let conditions = conditions(call)?;
    let projection = projection(call);
    let show = shown(&projection);
    let done = call.directory.group_replace(&call.segment, body, &conditions, show, &call.scim.limits).await;
    written(call, &landed(call, flight, done)?, &projection)
}

pub(crate) async fn user_patch(call: &Call<'_>, body: &Json, flight: &mut Flight) -> Outcome {
    let conditions = conditions(call)?;
    let done = call.directory.user_patch(&call.segment, body, &conditions, &call.scim.limits).await;
    let user = landed(call, flight, done)?;
    written(call, &user, &projection(call))
}

/// 204 unless the client asks for attributes: a large group's members would be read and sent for
/// nothing, and Entra expects it so (quirk 31; RFC 7644 §3.5.2).
pub(crate) async fn group_patch(call: &Call<'_>, body: &Json, flight: &mut Flight) -> Outcome {
    let conditions = conditions(call)?;
    let projection = projection(call);
    let show = if projection.is_given() { shown(&projection) } else { GroupShown::Nothing };
    let done = call.directory.group_patch(&call.segment, body, &conditions, show, &call.scim.limits).await;
    let group = landed(call, flight, done)?;
    if show == GroupShown::Nothing { Ok(Reply::no_content()) } else { written(call, &group, &projection) }
}

pub(crate) async fn user_delete(call: &Call<'_>, flight: &mut Flight) -> Outcome {
    let conditions = conditions(call)?;
    let done = call.directory.user_delete(&call.segment, &conditions).await;
    landed(call, flight, done)?;
    Ok(Reply::no_content())
}

pub(crate) async fn group_delete(call: &Call<'_>, flight: &mut Flight) -> Outcome {
    let conditions = conditions(call)?;
    let done = call.directory.group_delete(&call.segment, &conditions).await;
    landed(call, flight, done)?;
    Ok(Reply::no_content())
}

/// What the client wants to see.
pub(crate) fn projection(call: &Call<'_>) -> Projection {
    Projection::parse(call.parameter("attributes"), call.parameter("excludedAttributes"))
}

/// The `If-Match` and `If-None-Match` of the request.
fn conditions(call: &Call<'_>) -> Result<Preconditions, Failure> {
    let joined = |name: header::HeaderName| {
        // A line that is no text matches nothing; left out, it would be read as no condition.
        let lines: Vec<_> =
            call.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    };
    let (if_match, if_none_match) = (joined(header::IF_MATCH), joined(header::IF_NONE_MATCH));
    if if_match.is_none() && if_none_match.is_none() {
        return Ok(Preconditions::default());
    }
    Ok(Preconditions::parse(if_match.as_deref(), if_none_match.as_deref())?)
}

/// Notes what a write did, and takes its value.
fn landed<T>(
    call: &Call<'_>,
    flight: &mut Flight,
    done: Result<Done<T>, latchkey_engine::Error>,
) -> Result<T, Failure> {
    let done = done.map_err(|error| call.failure(error))?;
    flight.did(done.effects, done.hints);
    Ok(done.value)
}

fn shown(projection: &Projection) -> GroupShown {
    if projection.wants("members") { GroupShown::WithMembers } else { GroupShown::Row }
}

fn got(call: &Call<'_>, shown: &impl Shown, projection: &Projection) -> Outcome {
    let version = shown.version().0.to_string();
    if conditions(call)?.not_modified(&version) {
        return Ok(Reply::not_modified().etag(weak(&version)));
    }
    let body = document(call, shown, projection)?;
    Ok(Reply::ok(body).etag(weak(&version)).location(shown.location(&call.scim.base)))
}

fn created(call: &Call<'_>, shown: &impl Shown, projection: &Projection) -> Outcome {
    let body = document(call, shown, projection)?;
    let etag = weak(&shown.version().0.to_string());
    Ok(Reply::created(body).etag(etag).location(shown.location(&call.scim.base)))
}

fn written(call: &Call<'_>, shown: &impl Shown, projection: &Projection) -> Outcome {
    let body = document(call, shown, projection)?;
    let etag = weak(&shown.version().0.to_string());
    Ok(Reply::ok(body).etag(etag).location(shown.location(&call.scim.base)))
}

fn document(call: &Call<'_>, shown: &impl Shown, projection: &Projection) -> Result<String, Failure> {
    shown.document(&call.scim.base, projection).map_err(|error| call.failure(error))
}
