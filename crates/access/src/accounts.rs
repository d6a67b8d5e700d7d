//! Accounts are added, changed, handed over and removed.

use latchkey_kernel::id::MemberId;
use serde_json::{Value, json};

use crate::account::Account;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::exposure::ExposureKind;
use crate::grant::Permission;
use crate::member::Member;
use crate::refusal::{NAME_MAX, Refusal, bounded};
use crate::{authority, exposures};

/// How many characters a URL or login name may have.
const FIELD_MAX: usize = 2_000;

/// The members that an account names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// The member of `owner_id`.
    pub owner: Option<&'a Member>,
    /// The member of `successor_id`.
    pub successor: Option<&'a Member>,
    /// Who brings the account in and so knows its password; matters only when it is added.
    pub creator: Option<&'a Member>,
}

/// Adds an account. Whom it names must be active, and stay so until the commit.
///
/// # Errors
/// When a named member is out or a guest, or a text is empty or too long.
pub fn create(account: Account, named: Named<'_>, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    check_texts(&account)?;
    let mut changes = ChangeSet::new(account.workspace_id);
    expect_heirs(&mut changes, None, &account, named)?;
    changes.push(Change::AccountInsert(account.clone()));
    changes.note((cause, ids), "account.added", ("account", &account.id), described(&account));
    if let Some(creator) = named.creator {
        expect_active(&mut changes, creator)?;
        exposures::push(&mut changes, &account, creator.id, ExposureKind::Creator, (cause, ids));
    }
    Ok(changes)
}

/// Writes an account anew. `named` is needed for whom `after` names otherwise than `before`; a
/// person's choice of an owner clears the flag.
///
/// # Errors
/// As [`create`].
pub fn update(
    before: &Account,
    after: Account,
    named: Named<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let chosen = after.owner_id != before.owner_id;
    let mut after = Account {
        workspace_id: before.workspace_id,
        id: before.id,
        owner_flag: if chosen { None } else { before.owner_flag },
        secret_generation: before.secret_generation,
        version: before.version,
        created_at: before.created_at,
        modified_at: before.modified_at,
        ..after
    };
    let mut changes = ChangeSet::new(before.workspace_id);
    if after == *before {
        return Ok(changes);
    }
    check_texts(&after)?;
    expect_heirs(&mut changes, Some(before), &after, named)?;
    after.version = before.version.next();
    after.modified_at = cause.now;
    let detail = json!({ "before": described(before), "after": described(&after) });
    changes.push(Change::AccountUpdate { account: after, expect: before.version });
    changes.note((cause, ids), "account.updated", ("account", &before.id), detail);
    Ok(changes)
}

/// Removes an account with its grants and exposures.
pub fn delete(account: &Account, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(account.workspace_id);
    changes.push(Change::AccountDelete { account_id: account.id, expect: account.version });
    changes.note((cause, ids), "account.removed", ("account", &account.id), described(account));
    changes
}

fn check_texts(account: &Account) -> Result<(), Refusal> {
    bounded("the account's name", &account.name, NAME_MAX)?;
    bounded("the app", &account.app, NAME_MAX)?;
    let fields = [("the URL", &account.url), ("the login name", &account.username)];
    let given = fields.into_iter().filter_map(|(what, text)| text.as_ref().map(|text| (what, text)));
    given.into_iter().try_for_each(|(what, text)| bounded(what, text, FIELD_MAX))
}

/// Expects that a newly named owner and successor are in; `Own` is what both will have.
fn expect_heirs(
    changes: &mut ChangeSet,
    before: Option<&Account>,
    after: &Account,
    named: Named<'_>,
) -> Result<(), Refusal> {
    if after.owner_id.is_some() && after.owner_id == after.successor_id {
        return Err(Refusal::SuccessorIsOwner);
    }
    let was = |id: fn(&Account) -> Option<MemberId>| before.and_then(id);
    for (id, before, member) in [
        (after.owner_id, was(|account| account.owner_id), named.owner),
        (after.successor_id, was(|account| account.successor_id), named.successor),
    ] {
        if let Some(id) = id.filter(|id| Some(*id) != before) {
            let member = member.filter(|member| member.id == id).ok_or(Refusal::MemberNotActive)?;
            authority::may_receive(member.role, Permission::Own)?;
            expect_active(changes, member)?;
        }
    }
    Ok(())
}

pub(crate) fn expect_active(changes: &mut ChangeSet, member: &Member) -> Result<(), Refusal> {
    if !member.standing().is_active() {
        return Err(Refusal::MemberNotActive);
    }
    changes.push(Change::MemberExpect { member_id: member.id, epoch: member.access_epoch });
    Ok(())
}

/// An account in an audit record.
fn described(account: &Account) -> Value {
    json!({
        "name": account.name,
        "app": account.app,
        "url": account.url,
        "username": account.username,
        "sensitivity": account.sensitivity,
        "offboarding_rotation": account.offboarding_rotation,
        "collection": account.collection_id,
        "owner": account.owner_id,
        "successor": account.successor_id,
    })
}
