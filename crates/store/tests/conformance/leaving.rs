//! Offboarding: cut by condition, kept in a case; and the outbox.

use std::time::Duration;

use latchkey_access::exposure::{Exposure, ExposureKind};
use latchkey_access::member::Version;
use latchkey_access::offboarding::{CaseItem, CaseState, ItemDecision, OffboardingCase};
use latchkey_access::outbox::{EffectKind, EffectState, OutboxEvent};
use latchkey_access::{Account, Change, Epoch, GrantObject, GrantSubject, OwnerFlag, Token};
use latchkey_kernel::id::{CaseId, OutboxId};
use latchkey_store::{Conflict, OutboxFilter, UniqueKey};

use crate::on_both;
use crate::world::to;

on_both! {
    async fn a_leaver_is_cut_off_by_condition(world: World) {
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let team = world.team("eng", &[&ada]).await;
        let owned = world.account("owned", |a| { a.owner_id = Some(ada.id); a.successor_id = Some(ada.id); }).await;
        let heir = world.account("heir", |a| { a.owner_id = Some(bob.id); a.successor_id = Some(ada.id); }).await;
        let folder = world.collection("c", None).await;
        let direct = [
            world.grant(to(&ada), GrantObject::Account(owned.id)).await,
            world.grant(to(&ada), GrantObject::Collection(folder.id)).await,
        ];
        let others = [
            world.grant(to(&bob), GrantObject::Account(owned.id)).await,
            world.grant(GrantSubject::Team(team.id), GrantObject::Account(owned.id)).await,
        ];
        let early = world.now();
        let over = Token { valid_until: Some(early), ..world.token_row(1, Some(&ada)) };
        let later = Token { valid_until: Some(early.plus(Duration::from_secs(9_000))), ..world.token_row(2, Some(&ada)) };
        let (open, scim) = (world.token_row(3, Some(&ada)), world.token_row(4, None));
        for token in [&over, &later, &open, &scim] {
            world.commit(Change::TokenInsert(token.clone())).await.unwrap();
        }
        let case = world.case_row(&ada);
        let at = world.now();
        let cut = Change::MemberCutOff { member_id: ada.id, case_id: case.id, at };
        assert_eq!(world.commit(cut.clone()).await, Err(Conflict::Missing { what: "case" }), "it needs its case");
        world.commit_all([Change::CaseInsert(case.clone()), cut]).await.unwrap();
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(world.grants_of(&ada).await, 0);
        assert_eq!(store.case_removed_grants(ws, case.id).await.unwrap(), direct);
        for grant in &others {
            assert!(store.grant_get(ws, grant.id).await.unwrap().is_some(), "others keep theirs");
        }
        let validity = async |token: &Token| {
            let now = store.token_get(ws, token.id).await.unwrap().unwrap();
            (now.valid_until, now.revoked_at)
        };
        assert_eq!(validity(&over).await, (Some(early), None), "over before");
        assert_eq!(validity(&later).await, (Some(at), Some(at)));
        assert_eq!(validity(&open).await, (Some(at), Some(at)));
        assert_eq!(validity(&scim).await, (None, None));
        let now = store.account_get(ws, owned.id).await.unwrap().unwrap();
        assert_eq!((now.owner_id, now.owner_flag, now.successor_id), (None, Some(OwnerFlag::Orphaned), None));
        assert_eq!((now.version, now.modified_at), (Version(3), at), "once for each of the two");
        let now = store.account_get(ws, heir.id).await.unwrap().unwrap();
        assert_eq!((now.owner_id, now.successor_id, now.version), (Some(bob.id), None, Version(2)));
    }

    async fn a_leaver_has_just_what_the_decision_rested_on(world: World) {
        let ada = world.member("ada").await;
        let account = world.account("x", |a| a.owner_id = Some(ada.id)).await;
        let other = world.account("y", |_| {}).await;
        world.grant(to(&ada), GrantObject::Account(other.id)).await;
        for (account_id, generation) in [(account.id, 1), (other.id, 7)] {
            let kind = ExposureKind::Declared;
            let seen = Exposure { account_id, member_id: ada.id, generation, kind, at: world.now() };
            world.commit(Change::ExposureInsert(seen)).await.unwrap();
        }
        let expect = |direct_grants, owned_accounts, exposures| {
            Change::LeaverExpect { member_id: ada.id, direct_grants, owned_accounts, exposures }
        };
        world.commit(expect(1, 1, 1)).await.unwrap();
        for wrong in [expect(0, 1, 1), expect(1, 2, 1), expect(1, 1, 2)] {
            assert_eq!(world.commit(wrong).await, Err(Conflict::Moved { what: "member" }));
        }
    }

    async fn who_is_expected_to_hold_nothing_is_cut_off_all_the_same(world: World) {
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let account = world.account("x", |a| a.owner_id = Some(bob.id)).await;
        let nothing = |member_id| {
            Change::LeaverExpect { member_id, direct_grants: 0, owned_accounts: 0, exposures: 0 }
        };
        let cut = |case: &OffboardingCase, at| {
            Change::MemberCutOff { member_id: case.member_id, case_id: case.id, at }
        };
        // Given something behind the expectation.
        let case = world.case_row(&ada);
        let grant = Change::GrantInsert(world.grant_row(to(&ada), GrantObject::Account(account.id)));
        let own = Account { owner_id: Some(ada.id), version: Version(2), ..account.clone() };
        let own = Change::AccountUpdate { account: own, expect: Version(1) };
        let open = world.token_row(1, Some(&ada));
        world.commit(Change::TokenInsert(open.clone())).await.unwrap();
        let at = world.now();
        world.commit_all([nothing(ada.id), grant, own, Change::CaseInsert(case.clone()), cut(&case, at)]).await.unwrap();
        assert_eq!(world.grants_of(&ada).await, 0);
        assert_eq!(world.store.account_get(world.ws, account.id).await.unwrap().unwrap().owner_id, None);
        assert_eq!(world.store.token_get(world.ws, open.id).await.unwrap().unwrap().revoked_at, Some(at));
        // Somebody else is expected to hold nothing.
        world.grant(to(&bob), GrantObject::Account(account.id)).await;
        let case = world.case_row(&bob);
        let at = world.now();
        world.commit_all([nothing(ada.id), Change::CaseInsert(case.clone()), cut(&case, at)]).await.unwrap();
        assert_eq!(world.grants_of(&bob).await, 0);
        // Who does hold nothing loses what the expectation does not speak of.
        let cyd = world.member("cyd").await;
        let heir = world.account("heir", |a| a.successor_id = Some(cyd.id)).await;
        let open = world.token_row(2, Some(&cyd));
        world.commit(Change::TokenInsert(open.clone())).await.unwrap();
        let case = world.case_row(&cyd);
        let at = world.now();
        world.commit_all([nothing(cyd.id), Change::CaseInsert(case.clone()), cut(&case, at)]).await.unwrap();
        assert_eq!(world.store.token_get(world.ws, open.id).await.unwrap().unwrap().revoked_at, Some(at));
        assert_eq!(world.store.account_get(world.ws, heir.id).await.unwrap().unwrap().successor_id, None);
    }

    async fn a_case_is_one_for_member_and_epoch(world: World) {
        let ada = world.member("ada").await;
        let case = world.case_row(&ada);
        world.commit(Change::CaseInsert(case.clone())).await.unwrap();
        let twin = OffboardingCase { id: world.id(CaseId::fresh), ..case.clone() };
        assert_eq!(world.commit(Change::CaseInsert(twin)).await, Err(Conflict::Unique(UniqueKey::CaseOfEpoch)));
        let second = OffboardingCase { epoch: Epoch(2), state: CaseState::Held, ..world.case_row(&ada) };
        world.commit(Change::CaseInsert(second.clone())).await.unwrap();
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(store.case_get(ws, case.id).await.unwrap(), Some(case.clone()));
        assert_eq!(store.case_of_epoch(ws, ada.id, Epoch(1)).await.unwrap(), Some(case.clone()));
        assert_eq!(store.case_of_member_last(ws, ada.id).await.unwrap(), Some(second.clone()));
        let ids = |rows: Vec<OffboardingCase>| rows.into_iter().map(|c| c.id).collect::<Vec<_>>();
        assert_eq!(ids(store.case_page(ws, None, None, 9).await.unwrap()), [second.id, case.id]);
        assert_eq!(ids(store.case_page(ws, None, Some(second.id), 9).await.unwrap()), [case.id]);
        assert_eq!(ids(store.case_page(ws, Some(CaseState::Held), None, 9).await.unwrap()), [second.id]);
        assert_eq!(ids(store.case_page(ws, Some(CaseState::Held), Some(second.id), 9).await.unwrap()), []);
        assert_eq!(ids(store.cases_held(second.cut_at, 9).await.unwrap()), [second.id]);
        assert_eq!(ids(store.cases_held(case.cut_at, 9).await.unwrap()), []);
        assert_eq!(store.leaver_count(ws, case.cut_at, 9).await.unwrap(), 2);
        assert_eq!(store.leaver_count(ws, second.cut_at, 9).await.unwrap(), 1);
        assert_eq!(store.leaver_count(ws, case.cut_at, 1).await.unwrap(), 1, "no further than asked");
        let step = Change::CaseSetState { case_id: second.id, from: CaseState::Held, to: CaseState::Open };
        world.commit(step.clone()).await.unwrap();
        assert_eq!(world.commit(step).await, Err(Conflict::Moved { what: "case" }));
    }

    async fn a_case_keeps_its_items_when_the_account_goes(world: World) {
        let ada = world.member("ada").await;
        let account = world.account("x", |_| {}).await;
        let case = world.case_row(&ada);
        let item = CaseItem {
            case_id: case.id, account_id: account.id, account_name: "x".to_owned(), decision: ItemDecision::Rotate,
            rule: "privileged_and_known", evidence: serde_json::json!({ "ways": [] }),
        };
        world.commit_all([Change::CaseInsert(case.clone()), Change::CaseItemInsert(item)]).await.unwrap();
        world.commit(Change::AccountDelete { account_id: account.id, expect: Version(1) }).await.unwrap();
        let items = world.store.case_items(world.ws, case.id).await.unwrap();
        assert_eq!((items.len(), &*items[0].rule, items[0].decision), (1, "privileged_and_known", ItemDecision::Rotate));
    }

    async fn an_effect_is_asked_for_once(world: World) {
        let first = world.effect_row("rotate:1", None);
        let second = OutboxEvent { priority: 1, ..world.effect_row("rotate:1", None) };
        world.commit_all([Change::OutboxInsert(first.clone()), Change::OutboxInsert(second.clone())]).await.unwrap();
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(store.outbox_page(ws, OutboxFilter::default(), None, 9).await.unwrap(), std::slice::from_ref(&first));
        assert_eq!(store.outbox_get(ws, first.id).await.unwrap(), Some(first.clone()));
        assert_eq!(store.outbox_get(ws, second.id).await.unwrap(), None);
        let done = Change::OutboxSetState { id: first.id, from: EffectState::Ready, to: EffectState::Done };
        world.commit(done.clone()).await.unwrap();
        assert_eq!(world.commit(done).await, Err(Conflict::Moved { what: "effect" }));
        let nobody = Change::OutboxSetState { id: world.id(OutboxId::fresh), from: EffectState::Ready, to: EffectState::Done };
        assert_eq!(world.commit(nobody).await, Err(Conflict::Moved { what: "effect" }));
        let ready = OutboxFilter { state: Some(EffectState::Ready), kind: None };
        assert_eq!(store.outbox_page(ws, ready, None, 9).await.unwrap(), []);
    }

    async fn the_rotations_of_a_case_move_together_and_notices_stay(world: World) {
        let ada = world.member("ada").await;
        let case = world.case_row(&ada);
        let held = |key: &str| OutboxEvent { state: EffectState::Held, ..world.effect_row(key, Some(case.id)) };
        let (a, b) = (held("a"), held("b"));
        let notice = OutboxEvent { kind: EffectKind::Notice, ..held("n") };
        let other = OutboxEvent { state: EffectState::Held, ..world.effect_row("o", None) };
        let mut changes = vec![Change::CaseInsert(case.clone())];
        changes.extend([&a, &b, &notice, &other].map(|e| Change::OutboxInsert(e.clone())));
        world.commit_all(changes).await.unwrap();
        let at = world.now();
        let go = Change::OutboxSetStateOfCase { case_id: case.id, from: EffectState::Held, to: EffectState::Ready, at };
        world.commit(go).await.unwrap();
        let now = async |e: &OutboxEvent| world.store.outbox_get(world.ws, e.id).await.unwrap().unwrap();
        assert_eq!((now(&a).await.state, now(&a).await.due_at), (EffectState::Ready, at));
        assert_eq!(now(&b).await.state, EffectState::Ready);
        assert_eq!(now(&notice).await, notice);
        assert_eq!(now(&other).await, other);
        let stop = Change::OutboxSetStateOfCase { case_id: case.id, from: EffectState::Ready, to: EffectState::Cancelled, at: world.now() };
        world.commit(stop).await.unwrap();
        assert_eq!((now(&a).await.state, now(&a).await.due_at), (EffectState::Cancelled, at), "due only when ready");
        assert_eq!(world.store.outbox_of_case(world.ws, case.id).await.unwrap().len(), 3);
    }

    async fn a_claimed_effect_is_nobody_elses_until_the_lease_is_over(world: World) {
        let mut rows = Vec::new();
        for (key, priority) in [("late", 9), ("soon", 1), ("mid", 5)] {
            let row = OutboxEvent { priority, ..world.effect_row(key, None) };
            world.commit(Change::OutboxInsert(row.clone())).await.unwrap();
            rows.push(row);
        }
        let later = OutboxEvent { due_at: world.now().plus(Duration::from_secs(100)), ..world.effect_row("later", None) };
        world.commit(Change::OutboxInsert(later)).await.unwrap();
        let (now, lease) = (world.now(), Duration::from_secs(60));
        let claim = async |at, limit| {
            let taken = world.store.outbox_claim(world.ws, EffectKind::Rotation, at, lease, limit).await.unwrap();
            taken.into_iter().map(|event| event.key).collect::<Vec<_>>()
        };
        assert_eq!(claim(now, 2).await, ["soon", "mid"]);
        assert_eq!(claim(now, 9).await, ["late"]);
        assert_eq!(claim(now, 9).await, [""; 0]);
        let soon = Change::OutboxSetState { id: rows[1].id, from: EffectState::Ready, to: EffectState::Done };
        world.commit(soon).await.unwrap();
        assert_eq!(claim(now.plus(lease), 9).await, ["mid", "late"], "what was not done is given out again");
    }
}
