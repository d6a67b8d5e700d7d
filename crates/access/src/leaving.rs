//! Offboarding: what is cut, who takes over, and which passwords have to change.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, MemberId};
use serde_json::{Value, json};

use crate::account::{Account, OwnerFlag, Sensitivity};
use crate::assessment::{Assessed, Reached};
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::member::{Epoch, Member, MemberState, Role, Standing};
use crate::members;
use crate::offboarding::{CaseItem, CaseState, ItemDecision, OffboardingCase, Trigger};
use crate::outbox::{EffectKind, EffectState, OutboxEvent};
use crate::refusal::Refusal;
use crate::safeguard::{self, Wave};
use crate::succession::{self, Heirs, InCharge, Owned, Succession};
use crate::workspace::{Safeguard, Workspace};

/// Everything that one leaving is decided on.
///
/// The engine loads `before` and `workspace` always, the rest only if `before` is active, and of
/// that `in_charge` only if they are an Owner, `owned` and `heirs` only if they own an account
/// ([`Reached::owns`]), and `wave` only if [`crate::assessment::plans_rotation`]. A member with no reach costs no
/// further reads. What is missing counts as nobody and nothing.
#[derive(Debug, Clone)]
pub struct Leaver<'a> {
    /// The row as it was read; its version is expected.
    pub before: &'a Member,
    /// The row with the attributes that the same request changes, and with `active` false in its
    /// `resource`; state, epoch, role and version are set here.
    pub after: &'a Member,
    /// What takes them out.
    pub trigger: Trigger,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The number of the member's direct grants, on whatever: expected to be the same at the commit.
    pub direct_grants: u64,
    /// What they could reach and know; the number of exposures is expected to be the same at the commit.
    pub reached: &'a Reached,
    /// What follows from it: [`crate::assessment::assess`] with `cause.now`.
    pub assessed: &'a [Assessed<'a>],
    /// All accounts that they own; the number is expected to be the same at the commit.
    pub owned: &'a [Owned],
    /// Which of the possible heirs are active.
    pub heirs: &'a Heirs,
    /// Who else is in charge.
    pub in_charge: Option<&'a InCharge>,
    /// How many are leaving.
    pub wave: Option<Wave>,
}

/// Takes a member out: access cut by condition, accounts handed over, the case and its
/// rotations written, all in one change set. Somebody who is out already is only deleted, if
/// that is asked for, and else only changed: there is no second case.
///
/// What teams and collections lead to is as it was read: a team's grant that lands in the moment
/// before the commit is cut like all others, but not in the case. What the member holds, owns or
/// knows themselves is exact at the commit.
///
/// An administrative role is not kept for a return: a leaver who comes back is a user.
///
/// # Errors
/// [`Refusal::LastOwner`] when a person would take out the last active Owner (A6); a directory's
/// word is always followed.
pub fn leave(leaver: &Leaver<'_>, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    let (before, workspace) = (leaver.before, leaver.workspace);
    match before.state {
        MemberState::Active => {}
        MemberState::Inactive if leaver.trigger == Trigger::DirectoryDeleted => {
            return Ok(bury(before, leaver.after, cause, ids));
        }
        MemberState::Inactive => {
            return Ok(members::update_attributes(before, leaver.after.clone(), cause, ids));
        }
        MemberState::Deleted => return Ok(ChangeSet::new(before.workspace_id)),
    }
    let nobody = InCharge::default();
    let succession = (before.role == Role::Owner)
        .then(|| succession::of_workspace(workspace, before.id, leaver.in_charge.unwrap_or(&nobody)));
    let by_person = leaver.trigger == Trigger::Admin;
    if by_person && !matches!(succession, None | Some(Succession::Covered)) {
        return Err(Refusal::LastOwner);
    }
    let inherited = inherit(leaver);
    let case_id = ids.case();
    let mut changes = ChangeSet::new(before.workspace_id);
    push_row(&mut changes, leaver, cause);
    changes.push(Change::LeaverExpect {
        member_id: before.id,
        direct_grants: leaver.direct_grants,
        owned_accounts: inherited.len() as u64,
        exposures: leaver.reached.exposures.len() as u64,
    });
    if let Some(succession) = &succession {
        succession::push_succession(&mut changes, workspace, succession, before.id, (cause, ids));
    } else if workspace.policy.successor == Some(before.id) {
        // A successor who left must not become one again by merely coming back.
        succession::push_workspace(&mut changes, workspace, workspace.state, None);
    }
    let held = leaver.wave.is_some_and(|wave| safeguard::trips(workspace.policy.safeguard, wave));
    if let (false, Some(wave)) = (held, leaver.wave) {
        let at_most = safeguard::passes(workspace.policy.safeguard, wave).saturating_sub(1);
        changes.push(Change::WaveExpect { since: cause.now.minus(Safeguard::WINDOW), at_most });
    }
    let case = case(leaver, case_id, held, &inherited, cause);
    changes.note((cause, ids), action(leaver.trigger), ("member", &before.id), report(leaver, &case));
    changes.push(Change::CaseInsert(case));
    push_hand_over(&mut changes, before.id, &inherited, (cause, ids));
    changes.push(Change::MemberCutOff { member_id: before.id, case_id, at: cause.now });
    for assessed in leaver.assessed {
        push_item(&mut changes, before, case_id, assessed, held, (cause, ids));
    }
    if held {
        push_held_notice(&mut changes, before, case_id, (cause, ids));
    }
    if leaver.trigger == Trigger::DirectoryDeleted {
        changes.push(Change::MembershipDeleteAll { member_id: before.id, at: cause.now });
    }
    Ok(changes)
}

/// Smaller is sooner.
pub(crate) const fn priority(account: &Account) -> i64 {
    match account.sensitivity {
        Sensitivity::Critical => 0,
        Sensitivity::Privileged => 10,
        Sensitivity::Standard => 20,
    }
}

/// What the performer of a rotation needs. Once the account's `secret_generation` is beyond
/// `generation`, the password that the member knew is gone and nothing is left to do.
pub(crate) fn rotation_payload(account: &Account, member_id: MemberId, rule: &str) -> Value {
    json!({
        "account_id": account.id,
        "generation": account.secret_generation,
        "member_id": member_id,
        "rule": rule,
    })
}

/// Who has left already goes for good: they have nothing left but their teams.
fn bury(before: &Member, after: &Member, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(before.workspace_id);
    let standing = Standing { state: MemberState::Deleted, ..before.standing() };
    let member = members::with_attributes(before, after, standing, cause);
    changes.push(Change::MemberUpdate { member, expect: before.version });
    changes.push(Change::MembershipDeleteAll { member_id: before.id, at: cause.now });
    let detail = json!({ "epoch": before.access_epoch, "left_at": before.left_at });
    changes.note((cause, ids), "member.deleted", ("member", &before.id), detail);
    changes
}

fn push_row(changes: &mut ChangeSet, leaver: &Leaver<'_>, cause: &Cause) {
    let before = leaver.before;
    let state = match leaver.trigger {
        Trigger::DirectoryDeleted => MemberState::Deleted,
        Trigger::DirectoryDisabled | Trigger::Admin => MemberState::Inactive,
    };
    let standing = Standing { state, epoch: before.access_epoch.next(), ..before.standing() };
    let row = members::with_attributes(before, leaver.after, standing, cause);
    let member = Member { role: before.role.min(Role::User), left_at: Some(cause.now), ..row };
    changes.push(Change::MemberUpdate { member, expect: before.version });
}

/// Each account that is handed over, with who takes it.
type Inherited<'a> = Vec<(&'a Owned, Option<(MemberId, Epoch)>)>;

fn inherit<'a>(leaver: &Leaver<'a>) -> Inherited<'a> {
    let owned = leaver.owned.iter().filter(|owned| owned.account.owner_id == Some(leaver.before.id));
    owned
        .map(|owned| (owned, succession::of_account(leaver.workspace, leaver.before.id, owned, leaver.heirs)))
        .collect()
}

fn push_hand_over(
    changes: &mut ChangeSet,
    from: MemberId,
    inherited: &Inherited<'_>,
    (cause, ids): (&Cause, Ids<'_>),
) {
    // An heir who leaves at the same time must not be left an owner.
    let heirs: BTreeSet<_> = inherited.iter().filter_map(|(_, heir)| *heir).collect();
    for (member_id, epoch) in heirs {
        changes.push(Change::MemberExpect { member_id, epoch });
    }
    for (owned, heir) in inherited {
        let (account, to) = (&owned.account, heir.map(|(id, _)| id));
        let flag = if to.is_some() { OwnerFlag::Inherited } else { OwnerFlag::Orphaned };
        changes.push(Change::AccountHandOver {
            account_id: account.id,
            from,
            to,
            flag: Some(flag),
            at: cause.now,
        });
        let detail = json!({ "before": { "owner": from }, "after": { "owner": to, "flag": flag },
            "rule": "owner_left" });
        changes.note((cause, ids), "account.handed_over", ("account", &account.id), detail);
    }
}

fn case(
    leaver: &Leaver<'_>,
    id: CaseId,
    held: bool,
    inherited: &Inherited<'_>,
    cause: &Cause,
) -> OffboardingCase {
    let rotate = || leaver.assessed.iter().filter(|one| one.decision == ItemDecision::Rotate);
    let waiting = rotate().filter(|one| waits(one.account, held)).count();
    let state = match (rotate().count(), waiting) {
        (0, _) => CaseState::Complete,
        (_, 0) => CaseState::Open,
        _ => CaseState::Held,
    };
    let handed: BTreeMap<AccountId, Option<MemberId>> =
        inherited.iter().map(|(owned, heir)| (owned.account.id, heir.map(|(id, _)| id))).collect();
    let summary = json!({
        "role": leaver.before.role,
        "direct_grants": leaver.direct_grants,
        "accounts": leaver.assessed.len(),
        "rotations": rotate().count(),
        "held": waiting,
        "kept": leaver.assessed.len() - rotate().count(),
        "handed_over": handed,
        "wave": leaver.wave.map(|wave| json!({ "leavers": wave.leavers, "active": wave.active })),
    });
    OffboardingCase {
        id,
        workspace_id: leaver.before.workspace_id,
        member_id: leaver.before.id,
        epoch: leaver.before.access_epoch,
        trigger: leaver.trigger,
        request_id: cause.request_id,
        state,
        cut_at: cause.now,
        summary,
    }
}

/// A critical account's password is changed even in a wave.
fn waits(account: &Account, held: bool) -> bool {
    held && account.sensitivity != Sensitivity::Critical
}

fn action(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::DirectoryDisabled => "member.disabled",
        Trigger::DirectoryDeleted => "member.deleted",
        Trigger::Admin => "member.deactivated",
    }
}

fn report(leaver: &Leaver<'_>, case: &OffboardingCase) -> Value {
    let mut detail = match leaver.trigger {
        Trigger::DirectoryDeleted => json!({}),
        Trigger::DirectoryDisabled | Trigger::Admin => members::difference(leaver.before, leaver.after),
    };
    detail["case"] = json!(case.id);
    detail["trigger"] = json!(case.trigger);
    detail["epoch_ended"] = json!(case.epoch);
    detail["summary"] = case.summary.clone();
    detail
}

fn push_item(
    changes: &mut ChangeSet,
    member: &Member,
    case_id: CaseId,
    assessed: &Assessed<'_>,
    held: bool,
    (cause, ids): (&Cause, Ids<'_>),
) {
    let account = assessed.account;
    changes.push(Change::CaseItemInsert(CaseItem {
        case_id,
        account_id: account.id,
        account_name: account.name.clone(),
        decision: assessed.decision,
        rule: assessed.rule,
        evidence: assessed.evidence(),
    }));
    if assessed.decision != ItemDecision::Rotate {
        return;
    }
    let mut payload = rotation_payload(account, member.id, assessed.rule);
    payload["case_id"] = json!(case_id);
    let state = if waits(account, held) { EffectState::Held } else { EffectState::Ready };
    changes.push(Change::OutboxInsert(OutboxEvent {
        id: ids.outbox(),
        workspace_id: member.workspace_id,
        kind: EffectKind::Rotation,
        // One for each leaving and account: another leaver who knows the same password is
        // another cause, and must not be lost when this one is called off.
        key: format!("offboarding:{}:{}:{}", member.id, member.access_epoch.0, account.id),
        case_id: Some(case_id),
        priority: priority(account),
        payload,
        state,
        due_at: cause.now,
        created_at: cause.now,
    }));
    let detail = json!({ "case": case_id, "member": member.id, "rule": assessed.rule,
        "generation": account.secret_generation, "state": state });
    changes.note((cause, ids), "rotation.planned", ("account", &account.id), detail);
}

/// One notice an hour, however large the wave: the key is taken by the first.
fn push_held_notice(
    changes: &mut ChangeSet,
    member: &Member,
    case_id: CaseId,
    (cause, ids): (&Cause, Ids<'_>),
) {
    let hour = cause.now.since(Timestamp::from_micros(0)).as_secs() / Safeguard::WINDOW.as_secs();
    let key = format!("safeguard:{}:{hour}", member.workspace_id);
    let payload = json!({ "notice": "rotations_held", "first_member": member.id, "first_case": case_id });
    changes.push(Change::OutboxInsert(OutboxEvent::notice(member.workspace_id, key, payload, (cause, ids))));
}
