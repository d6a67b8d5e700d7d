//! What a target may do wrong.

use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// How the service misbehaves until told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// Every request is answered with 503.
    Busy,
    /// Every request is answered with 429.
    TooManyRequests,
    /// Cuts the connection when a password change arrives, before applying it.
    CutBefore,
    /// Applies a password change and cuts the connection.
    CutAfter,
    /// Applies a password change and answers with 500.
    ErrorAfter,
    /// Applies a password change, and answers so much later.
    LateAfter(Duration),
    /// Answers a password change with more than anybody wants to read.
    Endless,
    /// The login page asks whether a person is there.
    Captcha,
    /// The page to change the password has other fields and no CSRF token where it was.
    Redesign,
    /// The page to change the password prints what was typed.
    Echo,
    /// A password change is answered with a redirect to this port, method and body kept.
    RedirectAway(u16),
}

/// Marks an answer that is never sent: the listener drops the connection instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut;

pub(crate) fn cut() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.extensions_mut().insert(Cut);
    response
}

impl Fault {
    /// The answer that every request gets.
    pub(crate) fn on_request(self) -> Option<Response> {
        match self {
            Self::Busy => Some(StatusCode::SERVICE_UNAVAILABLE.into_response()),
            Self::TooManyRequests => {
                Some((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "30")]).into_response())
            }
            _ => None,
        }
    }

    /// The answer that a change gets in place of being applied.
    pub(crate) fn before_change(self) -> Option<Response> {
        match self {
            Self::CutBefore => Some(cut()),
            Self::RedirectAway(port) => {
                let to = format!("http://127.0.0.1:{port}/");
                Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response())
            }
            _ => None,
        }
    }

    /// The answer that a change gets after it was applied, in place of the good one.
    pub(crate) async fn after_change(self) -> Option<Response> {
        match self {
            Self::CutAfter => Some(cut()),
            Self::ErrorAfter => Some((StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response()),
            Self::LateAfter(wait) => {
                tokio::time::sleep(wait).await;
                None
            }
            Self::Endless => Some("x".repeat(4 << 20).into_response()),
            _ => None,
        }
    }
}
