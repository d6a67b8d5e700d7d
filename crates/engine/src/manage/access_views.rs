//! Who can use what, and why: every way that leads to an account, judged by the one definition.

use std::collections::BTreeMap;

use latchkey_access::effective::{Denial, Explanation, Reach, explain, judge};
use latchkey_access::{Account, Member, Permission};
use latchkey_kernel::id::{AccountId, MemberId};

use super::Session;
use crate::Error;

/// What a member may do with one account.
#[derive(Debug, Clone)]
pub struct MemberAccess {
    /// The account.
    pub account: Account,
    /// The verdict, with every way to it.
    pub explanation: Explanation,
}

/// What one member may do with an account.
#[derive(Debug, Clone)]
pub struct AccountAccess {
    /// The member.
    pub member: Member,
    /// The highest permission of the ways that count; `None` is a deny.
    pub permission: Option<Permission>,
    /// Every way, judged.
    pub ways: Vec<(Reach, Result<Permission, Denial>)>,
}

impl Session<'_> {
    /// Every account that something leads a member to, with the verdict and its reasons.
    ///
    /// # Errors
    /// When there is no such member.
    pub async fn access_of_member(&self, id: MemberId) -> Result<Vec<MemberAccess>, Error> {
        let store = self.engine.store();
        let (member, reaches) = tokio::try_join!(self.member(id), async {
            Ok(store.reaches_of_member(self.workspace_id, id).await?)
        })?;
        let explained = explain(&member.standing(), &reaches, self.engine.now());
        let ids: Vec<AccountId> = explained.iter().map(|one| one.account_id).collect();
        let accounts = store.accounts_by_ids(self.workspace_id, &ids).await?;
        let mut by_id: BTreeMap<AccountId, Account> = accounts.into_iter().map(|a| (a.id, a)).collect();
        Ok(explained
            .into_iter()
            .filter_map(|explanation| {
                // An account that went between the two reads is no answer any more.
                let account = by_id.remove(&explanation.account_id)?;
                Some(MemberAccess { account, explanation })
            })
            .collect())
    }

    /// Every member whom something leads to an account, with the verdict and its reasons.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn access_of_account(&self, id: AccountId) -> Result<(Account, Vec<AccountAccess>), Error> {
        let account = self.account_get(id).await?;
        let reaches = self.engine.store().reaches_of_account(self.workspace_id, id).await?;
        let now = self.engine.now();
        let mut by_member: BTreeMap<MemberId, AccountAccess> = BTreeMap::new();
        for (member, reach) in reaches {
            let verdict = judge(&member.standing(), &reach, now);
            let entry = by_member.entry(member.id).or_insert_with(|| AccountAccess {
                member,
                permission: None,
                ways: Vec::new(),
            });
            entry.permission = entry.permission.max(verdict.ok());
            entry.ways.push((reach, verdict));
        }
        Ok((account, by_member.into_values().collect()))
    }

    /// Whether a member may use an account, and why or why not.
    ///
    /// # Errors
    /// When either is not there.
    pub async fn explain(&self, member: MemberId, account: AccountId) -> Result<MemberAccess, Error> {
        let account = self.account_get(account).await?;
        let all = self.access_of_member(member).await?;
        let found = all.into_iter().find(|one| one.account.id == account.id);
        Ok(found.unwrap_or_else(|| MemberAccess {
            explanation: Explanation { account_id: account.id, permission: None, ways: Vec::new() },
            account,
        }))
    }
}
