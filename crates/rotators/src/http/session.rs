//! Requests of one run: within the hosts, within the limits, over connections of its own.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use latchkey_rotation::Class;
use reqwest::header::{COOKIE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode, Url};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::cookies::Cookies;
use super::recipe::Answer;
use crate::network::{Guard, Network, Refused};
use crate::recipe::{Known, Origins};

const REDIRECTS: usize = 5;

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) request: Duration,
    pub(crate) whole: Duration,
    pub(crate) body: usize,
}

/// A request ready to go.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
    pub(crate) follow: bool,
}

/// Why there is no answer, and whether the request may have arrived all the same.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) sent: bool,
    pub(crate) class: Class,
    pub(crate) what: String,
}

#[derive(Debug)]
pub(crate) struct Session {
    client: reqwest::Client,
    guard: Guard,
    origins: Origins,
    cookies: Cookies,
    limits: Limits,
    until: Instant,
}

impl Session {
    pub(crate) fn new(
        network: &Arc<Network>,
        tls: &rustls::ClientConfig,
        origins: Origins,
        limits: Limits,
    ) -> Result<Self, reqwest::Error> {
        let guard = Guard(Arc::clone(network));
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(guard.clone())
            // A proxy of the environment would resolve names out of the guard's sight.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .user_agent("Latchkey")
            .build()?;
        let until = Instant::now() + limits.whole;
        Ok(Self { client, guard, origins, cookies: Cookies::default(), limits, until })
    }

    /// Sends it, and follows redirects as far as the recipe's hosts go if it asks for that.
    pub(crate) async fn send(&mut self, mut out: Outgoing, known: &Known) -> Result<Answer, Trouble> {
        let mut sent = false;
        for _ in 0..=REDIRECTS {
            let trouble = |class, what: String| Trouble { sent, class, what };
            if known.stands_in(out.url.as_str()) {
                return Err(trouble(Class::NeedsPerson, "a secret would stand in the address".into()));
            }
            self.check(&out.url)
                .await
                .map_err(|(class, what)| trouble(class, format!("it would go to {what}")))?;
            let answer = self.exchange(&out).await.map_err(|at| Trouble { sent: sent || at.sent, ..at })?;
            sent = true;
            let trouble = |what: &str| Trouble { sent: true, class: Class::NeedsPerson, what: what.into() };
            let status = StatusCode::from_u16(answer.status).unwrap_or_default();
            let redirect = out.follow
                && matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
                && answer.headers.contains_key(LOCATION);
            if !redirect {
                return Ok(answer);
            }
            let target = answer.headers[LOCATION].to_str().ok().and_then(|to| out.url.join(to).ok());
            let Some(target) = target else { return Err(trouble("it redirects to what is no address")) };
            let same = target.origin() == out.url.origin();
            if matches!(status.as_u16(), 307 | 308) {
                if !same && (out.body.is_some() || !out.headers.is_empty()) {
                    return Err(trouble("it redirects the request with its secrets to another host"));
                }
            } else {
                out.body = None;
                out.method = Method::GET;
                out.headers.remove(reqwest::header::CONTENT_TYPE);
            }
            if !same {
                out.headers.clear();
            }
            out.url = target;
        }
        Err(Trouble { sent: true, class: Class::NeedsPerson, what: "it redirects in a circle".into() })
    }

    async fn check(&self, url: &Url) -> Result<(), (Class, String)> {
        self.origins.allow(url).map_err(|what| (Class::NeedsPerson, what))?;
        // Addresses written as such never reach the resolver, so every host is checked here too.
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
        self.guard
            .addresses(host, port)
            .await
            .map_err(|refused| (refused_class(&refused), refused.to_string()))?;
        Ok(())
    }

    async fn exchange(&mut self, out: &Outgoing) -> Result<Answer, Trouble> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let what = "the time for the whole is over".to_owned();
            return Err(Trouble { sent: false, class: Class::Transient, what });
        }
        let mut request = self
            .client
            .request(out.method.clone(), out.url.clone())
            .headers(out.headers.clone())
            .timeout(self.limits.request.min(left));
        if let Some(mut cookie) =
            self.cookies.header(&out.url).and_then(|text| HeaderValue::from_str(&text).ok())
        {
            cookie.set_sensitive(true);
            request = request.header(COOKIE, cookie);
        }
        if let Some(body) = &out.body {
            request = request.body(body.to_vec());
        }
        let mut response = request.send().await.map_err(|error| told(&error))?;
        let headers = response.headers().clone();
        let cookies = self.cookies.take(&out.url, &headers);
        let location =
            headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| out.url.join(to).ok()).map(
                |to| if to.origin() == out.url.origin() { to.path().to_owned() } else { to.to_string() },
            );
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) =
            response.chunk().await.map_err(|error| Trouble { sent: true, ..told(&error) })?
        {
            if body.len() + chunk.len() > self.limits.body {
                let what = format!("its answer is longer than {} bytes", self.limits.body);
                return Err(Trouble { sent: true, class: Class::NeedsPerson, what });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), location, headers, cookies, body })
    }
}

fn refused_class(refused: &Refused) -> Class {
    match refused {
        Refused::Address { .. } => Class::NeedsPerson,
        Refused::Nothing { .. } | Refused::Lookup { .. } => Class::Transient,
    }
}

/// The cause, in words that hold nothing of what was sent or answered.
fn told(error: &reqwest::Error) -> Trouble {
    let sent = !(error.is_connect() || error.is_builder());
    let mut class = Class::Transient;
    let mut what = if error.is_timeout() { "no answer in time".to_owned() } else { String::new() };
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = cause
            .downcast_ref::<rustls::Error>()
            .or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        if let Some(tls) = tls {
            class =
                if matches!(tls, rustls::Error::InvalidCertificate(_)) { Class::NeedsPerson } else { class };
            what = format!("TLS failed ({tls}); a private authority goes into `network.ca_certificates`");
        } else if let Some(refused) = cause.downcast_ref::<Refused>() {
            class = refused_class(refused);
            what = refused.to_string();
        } else if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && inner.is_none()
        {
            what = format!("the connection failed ({io})");
        }
        source = cause.source();
    }
    if what.is_empty() {
        what = "the connection ended before the answer was complete".to_owned();
    }
    Trouble { sent, class, what }
}
