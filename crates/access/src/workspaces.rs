//! Workspaces are made, get their policy, and are recovered on the host.

use serde_json::json;

use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::grant::Permission;
use crate::member::{Member, MemberState, Role};
use crate::refusal::{NAME_MAX, Refusal, bounded};
use crate::workspace::{Policy, Workspace, WorkspaceState};
use crate::{authority, members, succession};

/// Makes a workspace with its first Owner, whose role and state are set here.
///
/// # Errors
/// When the name is empty or too long.
pub fn create(
    workspace: Workspace,
    owner: Member,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    bounded("the workspace's name", &workspace.name, NAME_MAX)?;
    let workspace = Workspace { state: WorkspaceState::Active, ..workspace };
    let mut changes = ChangeSet::new(workspace.id);
    let detail = json!({ "name": workspace.name, "policy": workspace.policy });
    changes.note((cause, ids), "workspace.created", ("workspace", &workspace.id), detail);
    changes.push(Change::WorkspaceInsert(workspace));
    let owner = Member { role: Role::Owner, state: MemberState::Active, left_at: None, ..owner };
    let owner = members::admit(owner, None, cause, ids);
    changes.changes.extend(owner.changes);
    changes.audit.extend(owner.audit);
    Ok(changes)
}

/// Sets the policy. `successor` is the member of `policy.successor`, needed when it is set anew.
///
/// # Errors
/// When the successor is out or a guest, or a number makes no sense.
pub fn set_policy(
    before: &Workspace,
    policy: Policy,
    successor: Option<&Member>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let mut changes = ChangeSet::new(before.id);
    if policy == before.policy {
        return Ok(changes);
    }
    if policy.safeguard.percent > 100 {
        return Err(Refusal::BadSafeguard);
    }
    if let Some(id) = policy.successor.filter(|id| Some(*id) != before.policy.successor) {
        let heir = successor.filter(|member| member.id == id && member.standing().is_active());
        let heir = heir.ok_or(Refusal::MemberNotActive)?;
        authority::may_receive(heir.role, Permission::Own)?;
        // Their version moves, so that a leaving which was decided without knowing that they are
        // the successor is decided anew and takes the successorship with it.
        let member = Member { version: heir.version.next(), ..heir.clone() };
        changes.push(Change::MemberUpdate { member, expect: heir.version });
    }
    let detail = json!({ "before": before.policy, "after": policy });
    let workspace = Workspace { policy, version: before.version.next(), ..before.clone() };
    changes.push(Change::WorkspaceUpdate { workspace, expect: before.version });
    changes.note((cause, ids), "workspace.policy_set", ("workspace", &before.id), detail);
    Ok(changes)
}

/// Puts somebody in charge of an ownerless workspace (A6). `before` is the member's row if they
/// have one, active or not; `after` the row to be, whose role and state are set here. Somebody
/// who had left comes back as with any return: in charge, but with no access to accounts.
///
/// # Errors
/// [`Refusal::NotOwnerless`].
pub fn recover(
    workspace: &Workspace,
    before: Option<&Member>,
    after: Member,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    if workspace.state != WorkspaceState::Ownerless {
        return Err(Refusal::NotOwnerless);
    }
    let in_charge =
        |row: Member| Member { role: Role::Owner, state: MemberState::Active, left_at: None, ..row };
    let Some(before) = before else {
        let mut changes = members::admit(in_charge(after), None, cause, ids);
        succession::push_in_charge(&mut changes, workspace, workspace.policy.successor, (cause, ids));
        return Ok(changes);
    };
    let after = in_charge(members::with_attributes(before, &after, before.standing(), cause));
    let mut changes = ChangeSet::new(workspace.id);
    let mut detail = members::difference(before, &after);
    detail["before"]["role"] = json!(before.role);
    detail["before"]["state"] = json!(before.state);
    detail["after"]["role"] = json!(after.role);
    detail["after"]["state"] = json!(after.state);
    changes.push(Change::MemberUpdate { member: after, expect: before.version });
    changes.note((cause, ids), "member.recovered", ("member", &before.id), detail);
    succession::push_in_charge(&mut changes, workspace, workspace.policy.successor, (cause, ids));
    Ok(changes)
}
