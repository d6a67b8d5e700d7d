//! The client: one target, its credential, its pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use latchkey_provisioning::jobfile::Dialect;
use latchkey_provisioning::{Kind, TargetPath};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, Url};
use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use crate::answer::{Exchange, Found, Listed, id_of, list, object};
use crate::credential::{Authorizer, Credential};
use crate::dialect;
use crate::extensions::Extensions;
use crate::failure::{Failure, FailureKind};
use crate::pace::Pace;
use crate::tls::{self, TlsError};

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// How often a request is sent again because the target asked for time.
const PATIENCE: u32 = 6;
/// The longest time that a target is given before an object is put aside.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// How a target is talked to.
#[derive(Debug)]
pub struct Options {
    /// Its base, as `https://app.example/scim/v2`. Entra ID's flags in the query are understood.
    pub base: Url,
    /// What it is shown.
    pub credential: Credential,
    /// In which words changes are sent.
    pub dialect: Dialect,
    /// Requests at once at most.
    pub concurrency: usize,
    /// Requests a second at most.
    pub requests_per_second: Option<u64>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Authorities to trust besides the machine's, in PEM.
    pub authorities: Option<Vec<u8>>,
}

/// A target. Cheap to clone; clones share connections, credential and pace.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    http: reqwest::Client,
    base: Url,
    authorizer: Authorizer,
    pub(crate) dialect: Dialect,
    /// Whether a target that was to be found out about wants Entra ID's words.
    pub(crate) wants_entra: AtomicBool,
    pub(crate) extensions: Extensions,
    /// As many members as the target takes in one request, as far as that is known.
    pub(crate) members_at_once: AtomicUsize,
    pace: Pace,
}

pub(crate) struct Answer {
    status: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Sets a target up; nothing is sent.
    ///
    /// # Errors
    /// When the authorities cannot be read.
    pub fn new(options: Options) -> Result<Self, TlsError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(options.authorities.as_deref())?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(options.timeout)
            .connect_timeout(options.timeout.min(Duration::from_secs(10)))
            .pool_max_idle_per_host(options.concurrency)
            .tcp_nodelay(true)
            .user_agent(concat!("Latchkey/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| TlsError::Setup(error.to_string()))?;
        let (base, dialect) = understand(options.base, options.dialect);
        let shared = Shared {
            http,
            base,
            authorizer: Authorizer::new(options.credential),
            dialect,
            wants_entra: AtomicBool::new(false),
            extensions: Extensions::default(),
            members_at_once: AtomicUsize::new(dialect::MEMBERS_AT_ONCE),
            pace: Pace::new(options.concurrency, options.requests_per_second),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The target's host, for messages.
    pub fn host(&self) -> &str {
        self.shared.base.host_str().unwrap_or_default()
    }

    /// How fast it is asked.
    pub fn pace(&self) -> &Pace {
        &self.shared.pace
    }

    /// The words that changes are sent in now.
    pub fn dialect(&self) -> Dialect {
        match self.shared.dialect {
            Dialect::Auto if self.shared.wants_entra.load(Ordering::Relaxed) => Dialect::Entra,
            Dialect::Auto => Dialect::Rfc,
            dialect => dialect,
        }
    }

    /// Looks for the one object that has this value.
    ///
    /// # Errors
    /// When the target does not answer, refuses, or answers with others than were asked for.
    pub async fn find(
        &self,
        kind: Kind,
        path: &TargetPath,
        value: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Found, Failure> {
        let mut url = self.url(&[collection(kind)]);
        if kind == Kind::Group {
            url.query_pairs_mut().append_pair("excludedAttributes", "members");
        }
        url.query_pairs_mut().append_pair("filter", &dialect::filter(path, value));
        let answer = self.send(Method::GET, url, None, trail).await.map_err(|failure| match failure.kind {
            FailureKind::NotFound => Failure {
                kind: FailureKind::IncompatibleFiltering,
                message: "the target answers a search with 404 where an empty list is due (RFC 7644 §3.4.2); check that the URL ends where /Users begins".to_owned(),
                ..failure
            },
            _ => failure,
        })?;
        let listed = list(&answer.body)?;
        let is_asked_for = |resource: &Map<String, Json>| {
            let held = path.read(resource);
            held.is_none_or(|held| {
                held.as_str().is_none_or(|held| held.to_lowercase() == value.to_lowercase())
            })
        };
        if listed.resources.iter().any(|resource| !is_asked_for(resource)) {
            let message = format!(
                "the target answers a search for {path} with objects that have another value; it ignores filters, and nothing can be matched safely"
            );
            return Err(Failure::new(FailureKind::IncompatibleFiltering, message));
        }
        let count = usize::try_from(listed.total).unwrap_or(usize::MAX).max(listed.resources.len());
        match (count, listed.resources.into_iter().next()) {
            (0, _) => Ok(Found::None),
            (1, Some(resource)) => Ok(Found::One(id_of(&resource)?, resource)),
            (1, None) => Err(Failure::new(
                FailureKind::IncompatibleFiltering,
                "the target says that one object matches, but its list is empty",
            )),
            (several, _) => Ok(Found::Several(several)),
        }
    }

    /// Reads an object; `None` when the target has none of this id.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn read(
        &self,
        kind: Kind,
        id: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Option<Map<String, Json>>, Failure> {
        let mut url = self.url(&[collection(kind), id]);
        if kind == Kind::Group {
            url.query_pairs_mut().append_pair("excludedAttributes", "members");
        }
        match self.send(Method::GET, url, None, trail).await {
            Ok(answer) => object(&answer.body).map(Some),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A page of all objects: from `start` on, which counts from 1, or where a cursor points.
    ///
    /// # Errors
    /// When the target does not answer, refuses, or answers with no list.
    pub async fn page(
        &self,
        kind: Kind,
        start: u64,
        cursor: Option<&str>,
        trail: &mut Vec<Exchange>,
    ) -> Result<Listed, Failure> {
        let mut url = self.url(&[collection(kind)]);
        match cursor {
            Some(cursor) => url.query_pairs_mut().append_pair("cursor", cursor),
            None => url.query_pairs_mut().append_pair("startIndex", &start.to_string()),
        };
        url.query_pairs_mut().append_pair("count", "100");
        list(&self.send(Method::GET, url, None, trail).await?.body)
    }

    /// What the target says that it can do; `None` where it doesn't say.
    ///
    /// # Errors
    /// When the target does not answer.
    pub async fn capabilities(
        &self,
        trail: &mut Vec<Exchange>,
    ) -> Result<Option<Map<String, Json>>, Failure> {
        match self.send(Method::GET, self.url(&["ServiceProviderConfig"]), None, trail).await {
            Ok(answer) => Ok(object(&answer.body).ok()),
            Err(failure) if failure.kind.is_connection() => Err(failure),
            Err(_) => Ok(None),
        }
    }

    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.shared.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Sends a request, and again when the target asks for time or the token has run out.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<Json>,
        trail: &mut Vec<Exchange>,
    ) -> Result<Answer, Failure> {
        let bytes = body.as_ref().map(|body| body.to_string().into_bytes());
        let path = url
            .as_str()
            .strip_prefix(self.shared.base.as_str().trim_end_matches('/'))
            .unwrap_or_default()
            .to_owned();
        let name = name_of(&method);
        let mut renewed = false;
        for attempt in 0..=PATIENCE {
            let turn = self.shared.pace.enter().await;
            let begun = Instant::now();
            let authorization = self.shared.authorizer.header(&self.shared.http).await?;
            let mut request = self
                .shared
                .http
                .request(method.clone(), url.clone())
                .header(AUTHORIZATION, authorization.clone());
            request = request.header(ACCEPT, "application/scim+json, application/json;q=0.9");
            if let Some(bytes) = &bytes {
                request = request.header(CONTENT_TYPE, "application/scim+json").body(bytes.clone());
            }
            let result = exchange(request, self.host()).await;
            drop(turn);
            let status = match &result {
                Ok(answer) => Some(answer.status),
                Err(failure) => failure.status,
            };
            let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let body = body.clone();
            trail.push(Exchange { method: name, path: path.clone(), body, status, millis, note: None });
            let failure = match result {
                Ok(answer) => {
                    self.shared.pace.answered();
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            match failure.kind {
                FailureKind::Unauthorized if self.shared.authorizer.can_renew() && !renewed => {
                    renewed = true;
                    self.shared.authorizer.forget(&authorization).await;
                }
                FailureKind::TooManyRequests => {
                    let wait = failure.retry_after.unwrap_or(Duration::from_secs(1 << attempt));
                    self.shared.pace.slow_down(wait.min(LONGEST_WAIT));
                    if wait > LONGEST_WAIT || attempt == PATIENCE {
                        return Err(failure);
                    }
                }
                FailureKind::ServerError if failure.retry_after.is_some_and(|wait| wait <= LONGEST_WAIT) => {
                    self.shared.pace.slow_down(failure.retry_after.unwrap_or_default());
                    if attempt == PATIENCE {
                        return Err(failure);
                    }
                }
                // A read can be asked again without harm; a kept connection may just have been closed.
                FailureKind::Transport if method == Method::GET && attempt == 0 => {}
                _ => return Err(failure),
            }
        }
        Err(Failure::new(FailureKind::TooManyRequests, "the target asked for time again and again"))
    }
}

async fn exchange(request: reqwest::RequestBuilder, host: &str) -> Result<Answer, Failure> {
    let mut answer = request.send().await.map_err(|error| Failure::of_transport(&error, host))?;
    let status = answer.status().as_u16();
    let retry_after = retry_after(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Failure::of_transport(&error, host))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::new(
                FailureKind::Incompatible,
                format!("{host} answers with more than {MAX_ANSWER} bytes"),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    match status {
        200..=299 => Ok(Answer { status, body }),
        300..=399 => Err(Failure {
            status: Some(status),
            ..Failure::new(
                FailureKind::Incompatible,
                format!(
                    "{host} redirects ({status}), and a token is not sent elsewhere; give the URL that it redirects to, if that is its SCIM endpoint"
                ),
            )
        }),
        _ => Err(Failure::of_answer(status, retry_after, &body)),
    }
}

/// Seconds, or a date (RFC 9110 §10.2.3), which is measured by the target's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text(RETRY_AFTER)?;
    if let Ok(seconds) = wait.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (until, now) = (httpdate::parse_http_date(wait).ok()?, httpdate::parse_http_date(text(DATE)?).ok()?);
    Some(until.duration_since(now).unwrap_or_default())
}

pub(crate) const fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "Users",
        Kind::Group => "Groups",
    }
}

fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}

/// Takes Entra ID's flags out of the base: they are for the client, and say how it words changes.
fn understand(mut base: Url, dialect: Dialect) -> (Url, Dialect) {
    let is_flag = |name: &str| {
        ["aadOptscim062020", "AzureAdScimPatch062020"].iter().any(|flag| flag.eq_ignore_ascii_case(name))
    };
    let is_legacy = |name: &str| name.eq_ignore_ascii_case("AzureAdScimPatch2017");
    let pairs: Vec<(String, String)> = base.query_pairs().into_owned().collect();
    let mut dialect = dialect;
    let mut kept = Vec::new();
    for (name, value) in pairs {
        match () {
            () if is_flag(&name) => dialect = Dialect::EntraCompliant,
            () if is_legacy(&name) => dialect = Dialect::Entra,
            () => kept.push((name, value)),
        }
    }
    base.set_query(None);
    if !kept.is_empty() {
        base.query_pairs_mut().extend_pairs(kept);
    }
    (base, dialect)
}
