//! Grants are given, shortened, prolonged and ended.

use latchkey_kernel::Timestamp;
use serde_json::{Value, json};

use crate::authority;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::grant::{Grant, GrantObject, GrantSubject, Permission};
use crate::member::Member;
use crate::refusal::{REASON_MAX, Refusal, bounded};
use crate::team::Team;

/// Who is to receive.
#[derive(Debug, Clone, Copy)]
pub enum Receiver<'a> {
    /// A member.
    Member(&'a Member),
    /// A team.
    Team(&'a Team),
}

/// What is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// On what.
    pub object: GrantObject,
    /// What it allows.
    pub permission: Permission,
    /// Counts from then on.
    pub starts_at: Option<Timestamp>,
    /// Counts until then.
    pub ends_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

/// Gives a grant. To a member it is given in their present epoch, and expects that they are
/// still active in it when it is committed.
///
/// # Errors
/// When the member is out (R11) or a guest who may not hold it, or the end makes no sense.
pub fn give(
    receiver: Receiver<'_>,
    wish: Wish,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<(Grant, ChangeSet), Refusal> {
    let subject = match receiver {
        Receiver::Member(member) => {
            if !member.standing().is_active() {
                return Err(Refusal::MemberNotActive);
            }
            authority::may_receive(member.role, wish.permission)?;
            GrantSubject::Member(member.id, member.access_epoch)
        }
        Receiver::Team(team) => GrantSubject::Team(team.id),
    };
    if let Some(reason) = &wish.reason {
        bounded("the reason", reason, REASON_MAX)?;
    }
    check_end(wish.starts_at, wish.ends_at, cause.now)?;
    let workspace_id = match receiver {
        Receiver::Member(member) => member.workspace_id,
        Receiver::Team(team) => team.workspace_id,
    };
    let grant = Grant {
        workspace_id,
        id: ids.grant(),
        subject,
        object: wish.object,
        permission: wish.permission,
        starts_at: wish.starts_at,
        ends_at: wish.ends_at,
        reason: wish.reason,
        granted_by: cause.actor.to_string(),
        granted_at: cause.now,
    };
    let mut changes = ChangeSet::new(workspace_id);
    if let GrantSubject::Member(member_id, epoch) = subject {
        changes.push(Change::MemberExpect { member_id, epoch });
    }
    changes.push(Change::GrantInsert(grant.clone()));
    changes.note((cause, ids), "grant.given", ("grant", &grant.id), described(&grant));
    Ok((grant, changes))
}

/// Ends a grant at once.
pub fn end(grant: &Grant, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(grant.workspace_id);
    changes.push(Change::GrantDelete { grant_id: grant.id });
    changes.note((cause, ids), "grant.ended", ("grant", &grant.id), described(grant));
    changes
}

/// Sets when a grant ends; `None` is never.
///
/// # Errors
/// When the end is not in the future and after the start.
pub fn set_end(
    grant: &Grant,
    ends_at: Option<Timestamp>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    check_end(grant.starts_at, ends_at, cause.now)?;
    let mut changes = ChangeSet::new(grant.workspace_id);
    if ends_at == grant.ends_at {
        return Ok(changes);
    }
    changes.push(Change::GrantSetEnd { grant_id: grant.id, ends_at });
    let mut detail = described(grant);
    detail["before"] = json!({ "ends_at": grant.ends_at });
    detail["after"] = json!({ "ends_at": ends_at });
    changes.note((cause, ids), "grant.end_set", ("grant", &grant.id), detail);
    Ok(changes)
}

/// A grant in an audit record.
pub(crate) fn described(grant: &Grant) -> Value {
    let mut detail = json!({ "permission": grant.permission, "reason": grant.reason });
    match grant.subject {
        GrantSubject::Member(member, epoch) => {
            detail["member"] = json!(member);
            detail["epoch"] = json!(epoch);
        }
        GrantSubject::Team(team) => detail["team"] = json!(team),
    }
    match grant.object {
        GrantObject::Account(account) => detail["account"] = json!(account),
        GrantObject::Collection(collection) => detail["collection"] = json!(collection),
    }
    if let Some(ends_at) = grant.ends_at {
        detail["ends_at"] = json!(ends_at);
    }
    detail
}

fn check_end(
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let fits = ends_at.is_none_or(|ends| ends > now && starts_at.is_none_or(|starts| ends > starts));
    if fits { Ok(()) } else { Err(Refusal::BadEnd) }
}
