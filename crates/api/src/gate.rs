//! The gate before every handler: request id, token, pace, and whether the caller may do it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use latchkey_access::TokenKind;
use latchkey_access::authority::Action;
use latchkey_engine::{Engine, tokens};
use latchkey_kernel::id::RequestId;
use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument;

use crate::caller::By;
use crate::endpoint::Actions;
use crate::problem::Problem;

/// What the gate is given.
#[derive(Clone)]
pub(crate) struct Gate {
    engine: Engine,
    actions: Arc<Actions>,
}

impl Gate {
    pub(crate) const fn new(engine: Engine, actions: Arc<Actions>) -> Self {
        Self { engine, actions }
    }

    /// The action of a route; `Err` for a method that its path does not have.
    fn action(&self, path: &str, method: &Method) -> Result<Option<Action>, Problem> {
        let methods = self.actions.get(path).map(Vec::as_slice).unwrap_or_default();
        // Whoever answers GET answers HEAD, without the body.
        let asked = if method == Method::HEAD { &Method::GET } else { method };
        methods.iter().find(|(known, _)| known == asked).map(|(_, action)| *action).ok_or_else(|| {
            let allowed: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
            Problem::method_not_allowed(&allowed.join(", "))
        })
    }
}

/// Lets a request through, with its [`By`] if its route needs one.
pub(crate) async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(&gate.engine, request.headers());
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let method = request.method().clone();
    let span = tracing::debug_span!("api", %request_id, %method, path);
    request.extensions_mut().insert(request_id);
    let admitted = admit(&gate, &path, &mut request, request_id).instrument(span.clone()).await;
    let mut response = match admitted {
        Ok(()) => next.run(request).instrument(span).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert("x-request-id", HeaderValue::try_from(request_id.to_string()).expect("an id is ASCII"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status().as_u16().to_string();
    metrics::counter!("latchkey_api_requests_total", "method" => known_method(&method), "path" => path, "status" => status)
        .increment(1);
    metrics::histogram!("latchkey_api_request_seconds").record(started.elapsed());
    response
}

async fn admit(gate: &Gate, path: &str, request: &mut Request, request_id: RequestId) -> Result<(), Problem> {
    let Some(action) = gate.action(path, request.method())? else { return Ok(()) };
    let visitor = Visitor::of(request);
    let login = login(gate, &visitor, request_id).await?;
    let by = By::of(&login, action, request_id).map_err(|problem| problem.of(request_id))?;
    request.extensions_mut().insert(by);
    Ok(())
}

/// What a request says of who sends it.
struct Visitor {
    presented: Option<SecretString>,
    address: String,
    agent: Option<String>,
}

impl Visitor {
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Self {
            presented: bearer(headers).map(SecretString::from),
            address: address.map(|ip| ip.to_string()).unwrap_or_default(),
            agent: agent.map(str::to_owned),
        }
    }
}

async fn login(gate: &Gate, visitor: &Visitor, request_id: RequestId) -> Result<tokens::Login, Problem> {
    let engine = &gate.engine;
    let presented = visitor.presented.as_ref().ok_or_else(|| Problem::unauthenticated().of(request_id))?;
    let login = tokens::authenticate(engine, TokenKind::Api, presented.expose_secret())
        .await
        .map_err(|error| Problem::from_error(&error, request_id))?
        .map_err(|why| {
            tracing::info!(%why, "api token refused");
            Problem::unauthenticated().of(request_id)
        })?;
    engine.token_used(&login, &visitor.address, visitor.agent.as_deref());
    engine.pace(&login.token).map_err(|wait| Problem::too_many(wait).of(request_id))?;
    Ok(login)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The client's id if it sent a UUID, so that its log and ours meet; else a fresh one.
fn request_id(engine: &Engine, headers: &HeaderMap) -> RequestId {
    let sent = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    sent.and_then(|text| text.parse().ok()).unwrap_or_else(|| engine.fresh_request_id())
}

/// Metrics have labels from closed sets only.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
