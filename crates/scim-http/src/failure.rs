//! Each way to fail becomes one SCIM error (RFC 7644 §3.12); here and nowhere else.

use std::time::Duration;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use latchkey_engine::Error;
use latchkey_kernel::id::RequestId;
use latchkey_scim::Error as ScimError;
use latchkey_scim::error::error_body;

use crate::reply;

/// What a client that was turned away for want of room waits before it comes again. The write
/// queue empties in milliseconds; a second spreads those who were turned away at once.
const MOMENT: Duration = Duration::from_secs(1);

/// A refusal as it goes out.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Status, keyword and sentence.
    pub(crate) error: ScimError,
    /// The headers that go with the status.
    headers: Vec<(header::HeaderName, HeaderValue)>,
    /// What broke, where something did; for the log and never for the client.
    pub(crate) broken: Option<Error>,
}

impl Failure {
    /// No token, or one that opens nothing (RFC 6750 §3). A request without any is told only
    /// that one is needed; which of the reasons it was, a client does not learn.
    pub(crate) fn unauthorized(presented: bool) -> Self {
        let (challenge, detail) = if presented {
            (
                r#"Bearer realm="Latchkey SCIM", error="invalid_token""#,
                "the token is not valid here; copy the SCIM token from Settings, Directory sync, or regenerate it",
            )
        } else {
            (
                r#"Bearer realm="Latchkey SCIM""#,
                "send the SCIM token of Settings, Directory sync, as Authorization: Bearer <token>",
            )
        };
        Self::from(ScimError::new(401, None, detail))
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// No such endpoint.
    pub(crate) fn no_route() -> Self {
        ScimError::not_found("there is no such endpoint; the base is /v1/scim/v2 with /Users, /Groups, /Bulk and the discovery endpoints").into()
    }

    /// The endpoint has other methods.
    pub(crate) fn method_not_allowed(methods: &[&Method]) -> Self {
        let mut allowed: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        let allowed = allowed.join(", ");
        let value = HeaderValue::from_str(&allowed).expect("method names are visible ASCII");
        Self::from(ScimError::new(405, None, format!("this endpoint takes {allowed}")))
            .with(header::ALLOW, value)
    }

    /// The token makes more requests than its limit.
    pub(crate) fn too_fast(per_second: u32, wait: Duration) -> Self {
        let detail = format!(
            "this token may make {per_second} requests a second; come back after the time in Retry-After"
        );
        Self::from(ScimError::new(429, None, detail)).retry_after(wait)
    }

    /// No room for this request now.
    pub(crate) fn overloaded(detail: &str) -> Self {
        Self::from(ScimError::new(503, None, detail)).retry_after(MOMENT)
    }

    /// Something broke; what, stands in the log under the request's id.
    pub(crate) fn incident(request_id: RequestId) -> Self {
        ScimError::new(
            500,
            None,
            format!("something broke here; nothing is half done. Give {request_id} to whoever runs Latchkey: it finds the cause in the log"),
        )
        .into()
    }

    /// A service's error, with its own wording where it has one for clients.
    pub(crate) fn of(error: Error, request_id: RequestId) -> Self {
        match error {
            Error::Scim(error) => error.into(),
            // Only rules about who keeps a team reach a directory; the others are for people.
            Error::Refused(refusal) => ScimError::new(403, None, refusal.to_string()).into(),
            Error::NotFound { .. } => ScimError::not_found(error.to_string()).into(),
            Error::Clash(detail) => ScimError::new(409, None, detail).into(),
            Error::Invalid(detail) => ScimError::invalid_value(detail).into(),
            Error::Contended | Error::Busy => Self::overloaded(&error.to_string()),
            Error::Store(_) if error.is_passing() => {
                let failure = Self::overloaded("the database cannot be reached; try again in a moment");
                Self { broken: Some(error), ..failure }
            }
            Error::Store(_) | Error::Damaged { .. } | Error::Keys(_) | Error::Tampered { .. } => {
                Self { broken: Some(error), ..Self::incident(request_id) }
            }
        }
    }

    /// Logs what broke, with all its causes, under the id that the client is told.
    pub(crate) fn log(&self, request_id: RequestId) {
        if let Some(broken) = &self.broken {
            let error = latchkey_engine::error_chain(broken);
            tracing::error!(%request_id, error, "a request failed");
        }
    }

    fn with(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn retry_after(self, wait: Duration) -> Self {
        // Whole seconds, rounded up: coming too early costs another refusal.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// The answer that carries it.
    pub(crate) fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = reply::json(status, error_body(&self.error));
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<ScimError> for Failure {
    fn from(error: ScimError) -> Self {
        Self { error, headers: Vec::new(), broken: None }
    }
}
