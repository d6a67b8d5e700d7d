//! Refusals as problem details (RFC 9457), mapped from the services' errors in one place.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use latchkey_access::refusal::Refusal;
use latchkey_engine::Error;
use latchkey_kernel::id::RequestId;
use serde::Serialize;
use utoipa::ToSchema;

/// A problem on its way to the client; boxed, because it is what fails everywhere.
#[derive(Debug)]
pub(crate) struct Problem(Box<Document>);

/// Why a request was not done (RFC 9457), as `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// A word for machines, stable across versions.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every problem of this type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, to what, and what to do.
    pub detail: String,
    /// With which the operator finds the request in the log and the audit records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(skip)]
    retry_after: Option<u64>,
    #[serde(skip)]
    allow: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: u16, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Document {
            kind: format!("urn:latchkey:problem:{kind}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            request_id: None,
            retry_after: None,
            allow: None,
        }))
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(400, "invalid", "The request makes no sense", detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            404,
            "not-found",
            "There is no such thing",
            format!("there is no such {what} in this workspace"),
        )
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            401,
            "unauthenticated",
            "A valid API token is needed",
            "send `Authorization: Bearer lk_api_…` with a token that is valid, of a member who is active",
        )
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "The token or the member's role does not allow this", detail)
    }

    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let mut problem = Self::new(
            405,
            "method",
            "This address does not take the method",
            format!("use one of: {allowed}"),
        );
        problem.0.allow = Some(allowed.to_owned());
        problem
    }

    pub(crate) fn too_many(wait: std::time::Duration) -> Self {
        let mut problem = Self::new(
            429,
            "too-many-requests",
            "The token makes more requests than it may",
            "wait as long as Retry-After says, or have the token's limit raised",
        );
        problem.0.retry_after = Some(wait.as_secs() + 1);
        problem
    }

    /// The same, with the request that it answers.
    pub(crate) fn of(mut self, request_id: RequestId) -> Self {
        self.0.request_id = Some(request_id.to_string());
        self
    }

    pub(crate) fn from_error(error: &Error, request_id: RequestId) -> Self {
        let problem = match error {
            // SCIM's refusals reach this edge where both share a rule.
            Error::Scim(refused) => {
                Self::new(refused.status, "invalid", "The request makes no sense", &refused.detail)
            }
            Error::Refused(refusal) => refused(refusal),
            Error::NotFound { what } => Self::not_found(what),
            Error::Contended => {
                let mut problem =
                    Self::new(409, "contended", "Somebody else changes this now", error.to_string());
                problem.0.retry_after = Some(1);
                problem
            }
            Error::Clash(detail) => Self::new(409, "clash", "It clashes with what is there", detail),
            Error::Invalid(detail) => Self::invalid(detail),
            Error::Busy => {
                let mut problem = Self::new(503, "busy", "Too much is waiting", error.to_string());
                problem.0.retry_after = Some(1);
                problem
            }
            Error::Keys(_) => {
                tracing::error!(%request_id, error = error as &dyn std::error::Error, "no key for secrets");
                let mut problem = Self::new(
                    503,
                    "sealed",
                    "Secrets cannot be opened now",
                    "the server cannot use its key source; its log has the cause and what to do",
                );
                problem.0.retry_after = Some(5);
                problem
            }
            Error::Tampered { .. } => Self::new(
                500,
                "tampered",
                "A stored secret does not open where it stands",
                "it was altered or moved in the database; nothing was shown, and an alarm is in the audit log",
            ),
            Error::Store(_) | Error::Damaged { .. } => {
                tracing::error!(%request_id, error = error as &dyn std::error::Error, "request failed");
                Self::new(
                    500,
                    "internal",
                    "Latchkey failed",
                    "the server's log has the cause under this request id",
                )
            }
        };
        problem.of(request_id)
    }
}

fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::NotAllowed { .. }
        | Refusal::ScopeMissing { .. }
        | Refusal::RoleAboveOwn { .. }
        | Refusal::OwnReview
        | Refusal::UndoTooLate
        | Refusal::NoAccess { .. }
        | Refusal::CapabilityMissing { .. }
        | Refusal::ExportNotAllowed => Problem::forbidden(refusal.to_string()),
        Refusal::BadText { .. }
        | Refusal::BadEnd
        | Refusal::BadSafeguard
        | Refusal::NoScopes
        | Refusal::BadValue { .. }
        | Refusal::WrongKind { .. }
        | Refusal::ScopeNotForRole { .. } => Problem::invalid(refusal.to_string()),
        Refusal::TooManyCodes { .. } => {
            let mut problem =
                Problem::new(429, "too-many-codes", "Too many codes were asked for", refusal.to_string());
            problem.0.retry_after = Some(60);
            problem
        }
        _ => Problem::new(409, "refused", "A rule refuses this", refusal.to_string()),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.0).expect("a problem has string keys only");
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge =
                HeaderValue::from_static("Bearer realm=\"Latchkey API\", error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(allow) = self.0.allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        if let Some(seconds) = self.0.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
