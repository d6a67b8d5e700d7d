//! Errors as RFC 7644 §3.12 names them.

use std::fmt;

/// The detail keyword of an error (RFC 7644 table 9, RFC 9865 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter can't be read or served.
    InvalidFilter,
    /// More results than will be processed.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// A readOnly or immutable attribute was touched.
    Mutability,
    /// The body can't be read or has the wrong shape.
    InvalidSyntax,
    /// A PATCH path can't be read or names nothing in the schema.
    InvalidPath,
    /// A path yields nothing to act on.
    NoTarget,
    /// A required value is missing, or a value has the wrong type.
    InvalidValue,
    /// The protocol version is not served.
    InvalidVers,
    /// The request would put secrets in a URL.
    Sensitive,
    /// The cursor is not one of ours, or belongs to another query.
    InvalidCursor,
    /// The cursor is too old.
    ExpiredCursor,
    /// The count is not one that is served.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it stands in an error body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// A refusal, with the HTTP status that carries it and a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The HTTP status.
    pub status: u16,
    /// The keyword, where the RFC names one.
    pub scim_type: Option<ScimType>,
    /// For the administrator who reads it in the directory's log. Holds no secret.
    pub detail: String,
}

impl Error {
    /// An error of any status.
    pub fn new(status: u16, scim_type: Option<ScimType>, detail: impl Into<String>) -> Self {
        Self { status, scim_type, detail: detail.into() }
    }

    /// 400 with this keyword.
    pub fn bad(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self::new(400, Some(scim_type), detail)
    }

    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidValue, detail)
    }

    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidSyntax, detail)
    }

    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidPath, detail)
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidFilter, detail)
    }

    /// 409 `uniqueness`.
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::new(409, Some(ScimType::Uniqueness), detail)
    }

    /// 404 for a resource or an endpoint.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, None, detail)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Error {}

/// The body of an error (RFC 7644 §3.12): `status` is a string there.
pub fn error_body(error: &Error) -> String {
    let mut body = String::with_capacity(error.detail.len() + 128);
    body.push_str("{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"status\":\"");
    body.push_str(&error.status.to_string());
    if let Some(scim_type) = error.scim_type {
        body.push_str("\",\"scimType\":\"");
        body.push_str(scim_type.as_str());
    }
    body.push_str("\",\"detail\":");
    crate::resource::write_string(&mut body, &error.detail);
    body.push('}');
    body
}

#[cfg(test)]
mod tests {
    use super::{Error, error_body};

    #[test]
    fn a_body_names_status_keyword_and_what_to_do() {
        assert_eq!(
            error_body(&Error::invalid_value("say \"x\"")),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue","detail":"say \"x\""}"#
        );
        assert_eq!(
            error_body(&Error::not_found("gone")),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"gone"}"#
        );
    }
}
