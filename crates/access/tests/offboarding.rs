//! What one leaving does: what is cut, who takes over, which passwords change, what is told.

mod model;

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey_access::account::{OffboardingRotation, OwnerFlag, Sensitivity};
use latchkey_access::assessment::{assess, plans_rotation};
use latchkey_access::grant::Permission;
use latchkey_access::offboarding::{CaseState, ItemDecision, Trigger};
use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::refusal::Refusal;
use latchkey_access::safeguard::{Wave, trips};
use latchkey_access::token::TokenKind;
use latchkey_access::{Change, MemberState, Policy, Role, Safeguard, Version, WorkspaceState, tokens};
use latchkey_kernel::id::MemberId;
use model::command::Command;
use model::story::wish;
use model::world::World;

#[test]
fn i5_a_members_token_opens_only_while_they_are_in_and_in_its_epoch() {
    let mut world = World::new(1);
    let member = world.member();
    let token = world.here().token(TokenKind::Api);
    world.ask(&Command::Issue(member, Box::new(token.clone())));
    let opens = |world: &World| {
        let token = &world.tables().tokens[&token.id];
        tokens::opens(token, Some(&world.tables().member(member).standing()), world.now)
    };
    assert!(opens(&world));
    let mut as_if_not_revoked = world.tables().tokens[&token.id].clone();
    world.disable(member);
    assert!(!opens(&world));
    world.enable(member);
    assert!(!opens(&world));
    as_if_not_revoked.valid_until = None;
    let standing = world.tables().member(member).standing();
    assert!(!tokens::opens(&as_if_not_revoked, Some(&standing), world.now), "another epoch");
}

#[test]
fn i10_every_path_and_every_known_password_is_in_the_case() {
    let mut world = World::new(2);
    let (member, team) = (world.member(), world.team());
    let outer = world.collection(None);
    let inner = world.collection(Some(outer));
    let privileged = Sensitivity::Privileged;
    let direct = world.account(privileged);
    let by_team = world.account(privileged);
    let nested = world.account_with(|row| {
        row.sensitivity = privileged;
        row.collection_id = Some(inner);
    });
    let shared = world.collection(None);
    let by_team_and_collection = world.account_with(|row| {
        row.sensitivity = privileged;
        row.collection_id = Some(shared);
    });
    let owned = world.account_with(|row| row.owner_id = Some(member));
    let known = world.account(Sensitivity::Standard);
    let unrelated = world.account(privileged);
    world.join(team, member);
    world.give(member, direct);
    world.give(member, outer);
    world.give_team(team, by_team);
    world.give_team(team, shared);
    world.ask(&Command::Expose(known, member));
    world.disable(member);

    let tables = world.tables();
    let items: BTreeSet<_> = tables.items.keys().map(|(_, account)| *account).collect();
    assert_eq!(items, BTreeSet::from([direct, by_team, nested, by_team_and_collection, owned, known]));
    assert!(!items.contains(&unrelated));
    let evidence = |id| &tables.items.values().find(|row| row.account_id == id).unwrap().evidence;
    assert_eq!(evidence(nested)["ways"][0]["collections"].as_array().unwrap().len(), 2);
    assert!(evidence(by_team_and_collection)["ways"][0]["team"]["name"].is_string());
    assert_eq!(evidence(known)["permission"], serde_json::Value::Null);
    assert_eq!(evidence(known)["known"].as_array().unwrap().len(), 1);
}

#[test]
fn a_password_changes_by_the_accounts_policy_and_each_item_says_by_which_rule() {
    use OffboardingRotation::{Always, Auto, Never};
    use Sensitivity::{Critical, Privileged, Standard};
    let table = [
        (Standard, Auto, true, false, ItemDecision::Keep, "standard_and_not_known"),
        (Standard, Auto, true, true, ItemDecision::Rotate, "standard_and_known"),
        (Privileged, Auto, true, false, ItemDecision::Rotate, "privileged_and_could_use"),
        (Privileged, Auto, false, true, ItemDecision::Rotate, "privileged_and_known"),
        (Critical, Auto, true, true, ItemDecision::Rotate, "privileged_and_known"),
        (Standard, Always, true, false, ItemDecision::Rotate, "always_and_could_use"),
        (Standard, Always, false, true, ItemDecision::Rotate, "always_and_known"),
        (Critical, Never, true, true, ItemDecision::Keep, "policy_never"),
    ];
    for (sensitivity, rotation, could_use, knows, decision, rule) in table {
        let mut world = World::new(3);
        let member = world.member();
        let account = world.account_with(|row| {
            row.sensitivity = sensitivity;
            row.offboarding_rotation = rotation;
        });
        if could_use {
            world.give(member, account);
        }
        if knows {
            world.ask(&Command::Expose(account, member));
        }
        world.disable(member);
        let item = world.tables().items.values().next().unwrap();
        assert_eq!((item.decision, item.rule), (decision, rule));
        let case = world.tables().last_case(member).unwrap();
        let open = if decision == ItemDecision::Rotate { CaseState::Open } else { CaseState::Complete };
        assert_eq!(case.state, open, "I31: complete only when nothing is left to do");
    }
}

#[test]
fn a_password_that_was_changed_since_they_saw_it_is_not_known() {
    let mut world = World::new(3);
    let member = world.member();
    let account = world.account(Sensitivity::Standard);
    world.ask(&Command::Expose(account, member));
    world.ask(&Command::RotateSecret(account));
    world.disable(member);
    assert!(world.tables().items.is_empty());
    assert_eq!(world.tables().last_case(member).unwrap().state, CaseState::Complete);
}

#[test]
fn a_known_password_changes_even_where_the_grant_ended_before() {
    let mut world = World::new(3);
    let member = world.member();
    let account = world.account(Sensitivity::Standard);
    world.give(member, account);
    world.ask(&Command::Expose(account, member));
    let grant = *world.tables().grants.keys().next().unwrap();
    world.ask(&Command::EndGrant(grant));
    world.disable(member);
    assert_eq!(world.tables().planned(member, 1).len(), 1);
}

#[test]
fn i11_a_second_disable_and_a_later_delete_add_no_case_and_no_rotation() {
    let mut world = World::new(4);
    let (member, team) = (world.member(), world.team());
    let account = world.account(Sensitivity::Privileged);
    world.give(member, account);
    world.join(team, member);
    world.disable(member);
    let after = world.db.clone();
    world.disable(member);
    assert_eq!(world.db, after);
    world.delete(member);
    let tables = world.tables();
    assert_eq!((tables.cases.len(), tables.planned(member, 1).len()), (1, 1));
    assert_eq!(tables.member(member).state, MemberState::Deleted);
    assert_eq!(tables.member(member).access_epoch.0, 2);
    assert!(tables.memberships.is_empty());
}

#[test]
fn i12_an_offboarding_is_one_change_set_of_which_all_or_nothing_happens() {
    let mut world = World::new(5);
    let member = world.member();
    let account = world.account(Sensitivity::Privileged);
    world.give(member, account);
    let tables = world.tables().clone();
    let leave = Command::Leave(member, Trigger::DirectoryDisabled);
    let whole = world.decide(&tables, &leave).unwrap().unwrap();
    for at in 0..=whole.changes.len() {
        let mut broken = whole.clone();
        let grant_id =
            latchkey_kernel::id::GrantId::fresh(world.now, &latchkey_kernel::SeededEntropy::new(0));
        broken.changes.insert(at, Change::GrantDelete { grant_id });
        let before = world.db.clone();
        assert!(world.db.commit(&broken).is_err());
        assert_eq!(world.db, before, "broken at change {at}");
    }
    world.db.commit(&whole).unwrap();
    assert!(world.uses(member).is_empty());
    assert_eq!(world.tables().planned(member, 1).len(), 1);
}

#[test]
fn a_member_with_no_reach_is_out_without_items_heirs_or_a_count_of_leavers() {
    let mut world = World::new(6);
    let member = world.member();
    let leave = Command::Leave(member, Trigger::DirectoryDisabled);
    let changes = world.decide(&world.tables().clone(), &leave).unwrap().unwrap();
    let names: Vec<_> = changes.changes.iter().map(std::mem::discriminant).collect();
    assert_eq!(names.len(), 4, "the row, the expectation, the case, the cut: {:?}", changes.changes);
    assert_eq!(changes.audit.len(), 1);
}

#[test]
fn removed_grants_are_kept_in_the_case_and_cut_even_where_they_lead_to_no_account() {
    let mut world = World::new(6);
    let member = world.member();
    let empty = world.collection(None);
    world.give(member, empty);
    world.disable(member);
    let case = world.tables().last_case(member).unwrap();
    assert_eq!(world.tables().removed[&case.id].len(), 1);
    assert!(world.tables().grants.is_empty());
}

#[test]
fn an_account_passes_to_its_successor_else_a_co_owner_else_the_workspaces_successor_else_the_owners() {
    for stage in 0..4 {
        let mut world = World::new(7);
        let (leaver, successor, co_owner, custodian) =
            (world.member(), world.member(), world.member(), world.member());
        let team = world.team();
        let account = world.account_with(|row| {
            row.owner_id = Some(leaver);
            row.successor_id = (stage < 1).then_some(successor);
        });
        if stage < 2 {
            // By a team, which is as good as by a grant.
            let mut own = wish(account);
            own.permission = Permission::Own;
            world.ask(&Command::GiveTeam(team, own));
            world.join(team, co_owner);
        }
        if stage < 3 {
            world.ask(&Command::SetPolicy(Policy { successor: Some(custodian), ..Policy::default() }));
        }
        world.disable(leaver);
        let row = &world.tables().accounts[&account];
        let expected = [Some(successor), Some(co_owner), Some(custodian), None][stage];
        let flag = if expected.is_some() { OwnerFlag::Inherited } else { OwnerFlag::Orphaned };
        assert_eq!((row.owner_id, row.owner_flag), (expected, Some(flag)), "stage {stage}");
        assert!(world.tables().audit.iter().any(|row| row.action == "account.handed_over"));
    }
}

#[test]
fn an_heir_who_is_out_or_a_guest_is_passed_over() {
    let mut world = World::new(7);
    let (leaver, out, guest) = (world.member(), world.member(), world.member_with(Role::Guest));
    let account = world.account_with(|row| {
        row.owner_id = Some(leaver);
        row.successor_id = Some(out);
    });
    let mut own = wish(account);
    own.permission = Permission::Own;
    let team = world.team();
    world.ask(&Command::GiveTeam(team, own));
    world.join(team, guest);
    world.disable(out);
    world.disable(leaver);
    assert_eq!(world.tables().accounts[&account].owner_id, None);
}

fn owners(world: &World) -> Vec<MemberId> {
    let members = world.tables().members.values();
    members
        .filter(|row| row.role == Role::Owner && row.state == MemberState::Active)
        .map(|row| row.id)
        .collect()
}

#[test]
fn i22_the_last_owner_is_followed_by_the_successor_else_the_longest_serving_super_admin() {
    let mut world = World::new(8);
    let owner = world.owner();
    let (first, _second) = (world.member_with(Role::SuperAdmin), world.member_with(Role::SuperAdmin));
    let designated = world.member();
    world.ask(&Command::SetPolicy(Policy { successor: Some(designated), ..Policy::default() }));
    world.disable(owner);
    assert_eq!(owners(&world), [designated]);
    world.disable(designated);
    assert_eq!(owners(&world), [first]);
    assert!(world.tables().outbox.values().any(|row| row.key.starts_with("promoted:")));
}

#[test]
fn i22_with_nobody_to_follow_the_workspace_is_ownerless_the_alarm_is_out_and_the_host_recovers_it() {
    let mut world = World::new(8);
    let owner = world.owner();
    let member = world.member();
    let guest = world.member_with(Role::Guest);
    world.ask(&Command::SetPolicy(Policy { successor: Some(member), ..Policy::default() }));
    world.disable(member);
    world.disable(owner);
    assert_eq!(world.tables().workspace.state, WorkspaceState::Ownerless);
    let alarm = world.tables().outbox.values().find(|row| row.key.starts_with("ownerless:")).unwrap();
    assert_eq!((alarm.kind, alarm.state), (EffectKind::Notice, EffectState::Ready));
    world.enable(owner);
    assert!(owners(&world).is_empty(), "power does not come back by the directory's word");
    world.ask(&Command::Recover(owner));
    assert_eq!(owners(&world), [owner]);
    assert_eq!(world.tables().workspace.state, WorkspaceState::Active);
    assert_eq!(world.try_ask(&Command::Recover(guest)), Some(Err(Refusal::NotOwnerless)));
}

#[test]
fn a6_a_person_cannot_take_out_or_demote_the_last_owner_and_can_another() {
    let mut world = World::new(9);
    let owner = world.owner();
    world.member_with(Role::SuperAdmin);
    let out = Command::Leave(owner, Trigger::Admin);
    let down = Command::SetRole(owner, Role::Admin);
    assert_eq!(world.try_ask(&out), Some(Err(Refusal::LastOwner)));
    assert_eq!(world.try_ask(&down), Some(Err(Refusal::LastOwner)));
    let other = world.member_with(Role::Owner);
    world.ask(&down);
    assert_eq!(owners(&world), [other]);
}

#[test]
fn the_safeguard_lets_pass_its_share_and_then_holds() {
    let default = Safeguard::default();
    let table = [
        (0, 1, false),
        (4, 6, false),
        (5, 5, true),
        (9, 91, false),
        (10, 90, true),
        (10, 99, true),
        (10, 100, false),
        (99, 901, false),
        (100, 900, true),
    ];
    for (leavers, active, held) in table {
        assert_eq!(trips(default, Wave { leavers, active }), held, "{leavers} gone, {active} left");
    }
}

#[test]
fn in_a_wave_access_is_cut_and_rotations_wait_but_the_critical_ones() {
    let mut world = World::new(10);
    let privileged = world.account(Sensitivity::Privileged);
    let critical = world.account(Sensitivity::Critical);
    let leavers: Vec<_> = (0..7).map(|_| world.member()).collect();
    for leaver in &leavers {
        world.give(*leaver, privileged);
        world.give(*leaver, critical);
    }
    for leaver in &leavers {
        world.disable(*leaver);
        assert!(world.uses(*leaver).is_empty());
    }
    let states = |world: &World, leaver| {
        let planned = world.tables().planned(leaver, 1);
        let state = |id| planned.iter().find(|(account, _)| *account == id).unwrap().1;
        (state(privileged), state(critical), world.tables().last_case(leaver).unwrap().state)
    };
    for leaver in &leavers[..5] {
        assert_eq!(states(&world, *leaver), (EffectState::Ready, EffectState::Ready, CaseState::Open));
    }
    for leaver in &leavers[5..] {
        assert_eq!(states(&world, *leaver), (EffectState::Held, EffectState::Ready, CaseState::Held));
    }
    let told = world.tables().outbox.values().filter(|row| row.key.starts_with("safeguard:"));
    assert_eq!(told.count(), 1, "one notice for the wave");

    let case = |world: &World, leaver| world.tables().last_case(leaver).unwrap().id;
    let (released, called_off) = (case(&world, leavers[5]), case(&world, leavers[6]));
    world.ask(&Command::Release(released));
    assert_eq!(states(&world, leavers[5]), (EffectState::Ready, EffectState::Ready, CaseState::Open));
    assert_eq!(world.try_ask(&Command::Release(released)), Some(Err(Refusal::NothingWaits)));
    world.ask(&Command::CallOff(called_off));
    let gone = (EffectState::Cancelled, EffectState::Cancelled, CaseState::Complete);
    assert_eq!(states(&world, leavers[6]), gone);

    world.pass(Duration::from_secs(3_601));
    let late = world.member();
    world.give(late, privileged);
    world.disable(late);
    assert_eq!(world.tables().planned(late, 1)[0].1, EffectState::Ready, "the wave is over");
}

#[test]
fn two_who_know_one_password_are_two_causes_and_a_second_leaving_is_another() {
    let mut world = World::new(11);
    let (one, two) = (world.member(), world.member());
    let account = world.account(Sensitivity::Privileged);
    world.give(one, account);
    world.give(two, account);
    world.disable(one);
    world.disable(two);
    world.enable(one);
    world.give(one, account);
    world.disable(one);
    let tables = world.tables();
    assert_eq!(tables.planned(one, 1).len() + tables.planned(two, 1).len() + tables.planned(one, 2).len(), 3);
    let priorities: BTreeSet<_> = tables.outbox.values().map(|row| row.priority).collect();
    assert_eq!(priorities, BTreeSet::from([10]));
}

#[test]
fn what_if_this_member_left_now_is_the_same_assessment_and_changes_nothing() {
    let mut world = World::new(12);
    let member = world.member();
    let account = world.account(Sensitivity::Privileged);
    world.give(member, account);
    let reached = world.tables().reached(member);
    let assessed = assess(&world.tables().member(member).standing(), &reached, world.now);
    assert!(plans_rotation(&assessed));
    assert_eq!((assessed[0].account.id, assessed[0].rule), (account, "privileged_and_could_use"));
}

#[test]
fn audit_records_name_what_changed_and_hold_no_secret() {
    let mut world = World::new(13);
    let member = world.member();
    let mut token = world.here().token(TokenKind::Api);
    token.hash = [0xab; 32];
    token.sealed = Some(vec![0xcd; 40]);
    world.ask(&Command::Issue(member, Box::new(token)));
    world.ask(&Command::Rename(member, "Ana".to_owned()));
    world.disable(member);
    let renamed = world.tables().audit.iter().find(|row| row.action == "member.updated").unwrap();
    assert_eq!(renamed.detail["changed"], serde_json::json!(["displayName"]));
    assert_eq!(renamed.detail["before"], serde_json::json!({ "display_name": "Somebody" }));
    assert_eq!(renamed.detail["after"], serde_json::json!({ "display_name": "Ana" }));
    for record in &world.tables().audit {
        let text = record.detail.to_string();
        assert!(!text.contains("171") && !text.contains("205") && !text.contains("abab"), "{text}");
        assert_eq!(record.workspace_id, world.ids[0]);
    }
    assert_eq!(world.tables().member(member).version, Version(3));
}
