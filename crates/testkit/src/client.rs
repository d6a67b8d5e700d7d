//! An HTTP client for tests: HTTP/1.1, connections kept alive, nothing hidden.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Answer;

/// A request that takes longer has hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a server listens. Shared, because a restarted server may have to take another port.
#[derive(Debug, Clone, Default)]
pub(crate) struct Address(Arc<Mutex<String>>);

impl Address {
    pub(crate) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, address: &str) {
        address.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A client for one base path of a server, with a token or without. Cheap to clone; clones share
/// connections, and each request in flight has one to itself.
#[derive(Clone)]
pub struct Client {
    address: Address,
    prefix: String,
    token: Option<String>,
    media_type: &'static str,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// An open connection, and its socket once more: only that says at once whether the server has closed it.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    socket: std::net::TcpStream,
}

impl Connection {
    /// Whether it is still of use for a request: open, and silent as it should be between two.
    fn is_idle(&self) -> bool {
        self.socket.peek(&mut [0]).is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock)
    }
}

impl Client {
    /// A client for `http://ADDRESS`, without a token.
    pub fn new(address: &str) -> Self {
        let shared = Address::default();
        shared.set(address);
        Self::at(shared)
    }

    pub(crate) fn at(address: Address) -> Self {
        Self {
            address,
            prefix: String::new(),
            token: None,
            media_type: "application/json",
            idle: Arc::default(),
        }
    }

    /// The same server under another base path, which every request's path is appended to.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// With another bearer token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Without a token.
    #[must_use]
    pub fn without_token(mut self) -> Self {
        self.token = None;
        self
    }

    /// Sends bodies as, and asks for, this media type; `application/json` unless told.
    #[must_use]
    pub fn with_media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }

    /// GET. What a URL may not hold (spaces, quotes, …) is percent-encoded, so a filter can stand as it is.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Bytes::new()).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[], body.to_string()).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[], body.to_string()).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, &[], body.to_string()).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], Bytes::new()).await
    }

    /// Any request. Headers given here replace the default of the same name (`authorization`, `accept`,
    /// `content-type`, `host`); one with an empty value removes it; one given twice is sent twice.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        match self.try_send(method, path, headers, body).await {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {}{path}: {error:#}", self.prefix),
        }
    }

    /// As [`Self::send`], for tests that kill the server: whether a request without an answer took effect
    /// is not known, so it is never repeated once a byte of it has been written.
    ///
    /// # Errors
    /// When the connection cannot be made or ends before the answer does.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let request = self.request(method, path, headers, body.into())?;
        let asked = format!("{method} {}", request.uri());
        let (status, headers, body) = timeout(PATIENCE, self.exchange(request))
            .await
            .map_err(|_| anyhow!("no answer within {PATIENCE:?}"))??;
        Ok(Answer { status, headers, body, asked })
    }

    /// Writes bytes to a fresh connection as they are and reads until the server closes it or nothing has
    /// come for `quiet`. For requests that no client library would send.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub async fn raw(&self, bytes: &[u8], quiet: Duration) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address.get()).await.expect("the server listens");
        // The server may answer and close before it has taken everything; that is its right.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while let Ok(Ok(read @ 1..)) = timeout(quiet, stream.read(&mut part)).await {
            answer.extend_from_slice(&part[..read]);
        }
        answer
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>> {
        let mut defaults =
            vec![(header::HOST, self.address.get()), (header::ACCEPT, self.media_type.to_owned())];
        if let Some(token) = &self.token {
            defaults.push((header::AUTHORIZATION, format!("Bearer {token}")));
        }
        if !body.is_empty() {
            defaults.push((header::CONTENT_TYPE, self.media_type.to_owned()));
        }
        let mut request = Request::builder().method(method).uri(encode(&format!("{}{path}", self.prefix)));
        for (name, value) in defaults {
            if !headers.iter().any(|(given, _)| name.as_str().eq_ignore_ascii_case(given)) {
                request = request.header(name, value);
            }
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            // From bytes, because a test may want to send what is not ASCII.
            let value =
                HeaderValue::from_bytes(value.as_bytes()).with_context(|| format!("header {name}"))?;
            request = request.header(HeaderName::from_bytes(name.as_bytes())?, value);
        }
        request.body(Full::new(body)).context("not a request that HTTP can carry")
    }

    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Result<(u16, hyper::HeaderMap, Bytes)> {
        loop {
            let kept = self.idle().pop();
            let fresh = kept.is_none();
            let mut connection = match kept {
                Some(kept) if !kept.is_idle() => continue,
                Some(kept) => kept,
                None => self.connect().await?,
            };
            if connection.sender.ready().await.is_err() && !fresh {
                continue;
            }
            match connection.sender.try_send_request(request).await {
                Ok(answer) => return self.read(connection, answer).await,
                // A kept connection that the server closed meanwhile gives the request back unsent.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !fresh => request = unsent,
                    _ => return Err(error.into_error().into()),
                },
            }
        }
    }

    async fn read(
        &self,
        connection: Connection,
        answer: Response<Incoming>,
    ) -> Result<(u16, hyper::HeaderMap, Bytes)> {
        let (head, body) = answer.into_parts();
        let body = body.collect().await.context("the answer broke off")?.to_bytes();
        self.idle().push(connection);
        Ok((head.status.as_u16(), head.headers, body))
    }

    async fn connect(&self) -> Result<Connection> {
        let address = self.address.get();
        let stream =
            TcpStream::connect(&address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let socket = stream.try_clone()?;
        let (sender, connection) = http1::handshake(TokioIo::new(TcpStream::from_std(stream)?)).await?;
        // Ends with the sender or the server; a failure reaches whoever waits on the sender.
        tokio::spawn(connection);
        Ok(Connection { sender, socket })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Percent-encodes what may not stand in a URL, and leaves alone what may, `%` included.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_may_stand_in_a_path_as_it_is() {
        assert_eq!(
            encode("/Users?filter=userName eq \"å\"&count=1#x"),
            "/Users?filter=userName%20eq%20%22%C3%A5%22&count=1%23x"
        );
        assert_eq!(encode("/Users?filter=a%20eq%20%22b%22"), "/Users?filter=a%20eq%20%22b%22");
    }
}
