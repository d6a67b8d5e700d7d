//! Calls to Microsoft Graph: tokens, pages, and what its refusals mean.

use std::time::Duration;

use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::web::{Answer, Web};

/// A token is renewed so long before its end.
const EARLY: Duration = Duration::from_secs(60);

/// Where Graph is, and what it is shown.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) web: Web,
    /// With the version.
    pub(super) graph: Url,
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) token: Mutex<Option<(HeaderValue, Instant)>>,
}

/// A page, and where the next is; after the last of a delta query, where the next round begins.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) values: Vec<Map<String, Json>>,
    pub(super) next: Option<Url>,
    pub(super) delta: Option<Url>,
}

impl Calls {
    /// An address below Graph's base.
    pub(super) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.graph.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Asks, with a fresh token where the old one is not taken any more.
    pub(super) async fn get(&self, url: &Url) -> Result<Answer, SourceError> {
        let token = self.token().await?;
        let answer = self.ask(url, &token).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.forget(&token).await;
        let token = self.token().await?;
        self.ask(url, &token).await
    }

    async fn ask(&self, url: &Url, token: &HeaderValue) -> Result<Answer, SourceError> {
        let counts = url.path().ends_with("/$count");
        let ask = |http: &reqwest::Client| {
            let request = http.get(url.clone()).header(AUTHORIZATION, token.clone());
            // Counts are given only to who says that they may lag.
            if counts { request.header("ConsistencyLevel", "eventual") } else { request }
        };
        self.web.ask(ask).await
    }

    pub(super) async fn page(&self, url: &Url) -> Result<Page, SourceError> {
        self.page_of(&self.get(url).await?)
    }

    pub(super) fn page_of(&self, answer: &Answer) -> Result<Page, SourceError> {
        if is_expired(answer) {
            return Err(expired());
        }
        let body = answer.json()?;
        let Some(values) = body.get("value").and_then(Json::as_array) else {
            let message =
                format!("{} answers without a list of values; graph_url is probably wrong", self.host());
            return Err(SourceError::new(SourceErrorKind::Malformed, message));
        };
        let link = |name: &str| body.get(name).and_then(Json::as_str).map(|text| self.link(text)).transpose();
        Ok(Page {
            values: values.iter().filter_map(|value| value.as_object().cloned()).collect(),
            next: link("@odata.nextLink")?,
            delta: link("@odata.deltaLink")?,
        })
    }

    /// All of a list that is no delta query.
    pub(super) async fn list(&self, url: Url) -> Result<Vec<Map<String, Json>>, SourceError> {
        let (mut all, mut next) = (Vec::new(), Some(url));
        while let Some(url) = next {
            let page = self.page(&url).await?;
            all.extend(page.values);
            next = page.next;
        }
        Ok(all)
    }

    /// A link is used whole, and only at Graph: the token goes along.
    pub(super) fn link(&self, text: &str) -> Result<Url, SourceError> {
        let url = Url::parse(text).ok().filter(|url| url.origin() == self.graph.origin());
        url.ok_or_else(|| {
            let message = format!("{} links to an address that is not its own; graph_url has to be the address that Graph itself names", self.host());
            SourceError::new(SourceErrorKind::Malformed, message)
        })
    }

    pub(super) fn host(&self) -> &str {
        self.graph.host_str().unwrap_or("Graph")
    }

    async fn forget(&self, refused: &HeaderValue) {
        let mut token = self.token.lock().await;
        if token.as_ref().is_some_and(|(header, _)| header == refused) {
            *token = None;
        }
    }

    async fn token(&self) -> Result<HeaderValue, SourceError> {
        let mut token = self.token.lock().await;
        if let Some((header, until)) = token.as_ref()
            && *until > Instant::now()
        {
            return Ok(header.clone());
        }
        let (header, lifetime) = self.fetch().await?;
        *token = Some((header.clone(), Instant::now() + lifetime.saturating_sub(EARLY)));
        Ok(header)
    }

    /// Client credentials (RFC 6749 §4.4).
    async fn fetch(&self) -> Result<(HeaderValue, Duration), SourceError> {
        let scope = format!("{}/.default", self.graph.origin().ascii_serialization());
        let mut form = self.token_url.clone();
        form.query_pairs_mut()
            .clear()
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret().trim())
            .append_pair("scope", &scope);
        let body = form.query().unwrap_or_default().to_owned();
        let ask = |http: &reqwest::Client| {
            http.post(self.token_url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body.clone())
        };
        let answer = self.web.ask(ask).await?;
        let host = self.token_url.host_str().unwrap_or_default();
        let wrong = |what: String| {
            SourceError::new(
                SourceErrorKind::Refused,
                format!(
                    "{host} gives no token: {what}; check tenant, client_id, and whether the client secret has ended"
                ),
            )
        };
        if answer.status != 200 {
            return Err(wrong(format!("{} {}", answer.status, answer.said())));
        }
        let json = answer.json()?;
        let token = json.get("access_token").and_then(Json::as_str);
        let token = token.ok_or_else(|| wrong("it answers without one".to_owned()))?;
        let header = HeaderValue::try_from(format!("Bearer {token}"));
        let mut header = header.map_err(|_| wrong("it gives one that no header may hold".to_owned()))?;
        header.set_sensitive(true);
        let lifetime =
            json.get("expires_in").and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
        Ok((header, Duration::from_secs(lifetime.unwrap_or(300))))
    }
}

/// A delta token that is known no more: 410, with or without a place to begin anew, or its code.
fn is_expired(answer: &Answer) -> bool {
    let said = || answer.said().to_ascii_lowercase();
    let codes = ["syncstatenotfound", "syncstateinvalid", "resyncrequired"];
    answer.status == 410
        || (matches!(answer.status, 400 | 404) && codes.iter().any(|code| said().starts_with(code)))
}

pub(super) fn expired() -> SourceError {
    SourceError::new(
        SourceErrorKind::Expired,
        "Graph cannot go on from where the last reading ended (it keeps that for seven days), so all is read anew",
    )
}
