//! Tokens are issued, regenerated with a grace, shown and revoked.

use std::time::Duration;

use latchkey_kernel::Timestamp;
use serde_json::{Value, json};

use crate::authority;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::member::{Member, Standing};
use crate::refusal::{NAME_MAX, Refusal, bounded};
use crate::token::{Token, TokenKind};

/// Whether a token opens anything at `now`; for a member's token, `member` is their standing (A1).
pub fn opens(token: &Token, member: Option<&Standing>, now: Timestamp) -> bool {
    token.is_valid(now)
        && match (token.member, member) {
            (None, _) => true,
            (Some((id, epoch)), Some(standing)) => {
                standing.member_id == id && standing.is_active() && standing.epoch == epoch
            }
            (Some(_), None) => false,
        }
}

/// Makes a directory's token.
pub fn issue(token: Token, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(token.workspace_id);
    push_issue(&mut changes, token, (cause, ids));
    changes
}

/// Makes a member's token, in their present epoch.
///
/// # Errors
/// When the member is out, there is no scope, or one is not for their role.
pub fn issue_for_member(
    token: Token,
    member: &Member,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let standing = member.standing();
    if !standing.is_active() {
        return Err(Refusal::MemberNotActive);
    }
    if token.scopes.is_empty() {
        return Err(Refusal::NoScopes);
    }
    let above = token.scopes.iter().find(|scope| authority::scope_needs(**scope) > member.role);
    if let Some(scope) = above {
        return Err(Refusal::ScopeNotForRole { scope: *scope, role: member.role });
    }
    bounded("the token's name", &token.name, NAME_MAX)?;
    let token = Token { member: Some((member.id, standing.epoch)), ..token };
    let mut changes = ChangeSet::new(token.workspace_id);
    changes.push(Change::MemberExpect { member_id: member.id, epoch: standing.epoch });
    push_issue(&mut changes, token, (cause, ids));
    Ok(changes)
}

/// Puts `new` in the place of `old`, which stays valid for `grace`.
///
/// # Errors
/// When the old one is over or is a member's.
pub fn regenerate(
    old: &Token,
    new: Token,
    grace: Duration,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    if old.kind != TokenKind::Scim {
        return Err(Refusal::NotRegenerable);
    }
    if old.revoked_at.is_some() || !old.is_valid(cause.now) {
        return Err(Refusal::TokenOver);
    }
    let mut changes = ChangeSet::new(old.workspace_id);
    let valid_until = cause.now.plus(grace);
    let detail = json!({ "name": old.name, "replaced_by": new.id, "valid_until": valid_until });
    push_issue(&mut changes, new, (cause, ids));
    changes.push(Change::TokenRevoke { token_id: old.id, valid_until, at: cause.now });
    changes.note((cause, ids), "token.regenerated", ("token", &old.id), detail);
    Ok(changes)
}

/// Ends a token at once; one that is over already is left as it is.
pub fn revoke(token: &Token, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(token.workspace_id);
    if token.is_valid(cause.now) {
        changes.push(Change::TokenRevoke { token_id: token.id, valid_until: cause.now, at: cause.now });
        changes.note((cause, ids), "token.revoked", ("token", &token.id), described(token));
    }
    changes
}

/// That a token's text is about to be shown.
pub fn revealed(token: &Token, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(token.workspace_id);
    changes.note((cause, ids), "token.revealed", ("token", &token.id), described(token));
    changes
}

fn push_issue(changes: &mut ChangeSet, token: Token, (cause, ids): (&Cause, Ids<'_>)) {
    changes.note((cause, ids), "token.issued", ("token", &token.id), described(&token));
    changes.push(Change::TokenInsert(token));
}

/// A token in an audit record: what it is and opens, never its text, hash or sealed copy (V1).
fn described(token: &Token) -> Value {
    json!({
        "name": token.name,
        "kind": token.kind,
        "hint": token.hint,
        "member": token.member.map(|(member, _)| member),
        "scopes": token.scopes,
        "valid_until": token.valid_until,
    })
}
