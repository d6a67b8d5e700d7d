//! What holds when many commit at the same time.

use std::sync::Arc;

use futures_util::future::join_all;
use latchkey_access::member::{MemberState, Version};
use latchkey_access::{Change, GrantObject, Role, Workspace};
use latchkey_store::{Conflict, UniqueKey, Where};

use crate::on_both;
use crate::world::{conflict, put, to, updated};

on_both! {
    async fn among_many_at_once_only_the_failing_ones_fail(world: World) {
        world.member("taken").await;
        let sets = (0..60).map(|n| {
            let name = if n % 3 == 0 { "taken".to_owned() } else { format!("m{n}") };
            let mut set = world.set([Change::MemberInsert(world.member_row(&name))]);
            set.audit.push(world.record("member.created"));
            set
        });
        let done = join_all(sets.map(|set| world.store.commit(set))).await;
        for (n, done) in done.into_iter().enumerate() {
            let expected = if n % 3 == 0 { Err(Conflict::Unique(UniqueKey::MemberUserName)) } else { Ok(()) };
            assert_eq!(conflict(done), expected, "{n}");
        }
        assert_eq!(world.store.member_count(world.ws, &Where::Every).await.unwrap(), 41);
        assert_eq!(world.audited().await, 40);
        assert_eq!(world.store.audit_verify(world.ws).await.unwrap().breaks, [], "none of what was refused is in the chain");
    }

    async fn a_grant_decided_before_an_offboarding_does_not_land_after_it(world: World) {
        let account = world.account("x", |_| {}).await;
        for round in 0..8 {
            let ada = world.member(&format!("ada{round}")).await;
            let grants = (0..12).map(|_| {
                let grant = world.grant_row(to(&ada), GrantObject::Account(account.id));
                let expect = Change::MemberExpect { member_id: ada.id, epoch: ada.access_epoch };
                world.set([expect, Change::GrantInsert(grant)])
            });
            let case = world.case_row(&ada);
            let (out, _) = updated(&ada, |m| { m.state = MemberState::Inactive; m.access_epoch = m.access_epoch.next(); });
            let cut = Change::MemberCutOff { member_id: ada.id, case_id: case.id, at: world.now() };
            let mut sets: Vec<_> = grants.collect();
            sets.insert(6, world.set([out, Change::CaseInsert(case.clone()), cut]));
            let done = join_all(sets.into_iter().map(|set| world.store.commit(set))).await;
            let made = done.into_iter().enumerate().filter(|(at, done)| *at != 6 && done.is_ok()).count();
            assert_eq!(world.grants_of(&ada).await, 0);
            let removed = world.store.case_removed_grants(world.ws, case.id).await.unwrap();
            assert_eq!(removed.len(), made, "each that was given before was taken and kept");
        }
    }

    async fn two_last_owners_do_not_leave_past_each_other(world: World) {
        let another = world.another().await;
        for round in 0..6 {
            let acme = world.store.workspace_get(world.ws).await.unwrap().unwrap();
            let mut leave = Vec::new();
            for name in ["a", "b"] {
                let row = world.member(&format!("{name}{round}")).await;
                let owner = world.update(&row, |m| m.role = Role::Owner).await;
                let next = Workspace { version: acme.version.next(), ..acme.clone() };
                let expect = acme.version;
                leave.push(world.set([
                    updated(&owner, |m| m.state = MemberState::Inactive).0,
                    Change::WorkspaceUpdate { workspace: next, expect },
                ]));
            }
            let (second, first) = (leave.pop().unwrap(), leave.pop().unwrap());
            let (first, second) = tokio::join!(world.store.commit(first), another.commit(second));
            let lost = Err(Conflict::Moved { what: "workspace" });
            let (first, second) = (conflict(first), conflict(second));
            assert!((first.is_ok() && second == lost) || (second.is_ok() && first == lost), "{first:?} {second:?}");
            assert_eq!(world.store.owners_active(world.ws, 9).await.unwrap().len(), 1 + round);
        }
    }

    async fn neighbours_in_one_team_do_not_conflict(world: World) {
        let another = Arc::new(world.another().await);
        let team = world.team("all", &[]).await;
        let mut rows = Vec::new();
        for n in 0..40 {
            rows.push(world.member(&format!("m{n}")).await);
        }
        let done = join_all(rows.iter().enumerate().map(|(n, row)| {
            let set = world.set([put(&team, row), Change::TeamTouch { team_id: team.id, at: world.now() }]);
            let store = if n % 2 == 0 { world.store.clone() } else { (*another).clone() };
            async move { store.commit(set).await }
        })).await;
        for done in done {
            conflict(done).unwrap();
        }
        assert_eq!(world.store.team_member_count(world.ws, team.id).await.unwrap(), 40);
        assert_eq!(world.store.team_get(world.ws, team.id).await.unwrap().unwrap().version, Version(41));
    }

    async fn members_who_are_put_in_and_leave_at_once_end_in_one_of_two_states(world: World) {
        let (red, blue) = (world.team("red", &[]).await, world.team("blue", &[]).await);
        for round in 0..8 {
            let ada = world.member(&format!("ada{round}")).await;
            let at = world.now();
            let gone = world.set([
                updated(&ada, |m| m.state = MemberState::Deleted).0,
                Change::MembershipDeleteAll { member_id: ada.id, at },
            ]);
            let into = |team: &latchkey_access::Team| {
                world.set([put(team, &ada), Change::TeamTouch { team_id: team.id, at }])
            };
            let (a, b, c) = tokio::join!(
                world.store.commit(into(&red)), world.store.commit(gone), world.store.commit(into(&blue)),
            );
            conflict(b).unwrap();
            for put in [a, c] {
                assert!(matches!(conflict(put), Ok(()) | Err(Conflict::Missing { what: "member" })));
            }
            assert_eq!(world.store.memberships_of_member(world.ws, ada.id).await.unwrap(), [], "nobody deleted is in a team");
        }
    }

    async fn effects_are_given_to_one_performer_each(world: World) {
        let another = world.another().await;
        let rows: Vec<_> = (0..30).map(|n| Change::OutboxInsert(world.effect_row(&format!("k{n}"), None))).collect();
        world.commit_all(rows).await.unwrap();
        let (now, lease) = (world.now(), std::time::Duration::from_secs(60));
        let claims = (0..10).map(|n| {
            let store = if n % 2 == 0 { &world.store } else { &another };
            store.outbox_claim(world.ws, latchkey_access::outbox::EffectKind::Rotation, now, lease, 4)
        });
        let mut keys: Vec<String> = Vec::new();
        for taken in join_all(claims).await {
            keys.extend(taken.unwrap().into_iter().map(|event| event.key));
        }
        loop {
            let more = world.store.outbox_claim(world.ws, latchkey_access::outbox::EffectKind::Rotation, now, lease, 4);
            let more = more.await.unwrap();
            if more.is_empty() { break; }
            keys.extend(more.into_iter().map(|event| event.key));
        }
        assert_eq!(keys.len(), 30);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 30, "none twice");
    }
}
