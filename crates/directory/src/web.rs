//! Asking over HTTP, with patience where a service asks for it.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value as Json;

use crate::tls;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long is waited for a service that asks for time, in all, before a cycle is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// What asks.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    http: Client,
}

/// An answer, whatever it says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Vec<u8>,
    host: String,
}

impl Web {
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, SourceError> {
        let http = Client::builder()
            .tls_backend_preconfigured(tls::config(ca_file)?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(10))
            .tcp_nodelay(true)
            .user_agent(concat!("Latchkey/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                SourceError::new(SourceErrorKind::Malformed, format!("TLS cannot be set up: {error}"))
            })?;
        Ok(Self { http })
    }

    /// Asks what may be asked twice. A service that asks for time gets it, within bounds; one that
    /// cannot be reached for a moment is asked again.
    pub(crate) async fn ask(
        &self,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Answer, SourceError> {
        let mut left = PATIENCE;
        let mut pause = Duration::from_secs(1);
        loop {
            let asked = request(&self.http).send().await;
            let (wait, error) = match asked {
                Ok(answer) => match answer.status().as_u16() {
                    429 | 502..=504 => {
                        let host = host(&answer);
                        let after = retry_after(answer.headers());
                        let status = answer.status().as_u16();
                        let message = format!(
                            "{host} asks for time ({status}), and got {} s of it; the cycle is tried again",
                            (PATIENCE - left).as_secs()
                        );
                        (after.unwrap_or(pause), SourceError::new(SourceErrorKind::Throttled(after), message))
                    }
                    _ => match taken(answer).await {
                        Ok(answer) => return Ok(answer),
                        Err(error) => (pause, error),
                    },
                },
                Err(error) if error.is_builder() => {
                    return Err(SourceError::new(
                        SourceErrorKind::Malformed,
                        format!("a request cannot be made: {}", error.without_url()),
                    ));
                }
                Err(error) => {
                    let lasting = is_lasting(&error);
                    let error = broke(&error);
                    if lasting {
                        return Err(error);
                    }
                    (pause, error)
                }
            };
            if wait > left {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            // Each try counts, so that one that asks for no time at all is not asked for ever.
            left = left.saturating_sub(wait.max(Duration::from_secs(1)));
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    }
}

impl Answer {
    /// The body, if all went well.
    pub(crate) fn json(&self) -> Result<Json, SourceError> {
        let malformed =
            |what: &str| SourceError::new(SourceErrorKind::Malformed, format!("{} {what}", self.host));
        match self.status {
            200..=299 => serde_json::from_slice(&self.body).map_err(|_| {
                let page = self.body.trim_ascii_start().starts_with(b"<");
                let what = if page { "with a web page" } else { "with what is no JSON" };
                malformed(&format!("answers {what} instead of JSON; the URL is probably wrong"))
            }),
            _ => Err(self.refusal()),
        }
    }

    /// The body as a number, where it is one.
    pub(crate) fn number(&self) -> Option<u64> {
        let text = std::str::from_utf8(&self.body).ok().filter(|_| self.status == 200)?;
        text.trim_start_matches('\u{feff}').trim().parse().ok()
    }

    /// Why it says no.
    pub(crate) fn refusal(&self) -> SourceError {
        let said = self.said();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        let (kind, advice) = match self.status {
            401 => (SourceErrorKind::Refused, "the credential is not taken; give a valid one"),
            403 => (
                SourceErrorKind::Refused,
                "the credential is valid but may not read this; grant it what the how-to names",
            ),
            404 => (SourceErrorKind::Malformed, "there is nothing; check the URL"),
            300..=399 => (SourceErrorKind::Malformed, "it sends elsewhere; name the address itself"),
            410 => (SourceErrorKind::Expired, "all is read anew"),
            500..=599 => (SourceErrorKind::Unreachable, "the service failed; it is tried again"),
            _ => (SourceErrorKind::Malformed, "it does not understand what is asked"),
        };
        SourceError::new(kind, format!("{} answers {}{said}; {advice}", self.host, self.status))
    }

    /// The error's code or words, in the shapes of SCIM, Graph and OAuth.
    pub(crate) fn said(&self) -> String {
        let body: Json = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let code = body.pointer("/error/code").and_then(text);
        let words = ["/error/message", "/detail", "/error_description", "/error"];
        let words = words.iter().find_map(|path| body.pointer(path).and_then(text));
        let all: Vec<String> = code.into_iter().chain(words).collect();
        all.join(": ").lines().next().unwrap_or_default().chars().take(300).collect()
    }
}

async fn taken(answer: Response) -> Result<Answer, SourceError> {
    let (status, host) = (answer.status().as_u16(), host(&answer));
    let body = answer.bytes().await.map_err(|error| broke(&error))?.to_vec();
    Ok(Answer { status, body, host })
}

fn host(answer: &Response) -> String {
    answer.url().host_str().unwrap_or_default().to_owned()
}

/// Seconds, or a time (RFC 9110 §10.2.3) by the service's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let after = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (then, now) = (httpdate::parse_http_date(after).ok()?, httpdate::parse_http_date(text(DATE)?).ok()?);
    Some(then.duration_since(now).unwrap_or_default())
}

/// Whether asking again helps nothing.
fn is_lasting(error: &reqwest::Error) -> bool {
    error.is_connect()
}

fn broke(error: &reqwest::Error) -> SourceError {
    let host = error.url().and_then(|url| url.host_str()).unwrap_or("the service").to_owned();
    let mut causes = Vec::new();
    let mut next: Option<&dyn Error> = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let chain = causes.join(": ");
    let has = |words: &[&str]| words.iter().any(|word| chain.contains(word));
    let why = causes.last().map(String::as_str).unwrap_or_default();
    if error.is_timeout() {
        let message = format!("{host} did not answer within {} s; it is tried again", TIMEOUT.as_secs());
        return SourceError::new(SourceErrorKind::Unreachable, message);
    }
    if has(&["certificate", "UnknownIssuer", "NotValidForName"]) {
        let message = format!(
            "{host} cannot be trusted: {why}; it needs a certificate for that name from a known authority, or name its authority in ca_file"
        );
        return SourceError::new(SourceErrorKind::Refused, message);
    }
    let advice = if has(&["dns error", "failed to lookup address"]) {
        "there is no such host; check the URL's spelling, and the DNS of this machine"
    } else {
        "check the address, its port, and that no firewall stands between"
    };
    SourceError::new(SourceErrorKind::Unreachable, format!("{host} cannot be reached ({why}); {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds_or_as_a_time_by_the_services_clock() {
        for (after, date, seconds) in [
            ("7", None, Some(7)),
            ("Fri, 13 Mar 2026 09:00:40 GMT", Some("Fri, 13 Mar 2026 09:00:10 GMT"), Some(30)),
            ("Fri, 13 Mar 2026 08:00:00 GMT", Some("Fri, 13 Mar 2026 09:00:10 GMT"), Some(0)),
            ("Fri, 13 Mar 2026 09:00:40 GMT", None, None),
            ("soon", Some("Fri, 13 Mar 2026 09:00:10 GMT"), None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().unwrap());
            headers.extend(date.map(|date| (DATE, date.parse().unwrap())));
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{after}");
        }
    }
}
