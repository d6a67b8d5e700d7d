//! The pages that people see: log in, one-time code, account, change the password.

use axum::Form;
use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::fault::Fault;
use crate::users::Login;
use crate::world::{Session, World};

pub(crate) fn routes() -> Router<World> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/account") }))
        .route("/login", get(login_page).post(login))
        .route("/login/code", get(code_page).post(code))
        .route("/account", get(account))
        .route("/password", get(password_page).post(password))
        .route("/sessions/end", post(end_sessions))
        .route("/logout", post(logout))
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
         <style>body{{font:16px sans-serif;margin:3em}}label{{display:block;margin:.5em 0}}</style>\
         <main><h1>{title}</h1>{body}</main></html>"
    );
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

fn with_cookie(mut response: Response, id: &str) -> Response {
    if let Ok(value) = format!("sid={id}; Path=/; HttpOnly; SameSite=Strict").parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The session that the cookie names.
pub(crate) fn session(world: &World, headers: &HeaderMap) -> Option<(String, Session)> {
    let id =
        headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).find_map(|line| {
            line.split(';').find_map(|pair| pair.trim().strip_prefix("sid=").map(str::to_owned))
        })?;
    let session = world.lock().sessions.get(&id).cloned()?;
    Some((id, session))
}

/// The user who is logged in, all steps done.
pub(crate) fn user(world: &World, headers: &HeaderMap) -> Option<(String, String, Session)> {
    let (id, session) = session(world, headers)?;
    let user = session.user.clone().filter(|_| session.whole)?;
    Some((user, id, session))
}

fn is_token(session: &Session, csrf: &str) -> bool {
    session.csrf.as_bytes().ct_eq(csrf.as_bytes()).into()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

async fn login_page(Shared(world): Shared<World>) -> Response {
    let (id, session) = world.open();
    with_cookie(login_form(&world, StatusCode::OK, &session, ""), &id)
}

fn login_form(world: &World, status: StatusCode, session: &Session, problem: &str) -> Response {
    let captcha = match world.lock().fault {
        Fault::Captcha => {
            "<div class=captcha role=group aria-label=\"Captcha\">Show that you are a person</div>"
        }
        _ => "",
    };
    let alert =
        if problem.is_empty() { String::new() } else { format!("<p role=alert class=error>{problem}</p>") };
    let body = format!(
        "{alert}{captcha}<form method=post action=/login><input type=hidden name=csrf value=\"{}\">\
         <label>User name <input name=username autocomplete=username required></label>\
         <label>Password <input type=password name=password autocomplete=current-password required></label>\
         <button>Log in</button></form>",
        session.csrf
    );
    page(status, "Log in", &body)
}

#[derive(Deserialize)]
struct LoginForm {
    csrf: String,
    username: String,
    password: String,
}

async fn login(Shared(world): Shared<World>, headers: HeaderMap, Form(form): Form<LoginForm>) -> Response {
    let Some((_, session)) = session(&world, &headers).filter(|(_, session)| is_token(session, &form.csrf))
    else {
        return page(StatusCode::BAD_REQUEST, "Log in", "<p role=alert class=error>The form is too old.</p>");
    };
    let login = world.lock().users.login(&form.username, &form.password);
    match login {
        Login::Well => {
            with_cookie(Redirect::to("/account").into_response(), &world.log_in(&form.username, true).0)
        }
        Login::CodeNeeded => {
            with_cookie(Redirect::to("/login/code").into_response(), &world.log_in(&form.username, false).0)
        }
        Login::Wrong => {
            login_form(&world, StatusCode::UNAUTHORIZED, &session, "The user name or the password is wrong.")
        }
        Login::Locked => login_form(
            &world,
            StatusCode::FORBIDDEN,
            &session,
            "This account is locked after too many wrong passwords.",
        ),
    }
}

async fn code_page(Shared(world): Shared<World>, headers: HeaderMap) -> Response {
    match session(&world, &headers).filter(|(_, session)| session.user.is_some()) {
        Some((_, session)) => code_form(StatusCode::OK, &session, ""),
        None => Redirect::to("/login").into_response(),
    }
}

fn code_form(status: StatusCode, session: &Session, problem: &str) -> Response {
    let alert =
        if problem.is_empty() { String::new() } else { format!("<p role=alert class=error>{problem}</p>") };
    let body = format!(
        "{alert}<form method=post action=/login/code><input type=hidden name=csrf value=\"{}\">\
         <label>Code <input name=code autocomplete=one-time-code inputmode=numeric maxlength=6></label>\
         <button>Continue</button></form>",
        session.csrf
    );
    page(status, "One-time code", &body)
}

#[derive(Deserialize)]
struct CodeForm {
    csrf: String,
    code: String,
}

async fn code(Shared(world): Shared<World>, headers: HeaderMap, Form(form): Form<CodeForm>) -> Response {
    let Some((id, session)) = session(&world, &headers).filter(|(_, session)| is_token(session, &form.csrf))
    else {
        return Redirect::to("/login").into_response();
    };
    let Some(user) = session.user.clone() else { return Redirect::to("/login").into_response() };
    let seconds = world.seconds();
    if !world.lock().users.code(&user, &form.code, seconds) {
        return code_form(StatusCode::UNAUTHORIZED, &session, "The code is wrong or was used.");
    }
    world.lock().sessions.remove(&id);
    with_cookie(Redirect::to("/account").into_response(), &world.log_in(&user, true).0)
}

async fn account(Shared(world): Shared<World>, headers: HeaderMap) -> Response {
    let Some((user, _, session)) = user(&world, &headers) else {
        return Redirect::to("/login").into_response();
    };
    let count = world.lock().sessions.values().filter(|one| one.user.as_ref() == Some(&user)).count();
    let body = format!(
        "<p id=who>Logged in as <b>{}</b></p><p>Open sessions: <span id=count>{count}</span></p>\
         <p><a href=/password>Change password</a></p>\
         <form method=post action=/sessions/end><input type=hidden name=csrf value=\"{}\">\
         <button>End other sessions</button></form>\
         <form method=post action=/logout><button>Log out</button></form>",
        escape(&user),
        session.csrf
    );
    page(StatusCode::OK, "Account", &body)
}

async fn password_page(Shared(world): Shared<World>, headers: HeaderMap) -> Response {
    match user(&world, &headers) {
        Some((_, _, session)) => password_form(&world, StatusCode::OK, &session, ""),
        None => Redirect::to("/login").into_response(),
    }
}

/// The button wakes when both new passwords are typed and equal, as on many real pages.
fn password_form(world: &World, status: StatusCode, session: &Session, problem: &str) -> Response {
    let state = world.lock();
    let alert =
        if problem.is_empty() { String::new() } else { format!("<p role=alert class=error>{problem}</p>") };
    if state.fault == Fault::Redesign {
        return page(
            status,
            "Your security",
            "<p>Choose how you want to sign in.</p><button>Passkey</button>",
        );
    }
    let maxlength = state.maxlength.map(|length| format!("maxlength={length}")).unwrap_or_default();
    let echo = if state.fault == Fault::Echo {
        "<output id=echo></output><script>addEventListener('input', () => \
         { document.querySelector('#echo').textContent = 'You typed ' + document.querySelector('#new').value; })\
         </script>"
    } else {
        ""
    };
    let body = format!(
        "{alert}<form method=post action=/password><input type=hidden name=csrf value=\"{}\">\
         <label>Current password <input type=password name=current autocomplete=current-password></label>\
         <label for=new>New password</label>\
         <input id=new type=password name=new autocomplete=new-password {maxlength}>\
         <input id=repeat type=password name=repeat aria-label=\"Repeat new password\" {maxlength}>\
         <button id=save disabled>Change password</button></form>{echo}\
         <script>const [a, b, s] = ['#new', '#repeat', '#save'].map(q => document.querySelector(q));\
         addEventListener('input', () => {{ s.disabled = !a.value || a.value !== b.value; }});</script>",
        session.csrf
    );
    drop(state);
    page(status, "Change password", &body)
}

#[derive(Deserialize)]
struct PasswordForm {
    csrf: String,
    current: String,
    new: String,
    repeat: String,
}

async fn password(
    Shared(world): Shared<World>,
    headers: HeaderMap,
    Form(form): Form<PasswordForm>,
) -> Response {
    let Some((user, id, session)) = user(&world, &headers) else {
        return Redirect::to("/login").into_response();
    };
    let refuse = |status, problem: &str| password_form(&world, status, &session, problem);
    if !is_token(&session, &form.csrf) {
        return refuse(StatusCode::BAD_REQUEST, "The form is too old.");
    }
    if form.new != form.repeat {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "The new passwords are not the same.");
    }
    let fault = world.lock().fault;
    if let Some(answer) = fault.before_change() {
        return answer;
    }
    let changed = world.lock().users.change(&user, Some(&form.current), &form.new, &*world.entropy);
    if let Err(denied) = changed {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, denied.text());
    }
    if let Some(answer) = fault.after_change().await {
        return answer;
    }
    let ended = world.end_others(&user, Some(&id));
    let body =
        format!("<p role=status class=done>Your password was changed.</p><p>{ended} sessions ended</p>");
    page(StatusCode::OK, "Done", &body)
}

#[derive(Deserialize)]
struct TokenForm {
    csrf: String,
}

async fn end_sessions(
    Shared(world): Shared<World>,
    headers: HeaderMap,
    Form(form): Form<TokenForm>,
) -> Response {
    match user(&world, &headers).filter(|(_, _, session)| is_token(session, &form.csrf)) {
        Some((user, id, _)) => {
            world.end_others(&user, Some(&id));
            Redirect::to("/account").into_response()
        }
        None => Redirect::to("/login").into_response(),
    }
}

async fn logout(Shared(world): Shared<World>, headers: HeaderMap) -> Response {
    if let Some((id, _)) = session(&world, &headers) {
        world.lock().sessions.remove(&id);
    }
    Redirect::to("/login").into_response()
}
