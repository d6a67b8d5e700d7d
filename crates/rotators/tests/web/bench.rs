//! A connector of each kind at a service of its own.

use std::sync::Arc;
use std::time::Duration;

use latchkey_practice::{Options, Service};
use latchkey_rotators::{Attempt, Rotate};
use secrecy::SecretString;
use serde_json::{Value, json};

/// A user name that must be encoded wherever it is put into an address.
pub(crate) const USER: &str = "ada lovelace/1";
/// Passwords that no encoding leaves as they are, with a word to search for in each.
pub(crate) const OLD: &str = "Canary-old &+é/\"'<7%20";
pub(crate) const NEW: &str = "Canary-new &+ü/\"'<9%2F";
pub(crate) const WRONG: &str = "Canary-wrong &+ö/\"'<5";

/// A kind of connector under test.
pub(crate) trait Subject {
    type Connector: Rotate + std::fmt::Debug;

    /// A connector to `host` (a loopback address with a port), with the credentials of `service`.
    fn connect(service: &Service, host: &str, network: Value, patience: u32) -> Self::Connector;
}

pub(crate) fn allowed() -> Value {
    json!({ "allow": ["127.0.0.0/8"], "plain_http_on_loopback": true })
}

pub(crate) fn forbidden() -> Value {
    json!({ "plain_http_on_loopback": true })
}

pub(crate) async fn service() -> Service {
    let service = Service::start(Options::default()).await.expect("a free port");
    service.add_user(USER, OLD, None);
    service
}

pub(crate) fn connector<S: Subject>(service: &Service) -> S::Connector {
    S::connect(service, &service.address().to_string(), allowed(), 30)
}

/// One that does not wait long.
pub(crate) fn impatient<S: Subject>(service: &Service) -> S::Connector {
    S::connect(service, &service.address().to_string(), allowed(), 6)
}

pub(crate) const NEVER: Duration = Duration::from_secs(600);

pub(crate) fn secret(text: &str) -> SecretString {
    text.into()
}

pub(crate) async fn change(
    connector: &impl Rotate,
    new: &str,
) -> Result<latchkey_rotators::Receipt, latchkey_rotation::Failure> {
    let (old, new) = (secret(OLD), secret(new));
    let attempt = Attempt { username: USER, old: Some(&old), new: &new, idempotency_key: "job-1" };
    connector.change(&attempt).await
}

/// A listener that must never be connected to.
pub(crate) struct Thief {
    listener: tokio::net::TcpListener,
}

impl Thief {
    pub(crate) async fn start() -> Self {
        Self { listener: tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port") }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().expect("an address").port()
    }

    pub(crate) async fn got_nothing(&self) {
        // A connection that was made waits in the queue of the kernel by now.
        let came = tokio::time::timeout(Duration::from_millis(1), self.listener.accept()).await;
        assert!(came.is_err(), "something was sent to a host that the recipe does not list");
    }
}

/// What was logged on this thread while it lived.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn listen(
        &self,
    ) -> tracing_subscriber::fmt::SubscriberBuilder<
        tracing_subscriber::fmt::format::DefaultFields,
        tracing_subscriber::fmt::format::Format,
        tracing_subscriber::filter::LevelFilter,
        Self,
    > {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(self.clone())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no poison")).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no poison").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
