//! What goes out when all went well.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::media::SCIM_JSON;

/// An answer, before the headers that every answer has.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    body: Option<String>,
    etag: Option<String>,
    location: Option<String>,
}

impl Reply {
    /// 200 with this body.
    pub(crate) const fn ok(body: String) -> Self {
        Self { status: StatusCode::OK, body: Some(body), etag: None, location: None }
    }

    /// 201 with this body.
    pub(crate) fn created(body: String) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }

    /// 204.
    pub(crate) const fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, etag: None, location: None }
    }

    /// 304: what the client has is what there is (RFC 9110 §15.4.5).
    pub(crate) fn not_modified() -> Self {
        Self { status: StatusCode::NOT_MODIFIED, ..Self::no_content() }
    }

    /// With the version of what it shows or has changed, as `W/"3"`.
    pub(crate) fn etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// With the address of what it shows.
    pub(crate) fn location(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => json(self.status, body),
            None => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = self.status;
                response
            }
        };
        for (name, text) in [(header::ETAG, self.etag), (header::LOCATION, self.location)] {
            // The base URL was checked at start, and ids and versions are ASCII.
            if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// An answer with a SCIM body.
pub(crate) fn json(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
    response
}

/// The headers of every answer: it is somebody's data, so no cache keeps it, and it is what its
/// type says and nothing else.
pub(crate) fn common_headers(response: &mut Response, request_id: &str) {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
}
