//! Who knows a password now, and what somebody ever saw.

use std::collections::{BTreeMap, HashMap};

use latchkey_access::authority::Action;
use latchkey_access::effective::ReachBy;
use latchkey_access::exposure::{ExposureEvent, ExposureKind};
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_access::{Account, Permission, knowledge};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, ExposureId, MemberId};
use latchkey_store::{MemberBrief, SeenRow, WhoReach};

use crate::{Caller, Engine, Error, accounts};

/// Members whose ways are read at once.
const PAGE: usize = 500;

/// Somebody who knows the password that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knower {
    /// Who.
    pub member: MemberBrief,
    /// How they came to know it.
    pub kind: ExposureKind,
    /// Since when.
    pub at: Timestamp,
}

/// Somebody who could know it: they may use the account, or might have since it is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Possible {
    /// Who.
    pub member: MemberBrief,
    /// What they may do.
    pub permission: Permission,
    /// Until when they might; `None` is now.
    pub ended_at: Option<Timestamp>,
}

/// Who knows an account's password now, and who could.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// The account.
    pub account: Account,
    /// Since when the password is in use; `None` when the vault holds none.
    pub since: Option<Timestamp>,
    /// Who is on record as having seen it.
    pub known: Vec<Knower>,
    /// Who else could have.
    pub possible: Vec<Possible>,
}

/// Who knows an account's password now: on record, and possibly.
///
/// # Errors
/// When there is no such account, or the caller may not see accounts.
pub async fn who_knows_now(engine: &Engine, by: &Caller, id: AccountId) -> Result<Knowledge, Error> {
    by.may(Action::ReadAccounts)?;
    let account = accounts::find(engine, by, id).await?;
    let since = in_use_since(engine, &account).await?;
    let mut exposures = engine.store().exposures_of_account(by.workspace_id(), id).await?;
    exposures.retain(|exposure| exposure.generation == account.secret_generation);
    let ids: Vec<MemberId> = exposures.iter().map(|exposure| exposure.member_id).collect();
    let briefs: HashMap<MemberId, MemberBrief> = engine
        .store()
        .member_briefs(by.workspace_id(), &ids)
        .await?
        .into_iter()
        .map(|one| (one.standing.member_id, one))
        .collect();
    let known: Vec<Knower> = exposures
        .iter()
        .filter_map(|one| {
            let member = briefs.get(&one.member_id)?.clone();
            Some(Knower { member, kind: one.kind, at: one.at })
        })
        .collect();
    let mut possible = who_could(engine, by, &account, since).await?;
    possible.retain(|one| !briefs.contains_key(&one.member.standing.member_id));
    Ok(Knowledge { account, since, known, possible })
}

/// A value that was staged before it was proven could leave no sooner than it was staged.
async fn in_use_since(engine: &Engine, account: &Account) -> Result<Option<Timestamp>, Error> {
    let (workspace, store) = (account.workspace_id, engine.store());
    let secrets = store.secrets_of_account(workspace, account.id).await?;
    let Some(password) = secrets.into_iter().find(|secret| secret.kind == SecretKind::Password) else {
        return Ok(None);
    };
    let versions = store.secret_versions(workspace, password.id).await?;
    let current = versions.into_iter().find(|version| version.state == VersionState::Current);
    Ok(current.map(|version| version.created_at))
}

async fn who_could(
    engine: &Engine,
    by: &Caller,
    account: &Account,
    since: Option<Timestamp>,
) -> Result<Vec<Possible>, Error> {
    let now = engine.now();
    let since = since.unwrap_or(account.created_at);
    let mut ways: BTreeMap<MemberId, (MemberBrief, Vec<_>)> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = engine.store().reaches_of_account(by.workspace_id(), account.id, after, PAGE).await?;
        // The owner leads the first page, wherever their id stands.
        let granted = page.iter().filter(|one| one.reach.by != ReachBy::Owner);
        let last = granted.map(|one| one.member.standing.member_id).max();
        for WhoReach { member, reach } in page {
            let could = knowledge::could_have(&member.standing, &reach, since, now);
            let entry = ways.entry(member.standing.member_id).or_insert_with(|| (member, Vec::new()));
            entry.1.extend(could);
        }
        if last.is_none() {
            break;
        }
        after = last;
    }
    let most = ways.into_values().filter_map(|(member, ways)| {
        let (permission, ended_at) = knowledge::most(ways)?;
        Some(Possible { member, permission, ended_at })
    });
    Ok(most.collect())
}

/// What a member, who may be deleted, ever saw, newest first, with whether it still opens something.
///
/// # Errors
/// When there is no such member, or the caller is neither them nor may see accounts.
pub async fn seen_by(
    engine: &Engine,
    by: &Caller,
    member: MemberId,
    before: Option<ExposureId>,
    limit: usize,
) -> Result<Vec<SeenRow>, Error> {
    by.may_read_about(member, Action::ReadAccounts)?;
    let there = engine.store().member_standing(by.workspace_id(), member).await?;
    there.ok_or(Error::NotFound { what: "member" })?;
    Ok(engine.store().seen_by_member(by.workspace_id(), member, before, limit).await?)
}

/// Everything that was seen of an account, newest first.
///
/// # Errors
/// When there is no such account, or the caller may not see accounts.
pub async fn ledger(
    engine: &Engine,
    by: &Caller,
    account: AccountId,
    before: Option<ExposureId>,
    limit: usize,
) -> Result<Vec<ExposureEvent>, Error> {
    by.may(Action::ReadAccounts)?;
    accounts::find(engine, by, account).await?;
    Ok(engine.store().exposure_events_of_account(by.workspace_id(), account, before, limit).await?)
}
