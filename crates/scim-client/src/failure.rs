//! What a target's refusals mean, and who has to act.

use std::error::Error;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value as Json;

/// Why a request did not do what it was sent for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{}: {message}", .kind.code())]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// The answer's status, where there was an answer.
    pub status: Option<u16>,
    /// What happened and what to do. Holds what the target said of it, shortened.
    pub message: String,
    /// How long the target asked to wait.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// The kinds of failure; logs list them under [`FailureKind::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum FailureKind {
    /// The name of the target's host is not known.
    Dns,
    /// Nobody answers there.
    Connect,
    /// The connection cannot be trusted.
    Tls,
    /// No answer in time: the request may have been performed.
    Timeout,
    /// The connection broke: the request may have been performed.
    Transport,
    /// The credential is refused.
    Unauthorized,
    /// The credential may not do this.
    Forbidden,
    /// There is no such object, or no such path.
    NotFound,
    /// Another object has this value.
    Conflict,
    /// Too many requests.
    TooManyRequests,
    /// The target failed.
    ServerError,
    /// The target does not do this.
    NotImplemented,
    /// The target refuses the request as it is.
    BadRequest,
    /// The answer is not SCIM.
    Incompatible,
    /// The answer to a filter has other objects than those that were asked for.
    IncompatibleFiltering,
    /// No token could be got.
    Token,
}

impl FailureKind {
    /// The code of the provisioning log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Dns | Self::Connect | Self::Tls => "EndpointUnavailable",
            Self::Timeout => "Timeout",
            Self::Transport => "WebExceptionProtocolError",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "InvalidAnchor",
            Self::Conflict => "Conflict",
            Self::TooManyRequests => "TooManyRequests",
            Self::ServerError => "InternalServerError",
            Self::NotImplemented => "NotImplemented",
            Self::BadRequest => "UnprocessableEntity",
            Self::Incompatible => "SystemForCrossDomainIdentityManagementServiceIncompatible",
            Self::IncompatibleFiltering => {
                "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering"
            }
            Self::Token => "SystemForCrossDomainIdentityManagementCredentialValidationFailure",
        }
    }

    /// Whether it may work later as it is.
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Dns
                | Self::Connect
                | Self::Timeout
                | Self::Transport
                | Self::TooManyRequests
                | Self::ServerError
        )
    }

    /// Whether it says something about the connection as a whole: the job is put into quarantine,
    /// and no other object is tried.
    pub const fn is_connection(self) -> bool {
        matches!(self, Self::Dns | Self::Connect | Self::Tls | Self::Unauthorized | Self::Token)
    }
}

impl Failure {
    /// A failure that no answer tells of.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, status: None, message: message.into(), retry_after: None }
    }

    /// Of a request that got no answer.
    pub(crate) fn of_transport(error: &reqwest::Error, host: &str) -> Self {
        let chain = chain(error);
        let has = |words: &[&str]| words.iter().any(|word| chain.contains(word));
        if error.is_timeout() {
            return Self::new(
                FailureKind::Timeout,
                format!("{host} did not answer in time; it may have done what was asked"),
            );
        }
        if has(&["dns error", "failed to lookup address"]) {
            return Self::new(
                FailureKind::Dns,
                format!("there is no host {host}; check the URL's spelling, and the DNS of this machine"),
            );
        }
        if has(&["certificate", "CertificateUnknown", "UnknownIssuer", "NotValidForName", "tls", "TLS"]) {
            let why = chain.lines().last().unwrap_or_default();
            let message = format!(
                "{host} cannot be trusted: {why}; it needs a certificate for that name from a known authority, or name its authority in ca_file"
            );
            return Self::new(FailureKind::Tls, message);
        }
        if error.is_connect() {
            let why = chain.lines().last().unwrap_or_default();
            return Self::new(
                FailureKind::Connect,
                format!(
                    "nobody answers at {host} ({why}); check the port, and that no firewall stands between"
                ),
            );
        }
        Self::new(
            FailureKind::Transport,
            format!("the connection to {host} broke; it may have done what was asked"),
        )
    }

    /// Of an answer that says no.
    pub(crate) fn of_answer(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let said = said(body);
        let (kind, what) = match status {
            400 | 405 | 413 | 414 | 415 | 422 => (FailureKind::BadRequest, "the target refuses the request"),
            401 => (FailureKind::Unauthorized, "the target refuses the token; give it a valid one"),
            403 => (FailureKind::Forbidden, "the token is valid, but may not do this at the target"),
            404 => (FailureKind::NotFound, "the target has no such object"),
            409 => (FailureKind::Conflict, "another object of the target has this value already"),
            412 => (FailureKind::Conflict, "the object changed at the target meanwhile"),
            429 => (FailureKind::TooManyRequests, "the target asks for fewer requests"),
            501 => (FailureKind::NotImplemented, "the target does not do this"),
            500..=599 => (FailureKind::ServerError, "the target failed"),
            _ => (FailureKind::Incompatible, "the target answers what SCIM does not know"),
        };
        let message = match said {
            Some(said) => format!("{what}; it says ({status}): {said}"),
            None => format!("{what} ({status})"),
        };
        Self { kind, status: Some(status), message, retry_after }
    }
}

/// All that an error is caused by, a line each.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push('\n');
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// What a target said: a SCIM error's `scimType` and `detail`, or the beginning of another text.
fn said(body: &[u8]) -> Option<String> {
    let short = |text: &str| -> String {
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > 300 {
            format!("{}…", text.chars().take(300).collect::<String>())
        } else {
            text
        }
    };
    if let Ok(json) = serde_json::from_slice::<Json>(body) {
        let field = |name: &str| json.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let words: Vec<&str> = [field("scimType"), field("detail"), field("message"), field("error")]
            .into_iter()
            .flatten()
            .collect();
        return if words.is_empty() { None } else { Some(short(&words.join(": "))) };
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.starts_with('<') {
        return Some("a web page".to_owned());
    }
    (!text.is_empty()).then(|| short(text))
}
