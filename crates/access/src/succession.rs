//! Who follows an owner that leaves: of an account (A4), and of the workspace (A6).

use std::collections::BTreeMap;

use latchkey_kernel::id::MemberId;
use serde_json::json;

use crate::account::Account;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::member::{Epoch, Member, MemberState, Role};
use crate::outbox::OutboxEvent;
use crate::workspace::{Policy, Workspace, WorkspaceState};

/// What the succession of a workspace Owner is decided on. To be loaded only when an active
/// Owner leaves or is demoted.
#[derive(Debug, Clone, Default)]
pub struct InCharge {
    /// How many other Owners are active.
    pub other_owners: u64,
    /// The member whom the policy names as successor, if there is one.
    pub successor: Option<Member>,
    /// The active Super Admins; at least the one whose row is oldest.
    pub super_admins: Vec<Member>,
}

/// What follows for the workspace when an Owner is no longer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Succession {
    /// Others are in charge.
    Covered,
    /// This member becomes Owner.
    Promote(Box<Member>),
    /// Nobody can follow.
    Ownerless,
}

/// Who is in charge after `leaver`.
pub fn of_workspace(workspace: &Workspace, leaver: MemberId, in_charge: &InCharge) -> Succession {
    if in_charge.other_owners > 0 {
        return Succession::Covered;
    }
    let fits = |member: &&Member| {
        member.id != leaver && member.state == MemberState::Active && member.role != Role::Guest
    };
    let designated =
        in_charge.successor.as_ref().filter(fits).filter(|m| Some(m.id) == workspace.policy.successor);
    let heir = designated.or_else(|| {
        let serving = in_charge.super_admins.iter().filter(fits).filter(|m| m.role == Role::SuperAdmin);
        serving.min_by_key(|member| (member.created_at, member.id))
    });
    heir.map_or(Succession::Ownerless, |member| Succession::Promote(Box::new(member.clone())))
}

/// An account that a leaver owns, with who could take it.
#[derive(Debug, Clone)]
pub struct Owned {
    /// The account.
    pub account: Account,
    /// Other members who may do everything with it by a grant that counts now.
    pub co_owners: Vec<MemberId>,
}

/// The epochs of those heirs (successors named by accounts or by the policy, co-owners) that are
/// active and no guests. Who is not in it inherits nothing.
pub type Heirs = BTreeMap<MemberId, Epoch>;

/// Who takes an account after `leaver`: its successor, else a co-owner, else the workspace's
/// successor; `None` stands for the workspace Owners.
pub fn of_account(
    workspace: &Workspace,
    leaver: MemberId,
    owned: &Owned,
    heirs: &Heirs,
) -> Option<(MemberId, Epoch)> {
    let candidates = owned
        .account
        .successor_id
        .into_iter()
        .chain(owned.co_owners.iter().copied())
        .chain(workspace.policy.successor);
    candidates.filter(|id| *id != leaver).find_map(|id| heirs.get(&id).map(|epoch| (id, *epoch)))
}

/// Writes that the set of active Owners changes and somebody is in charge; that the version is
/// expected is what keeps two last Owners from leaving past each other.
pub(crate) fn push_in_charge(
    changes: &mut ChangeSet,
    workspace: &Workspace,
    successor: Option<MemberId>,
    (cause, ids): (&Cause, Ids<'_>),
) {
    if workspace.state == WorkspaceState::Ownerless {
        let detail = json!({ "state": WorkspaceState::Active });
        changes.note((cause, ids), "workspace.owned_again", ("workspace", &workspace.id), detail);
    }
    push_workspace(changes, workspace, WorkspaceState::Active, successor);
}

/// Writes what follows from a succession: the heir's role, the workspace, and who is to be told.
pub(crate) fn push_succession(
    changes: &mut ChangeSet,
    workspace: &Workspace,
    succession: &Succession,
    leaver: MemberId,
    (cause, ids): (&Cause, Ids<'_>),
) {
    let successor = workspace.policy.successor.filter(|id| *id != leaver);
    let told = |changes: &mut ChangeSet, key: &str, payload| {
        let key = format!("{key}:{}:{}", workspace.id, workspace.version.0);
        changes.push(Change::OutboxInsert(OutboxEvent::notice(workspace.id, key, payload, (cause, ids))));
    };
    match succession {
        Succession::Covered => push_in_charge(changes, workspace, successor, (cause, ids)),
        Succession::Promote(heir) => {
            let promoted = Member { role: Role::Owner, version: heir.version.next(), ..(**heir).clone() };
            changes.push(Change::MemberUpdate { member: promoted, expect: heir.version });
            push_in_charge(changes, workspace, successor, (cause, ids));
            let detail = json!({ "before": { "role": heir.role }, "after": { "role": Role::Owner },
                "rule": "last_owner_left", "follows": leaver });
            changes.note((cause, ids), "member.role_changed", ("member", &heir.id), detail);
            told(changes, "promoted", json!({ "notice": "promoted", "member": heir.id, "follows": leaver }));
        }
        Succession::Ownerless => {
            push_workspace(changes, workspace, WorkspaceState::Ownerless, successor);
            let detail = json!({ "rule": "last_owner_left", "leaver": leaver });
            changes.note((cause, ids), "workspace.ownerless", ("workspace", &workspace.id), detail);
            let payload = json!({ "notice": "ownerless", "leaver": leaver,
                "to_do": "run `latchkey admin workspace recover` on the host" });
            told(changes, "ownerless", payload);
        }
    }
}

pub(crate) fn push_workspace(
    changes: &mut ChangeSet,
    before: &Workspace,
    state: WorkspaceState,
    successor: Option<MemberId>,
) {
    let policy = Policy { successor, ..before.policy.clone() };
    let workspace = Workspace { state, policy, version: before.version.next(), ..before.clone() };
    changes.push(Change::WorkspaceUpdate { workspace, expect: before.version });
}
