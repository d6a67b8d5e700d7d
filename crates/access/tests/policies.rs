//! Who may do and hold what, and who keeps what.

mod model;

use std::time::Duration;

use latchkey_access::account::{Collection, Sensitivity};
use latchkey_access::authority::{self, Action};
use latchkey_access::grant::Permission;
use latchkey_access::membership::{self, MemberChange};
use latchkey_access::offboarding::Trigger;
use latchkey_access::refusal::Refusal;
use latchkey_access::token::{Scope, TokenKind};
use latchkey_access::{Actor, ChangeSet, Epoch, Member, Origin, Role, members, teams, tokens};
use latchkey_kernel::SeededEntropy;
use latchkey_kernel::id::{MemberId, TokenId};
use model::Conflict;
use model::command::Command;
use model::story::wish;
use model::world::World;

#[test]
fn admins_manage_people_super_admins_also_assets_owners_also_policy() {
    for action in Action::ALL {
        let (scope, needs) = action.needs();
        for role in Role::ALL {
            let may = authority::check(*role, &[scope], *action).is_ok();
            assert_eq!(may, *role >= needs, "{role} {action}");
            assert!(authority::check(*role, &[], *action).is_err());
        }
        assert!(authority::scope_needs(scope) <= needs);
    }
    let least = |action: Action| action.needs().1;
    assert_eq!(least(Action::Deactivate), Role::Admin);
    assert_eq!(least(Action::ReadAccounts), Role::SuperAdmin);
    assert_eq!(least(Action::CloseReview), Role::SuperAdmin);
    assert_eq!(least(Action::SetPolicy), Role::Owner);
    let missing = authority::check(Role::Owner, &[Scope::SelfRead], Action::SetPolicy);
    let scope = Scope::WorkspaceWrite;
    assert_eq!(missing, Err(Refusal::ScopeMissing { action: Action::SetPolicy, scope }));
}

#[test]
fn no_token_makes_one_that_may_more_than_itself() {
    let held = [Scope::SelfRead, Scope::MembersRead];
    assert!(authority::may_issue(&held, &[Scope::SelfRead]).is_ok());
    assert!(authority::may_issue(&held, &[Scope::SelfRead, Scope::MembersWrite]).is_err());
}

#[test]
fn every_scope_asks_for_some_action_and_an_owner_may_hold_each() {
    for scope in Scope::ALL {
        let used = Action::ALL.iter().any(|action| action.needs().0 == *scope);
        assert!(used, "{scope}");
    }
}

#[test]
fn nobody_gives_or_takes_a_role_above_their_own() {
    assert!(authority::may_change_role(Role::Admin, Role::User, Role::Admin).is_ok());
    let above = Refusal::RoleAboveOwn { needs: Role::Owner };
    assert_eq!(authority::may_change_role(Role::Admin, Role::User, Role::Owner), Err(above.clone()));
    assert_eq!(authority::may_act_on(Role::SuperAdmin, Role::Owner), Err(above));
    assert!(authority::may_change_role(Role::User, Role::Guest, Role::User).is_err());
}

/// Once a guest could be given through the API what the pages forbade: here one function says it.
#[test]
fn a_guest_receives_what_is_to_be_used_or_seen_and_holds_nothing() {
    let mut world = World::new(1);
    let guest = world.member_with(Role::Guest);
    let account = world.account(Sensitivity::Standard);
    for permission in Permission::ALL {
        let mut wish = wish(account);
        wish.permission = *permission;
        let given = world.try_ask(&Command::GiveMember(guest, wish)).unwrap();
        assert_eq!(given.is_ok(), *permission <= Permission::View, "{permission}");
    }
    let mut row = world.tables().accounts[&account].clone();
    row.owner_id = Some(guest);
    let own = world.try_ask(&Command::ChangeAccount(Box::new(row)));
    assert_eq!(own, Some(Err(Refusal::GuestMayNot)));
}

#[test]
fn access_by_two_ways_is_the_higher_of_both_and_either_may_end_alone() {
    let mut world = World::new(2);
    let (member, team) = (world.member(), world.team());
    let account = world.account(Sensitivity::Standard);
    world.join(team, member);
    world.give_team(team, account);
    let mut manage = wish(account);
    manage.permission = Permission::Manage;
    world.ask(&Command::GiveMember(member, manage));
    let held = |world: &World| world.tables().effective(member, world.now).get(&account).copied();
    assert_eq!(held(&world), Some(Permission::Manage));
    world.ask(&Command::SetRole(member, Role::Admin));
    assert_eq!(held(&world), Some(Permission::Manage), "a role gives and takes no access");
    let direct = world.tables().direct_grants_of(member).next().unwrap().id;
    world.ask(&Command::EndGrant(direct));
    assert_eq!(held(&world), Some(Permission::View));
    world.ask(&Command::Quit(team, member));
    assert_eq!(held(&world), None);
}

#[test]
fn i15_each_side_writes_only_the_teams_that_it_keeps() {
    let mut world = World::new(3);
    let team = world.team();
    let mut team = world.tables().teams[&team].clone();
    let (directory, person) = (world.cause(), world.by_person());
    let renamed = |team: &latchkey_access::Team| {
        let mut next = team.clone();
        next.display_name = "Other".to_owned();
        next
    };
    let member = world.owner();
    let joins = || MemberChange { added: vec![(member, Some(Epoch::FIRST))], removed: Vec::new() };
    for (origin, allowed, refused, why) in [
        (Origin::Directory, directory, person, Refusal::KeptByDirectory { what: "team" }),
        (Origin::Local, person, directory, Refusal::KeptHere { what: "team" }),
    ] {
        team.origin = origin;
        let ids = world.mint();
        assert!(teams::update(&team, renamed(&team), &allowed, ids).is_ok());
        assert_eq!(teams::update(&team, renamed(&team), &refused, ids), Err(why.clone()));
        assert_eq!(teams::delete(&team, &[], &refused, ids), Err(why.clone()));
        let mut changes = ChangeSet::new(team.workspace_id);
        assert_eq!(membership::extend(&mut changes, &team, joins(), &refused, ids), Err(why));
        assert!(changes.is_empty());
        assert!(membership::extend(&mut changes, &team, joins(), &allowed, ids).is_ok());
    }
}

/// A group once accepted the member ids of another workspace.
#[test]
fn i21_a_member_of_another_workspace_does_not_come_into_a_team() {
    let mut world = World::new(4);
    let team = world.team();
    let foreign = *world.db.workspaces[&world.ids[1]].members.keys().next().unwrap();
    let mut changes = ChangeSet::new(world.ids[0]);
    let change = MemberChange { added: vec![(foreign, Some(Epoch::FIRST))], removed: Vec::new() };
    let row = world.tables().teams[&team].clone();
    membership::extend(&mut changes, &row, change, &world.cause(), world.mint()).unwrap();
    assert_eq!(world.db.commit(&changes), Err(Conflict::Missing("member")));
}

#[test]
fn a_team_that_is_removed_ends_its_access_and_names_the_privileged_accounts_to_the_owners() {
    let mut world = World::new(5);
    let (member, team) = (world.member(), world.team());
    let (privileged, standard) =
        (world.account(Sensitivity::Privileged), world.account(Sensitivity::Standard));
    world.join(team, member);
    world.give_team(team, privileged);
    world.give_team(team, standard);
    let reached: Vec<_> = world.tables().accounts.values().cloned().collect();
    let row = world.tables().teams[&team].clone();
    let changes = teams::delete(&row, &reached, &world.cause(), world.mint()).unwrap();
    world.db.commit(&changes).unwrap();
    assert!(world.uses(member).is_empty() && world.tables().grants.is_empty());
    let notice = world.tables().outbox.values().next().unwrap();
    assert_eq!(notice.payload["privileged_accounts"], serde_json::json!([privileged]));
}

#[test]
fn collections_are_at_most_eight_deep_and_lie_in_no_circle() {
    let mut world = World::new(6);
    let top = world.collection(None);
    let mut deepest = top;
    for _ in 1..Collection::MAX_DEPTH {
        deepest = world.collection(Some(deepest));
    }
    let ninth = world.here().collection(Some(deepest));
    assert_eq!(world.try_ask(&Command::MakeCollection(ninth)), Some(Err(Refusal::TooDeep)));
    assert_eq!(world.try_ask(&Command::MoveCollection(top, Some(deepest))), Some(Err(Refusal::Cycle)));
    assert_eq!(world.try_ask(&Command::MoveCollection(top, Some(top))), Some(Err(Refusal::Cycle)));
    let other = world.collection(None);
    assert_eq!(world.try_ask(&Command::MoveCollection(top, Some(other))), Some(Err(Refusal::TooDeep)));
    world.ask(&Command::MoveCollection(deepest, Some(other)));
}

#[test]
fn a_collection_that_holds_something_is_not_removed() {
    let mut world = World::new(6);
    let collection = world.collection(None);
    world.account_with(|row| row.collection_id = Some(collection));
    let command = Command::DropCollection(collection);
    let tables = world.tables().clone();
    let changes = world.decide(&tables, &command).unwrap().unwrap();
    assert_eq!(world.commit(&command, &tables, &changes), Err(Conflict::InUse));
}

#[test]
fn a_grants_end_lies_ahead_and_after_its_start() {
    let mut world = World::new(7);
    let member = world.member();
    let account = world.account(Sensitivity::Standard);
    let (now, hour) = (world.now, Duration::from_secs(3_600));
    for (starts_at, ends_at, fits) in [
        (None, Some(now.minus(hour)), false),
        (Some(now.plus(hour * 2)), Some(now.plus(hour)), false),
        (Some(now.plus(hour)), Some(now.plus(hour * 2)), true),
    ] {
        let command = Command::GiveMember(
            member,
            latchkey_access::grants::Wish { starts_at, ends_at, ..wish(account) },
        );
        assert_eq!(world.try_ask(&command).unwrap().is_ok(), fits);
    }
    assert!(world.uses(member).is_empty(), "not started");
    world.pass(hour + Duration::from_secs(1));
    assert_eq!(world.uses(member), [account]);
    world.pass(hour);
    assert!(world.uses(member).is_empty(), "ended, with nothing that had to run");
}

#[test]
fn members_do_not_review_their_own_return() {
    let mut world = World::new(8);
    let member = world.member();
    world.disable(member);
    world.enable(member);
    let row = world.tables().member(member).clone();
    let token = TokenId::fresh(world.now, &SeededEntropy::new(1));
    let own = latchkey_access::context::Cause { actor: Actor::Member(member, token), ..world.cause() };
    let review =
        latchkey_access::returning::Review { member: &row, removed: &[], memberships: &[], present: &[] };
    let choice = latchkey_access::returning::Choice {
        grants: latchkey_access::returning::Pick::All,
        teams: latchkey_access::returning::Pick::All,
        reason: None,
    };
    let closed = latchkey_access::returning::close_review(review, &choice, &own, world.mint());
    assert_eq!(closed, Err(Refusal::OwnReview));
    world.review(member, Vec::new());
    let again = latchkey_access::returning::Choice {
        grants: latchkey_access::returning::Pick::Only(Vec::new()),
        ..choice
    };
    let twice = world.try_ask(&Command::Review(member, again));
    assert_eq!(twice, Some(Err(Refusal::NothingToReview)));
}

#[test]
fn a_review_gives_only_what_was_removed_and_is_there() {
    let mut world = World::new(8);
    let (member, other) = (world.member(), world.member());
    let (kept, gone) = (world.account(Sensitivity::Standard), world.account(Sensitivity::Standard));
    world.give(member, kept);
    world.give(member, gone);
    world.give(other, kept);
    let foreign = world.tables().direct_grants_of(other).next().unwrap().id;
    world.disable(member);
    world.ask(&Command::DropAccount(gone));
    world.enable(member);
    let pick = |grants| latchkey_access::returning::Choice {
        grants,
        teams: latchkey_access::returning::Pick::All,
        reason: Some("back from leave".to_owned()),
    };
    let wrong = Command::Review(member, pick(latchkey_access::returning::Pick::Only(vec![foreign])));
    assert_eq!(world.try_ask(&wrong), Some(Err(Refusal::NotInReview { what: "grant" })));
    world.ask(&Command::Review(member, pick(latchkey_access::returning::Pick::All)));
    assert_eq!(world.uses(member), [kept]);
}

#[test]
fn tokens_are_regenerated_with_a_grace_and_end_when_it_is_over() {
    let mut world = World::new(9);
    let old = world.here().token(TokenKind::Scim);
    let issued = tokens::issue(old.clone(), &world.cause(), world.mint());
    world.db.commit(&issued).unwrap();
    let hour = Duration::from_secs(3_600);
    world.pass(Duration::from_millis(5));
    let new = world.here().token(TokenKind::Scim);
    let changes = tokens::regenerate(&old, new.clone(), hour, &world.cause(), world.mint()).unwrap();
    world.db.commit(&changes).unwrap();
    let opens = |world: &World, id| tokens::opens(&world.tables().tokens[&id], None, world.now);
    assert!(opens(&world, old.id) && opens(&world, new.id));
    let in_grace = world.tables().tokens[&old.id].clone();
    let third = world.here().token(TokenKind::Scim);
    let again = tokens::regenerate(&in_grace, third, hour, &world.cause(), world.mint());
    assert_eq!(again, Err(Refusal::TokenOver));
    world.pass(hour);
    assert!(!opens(&world, old.id) && opens(&world, new.id));
    let revoked = tokens::revoke(&new, &world.cause(), world.mint());
    world.db.commit(&revoked).unwrap();
    assert!(!opens(&world, new.id));
}

#[test]
fn a_members_token_has_only_scopes_of_their_role() {
    let mut world = World::new(9);
    let member = world.member();
    let mut token = world.here().token(TokenKind::Api);
    token.scopes = vec![Scope::SelfRead, Scope::MembersWrite];
    let refused = world.try_ask(&Command::Issue(member, Box::new(token.clone())));
    let why = Refusal::ScopeNotForRole { scope: Scope::MembersWrite, role: Role::User };
    assert_eq!(refused, Some(Err(why)));
    token.scopes.clear();
    assert_eq!(world.try_ask(&Command::Issue(member, Box::new(token))), Some(Err(Refusal::NoScopes)));
}

/// A page once failed because an actor from outside had made the change.
#[test]
fn every_kind_of_actor_is_written_into_records_and_grants() {
    let world = World::new(10);
    let id = MemberId::fresh(world.now, &SeededEntropy::new(2));
    let token = TokenId::fresh(world.now, &SeededEntropy::new(3));
    let actors = [Actor::Directory(token), Actor::Member(id, token), Actor::Operator, Actor::System];
    for actor in actors {
        let cause = latchkey_access::context::Cause { actor, ..world.cause() };
        let row = world.tables().member(world.owner()).clone();
        let after = Member { display_name: "Ana".to_owned(), ..row.clone() };
        let changes = members::update_attributes(&row, after, &cause, world.mint());
        assert_eq!(changes.audit[0].actor, actor);
        assert!(actor.to_string().starts_with(actor.kind()));
    }
}

#[test]
fn an_admins_word_takes_a_member_out_as_a_directorys_does() {
    let mut world = World::new(11);
    let member = world.member();
    let account = world.account(Sensitivity::Privileged);
    world.give(member, account);
    world.ask(&Command::Leave(member, Trigger::Admin));
    assert!(world.uses(member).is_empty());
    assert_eq!(world.tables().planned(member, 1).len(), 1);
    assert_eq!(world.tables().last_case(member).unwrap().trigger, Trigger::Admin);
}
