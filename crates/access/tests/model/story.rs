//! Short steps for tests that tell one story.

use latchkey_access::account::{Account, Sensitivity};
use latchkey_access::grant::{GrantObject, Permission};
use latchkey_access::grants::Wish;
use latchkey_access::offboarding::Trigger;
use latchkey_access::returning::{Choice, Pick};
use latchkey_access::{Member, Reactivation, Role};
use latchkey_kernel::id::{AccountId, CollectionId, MemberId, TeamId};

use super::command::Command;
use super::world::World;

impl World {
    /// Some members in two teams, whose grants reach each kind of account, directly and through a
    /// tree, so that a short history finds something to lose.
    pub fn populated(seed: u64) -> Self {
        let mut world = Self::new(seed);
        let (outer, team, other) = (world.collection(None), world.team(), world.team());
        let inner = world.collection(Some(outer));
        let direct = world.account(Sensitivity::Standard);
        let critical = world.account(Sensitivity::Critical);
        world.account_with(|row| {
            row.sensitivity = Sensitivity::Privileged;
            row.collection_id = Some(inner);
        });
        world.give_team(team, outer);
        world.give_team(other, critical);
        for at in 0..4 {
            let member = world.member();
            world.join(if at % 2 == 0 { team } else { other }, member);
            if at > 1 {
                world.give(member, direct);
                world.ask(&Command::Expose(critical, member));
            }
        }
        world
    }

    /// The workspace's first Owner.
    pub fn owner(&self) -> MemberId {
        self.tables().members.values().find(|row| row.role == Role::Owner).unwrap().id
    }

    pub fn member(&mut self) -> MemberId {
        self.member_with(Role::User)
    }

    pub fn member_with(&mut self, role: Role) -> MemberId {
        self.pass(std::time::Duration::from_millis(5));
        let row = self.here().member(None, role, true);
        self.admit(row)
    }

    pub fn admit(&mut self, row: Member) -> MemberId {
        let id = row.id;
        self.ask(&Command::Admit(Box::new(row)));
        id
    }

    pub fn team(&mut self) -> TeamId {
        let row = self.here().team();
        let id = row.id;
        self.ask(&Command::MakeTeam(row));
        id
    }

    pub fn collection(&mut self, parent: Option<CollectionId>) -> CollectionId {
        let row = self.here().collection(parent);
        let id = row.id;
        self.ask(&Command::MakeCollection(row));
        id
    }

    pub fn account(&mut self, sensitivity: Sensitivity) -> AccountId {
        self.account_with(|row| row.sensitivity = sensitivity)
    }

    pub fn account_with(&mut self, change: impl FnOnce(&mut Account)) -> AccountId {
        let mut row = self.here().account();
        change(&mut row);
        let id = row.id;
        self.ask(&Command::MakeAccount(Box::new(row)));
        id
    }

    pub fn join(&mut self, team: TeamId, member: MemberId) {
        self.ask(&Command::Join(team, member));
    }

    pub fn give(&mut self, member: MemberId, object: impl Into<Object>) {
        self.ask(&Command::GiveMember(member, wish(object)));
    }

    pub fn give_team(&mut self, team: TeamId, object: impl Into<Object>) {
        self.ask(&Command::GiveTeam(team, wish(object)));
    }

    pub fn disable(&mut self, member: MemberId) {
        self.ask(&Command::Leave(member, Trigger::DirectoryDisabled));
    }

    pub fn delete(&mut self, member: MemberId) {
        self.ask(&Command::Leave(member, Trigger::DirectoryDeleted));
    }

    pub fn enable(&mut self, member: MemberId) {
        self.ask(&Command::Return(member));
    }

    pub fn review(&mut self, member: MemberId, teams: Vec<TeamId>) {
        let choice = Choice { grants: Pick::Only(Vec::new()), teams: Pick::Only(teams), reason: None };
        self.ask(&Command::Review(member, choice));
    }

    pub fn trust_the_directory(&mut self) {
        let mut policy = self.tables().workspace.policy.clone();
        policy.reactivation = Reactivation::Restore;
        self.ask(&Command::SetPolicy(policy));
    }

    /// What a member may use now, in order.
    pub fn uses(&self, member: MemberId) -> Vec<AccountId> {
        self.tables().effective(member, self.now).into_keys().collect()
    }

    pub fn awaits_review(&self, member: MemberId) -> bool {
        self.tables().member(member).standing().awaits_review()
    }

    /// Whether SCIM shows the member in the team.
    pub fn lists(&self, team: TeamId, member: MemberId) -> bool {
        self.tables().team_members(team).contains(&member)
    }
}

/// An account or a collection.
pub struct Object(GrantObject);

impl From<AccountId> for Object {
    fn from(id: AccountId) -> Self {
        Self(GrantObject::Account(id))
    }
}

impl From<CollectionId> for Object {
    fn from(id: CollectionId) -> Self {
        Self(GrantObject::Collection(id))
    }
}

/// A grant to see, from now on and without an end.
pub fn wish(object: impl Into<Object>) -> Wish {
    let Object(object) = object.into();
    Wish { object, permission: Permission::View, starts_at: None, ends_at: None, reason: None }
}
