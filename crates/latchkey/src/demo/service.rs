//! The login service that stands in for the real systems: its users, and the connector that changes
//! their passwords.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, ensure};
use latchkey_kernel::{Entropy, OsEntropy};
use latchkey_practice::recipes;
use serde_json::{Value, json};

use super::api::{Api, Named};
use super::http::{Line, Target};
use super::sharing::LOGINS;
use super::story::Story;

const CONNECTOR: &str = "Practice service";
/// Nothing else is at the service, and a company's worth of passwords is to change while people watch.
const AT_ONCE: u16 = 16;

/// The service as any client sees it, and as its admin does.
#[derive(Debug)]
pub(super) struct Service {
    url: String,
    token: String,
    target: Arc<Target>,
}

/// A password in the vault that worked at the service when it was put there.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) secret: String,
    pub(super) value: String,
}

impl Service {
    pub(super) fn new(url: &str, token: &str) -> anyhow::Result<Self> {
        Ok(Self { url: url.to_owned(), token: token.to_owned(), target: Target::practice(url, token)? })
    }

    /// Where a person may try a password.
    pub(super) fn login_page(&self) -> String {
        format!("{}/login", self.url)
    }

    pub(super) fn line(&self) -> Line {
        Line::new(&self.target)
    }

    fn connector(&self) -> anyhow::Result<Value> {
        let host = self.url.strip_prefix("http://").context("the practice service has an http address")?;
        Ok(json!({
            "name": CONNECTOR,
            "kind": "http",
            "config": {
                "recipe": recipes::ADMIN,
                "hosts": [host],
                "network": {"plain_http_on_loopback": true, "allow": ["127.0.0.0/8"]},
            },
            // It locks nobody out before ten failures, so a proof need not wait for the last one's.
            "limits": {"failed_login_every_seconds": 0, "first_pause_seconds": 1},
            "admin": self.token,
            "at_once": AT_ONCE,
        }))
    }
}

/// The name of a login at the service.
pub(super) fn user(login: &str) -> String {
    login.to_lowercase().replace(' ', "-")
}

/// Whether the service lets somebody in with this password.
pub(super) async fn lets_in(line: &mut Line, login: &str, password: &str) -> anyhow::Result<bool> {
    let answer = line.post("/login", &json!({"user": user(login), "pass": password})).await?;
    Ok(answer.expect(&[200, 401])?.status == 200)
}

/// Gives each login a password at the service, puts it into the vault, and says how it is rotated.
/// Left out are logins that an earlier demo gave to somebody else: only their owner stores a password.
pub(super) async fn store(
    story: &mut Story,
    logins: &HashMap<&'static str, String>,
) -> anyhow::Result<HashMap<&'static str, Stored>> {
    let connector = connector(story).await?;
    let mut line = story.service.line();
    let mut stored = HashMap::new();
    for login in LOGINS {
        let account = &logins[login.name];
        let value = password();
        let Some(secret) = put_away(&mut story.api, account, &value).await? else { continue };
        line.put(&format!("/admin/users/{}", user(login.name)), &json!({"password": value}))
            .await?
            .expect(&[201])?;
        ensure!(
            lets_in(&mut line, login.name, &value).await?,
            "the practice service refuses what it was just given"
        );
        let how = json!({"connector_id": connector, "login": user(login.name)});
        story.api.put(&format!("/accounts/{account}/rotation"), &how).await?.expect(&[200])?;
        stored.insert(login.name, Stored { secret, value });
    }
    Ok(stored)
}

/// The connector to the service, made, or sent to where the service is now.
async fn connector(story: &mut Story) -> anyhow::Result<String> {
    let body = story.service.connector()?;
    let known: Vec<Named> = story.api.all("/connectors").await?;
    match known.iter().find(|connector| connector.name == CONNECTOR) {
        Some(connector) => {
            let change = json!({"config": body["config"], "admin": body["admin"]});
            story.api.change(&format!("/connectors/{}", connector.id), &change).await?;
            Ok(connector.id.clone())
        }
        None => story.api.make("/connectors", &body).await,
    }
}

/// Puts a password into the vault as the account's; gives the secret's id, or nothing when the caller
/// may not.
async fn put_away(api: &mut Api, account: &str, value: &str) -> anyhow::Result<Option<String>> {
    let path = format!("/accounts/{account}/secrets");
    let listed = api.look(&path).await?;
    if matches!(listed.status, 403 | 404) {
        return Ok(None);
    }
    let listed: Value = listed.expect(&[200])?.json()?;
    let there = listed["items"].as_array().and_then(|all| all.iter().find(|one| one["kind"] == "password"));
    let Some(secret) = there.and_then(|secret| secret["id"].as_str()) else {
        let body = json!({"kind": "password", "label": "Password", "value": value});
        return api.make(&path, &body).await.map(Some);
    };
    let set = api.put(&format!("{path}/{secret}/value"), &json!({"value": value})).await?;
    if matches!(set.status, 403 | 404) {
        return Ok(None);
    }
    set.expect(&[200])?;
    Ok(Some(secret.to_owned()))
}

fn password() -> String {
    let bytes: [u8; 12] = (&OsEntropy as &dyn Entropy).bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Demo-{hex}")
}
