//! `latchkey serve`: listens until told to stop, then lets everything under way end.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use axum::Router;
use latchkey_engine::{Background, Engine};
use latchkey_jobs::{Jobs, Post, Runner, SmtpOptions};
use latchkey_store::Options;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;

use crate::cli::{Serve, Smtp};
use crate::output::Output;
use crate::{listener, operations, telemetry, wire};

/// A server that listens but does not answer yet.
pub(crate) struct Listening {
    listener: TcpListener,
    router: Router,
    background: Background,
    runner: Runner,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where clients reach it.
    pub(crate) base_url: String,
}

pub(crate) async fn run(options: Serve, output: Output) -> anyhow::Result<()> {
    telemetry::start_log(&options.log, options.log_json)?;
    let metrics = telemetry::start_metrics()?;
    let _lock = match options.place.database_url {
        // Many nodes share one PostgreSQL; an embedded database has one server.
        Some(_) => None,
        None => Some(lock(&options.place.data)?),
    };
    let store = Options { connections: usize::from(options.database_connections), ..Options::default() };
    let engine = wire::open(&options.place, store).await?;
    let listening =
        listen(&engine, options.listen.listen, options.listen.public_url, metrics, Some(&options.smtp))
            .await?;
    output.answer(
        &json!({
            "event": "listening",
            "address": listening.address.to_string(),
            "url": listening.base_url,
            "tenant_url": tenant_url(&listening.base_url),
        }),
        || {
            format!(
                "Latchkey listens on http://{}\nTenant URL for directories: {}\nStop with Ctrl-C.",
                listening.address,
                tenant_url(&listening.base_url)
            )
        },
    );
    if !options.listen.listen.ip().is_loopback() {
        tracing::warn!(
            "listening beyond this host without TLS: put a proxy that ends TLS in front and let only it connect"
        );
    }
    listening.until(stop_signal()).await
}

/// Binds, and puts the routes together.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) async fn listen(
    engine: &Engine,
    address: SocketAddr,
    public_url: Option<String>,
    metrics: PrometheusHandle,
    smtp: Option<&Smtp>,
) -> anyhow::Result<Listening> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address with --listen (port 0 takes a free one)")
    })?;
    let address = listener.local_addr().context("the listening socket has no address")?;
    let base_url = public_url.unwrap_or_else(|| format!("http://{address}"));
    let jobs = Jobs::new(engine.clone(), post(smtp, &base_url)?);
    let router = Router::new()
        .merge(latchkey_scim_http::router(engine.clone(), base_url.as_str().into()))
        .merge(latchkey_api::router(jobs.clone(), base_url.as_str().into()))
        .merge(operations::router(engine.clone(), metrics))
        .fallback(operations::not_found);
    Ok(Listening {
        listener,
        router,
        background: Background::start(engine),
        runner: Runner::start(jobs),
        address,
        base_url,
    })
}

impl Listening {
    /// Answers until `stop` ends, then ends what is under way and writes what waits.
    ///
    /// # Errors
    /// When what waits cannot be written.
    pub(crate) async fn until(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        listener::serve(self.listener, self.router, stop).await;
        self.runner.stop().await;
        self.background.drain().await.context("what was waiting could not all be written")?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// How jobs tell people that they need somebody.
fn post(smtp: Option<&Smtp>, base_url: &str) -> anyhow::Result<Post> {
    let options = match smtp.and_then(|smtp| smtp.smtp_url.as_ref().map(|url| (url, &smtp.smtp_from))) {
        Some((url, from)) => Some(SmtpOptions {
            url: SecretString::from(url.as_str()),
            from: from.clone().context("--smtp-url needs --smtp-from, whom mail is from")?,
            base_url: base_url.to_owned(),
        }),
        None => None,
    };
    Post::new(options.as_ref()).map_err(anyhow::Error::msg)
}

/// What is pasted into a directory as its Tenant URL.
pub(crate) fn tenant_url(base_url: &str) -> String {
    format!("{base_url}/v1/scim/v2")
}

/// Ends at the first Ctrl-C or SIGTERM.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Makes sure that no other server uses this data folder; freed when the process ends, however it ends.
///
/// # Errors
/// When another server has it.
pub(crate) fn lock(data: &Path) -> anyhow::Result<std::fs::File> {
    wire::make_folder(data)?;
    let path = data.join("server.lock");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => anyhow::bail!(
            "another server runs on the data folder {}; stop it, choose another folder with --data, or use PostgreSQL for several servers",
            data.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}
