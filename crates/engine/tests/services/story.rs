//! Services joined: somebody comes, gets access, leaves, comes back.

use crate::world::{World, patch};
use latchkey_access::grants::Wish;
use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::returning::{Choice, Pick};
use latchkey_access::{GrantObject, MemberState, OffboardingRotation, Permission, Sensitivity};
use latchkey_engine::accounts::NewAccount;
use latchkey_engine::directory::GroupShown;
use latchkey_engine::grants::To;
use latchkey_engine::{
    Error, access, accounts, audit, exposures, grants, members, offboardings, outbox, reviews, teams,
};
use latchkey_kernel::id::{AccountId, TeamId};
use latchkey_scim::Limits;
use latchkey_scim::etag::Preconditions;
use latchkey_scim::json::Json;
use latchkey_store::{AuditFilter, OutboxFilter};
use serde_json::json;

on_both! {
    a_leaver_is_cut_off_in_one_step_and_a_returner_gets_nothing_until_it_is_given,
    a_simulation_says_what_a_leaving_does_and_writes_nothing,
    a_wave_beyond_the_safeguard_is_cut_at_once_and_its_rotations_wait_for_a_word,
    somebody_deleted_who_comes_back_under_the_same_external_id_is_the_same_person_with_nothing,
    a_group_patch_names_who_is_unknown_and_then_changes_nothing,
    a_list_that_empties_a_large_group_is_carried_out_and_hinted_at,
    what_a_patch_is_understood_as_is_a_hint,
    what_is_not_there_or_has_moved_is_told_before_what_is_wrong_with_the_body,
    many_at_once_lose_no_member_of_a_group,
    a_person_cannot_take_out_the_last_owner_and_a_directory_leaves_a_successor_or_an_alarm,
    a_directorys_team_is_not_edited_here_and_a_local_one_not_by_scim,
    a_graceful_stop_leaves_nothing_unwritten_and_the_audit_chain_sealed,
}

async fn account(world: &World, name: &str, sensitivity: Sensitivity) -> AccountId {
    let new = NewAccount {
        name: name.to_owned(),
        app: "Shop".to_owned(),
        url: None,
        username: None,
        sensitivity,
        offboarding_rotation: OffboardingRotation::Auto,
        collection_id: None,
        owner_id: None,
        successor_id: None,
    };
    accounts::create(&world.engine, &world.operator(), &new).await.unwrap().id
}

fn wish(account: AccountId) -> Wish {
    Wish {
        object: GrantObject::Account(account),
        permission: Permission::Use,
        starts_at: None,
        ends_at: None,
        reason: None,
    }
}

async fn group(world: &World, name: &str, members: &[&str]) -> TeamId {
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": members,
    });
    world
        .directory()
        .group_create(&Json::from(body), GroupShown::Row, &Limits::default())
        .await
        .unwrap()
        .value
        .team
        .id
}

async fn a_leaver_is_cut_off_in_one_step_and_a_returner_gets_nothing_until_it_is_given(world: World) {
    let (engine, by) = (&world.engine, world.operator());
    let ida = world.user("ida").await.member.id;
    let team = group(&world, "Sales", &[&ida.to_string()]).await;
    let direct = account(&world, "Bank", Sensitivity::Privileged).await;
    let shared = account(&world, "Shop", Sensitivity::Standard).await;
    grants::give(engine, &by, To::Member(ida), &wish(direct)).await.unwrap();
    grants::give(engine, &by, To::Team(team), &wish(shared)).await.unwrap();
    exposures::record(engine, &by, shared, ida).await.unwrap();
    let may =
        |found: Vec<access::Access>| found.iter().filter(|a| a.explanation.permission.is_some()).count();
    assert_eq!(may(access::of_member(engine, &by, ida).await.unwrap()), 2);

    let done = world.set_active(ida, false).await;
    let effects: Vec<&str> = done.effects.iter().map(|effect| effect.what).collect();
    for expected in ["member.disabled", "access.cut", "grant.removed", "rotation.planned"] {
        assert!(effects.contains(&expected), "{expected} in {effects:?}");
    }
    assert_eq!(may(access::of_member(engine, &by, ida).await.unwrap()), 0);
    let rotations = OutboxFilter { kind: Some(EffectKind::Rotation), ..OutboxFilter::default() };
    let planned = outbox::list(engine, &by, rotations, None, 10).await.unwrap();
    assert_eq!(planned.len(), 2, "one for the privileged account, one for the known password");
    assert!(planned.iter().all(|event| event.state == EffectState::Ready));
    let cases = offboardings::list(engine, &by, None, None, 10).await.unwrap();
    let case = offboardings::get(engine, &by, cases[0].id).await.unwrap();
    assert_eq!((case.items.len(), case.grants.len()), (2, 1));
    assert!(!case.timeline.is_empty() && case.timeline.iter().all(|r| r.request_id == case.case.request_id));

    let back = world.set_active(ida, true).await.value;
    assert_eq!(back.member.state, MemberState::Active);
    assert_eq!(back.teams.len(), 1, "SCIM still shows the membership (S4)");
    assert_eq!(may(access::of_member(engine, &by, ida).await.unwrap()), 0);
    let review = reviews::get(engine, &by, ida).await.unwrap();
    assert!(review.open);
    assert_eq!((review.grants.len(), review.teams.len()), (1, 1));
    let everything =
        Choice { grants: Pick::All, teams: Pick::All, reason: Some("back from leave".to_owned()) };
    let closed = reviews::close(engine, &by, ida, &everything).await.unwrap();
    assert!(!closed.open);
    assert_eq!(may(access::of_member(engine, &by, ida).await.unwrap()), 2);
}

async fn a_simulation_says_what_a_leaving_does_and_writes_nothing(world: World) {
    let (engine, by) = (&world.engine, world.operator());
    let ida = world.user("ida").await.member.id;
    let bank = account(&world, "Bank", Sensitivity::Privileged).await;
    grants::give(engine, &by, To::Member(ida), &wish(bank)).await.unwrap();
    let records =
        audit::list(engine, &by, AuditFilter { limit: 100, ..AuditFilter::default() }).await.unwrap().len();
    let foreseen = offboardings::simulate(engine, &by, ida).await.unwrap();
    assert_eq!((foreseen.direct_grants, foreseen.accounts.len(), foreseen.held), (1, 1, false));
    let after =
        audit::list(engine, &by, AuditFilter { limit: 100, ..AuditFilter::default() }).await.unwrap().len();
    assert_eq!(records, after);
    world.set_active(ida, false).await;
    let case = offboardings::list(engine, &by, None, None, 1).await.unwrap().remove(0);
    let case = offboardings::get(engine, &by, case.id).await.unwrap();
    let decided: Vec<_> = case.items.iter().map(|item| (item.account_id, item.decision)).collect();
    let expected: Vec<_> = foreseen.accounts.iter().map(|one| (one.account.id, one.decision)).collect();
    assert_eq!(decided, expected);
}

async fn a_wave_beyond_the_safeguard_is_cut_at_once_and_its_rotations_wait_for_a_word(world: World) {
    let (engine, by) = (&world.engine, world.operator());
    let bank = account(&world, "Bank", Sensitivity::Privileged).await;
    let mut leavers = Vec::new();
    for n in 0..8 {
        let id = world.user(&format!("p{n}")).await.member.id;
        grants::give(engine, &by, To::Member(id), &wish(bank)).await.unwrap();
        leavers.push(id);
    }
    for id in &leavers {
        world.set_active(*id, false).await;
    }
    assert!(
        access::of_account(engine, &by, bank, None, 100)
            .await
            .unwrap()
            .iter()
            .all(|who| who.explanation.permission.is_none())
    );
    let held = offboardings::list(engine, &by, Some(latchkey_access::offboarding::CaseState::Held), None, 10)
        .await
        .unwrap();
    assert!(!held.is_empty(), "eight of nine is more than the safeguard lets pass");
    let released = offboardings::release(engine, &by, held[0].id).await.unwrap();
    assert!(
        released
            .effects
            .iter()
            .filter(|e| e.kind == EffectKind::Rotation)
            .all(|e| e.state == EffectState::Ready)
    );
    let again = offboardings::release(engine, &by, held[0].id).await;
    assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
    let cancelled = offboardings::cancel_rotations(engine, &by, held[1].id, "a drill").await.unwrap();
    assert!(
        cancelled
            .effects
            .iter()
            .filter(|e| e.kind == EffectKind::Rotation)
            .all(|e| e.state == EffectState::Cancelled)
    );
}

async fn somebody_deleted_who_comes_back_under_the_same_external_id_is_the_same_person_with_nothing(
    world: World,
) {
    let ida = world.user("ida").await.member;
    world.directory().user_delete(&ida.id.to_string(), &Preconditions::default()).await.unwrap();
    let gone = world.directory().user_get(&ida.id.to_string(), true).await;
    assert!(matches!(gone, Err(Error::Scim(error)) if error.status == 404));
    let again = world.user("ida").await.member;
    assert!(again.access_epoch > ida.access_epoch, "what was granted before does not count again");
}

async fn a_group_patch_names_who_is_unknown_and_then_changes_nothing(world: World) {
    let ida = world.user("ida").await.member.id;
    let team = group(&world, "Sales", &[]).await.to_string();
    let stranger = team.clone();
    let add = |id: &str| {
        patch(json!([{"op": "add", "path": "members", "value": [{"value": ida.to_string()}, {"value": id}]}]))
    };
    let (none, limits) = (Preconditions::default(), Limits::default());
    let refused = world
        .directory()
        .group_patch(&team, &add(&stranger), &none, GroupShown::Row, &limits)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains(&stranger), "{refused}");
    assert_eq!(world.directory().group_get(&team, true).await.unwrap().members.unwrap().len(), 0);
    world
        .directory()
        .group_patch(&team, &add(&ida.to_string()), &none, GroupShown::Row, &limits)
        .await
        .unwrap();
    let shown = world.directory().group_get(&team, true).await.unwrap();
    assert_eq!(shown.members.unwrap().len(), 1);
    assert_eq!(shown.team.version.0, 2);
}

async fn a_list_that_empties_a_large_group_is_carried_out_and_hinted_at(world: World) {
    let (none, limits) = (Preconditions::default(), Limits::default());
    let mut ids = Vec::new();
    for n in 0..60 {
        ids.push(world.user(&format!("p{n}")).await.member.id.to_string());
    }
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let team = group(&world, "Sales", &names).await.to_string();
    let replace = async |kept: &[&str]| {
        let value: Vec<_> = kept.iter().map(|id| json!({"value": id})).collect();
        let body = patch(json!([{"op": "replace", "path": "members", "value": value}]));
        let done =
            world.directory().group_patch(&team, &body, &none, GroupShown::Row, &limits).await.unwrap();
        done.hints.iter().any(|hint| hint.contains("of the group's"))
    };
    assert!(!replace(&names[..55]).await, "a few fewer are nothing to speak of");
    assert!(replace(&names[..1]).await, "54 of 55 are");
    assert_eq!(world.directory().group_get(&team, true).await.unwrap().members.unwrap().len(), 1);
    assert!(!replace(&[]).await, "one of one is a small group");
}

async fn what_a_patch_is_understood_as_is_a_hint(world: World) {
    let ida = world.user("ida").await.member.id;
    let done = world.patch_user(ida, json!([{"op": "Replace", "path": "active", "value": "True"}])).await;
    assert!(done.hints.iter().any(|hint| hint.contains("active")), "{:?}", done.hints);
    let done = world.patch_user(ida, json!([{"op": "replace", "value": {"shoeSize": 44}}])).await;
    assert!(done.hints.iter().any(|hint| hint.contains("shoeSize")), "{:?}", done.hints);
    let team = group(&world, "Sales", &[]).await.to_string();
    let body = patch(json!([{"op": "replace", "value": {"displayName": "Care", "shoeSize": 44}}]));
    let (none, limits) = (Preconditions::default(), Limits::default());
    let done = world.directory().group_patch(&team, &body, &none, GroupShown::Row, &limits).await.unwrap();
    assert!(done.hints.iter().any(|hint| hint.contains("shoeSize")), "{:?}", done.hints);
}

async fn what_is_not_there_or_has_moved_is_told_before_what_is_wrong_with_the_body(world: World) {
    let ida = world.user("ida").await.member.id.to_string();
    let team = group(&world, "Sales", &[]).await.to_string();
    let limits = Limits::default();
    let (none, old) = (Preconditions::default(), Preconditions::parse(Some("\"99\""), None).unwrap());
    let bad = patch(json!([{"op": "replace", "path": "shoeSize", "value": 44}]));
    let directory = world.directory();
    // The ids are of the other kind: well formed, and nobody's here.
    for (user, group, conditions, status) in
        [(&team, &ida, &none, 404), (&ida, &team, &old, 412), (&ida, &team, &none, 400)]
    {
        let refusals = [
            directory.user_patch(user, &bad, conditions, &limits).await.map(|_| ()),
            directory.user_replace(user, &bad, conditions, &limits).await.map(|_| ()),
            directory.group_patch(group, &bad, conditions, GroupShown::Row, &limits).await.map(|_| ()),
            directory.group_replace(group, &bad, conditions, GroupShown::Row, &limits).await.map(|_| ()),
        ];
        for refusal in refusals {
            assert!(matches!(&refusal, Err(Error::Scim(error)) if error.status == status), "{refusal:?}");
        }
    }
}

async fn many_at_once_lose_no_member_of_a_group(world: World) {
    let world = std::sync::Arc::new(world);
    let team = group(&world, "Sales", &[]).await.to_string();
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(world.user(&format!("p{n}")).await.member.id);
    }
    let tasks: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let (world, team) = (std::sync::Arc::clone(&world), team.clone());
            tokio::spawn(async move {
                let body =
                    patch(json!([{"op": "add", "path": "members", "value": [{"value": id.to_string()}]}]));
                world
                    .directory()
                    .group_patch(
                        &team,
                        &body,
                        &Preconditions::default(),
                        GroupShown::Nothing,
                        &Limits::default(),
                    )
                    .await
                    .map(drop)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.directory().group_get(&team, true).await.unwrap().members.unwrap().len(), 20);
}

async fn a_person_cannot_take_out_the_last_owner_and_a_directory_leaves_a_successor_or_an_alarm(
    world: World,
) {
    let (engine, by) = (&world.engine, world.operator());
    let refused = members::deactivate(engine, &by, world.owner).await;
    assert!(
        matches!(refused, Err(Error::Refused(latchkey_access::refusal::Refusal::LastOwner))),
        "{refused:?}"
    );
    let ida = world.user("ida").await.member.id;
    members::set_role(engine, &by, ida, latchkey_access::Role::SuperAdmin).await.unwrap();
    world.set_active(world.owner, false).await;
    let ida = members::get(engine, &by, ida).await.unwrap();
    assert_eq!(ida.role, latchkey_access::Role::Owner);
}

async fn a_directorys_team_is_not_edited_here_and_a_local_one_not_by_scim(world: World) {
    let (engine, by) = (&world.engine, world.operator());
    let ida = world.user("ida").await.member.id;
    let theirs = group(&world, "Sales", &[]).await;
    assert!(matches!(teams::add_member(engine, &by, theirs, ida).await, Err(Error::Refused(_))));
    let ours = teams::create(engine, &by, "Board").await.unwrap().id;
    teams::add_member(engine, &by, ours, ida).await.unwrap();
    assert_eq!(teams::members(engine, &by, ours, None, 10).await.unwrap().len(), 1);
    let body = patch(json!([{"op": "replace", "value": {"displayName": "Taken"}}]));
    let none = Preconditions::default();
    let refused = world
        .directory()
        .group_patch(&ours.to_string(), &body, &none, GroupShown::Nothing, &Limits::default())
        .await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

async fn a_graceful_stop_leaves_nothing_unwritten_and_the_audit_chain_sealed(world: World) {
    let background = latchkey_engine::Background::start(&world.engine);
    for n in 0..5 {
        world.user(&format!("p{n}")).await;
    }
    background.drain().await.unwrap();
    let report = audit::verify(&world.engine, &world.operator()).await.unwrap();
    assert_eq!((report.unsealed, report.breaks.len()), (0, 0));
    assert!(report.sealed >= 7, "the workspace, its token and five members: {report:?}");
}
