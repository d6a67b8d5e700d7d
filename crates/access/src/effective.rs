//! Effective access: the one definition that every path, job and report uses.

use std::collections::BTreeMap;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, TeamId};

use crate::grant::{Grant, GrantSubject, Permission};
use crate::member::{Epoch, MemberState, Standing};

/// A way in which a member might reach an account; whether it counts is for [`judge`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The account at its end.
    pub account_id: AccountId,
    /// How.
    pub by: ReachBy,
}

/// How a member might reach an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReachBy {
    /// They are its accountable owner.
    Owner,
    /// A grant.
    Grant {
        /// The grant.
        grant: Box<Grant>,
        /// The membership that it goes through, when it was given to a team.
        team: Option<ThroughTeam>,
        /// The collections from the granted one down to the account's own; empty for a grant on the account.
        collections: Vec<CollectionId>,
    },
}

/// The membership that a team's grant goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThroughTeam {
    /// The team.
    pub team_id: TeamId,
    /// Its name, for explanations.
    pub team_name: String,
    /// The epoch in which access through it was last confirmed.
    pub confirmed: Option<Epoch>,
}

/// Why a reach doesn't count. The order is that of the checks: the first that applies is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denial {
    /// The member is out (A1).
    MemberNotActive,
    /// It was granted before the member last left (A3).
    GrantedInEarlierEpoch,
    /// The team membership was not confirmed since the member came back (A3).
    MembershipNotConfirmed,
    /// The grant starts later.
    NotStarted,
    /// The grant has ended.
    Ended,
}

impl Denial {
    /// The word for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MemberNotActive => "member_not_active",
            Self::GrantedInEarlierEpoch => "granted_in_earlier_epoch",
            Self::MembershipNotConfirmed => "membership_not_confirmed",
            Self::NotStarted => "not_started",
            Self::Ended => "ended",
        }
    }
}

/// What this reach allows at `now`, or why it doesn't count.
///
/// # Errors
/// The first [`Denial`] that applies.
pub fn judge(member: &Standing, reach: &Reach, now: Timestamp) -> Result<Permission, Denial> {
    if member.state != MemberState::Active {
        return Err(Denial::MemberNotActive);
    }
    let ReachBy::Grant { grant, team, .. } = &reach.by else {
        return Ok(Permission::Own);
    };
    match (grant.subject, team) {
        (GrantSubject::Member(_, epoch), _) if epoch != member.epoch => {
            return Err(Denial::GrantedInEarlierEpoch);
        }
        (GrantSubject::Team(_), Some(through)) if through.confirmed != Some(member.epoch) => {
            return Err(Denial::MembershipNotConfirmed);
        }
        (GrantSubject::Team(_), None) => return Err(Denial::MembershipNotConfirmed),
        _ => {}
    }
    if grant.starts_at.is_some_and(|starts| now < starts) {
        return Err(Denial::NotStarted);
    }
    if grant.ends_at.is_some_and(|ends| now >= ends) {
        return Err(Denial::Ended);
    }
    Ok(grant.permission)
}

/// What a member may do with one account, and how every way to it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The account.
    pub account_id: AccountId,
    /// The highest permission of the ways that count; `None` is a deny.
    pub permission: Option<Permission>,
    /// Every way, with what it allows or why it doesn't count. Empty: nothing leads there.
    pub ways: Vec<(Reach, Result<Permission, Denial>)>,
}

/// Judges every way to every account, in order of accounts. With nothing that leads to an account
/// it isn't in the answer.
pub fn explain(member: &Standing, reaches: &[Reach], now: Timestamp) -> Vec<Explanation> {
    let mut by_account: BTreeMap<AccountId, Explanation> = BTreeMap::new();
    for reach in reaches {
        let account_id = reach.account_id;
        let blank = || Explanation { account_id, permission: None, ways: Vec::new() };
        let explanation = by_account.entry(account_id).or_insert_with(blank);
        let judged = judge(member, reach, now);
        explanation.permission = explanation.permission.max(judged.ok());
        explanation.ways.push((reach.clone(), judged));
    }
    by_account.into_values().collect()
}

/// Each account that the member may use, with the highest permission of the ways that count.
pub fn effective_accounts(
    member: &Standing,
    reaches: &[Reach],
    now: Timestamp,
) -> BTreeMap<AccountId, Permission> {
    let mut highest = BTreeMap::new();
    for reach in reaches {
        if let Ok(permission) = judge(member, reach, now) {
            let held = highest.entry(reach.account_id).or_insert(permission);
            *held = permission.max(*held);
        }
    }
    highest
}
