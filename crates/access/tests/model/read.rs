//! What the rules are given: as the store loads it, by plain loops.

use std::collections::BTreeSet;

use latchkey_access::assessment::{self, Reached};
use latchkey_access::context::{Cause, Ids};
use latchkey_access::effective::{Reach, ReachBy, ThroughTeam};
use latchkey_access::exposure::Exposure;
use latchkey_access::grant::{GrantObject, GrantSubject, Permission};
use latchkey_access::leaving::{self, Leaver};
use latchkey_access::offboarding::{OffboardingCase, Trigger};
use latchkey_access::refusal::Refusal;
use latchkey_access::safeguard::Wave;
use latchkey_access::succession::{Heirs, InCharge, Owned};
use latchkey_access::workspace::Safeguard;
use latchkey_access::{
    Account, ChangeSet, Collection, Grant, Member, MemberState, Membership, Role, effective,
};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CollectionId, MemberId, TeamId};

use super::Tables;

impl Tables {
    pub fn member(&self, id: MemberId) -> &Member {
        &self.members[&id]
    }

    pub fn direct_grants_of(&self, id: MemberId) -> impl Iterator<Item = &Grant> {
        self.grants
            .values()
            .filter(move |grant| matches!(grant.subject, GrantSubject::Member(member, _) if member == id))
    }

    pub fn present_exposures_of(&self, id: MemberId) -> impl Iterator<Item = &Exposure> {
        self.exposures.values().filter(move |row| {
            row.member_id == id && self.accounts[&row.account_id].secret_generation == row.generation
        })
    }

    pub fn memberships_of(&self, id: MemberId) -> Vec<Membership> {
        let own = self.memberships.iter().filter(|((_, member), _)| *member == id);
        own.map(|((team_id, member_id), confirmed)| Membership {
            team_id: *team_id,
            member_id: *member_id,
            confirmed: *confirmed,
        })
        .collect()
    }

    pub fn chain_ids(&self, from: Option<CollectionId>) -> impl Iterator<Item = CollectionId> {
        std::iter::successors(from, |id| self.collections[id].parent_id)
    }

    /// A collection and all above it, nearest first.
    pub fn chain(&self, from: Option<CollectionId>) -> Vec<Collection> {
        self.chain_ids(from).map(|id| self.collections[&id].clone()).collect()
    }

    /// Levels from a collection down, itself included.
    pub fn height(&self, id: CollectionId) -> usize {
        let below = self.collections.values().filter(|row| row.parent_id == Some(id));
        1 + below.map(|row| self.height(row.id)).max().unwrap_or(0)
    }

    fn path(&self, grant: &Grant, account: &Account) -> Option<Vec<CollectionId>> {
        match grant.object {
            GrantObject::Account(id) => (id == account.id).then(Vec::new),
            GrantObject::Collection(id) => {
                let mut chain: Vec<_> = self.chain_ids(account.collection_id).collect();
                chain.truncate(chain.iter().position(|row| *row == id)? + 1);
                chain.reverse();
                Some(chain)
            }
        }
    }

    /// Every way in which a member might reach an account.
    pub fn reaches(&self, id: MemberId) -> Vec<Reach> {
        let mut found = Vec::new();
        for account in self.accounts.values() {
            if account.owner_id == Some(id) {
                found.push(Reach { account_id: account.id, by: ReachBy::Owner });
            }
            for grant in self.grants.values() {
                let team = match grant.subject {
                    GrantSubject::Member(member, _) if member == id => None,
                    GrantSubject::Member(..) => continue,
                    GrantSubject::Team(team_id) => {
                        let Some(confirmed) = self.memberships.get(&(team_id, id)) else { continue };
                        let team_name = self.teams[&team_id].display_name.clone();
                        Some(ThroughTeam { team_id, team_name, confirmed: *confirmed })
                    }
                };
                let Some(collections) = self.path(grant, account) else { continue };
                let by = ReachBy::Grant { grant: Box::new(grant.clone()), team, collections };
                found.push(Reach { account_id: account.id, by });
            }
        }
        found
    }

    pub fn reached(&self, id: MemberId) -> Reached {
        let reaches = self.reaches(id);
        let exposures: Vec<_> = self.present_exposures_of(id).cloned().collect();
        let named: BTreeSet<_> = reaches
            .iter()
            .map(|reach| reach.account_id)
            .chain(exposures.iter().map(|row| row.account_id))
            .collect();
        let accounts = named.into_iter().map(|id| self.accounts[&id].clone()).collect();
        Reached { reaches, exposures, accounts }
    }

    fn may_inherit(&self, id: MemberId) -> bool {
        let member = self.member(id);
        member.state == MemberState::Active && member.role != Role::Guest
    }

    pub fn owned(&self, id: MemberId, now: Timestamp) -> (Vec<Owned>, Heirs) {
        let mut heirs = Heirs::new();
        let mut owned = Vec::new();
        for account in self.accounts.values().filter(|row| row.owner_id == Some(id)) {
            let holds = |member: &Member| {
                let all = effective::effective_accounts(&member.standing(), &self.reaches(member.id), now);
                all.get(&account.id) == Some(&Permission::Own)
            };
            let others = self.members.values().filter(|row| row.id != id);
            let co_owners: Vec<_> = others.filter(|row| holds(row)).map(|row| row.id).collect();
            let named = account
                .successor_id
                .into_iter()
                .chain(co_owners.iter().copied())
                .chain(self.workspace.policy.successor);
            for heir in named.filter(|heir| self.may_inherit(*heir)) {
                heirs.insert(heir, self.member(heir).access_epoch);
            }
            owned.push(Owned { account: account.clone(), co_owners });
        }
        (owned, heirs)
    }

    pub fn in_charge(&self, without: MemberId) -> InCharge {
        let others =
            || self.members.values().filter(move |row| row.id != without && row.state == MemberState::Active);
        InCharge {
            other_owners: others().filter(|row| row.role == Role::Owner).count() as u64,
            successor: self.workspace.policy.successor.map(|id| self.member(id).clone()),
            super_admins: others().filter(|row| row.role == Role::SuperAdmin).cloned().collect(),
        }
    }

    pub fn wave(&self, now: Timestamp) -> Wave {
        let since = now.minus(Safeguard::WINDOW);
        Wave {
            leavers: self.cases.values().filter(|case| case.cut_at >= since).count() as u64,
            active: self.members.values().filter(|row| row.state == MemberState::Active).count() as u64,
        }
    }

    /// Loads and decides a leaving, as the engine does.
    pub fn leave(
        &self,
        id: MemberId,
        trigger: Trigger,
        cause: &Cause,
        ids: Ids<'_>,
    ) -> Result<ChangeSet, Refusal> {
        let before = self.member(id);
        let mut after = before.clone();
        after.resource = before.resource.replace("\"active\":true", "\"active\":false");
        let active = before.state == MemberState::Active;
        let reached = if active { self.reached(id) } else { Reached::default() };
        let assessed = assessment::assess(&before.standing(), &reached, cause.now);
        let (owned, heirs) =
            if reached.owns() { self.owned(id, cause.now) } else { (Vec::new(), Heirs::new()) };
        let in_charge = (before.role == Role::Owner).then(|| self.in_charge(id));
        let leaver = Leaver {
            before,
            after: &after,
            trigger,
            workspace: &self.workspace,
            direct_grants: self.direct_grants_of(id).count() as u64,
            reached: &reached,
            assessed: &assessed,
            owned: &owned,
            heirs: &heirs,
            in_charge: in_charge.as_ref(),
            wave: assessment::plans_rotation(&assessed).then(|| self.wave(cause.now)),
        };
        leaving::leave(&leaver, cause, ids)
    }

    /// The case of the member's last leaving.
    pub fn last_case(&self, id: MemberId) -> Option<&OffboardingCase> {
        self.cases.values().filter(|case| case.member_id == id).max_by_key(|case| case.epoch)
    }

    /// The removed grants of the last case whose object is still there.
    pub fn removed(&self, id: MemberId) -> Vec<Grant> {
        let case = self.last_case(id).and_then(|case| self.removed.get(&case.id));
        let there = |grant: &&Grant| match grant.object {
            GrantObject::Account(id) => self.accounts.contains_key(&id),
            GrantObject::Collection(id) => self.collections.contains_key(&id),
        };
        case.into_iter().flatten().filter(there).cloned().collect()
    }

    pub fn effective(
        &self,
        id: MemberId,
        now: Timestamp,
    ) -> std::collections::BTreeMap<latchkey_kernel::id::AccountId, Permission> {
        effective::effective_accounts(&self.member(id).standing(), &self.reaches(id), now)
    }

    pub fn team_members(&self, id: TeamId) -> Vec<MemberId> {
        self.memberships.keys().filter(|(team, _)| *team == id).map(|(_, member)| *member).collect()
    }
}
