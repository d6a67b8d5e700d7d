//! Workspaces, members, teams and who is in which.

use latchkey_access::member::{Epoch, MemberState, Version};
use latchkey_access::{Change, Membership, Role, Workspace};
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};
use latchkey_store::{Conflict, MemberTest, MemberWhere, Order, Page, Store, TextOp, UniqueKey, Where};

use crate::on_both;
use crate::world::{World, put, updated};

on_both! {
    async fn a_row_is_read_as_it_was_written(world: World) {
        let ws = world.ws;
        let mut row = world.member_row("Ada");
        row.display_name = "Ada Løvelace \u{1f511}".to_owned();
        row.left_at = Some(world.now());
        world.commit(Change::MemberInsert(row.clone())).await.unwrap();
        assert_eq!(world.store.member_get(ws, row.id).await.unwrap(), Some(row.clone()));
        assert_eq!(world.store.member_by_user_name(ws, "ada").await.unwrap(), Some(row.clone()));
        let row = world.update(&row, |m| { m.external_id = None; m.work_email = None; m.work_email_key = None; }).await;
        assert_eq!(world.store.member_get(ws, row.id).await.unwrap(), Some(row.clone()));
        assert_eq!(world.store.member_list_by_ids(ws, &[row.id, world.id(MemberId::fresh)]).await.unwrap(), std::slice::from_ref(&row));
        assert_eq!(world.store.member_standing(ws, row.id).await.unwrap(), Some(row.standing()));
        let team = world.team("Eng", &[&row]).await;
        assert_eq!(world.store.team_get(ws, team.id).await.unwrap(), Some(team.clone()));
        assert_eq!(world.store.team_by_display_name(ws, "eng").await.unwrap(), Some(team.clone()));
        assert_eq!(world.store.team_list_by_ids(ws, &[team.id]).await.unwrap(), [team]);
        let acme = world.store.workspace_by_name("acme").await.unwrap().unwrap();
        assert_eq!(world.store.workspace_get(ws).await.unwrap(), Some(acme.clone()));
        assert_eq!(world.store.workspace_list().await.unwrap(), [acme]);
        world.store.ping().await.unwrap();
    }

    async fn a_set_is_made_whole_or_not_at_all(world: World) {
        let ada = world.member("ada").await;
        let (bob, team) = (world.member_row("bob"), world.team_row("eng"));
        let mut set = world.set([Change::MemberInsert(bob.clone()), Change::TeamInsert(team.clone()), put(&team, &bob)]);
        set.push(updated(&bob, |_| {}).0);
        let (mut stale, _) = updated(&ada, |m| m.user_name = "x".to_owned());
        if let Change::MemberUpdate { expect, .. } = &mut stale { *expect = Version(9); }
        set.push(stale);
        set.audit.push(world.record("member.created"));
        let refused = crate::world::conflict(world.store.commit(set).await);
        assert_eq!(refused, Err(Conflict::Moved { what: "member" }));
        assert_eq!(world.store.member_get(world.ws, bob.id).await.unwrap(), None);
        assert_eq!(world.store.team_get(world.ws, team.id).await.unwrap(), None);
        assert_eq!(world.audited().await, 0);
        // And the connection is as good as before.
        world.member("bob").await;
    }

    async fn a7_a_row_or_a_record_of_another_workspace_fails_the_whole(world: World) {
        let other = world.id(WorkspaceId::fresh);
        let (bob, mut stray) = (world.member_row("bob"), world.member_row("eve"));
        stray.workspace_id = other;
        let mut record = world.record("member.created");
        record.workspace_id = other;
        let mut with_row = world.set([Change::MemberInsert(bob.clone())]);
        with_row.push(Change::MemberInsert(stray.clone()));
        let mut with_record = world.set([Change::MemberInsert(bob.clone())]);
        with_record.audit.push(record);
        for set in [with_row, with_record] {
            let refused = crate::world::conflict(world.store.commit(set).await);
            assert_eq!(refused, Err(Conflict::Missing { what: "workspace" }));
        }
        assert_eq!(world.store.member_get(world.ws, bob.id).await.unwrap(), None);
        assert_eq!(world.store.member_get(other, stray.id).await.unwrap(), None);
    }

    async fn look_ups_of_one_instant_see_what_was_before_and_the_next_one_what_is(world: World) {
        let ada = world.member("ada").await;
        let token = world.token_row(1, None);
        world.commit(Change::TokenInsert(token.clone())).await.unwrap();
        let instant = world.store.at_one_instant();
        let login = instant.token_by_hash(token.hash).await.unwrap().unwrap();
        assert_eq!(login.token.revoked_at, None);
        let now = world.now();
        let revoked = Change::TokenRevoke { token_id: token.id, valid_until: now, at: now };
        let renamed = world.update(&ada, |m| m.display_name = "Augusta".to_owned()).await;
        world.commit(revoked).await.unwrap();
        if matches!(world.store, Store::Sqlite(_)) {
            assert_eq!(instant.member_get(world.ws, ada.id).await.unwrap(), Some(ada.clone()));
        }
        // Many rows are read at a later instant, and what is looked up after them, too.
        assert_eq!(instant.token_list(world.ws).await.unwrap()[0].revoked_at, Some(now));
        assert_eq!(instant.member_get(world.ws, ada.id).await.unwrap(), Some(renamed.clone()));
        drop(instant);
        let next = world.store.at_one_instant();
        let login = next.token_by_hash(token.hash).await.unwrap().unwrap();
        assert_eq!(login.token.revoked_at, Some(now), "a token that is revoked is refused at the next request");
        assert_eq!(next.member_get(world.ws, ada.id).await.unwrap(), Some(renamed));
        drop(next);
        world.member("bob").await;
    }

    async fn keys_are_taken_once_and_a_tombstone_frees_its_user_name(world: World) {
        let ada = world.member("ada").await;
        let twin = world.member_row("Ada");
        let taken = Err(Conflict::Unique(UniqueKey::MemberUserName));
        assert_eq!(world.commit(Change::MemberInsert(twin.clone())).await, taken);
        let bob = world.member("bob").await;
        assert_eq!(world.commit(updated(&bob, |m| m.user_name_key = "ada".to_owned()).0).await, taken);
        let gone = world.update(&ada, |m| m.state = MemberState::Deleted).await;
        world.commit(Change::MemberInsert(twin.clone())).await.unwrap();
        assert_eq!(world.store.member_get(world.ws, ada.id).await.unwrap(), None);
        assert_eq!(world.store.member_get_any(world.ws, ada.id).await.unwrap(), Some(gone.clone()));
        assert_eq!(world.store.member_by_user_name(world.ws, "ada").await.unwrap(), Some(twin));
        assert_eq!(world.store.tombstone_by_external_id(world.ws, "ext-ada").await.unwrap(), Some(gone));
        assert_eq!(world.store.tombstone_by_external_id(world.ws, "ext-bob").await.unwrap(), None);
        world.team("Eng", &[]).await;
        let other = world.team_row("ENG");
        assert_eq!(world.commit(Change::TeamInsert(other)).await, Err(Conflict::Unique(UniqueKey::TeamDisplayName)));
        let name = world.workspace_row(world.id(WorkspaceId::fresh), "ACME");
        assert_eq!(world.commit_in(name.id, Change::WorkspaceInsert(name)).await, Err(Conflict::Unique(UniqueKey::WorkspaceName)));
    }

    async fn a_row_of_another_workspace_is_not_there(world: World) {
        let (ada, team) = (world.member("ada").await, world.team("eng", &[]).await);
        let other = world.workspace_row(world.id(WorkspaceId::fresh), "Other");
        world.commit_in(other.id, Change::WorkspaceInsert(other.clone())).await.unwrap();
        let try_there = async |change| world.commit_in(other.id, change).await;
        let moved = updated(&ada, |m| m.workspace_id = other.id).0;
        assert_eq!(try_there(moved).await, Err(Conflict::Moved { what: "member" }));
        assert_eq!(try_there(Change::TeamTouch { team_id: team.id, at: world.now() }).await, Err(Conflict::Missing { what: "team" }));
        assert_eq!(try_there(Change::MemberExpect { member_id: ada.id, epoch: ada.access_epoch }).await, Err(Conflict::Moved { what: "member" }));
        assert!(try_there(put(&team, &ada)).await.is_err());
        assert_eq!(world.store.member_get(other.id, ada.id).await.unwrap(), None);
        assert_eq!(world.store.member_count(other.id, &Where::Every).await.unwrap(), 0);
        // The same name is free there.
        let mut same = world.member_row("ada");
        same.workspace_id = other.id;
        try_there(Change::MemberInsert(same)).await.unwrap();
        assert_eq!(world.store.member_count(world.ws, &Where::Every).await.unwrap(), 1);
    }

    async fn an_update_expects_the_version_that_was_read(world: World) {
        let ada = world.member("ada").await;
        world.update(&ada, |m| m.role = Role::Admin).await;
        assert_eq!(world.commit(updated(&ada, |_| {}).0).await, Err(Conflict::Moved { what: "member" }));
        let acme = world.store.workspace_get(world.ws).await.unwrap().unwrap();
        let next = Workspace { version: acme.version.next(), ..acme.clone() };
        let bump = Change::WorkspaceUpdate { workspace: next.clone(), expect: acme.version };
        world.commit(bump.clone()).await.unwrap();
        assert_eq!(world.commit(bump).await, Err(Conflict::Moved { what: "workspace" }));
        assert_eq!(world.store.workspace_get(world.ws).await.unwrap(), Some(next));
    }

    async fn expecting_a_member_is_expecting_it_active_in_its_epoch(world: World) {
        let ada = world.member("ada").await;
        let expect = |epoch| Change::MemberExpect { member_id: ada.id, epoch };
        world.commit(expect(Epoch(1))).await.unwrap();
        assert_eq!(world.commit(expect(Epoch(2))).await, Err(Conflict::Moved { what: "member" }));
        world.update(&ada, |m| m.state = MemberState::Inactive).await;
        assert_eq!(world.commit(expect(Epoch(1))).await, Err(Conflict::Moved { what: "member" }));
    }

    async fn other_addresses_are_replaced_as_a_whole(world: World) {
        let ada = world.member("ada").await;
        let set = |keys: &[&str]| Change::MemberEmailsSet {
            member_id: ada.id,
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
        };
        let has = async |key: &str| {
            let test = MemberTest::OtherEmail(TextOp::Is(Order::Equal), key.to_owned());
            world.store.member_count(world.ws, &MemberWhere::Test(test)).await.unwrap() == 1
        };
        world.commit(set(&["a@home", "b@home", "a@home"])).await.unwrap();
        assert!(has("a@home").await && has("b@home").await);
        world.commit(set(&["c@home"])).await.unwrap();
        assert!(!has("a@home").await && has("c@home").await);
        let nobody = Change::MemberEmailsSet { member_id: world.id(MemberId::fresh), keys: vec!["x".to_owned()] };
        assert_eq!(world.commit(nobody).await, Err(Conflict::Missing { what: "member" }));
    }

    async fn who_is_in_charge_is_told_by_length_of_service(world: World) {
        let mut made = Vec::new();
        for (name, role) in [("a", Role::Owner), ("b", Role::SuperAdmin), ("c", Role::Owner), ("d", Role::User), ("e", Role::SuperAdmin)] {
            let row = world.member(name).await;
            made.push(world.update(&row, |m| m.role = role).await);
        }
        let names = |rows: Vec<latchkey_access::Member>| rows.into_iter().map(|m| m.user_name).collect::<Vec<_>>();
        assert_eq!(names(world.store.owners_active(world.ws, 9).await.unwrap()), ["a", "c"]);
        assert_eq!(names(world.store.owners_active(world.ws, 1).await.unwrap()), ["a"]);
        assert_eq!(names(world.store.super_admins_by_service(world.ws, 9).await.unwrap()), ["b", "e"]);
        world.update(&made[0], |m| m.state = MemberState::Inactive).await;
        assert_eq!(names(world.store.owners_active(world.ws, 9).await.unwrap()), ["c"]);
        assert_eq!(world.store.member_count_active(world.ws).await.unwrap(), 4);
    }

    async fn a_membership_is_put_once_and_needs_both_sides(world: World) {
        let (ada, team) = (world.member("ada").await, world.team("eng", &[]).await);
        world.commit(put(&team, &ada)).await.unwrap();
        let again = Membership { team_id: team.id, member_id: ada.id, confirmed: None };
        world.commit(Change::MembershipInsert(again)).await.unwrap();
        let members = world.store.team_shown(world.ws, team.id, true).await.unwrap().unwrap().1;
        assert_eq!(members, [(ada.id, "ada".to_owned(), Some(Epoch(1)))], "what was confirmed stays so");
        let no_team = Membership { team_id: world.id(TeamId::fresh), ..again };
        assert_eq!(world.commit(Change::MembershipInsert(no_team)).await, Err(Conflict::Missing { what: "team" }));
        let nobody = Membership { member_id: world.id(MemberId::fresh), ..again };
        assert_eq!(world.commit(Change::MembershipInsert(nobody)).await, Err(Conflict::Missing { what: "member" }));
        let gone = world.member("gone").await;
        world.update(&gone, |m| m.state = MemberState::Deleted).await;
        assert_eq!(world.commit(put(&team, &gone)).await, Err(Conflict::Missing { what: "member" }));
        assert_eq!(world.store.team_get(world.ws, team.id).await.unwrap().unwrap().version, Version(1), "nobody touched it");
    }

    async fn memberships_are_confirmed_and_taken_by_row_and_by_condition(world: World) {
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let (eng, ops) = (world.team("eng", &[&ada, &bob]).await, world.team("ops", &[&ada]).await);
        let confirmed = async || world.store.memberships_of_member(world.ws, ada.id).await.unwrap().into_iter().map(|m| m.confirmed).collect::<Vec<_>>();
        world.commit(Change::MembershipConfirm { team_id: ops.id, member_id: ada.id, epoch: Epoch(2) }).await.unwrap();
        assert_eq!(confirmed().await, [Some(Epoch(1)), Some(Epoch(2))]);
        world.commit(Change::MembershipConfirmAll { member_id: ada.id, epoch: Epoch(3) }).await.unwrap();
        assert_eq!(confirmed().await, [Some(Epoch(3)), Some(Epoch(3))]);
        let not_in = Change::MembershipConfirm { team_id: ops.id, member_id: bob.id, epoch: Epoch(2) };
        assert_eq!(world.commit(not_in).await, Err(Conflict::Missing { what: "membership" }));
        for _ in 0..2 {
            world.commit(Change::MembershipDelete { team_id: eng.id, member_id: bob.id }).await.unwrap();
        }
        let at = world.now();
        world.commit(Change::MembershipDeleteAll { member_id: ada.id, at }).await.unwrap();
        assert_eq!(confirmed().await, []);
        for team in [&eng, &ops] {
            let now = world.store.team_get(world.ws, team.id).await.unwrap().unwrap();
            assert_eq!((now.version, now.modified_at), (Version(2), at));
        }
    }

    async fn a_team_that_goes_takes_its_memberships_with_it(world: World) {
        let ada = world.member("ada").await;
        let team = world.team("eng", &[&ada]).await;
        let touched = world.now();
        world.commit(Change::TeamTouch { team_id: team.id, at: touched }).await.unwrap();
        assert_eq!(world.store.team_get(world.ws, team.id).await.unwrap().unwrap().modified_at, touched);
        let delete = |expect| Change::TeamDelete { team_id: team.id, expect };
        assert_eq!(world.commit(delete(Version(1))).await, Err(Conflict::Moved { what: "team" }));
        world.commit(delete(Version(2))).await.unwrap();
        assert_eq!(world.store.memberships_of_member(world.ws, ada.id).await.unwrap(), []);
        let gone = Change::TeamTouch { team_id: team.id, at: touched };
        assert_eq!(world.commit(gone).await, Err(Conflict::Missing { what: "team" }));
    }

    async fn teams_and_members_are_listed_from_both_sides(world: World) {
        let (ada, bob, cyd) = (world.member("ada").await, world.member("bob").await, world.member("cyd").await);
        let (eng, ops) = (world.team("eng", &[&ada, &bob, &cyd]).await, world.team("ops", &[&bob]).await);
        world.update(&cyd, |m| m.state = MemberState::Deleted).await;
        let (ws, store) = (world.ws, &world.store);
        let ids = |rows: Vec<latchkey_store::TeamMember>| rows.into_iter().map(|row| row.0).collect::<Vec<_>>();
        assert_eq!(ids(store.team_members_page(ws, eng.id, None, 1).await.unwrap()), [ada.id]);
        assert_eq!(ids(store.team_members_page(ws, eng.id, Some(ada.id), 5).await.unwrap()), [bob.id], "the deleted one is gone");
        assert_eq!(store.team_member_ids(ws, ops.id).await.unwrap(), [bob.id]);
        assert_eq!(store.team_member_count(ws, ops.id).await.unwrap(), 1);
        let of = store.teams_of_members(ws, &[ada.id, bob.id]).await.unwrap();
        assert_eq!(of, [(ada.id, eng.id, "eng".to_owned()), (bob.id, eng.id, "eng".to_owned()), (bob.id, ops.id, "ops".to_owned())]);
        assert_eq!(store.teams_of_members(ws, &[bob.id]).await.unwrap(), of[1..]);
        let all = store.members_of_teams(ws, &[eng.id, ops.id], 10).await.unwrap();
        assert_eq!(all.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(), [(eng.id, ada.id), (eng.id, bob.id), (ops.id, bob.id)]);
        let standings = store.team_standings(ws, ops.id, &[bob.id, ada.id, cyd.id, world.id(MemberId::fresh)]).await.unwrap();
        let in_it = Membership { team_id: ops.id, member_id: bob.id, confirmed: Some(Epoch(1)) };
        assert_eq!(standings, [(ada.standing(), None), (bob.standing(), Some(in_it))]);
        let briefs = store.member_briefs(ws, &[ada.id, cyd.id]).await.unwrap();
        assert_eq!(briefs.iter().map(|brief| &*brief.display_name).collect::<Vec<_>>(), ["ada", "cyd"]);
        assert_eq!(briefs[1].standing.state, MemberState::Deleted);
        assert_eq!(store.member_page(ws, &Where::Every, Page::first(9)).await.unwrap(), [ada, bob]);
    }
}

/// On SQLite at once; on PostgreSQL it is seen within a second (`operations.rs`).
#[test]
fn what_another_process_does_to_a_kept_login_is_seen_at_the_next_instant() {
    latchkey_testkit::block_on(async {
        let world = World::sqlite().await;
        let ada = world.member("ada").await;
        let (own, other) = (world.token_row(1, Some(&ada)), world.token_row(2, None));
        for token in [&own, &other] {
            world.commit(Change::TokenInsert(token.clone())).await.unwrap();
        }
        let login = async |hash| world.store.at_one_instant().token_by_hash(hash).await.unwrap().unwrap();
        // Looked up, and then kept.
        for _ in 0..2 {
            assert!(login(own.hash).await.member.unwrap().0.is_active());
            assert_eq!(login(other.hash).await.token.revoked_at, None);
        }
        let another = world.another().await;
        let inactive = updated(&ada, |m| m.state = MemberState::Inactive).0;
        another.commit(world.set([inactive])).await.unwrap();
        assert!(!login(own.hash).await.member.unwrap().0.is_active());
        let at = world.now();
        let revoked = Change::TokenRevoke { token_id: other.id, valid_until: at, at };
        another.commit(world.set([revoked])).await.unwrap();
        assert_eq!(login(other.hash).await.token.revoked_at, Some(at));
    });
}
