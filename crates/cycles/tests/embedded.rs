//! The workspace's own directory tells what changed since a number, on both databases.

use latchkey_access::context::{Cause, Ids};
use latchkey_access::{
    Actor, ChangeSet, EmbeddedAssignment, EmbeddedObject, ObjectKind, ObjectPresence, people,
};
use latchkey_cycles::{Embedded, Reading as _};
use latchkey_kernel::id::{ObjectId, RequestId, WorkspaceId};
use latchkey_kernel::{SeededEntropy, Timestamp};
use latchkey_provisioning::feed::{Change, Members, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::{EntryId, Kind, Presence};
use latchkey_store::{CommitError, Conflict, Options, Store, UniqueKey};
use latchkey_testkit::postgres::Database;
use serde_json::{Map, json};

struct World {
    store: Store,
    workspace: WorkspaceId,
    entropy: SeededEntropy,
    made: std::sync::atomic::AtomicI64,
}

impl World {
    fn new(store: Store) -> Self {
        let entropy = SeededEntropy::new(3);
        let workspace = WorkspaceId::fresh(now(), &entropy);
        Self { store, workspace, entropy, made: std::sync::atomic::AtomicI64::new(0) }
    }

    fn cause(&self) -> Cause {
        Cause { actor: Actor::Operator, request_id: RequestId::fresh(now(), &self.entropy), now: now() }
    }

    fn ids(&self) -> Ids<'_> {
        Ids::new(now(), &self.entropy)
    }

    fn object(&self, kind: ObjectKind, name: &str) -> EmbeddedObject {
        // In the order in which they were made.
        let made = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let at = Timestamp::from_micros(now().as_micros() + 1_000 * made);
        let attributes: Map<_, _> = [("department".to_owned(), json!("Geology"))].into_iter().collect();
        EmbeddedObject {
            workspace_id: self.workspace,
            id: ObjectId::fresh(at, &self.entropy),
            kind,
            name: name.to_owned(),
            name_key: name.to_lowercase(),
            external_id: None,
            enabled: true,
            presence: ObjectPresence::Present,
            attributes,
            manager: None,
            changed: 0,
            whole_from: 0,
            created_at: now(),
            modified_at: now(),
        }
    }

    async fn commit(&self, changes: ChangeSet) {
        self.store.commit(changes).await.expect("the change is made");
    }

    async fn add(&self, kind: ObjectKind, name: &str) -> ObjectId {
        let object = self.object(kind, name);
        let id = object.id;
        self.commit(people::add(object, &self.cause(), self.ids()).expect("it may be")).await;
        id
    }

    async fn row(&self, id: ObjectId) -> EmbeddedObject {
        self.store.embedded_object(self.workspace, id).await.expect("the store answers").expect("it is there")
    }

    async fn change(&self, id: ObjectId, change: impl FnOnce(&mut EmbeddedObject)) {
        let before = self.row(id).await;
        let mut after = before.clone();
        change(&mut after);
        self.commit(people::update(&before, after, &self.cause(), self.ids()).expect("it may be")).await;
    }

    async fn seats(&self, group: ObjectId, added: &[ObjectId], removed: &[ObjectId]) {
        let group = self.row(group).await;
        self.commit(people::set_members(&group, (added, removed), &self.cause(), self.ids())).await;
    }

    fn source(&self) -> Embedded {
        let wanted = Wanted {
            users: Some(vec!["userPrincipalName".to_owned(), "department".to_owned()]),
            groups: Some(vec!["displayName".to_owned()]),
        };
        Embedded::new(self.store.clone(), self.workspace, Some("Quarry".to_owned()), &wanted)
    }

    /// All that is told since a watermark, and the next one.
    async fn told(&self, since: Option<&Watermark>) -> (Vec<Change>, Watermark) {
        let mut reading = self.source().read(since).await.expect("it is read");
        let mut all = Vec::new();
        while let Some(page) = reading.next().await.expect("a page") {
            all.extend(page);
        }
        (all, reading.watermark())
    }
}

fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

fn entry(id: ObjectId) -> EntryId {
    EntryId(id.to_string())
}

fn present(change: &Change) -> (&latchkey_provisioning::Entry, Option<&Members>) {
    match change {
        Change::Present { entry, members } => (entry, members.as_ref()),
        other => panic!("it is there: {other:?}"),
    }
}

async fn story(world: World) {
    let ada = world.add(ObjectKind::User, "ada@quarry.example").await;
    let boris = world.add(ObjectKind::User, "boris@quarry.example").await;
    let team = world.add(ObjectKind::Group, "Geology").await;
    world.seats(team, &[ada, boris], &[]).await;
    world.change(ada, |row| row.manager = Some(boris)).await;

    let (all, mark) = world.told(None).await;
    assert_eq!(all.len(), 3);
    let (first, _) = present(&all[0]);
    assert_eq!((first.kind, &first.manager), (Kind::User, &Some(entry(boris))));
    assert_eq!(first.attributes["userPrincipalName"], "ada@quarry.example");
    assert_eq!(present(&all[2]).1, Some(&Members::Whole(vec![entry(ada), entry(boris)])));

    let (none, same) = world.told(Some(&mark)).await;
    assert_eq!((none, &same), (Vec::new(), &mark), "nothing changed");

    // One who leaves a group is told as just that.
    world.seats(team, &[], &[boris]).await;
    let (told, mark) = world.told(Some(&mark)).await;
    assert_eq!(told.len(), 1);
    let delta = Members::Delta { added: vec![], removed: vec![entry(boris)] };
    assert_eq!(present(&told[0]).1, Some(&delta));

    // What a group is given, its direct members have; who leaves it has it no more.
    let quarry = |principal_id, role: &str| EmbeddedAssignment {
        principal_id,
        application: "Quarry".to_owned(),
        role: role.to_owned(),
        display: role.to_owned(),
        entitles: true,
    };
    let row = world.row(team).await;
    world
        .commit(people::assign(&row, quarry(team, "Reader"), &world.cause(), world.ids()).expect("it may be"))
        .await;
    let (told, mark) = world.told(Some(&mark)).await;
    let roles: Vec<_> = told.iter().map(|it| (it.id().clone(), present(it).0.assignments.len())).collect();
    assert_eq!(roles, [(entry(ada), 1), (entry(team), 1)], "Boris is not in the group");
    world.seats(team, &[boris], &[ada]).await;
    let (told, mark) = world.told(Some(&mark)).await;
    let of = |id| told.iter().find(|it| *it.id() == entry(id)).map(|it| present(it).0.assignments.len());
    assert_eq!((of(ada), of(boris)), (Some(0), Some(1)));
    let other = EmbeddedAssignment { application: "Elsewhere".to_owned(), ..quarry(ada, "") };
    let row = world.row(ada).await;
    world.commit(people::assign(&row, other, &world.cause(), world.ids()).expect("it may be")).await;
    let (told, mark) = world.told(Some(&mark)).await;
    assert_eq!(present(&told[0]).0.assignments, [], "another application's does not count");

    // Disabled, in the bin, back, and gone for good.
    world.change(ada, |row| row.enabled = false).await;
    let (told, mark) = world.told(Some(&mark)).await;
    assert!(!present(&told[0]).0.enabled);
    world.change(ada, |row| row.presence = ObjectPresence::SoftDeleted).await;
    let (told, mark) = world.told(Some(&mark)).await;
    let left = |presence| vec![Change::Left { id: entry(ada), kind: Kind::User, presence }];
    assert_eq!(told, left(Presence::SoftDeleted));
    // The name is free meanwhile, and taken by somebody else it is not given back.
    let second = world.add(ObjectKind::User, "ADA@quarry.example").await;
    let before = world.row(ada).await;
    let back = EmbeddedObject { presence: ObjectPresence::Present, ..before.clone() };
    let taken =
        people::update(&before, back, &world.cause(), world.ids()).expect("the rule has nothing against it");
    let error = world.store.commit(taken).await.expect_err("the name is taken");
    assert!(matches!(error, CommitError::Conflict(Conflict::Unique(UniqueKey::EmbeddedName))), "{error}");
    world.seats(team, &[ada], &[]).await;
    let row = world.row(ada).await;
    world.commit(people::purge(&row, &world.cause(), world.ids())).await;
    let (told, mark) = world.told(Some(&mark)).await;
    let about_ada = told.iter().find(|it| *it.id() == entry(ada));
    assert_eq!(about_ada, Some(&left(Presence::Deleted)[0]));
    let (whole, _) = world.told(None).await;
    let ids: Vec<_> = whole.iter().map(|it| it.id().clone()).collect();
    assert_eq!(ids, [entry(boris), entry(second), entry(team)], "who is gone is absent");
    assert_eq!(present(&whole[2]).1, Some(&Members::Whole(vec![entry(boris)])));
    let fetched = world
        .source()
        .fetch(Kind::User, &[entry(ada), EntryId("nobody".to_owned())])
        .await
        .expect("it answers");
    assert_eq!(fetched.len(), 2);
    assert!(fetched.iter().all(|it| matches!(it, Change::Left { presence: Presence::Deleted, .. })));

    // A decision that rests on an older row is not made.
    let stale = world.row(boris).await;
    world.change(boris, |row| row.enabled = false).await;
    let late = people::update(
        &stale,
        EmbeddedObject { name: "b".to_owned(), ..stale.clone() },
        &world.cause(),
        world.ids(),
    );
    let error = world.store.commit(late.expect("it may be")).await.expect_err("it has moved");
    assert!(matches!(error, CommitError::Conflict(Conflict::Moved { .. })), "{error}");

    // Another workspace has numbers of its own, and sees nothing of this one.
    let other = World { store: world.store.clone(), ..World::new(world.store.clone()) };
    let other = World { workspace: WorkspaceId::fresh(now(), &SeededEntropy::new(99)), ..other };
    assert_eq!(other.told(None).await, (Vec::new(), Watermark("embedded:0".to_owned())));
    for wrong in ["scim:1", "embedded:999999", ""] {
        let error =
            world.source().read(Some(&Watermark(wrong.to_owned()))).await.expect_err("it is not ours");
        assert_eq!(error.kind, SourceErrorKind::Expired, "{wrong}");
    }
    let _ = mark;
}

/// Reading one change costs the same among many: rows are counted, for clocks lie on busy machines.
async fn one_change_among_many(world: World) {
    let team = world.add(ObjectKind::Group, "Everybody").await;
    let mut set = ChangeSet::new(world.workspace);
    let mut everybody = Vec::new();
    for number in 0..3_000 {
        let object = world.object(ObjectKind::User, &format!("p{number}@quarry.example"));
        everybody.push(object.id);
        set.append(people::add(object, &world.cause(), world.ids()).expect("it may be"));
    }
    world.commit(set).await;
    world.seats(team, &everybody, &[]).await;
    let (all, mark) = world.told(None).await;
    assert_eq!(all.len(), 3_001);
    world.change(everybody[7], |row| row.enabled = false).await;
    world.seats(team, &[], &everybody[9..10]).await;
    let (told, _) = world.told(Some(&mark)).await;
    assert_eq!(told.len(), 2);
    let delta = Members::Delta { added: vec![], removed: vec![entry(everybody[9])] };
    assert_eq!(present(&told[1]).1, Some(&delta));
}

fn sqlite() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open_sqlite(folder.path().join("latchkey.db"), Options::default()).expect("it opens");
    (folder, World::new(store))
}

async fn postgres() -> (Database, World) {
    let database = Database::create().await;
    let store = Store::connect_postgres(database.url(), Options::default()).await.expect("it connects");
    (database, World::new(store))
}

#[tokio::test]
async fn the_directory_tells_what_changed_on_sqlite() {
    let (_folder, world) = sqlite();
    story(world).await;
}

#[tokio::test]
async fn the_directory_tells_what_changed_on_postgres() {
    let (_database, world) = postgres().await;
    story(world).await;
}

#[tokio::test]
async fn one_change_is_told_as_one_on_sqlite() {
    let (_folder, world) = sqlite();
    one_change_among_many(world).await;
}

#[tokio::test]
async fn one_change_is_told_as_one_on_postgres() {
    let (_database, world) = postgres().await;
    one_change_among_many(world).await;
}
