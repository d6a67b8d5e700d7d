//! A store with a workspace, and short ways to make what tests need.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use latchkey_access::member::{Epoch, MemberState, Version};
use latchkey_access::offboarding::{CaseState, OffboardingCase, Trigger};
use latchkey_access::outbox::{EffectKind, EffectState, OutboxEvent};
use latchkey_access::workspace::{Policy, WorkspaceState};
use latchkey_access::{
    Account, Actor, AuditRecord, Change, ChangeSet, Collection, Grant, GrantObject, GrantSubject, Member,
    Membership, OffboardingRotation, Origin, Permission, Role, Sensitivity, Team, Token, TokenKind,
    Workspace,
};
use latchkey_kernel::id::{
    AccountId, AuditId, CaseId, CollectionId, GrantId, MemberId, OutboxId, RequestId, TeamId, TokenId,
    WorkspaceId,
};
use latchkey_kernel::{SeededEntropy, Timestamp};
use latchkey_store::{CommitError, Conflict, Footing, GrantFilter, Options, Store};
use latchkey_testkit::postgres::Database;

/// Where the database is.
pub(crate) enum Place {
    File(tempfile::TempDir),
    Server(Database),
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) ws: WorkspaceId,
    pub(crate) place: Place,
    entropy: SeededEntropy,
    clock: AtomicI64,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path().join("latchkey.db"), options()).unwrap();
        Self::with(store, Place::File(folder)).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(Database::create().await).await
    }

    pub(crate) async fn on(database: Database) -> Self {
        let store = Store::connect_postgres(database.url(), options()).await.unwrap();
        Self::with(store, Place::Server(database)).await
    }

    async fn with(store: Store, place: Place) -> Self {
        let entropy = SeededEntropy::new(7);
        let clock = AtomicI64::new(1_700_000_000_000_000);
        let ws = WorkspaceId::fresh(Timestamp::from_micros(1), &entropy);
        let world = Self { store, ws, place, entropy, clock };
        world.commit(Change::WorkspaceInsert(world.workspace_row(ws, "Acme"))).await.unwrap();
        world
    }

    /// Another store on the same database, as another process has it.
    pub(crate) async fn another(&self) -> Store {
        match &self.place {
            Place::File(_) => Store::open_sqlite(self.file(), options()).unwrap(),
            Place::Server(database) => Store::connect_postgres(database.url(), options()).await.unwrap(),
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        let Place::File(folder) = &self.place else { panic!("there is no file") };
        folder.path().join("latchkey.db")
    }

    /// Runs SQL by hand, as somebody with a shell on the host could.
    pub(crate) async fn by_hand(&self, sql: &str) {
        match &self.place {
            Place::File(_) => {
                rusqlite::Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
            }
            Place::Server(database) => {
                let client = latchkey_testkit::postgres::connect(database.url()).await.unwrap();
                client.batch_execute(sql).await.unwrap();
            }
        }
    }

    /// The number of direct grants that there are, whatever the member's state.
    pub(crate) async fn grants_of(&self, member: &Member) -> usize {
        let filter = GrantFilter { member: Some(member.id), ..GrantFilter::default() };
        self.store.grant_page(self.ws, filter, None, 99).await.unwrap().len()
    }

    /// What the leaving of a member who is in rests on.
    pub(crate) async fn footing(&self, member: &Member) -> Footing {
        let ever = Timestamp::from_micros(0);
        self.store.subject_with_footing(self.ws, member.id, ever).await.unwrap().unwrap().1
    }

    /// The number of audit records, sealed or not.
    pub(crate) async fn audited(&self) -> u64 {
        let report = self.store.audit_verify(self.ws).await.unwrap();
        report.sealed + report.unsealed
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.fetch_add(1_000, Ordering::SeqCst))
    }

    pub(crate) fn set(&self, changes: impl IntoIterator<Item = Change>) -> ChangeSet {
        let mut set = ChangeSet::new(self.ws);
        set.changes.extend(changes);
        set
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<(), Conflict> {
        self.commit_all([change]).await
    }

    pub(crate) async fn commit_in(&self, ws: WorkspaceId, change: Change) -> Result<(), Conflict> {
        let mut set = ChangeSet::new(ws);
        set.push(change);
        conflict(self.store.commit(set).await)
    }

    pub(crate) async fn commit_all(&self, changes: impl IntoIterator<Item = Change>) -> Result<(), Conflict> {
        conflict(self.store.commit(self.set(changes)).await)
    }

    pub(crate) fn workspace_row(&self, id: WorkspaceId, name: &str) -> Workspace {
        Workspace {
            id,
            name: name.to_owned(),
            name_key: name.to_lowercase(),
            state: WorkspaceState::Active,
            policy: Policy::default(),
            version: Version::FIRST,
            created_at: self.now(),
        }
    }

    pub(crate) fn member_row(&self, name: &str) -> Member {
        let now = self.now();
        Member {
            workspace_id: self.ws,
            id: self.id(MemberId::fresh),
            user_name: name.to_owned(),
            user_name_key: name.to_lowercase(),
            external_id: Some(format!("ext-{name}")),
            display_name: name.to_owned(),
            work_email: Some(format!("{name}@Example.com")),
            work_email_key: Some(format!("{name}@example.com").to_lowercase()),
            role: Role::User,
            state: MemberState::Active,
            origin: Origin::Directory,
            access_epoch: Epoch::FIRST,
            reviewed_epoch: Epoch::FIRST,
            resource: format!("{{\"userName\":\"{name}\"}}"),
            version: Version::FIRST,
            created_at: now,
            modified_at: now,
            left_at: None,
        }
    }

    pub(crate) async fn member(&self, name: &str) -> Member {
        let row = self.member_row(name);
        self.commit(Change::MemberInsert(row.clone())).await.unwrap();
        row
    }

    /// Writes a member anew, one version further.
    pub(crate) async fn update(&self, member: &Member, change: impl FnOnce(&mut Member)) -> Member {
        let (change, row) = updated(member, change);
        self.commit(change).await.unwrap();
        row
    }

    pub(crate) fn team_row(&self, name: &str) -> Team {
        let now = self.now();
        Team {
            workspace_id: self.ws,
            id: self.id(TeamId::fresh),
            display_name: name.to_owned(),
            display_name_key: name.to_lowercase(),
            external_id: None,
            origin: Origin::Directory,
            resource: "{}".to_owned(),
            version: Version::FIRST,
            created_at: now,
            modified_at: now,
        }
    }

    pub(crate) async fn team(&self, name: &str, members: &[&Member]) -> Team {
        let row = self.team_row(name);
        let mut changes = vec![Change::TeamInsert(row.clone())];
        changes.extend(members.iter().map(|member| put(&row, member)));
        self.commit_all(changes).await.unwrap();
        row
    }

    pub(crate) async fn collection(&self, name: &str, parent: Option<CollectionId>) -> Collection {
        let row = Collection {
            workspace_id: self.ws,
            id: self.id(CollectionId::fresh),
            name: name.to_owned(),
            parent_id: parent,
            version: Version::FIRST,
            created_at: self.now(),
        };
        self.commit(Change::CollectionInsert(row.clone())).await.unwrap();
        row
    }

    pub(crate) fn account_row(&self, name: &str) -> Account {
        let now = self.now();
        Account {
            workspace_id: self.ws,
            id: self.id(AccountId::fresh),
            name: name.to_owned(),
            app: "Instagram".to_owned(),
            url: None,
            username: Some("social".to_owned()),
            sensitivity: Sensitivity::Standard,
            offboarding_rotation: OffboardingRotation::Auto,
            collection_id: None,
            owner_id: None,
            owner_flag: None,
            successor_id: None,
            secret_generation: 1,
            version: Version::FIRST,
            created_at: now,
            modified_at: now,
        }
    }

    pub(crate) async fn account(&self, name: &str, change: impl FnOnce(&mut Account)) -> Account {
        let mut row = self.account_row(name);
        change(&mut row);
        self.commit(Change::AccountInsert(row.clone())).await.unwrap();
        row
    }

    pub(crate) fn grant_row(&self, subject: GrantSubject, object: GrantObject) -> Grant {
        Grant {
            workspace_id: self.ws,
            id: self.id(GrantId::fresh),
            subject,
            object,
            permission: Permission::View,
            starts_at: None,
            ends_at: None,
            reason: Some("because".to_owned()),
            granted_by: "operator".to_owned(),
            granted_at: self.now(),
        }
    }

    pub(crate) async fn grant(&self, subject: GrantSubject, object: GrantObject) -> Grant {
        let row = self.grant_row(subject, object);
        self.commit(Change::GrantInsert(row.clone())).await.unwrap();
        row
    }

    pub(crate) fn case_row(&self, member: &Member) -> OffboardingCase {
        OffboardingCase {
            id: self.id(CaseId::fresh),
            workspace_id: self.ws,
            member_id: member.id,
            epoch: member.access_epoch,
            trigger: Trigger::DirectoryDisabled,
            request_id: self.id(RequestId::fresh),
            state: CaseState::Open,
            cut_at: self.now(),
            summary: serde_json::json!({ "grants": 1 }),
        }
    }

    pub(crate) fn effect_row(&self, key: &str, case_id: Option<CaseId>) -> OutboxEvent {
        let now = self.now();
        OutboxEvent {
            id: self.id(OutboxId::fresh),
            workspace_id: self.ws,
            kind: EffectKind::Rotation,
            key: key.to_owned(),
            case_id,
            priority: 5,
            payload: serde_json::json!({}),
            state: EffectState::Ready,
            due_at: now,
            created_at: now,
        }
    }

    pub(crate) fn token_row(&self, seed: u8, member: Option<&Member>) -> Token {
        Token {
            id: self.id(TokenId::fresh),
            workspace_id: self.ws,
            kind: if member.is_some() { TokenKind::Api } else { TokenKind::Scim },
            name: "a token".to_owned(),
            hint: "lk_scim_ab".to_owned(),
            hash: [seed; 32],
            sealed: Some(vec![1, 2, 3]),
            member: member.map(|member| (member.id, member.access_epoch)),
            scopes: vec![latchkey_access::Scope::MembersRead, latchkey_access::Scope::AuditRead],
            rate_limit: Some(50),
            created_at: self.now(),
            valid_until: None,
            revoked_at: None,
        }
    }

    pub(crate) fn record(&self, action: &'static str) -> AuditRecord {
        AuditRecord {
            id: self.id(AuditId::fresh),
            workspace_id: self.ws,
            at: self.now(),
            actor: Actor::Operator,
            action,
            target_kind: "member",
            target_id: "m-1".to_owned(),
            request_id: self.id(RequestId::fresh),
            detail: serde_json::json!({ "note": action }),
        }
    }

    pub(crate) fn id<T>(&self, fresh: fn(Timestamp, &dyn latchkey_kernel::Entropy) -> T) -> T {
        fresh(self.now(), &self.entropy)
    }
}

pub(crate) fn conflict(done: Result<(), CommitError>) -> Result<(), Conflict> {
    match done {
        Ok(()) => Ok(()),
        Err(CommitError::Conflict(conflict)) => Err(conflict),
        Err(other) => panic!("the database failed: {other:?}"),
    }
}

pub(crate) fn put(team: &Team, member: &Member) -> Change {
    Change::MembershipInsert(Membership {
        team_id: team.id,
        member_id: member.id,
        confirmed: Some(member.access_epoch),
    })
}

pub(crate) fn updated(member: &Member, change: impl FnOnce(&mut Member)) -> (Change, Member) {
    let mut row = Member { version: member.version.next(), ..member.clone() };
    change(&mut row);
    (Change::MemberUpdate { member: row.clone(), expect: member.version }, row)
}

pub(crate) fn to(member: &Member) -> GrantSubject {
    GrantSubject::Member(member.id, member.access_epoch)
}

fn options() -> Options {
    Options { flights_kept: 5, ..Options::default() }
}
