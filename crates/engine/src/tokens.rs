//! Tokens: made, shown, regenerated with a grace, revoked, and checked at each request.

use std::time::Duration;

use latchkey_access::authority::{self, Action};
use latchkey_access::context::Cause;
use latchkey_access::token::{Scope, Token, TokenKind};
use latchkey_access::{Role, tokens as rules};
use latchkey_kernel::id::{MemberId, TokenId, WorkspaceId};
use latchkey_store::{TokenLogin, TokenUse};
use secrecy::{ExposeSecret, SecretString};

use crate::engine::only_moved;
use crate::{Caller, Engine, Error, token_text};

pub(crate) const HASH: &str = "token hash";
const COPY: &str = "token copy";

/// A token and its text, at the one moment when both are at hand.
#[derive(Debug)]
pub struct IssuedToken {
    /// As it is kept.
    pub token: Token,
    /// To be given to the directory or the member, once.
    pub text: SecretString,
}

/// A token with how it has been used.
#[derive(Debug, Clone)]
pub struct TokenView {
    /// As it is kept.
    pub token: Token,
    /// Its last use, if any.
    pub used: Option<TokenUse>,
}

/// Why a request is not let in. Told apart for the log; a client learns only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// No token, or not of the kind that this endpoint takes, or garbled.
    #[error("the token is missing, garbled or of another kind")]
    NotOurs,
    /// Well-formed, but nobody's.
    #[error("the token is unknown")]
    Unknown,
    /// Revoked, expired, or its grace is over.
    #[error("the token is no longer valid")]
    Over,
    /// The member whose it is has left, or has left and come back since (A1, A3).
    #[error("the token's member is not active in the token's epoch")]
    MemberOut,
}

/// Who a request comes from.
#[derive(Debug, Clone)]
pub struct Login {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The token.
    pub token: Token,
    /// The member and their role, for an API token.
    pub member: Option<(MemberId, Role)>,
}

/// Lets a request in by the token that it shows.
///
/// # Errors
/// Outer: the database failed. Inner: why the token opens nothing.
pub async fn authenticate(
    engine: &Engine,
    kind: TokenKind,
    presented: &str,
) -> Result<Result<Login, Unauthenticated>, Error> {
    if !token_text::is_well_formed(kind, presented) {
        return Ok(Err(Unauthenticated::NotOurs));
    }
    let hash = engine.token_hasher.hash(presented.as_bytes());
    let found = engine.store().token_by_hash(hash).await?;
    Ok(admit(engine, kind, found))
}

fn admit(engine: &Engine, kind: TokenKind, found: Option<TokenLogin>) -> Result<Login, Unauthenticated> {
    let TokenLogin { token, member, .. } = found.ok_or(Unauthenticated::Unknown)?;
    if token.kind != kind {
        return Err(Unauthenticated::NotOurs);
    }
    if !token.is_valid(engine.now()) {
        return Err(Unauthenticated::Over);
    }
    let member = match (token.member, member) {
        (None, _) => None,
        (Some((id, epoch)), Some((standing, role))) if standing.is_active() && standing.epoch == epoch => {
            Some((id, role))
        }
        (Some(_), _) => return Err(Unauthenticated::MemberOut),
    };
    Ok(Login { workspace_id: token.workspace_id, token, member })
}

/// Makes a token for a directory.
///
/// # Errors
/// When the caller may not, a rule refuses or the database fails.
pub async fn create_scim(
    engine: &Engine,
    by: &Caller,
    name: &str,
    rate_limit: Option<u32>,
) -> Result<IssuedToken, Error> {
    let cause = by.cause(engine, Action::WriteDirectory)?;
    let workspace_id = by.workspace_id();
    engine.workspace(workspace_id).await?;
    let mut issued = draft(engine, workspace_id, TokenKind::Scim, name, &cause);
    issued.token.rate_limit = rate_limit;
    let changes = rules::issue(issued.token.clone(), &cause, engine.ids(&cause));
    engine.settle(async || engine.commit(changes.clone(), only_moved).await).await?;
    Ok(issued)
}

/// Makes a token with which a member's programs use the API. A member makes their own; the
/// operator makes anybody's.
///
/// # Errors
/// When it is another's, they are not active, a scope is not for their role, or the database fails.
pub async fn create_api(
    engine: &Engine,
    by: &Caller,
    member_id: MemberId,
    name: &str,
    scopes: &[Scope],
    valid_for: Option<Duration>,
) -> Result<IssuedToken, Error> {
    let cause = by.cause(engine, Action::WriteOwnTokens)?;
    let workspace_id = by.workspace_id();
    if by.member_id().is_some_and(|own| own != member_id) {
        // A token acts as its member, so nobody makes one for somebody else.
        return Err(Error::NotFound { what: "member" });
    }
    by.may_issue(scopes)?;
    let mut issued = draft(engine, workspace_id, TokenKind::Api, name, &cause);
    // A member's token is shown once: there is no reason to show it again.
    issued.token.sealed = None;
    issued.token.scopes = scopes.to_vec();
    issued.token.valid_until = valid_for.map(|span| cause.now.plus(span));
    issued.token = engine
        .settle(|| async {
            let member = engine
                .store()
                .member_get(workspace_id, member_id)
                .await?
                .ok_or(Error::NotFound { what: "member" })?;
            let mut token = issued.token.clone();
            token.member = Some((member_id, member.access_epoch));
            let changes = rules::issue_for_member(token.clone(), &member, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(token)
        })
        .await?;
    Ok(issued)
}

/// Makes a new token in the place of one, which stays valid for `grace`, so that the directory
/// does not fail until it has the new one.
///
/// # Errors
/// When there is no such token, it is a member's or revoked, or the caller may not.
pub async fn regenerate(
    engine: &Engine,
    by: &Caller,
    token_id: TokenId,
    grace: Duration,
) -> Result<IssuedToken, Error> {
    let cause = by.cause(engine, Action::WriteDirectory)?;
    let old = get(engine, by, token_id).await?;
    let mut issued = draft(engine, by.workspace_id(), old.kind, &old.name, &cause);
    issued.token.rate_limit = old.rate_limit;
    let changes = rules::regenerate(&old, issued.token.clone(), grace, &cause, engine.ids(&cause))?;
    engine.settle(async || engine.commit(changes.clone(), only_moved).await).await?;
    Ok(issued)
}

/// Ends a token at once: a directory's, or one's own.
///
/// # Errors
/// When there is no such token, or the caller may not.
pub async fn revoke(engine: &Engine, by: &Caller, token_id: TokenId) -> Result<(), Error> {
    let token = get(engine, by, token_id).await?;
    let is_own = token.member.is_some_and(|(member, _)| by.member_id() == Some(member));
    let action = if is_own { Action::WriteOwnTokens } else { Action::WriteDirectory };
    let cause = by.cause(engine, action)?;
    let changes = rules::revoke(&token, &cause, engine.ids(&cause));
    engine.settle(async || engine.commit(changes.clone(), only_moved).await).await
}

/// Every scope that a member of this role may hold.
pub fn scopes_of(role: Role) -> Vec<Scope> {
    Scope::ALL.iter().copied().filter(|scope| authority::scope_needs(*scope) <= role).collect()
}

/// A token's text, from its sealed copy; the showing is audited before the text is opened.
///
/// # Errors
/// When there is no such token, it is shown only once, or the caller may not.
pub async fn reveal(engine: &Engine, by: &Caller, token_id: TokenId) -> Result<SecretString, Error> {
    let cause = by.cause(engine, Action::WriteDirectory)?;
    let token = get(engine, by, token_id).await?;
    let Some(sealed) = &token.sealed else {
        return Err(Error::Invalid("this token was shown once and is not kept; regenerate it".to_owned()));
    };
    let changes = rules::revealed(&token, &cause, engine.ids(&cause));
    engine.settle(async || engine.commit(changes.clone(), only_moved).await).await?;
    let text = engine
        .keys()
        .open(COPY, &copy_context(&token), sealed)
        .map_err(|error| Error::damaged("token", error))?;
    let text = std::str::from_utf8(&text).map_err(|error| Error::damaged("token", error))?;
    Ok(SecretString::from(text))
}

/// The directory's tokens, newest first, with how each has been used.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list_scim(engine: &Engine, by: &Caller) -> Result<Vec<TokenView>, Error> {
    by.may(Action::ReadDirectory)?;
    views(engine, by.workspace_id(), |token| token.kind == TokenKind::Scim).await
}

/// The caller's own API tokens, newest first; everybody's for the operator and for who sees the
/// directory's.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list_api(engine: &Engine, by: &Caller) -> Result<Vec<TokenView>, Error> {
    by.may(Action::ReadSelf)?;
    let everybody = by.may(Action::ReadDirectory).is_ok();
    let own = by.member_id();
    let theirs = |token: &Token| everybody || token.member.map(|(member, _)| member) == own;
    views(engine, by.workspace_id(), |token| token.kind == TokenKind::Api && theirs(token)).await
}

async fn views(
    engine: &Engine,
    workspace_id: WorkspaceId,
    shown: impl Fn(&Token) -> bool,
) -> Result<Vec<TokenView>, Error> {
    write_uses(engine).await?;
    let mut uses = engine.store().token_uses(workspace_id).await?;
    let tokens = engine.store().token_list(workspace_id).await?;
    Ok(tokens
        .into_iter()
        .filter(shown)
        .map(|token| {
            let at = uses.iter().position(|used| used.token_id == token.id);
            TokenView { used: at.map(|at| uses.swap_remove(at)), token }
        })
        .collect())
}

/// One token, of the caller's workspace.
///
/// # Errors
/// When there is none of this id or the database fails.
pub async fn get(engine: &Engine, by: &Caller, token_id: TokenId) -> Result<Token, Error> {
    let found = engine.store().token_get(by.workspace_id(), token_id).await?;
    found.ok_or(Error::NotFound { what: "token" })
}

/// Writes what is known of tokens' use.
pub(crate) async fn write_uses(engine: &Engine) -> Result<(), Error> {
    let uses = engine.uses.take();
    if !uses.is_empty() {
        engine.store().token_use_record(uses).await?;
    }
    Ok(())
}

fn draft(
    engine: &Engine,
    workspace_id: WorkspaceId,
    kind: TokenKind,
    name: &str,
    cause: &Cause,
) -> IssuedToken {
    let text = token_text::mint(kind, engine.entropy());
    let mut token = Token {
        id: TokenId::fresh(cause.now, engine.entropy()),
        workspace_id,
        kind,
        name: name.to_owned(),
        hint: token_text::hint(kind, &text),
        hash: engine.token_hasher.hash(text.expose_secret().as_bytes()),
        sealed: None,
        member: None,
        scopes: Vec::new(),
        rate_limit: None,
        created_at: cause.now,
        valid_until: None,
        revoked_at: None,
    };
    let sealed =
        engine.keys().seal(COPY, &copy_context(&token), text.expose_secret().as_bytes(), engine.entropy());
    token.sealed = Some(sealed);
    IssuedToken { token, text }
}

/// What a sealed copy is bound to, so that a row moved to another workspace or token does not open (V1).
fn copy_context(token: &Token) -> [&[u8]; 2] {
    [token.workspace_id.as_ref(), token.id.as_ref()]
}
