//! Taking a body in, within bounds on one, on all at once, and on time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use latchkey_scim::bulk::check_size;
use latchkey_scim::json::Json;
use latchkey_scim::{Error, Limits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;
use crate::media;

/// Bytes of a body that is no bulk request. Entra's largest are some tens of kilobytes; a group
/// of 20,000 members in one PUT still fits.
const BODY_MAX: usize = 1 << 20;
/// How large a body may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Max {
    /// That of a single request.
    One,
    /// That of a bulk request.
    Bulk,
}

/// Requests that are worked on at once. Each costs some tens of kilobytes besides its body.
const AT_ONCE: usize = 1_024;
/// Kibibytes of bodies that are held at once, so that slow or many large ones are turned away
/// before memory grows: read as JSON they take several times as much.
const BODIES_KIB: usize = 24 * 1_024;
/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Bytes of a refused body that are taken before the refusal is sent.
const DISCARD_MAX: usize = 16 << 20;
/// How long that may take.
const DISCARD_TIME: Duration = Duration::from_secs(5);

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
    pub(crate) json: Arc<Json>,
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

    /// Reads a JSON body.
    pub(crate) async fn json(
        &self,
        headers: &HeaderMap,
        body: Body,
        max: Max,
        limits: &Limits,
    ) -> Result<Taken, Failure> {
        let (max, too_large) = max.of(limits);
        media::check_content_type(headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes()))?;
        let announced =
            headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            discard(body).await;
            return Err(too_large.into());
        }
        let mut room = self.room(announced.unwrap_or_default())?;
        let reading = self.read(body, &mut room, max, too_large);
        let Ok(bytes) = tokio::time::timeout(BODY_TIME, reading).await else {
            let detail = format!("the body did not arrive within {} seconds", BODY_TIME.as_secs());
            return Err(Error::new(408, None, detail).into());
        };
        let bytes = bytes?;
        if bytes.is_empty() {
            return Err(Error::invalid_syntax("the body is empty; send a JSON object").into());
        }
        Ok(Taken { json: Arc::new(Json::parse(&bytes, limits)?), _room: room })
    }

    /// Reads a body. One that did not say how long it is takes more room as it comes, so that a
    /// small one keeps nobody out.
    async fn read(
        &self,
        mut body: Body,
        room: &mut OwnedSemaphorePermit,
        max: usize,
        too_large: Error,
    ) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::with_capacity(room.num_permits() * 1_024);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Error::invalid_syntax("the body broke off before its end"))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > max {
                discard(body).await;
                return Err(too_large.into());
            }
            if kib(length) > room.num_permits() {
                room.merge(self.room(length - room.num_permits() * 1_024)?);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        u32::try_from(kib(bytes))
            .ok()
            .and_then(|kib| Arc::clone(&self.bodies).try_acquire_many_owned(kib).ok())
            .ok_or_else(|| Failure::overloaded("too many large bodies at once; come back in a moment"))
    }
}

/// Kibibytes, begun ones in full.
fn kib(bytes: usize) -> usize {
    bytes.div_ceil(1_024).max(1)
}

/// Takes what a client sends of a body that is too large, up to a bound, and keeps none of it: a
/// client that is still sending when the connection closes never sees why it was refused.
async fn discard(mut body: Body) {
    let taken = async {
        let mut left = DISCARD_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            if length >= left {
                return;
            }
            left -= length;
        }
    };
    // Late or not, the answer is the same.
    let _ = tokio::time::timeout(DISCARD_TIME, taken).await;
}

impl Max {
    /// So many bytes, and what is said of more.
    fn of(self, limits: &Limits) -> (usize, Error) {
        match self {
            Self::Bulk => {
                // RFC 7644 §3.7.4 wants both limits named.
                let said = check_size(usize::MAX, limits).err();
                let said = said.unwrap_or_else(|| Error::new(413, None, "the bulk request is too large"));
                (limits.bulk_bytes, said)
            }
            Self::One => {
                let detail = format!("the body is larger than {BODY_MAX} bytes; send less at once");
                (BODY_MAX, Error::new(413, None, detail))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(requests: usize, bodies_kib: usize) -> Intake {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Intake { requests: semaphore(requests), bodies: semaphore(bodies_kib) }
    }

    #[test]
    fn a_request_for_which_there_is_no_room_is_sent_away_and_the_next_after_one_left_is_not() {
        let intake = intake(1, 1);
        let first = intake.enter().unwrap();
        assert_eq!(intake.enter().unwrap_err().error.status, 503);
        drop(first);
        assert!(intake.enter().is_ok());
    }

    #[tokio::test]
    async fn bodies_take_the_room_that_they_need_until_they_are_worked_on() {
        let intake = intake(9, 4);
        let limits = Limits::default();
        let sent = async |length: Option<&str>, body: String| {
            let mut headers = HeaderMap::new();
            if let Some(length) = length {
                headers.insert(header::CONTENT_LENGTH, length.parse().unwrap());
            }
            intake.json(&headers, Body::from(body), Max::One, &limits).await
        };
        let take = async |length| sent(length, "{}".to_owned()).await;
        let large = format!("[{}]", " ".repeat(2_500));
        // Three KiB for the large one, though it did not say so, and one for a small one.
        let chunked = sent(None, large.clone()).await.unwrap();
        let small = take(None).await.unwrap();
        assert_eq!(take(Some("2")).await.unwrap_err().error.status, 503);
        assert_eq!(take(None).await.unwrap_err().error.status, 503);
        drop(small);
        assert!(take(Some("2")).await.is_ok());
        assert_eq!(sent(None, large.clone()).await.unwrap_err().error.status, 503);
        drop(chunked);
        assert!(sent(None, large).await.is_ok());
        assert_eq!(take(Some("9999999")).await.unwrap_err().error.status, 413);
        assert_eq!(sent(None, " ".repeat(BODY_MAX + 1)).await.unwrap_err().error.status, 413);
    }
}
