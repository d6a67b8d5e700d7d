//! Tokens and their cache, the flight recorder, other processes, and a database that goes away.

use std::time::{Duration, Instant};

use latchkey_access::member::MemberState;
use latchkey_access::{Change, Role, Token};
use latchkey_kernel::id::{FlightId, RequestId, TokenId};
use latchkey_store::{
    CommitError, Conflict, FlightEntry, FlightFilter, Options, Store, StoreError, TokenUse, UniqueKey,
    Verdict, Where,
};

use latchkey_testkit::postgres::{Database, Durability, Postgres};

use crate::on_both;
use crate::world::{Place, World, updated};

pub(crate) fn flight(world: &World, verdict: Verdict, mutating: bool) -> FlightEntry {
    FlightEntry {
        workspace_id: world.ws,
        id: world.id(FlightId::fresh),
        at: world.now(),
        token_id: world.id(TokenId::fresh),
        request_id: world.id(RequestId::fresh),
        method: "PATCH".to_owned(),
        path: "/Users/1".to_owned(),
        status: 200,
        verdict,
        mutating,
        micros: 1_234,
        address: "127.0.0.1".to_owned(),
        agent: None,
        detail: serde_json::json!({ "effects": [] }),
    }
}

/// Waits until `condition` holds; a test that waits in vain has failed.
async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

on_both! {
    async fn a_login_finds_the_token_with_its_member_as_it_is_now(world: World) {
        let ada = world.member("ada").await;
        let (api, scim) = (world.token_row(1, Some(&ada)), world.token_row(2, None));
        for token in [&api, &scim] {
            world.commit(Change::TokenInsert(token.clone())).await.unwrap();
        }
        let store = &world.store;
        let login = store.token_by_hash([1; 32]).await.unwrap().unwrap();
        assert_eq!((login.token, login.member), (api.clone(), Some((ada.standing(), Role::User))));
        assert_eq!(store.token_by_hash([2; 32]).await.unwrap().unwrap().member, None);
        assert_eq!(store.token_by_hash([3; 32]).await.unwrap(), None);
        let admin = world.update(&ada, |m| m.role = Role::Admin).await;
        assert_eq!(store.token_by_hash([1; 32]).await.unwrap().unwrap().member.unwrap().1, Role::Admin, "at once");
        world.update(&admin, |m| m.state = MemberState::Inactive).await;
        let standing = store.token_by_hash([1; 32]).await.unwrap().unwrap().member.unwrap().0;
        assert!(!standing.is_active());
        assert_eq!(store.token_get(world.ws, api.id).await.unwrap(), Some(api.clone()));
        assert_eq!(store.token_list(world.ws).await.unwrap(), [scim, api]);
        let twin = Token { id: world.id(TokenId::fresh), ..world.token_row(1, None) };
        assert_eq!(world.commit(Change::TokenInsert(twin)).await, Err(Conflict::Unique(UniqueKey::TokenHash)));
    }

    async fn a_token_is_revoked_at_the_earlier_of_two_times(world: World) {
        let token = world.token_row(1, None);
        world.commit(Change::TokenInsert(token.clone())).await.unwrap();
        world.store.token_by_hash([1; 32]).await.unwrap();
        let (first, at) = (world.now().plus(Duration::from_secs(60)), world.now());
        for (valid_until, expected) in [(first.plus(Duration::from_secs(9)), first.plus(Duration::from_secs(9))), (first, first), (first.plus(Duration::from_secs(5)), first)] {
            world.commit(Change::TokenRevoke { token_id: token.id, valid_until, at: world.now() }).await.unwrap();
            let now = world.store.token_by_hash([1; 32]).await.unwrap().unwrap().token;
            assert_eq!(now.valid_until, Some(expected));
            assert!(now.revoked_at > Some(at));
        }
        let nobody = Change::TokenRevoke { token_id: world.id(TokenId::fresh), valid_until: at, at };
        assert_eq!(world.commit(nobody).await, Err(Conflict::Missing { what: "token" }));
    }

    async fn a_revocation_by_another_process_is_seen_within_a_second(world: World) {
        let ada = world.member("ada").await;
        let (api, scim) = (world.token_row(1, Some(&ada)), world.token_row(2, None));
        for token in [&api, &scim] {
            world.commit(Change::TokenInsert(token.clone())).await.unwrap();
        }
        let another = world.another().await;
        let (at, store) = (world.now(), &world.store);
        assert!(store.token_by_hash([2; 32]).await.unwrap().unwrap().token.valid_until.is_none());
        let mut set = world.set([Change::TokenRevoke { token_id: scim.id, valid_until: at, at }]);
        let start = Instant::now();
        another.commit(set).await.unwrap();
        eventually(async || store.token_by_hash([2; 32]).await.unwrap().unwrap().token.valid_until.is_some()).await;
        assert!(start.elapsed() < Duration::from_secs(2));
        assert!(store.token_by_hash([1; 32]).await.unwrap().unwrap().member.unwrap().0.is_active());
        set = world.set([updated(&ada, |m| m.state = MemberState::Inactive).0]);
        another.commit(set).await.unwrap();
        eventually(async || !store.token_by_hash([1; 32]).await.unwrap().unwrap().member.unwrap().0.is_active()).await;
    }

    async fn the_use_of_a_token_adds_up_and_the_last_one_is_told(world: World) {
        let token = world.token_row(1, None);
        world.commit(Change::TokenInsert(token.clone())).await.unwrap();
        let used = |at, address: &str, requests| TokenUse {
            workspace_id: world.ws, token_id: token.id, last_used_at: at, last_address: address.to_owned(), last_agent: None, requests,
        };
        let (early, late) = (world.now(), world.now());
        let gone = TokenUse { token_id: world.id(TokenId::fresh), ..used(late, "x", 1) };
        world.store.token_use_record(vec![used(late, "late", 3), gone]).await.unwrap();
        world.store.token_use_record(vec![used(early, "early", 4)]).await.unwrap();
        world.store.token_use_record(vec![]).await.unwrap();
        assert_eq!(world.store.token_uses(world.ws).await.unwrap(), [used(late, "late", 7)]);
    }

    async fn the_newest_flights_are_kept(world: World) {
        let rows: Vec<_> = (0..8).map(|n| flight(world, [Verdict::Accepted, Verdict::Refused][n % 2], n >= 4)).collect();
        world.store.flight_record(rows[..2].to_vec()).await.unwrap();
        world.store.flight_record(rows[2..].to_vec()).await.unwrap();
        let (ws, store) = (world.ws, &world.store);
        let list = async |filter| store.flight_list(ws, FlightFilter { limit: 9, ..filter }).await.unwrap();
        let newest: Vec<_> = rows[3..].iter().rev().cloned().collect();
        assert_eq!(list(FlightFilter::default()).await, newest, "five are kept");
        assert_eq!(store.flight_get(ws, rows[7].id).await.unwrap().as_ref(), Some(&rows[7]));
        assert_eq!(store.flight_get(ws, rows[0].id).await.unwrap(), None);
        assert_eq!(list(FlightFilter { verdict: Some(Verdict::Refused), ..FlightFilter::default() }).await.len(), 3);
        assert_eq!(list(FlightFilter { mutating: Some(false), ..FlightFilter::default() }).await, [rows[3].clone()]);
        assert_eq!(list(FlightFilter { after: Some(rows[5].id), ..FlightFilter::default() }).await, newest[3..]);
    }

    async fn two_processes_see_each_others_writes(world: World) {
        let another = world.another().await;
        for n in 0..20 {
            let store = if n % 2 == 0 { &world.store } else { &another };
            let row = world.member_row(&format!("m{n}"));
            store.commit(world.set([Change::MemberInsert(row.clone())])).await.unwrap();
            let reader = if n % 2 == 0 { &another } else { &world.store };
            assert_eq!(reader.member_get(world.ws, row.id).await.unwrap(), Some(row));
        }
        another.close().await.unwrap();
        assert_eq!(world.store.member_count(world.ws, &Where::Every).await.unwrap(), 20);
    }

    async fn a_closed_store_has_written_what_was_queued(world: World) {
        let sets: Vec<_> = (0..30).map(|n| world.set([Change::MemberInsert(world.member_row(&format!("m{n}")))])).collect();
        let commits = sets.into_iter().map(|set| { let store = world.store.clone(); tokio::spawn(async move { store.commit(set).await }) });
        let done: Vec<_> = futures_util::future::join_all(commits).await;
        world.store.close().await.unwrap();
        let acknowledged = done.into_iter().filter(|done| matches!(done, Ok(Ok(())))).count();
        let after = world.store.commit(world.set([Change::MemberInsert(world.member_row("late"))])).await;
        assert!(matches!(after, Err(CommitError::Store(StoreError::Closed))), "{after:?}");
        let another = world.another().await;
        assert_eq!(another.member_count(world.ws, &Where::Every).await.unwrap(), acknowledged as u64);
        if let Place::File(_) = &world.place {
            another.close().await.unwrap();
            assert!(!world.file().with_extension("db-wal").exists(), "no log is left beside the file");
        }
    }
}

#[test]
fn a_full_queue_is_told_at_once_sqlite() {
    latchkey_testkit::block_on(async {
        let world = World::sqlite().await;
        let options = Options { queue: 2, ..Options::default() };
        let store = Store::open_sqlite(world.file(), options).unwrap();
        // Somebody else writes for a while, so that the queue fills.
        let hand = rusqlite::Connection::open(world.file()).unwrap();
        hand.execute_batch("begin immediate").unwrap();
        let sets: Vec<_> =
            (0..300).map(|n| world.set([Change::MemberInsert(world.member_row(&format!("m{n}")))])).collect();
        let commits: Vec<_> = sets
            .into_iter()
            .map(|set| {
                let store = store.clone();
                tokio::spawn(async move { store.commit(set).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        hand.execute_batch("commit").unwrap();
        let (mut made, mut busy) = (0, 0);
        for commit in commits {
            match commit.await.unwrap() {
                Ok(()) => made += 1,
                Err(CommitError::Busy) => busy += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(made >= 2 && busy > 200, "{made} {busy}");
        assert_eq!(world.store.member_count(world.ws, &Where::Every).await.unwrap(), made);
    });
}

#[test]
fn lost_connections_are_made_anew_postgres() {
    latchkey_testkit::block_on(async {
        let world = World::postgres().await;
        let ada = world.member("ada").await;
        for round in 0..3 {
            world
                .by_hand(
                    "select pg_terminate_backend(pid) from pg_stat_activity \
                    where datname = current_database() and pid <> pg_backend_pid()",
                )
                .await;
            // A read is made again by itself.
            assert!(world.store.member_get(world.ws, ada.id).await.unwrap().is_some());
            eventually(async || {
                let row = world.member_row(&format!("m{round}"));
                match world.store.commit(world.set([Change::MemberInsert(row)])).await {
                    Ok(()) => true,
                    Err(CommitError::Store(StoreError::Unavailable(_))) => false,
                    Err(other) => panic!("{other:?}"),
                }
            })
            .await;
        }
        assert_eq!(world.store.member_count(world.ws, &Where::Every).await.unwrap(), 4);
    });
}

#[test]
fn a_database_that_was_killed_is_found_again_with_all_that_was_acknowledged_postgres() {
    latchkey_testkit::block_on(async {
        let start = || Postgres::create(Durability::On).unwrap();
        let mut server = tokio::task::spawn_blocking(start).await.unwrap();
        let database = Database::create_on(&server.url()).await.unwrap();
        let world = World::on(database).await;
        let mut acknowledged = 0;
        for round in 0..2 {
            for n in 0..10 {
                world.member(&format!("m{round}-{n}")).await;
                acknowledged += 1;
            }
            server.kill();
            let lost = world.store.member_count(world.ws, &Where::Every).await;
            assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
            let row = world.member_row(&format!("lost{round}"));
            let lost = world.store.commit(world.set([Change::MemberInsert(row)])).await;
            assert!(matches!(lost, Err(CommitError::Store(StoreError::Unavailable(_)))), "{lost:?}");
            server.start().unwrap();
            eventually(async || world.store.ping().await.is_ok()).await;
            assert_eq!(world.store.member_count(world.ws, &Where::Every).await.unwrap(), acknowledged);
        }
    });
}

#[test]
fn reads_and_commits_can_be_awaited_on_any_thread() {
    fn sendable<T: Send>(_: T) {}
    // Never polled: that it compiles is the claim.
    let _ = |world: &'static World| {
        sendable(world.store.commit(world.set([])));
        sendable(world.store.member_page(world.ws, &Where::Every, latchkey_store::Page::first(1)));
        sendable(world.store.audit_seal(world.now(), 1));
        sendable(world.store.token_by_hash([0; 32]));
    };
}
