//! `latchkey admin scim-token`.

use std::time::Duration;

use latchkey_access::{Token, Workspace};
use latchkey_engine::Engine;
use latchkey_engine::tokens::{self, IssuedToken, TokenView};
use latchkey_kernel::id::TokenId;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{open, operator, workspace};
use crate::cli::ScimToken;
use crate::output::{Output, table};

pub(super) async fn run(command: ScimToken, output: Output) -> anyhow::Result<()> {
    match command {
        ScimToken::Create { workspace: name, name: called, rate_limit, place } => {
            let engine = open(&place).await?;
            let found = workspace(&engine, &name).await?;
            let issued = tokens::create_scim(&engine, &operator(&engine, &found), &called, rate_limit).await?;
            print(&issued, output);
            output.remark("This is the directory's secret token. It can be shown again by the API, or regenerated.");
        }
        ScimToken::Regenerate { workspace: name, token, grace_hours, place } => {
            let engine = open(&place).await?;
            let found = workspace(&engine, &name).await?;
            let old = chosen(&engine, &found, token.as_deref()).await?;
            let grace = Duration::from_secs_f64(grace_hours * 3_600.0);
            let issued = tokens::regenerate(&engine, &operator(&engine, &found), old, grace).await?;
            print(&issued, output);
            output.remark(if grace.is_zero() {
                "The old token is no longer valid: give the directory this one now.".to_owned()
            } else {
                format!("The old token stays valid for {grace_hours} hours: give the directory this one by then.")
            });
        }
        ScimToken::Revoke { workspace: name, token, place } => {
            let engine = open(&place).await?;
            let found = workspace(&engine, &name).await?;
            let id = chosen(&engine, &found, token.as_deref()).await?;
            tokens::revoke(&engine, &operator(&engine, &found), id).await?;
            output.answer(&json!({ "revoked": id.to_string() }), || format!("Token {id} is revoked."));
        }
        ScimToken::List { workspace: name, place } => {
            let engine = open(&place).await?;
            let found = workspace(&engine, &name).await?;
            let all = scim_tokens(&engine, &found).await?;
            output.answer(&json!({ "tokens": all.iter().map(shown).collect::<Vec<_>>() }), || {
                let rows: Vec<_> = all.iter().map(|view| row(view, &engine)).collect();
                table(&["ID", "NAME", "BEGINS", "STATE", "LAST USED", "REQUESTS"], &rows)
            });
        }
    }
    Ok(())
}

/// The token alone on standard output, so that a script can take it as it is.
pub(super) fn print(issued: &IssuedToken, output: Output) {
    let token = &issued.token;
    output.answer(
        &json!({
            "id": token.id.to_string(),
            "name": token.name,
            "token": issued.text.expose_secret(),
            "valid_until": token.valid_until,
        }),
        || issued.text.expose_secret().to_owned(),
    );
}

async fn scim_tokens(engine: &Engine, workspace: &Workspace) -> anyhow::Result<Vec<TokenView>> {
    Ok(tokens::list_scim(engine, &operator(engine, workspace)).await?)
}

/// The token that was named, or the only valid one.
async fn chosen(engine: &Engine, workspace: &Workspace, named: Option<&str>) -> anyhow::Result<TokenId> {
    if let Some(text) = named {
        return text.parse().map_err(|_| anyhow::anyhow!("--token {text:?} is not an id; `latchkey admin scim-token list` shows them"));
    }
    let now = engine.now();
    let valid: Vec<Token> = scim_tokens(engine, workspace)
        .await?
        .into_iter()
        .map(|view| view.token)
        .filter(|token| token.is_valid(now) && token.revoked_at.is_none())
        .collect();
    match valid.as_slice() {
        [one] => Ok(one.id),
        [] => anyhow::bail!("the workspace {} has no valid SCIM token; make one with scim-token create", workspace.name),
        _ => anyhow::bail!(
            "the workspace {} has {} valid SCIM tokens; say which with --token ID",
            workspace.name,
            valid.len()
        ),
    }
}

fn state(token: &Token, engine: &Engine) -> &'static str {
    match (token.is_valid(engine.now()), token.revoked_at) {
        (true, None) => "valid",
        (true, Some(_)) => "grace",
        (false, Some(_)) => "revoked",
        (false, None) => "expired",
    }
}

fn shown(view: &TokenView) -> Value {
    json!({
        "id": view.token.id.to_string(),
        "name": view.token.name,
        "hint": view.token.hint,
        "created_at": view.token.created_at,
        "valid_until": view.token.valid_until,
        "revoked_at": view.token.revoked_at,
        "rate_limit": view.token.rate_limit,
        "last_used_at": view.used.as_ref().map(|used| used.last_used_at),
        "last_address": view.used.as_ref().map(|used| used.last_address.clone()),
        "last_agent": view.used.as_ref().and_then(|used| used.last_agent.clone()),
        "requests": view.used.as_ref().map_or(0, |used| used.requests),
    })
}

fn row(view: &TokenView, engine: &Engine) -> Vec<String> {
    let token = &view.token;
    vec![
        token.id.to_string(),
        token.name.clone(),
        token.hint.clone(),
        state(token, engine).to_owned(),
        view.used.as_ref().map_or_else(|| "never".to_owned(), |used| used.last_used_at.to_string()),
        view.used.as_ref().map_or(0, |used| used.requests).to_string(),
    ]
}
