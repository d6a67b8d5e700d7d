//! Plays histories, and knows by plain bookkeeping what must be true after each step.
//!
//! It follows what was asked, not how the rules answered: who left, who was given what since. It
//! never asks the rules who has access.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use latchkey_access::account::{OffboardingRotation, Sensitivity};
use latchkey_access::context::{Cause, Ids};
use latchkey_access::grant::{GrantObject, GrantSubject};
use latchkey_access::offboarding::Trigger;
use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::refusal::Refusal;
use latchkey_access::returning::{Choice, Pick};
use latchkey_access::{Account, Actor, ChangeSet, MemberState, Reactivation, Role, workspaces};
use latchkey_kernel::id::{AccountId, GrantId, MemberId, RequestId, TeamId, TokenId, WorkspaceId};
use latchkey_kernel::{SeededEntropy, Timestamp};

use super::command::{Command, Draw, Fresh};
use super::{Conflict, Database, Tables};

/// Two workspaces, a clock and the books.
pub struct World {
    pub db: Database,
    pub now: Timestamp,
    pub ids: [WorkspaceId; 2],
    pub books: Books,
    pub raced: bool,
    entropy: SeededEntropy,
    token: TokenId,
}

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

impl World {
    pub fn new(seed: u64) -> Self {
        let entropy = SeededEntropy::new(seed);
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let ids = [WorkspaceId::fresh(now, &entropy), WorkspaceId::fresh(now, &entropy)];
        let token = TokenId::fresh(now, &entropy);
        let mut world =
            Self { db: Database::default(), now, ids, books: Books::default(), raced: false, entropy, token };
        for id in ids {
            let fresh = world.fresh(id);
            let owner = fresh.member(None, Role::Owner, true);
            let made = workspaces::create(fresh.workspace(), owner, &world.cause(), world.mint()).unwrap();
            world.db.commit(&made).unwrap();
        }
        world
    }

    pub fn tables(&self) -> &Tables {
        &self.db.workspaces[&self.ids[0]]
    }

    pub fn fresh(&self, workspace_id: WorkspaceId) -> Fresh<'_> {
        Fresh { workspace_id, now: self.now, entropy: &self.entropy }
    }

    pub fn here(&self) -> Fresh<'_> {
        self.fresh(self.ids[0])
    }

    pub fn mint(&self) -> Ids<'_> {
        Ids::new(self.now, &self.entropy)
    }

    pub fn cause(&self) -> Cause {
        let request_id = RequestId::fresh(self.now, &self.entropy);
        Cause { actor: Actor::Directory(self.token), request_id, now: self.now }
    }

    /// The same as asked by the host's operator: by a person.
    pub fn by_person(&self) -> Cause {
        Cause { actor: Actor::Operator, ..self.cause() }
    }

    fn cause_of(&self, command: &Command) -> Cause {
        match command {
            Command::Leave(_, Trigger::DirectoryDisabled | Trigger::DirectoryDeleted)
            | Command::Join(..)
            | Command::Quit(..)
            | Command::DropTeam(_)
            | Command::Admit(_) => self.cause(),
            _ => self.by_person(),
        }
    }

    /// Asks for something as a test's step: it must be decided and committed.
    pub fn ask(&mut self, command: &Command) {
        self.try_ask(command).unwrap().unwrap();
    }

    pub fn try_ask(&mut self, command: &Command) -> Option<Result<ChangeSet, Refusal>> {
        self.pass(Duration::from_millis(5));
        let tables = self.tables().clone();
        let decided = self.decide(&tables, command)?;
        if let Ok(changes) = &decided {
            self.commit(command, &tables, changes).unwrap();
        }
        Some(decided)
    }

    pub fn pass(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    pub fn decide(&self, tables: &Tables, command: &Command) -> Option<Result<ChangeSet, Refusal>> {
        let decided = command.decide(tables, &self.cause_of(command), self.mint());
        if let Command::Leave(id, trigger) = command
            && tables.member(*id).state == MemberState::Active
        {
            let owner =
                |row: &&latchkey_access::Member| row.role == Role::Owner && row.state == MemberState::Active;
            let owners: Vec<_> = tables.members.values().filter(owner).map(|row| row.id).collect();
            let last = owners == [*id];
            let refused = decided == Some(Err(Refusal::LastOwner));
            assert_eq!(refused, last && *trigger == Trigger::Admin, "A6: {command:?}");
        }
        decided
    }

    /// Commits what was decided on `decided_on`, and keeps the books.
    pub fn commit(
        &mut self,
        command: &Command,
        decided_on: &Tables,
        changes: &ChangeSet,
    ) -> Result<(), Conflict> {
        let before = self.db.clone();
        self.db.commit(changes)?;
        assert_eq!(before.workspaces[&self.ids[1]], self.db.workspaces[&self.ids[1]], "A7: {command:?}");
        let before = &before.workspaces[&self.ids[0]];
        let after = self.tables();
        let changed = !changes.changes.is_empty();
        assert!(!changed || after.audit.len() > before.audit.len(), "L1: {command:?}");
        let after = after.clone();
        self.books.keep(command, decided_on, before, &after, self.now);
        Ok(())
    }

    /// One step of a random history: one command, or two decided on the same state and committed
    /// one after the other, the second anew if it conflicts.
    pub fn step(&mut self, first: Draw, second: Option<Draw>) {
        self.pass(Duration::from_secs(first.3 as u64 % 1_200));
        let snapshot = self.tables().clone();
        let commands: Vec<Command> = [Some(first), second]
            .into_iter()
            .flatten()
            .filter_map(|draw| draw.command(&snapshot, self.here()))
            .collect();
        self.raced |= commands.len() > 1;
        let decided: Vec<_> = commands.iter().map(|command| self.decide(&snapshot, command)).collect();
        for (command, decided) in commands.iter().zip(decided) {
            let Some(Ok(changes)) = decided else { continue };
            let mut outcome = self.commit(command, &snapshot, &changes);
            for _ in 0..3 {
                if outcome.is_ok() {
                    break;
                }
                let now_there = self.tables().clone();
                let Some(Ok(changes)) = self.decide(&now_there, command) else { break };
                outcome = self.commit(command, &now_there, &changes);
            }
        }
    }
}

impl Books {
    fn keep(
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
            Command::Review(id, choice) => self.review(*id, choice, before),
            Command::Undo(id) => {
                let all = Choice { grants: Pick::All, teams: Pick::All, reason: None };
                self.review(*id, &all, before);
            }
            _ => {}
        }
        let gives = matches!(command, Command::GiveMember(..) | Command::Review(..) | Command::Undo(_));
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
        if decided_on.collections != before.collections {
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
