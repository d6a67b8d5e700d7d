//! Taking a body in, within bounds on one, on all at once, and on time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use latchkey_scim::json::Json;
use latchkey_scim::{Error, Limits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;
use crate::media;

/// Bytes of a body that is no bulk request. Entra's largest are some tens of kilobytes; a group
/// of 20,000 members in one PUT still fits.
pub(crate) const BODY_MAX: usize = 1 << 20;
/// Requests that are worked on at once. Each costs some tens of kilobytes besides its body.
const AT_ONCE: usize = 1_024;
/// Kibibytes of bodies that are held at once, so that slow or many large ones are turned away
/// before memory grows: read as JSON they take several times as much.
const BODIES_KIB: usize = 24 * 1_024;
/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The room that there is for requests.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    requests: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
}

/// A body as read, with the room that it takes until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    /// What was sent.
    pub(crate) json: Json,
    _room: OwnedSemaphorePermit,
}

impl Default for Intake {
    fn default() -> Self {
        Self { requests: Arc::new(Semaphore::new(AT_ONCE)), bodies: Arc::new(Semaphore::new(BODIES_KIB)) }
    }
}

impl Intake {
    /// Room for one more request, held until the guard is dropped.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let full = |_| Failure::overloaded("too many requests at once; come back in a moment");
        Arc::clone(&self.requests).try_acquire_owned().map_err(full)
    }

    /// Reads a JSON body of at most `max` bytes.
    pub(crate) async fn json(
        &self,
        headers: &HeaderMap,
        body: Body,
        max: usize,
        limits: &Limits,
    ) -> Result<Taken, Failure> {
        media::check_content_type(headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes()))?;
        let announced =
            headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(too_large(max).into());
        }
        let kib = announced.unwrap_or(max).div_ceil(1_024).max(1);
        let room = u32::try_from(kib)
            .ok()
            .and_then(|kib| Arc::clone(&self.bodies).try_acquire_many_owned(kib).ok())
            .ok_or_else(|| Failure::overloaded("too many large bodies at once; come back in a moment"))?;
        let bytes = read(body, max).await?;
        if bytes.is_empty() {
            return Err(Error::invalid_syntax("the body is empty; send a JSON object").into());
        }
        Ok(Taken { json: Json::parse(&bytes, limits)?, _room: room })
    }
}

async fn read(body: Body, max: usize) -> Result<Bytes, Failure> {
    let Ok(read) = tokio::time::timeout(BODY_TIME, Limited::new(body, max).collect()).await else {
        let detail = format!("the body did not arrive within {} seconds", BODY_TIME.as_secs());
        return Err(Error::new(408, None, detail).into());
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(max).into()),
        Err(_) => Err(Error::invalid_syntax("the body broke off before its end").into()),
    }
}

fn too_large(max: usize) -> Error {
    Error::new(413, None, format!("the body is larger than {max} bytes; send less at once"))
}
