//! Effective access and its why: everything here reads the one definition in the rules.

use std::collections::{BTreeMap, HashMap, HashSet};

use latchkey_access::authority::Action;
use latchkey_access::effective::{self, Explanation, Reach, ReachBy};
use latchkey_access::{Account, Member};
use latchkey_kernel::id::{AccountId, CollectionId, MemberId};
use latchkey_store::{MemberBrief, WhoReach};

use crate::{Caller, Engine, Error, accounts, members};

/// What one member may do with one account, and why.
#[derive(Debug, Clone)]
pub struct Access {
    /// The member.
    pub member: Member,
    /// The account.
    pub account: Account,
    /// Every way there, with what it allows or why it doesn't count.
    pub explanation: Explanation,
}

/// What one member may do with the account that was asked about, and why.
#[derive(Debug, Clone)]
pub struct WhoMay {
    /// The member in short.
    pub member: MemberBrief,
    /// Every way there, with what it allows or why it doesn't count.
    pub explanation: Explanation,
}

/// Every account that anything leads a member to, what they may do with it, and why.
///
/// # Errors
/// When there is no such member, or the caller is neither them nor may see accounts.
pub async fn of_member(engine: &Engine, by: &Caller, id: MemberId) -> Result<Vec<Access>, Error> {
    by.may_read_about(id, Action::ReadAccounts)?;
    let member = members::find(engine, by, id).await?;
    let store = engine.store();
    let reaches = store.reaches_of_member(by.workspace_id(), id).await?;
    let explained = effective::explain(&member.standing(), &reaches, engine.now());
    let ids: Vec<AccountId> = explained.iter().map(|one| one.account_id).collect();
    let accounts =
        if ids.is_empty() { Vec::new() } else { store.account_list_by_ids(by.workspace_id(), &ids).await? };
    let access = explained.into_iter().filter_map(|explanation| {
        let account = accounts.iter().find(|account| account.id == explanation.account_id)?.clone();
        Some(Access { member: member.clone(), account, explanation })
    });
    Ok(access.collect())
}

/// Every member whom anything leads to an account, what they may do with it, and why; a page in
/// order of members' ids.
///
/// # Errors
/// When there is no such account, or the caller may not.
pub async fn of_account(
    engine: &Engine,
    by: &Caller,
    id: AccountId,
    after: Option<MemberId>,
    limit: usize,
) -> Result<Vec<WhoMay>, Error> {
    by.may(Action::ReadAccounts)?;
    accounts::find(engine, by, id).await?;
    let found = engine.store().reaches_of_account(by.workspace_id(), id, after, limit).await?;
    let mut who: BTreeMap<MemberId, (MemberBrief, Vec<Reach>)> = BTreeMap::new();
    for WhoReach { member, reach } in found {
        who.entry(member.standing.member_id).or_insert_with(|| (member, Vec::new())).1.push(reach);
    }
    let now = engine.now();
    let judged = who.into_values().flat_map(|(member, reaches)| {
        let explained = effective::explain(&member.standing, &reaches, now);
        explained.into_iter().map(move |explanation| WhoMay { member: member.clone(), explanation })
    });
    Ok(judged.collect())
}

/// Allow or deny, and why, for one member and one account.
///
/// # Errors
/// When there is no such member or account, or the caller may not.
pub async fn explain(
    engine: &Engine,
    by: &Caller,
    member: MemberId,
    account: AccountId,
) -> Result<Access, Error> {
    by.may_read_about(member, Action::ReadAccounts)?;
    let member = members::find(engine, by, member).await?;
    let account = accounts::find(engine, by, account).await?;
    let mut reaches = engine.store().reaches_of_member(by.workspace_id(), member.id).await?;
    reaches.retain(|reach| reach.account_id == account.id);
    let explained = effective::explain(&member.standing(), &reaches, engine.now()).pop();
    // Nothing leads there: that too is an answer.
    let explanation = explained.unwrap_or_else(|| Explanation {
        account_id: account.id,
        permission: None,
        ways: Vec::new(),
    });
    Ok(Access { member, account, explanation })
}

/// The names of the collections that ways go through; nothing is read when none does.
///
/// # Errors
/// When the caller may see nothing at all, or the database fails.
pub async fn collection_names(
    engine: &Engine,
    by: &Caller,
    explained: impl IntoIterator<Item = &Explanation>,
) -> Result<HashMap<CollectionId, String>, Error> {
    by.may(Action::ReadSelf)?;
    let through: HashSet<CollectionId> = explained
        .into_iter()
        .flat_map(|explanation| &explanation.ways)
        .filter_map(|(reach, _)| match &reach.by {
            ReachBy::Grant { collections, .. } => Some(collections),
            ReachBy::Owner => None,
        })
        .flatten()
        .copied()
        .collect();
    if through.is_empty() {
        return Ok(HashMap::new());
    }
    let all = crate::collections::all(engine, by).await?;
    Ok(all.into_iter().filter(|one| through.contains(&one.id)).map(|one| (one.id, one.name)).collect())
}
