//! A whole database as a stream: out of either kind, into either kind, the same at the end.

use std::io::Cursor;

use latchkey_access::exposure::ExposureKind;
use latchkey_access::member::Version;
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_access::{Change, Collection, GrantObject};
use latchkey_store::snapshot::{Manifest, SnapshotError, examine, restore_to_postgres, restore_to_sqlite};
use latchkey_store::{Options, Store, Verdict};
use latchkey_testkit::postgres::Database;

use crate::operations::flight;
use crate::world::{World, put, to};
use crate::{on_both, secrets};

/// Something in most tables, with texts and bytes of every sort.
async fn fill(world: &World) {
    let ana = world.member("ana").await;
    let odd = world.member("Zoë 🔑 'quoted' \"\\\t").await;
    let emails = Change::MemberEmailsSet { member_id: ana.id, keys: vec!["a@b.example".to_owned()] };
    let team = world.team("Ops", &[&ana]).await;
    // The one above has the later id, so that rows come before those that they refer to.
    let below = world.collection("below", None).await;
    let above = world.collection("above", None).await;
    let moved = Collection { parent_id: Some(above.id), version: Version(2), ..below.clone() };
    let moved = Change::CollectionUpdate { collection: moved, expect: Version(1) };
    world.commit_all([emails, put(&team, &odd), moved]).await.unwrap();
    let account = world.account("mail", |account| account.collection_id = Some(below.id)).await;
    world.grant(to(&ana), GrantObject::Account(account.id)).await;
    secrets::keyed(world, 1).await;
    let secret = secrets::secret(world, &account, SecretKind::Password).await;
    secrets::version(world, &secret, 1, VersionState::Retired).await;
    secrets::version(world, &secret, 2, VersionState::Current).await;
    let seen = secrets::event(world, &account, Some(&ana), ExposureKind::Reveal);
    world.commit(Change::ExposureEventInsert(seen)).await.unwrap();
    world.commit(Change::TokenInsert(world.token_row(200, Some(&ana)))).await.unwrap();
    world.commit(Change::OutboxInsert(world.effect_row("k", None))).await.unwrap();
    let flights = vec![flight(world, Verdict::Accepted, true), flight(world, Verdict::Accepted, false)];
    world.store.flight_record(flights).await.unwrap();
    let mut set = world.set([]);
    set.audit.extend([world.record("a.done"), world.record("b.done")]);
    world.store.commit(set).await.unwrap();
    world.store.audit_seal(world.now(), 100).await.unwrap();
}

async fn taken(store: &Store) -> (Manifest, Vec<u8>) {
    store.snapshot(Vec::new()).await.unwrap()
}

on_both! {
    async fn a_snapshot_restores_into_either_database_as_it_was(world: World) {
        fill(world).await;
        let (manifest, stream) = taken(&world.store).await;
        assert_eq!(examine(Cursor::new(&stream)).unwrap(), manifest);
        let filled = manifest.tables.values().filter(|table| table.rows > 0).count();
        assert!(filled >= 17, "{manifest:?}");

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latchkey.db");
        assert_eq!(restore_to_sqlite(&file, Cursor::new(&stream)).unwrap(), manifest);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
        let restored = Store::open_sqlite(&file, Options::default()).unwrap();
        assert!(taken(&restored).await == (manifest.clone(), stream.clone()), "byte for byte");
        assert_eq!(restored.audit_verify(world.ws).await.unwrap().breaks, []);

        let database = Database::create().await;
        let found = restore_to_postgres(database.url(), Cursor::new(stream.clone())).await.unwrap();
        assert_eq!(found, manifest);
        let restored = Store::connect_postgres(database.url(), Options::default()).await.unwrap();
        assert!(taken(&restored).await == (manifest, stream), "byte for byte");
        assert_eq!(restored.audit_verify(world.ws).await.unwrap().breaks, []);
        // The links between tables are there again.
        let nobody = world.grant_row(to(&world.member_row("nobody")), GrantObject::Account(world.id(latchkey_kernel::id::AccountId::fresh)));
        assert!(restored.commit(world.set([Change::GrantInsert(nobody)])).await.is_err());
    }

    async fn what_is_there_is_never_written_over(world: World) {
        let (_, stream) = taken(&world.store).await;
        let done = match &world.place {
            crate::world::Place::File(_) => restore_to_sqlite(&world.file(), Cursor::new(stream.clone())),
            crate::world::Place::Server(database) => restore_to_postgres(database.url(), Cursor::new(stream.clone())).await,
        };
        assert!(matches!(done, Err(SnapshotError::NotEmpty { .. })), "{done:?}");
        assert!(taken(&world.store).await.1 == stream, "nothing has changed");
    }

    async fn a_stream_that_is_altered_or_cut_restores_nothing(world: World) {
        fill(world).await;
        let (_, stream) = taken(&world.store).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latchkey.db");
        let database = Database::create().await;
        let text = stream.windows(4).position(|part| part == b"mail").unwrap();
        let mut altered = stream.clone();
        altered[text] ^= 1;
        let mut newer = stream.clone();
        newer[15] = 99;
        for bad in [altered, newer, stream[..stream.len() / 2].to_vec(), stream[..stream.len() - 1].to_vec(), Vec::new()] {
            let length = bad.len();
            assert!(examine(Cursor::new(&bad)).is_err() || bad[15] == 99, "{length}");
            assert!(restore_to_sqlite(&file, Cursor::new(&bad)).is_err(), "{length}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays");
            assert!(restore_to_postgres(database.url(), Cursor::new(bad)).await.is_err(), "{length}");
        }
        restore_to_postgres(database.url(), Cursor::new(stream)).await.unwrap();
    }

    async fn a_snapshot_is_of_one_instant_while_others_write(world: World) {
        fill(world).await;
        let team = world.team("Growing", &[]).await;
        let other = world.another().await;
        let writing = async {
            for number in 0..40 {
                // Each with its membership in the same commit.
                let member = world.member_row(&format!("m{number}"));
                let set = world.set([Change::MemberInsert(member.clone()), put(&team, &member)]);
                world.store.commit(set).await.unwrap();
            }
        };
        let reading = async {
            let mut all = Vec::new();
            for _ in 0..6 {
                all.push(taken(&other).await.1);
            }
            all
        };
        let ((), all) = tokio::join!(writing, reading);
        for stream in all {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("latchkey.db");
            restore_to_sqlite(&file, Cursor::new(&stream)).unwrap();
            let restored = rusqlite::Connection::open(&file).unwrap();
            let apart: i64 = restored.query_row(
                "select count(*) from member m where m.user_name like 'm%' and not exists \
                 (select 1 from membership s where s.member_id = m.id)", [], |row| row.get(0)).unwrap();
            assert_eq!(apart, 0);
        }
    }
}
