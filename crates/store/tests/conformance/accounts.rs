//! Collections, accounts, grants and who knows what.

use latchkey_access::exposure::{Exposure, ExposureKind};
use latchkey_access::member::Version;
use latchkey_access::{Account, Change, Collection, GrantObject, GrantSubject, OwnerFlag};
use latchkey_kernel::id::{AccountId, CollectionId, GrantId, MemberId};
use latchkey_store::{Conflict, GrantFilter};

use crate::on_both;
use crate::world::to;

on_both! {
    async fn a_collection_knows_its_line_and_goes_only_when_empty(world: World) {
        let root = world.collection("root", None).await;
        let mid = world.collection("mid", Some(root.id)).await;
        let leaf = world.collection("leaf", Some(mid.id)).await;
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(store.collection_ancestors(ws, leaf.id).await.unwrap(), [leaf.clone(), mid.clone(), root.clone()]);
        assert_eq!(store.collection_descendants(ws, root.id).await.unwrap(), [root.clone(), mid.clone(), leaf.clone()]);
        assert_eq!(store.collection_page(ws, Some(root.id), 1).await.unwrap(), std::slice::from_ref(&mid));
        assert_eq!(store.collection_get(ws, leaf.id).await.unwrap(), Some(leaf.clone()));
        let account = world.account("x", |a| a.collection_id = Some(leaf.id)).await;
        assert_eq!(store.accounts_of_collection(ws, leaf.id).await.unwrap(), std::slice::from_ref(&account));
        let delete = |c: &Collection, expect| Change::CollectionDelete { collection_id: c.id, expect };
        assert_eq!(world.commit(delete(&mid, Version(1))).await, Err(Conflict::InUse { what: "collection" }));
        assert_eq!(world.commit(delete(&leaf, Version(1))).await, Err(Conflict::InUse { what: "collection" }));
        let ada = world.member("ada").await;
        let grant = world.grant(to(&ada), GrantObject::Collection(leaf.id)).await;
        world.commit(Change::AccountDelete { account_id: account.id, expect: Version(1) }).await.unwrap();
        world.commit(Change::CollectionTouch { collection_id: leaf.id, expect: Version(1) }).await.unwrap();
        assert_eq!(world.commit(delete(&leaf, Version(1))).await, Err(Conflict::Moved { what: "collection" }));
        world.commit(delete(&leaf, Version(2))).await.unwrap();
        assert_eq!(store.grant_get(ws, grant.id).await.unwrap(), None, "the grants on it go too");
        let orphan = Collection { id: world.id(CollectionId::fresh), parent_id: Some(leaf.id), ..leaf.clone() };
        assert_eq!(world.commit(Change::CollectionInsert(orphan)).await, Err(Conflict::Missing { what: "collection" }));
        let moved = Collection { parent_id: None, name: "up".to_owned(), version: Version(2), ..mid.clone() };
        world.commit(Change::CollectionUpdate { collection: moved.clone(), expect: Version(1) }).await.unwrap();
        assert_eq!(store.collection_ancestors(ws, mid.id).await.unwrap(), [moved]);
    }

    async fn an_account_refers_only_to_what_is_there(world: World) {
        let ada = world.member("ada").await;
        let account = world.account("x", |a| {
            a.owner_id = Some(ada.id);
            a.owner_flag = Some(OwnerFlag::Inherited);
            a.successor_id = Some(ada.id);
            a.url = Some("https://x".to_owned());
        }).await;
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(store.account_get(ws, account.id).await.unwrap(), Some(account.clone()));
        assert_eq!(store.account_page(ws, None, 5).await.unwrap(), std::slice::from_ref(&account));
        assert_eq!(store.account_page(ws, Some(account.id), 5).await.unwrap(), []);
        assert_eq!(store.account_list_by_ids(ws, &[account.id]).await.unwrap(), std::slice::from_ref(&account));
        assert_eq!(store.accounts_owned(ws, ada.id).await.unwrap(), std::slice::from_ref(&account));
        let missing = Err(Conflict::Missing { what: "account" });
        let bad = Account { id: world.id(AccountId::fresh), collection_id: Some(world.id(CollectionId::fresh)), ..account.clone() };
        assert_eq!(world.commit(Change::AccountInsert(bad)).await, missing);
        let bad = Account { owner_id: Some(world.id(MemberId::fresh)), version: Version(2), ..account.clone() };
        assert_eq!(world.commit(Change::AccountUpdate { account: bad, expect: Version(1) }).await, missing);
        let good = Account { secret_generation: 2, version: Version(2), ..account.clone() };
        let update = Change::AccountUpdate { account: good.clone(), expect: Version(1) };
        world.commit(update.clone()).await.unwrap();
        assert_eq!(world.commit(update).await, Err(Conflict::Moved { what: "account" }));
        assert_eq!(store.account_get(ws, account.id).await.unwrap(), Some(good));
    }

    async fn an_account_is_handed_over_only_by_who_still_owns_it(world: World) {
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let account = world.account("x", |a| a.owner_id = Some(ada.id)).await;
        let at = world.now();
        let over = Change::AccountHandOver {
            account_id: account.id, from: ada.id, to: Some(bob.id), flag: Some(OwnerFlag::Inherited), at,
        };
        for _ in 0..2 {
            world.commit(over.clone()).await.unwrap();
            let now = world.store.account_get(world.ws, account.id).await.unwrap().unwrap();
            assert_eq!((now.owner_id, now.owner_flag), (Some(bob.id), Some(OwnerFlag::Inherited)));
            assert_eq!((now.version, now.modified_at), (Version(2), at), "the second changes nothing");
        }
    }

    async fn a_grant_needs_its_subject_and_its_object(world: World) {
        let ada = world.member("ada").await;
        let team = world.team("eng", &[]).await;
        let (account, folder) = (world.account("x", |_| {}).await, world.collection("c", None).await);
        let (ws, store) = (world.ws, &world.store);
        let mut given = Vec::new();
        for subject in [to(&ada), GrantSubject::Team(team.id)] {
            for object in [GrantObject::Account(account.id), GrantObject::Collection(folder.id)] {
                given.push(world.grant(subject, object).await);
            }
        }
        for grant in &given {
            assert_eq!(store.grant_get(ws, grant.id).await.unwrap().as_ref(), Some(grant));
        }
        let missing = Err(Conflict::Missing { what: "grant" });
        for (subject, object) in [
            (GrantSubject::Member(world.id(MemberId::fresh), ada.access_epoch), given[0].object),
            (GrantSubject::Team(world.id(latchkey_kernel::id::TeamId::fresh)), given[0].object),
            (to(&ada), GrantObject::Account(world.id(AccountId::fresh))),
            (to(&ada), GrantObject::Collection(world.id(CollectionId::fresh))),
        ] {
            assert_eq!(world.commit(Change::GrantInsert(world.grant_row(subject, object))).await, missing);
        }
        assert_eq!(world.commit(Change::GrantDelete { grant_id: world.id(GrantId::fresh) }).await, missing);
        let end = Some(world.now());
        assert_eq!(world.commit(Change::GrantSetEnd { grant_id: world.id(GrantId::fresh), ends_at: end }).await, missing);
        world.commit(Change::GrantSetEnd { grant_id: given[0].id, ends_at: end }).await.unwrap();
        assert_eq!(store.grant_get(ws, given[0].id).await.unwrap().unwrap().ends_at, end);
        assert_eq!(world.footing(&ada).await.direct_grants, 2);
        let by = async |filter| {
            let rows = store.grant_page(ws, filter, None, 9).await.unwrap();
            rows.iter().map(|grant| given.iter().position(|g| g.id == grant.id).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(by(GrantFilter::default()).await, [0, 1, 2, 3]);
        assert_eq!(by(GrantFilter { member: Some(ada.id), ..GrantFilter::default() }).await, [0, 1]);
        assert_eq!(by(GrantFilter { team: Some(team.id), ..GrantFilter::default() }).await, [2, 3]);
        assert_eq!(by(GrantFilter { account: Some(account.id), ..GrantFilter::default() }).await, [0, 2]);
        assert_eq!(by(GrantFilter { collection: Some(folder.id), team: Some(team.id), ..GrantFilter::default() }).await, [3]);
        assert_eq!(store.grant_page(ws, GrantFilter::default(), Some(given[1].id), 1).await.unwrap()[0].id, given[2].id);
        world.commit(Change::GrantDelete { grant_id: given[0].id }).await.unwrap();
        world.commit(Change::AccountDelete { account_id: account.id, expect: Version(1) }).await.unwrap();
        world.commit(Change::TeamDelete { team_id: team.id, expect: Version(1) }).await.unwrap();
        assert_eq!(by(GrantFilter::default()).await, [1], "what a grant is on, and who has it, take it along");
    }

    async fn who_knows_a_password_is_kept_once_by_generation(world: World) {
        let ada = world.member("ada").await;
        let account = world.account("x", |_| {}).await;
        let seen = Exposure {
            account_id: account.id, member_id: ada.id, generation: 1, kind: ExposureKind::Declared, at: world.now(),
        };
        let (ws, store) = (world.ws, &world.store);
        world.commit(Change::ExposureInsert(seen.clone())).await.unwrap();
        let again = Exposure { kind: ExposureKind::Creator, ..seen.clone() };
        world.commit(Change::ExposureInsert(again)).await.unwrap();
        assert_eq!(world.footing(&ada).await.reached.exposures, std::slice::from_ref(&seen));
        let next = Account { secret_generation: 2, version: Version(2), ..account.clone() };
        world.commit(Change::AccountUpdate { account: next, expect: Version(1) }).await.unwrap();
        assert_eq!(world.footing(&ada).await.reached.exposures, [], "the password is another now");
        assert_eq!(store.exposures_of_account(ws, account.id).await.unwrap(), std::slice::from_ref(&seen));
        let nobody = Exposure { member_id: world.id(MemberId::fresh), ..seen.clone() };
        assert_eq!(world.commit(Change::ExposureInsert(nobody)).await, Err(Conflict::Missing { what: "exposure" }));
        world.commit(Change::AccountDelete { account_id: account.id, expect: Version(2) }).await.unwrap();
        assert_eq!(store.exposures_of_account(ws, account.id).await.unwrap(), []);
    }
}
