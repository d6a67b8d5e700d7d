//! The JSON API alongside the pages: for the account itself, and for an admin with a token.

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::pages;
use crate::users::{Denied, Login};
use crate::world::World;

pub(crate) fn routes() -> Router<World> {
    Router::new()
        .route("/api/login", post(login))
        .route("/api/password", post(password))
        .route("/api/sessions", get(sessions).delete(end_sessions))
        .route("/api/admin/users/{name}", get(admin_user).put(admin_add))
        .route("/api/admin/users/{name}/password", put(admin_password))
        .route("/api/admin/users/{name}/sessions", axum::routing::delete(admin_sessions))
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "code": code }))).into_response()
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    pass: String,
    code: Option<String>,
}

async fn login(Shared(world): Shared<World>, Json(given): Json<Credentials>) -> Response {
    let seconds = world.seconds();
    let login = world.lock().users.login(&given.user, &given.pass);
    match login {
        Login::Wrong => return refuse(StatusCode::UNAUTHORIZED, "wrong"),
        Login::Locked => return refuse(StatusCode::FORBIDDEN, "locked"),
        Login::CodeNeeded => match given.code {
            None => return refuse(StatusCode::CONFLICT, "code_needed"),
            Some(code) if !world.lock().users.code(&given.user, &code, seconds) => {
                return refuse(StatusCode::CONFLICT, "code_wrong");
            }
            Some(_) => {}
        },
        Login::Well => {}
    }
    let (id, session) = world.log_in(&given.user, true);
    let cookie = format!("sid={id}; Path=/; HttpOnly");
    ([(header::SET_COOKIE, cookie)], Json(json!({ "csrf": session.csrf }))).into_response()
}

#[derive(Deserialize)]
struct Change {
    old: String,
    new: String,
}

fn denied(denied: Denied) -> Response {
    let status = match denied {
        Denied::Wrong => StatusCode::UNAUTHORIZED,
        Denied::Short | Denied::Used => StatusCode::UNPROCESSABLE_ENTITY,
        Denied::Unknown => StatusCode::NOT_FOUND,
    };
    refuse(status, denied.code())
}

async fn password(Shared(world): Shared<World>, headers: HeaderMap, Json(change): Json<Change>) -> Response {
    let Some((user, _, session)) = pages::user(&world, &headers) else {
        return refuse(StatusCode::UNAUTHORIZED, "not_logged_in");
    };
    let csrf = headers.get("x-csrf").map_or(&b""[..], |value| value.as_bytes());
    if !bool::from(session.csrf.as_bytes().ct_eq(csrf)) {
        return refuse(StatusCode::BAD_REQUEST, "csrf");
    }
    apply(&world, &user, Some(&change.old), &change.new).await
}

/// Changes a password, with the fault of the hour.
async fn apply(world: &World, user: &str, old: Option<&str>, new: &str) -> Response {
    let fault = world.lock().fault;
    if let Some(answer) = fault.before_change() {
        return answer;
    }
    let changed = world.lock().users.change(user, old, new, &*world.entropy);
    if let Err(why) = changed {
        return denied(why);
    }
    match fault.after_change().await {
        Some(answer) => answer,
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn sessions(Shared(world): Shared<World>, headers: HeaderMap) -> Response {
    let Some((user, ..)) = pages::user(&world, &headers) else {
        return refuse(StatusCode::UNAUTHORIZED, "not_logged_in");
    };
    let count = world.lock().sessions.values().filter(|one| one.user.as_ref() == Some(&user)).count();
    Json(json!({ "count": count })).into_response()
}

async fn end_sessions(Shared(world): Shared<World>, headers: HeaderMap) -> Response {
    match pages::user(&world, &headers) {
        Some((user, id, _)) => Json(json!({ "ended": world.end_others(&user, Some(&id)) })).into_response(),
        None => refuse(StatusCode::UNAUTHORIZED, "not_logged_in"),
    }
}

fn is_admin(world: &World, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wanted = format!("Bearer {}", world.admin_token);
    given.as_bytes().ct_eq(wanted.as_bytes()).into()
}

async fn admin_user(Shared(world): Shared<World>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    if !is_admin(&world, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "admin");
    }
    let state = world.lock();
    if !state.users.has(&name) {
        return denied(Denied::Unknown);
    }
    Json(json!({ "name": name, "code": state.users.has_code(&name) })).into_response()
}

/// Adds a user, or makes one anew.
async fn admin_add(
    Shared(world): Shared<World>,
    headers: HeaderMap,
    Path(name): Path<String>,
    Json(given): Json<NewPassword>,
) -> Response {
    if !is_admin(&world, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "admin");
    }
    world.lock().users.add(&name, &given.password, None, &*world.entropy);
    StatusCode::CREATED.into_response()
}

#[derive(Deserialize)]
struct NewPassword {
    password: String,
}

async fn admin_password(
    Shared(world): Shared<World>,
    headers: HeaderMap,
    Path(name): Path<String>,
    Json(given): Json<NewPassword>,
) -> Response {
    if !is_admin(&world, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "admin");
    }
    apply(&world, &name, None, &given.password).await
}

async fn admin_sessions(
    Shared(world): Shared<World>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Response {
    if !is_admin(&world, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "admin");
    }
    Json(json!({ "ended": world.end_others(&name, None) })).into_response()
}
