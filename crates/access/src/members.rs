//! Members come in, change and get roles.

use serde_json::{Map, Value, json};

use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::member::{Member, Origin, Role, Standing};
use crate::refusal::{NAME_MAX, Refusal, bounded};
use crate::succession::{self, InCharge};
use crate::workspace::Workspace;
use crate::{attributes, authority};

/// Lets somebody in. With the tombstone of one who was deleted under the same external id, the
/// epoch goes on from there: it is the same person, and what they had does not come back (A3).
/// Of several tombstones the one with the highest epoch is to be given.
pub fn admit(member: Member, tombstone: Option<&Member>, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut member = member;
    if let Some(gone) = tombstone {
        member.access_epoch = gone.access_epoch;
        member.reviewed_epoch = gone.reviewed_epoch;
    }
    let mut changes = ChangeSet::new(member.workspace_id);
    let mut detail = columns(&member);
    detail["role"] = json!(member.role);
    detail["state"] = json!(member.state);
    detail["epoch"] = json!(member.access_epoch);
    detail["continues"] = json!(tombstone.map(|gone| gone.id));
    changes.note((cause, ids), "member.created", ("member", &member.id), detail);
    changes.push(Change::MemberInsert(member));
    changes
}

/// Adds a member by hand.
///
/// # Errors
/// When the role is above the actor's, or the name is empty; `actor` is `None` for an operator on the host.
pub fn add_local(
    member: Member,
    actor: Option<Role>,
    workspace: &Workspace,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    bounded("the user name", &member.user_name, NAME_MAX)?;
    if let Some(actor) = actor {
        authority::may_act_on(actor, member.role)?;
    }
    let in_charge = member.role == Role::Owner && member.standing().is_active();
    let member = Member { origin: Origin::Local, ..member };
    let mut changes = admit(member, None, cause, ids);
    if in_charge {
        succession::push_in_charge(&mut changes, workspace, workspace.policy.successor, (cause, ids));
    }
    Ok(changes)
}

/// Writes a member's attributes; standing and role stay. Nothing changed is an empty change set.
pub fn update_attributes(before: &Member, after: Member, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(before.workspace_id);
    let after = with_attributes(before, &after, before.standing(), cause);
    let same = Member { version: before.version, modified_at: before.modified_at, ..after.clone() };
    if same == *before {
        return changes;
    }
    let detail = difference(before, &after);
    changes.push(Change::MemberUpdate { member: after, expect: before.version });
    changes.note((cause, ids), "member.updated", ("member", &before.id), detail);
    changes
}

/// Changes a role.
///
/// `actor` is `None` for an operator on the host. `in_charge` is to be loaded when an active
/// Owner is demoted.
///
/// # Errors
/// When the actor may not, the member is out, or they are the last active Owner (A6).
pub fn set_role(
    before: &Member,
    role: Role,
    actor: Option<Role>,
    workspace: &Workspace,
    in_charge: Option<&InCharge>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let mut changes = ChangeSet::new(before.workspace_id);
    if let Some(actor) = actor {
        authority::may_change_role(actor, before.role, role)?;
    }
    if !before.standing().is_active() {
        return Err(Refusal::MemberNotActive);
    }
    if role == before.role {
        return Ok(changes);
    }
    let demoted = before.role == Role::Owner;
    if demoted && in_charge.is_none_or(|others| others.other_owners == 0) {
        return Err(Refusal::LastOwner);
    }
    let after = Member { role, version: before.version.next(), ..before.clone() };
    changes.push(Change::MemberUpdate { member: after, expect: before.version });
    let detail = json!({ "before": { "role": before.role }, "after": { "role": role } });
    changes.note((cause, ids), "member.role_changed", ("member", &before.id), detail);
    if demoted || role == Role::Owner {
        succession::push_in_charge(&mut changes, workspace, workspace.policy.successor, (cause, ids));
    }
    Ok(changes)
}

/// `after`'s attributes on `before`'s row, with this standing and the next version.
pub(crate) fn with_attributes(before: &Member, after: &Member, standing: Standing, cause: &Cause) -> Member {
    Member {
        workspace_id: before.workspace_id,
        id: before.id,
        role: before.role,
        state: standing.state,
        access_epoch: standing.epoch,
        reviewed_epoch: standing.reviewed,
        version: before.version.next(),
        created_at: before.created_at,
        modified_at: cause.now,
        left_at: before.left_at,
        ..after.clone()
    }
}

/// Which attributes differ: of all the names, of those that are columns the values too.
pub(crate) fn difference(before: &Member, after: &Member) -> Value {
    let (mut was, mut is) = (Map::new(), Map::new());
    let mut compare = |name: &str, before: Option<&str>, after: Option<&str>| {
        if before != after {
            was.insert(name.to_owned(), before.into());
            is.insert(name.to_owned(), after.into());
        }
    };
    compare("user_name", Some(&before.user_name), Some(&after.user_name));
    compare("external_id", before.external_id.as_deref(), after.external_id.as_deref());
    compare("display_name", Some(&before.display_name), Some(&after.display_name));
    compare("work_email", before.work_email.as_deref(), after.work_email.as_deref());
    compare("origin", Some(before.origin.as_str()), Some(after.origin.as_str()));
    json!({ "changed": attributes::changed(&before.resource, &after.resource), "before": was, "after": is })
}

fn columns(member: &Member) -> Value {
    json!({
        "user_name": member.user_name,
        "external_id": member.external_id,
        "display_name": member.display_name,
        "work_email": member.work_email,
        "origin": member.origin,
    })
}
