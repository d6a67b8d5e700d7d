//! Two workspaces, in which histories are played.

use std::time::Duration;

use latchkey_access::context::{Cause, Ids};
use latchkey_access::offboarding::Trigger;
use latchkey_access::refusal::Refusal;
use latchkey_access::{Actor, ChangeSet, MemberState, Role, keys, workspaces};
use latchkey_kernel::id::{RequestId, TokenId, WorkspaceId};
use latchkey_kernel::{SeededEntropy, Timestamp};

use super::books::Books;
use super::command::{Command, Draw};
use super::fresh::Fresh;
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
            let key = world.fresh(id).key(1);
            world.db.commit(&keys::add(key, &world.cause(), world.mint())).unwrap();
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
