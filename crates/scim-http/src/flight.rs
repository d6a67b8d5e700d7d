//! What the flight recorder keeps of a request, collected along its way.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use latchkey_engine::flights::{FlightEntry, Verdict, Worth};
use latchkey_engine::{Effect, Login};
use latchkey_kernel::id::{FlightId, RequestId, TokenId, WorkspaceId};
use latchkey_scim::json::Json;
use latchkey_scim::{Error, ScimType};
use serde_json::json;

use crate::redact;
use crate::route::Route;
use crate::serve::{Scim, is_mutating};

/// How much of a client's name for itself is kept.
const AGENT_MAX: usize = 200;
/// How much of an id is kept: a client may send any text as one.
const TARGET_MAX: usize = 64;

/// One request as far as it has come.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) address: String,
    method: Method,
    agent: Option<String>,
    route: Option<&'static Route>,
    login: Option<(WorkspaceId, TokenId)>,
    query: Vec<(String, String)>,
    body: Option<Arc<Json>>,
    target: Option<String>,
    effects: Vec<Effect>,
    hints: Vec<String>,
}

impl Flight {
    pub(crate) fn begin(parts: &Parts, address: String) -> Self {
        Self {
            address,
            method: parts.method.clone(),
            agent: agent(&parts.headers).map(|agent| beginning(agent, AGENT_MAX)),
            route: None,
            login: None,
            query: Vec::new(),
            body: None,
            target: None,
            effects: Vec::new(),
            hints: Vec::new(),
        }
    }

    pub(crate) const fn route(&mut self, route: &'static Route) {
        self.route = Some(route);
    }

    pub(crate) const fn login(&mut self, login: &Login) {
        self.login = Some((login.workspace_id, login.token.id));
    }

    pub(crate) fn query(&mut self, pairs: &[(String, String)]) {
        self.query = pairs.to_vec();
    }

    /// What was sent; redacted only if it is recorded.
    pub(crate) fn body(&mut self, body: &Arc<Json>) {
        self.body = Some(Arc::clone(body));
    }

    /// The id of the resource that the request is about.
    pub(crate) fn target(&mut self, id: &str) {
        self.target = Some(beginning(id, TARGET_MAX));
    }

    /// What a write did.
    pub(crate) fn did(&mut self, effects: Vec<Effect>, hints: Vec<String>) {
        self.effects = effects;
        self.hints = hints;
    }

    /// Counts the request, and records it if it came from a directory that was let in.
    pub(crate) fn land(
        self,
        scim: &Scim,
        request_id: RequestId,
        status: StatusCode,
        error: Option<&Error>,
        elapsed: Duration,
    ) {
        let resource = self.route.map_or("none", |route| route.path);
        let method = known(&self.method);
        metrics::counter!("latchkey_scim_requests_total",
            "method" => method, "resource" => resource, "status" => class(status))
        .increment(1);
        metrics::histogram!("latchkey_scim_request_seconds", "method" => method, "resource" => resource)
            .record(elapsed.as_secs_f64());
        let Some((workspace_id, token_id)) = self.login else { return };
        let mutating = is_mutating(&self.method, self.route.map(|route| route.action));
        let verdict = verdict(status);
        if !scim.engine.recorder_has_room(Worth::of(mutating, verdict)) {
            return;
        }
        let body = self.body.map(|body| redact::body(&body, &scim.limits));
        let at = scim.engine.now();
        let query = redact::query(&self.query, &scim.limits);
        let path = if query.is_empty() { resource.to_owned() } else { format!("{resource}?{query}") };
        scim.engine.record_flight(FlightEntry {
            workspace_id,
            id: FlightId::fresh(at, scim.engine.entropy()),
            at,
            token_id,
            request_id,
            method: method.to_owned(),
            path,
            status: status.as_u16(),
            verdict,
            mutating,
            micros: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            address: self.address,
            agent: self.agent,
            detail: json!({
                "target_id": self.target,
                "scim_type": error.and_then(|error| error.scim_type).map(ScimType::as_str),
                "error": error.map(|error| &error.detail),
                "effects": self.effects,
                "hints": self.hints,
                "body": body,
            }),
        });
    }
}

/// The first characters of a text.
fn beginning(text: &str, max: usize) -> String {
    let end = text.char_indices().nth(max).map_or(text.len(), |(at, _)| at);
    text[..end].to_owned()
}

fn agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::USER_AGENT)?.to_str().ok()
}

/// The method as a label: a client may send any word, and labels are a closed set.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "200",
        201 => "201",
        204 => "204",
        304 => "304",
        400 => "400",
        401 => "401",
        404 => "404",
        409 => "409",
        412 => "412",
        429 => "429",
        500 => "500",
        503 => "503",
        402..=499 => "4xx",
        _ => "other",
    }
}

fn verdict(status: StatusCode) -> Verdict {
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        Verdict::Accepted
    } else if status.is_client_error() {
        Verdict::Refused
    } else {
        Verdict::Failed
    }
}
