//! The reactivation matrix: rows R1 to R12, each with the access that follows and what SCIM shows.

mod model;

use std::time::Duration;

use latchkey_access::account::Sensitivity;
use latchkey_access::effective::{Denial, explain};
use latchkey_access::offboarding::Trigger;
use latchkey_access::outbox::EffectState;
use latchkey_access::refusal::Refusal;
use latchkey_access::returning::{Choice, Pick};
use latchkey_access::{Change, GrantObject, MemberState};
use latchkey_kernel::id::{AccountId, GrantId, MemberId, TeamId};
use model::Conflict;
use model::command::Command;
use model::story::wish;
use model::world::World;

/// A member of a team that may use an account, with one grant of their own.
struct Scene {
    world: World,
    member: MemberId,
    team: TeamId,
    by_team: AccountId,
    direct: AccountId,
}

fn scene() -> Scene {
    let mut world = World::new(7);
    let (member, team) = (world.member(), world.team());
    let by_team = world.account(Sensitivity::Standard);
    let direct = world.account(Sensitivity::Privileged);
    world.join(team, member);
    world.give_team(team, by_team);
    world.give(member, direct);
    assert_eq!(world.uses(member), [by_team, direct]);
    Scene { world, member, team, by_team, direct }
}

#[test]
fn r1_disabled_and_enabled_again_gives_nothing_opens_a_review_and_keeps_the_team_listed() {
    let Scene { mut world, member, team, .. } = scene();
    world.disable(member);
    assert!(world.uses(member).is_empty() && world.lists(team, member));
    world.enable(member);
    assert_eq!(world.tables().member(member).state, MemberState::Active);
    assert!(world.uses(member).is_empty() && world.lists(team, member) && world.awaits_review(member));
    let reaches = world.tables().reaches(member);
    let told = explain(&world.tables().member(member).standing(), &reaches, world.now);
    assert_eq!(told.len(), 1, "the direct grant is gone, the team's is dormant");
    assert_eq!(told[0].permission, None);
    assert_eq!(told[0].ways[0].1, Err(Denial::MembershipNotConfirmed));
}

#[test]
fn r2_a_review_that_confirms_one_team_gives_that_teams_access_only() {
    let Scene { mut world, member, team, by_team, .. } = scene();
    let other = world.team();
    let elsewhere = world.account(Sensitivity::Standard);
    world.join(other, member);
    world.give_team(other, elsewhere);
    world.disable(member);
    world.enable(member);
    world.review(member, vec![team]);
    assert_eq!(world.uses(member), [by_team]);
    assert!(world.lists(team, member) && world.lists(other, member));
    assert!(!world.awaits_review(member));
}

#[test]
fn r3_taken_out_of_the_group_while_disabled_leaves_nothing_dormant() {
    let Scene { mut world, member, team, .. } = scene();
    world.disable(member);
    world.ask(&Command::Quit(team, member));
    world.enable(member);
    assert!(world.uses(member).is_empty() && !world.lists(team, member));
    assert!(world.tables().memberships_of(member).is_empty());
}

#[test]
fn r4_restored_from_the_bin_and_added_to_the_group_again_gives_nothing() {
    let Scene { mut world, member, team, .. } = scene();
    world.disable(member);
    world.enable(member);
    world.join(team, member);
    assert!(world.uses(member).is_empty() && world.lists(team, member));
    world.ask(&Command::Quit(team, member));
    world.join(team, member);
    assert!(world.uses(member).is_empty(), "nor does a membership that is new while the review is open");
}

#[test]
fn r5_deleted_and_created_again_under_the_same_external_id_goes_on_in_the_epoch_and_dormant() {
    let Scene { mut world, member, team, .. } = scene();
    world.disable(member);
    world.delete(member);
    let gone = world.tables().member(member).clone();
    let again = world.here().member(gone.external_id.clone(), latchkey_access::Role::User, true);
    let again = world.admit(again);
    let row = world.tables().member(again);
    assert_ne!(again, member);
    assert_eq!(row.access_epoch, gone.access_epoch);
    assert!(row.standing().awaits_review());
    world.join(team, again);
    assert!(world.uses(again).is_empty() && world.lists(team, again));
}

#[test]
fn r6_the_same_user_name_with_another_external_id_is_a_new_person() {
    let Scene { mut world, member, team, by_team, .. } = scene();
    world.delete(member);
    let mut next = world.here().member(None, latchkey_access::Role::User, true);
    next.user_name_key.clone_from(&world.tables().member(member).user_name_key);
    let next = world.admit(next);
    assert!(!world.awaits_review(next) && world.uses(next).is_empty());
    assert!(!world.lists(team, next));
    world.join(team, next);
    assert_eq!(world.uses(next), [by_team]);
}

#[test]
fn r7_an_offboarding_by_mistake_is_undone_and_only_what_was_not_rotated_is_called_off() {
    let Scene { mut world, member, team, by_team, direct } = scene();
    let second = world.account(Sensitivity::Privileged);
    world.give(member, second);
    world.disable(member);
    let done = world.tables().outbox.values().find(|row| row.key.ends_with(&direct.to_string()));
    let done =
        Change::OutboxSetState { id: done.unwrap().id, from: EffectState::Ready, to: EffectState::Done };
    let mut performed = latchkey_access::ChangeSet::new(world.ids[0]);
    performed.push(done);
    world.db.commit(&performed).unwrap();
    world.enable(member);
    world.ask(&Command::Undo(member, Choice::all("by mistake")));
    assert_eq!(world.uses(member), [by_team, direct, second]);
    assert!(world.lists(team, member) && !world.awaits_review(member));
    let planned = world.tables().planned(member, 1);
    let states: Vec<_> = planned.iter().map(|(account, state)| (*account == direct, *state)).collect();
    assert!(states.contains(&(true, EffectState::Done)) && states.contains(&(false, EffectState::Cancelled)));
    let anew = world.tables().direct_grants_of(member).next().unwrap();
    assert_eq!(anew.reason.as_deref(), Some("by mistake"));
}

#[test]
fn an_offboarding_is_undone_by_chosen_grants_within_thirty_days_and_no_longer() {
    let Scene { mut world, member, team, by_team, direct } = scene();
    let second = world.account(Sensitivity::Privileged);
    world.give(member, second);
    world.disable(member);
    world.enable(member);
    let removed = world.tables().removed(member);
    let of_second = removed.iter().find(|grant| grant.object == GrantObject::Account(second)).unwrap().id;
    let choose = |grants: &[GrantId], teams: &[TeamId]| Choice {
        grants: Pick::Only(grants.to_vec()),
        teams: Pick::Only(teams.to_vec()),
        reason: Some("she stays after all".to_owned()),
    };
    world.ask(&Command::Undo(member, choose(&[of_second], &[])));
    assert_eq!(world.uses(member), [second], "what was chosen, and nothing else");
    assert!(!world.awaits_review(member));
    let states: Vec<_> = world.tables().planned(member, 1).into_iter().map(|(_, state)| state).collect();
    assert!(
        states.iter().all(|state| *state == EffectState::Ready),
        "what they knew still changes: {states:?}"
    );
    // Later they turn out to need the rest; what they have is not given twice.
    world.pass(Duration::from_secs(29 * 24 * 60 * 60));
    let rest: Vec<_> = removed.iter().map(|grant| grant.id).collect();
    world.ask(&Command::Undo(member, choose(&rest, &[team])));
    assert_eq!(world.uses(member), [by_team, direct, second]);
    assert_eq!(world.tables().direct_grants_of(member).count(), 2);
    world.pass(Duration::from_secs(24 * 60 * 60));
    let late = world.try_ask(&Command::Undo(member, choose(&rest, &[]))).unwrap();
    assert_eq!(late.unwrap_err(), Refusal::UndoTooLate);
}

#[test]
fn r8_two_nodes_that_disable_at_once_make_one_case() {
    let Scene { mut world, member, .. } = scene();
    let snapshot = world.tables().clone();
    let leave = Command::Leave(member, Trigger::DirectoryDisabled);
    let decide = || world.decide(&snapshot, &leave).unwrap().unwrap();
    let (first, second) = (decide(), decide());
    world.commit(&leave, &snapshot, &first).unwrap();
    assert_eq!(world.commit(&leave, &snapshot, &second), Err(Conflict::Moved("member")));
    assert!(world.try_ask(&leave).unwrap().unwrap().is_empty(), "decided anew, it changes nothing");
    assert_eq!(world.tables().cases.len(), 1);
}

#[test]
fn r9_added_to_a_group_while_disabled_is_listed_and_gives_nothing() {
    let Scene { mut world, member, .. } = scene();
    world.disable(member);
    let other = world.team();
    let account = world.account(Sensitivity::Standard);
    world.give_team(other, account);
    world.join(other, member);
    assert!(world.uses(member).is_empty() && world.lists(other, member));
    world.enable(member);
    assert!(world.uses(member).is_empty());
}

#[test]
fn r10_where_the_directory_is_trusted_team_access_returns_and_direct_grants_do_not() {
    let Scene { mut world, member, team, by_team, .. } = scene();
    world.trust_the_directory();
    world.disable(member);
    world.enable(member);
    assert_eq!(world.uses(member), [by_team]);
    assert!(world.lists(team, member));
    assert!(world.tables().audit.iter().any(|row| row.action == "member.teams_confirmed"));
}

#[test]
fn r11_a_grant_to_somebody_who_is_out_is_refused() {
    let Scene { mut world, member, direct, .. } = scene();
    world.disable(member);
    let refused = world.try_ask(&Command::GiveMember(member, wish(direct)));
    assert_eq!(refused, Some(Err(Refusal::MemberNotActive)));
}

/// That `active` is absent means no change is for the SCIM side to say; here: a change of
/// attributes never moves anybody in or out.
#[test]
fn r12_a_change_of_attributes_moves_nobody_in_or_out() {
    let Scene { mut world, member, .. } = scene();
    world.ask(&Command::Rename(member, "Ana".to_owned()));
    assert_eq!(world.tables().member(member).state, MemberState::Active);
    world.disable(member);
    world.ask(&Command::Rename(member, "Ana Maria".to_owned()));
    let row = world.tables().member(member);
    assert_eq!((row.state, row.display_name.as_str()), (MemberState::Inactive, "Ana Maria"));
    assert_eq!(world.tables().cases.len(), 1);
}

#[test]
fn somebody_created_inactive_has_not_left_and_is_in_their_teams_once_active() {
    let Scene { mut world, team, by_team, .. } = scene();
    let row = world.here().member(None, latchkey_access::Role::User, false);
    let early = world.admit(row);
    world.join(team, early);
    assert!(world.uses(early).is_empty());
    world.enable(early);
    assert!(!world.awaits_review(early));
    assert_eq!(world.uses(early), [by_team]);
}

#[test]
fn after_the_review_a_new_membership_counts_and_an_old_dormant_one_still_does_not() {
    let Scene { mut world, member, team, by_team, .. } = scene();
    let other = world.team();
    let account = world.account(Sensitivity::Standard);
    world.give_team(other, account);
    world.disable(member);
    world.enable(member);
    world.review(member, Vec::new());
    world.join(other, member);
    world.join(team, member);
    assert_eq!(world.uses(member), [account]);
    world.ask(&Command::Confirm(team, member));
    assert_eq!(world.uses(member), [by_team, account]);
}
