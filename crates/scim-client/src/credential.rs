//! What a target is shown: a token that stays, or one that is fetched and renewed.

use std::time::Duration;

use base64::Engine;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::failure::{Failure, FailureKind};

/// What a target is shown.
#[derive(Debug)]
pub enum Credential {
    /// A token that stays the same.
    Bearer(SecretString),
    /// OAuth 2.0 client credentials (RFC 6749 §4.4).
    ClientCredentials {
        /// Where tokens come from.
        token_url: Url,
        /// The client's id.
        client_id: String,
        /// Its secret.
        client_secret: SecretString,
        /// What is asked for.
        scope: Option<String>,
    },
}

/// A token is renewed so long before its end.
const EARLY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Authorizer {
    credential: Credential,
    fetched: Mutex<Option<(HeaderValue, Instant)>>,
}

impl Authorizer {
    pub(crate) fn new(credential: Credential) -> Self {
        Self { credential, fetched: Mutex::new(None) }
    }

    /// Whether another token might be let in where this one was not.
    pub(crate) const fn can_renew(&self) -> bool {
        matches!(self.credential, Credential::ClientCredentials { .. })
    }

    /// Forgets a token that was refused.
    pub(crate) async fn forget(&self, refused: &HeaderValue) {
        let mut fetched = self.fetched.lock().await;
        if fetched.as_ref().is_some_and(|(header, _)| header == refused) {
            *fetched = None;
        }
    }

    pub(crate) async fn header(&self, http: &reqwest::Client) -> Result<HeaderValue, Failure> {
        let Credential::ClientCredentials { token_url, client_id, client_secret, scope } = &self.credential
        else {
            let Credential::Bearer(token) = &self.credential else { unreachable!("there are two kinds") };
            return bearer(token.expose_secret());
        };
        let mut fetched = self.fetched.lock().await;
        if let Some((header, until)) = fetched.as_ref()
            && *until > Instant::now()
        {
            return Ok(header.clone());
        }
        let (token, lifetime) = fetch(http, token_url, (client_id, client_secret), scope.as_deref()).await?;
        let header = bearer(token.expose_secret())?;
        let until = Instant::now() + lifetime.saturating_sub(EARLY);
        *fetched = Some((header.clone(), until));
        Ok(header)
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let mut header = HeaderValue::try_from(format!("Bearer {}", token.trim())).map_err(|_| {
        Failure::new(
            FailureKind::Unauthorized,
            "the token holds characters that no header may have; copy it anew",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

async fn fetch(
    http: &reqwest::Client,
    url: &Url,
    (id, secret): (&str, &SecretString),
    scope: Option<&str>,
) -> Result<(SecretString, Duration), Failure> {
    let host = url.host_str().unwrap_or_default();
    let wrong = |message: String| Failure::new(FailureKind::Token, message);
    let mut form = Url::parse("http://form/").map_err(|error| wrong(error.to_string()))?;
    form.query_pairs_mut().append_pair("grant_type", "client_credentials");
    if let Some(scope) = scope {
        form.query_pairs_mut().append_pair("scope", scope);
    }
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{}", secret.expose_secret()));
    let request = http
        .post(url.clone())
        .header(AUTHORIZATION, format!("Basic {basic}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.query().unwrap_or_default().to_owned());
    let answer = request.send().await.map_err(|error| Failure::of_transport(&error, host))?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(|error| Failure::of_transport(&error, host))?;
    if !status.is_success() {
        return Err(wrong(format!(
            "{host} gives no token ({status}); check the client's id, its secret and the scope"
        )));
    }
    let json: Json = serde_json::from_slice(&body)
        .map_err(|_| wrong(format!("{host} answers with no JSON; the token URL is probably wrong")))?;
    let token = json.get("access_token").and_then(Json::as_str);
    let token = token.ok_or_else(|| wrong(format!("{host} answers without an access_token")))?;
    let lifetime =
        json.get("expires_in").and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    Ok((SecretString::from(token), Duration::from_secs(lifetime.unwrap_or(300))))
}
