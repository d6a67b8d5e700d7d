//! The ledger in memory and the one in the store, on both databases, do the same with the same writes.

use latchkey_cycles::{Ledger, LedgerError, MemoryLedger, StoredLedger};
use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_kernel::{SeededEntropy, Timestamp};
use latchkey_provisioning::ledger::{Digest, MemberRow, ObjectKey, ObjectRow, Trouble, Write};
use latchkey_provisioning::state::JobState;
use latchkey_provisioning::{EntryId, Kind, Link};
use latchkey_store::provisioning::job::JobRow;
use latchkey_store::{Options, Store};
use latchkey_testkit::postgres::Database;

const OBJECTS: usize = 6;

fn at(seconds: usize) -> Timestamp {
    Timestamp::from_micros(i64::try_from(seconds).unwrap_or(0) * 1_000_000)
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.coin().then(|| make(self))
    }

    fn key(&mut self) -> ObjectKey {
        ObjectKey::of(&id(self.below(OBJECTS)))
    }

    fn row(&mut self) -> ObjectRow {
        let number = self.below(OBJECTS);
        let kind = if number < 3 { Kind::User } else { Kind::Group };
        let link = self.maybe(|dice| Link {
            target_id: format!("t{}", dice.below(4)),
            managed: dice.coin(),
            fingerprint: dice.maybe(|_| [7; 32]),
        });
        let trouble = self.maybe(|dice| Trouble {
            first_failed: at(1),
            attempts: 3,
            next_attempt: at(dice.below(9)),
            code: "Timeout".to_owned(),
            message: "it's \"late\"".to_owned(),
            reference: dice.coin(),
        });
        ObjectRow {
            digest: self.maybe(|dice| Digest([u8::try_from(dice.below(9)).unwrap_or(0); 16])),
            members: self.maybe(|_| Digest([1; 16])),
            link,
            out: self.coin(),
            manager: self.maybe(Self::key),
            manager_sent: self.maybe(Self::key),
            manager_due: self.maybe(|dice| at(dice.below(9))),
            trouble,
            held: self.coin(),
            ..ObjectRow::new(id(number), kind, format!("Object {number}"))
        }
    }

    fn write(&mut self) -> Write {
        let (group, member, key) = (self.key(), self.key(), self.key());
        let now = at(self.below(9));
        match self.below(9) {
            0..3 => Write::Object(Box::new(self.row())),
            3 => Write::Forget(key),
            4 | 5 => {
                let (told, wanted) = (self.maybe(Self::coin), self.maybe(Self::coin));
                Write::Membership { group, member, told, wanted, at: now }
            }
            6 => {
                let (told, wanted, sent) = (self.coin(), self.coin(), self.coin());
                Write::Member(MemberRow { group, member, told, wanted, sent, due: self.maybe(|_| now) })
            }
            7 => Write::Unsent { key, at: self.maybe(|_| now) },
            _ => Write::Linked { key, at: now },
        }
    }
}

fn id(number: usize) -> EntryId {
    EntryId(format!("object-{number}"))
}

/// All that can be asked of a ledger.
async fn told(ledger: &impl Ledger) -> String {
    let mut told = Vec::new();
    let keys: Vec<ObjectKey> = (0..OBJECTS).map(|number| ObjectKey::of(&id(number))).collect();
    let mut objects = ledger.objects(&keys).await.expect("objects");
    objects.sort_by_key(|row| row.key);
    told.push(format!("{objects:#?}"));
    let (now, first) = (at(4), ledger.page(None, 2).await.expect("a page"));
    let after = first.last().map(|row| row.key);
    told.push(format!("{:?}", ledger.page(after, 3).await.expect("a page")));
    told.push(format!("{:?}", ledger.due_objects(now, None, 9).await.expect("due")));
    told.push(format!("{:?}", ledger.due_managers(now, after, 9).await.expect("due")));
    told.push(format!("{:?}", ledger.due_groups(now, None, 2).await.expect("due")));
    for key in keys {
        told.push(format!("{:?}", ledger.due_members(key, now, 9).await.expect("due")));
        told.push(format!("{:?}", ledger.members_of(key, None, 2).await.expect("members")));
        told.push(format!("{:?}", ledger.members_of(key, after, 9).await.expect("members")));
        told.push(format!("{:?}", ledger.groups_of(key).await.expect("groups")));
    }
    told.push(format!("{:?}", ledger.totals().await.expect("totals")));
    told.push(format!("{:?}", ledger.state().await.expect("state")));
    told.join("\n")
}

async fn taken(store: &Store) -> (JobRow, StoredLedger) {
    let entropy = SeededEntropy::new(5);
    let job = JobRow {
        workspace_id: WorkspaceId::fresh(at(1), &entropy),
        id: JobId::fresh(at(1), &entropy),
        name: "People".to_owned(),
        definition: "[job]".to_owned(),
        state: JobState::default(),
        runs_at: None,
        fence: 0,
        holder: None,
        leased_until: None,
        created_at: at(1),
        graph_schema: None,
        feed_seen: None,
    };
    store.provisioning_job_insert(&job).await.expect("the job");
    let key = (job.workspace_id, job.id);
    let taken = store.provisioning_job_take(key, at(1), at(9), "one").await.expect("it is asked for");
    let taken = taken.expect("it is free");
    let ledger = StoredLedger::new(store.clone(), taken.held());
    (taken, ledger)
}

async fn the_same(store: Store) {
    let (job, stored) = taken(&store).await;
    let memory = MemoryLedger::default();
    let mut dice = Dice(11);
    for step in 0..150 {
        let writes: Vec<Write> = (0..1 + dice.below(5)).map(|_| dice.write()).collect();
        memory.write(writes.clone()).await.expect("memory");
        stored.write(writes.clone()).await.expect("the store");
        let (one, other) = (told(&memory).await, told(&stored).await);
        assert!(one == other, "step {step}: {writes:#?}\n{one}\n{other}");
    }
    let copy = MemoryLedger::copy_of(&stored).await.expect("a copy");
    let (one, other) = (told(&copy).await, told(&stored).await);
    // Members of objects that have no row are not copied: nothing can be sent of them.
    assert_eq!(one.lines().take(40).collect::<Vec<_>>(), other.lines().take(40).collect::<Vec<_>>());

    let key = (job.workspace_id, job.id);
    let refused = store.provisioning_job_take(key, at(2), at(12), "two").await.expect("it is asked for");
    assert!(refused.is_none(), "the job is performed by somebody");
    let second = store.provisioning_job_take(key, at(10), at(20), "two").await.expect("it is asked for");
    let second = StoredLedger::new(store.clone(), second.expect("the lease ended").held());
    let before = told(&second).await;
    let lost = stored.write(vec![Write::Forget(ObjectKey::of(&id(1)))]).await;
    assert!(matches!(lost, Err(LedgerError::Lost)), "who lost the job writes nothing: {lost:?}");
    assert_eq!(told(&second).await, before);
    second.write(vec![Write::Forget(ObjectKey::of(&id(1)))]).await.expect("who has the job writes");
    store.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn ledgers_do_the_same_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open_sqlite(folder.path().join("latchkey.db"), Options::default()).expect("a store");
    the_same(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ledgers_do_the_same_on_postgres() {
    let database = Database::create().await;
    let store = Store::connect_postgres(database.url(), Options::default()).await.expect("a store");
    the_same(store).await;
}
