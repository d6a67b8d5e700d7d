//! One request's way: route, room, token, pace, then what the route does, and a flight of it all.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use futures_util::FutureExt;
use latchkey_access::TokenKind;
use latchkey_engine::directory::Directory;
use latchkey_engine::{Engine, tokens};
use latchkey_kernel::id::RequestId;
use latchkey_scim::{Error as ScimError, Limits};
use tracing::Instrument;

use crate::discovery::Discovery;
use crate::failure::Failure;
use crate::flight::Flight;
use crate::intake::{Intake, Max, Taken};
use crate::reply::{self, Reply};
use crate::route::{Action, Auth, BASE, Found, Kind, Route, find};
use crate::target::{Target, decode};
use crate::{discovery, media, resources, search};

/// The longest target that is read. Longer filters belong into a `.search`.
const TARGET_MAX: usize = 32 * 1_024;

/// What all requests share.
pub(crate) struct Scim {
    pub(crate) engine: Engine,
    /// The SCIM root as clients see it, without a slash at its end.
    pub(crate) base: String,
    pub(crate) limits: Limits,
    pub(crate) discovery: Discovery,
    intake: Intake,
}

impl Scim {
    pub(crate) fn new(engine: Engine, base_url: &str, limits: Limits) -> Self {
        let base = format!("{}{BASE}", base_url.trim_end_matches('/'));
        let discovery = Discovery::new(&base, &limits);
        Self { engine, base, limits, discovery, intake: Intake::default() }
    }
}

/// One request that has been let in.
pub(crate) struct Call<'a> {
    pub(crate) scim: &'a Scim,
    pub(crate) directory: Directory<'a>,
    pub(crate) request_id: RequestId,
    pub(crate) headers: &'a HeaderMap,
    /// The query, decoded.
    pub(crate) pairs: Vec<(String, String)>,
    /// The segment that the route's braces match, decoded.
    pub(crate) segment: String,
}

/// What a request did, besides its answer.
pub(crate) type Outcome = Result<Reply, Failure>;

/// Serves one request; whatever happens in it, the answer is SCIM.
pub(crate) async fn serve(State(scim): State<Arc<Scim>>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let request_id = request_id(&scim.engine, &parts.headers);
    let mut flight = Flight::begin(&parts, address(&parts));
    let span = tracing::debug_span!(
        "scim.request",
        %request_id,
        method = %parts.method,
        path = parts.uri.path()
    );
    let work = answer(&scim, &parts, body, request_id, &mut flight);
    let outcome = AssertUnwindSafe(work.instrument(span)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| {
        tracing::error!(%request_id, "a request panicked");
        Err(Failure::incident(request_id))
    });
    if let Err(failure) = &outcome {
        failure.log(request_id);
    }
    let elapsed = started.elapsed();
    let error = outcome.as_ref().err().map(|failure| failure.error.clone());
    let mut response = match outcome {
        Ok(reply) => reply.into_response(),
        Err(failure) => failure.into_response(),
    };
    reply::common_headers(&mut response, &request_id.to_string());
    flight.land(&scim, request_id, response.status(), error.as_ref(), elapsed);
    response
}

async fn answer(
    scim: &Scim,
    parts: &Parts,
    body: Body,
    request_id: RequestId,
    flight: &mut Flight,
) -> Outcome {
    let uri = &parts.uri;
    if uri.path().len() + uri.query().map_or(0, str::len) > TARGET_MAX {
        let detail = format!("the URL is longer than {TARGET_MAX} bytes; use POST /.search for long filters");
        return Err(ScimError::new(414, None, detail).into());
    }
    let target = Target::parse(uri.path(), uri.query()).ok_or_else(Failure::no_route)?;
    let (route, segment) = match find(&parts.method, target.path) {
        Found::Route(route, segment) => (route, segment),
        Found::Methods(methods) => return Err(Failure::method_not_allowed(&methods)),
        Found::Nothing => return Err(Failure::no_route()),
    };
    flight.route(route);
    let _room = scim.intake.enter()?;
    let engine = scim.engine.at_one_instant();
    let directory = let_in(&engine, parts, route, request_id, flight).await?;
    media::check_accept(parts.headers.get_all(header::ACCEPT).iter().map(|value| value.as_bytes()))?;
    let call = Call {
        scim,
        directory,
        request_id,
        headers: &parts.headers,
        pairs: target.pairs()?,
        segment: decode(segment, false).unwrap_or_default(),
    };
    flight.query(&call.pairs);
    if matches!(route.action, Action::Get(_) | Action::Replace(_) | Action::Patch(_) | Action::Delete(_)) {
        flight.target(&call.segment);
    }
    perform(&call, body, route, flight).await
}

/// Finds the directory whose token the request shows, and paces it.
async fn let_in<'a>(
    engine: &'a Engine,
    parts: &Parts,
    route: &Route,
    request_id: RequestId,
    flight: &mut Flight,
) -> Result<Directory<'a>, Failure> {
    let Auth::DirectoryToken = route.auth;
    let Some(presented) = bearer(&parts.headers) else {
        let presented = parts.headers.contains_key(header::AUTHORIZATION);
        return Err(Failure::unauthorized(presented));
    };
    let login = tokens::authenticate(engine, TokenKind::Scim, presented)
        .await
        .map_err(|error| Failure::of(error, request_id))?
        .map_err(|why| {
            tracing::debug!(%why, "a token opened nothing");
            Failure::unauthorized(true)
        })?;
    flight.login(&login);
    let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    engine.token_used(&login, &flight.address, agent);
    if let Some(per_second) = login.token.rate_limit {
        engine.pace(&login.token).map_err(|wait| Failure::too_fast(per_second, wait))?;
    }
    Ok(Directory::new(engine, login.workspace_id, login.token.id, request_id))
}

async fn perform(call: &Call<'_>, body: Body, route: &Route, flight: &mut Flight) -> Outcome {
    let limits = call.scim.limits;
    let takes_body = match route.action {
        Action::Search(_) | Action::Create(_) | Action::Replace(_) | Action::Patch(_) => Some(Max::One),
        Action::Bulk => Some(Max::Bulk),
        _ => None,
    };
    let taken = match takes_body {
        Some(max) => {
            let mut taking = Box::pin(call.scim.intake.json(call.headers, body, max, &limits));
            // Most bodies came with their head, and the instant of the token's look-up goes on. Who
            // sends slowly holds no instant of the database meanwhile.
            Some(match (&mut taking).now_or_never() {
                Some(taken) => taken?,
                None => {
                    call.directory.end_instant();
                    taking.await?
                }
            })
        }
        None => None,
    };
    if let Some(Taken { json, .. }) = &taken {
        flight.body(json);
    }
    let body = taken.as_ref().map(|taken| &*taken.json);
    // What asks much is boxed: the future of a look-up would be as large as that of the largest
    // request, and it is copied on its way to where it runs.
    match (route.action, body) {
        (Action::List(kind), _) => search::list(call, kind).await,
        (Action::Search(kind), Some(body)) => Box::pin(search::search(call, kind, body)).await,
        (Action::Get(Kind::User), _) => resources::user_get(call).await,
        (Action::Create(Kind::User), Some(body)) => Box::pin(resources::user_create(call, body, flight)).await,
        (Action::Replace(Kind::User), Some(body)) => Box::pin(resources::user_replace(call, body, flight)).await,
        (Action::Patch(Kind::User), Some(body)) => Box::pin(resources::user_patch(call, body, flight)).await,
        (Action::Delete(Kind::User), _) => Box::pin(resources::user_delete(call, flight)).await,
        (Action::Get(Kind::Group), _) => Box::pin(resources::group_get(call)).await,
        (Action::Create(Kind::Group), Some(body)) => Box::pin(resources::group_create(call, body, flight)).await,
        (Action::Replace(Kind::Group), Some(body)) => Box::pin(resources::group_replace(call, body, flight)).await,
        (Action::Patch(Kind::Group), Some(body)) => Box::pin(resources::group_patch(call, body, flight)).await,
        (Action::Delete(Kind::Group), _) => Box::pin(resources::group_delete(call, flight)).await,
        (Action::Bulk, Some(body)) => Box::pin(crate::bulk::bulk(call, body, flight)).await,
        (Action::Me, _) => Err(ScimError::not_found(
            "/Me has nothing to show: this token stands for a directory and not for a person; look people up in /Users",
        )
        .into()),
        (
            Action::ServiceProviderConfig
            | Action::ResourceTypes
            | Action::ResourceType
            | Action::Schemas
            | Action::Schema,
            _,
        ) => discovery::answer(call, route.action),
        // The table has no such routes, and the bodies were read above.
        _ => Err(Failure::no_route()),
    }
}

impl Call<'_> {
    /// The value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The failure that a service's error is for this request.
    pub(crate) fn failure(&self, error: latchkey_engine::Error) -> Failure {
        Failure::of(error, self.request_id)
    }
}

/// The token behind `Bearer`, whose spelling has no case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        // Which of two would count, a proxy before us may see otherwise.
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// The client's id for this request if it is a UUID, else a fresh one.
fn request_id(engine: &Engine, headers: &HeaderMap) -> RequestId {
    headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok()?.to_ascii_lowercase().parse().ok())
        .unwrap_or_else(|| engine.fresh_request_id())
}

/// Where the connection comes from. A header that names another address is not believed: anybody can send one.
fn address(parts: &Parts) -> String {
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or_else(|| "unknown".to_owned(), |ConnectInfo(address)| address.ip().to_string())
}

/// Whether a request changes something.
pub(crate) fn is_mutating(method: &Method, action: Option<Action>) -> bool {
    !matches!(action, Some(Action::Search(_))) && *method != Method::GET && *method != Method::HEAD
}
