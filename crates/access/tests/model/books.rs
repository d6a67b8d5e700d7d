//! What must be true after each step, by plain bookkeeping.
//!
//! The books follow what was asked, not how the rules answered: who left, who was given what
//! since. They never ask the rules who has access.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_access::account::{OffboardingRotation, Sensitivity};
use latchkey_access::grant::{GrantObject, GrantSubject};
use latchkey_access::offboarding::Trigger;
use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::returning::{Choice, Pick};
use latchkey_access::{Account, MemberState, Reactivation};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, GrantId, MemberId, TeamId};

use super::Tables;
use super::command::Command;

/// What has been asked so far.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Grants given to members since they last left.
    pub given: BTreeSet<(MemberId, GrantId)>,
    /// Memberships begun or confirmed since they last left.
    pub confirmed: BTreeSet<(MemberId, TeamId)>,
    /// Who left and was not reviewed since.
    pub returned: BTreeSet<MemberId>,
    /// Who was put into which team and not taken out since.
    pub mirror: BTreeSet<(TeamId, MemberId)>,
    /// How often each left.
    pub leavings: BTreeMap<MemberId, u64>,
    /// For each leaving: the accounts whose passwords must change.
    pub rotations: BTreeMap<(MemberId, i64), BTreeSet<AccountId>>,
}

impl Books {
    pub fn keep(
        &mut self,
        command: &Command,
        decided_on: &Tables,
        before: &Tables,
        after: &Tables,
        now: Timestamp,
    ) {
        self.mirror(command);
        let was = |id: &MemberId| before.members.get(id).map(|row| row.state);
        match command {
            // One that was decided while they were out says nothing about their being in since.
            Command::Leave(id, _)
                if was(id) == Some(MemberState::Active)
                    && decided_on.member(*id).state == MemberState::Active =>
            {
                let epoch = before.member(*id).access_epoch.0;
                let due = self.due(*id, decided_on, now);
                self.rotations.insert((*id, epoch), due);
                self.nothing_slipped_in(*id, decided_on, before, after, now);
                self.given.retain(|(member, _)| member != id);
                self.confirmed.retain(|(member, _)| member != id);
                self.returned.insert(*id);
                *self.leavings.entry(*id).or_default() += 1;
            }
            Command::Admit(member) => {
                let gone = |row: &&latchkey_access::Member| {
                    row.state == MemberState::Deleted && row.external_id == member.external_id
                };
                if before.members.values().filter(gone).any(|row| self.returned.contains(&row.id)) {
                    self.returned.insert(member.id);
                }
            }
            Command::Return(id) => {
                let restores =
                    |tables: &Tables| tables.workspace.policy.reactivation == Reactivation::Restore;
                if self.returned.contains(id) && restores(decided_on) {
                    self.confirm_all(*id, before);
                }
            }
            Command::Join(team, id) if !before.memberships.contains_key(&(*team, *id)) => {
                let trusted = |tables: &Tables| {
                    tables.workspace.policy.reactivation == Reactivation::Restore
                        && tables.member(*id).state == MemberState::Active
                        && tables.member(*id).access_epoch == before.member(*id).access_epoch
                };
                if !self.returned.contains(id) || trusted(decided_on) {
                    self.confirmed.insert((*id, *team));
                }
            }
            Command::Confirm(team, id) => {
                self.confirmed.insert((*id, *team));
            }
            Command::Review(id, choice) | Command::Undo(id, choice) => self.review(*id, choice, before),
            _ => {}
        }
        let gives = matches!(command, Command::GiveMember(..) | Command::Review(..) | Command::Undo(..));
        for (id, grant) in &after.grants {
            if let (GrantSubject::Member(member, _), false) = (grant.subject, before.grants.contains_key(id))
            {
                assert!(gives, "nothing but a person's word gives a grant: {command:?}");
                self.given.insert((member, *id));
            }
        }
        self.confirmed.retain(|(member, team)| after.memberships.contains_key(&(*team, *member)));
    }

    fn mirror(&mut self, command: &Command) {
        match command {
            Command::Join(team, id) => {
                self.mirror.insert((*team, *id));
            }
            Command::Quit(team, id) => {
                self.mirror.remove(&(*team, *id));
            }
            Command::DropTeam(gone) => self.mirror.retain(|(team, _)| team != gone),
            Command::Leave(gone, Trigger::DirectoryDeleted) => self.mirror.retain(|(_, id)| id != gone),
            _ => {}
        }
    }

    fn review(&mut self, id: MemberId, choice: &Choice, before: &Tables) {
        self.returned.remove(&id);
        match &choice.teams {
            Pick::All => self.confirm_all(id, before),
            Pick::Only(teams) => self.confirmed.extend(teams.iter().map(|team| (id, *team))),
        }
    }

    fn confirm_all(&mut self, id: MemberId, tables: &Tables) {
        self.confirmed.extend(tables.memberships_of(id).iter().map(|row| (id, row.team_id)));
    }

    /// What a member may use now: they are in, and own it or were given it since they last left.
    ///
    /// A membership counts only while its row is there.
    pub fn usable(&self, id: MemberId, tables: &Tables, now: Timestamp) -> BTreeSet<AccountId> {
        if tables.member(id).state != MemberState::Active {
            return BTreeSet::new();
        }
        let given = |account: &&Account| {
            let grants = tables.grants.values().filter(|grant| match grant.object {
                GrantObject::Account(object) => object == account.id,
                GrantObject::Collection(object) => {
                    tables.chain_ids(account.collection_id).any(|id| id == object)
                }
            });
            let mut counts = grants.filter(|grant| {
                grant.starts_at.is_none_or(|at| at <= now) && grant.ends_at.is_none_or(|at| now < at)
            });
            counts.any(|grant| match grant.subject {
                GrantSubject::Member(..) => self.given.contains(&(id, grant.id)),
                GrantSubject::Team(team) => {
                    self.confirmed.contains(&(id, team)) && tables.memberships.contains_key(&(team, id))
                }
            })
        };
        let usable = tables.accounts.values().filter(|row| row.owner_id == Some(id) || given(row));
        usable.map(|row| row.id).collect()
    }

    /// What they own, hold directly or know at the commit is in the plan, even if it became so
    /// after the leaving was decided. Accounts that were themselves changed meanwhile are judged as
    /// they were.
    fn nothing_slipped_in(
        &self,
        id: MemberId,
        decided_on: &Tables,
        before: &Tables,
        after: &Tables,
        now: Timestamp,
    ) {
        let mut direct = before.clone();
        direct.memberships.clear();
        // What teams and collections lead to is as it was read; their changes rest on nothing.
        let added = before.accounts.keys().any(|id| !decided_on.accounts.contains_key(id));
        if added || decided_on.collections != before.collections {
            direct.grants.retain(|_, grant| matches!(grant.object, GrantObject::Account(_)));
        }
        direct.accounts.retain(|account, row| {
            decided_on.accounts.get(account).is_none_or(|was| was.version == row.version)
        });
        let planned: BTreeSet<AccountId> = after
            .planned(id, before.member(id).access_epoch.0)
            .into_iter()
            .map(|(account, _)| account)
            .collect();
        let due = self.due(id, &direct, now);
        assert!(due.is_subset(&planned), "A5: {due:?} {planned:?}");
    }

    /// Whose passwords must change if the member leaves (A5).
    fn due(&self, id: MemberId, tables: &Tables, now: Timestamp) -> BTreeSet<AccountId> {
        let usable = self.usable(id, tables, now);
        let due = tables.accounts.values().filter(|row| {
            let knows = tables.exposures.contains_key(&(row.id, id, row.secret_generation));
            let could = usable.contains(&row.id);
            match row.offboarding_rotation {
                OffboardingRotation::Never => false,
                OffboardingRotation::Always => knows || could,
                OffboardingRotation::Auto => knows || (could && row.sensitivity != Sensitivity::Standard),
            }
        });
        due.map(|row| row.id).collect()
    }
}

impl Tables {
    /// The accounts for which rotations were planned when a member left an epoch.
    pub fn planned(&self, id: MemberId, epoch: i64) -> Vec<(AccountId, EffectState)> {
        let prefix = format!("offboarding:{id}:{epoch}:");
        let own = self.outbox.values().filter(|row| row.kind == EffectKind::Rotation);
        own.filter_map(|row| {
            row.key.strip_prefix(&prefix).map(|account| (account.parse().unwrap(), row.state))
        })
        .collect()
    }
}
