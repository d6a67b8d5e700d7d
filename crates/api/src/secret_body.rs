//! Bodies with secrets in them, both ways: wiped from memory, and repeated in no error.

use std::fmt;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use zeroize::{Zeroize, Zeroizing};

use crate::extract::{read_json, too_large_or_broken};
use crate::problem::Problem;

/// A JSON body with a secret in it.
pub(crate) struct SecretBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for SecretBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        read_json(&request)?;
        let bytes = Bytes::from_request(request, state).await.map_err(too_large_or_broken)?;
        let read = serde_json::from_slice(&bytes);
        // Ours alone once it is read; where it is not, it is the connection's buffer, which is used again.
        if let Ok(mut own) = bytes.try_into_mut() {
            own.zeroize();
        }
        // What it says beyond the place could be the secret.
        read.map(Self).map_err(|error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            Problem::invalid(format!(
                "the body does not read at line {line}, column {column}; \
                 /v1/api/openapi.json says what this takes"
            ))
        })
    }
}

/// Text that is a secret: wiped, and shown by nothing.
pub(crate) struct SecretText(pub(crate) Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SecretText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretText, E> {
                Ok(SecretText(Zeroizing::new(text.to_owned())))
            }

            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<SecretText, E> {
                Ok(SecretText(Zeroizing::new(text)))
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<SecretText, E> {
                Err(E::custom("a number where text should be"))
            }

            fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<SecretText, E> {
                Err(E::custom("a number where text should be"))
            }
        }

        deserializer.deserialize_str(Text).map_err(|_| D::Error::custom("text is needed"))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(***)")
    }
}

impl PartialSchema for SecretText {
    fn schema() -> RefOr<Schema> {
        String::schema()
    }
}

impl ToSchema for SecretText {}

/// Answers with JSON that has a secret of about `size` bytes in it: its buffer is made once, and
/// wiped when the last byte is sent.
pub(crate) fn answer(view: &impl Serialize, size: usize) -> Response {
    // Escapes make six bytes of one at most.
    let mut json = Zeroizing::new(Vec::with_capacity(size * 6 + 1_024));
    if serde_json::to_writer(&mut *json, view).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let body = Body::from(Bytes::from_owner(Wiped(json)));
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
