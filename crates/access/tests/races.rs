//! Two commands decided on the same state and committed one after the other, in both orders.

mod model;

use latchkey_access::account::Sensitivity;
use latchkey_access::offboarding::Trigger;
use latchkey_access::token::TokenKind;
use latchkey_access::{Policy, Role, WorkspaceState};
use latchkey_kernel::id::{AccountId, MemberId};
use model::Conflict;
use model::command::Command;
use model::story::wish;
use model::world::World;

/// Decides both on one state, commits both in this order; the answer is what became of the second.
fn race(world: &mut World, first: &Command, second: &Command) -> Result<(), Conflict> {
    let snapshot = world.tables().clone();
    let decide = |command: &Command| world.decide(&snapshot, command).expect("still there").expect("allowed");
    let (one, two) = (decide(first), decide(second));
    world.commit(first, &snapshot, &one).expect("nothing has moved yet");
    world.commit(second, &snapshot, &two)
}

fn scene() -> (World, MemberId, AccountId) {
    let mut world = World::new(11);
    let member = world.member();
    let account = world.account(Sensitivity::Privileged);
    (world, member, account)
}

const fn leave(member: MemberId) -> Command {
    Command::Leave(member, Trigger::DirectoryDisabled)
}

#[test]
fn a_grant_decided_before_an_offboarding_does_not_land_after_it() {
    let (mut world, member, account) = scene();
    let give = Command::GiveMember(member, wish(account));
    assert_eq!(race(&mut world, &leave(member), &give), Err(Conflict::Moved("member")));
}

#[test]
fn a_grant_that_lands_before_an_offboarding_is_in_its_case() {
    let (mut world, member, account) = scene();
    let give = Command::GiveMember(member, wish(account));
    assert_eq!(race(&mut world, &give, &leave(member)), Err(Conflict::Moved("grants")));
    world.disable(member);
    assert_eq!(world.tables().planned(member, 1).len(), 1);
}

#[test]
fn a_grant_from_before_does_not_land_after_they_left_and_came_back() {
    let (mut world, member, account) = scene();
    let snapshot = world.tables().clone();
    let give = Command::GiveMember(member, wish(account));
    let decided = world.decide(&snapshot, &give).unwrap().unwrap();
    world.disable(member);
    world.enable(member);
    assert_eq!(world.commit(&give, &snapshot, &decided), Err(Conflict::Moved("member")));
}

#[test]
fn an_exposure_that_lands_before_an_offboarding_is_in_its_case_and_one_after_it_is_decided_anew() {
    let (mut world, member, account) = scene();
    let expose = Command::Expose(account, member);
    assert_eq!(race(&mut world, &expose, &leave(member)), Err(Conflict::Moved("exposures")));
    world.disable(member);
    assert_eq!(world.tables().planned(member, 1).len(), 1);

    let (mut world, member, account) = scene();
    let expose = Command::Expose(account, member);
    assert_eq!(race(&mut world, &leave(member), &expose), Err(Conflict::Moved("member")));
    world.ask(&expose);
    let outside = world.tables().outbox.values().filter(|row| row.key.starts_with("known_outside:"));
    assert_eq!(outside.count(), 1, "somebody outside knows the password: it has to change");
}

#[test]
fn an_account_that_becomes_theirs_before_an_offboarding_is_in_its_case() {
    let (mut world, member, account) = scene();
    let mut row = world.tables().accounts[&account].clone();
    row.owner_id = Some(member);
    let own = Command::ChangeAccount(Box::new(row));
    assert_eq!(race(&mut world, &own, &leave(member)), Err(Conflict::Moved("accounts")));
    world.disable(member);
    assert_eq!(world.tables().planned(member, 1).len(), 1);

    let (mut world, member, account) = scene();
    let mut row = world.tables().accounts[&account].clone();
    row.owner_id = Some(member);
    let own = Command::ChangeAccount(Box::new(row));
    assert_eq!(race(&mut world, &leave(member), &own), Err(Conflict::Moved("member")));
}

#[test]
fn a_token_decided_before_an_offboarding_does_not_land_after_it() {
    let (mut world, member, _) = scene();
    let token = world.here().token(TokenKind::Api);
    let issue = Command::Issue(member, Box::new(token));
    assert_eq!(race(&mut world, &leave(member), &issue), Err(Conflict::Moved("member")));
}

#[test]
fn two_last_owners_cannot_leave_past_each_other() {
    let mut world = World::new(3);
    let (one, two) = (world.owner(), world.member_with(Role::Owner));
    let (first, second) = (leave(one), leave(two));
    assert_eq!(race(&mut world, &first, &second), Err(Conflict::Moved("workspace")));
    world.ask(&second);
    assert_eq!(world.tables().workspace.state, WorkspaceState::Ownerless);
}

#[test]
fn two_last_owners_cannot_be_demoted_past_each_other() {
    let mut world = World::new(3);
    let (one, two) = (world.owner(), world.member_with(Role::Owner));
    let (first, second) = (Command::SetRole(one, Role::User), Command::SetRole(two, Role::User));
    assert_eq!(race(&mut world, &first, &second), Err(Conflict::Moved("workspace")));
}

#[test]
fn the_last_owner_and_the_one_who_would_follow_cannot_leave_past_each_other() {
    for owner_first in [true, false] {
        let mut world = World::new(3);
        let (owner, heir) = (world.owner(), world.member_with(Role::SuperAdmin));
        let (owner, heir) = (leave(owner), leave(heir));
        let (first, second) = if owner_first { (owner, heir) } else { (heir, owner) };
        assert_eq!(race(&mut world, &first, &second), Err(Conflict::Moved("member")));
        world.ask(&second);
        assert_eq!(world.tables().workspace.state, WorkspaceState::Ownerless);
    }
}

#[test]
fn an_heir_who_leaves_at_the_same_time_inherits_nothing() {
    for owner_first in [true, false] {
        let (mut world, member, _) = scene();
        let heir = world.member();
        let account = world.account_with(|row| {
            row.owner_id = Some(member);
            row.successor_id = Some(heir);
        });
        let (owner, heir) = (leave(member), leave(heir));
        let (first, second) = if owner_first { (owner, heir) } else { (heir, owner) };
        assert!(race(&mut world, &first, &second).is_err());
        world.ask(&second);
        assert_eq!(world.tables().accounts[&account].owner_id, None);
    }
}

#[test]
fn a_successor_named_while_they_leave_is_not_one_when_they_return() {
    for named_first in [true, false] {
        let (mut world, member, _) = scene();
        let policy = Policy { successor: Some(member), ..Policy::default() };
        let (name, leave) = (Command::SetPolicy(policy), leave(member));
        let (first, second) = if named_first { (name, leave) } else { (leave, name) };
        assert!(race(&mut world, &first, &second).is_err());
        world.try_ask(&second);
        assert_eq!(world.tables().workspace.policy.successor, None);
    }
}

#[test]
fn a_team_membership_decided_before_an_offboarding_lands_but_is_dormant() {
    let (mut world, member, account) = scene();
    let team = world.team();
    world.give_team(team, account);
    let join = Command::Join(team, member);
    assert_eq!(race(&mut world, &leave(member), &join), Ok(()), "SCIM gets what it asked for (S4)");
    world.enable(member);
    assert!(world.lists(team, member) && world.uses(member).is_empty());
}

#[test]
fn neighbours_in_a_team_never_conflict() {
    let mut world = World::new(5);
    let (team, one, two) = (world.team(), world.member(), world.member());
    assert_eq!(race(&mut world, &Command::Join(team, one), &Command::Join(team, two)), Ok(()));
    assert_eq!(world.tables().team_members(team), [one, two]);
}

#[test]
fn two_moves_cannot_make_a_cycle_past_each_other() {
    let mut world = World::new(5);
    let (a, b) = (world.collection(None), world.collection(None));
    let (first, second) = (Command::MoveCollection(a, Some(b)), Command::MoveCollection(b, Some(a)));
    assert_eq!(race(&mut world, &first, &second), Err(Conflict::Moved("collection")));
}

#[test]
fn a_review_and_an_offboarding_at_once_leave_no_access() {
    for review_first in [true, false] {
        let (mut world, member, account) = scene();
        let team = world.team();
        world.give_team(team, account);
        world.join(team, member);
        world.disable(member);
        world.enable(member);
        let choice = latchkey_access::returning::Choice {
            grants: latchkey_access::returning::Pick::All,
            teams: latchkey_access::returning::Pick::All,
            reason: None,
        };
        let (review, leave) = (Command::Review(member, choice), leave(member));
        let (first, second) = if review_first { (review, leave) } else { (leave, review) };
        assert_eq!(race(&mut world, &first, &second), Err(Conflict::Moved("member")));
        world.try_ask(&second);
        assert!(world.uses(member).is_empty());
    }
}
