//! A small HTTP client: one kept connection for each [`Line`], as a directory's service keeps them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Method, Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use latchkey_kernel::{Clock, SystemClock, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;

/// No answer of a server on the same machine takes this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a request that the server is too busy for is sent again.
const ATTEMPTS: u32 = 6;

/// An API of the server, and the token that opens it.
#[derive(Debug)]
pub(super) struct Target {
    authority: String,
    prefix: &'static str,
    media_type: &'static str,
    token: String,
}

impl Target {
    /// The SCIM endpoint.
    pub(super) fn scim(base_url: &str, token: &str) -> anyhow::Result<Arc<Self>> {
        Self::new(base_url, "/v1/scim/v2", "application/scim+json", token)
    }

    /// The management API.
    pub(super) fn api(base_url: &str, token: &str) -> anyhow::Result<Arc<Self>> {
        Self::new(base_url, "/v1/api", "application/json", token)
    }

    /// The practice service's API, with its admin's token.
    pub(super) fn practice(base_url: &str, token: &str) -> anyhow::Result<Arc<Self>> {
        Self::new(base_url, "/api", "application/json", token)
    }

    fn new(
        base_url: &str,
        prefix: &'static str,
        media_type: &'static str,
        token: &str,
    ) -> anyhow::Result<Arc<Self>> {
        let authority = base_url
            .strip_prefix("http://")
            .with_context(|| format!("the demo talks plain HTTP to its own servers, not to {base_url}"))?
            .trim_end_matches('/')
            .to_owned();
        Ok(Arc::new(Self { authority, prefix, media_type, token: token.to_owned() }))
    }
}

/// A kept connection; requests on it go one after the other.
#[derive(Debug)]
pub(super) struct Line {
    target: Arc<Target>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    body: Bytes,
    /// `GET /Users`, for messages.
    asked: String,
    pub(super) sent_at: Timestamp,
    pub(super) answered_at: Timestamp,
}

impl Line {
    /// A line that connects when first used.
    pub(super) fn new(target: &Arc<Target>) -> Self {
        Self { target: Arc::clone(target), sender: None }
    }

    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(super) async fn patch(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// Sends a request and reads the whole answer, whatever its status. Waits and sends again
    /// when the server says that it is too busy, as directories do.
    async fn send(&mut self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let asked = format!("{method} {path}");
        let mut attempt = 1;
        loop {
            let exchange = tokio::time::timeout(PATIENCE, self.exchange(&method, path, body));
            let (sent_at, response) = exchange
                .await
                .with_context(|| format!("{asked}: no answer within {} s", PATIENCE.as_secs()))?
                .with_context(|| asked.clone())?;
            let status = response.status().as_u16();
            let wait = retry_after(&response);
            let body = response.into_body().collect().await.with_context(|| asked.clone())?.to_bytes();
            if matches!(status, 429 | 503) && attempt < ATTEMPTS {
                attempt += 1;
                tokio::time::sleep(wait).await;
                continue;
            }
            return Ok(Answer { status, body, asked, sent_at, answered_at: SystemClock.now() });
        }
    }

    async fn exchange(
        &mut self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(Timestamp, Response<Incoming>)> {
        let kept = match self.sender.take() {
            // A connection that the server has closed meanwhile is not ready.
            Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let mut sender = match kept {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let target = &self.target;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", target.prefix))
            .header(HOST, &target.authority)
            .header(ACCEPT, target.media_type)
            .header(AUTHORIZATION, format!("Bearer {}", target.token));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, target.media_type);
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(bytes))?;
        let sent_at = SystemClock.now();
        let response = sender.send_request(request).await?;
        self.sender = Some(sender);
        Ok((sent_at, response))
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let authority = &self.target.authority;
        let stream =
            TcpStream::connect(authority).await.with_context(|| format!("connecting to {authority}"))?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends by itself when the sender is dropped or the server closes.
        tokio::spawn(connection);
        sender.ready().await?;
        Ok(sender)
    }
}

fn retry_after(response: &Response<Incoming>) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1).min(10))
}

impl Answer {
    /// The answer, if its status is one of these; else an error that says what came back.
    pub(super) fn expect(self, statuses: &[u16]) -> anyhow::Result<Self> {
        if statuses.contains(&self.status) {
            return Ok(self);
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let detail = ["detail", "title"].into_iter().find_map(|name| body.get(name)?.as_str());
        match detail {
            Some(detail) => bail!("{} was answered {}: {detail}", self.asked, self.status),
            None => bail!("{} was answered {}", self.asked, self.status),
        }
    }

    /// The body as JSON of this shape.
    pub(super) fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("reading the answer to {}", self.asked))
    }

    /// The body as it came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The `id` of the resource in the body.
    pub(super) fn id(&self) -> anyhow::Result<String> {
        let body: Value = self.json()?;
        let id = body.get("id").and_then(Value::as_str);
        Ok(id.with_context(|| format!("the answer to {} has no id", self.asked))?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// A server that is busy for the first `busy` requests and then refuses with a problem document.
    async fn server(busy: usize) -> String {
        let seen = Arc::new(AtomicUsize::new(0));
        let answer = move || {
            let busy = seen.fetch_add(1, Ordering::SeqCst) < busy;
            async move {
                let status = if busy { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::CONFLICT };
                (status, [("retry-after", "0")], r#"{"title":"Conflict","detail":"the name is taken"}"#)
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/v1/api/things", get(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again_and_a_refusal_is_told_in_its_own_words() {
        let target = Target::api(&server(3).await, "t").unwrap();
        let answer = Line::new(&target).get("/things").await.unwrap();
        assert_eq!(answer.status, 409);
        let refusal = answer.expect(&[200]).unwrap_err();
        assert_eq!(refusal.to_string(), "GET /things was answered 409: the name is taken");
    }

    #[tokio::test]
    async fn a_server_that_stays_busy_is_given_up() {
        let target = Target::api(&server(usize::MAX).await, "t").unwrap();
        let answer = Line::new(&target).get("/things").await.unwrap();
        assert_eq!(answer.status, 429);
    }

    #[test]
    fn only_a_plain_http_server_is_talked_to() {
        assert!(Target::scim("https://latchkey.example", "t").is_err());
    }
}
