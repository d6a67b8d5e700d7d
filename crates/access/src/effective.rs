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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// The sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::MemberNotActive => "the member is not active",
            Self::GrantedInEarlierEpoch => "it was given before the member last left",
            Self::MembershipNotConfirmed => "the team's access waits for a review since the member came back",
            Self::NotStarted => "the grant starts later",
            Self::Ended => "the grant has ended",
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

#[cfg(test)]
mod tests {
    use latchkey_kernel::SeededEntropy;
    use latchkey_kernel::id::{GrantId, MemberId, WorkspaceId};

    use super::*;
    use crate::grant::GrantObject;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn standing(state: MemberState) -> Standing {
        let member_id = MemberId::fresh(NOW, &SeededEntropy::new(1));
        Standing { member_id, state, epoch: Epoch(2), reviewed: Epoch(2) }
    }

    fn reach(confirmed: Option<Option<Epoch>>, granted_in: Epoch, window: [i64; 2]) -> Reach {
        let entropy = SeededEntropy::new(2);
        let account_id = AccountId::fresh(NOW, &entropy);
        let team_id = TeamId::fresh(NOW, &entropy);
        let subject = match confirmed {
            Some(_) => GrantSubject::Team(team_id),
            None => GrantSubject::Member(standing(MemberState::Active).member_id, granted_in),
        };
        let grant = Grant {
            workspace_id: WorkspaceId::fresh(NOW, &entropy),
            id: GrantId::fresh(NOW, &entropy),
            subject,
            object: GrantObject::Account(account_id),
            permission: Permission::View,
            starts_at: Some(Timestamp::from_micros(window[0])),
            ends_at: Some(Timestamp::from_micros(window[1])),
            reason: None,
            granted_by: "system".to_owned(),
            granted_at: NOW,
        };
        let team =
            confirmed.map(|confirmed| ThroughTeam { team_id, team_name: "Team".to_owned(), confirmed });
        let by = ReachBy::Grant { grant: Box::new(grant), team, collections: Vec::new() };
        Reach { account_id, by }
    }

    #[test]
    fn each_check_denies_alone_and_the_first_is_told() {
        use MemberState::{Active, Deleted, Inactive};
        let (now, later) = (1_000_000, 2_000_000);
        let table = [
            (Active, None, 2, [0, later], Ok(Permission::View)),
            (Active, Some(Some(Epoch(2))), 2, [0, later], Ok(Permission::View)),
            (Inactive, None, 2, [0, later], Err(Denial::MemberNotActive)),
            (Deleted, Some(Some(Epoch(2))), 2, [0, later], Err(Denial::MemberNotActive)),
            (Active, None, 1, [0, later], Err(Denial::GrantedInEarlierEpoch)),
            (Active, Some(Some(Epoch(1))), 2, [0, later], Err(Denial::MembershipNotConfirmed)),
            (Active, Some(None), 2, [0, later], Err(Denial::MembershipNotConfirmed)),
            (Active, None, 2, [now, now + 1], Ok(Permission::View)),
            (Active, None, 2, [now + 1, later], Err(Denial::NotStarted)),
            (Active, None, 2, [0, now], Err(Denial::Ended)),
            (Inactive, None, 1, [0, 0], Err(Denial::MemberNotActive)),
        ];
        for (state, confirmed, granted_in, window, expected) in table {
            let reach = reach(confirmed, Epoch(granted_in), window);
            let standing = standing(state);
            assert_eq!(judge(&standing, &reach, NOW), expected, "{reach:?}");
            let told = explain(&standing, std::slice::from_ref(&reach), NOW);
            assert_eq!((told[0].permission, &told[0].ways[0].1), (expected.ok(), &expected));
            assert_eq!(effective_accounts(&standing, &[reach], NOW).len(), usize::from(expected.is_ok()));
        }
    }

    #[test]
    fn an_owner_in_the_workspace_may_do_everything_and_one_who_is_out_nothing() {
        let account_id = AccountId::fresh(NOW, &SeededEntropy::new(3));
        let owner = Reach { account_id, by: ReachBy::Owner };
        assert_eq!(judge(&standing(MemberState::Active), &owner, NOW), Ok(Permission::Own));
        assert_eq!(judge(&standing(MemberState::Inactive), &owner, NOW), Err(Denial::MemberNotActive));
    }
}
