//! Tokens of directories, and of members' programs.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_access::{Scope, Token, TokenKind};
use latchkey_engine::tokens::{IssuedToken, TokenView as Known};
use latchkey_engine::{self as services};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TokenId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::{Answer, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id};
use crate::page::Page;
use crate::problem::Problem;

/// The longest that an old token may stay valid after it was regenerated.
const MOST_GRACE: u64 = 72 * 60 * 60;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/scim-tokens", Action::ReadDirectory, "The directory's tokens with their use; never their text")
            .gives::<Page<TokenView>>(200, "All of them, newest first.")
            .by(list_scim),
        Endpoint::new(HttpMethod::Post, "/v1/api/scim-tokens", Action::WriteDirectory, "Make a token for a directory")
            .takes::<ScimTokenDraft>()
            .gives::<Issued>(201, "The token with its text.")
            .by(create_scim),
        Endpoint::new(HttpMethod::Post, "/v1/api/scim-tokens/{id}/regenerate", Action::WriteDirectory, "Make a new token in the place of one")
            .takes::<Regenerate>()
            .gives::<Issued>(201, "The new token with its text.")
            .by(regenerate),
        Endpoint::new(HttpMethod::Post, "/v1/api/scim-tokens/{id}/reveal", Action::WriteDirectory, "Show a token's text again; it is audited")
            .gives::<Revealed>(200, "The text.")
            .by(reveal),
        Endpoint::new(HttpMethod::Delete, "/v1/api/scim-tokens/{id}", Action::WriteDirectory, "End a directory's token at once")
            .gives_nothing()
            .by(revoke_scim),
        Endpoint::new(HttpMethod::Get, "/v1/api/api-tokens", Action::WriteOwnTokens, "The caller's own API tokens")
            .gives::<Page<TokenView>>(200, "All of them, newest first.")
            .by(list_api),
        Endpoint::new(HttpMethod::Post, "/v1/api/api-tokens", Action::WriteOwnTokens, "Make an API token for oneself; its text is shown this once")
            .takes::<ApiTokenDraft>()
            .gives::<Issued>(201, "The token with its text.")
            .by(create_api),
        Endpoint::new(HttpMethod::Delete, "/v1/api/api-tokens/{id}", Action::WriteOwnTokens, "End one of one's own API tokens at once")
            .gives_nothing()
            .by(revoke_api),
    ]
}

/// A token as people see it: never its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenView {
    #[schema(value_type = String)]
    id: TokenId,
    name: String,
    /// How its text begins.
    hint: String,
    /// `valid`, `grace` (replaced, still valid for a while), `revoked` or `expired`.
    state: &'static str,
    /// Whose it is, for an API token.
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// What it may do, for an API token.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// Requests a second that it may make; absent is without limit.
    rate_limit: Option<u32>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    valid_until: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    revoked_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    last_used_at: Option<Timestamp>,
    last_address: Option<String>,
    last_agent: Option<String>,
    /// How many requests it has made.
    requests: u64,
}

/// A token with its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct Issued {
    #[serde(flatten)]
    token_view: TokenView,
    /// The secret.
    token: String,
    /// What goes with it into the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_url: Option<String>,
}

/// A token's text.
#[derive(Serialize, ToSchema)]
pub(crate) struct Revealed {
    /// The secret.
    token: String,
    tenant_url: String,
}

/// A token for a directory.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScimTokenDraft {
    /// What people call it.
    name: String,
    /// Requests a second that it may make; absent is without limit.
    rate_limit: Option<u32>,
}

/// How a token is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Regenerate {
    /// How long the old one stays valid, at most 259,200 (72 hours); absent is not at all.
    grace_seconds: Option<u64>,
}

/// A token for one's own programs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiTokenDraft {
    /// What people call it.
    name: String,
    /// What it may do, as `members:read`.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// Days for which it is valid; absent is without end.
    days: Option<u32>,
}

async fn list_scim(State(state): State<ApiState>, By(by): By) -> Answer<Page<TokenView>> {
    let all = services::tokens::list_scim(&state.engine, &by).await.map_err(problem(&by))?;
    let now = state.engine.now();
    Ok(Json(Page { items: all.iter().map(|known| view(known, now)).collect(), next: None }))
}

async fn create_scim(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<ScimTokenDraft>,
) -> Result<(StatusCode, Json<Issued>), Problem> {
    if draft.rate_limit == Some(0) {
        return Err(Problem::invalid("rate_limit must be at least 1; leave it out for no limit"));
    }
    let name = named(&draft.name)?;
    let issued = services::tokens::create_scim(&state.engine, &by, name, draft.rate_limit).await;
    Ok((StatusCode::CREATED, Json(shown(&state, issued.map_err(problem(&by))?))))
}

async fn regenerate(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TokenId>,
    Body(wish): Body<Regenerate>,
) -> Result<(StatusCode, Json<Issued>), Problem> {
    let seconds = wish.grace_seconds.unwrap_or(0);
    if seconds > MOST_GRACE {
        return Err(Problem::invalid(format!("grace_seconds must be at most {MOST_GRACE}, which is 72 hours")));
    }
    kind_is(&state, &by, id, TokenKind::Scim).await?;
    let grace = Duration::from_secs(seconds);
    let issued = services::tokens::regenerate(&state.engine, &by, id, grace).await;
    Ok((StatusCode::CREATED, Json(shown(&state, issued.map_err(problem(&by))?))))
}

async fn reveal(State(state): State<ApiState>, By(by): By, Id(id): Id<TokenId>) -> Answer<Revealed> {
    kind_is(&state, &by, id, TokenKind::Scim).await?;
    let text = services::tokens::reveal(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(Revealed { token: plain(&text), tenant_url: tenant_url(&state) }))
}

async fn revoke_scim(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TokenId>,
) -> Result<StatusCode, Problem> {
    kind_is(&state, &by, id, TokenKind::Scim).await?;
    services::tokens::revoke(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_api(State(state): State<ApiState>, By(by): By) -> Answer<Page<TokenView>> {
    let all = services::tokens::list_api(&state.engine, &by).await.map_err(problem(&by))?;
    let now = state.engine.now();
    Ok(Json(Page { items: all.iter().map(|known| view(known, now)).collect(), next: None }))
}

async fn create_api(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<ApiTokenDraft>,
) -> Result<(StatusCode, Json<Issued>), Problem> {
    let member = by.member_id().ok_or_else(Problem::unauthenticated)?;
    let name = named(&draft.name)?;
    let valid_for = draft.days.map(|days| Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    let issued =
        services::tokens::create_api(&state.engine, &by, member, name, &draft.scopes, valid_for).await;
    Ok((StatusCode::CREATED, Json(shown(&state, issued.map_err(problem(&by))?))))
}

async fn revoke_api(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TokenId>,
) -> Result<StatusCode, Problem> {
    let token = kind_is(&state, &by, id, TokenKind::Api).await?;
    if token.member.map(|(member, _)| member) != by.member_id() {
        return Err(Problem::not_found("token"));
    }
    services::tokens::revoke(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The token, if it is of the kind that the address speaks of.
async fn kind_is(
    state: &ApiState,
    by: &services::Caller,
    id: TokenId,
    kind: TokenKind,
) -> Result<Token, Problem> {
    let token = services::tokens::get(&state.engine, by, id).await.map_err(problem(by))?;
    if token.kind == kind { Ok(token) } else { Err(Problem::not_found("token").of(by.request_id())) }
}

fn named(text: &str) -> Result<&str, Problem> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Problem::invalid("name must have 1 to 100 characters"));
    }
    Ok(name)
}

fn tenant_url(state: &ApiState) -> String {
    format!("{}/v1/scim/v2", state.base_url)
}

/// The one place where a token's text leaves: the answer to who may have it.
fn plain(text: &SecretString) -> String {
    text.expose_secret().to_owned()
}

fn shown(state: &ApiState, issued: IssuedToken) -> Issued {
    let directory = issued.token.kind == TokenKind::Scim;
    Issued {
        token: plain(&issued.text),
        token_view: view(&Known { token: issued.token, used: None }, state.engine.now()),
        tenant_url: directory.then(|| tenant_url(state)),
    }
}

fn view(known: &Known, now: Timestamp) -> TokenView {
    let Known { token, used } = known;
    TokenView {
        id: token.id,
        name: token.name.clone(),
        hint: token.hint.clone(),
        state: match (token.is_valid(now), token.revoked_at) {
            (true, None) => "valid",
            (true, Some(_)) => "grace",
            (false, Some(_)) => "revoked",
            (false, None) => "expired",
        },
        member_id: token.member.map(|(member, _)| member),
        scopes: token.scopes.clone(),
        rate_limit: token.rate_limit,
        created_at: token.created_at,
        valid_until: token.valid_until,
        revoked_at: token.revoked_at,
        last_used_at: used.as_ref().map(|used| used.last_used_at),
        last_address: used.as_ref().map(|used| used.last_address.clone()),
        last_agent: used.as_ref().and_then(|used| used.last_agent.clone()),
        requests: used.as_ref().map_or(0, |used| used.requests),
    }
}
