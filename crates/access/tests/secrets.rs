//! Secrets: who may have them, what is on record when they leave, and which version is which.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod model;

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey_access::account::Sensitivity;
use latchkey_access::disclosure::Act;
use latchkey_access::exposure::ExposureKind;
use latchkey_access::grant::Permission;
use latchkey_access::offboarding::Trigger;
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_access::{Change, ChangeSet, MemberState};
use latchkey_kernel::id::{AccountId, MemberId, SecretId};
use model::command::{Command, Draw};
use model::story::wish;
use model::vaulted::Secretly;
use model::world::World;
use model::{Conflict, Tables};
use proptest::prelude::*;

/// Half of what is drawn is about secrets.
fn draw() -> impl Strategy<Value = Draw> {
    (prop_oneof![0..52_u8, 40..52_u8], 0..1_000_usize, 0..1_000_usize, 0..1_000_usize)
        .prop_map(|(k, a, b, c)| Draw(k, a, b, c))
}

fn steps() -> impl Strategy<Value = Vec<(Draw, Option<Draw>)>> {
    let second = prop_oneof![2 => Just(None), 1 => draw().prop_map(Some)];
    prop::collection::vec((draw(), second), 1..120)
}

fn knows(tables: &Tables, account: AccountId, member: MemberId) -> bool {
    let generation = tables.accounts[&account].secret_generation;
    tables.exposures.contains_key(&(account, member, generation))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i7_a_secret_has_one_current_and_one_pending_version_and_a_password_counts_the_generation(
        seed: u64,
        steps in steps(),
    ) {
        let mut world = World::populated(seed);
        for (first, second) in steps {
            world.step(first, second);
            let tables = world.tables();
            for secret in tables.secrets.values() {
                let own = tables.versions.values().filter(|(row, _)| row.secret_id == secret.id);
                let states: Vec<_> = own.map(|(row, _)| row.state).filter(|s| *s != VersionState::Retired).collect();
                prop_assert_eq!(states.len(), states.iter().collect::<BTreeSet<_>>().len());
                let current = tables.at(secret.id, VersionState::Current);
                if let (SecretKind::Password, Some(current)) = (secret.kind, current) {
                    prop_assert_eq!(current, tables.accounts[&secret.account_id].secret_generation);
                }
            }
        }
    }

    #[test]
    fn i6_who_was_shown_a_value_that_is_in_use_is_among_those_who_know_it(seed: u64, steps in steps()) {
        let mut world = World::populated(seed);
        for (first, second) in steps {
            world.step(first, second);
            let tables = world.tables();
            for event in tables.events.values().filter(|event| event.kind != ExposureKind::TotpCode) {
                let (Some(member), Some(id)) = (event.member_id, event.secret_id) else { continue };
                let Some(secret) = tables.secrets.get(&id).filter(|row| row.kind == SecretKind::Password) else { continue };
                let digest = |version| tables.versions.get(&(id, version)).map(|(row, _)| row.digest);
                let current = tables.at(id, VersionState::Current);
                // The same value may have come back as another version.
                if current.is_some_and(|current| digest(current) == digest(event.version)) {
                    prop_assert!(knows(tables, secret.account_id, member), "{event:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_leaves_but_to_who_may_use_the_account_by_the_one_definition(
        seed: u64,
        steps in prop::collection::vec(draw(), 1..120),
    ) {
        let mut world = World::populated(seed);
        for draw in steps {
            let before: BTreeSet<_> = world.tables().events.keys().copied().collect();
            world.step(draw, None);
            let tables = world.tables();
            for (_, event) in tables.events.iter().filter(|(id, _)| !before.contains(id)) {
                let (Some(member), Some(_)) = (event.member_id, event.secret_id) else { continue };
                prop_assert_eq!(tables.member(member).state, MemberState::Active);
                prop_assert!(world.books.usable(member, tables, world.now).contains(&event.account_id));
                let told = tables.audit.iter().any(|record| record.request_id == event.request_id);
                prop_assert!(told, "L1: {:?}", event);
            }
        }
    }
}

struct Scene {
    world: World,
    account: AccountId,
    secret: SecretId,
    owner: MemberId,
}

/// An account with a password, version 1, that its owner has stored.
fn scene() -> Scene {
    let mut world = World::new(17);
    let owner = world.member();
    let account = world.account_with(|row| {
        row.owner_id = Some(owner);
        row.sensitivity = Sensitivity::Standard;
    });
    let secret = SecretId::fresh(world.now, world.here().entropy);
    world.ask(&Command::Secret(Some(owner), Secretly::Add(account, secret, SecretKind::Password, 1)));
    Scene { world, account, secret, owner }
}

impl Scene {
    fn holder(&mut self, permission: Permission) -> MemberId {
        let member = self.world.member();
        let wish = latchkey_access::grants::Wish { permission, ..wish(self.account) };
        self.world.ask(&Command::GiveMember(member, wish));
        member
    }

    fn try_ask(&mut self, by: Option<MemberId>, asked: Secretly) -> Result<ChangeSet, Refusal> {
        self.world.try_ask(&Command::Secret(by, asked)).unwrap()
    }

    fn ask(&mut self, by: Option<MemberId>, asked: Secretly) {
        self.try_ask(by, asked).unwrap();
    }

    fn states(&self) -> Vec<(i64, VersionState)> {
        self.world.tables().versions.values().map(|(row, _)| (row.version, row.state)).collect()
    }

    fn generation(&self) -> i64 {
        self.world.tables().accounts[&self.account].secret_generation
    }

    fn knows(&self, member: MemberId) -> bool {
        knows(self.world.tables(), self.account, member)
    }
}

#[test]
fn the_first_value_is_the_password_that_people_already_knew() {
    let mut world = World::new(5);
    let (owner, knower) = (world.member(), world.member());
    let account = world.account_with(|row| row.owner_id = Some(owner));
    world.ask(&Command::Expose(account, knower));
    let secret = SecretId::fresh(world.now, world.here().entropy);
    world.ask(&Command::Secret(Some(owner), Secretly::Add(account, secret, SecretKind::Password, 1)));
    assert_eq!(world.tables().accounts[&account].secret_generation, 1);
    assert!(knows(world.tables(), account, knower) && knows(world.tables(), account, owner));
}

#[test]
fn a_new_value_is_known_to_who_set_it_and_to_nobody_else() {
    let mut scene = scene();
    let (editor, viewer) = (scene.holder(Permission::Manage), scene.holder(Permission::View));
    let secret = scene.secret;
    scene.ask(Some(viewer), Secretly::Show(secret, Act::Reveal, None));
    assert!(scene.knows(viewer) && scene.knows(scene.owner) && !scene.knows(editor));
    scene.ask(Some(editor), Secretly::Set(secret, 2));
    assert!(!scene.knows(viewer) && !scene.knows(scene.owner) && scene.knows(editor));
    assert_eq!(scene.generation(), 2);
    assert_eq!(scene.states(), [(1, VersionState::Previous), (2, VersionState::Current)]);
    let again = scene.try_ask(Some(editor), Secretly::Set(secret, 1));
    assert_eq!(again, Err(Refusal::ValueUsedBefore));
}

#[test]
fn v2_a_rotations_value_is_pending_until_it_is_put_into_use() {
    let mut scene = scene();
    let secret = scene.secret;
    scene.ask(None, Secretly::Stage(secret, 2));
    assert_eq!(scene.generation(), 1, "nothing is said of the password in use");
    assert_eq!(scene.try_ask(None, Secretly::Stage(secret, 3)), Err(Refusal::ValuePending));
    assert_eq!(scene.try_ask(Some(scene.owner), Secretly::Set(secret, 3)), Err(Refusal::ValuePending));
    scene.ask(None, Secretly::Promote(secret));
    assert_eq!(scene.generation(), 2);
    assert!(!scene.knows(scene.owner), "nobody has seen it");
    scene.ask(None, Secretly::Stage(secret, 3));
    scene.ask(None, Secretly::Abandon(secret));
    scene.ask(None, Secretly::Stage(secret, 4));
    scene.ask(None, Secretly::Promote(secret));
    use VersionState::{Current, Previous, Retired};
    assert_eq!(scene.states(), [(1, Retired), (2, Previous), (3, Retired), (4, Current)]);
    let kept = scene.world.tables().versions[&(secret, 3)].1.clone();
    assert_eq!(kept, [3], "what was given up is kept");
}

#[test]
fn a_promotion_is_fenced_by_the_version_that_it_names() {
    let mut scene = scene();
    scene.ask(None, Secretly::Stage(scene.secret, 2));
    let snapshot = scene.world.tables().clone();
    let promote = Command::Secret(None, Secretly::Promote(scene.secret));
    let late = scene.world.decide(&snapshot, &promote).unwrap().unwrap();
    scene.ask(None, Secretly::Abandon(scene.secret));
    scene.ask(None, Secretly::Stage(scene.secret, 3));
    let done = scene.world.commit(&promote, &snapshot, &late);
    assert_eq!(done, Err(Conflict::Moved("secret version")), "a worker that comes late changes nothing");
}

#[test]
fn who_changes_it_by_hand_is_shown_the_pending_value_and_knows_it_afterwards() {
    let mut scene = scene();
    let editor = scene.holder(Permission::Manage);
    scene.ask(None, Secretly::Stage(scene.secret, 2));
    scene.ask(Some(editor), Secretly::Show(scene.secret, Act::Rotate, None));
    assert!(!scene.knows(editor));
    scene.ask(None, Secretly::Promote(scene.secret));
    assert!(scene.knows(editor));
}

#[test]
fn bringing_a_value_back_brings_back_who_knows_it_and_rotates_at_once_for_who_is_out() {
    let mut scene = scene();
    let (viewer, leaver) = (scene.holder(Permission::View), scene.holder(Permission::View));
    for member in [viewer, leaver] {
        scene.ask(Some(member), Secretly::Show(scene.secret, Act::Copy, None));
    }
    scene.ask(Some(scene.owner), Secretly::Set(scene.secret, 2));
    scene.world.disable(leaver);
    assert!(scene.world.tables().planned(leaver, 1).is_empty(), "what they knew is no longer valid");
    scene.ask(Some(scene.owner), Secretly::Restore(scene.secret, 1));
    assert_eq!(scene.generation(), 3);
    assert!(scene.knows(viewer) && scene.knows(leaver));
    let outside = scene.world.tables().outbox.values().filter(|row| row.key.starts_with("known_outside:"));
    assert_eq!(outside.count(), 1);
}

#[test]
fn an_earlier_value_shown_while_it_is_brought_back_is_known_as_the_new_one() {
    for reveal_first in [true, false] {
        let mut scene = scene();
        let editor = scene.holder(Permission::Manage);
        scene.ask(Some(scene.owner), Secretly::Set(scene.secret, 2));
        let snapshot = scene.world.tables().clone();
        let show = Command::Secret(Some(editor), Secretly::Show(scene.secret, Act::Reveal, Some(1)));
        let restore = Command::Secret(Some(scene.owner), Secretly::Restore(scene.secret, 1));
        let (one, two) = if reveal_first { (&show, &restore) } else { (&restore, &show) };
        let (first, second) =
            [one, two].map(|command| scene.world.decide(&snapshot, command).unwrap().unwrap()).into();
        scene.world.commit(one, &snapshot, &first).unwrap();
        if scene.world.commit(two, &snapshot, &second).is_err() {
            scene.world.ask(two);
        }
        assert!(scene.knows(editor), "reveal first: {reveal_first}");
    }
}

#[test]
fn an_earlier_value_is_for_who_may_edit() {
    let mut scene = scene();
    let (viewer, editor) = (scene.holder(Permission::View), scene.holder(Permission::Manage));
    scene.ask(Some(scene.owner), Secretly::Set(scene.secret, 2));
    let earlier =
        |scene: &mut Scene, by| scene.try_ask(Some(by), Secretly::Show(scene.secret, Act::Reveal, Some(1)));
    assert!(matches!(earlier(&mut scene, viewer), Err(Refusal::CapabilityMissing { .. })));
    assert!(earlier(&mut scene, editor).is_ok());
    assert!(!scene.knows(editor), "it is not the one in use");
}

#[test]
fn v5_a_reveal_decided_before_an_offboarding_does_not_land_after_it() {
    let mut scene = scene();
    let viewer = scene.holder(Permission::View);
    let snapshot = scene.world.tables().clone();
    let show = Command::Secret(Some(viewer), Secretly::Show(scene.secret, Act::Reveal, None));
    let leave = Command::Leave(viewer, Trigger::DirectoryDisabled);
    let (shown, left) =
        [&show, &leave].map(|command| scene.world.decide(&snapshot, command).unwrap().unwrap()).into();
    let mut other = scene.world.db.clone();
    other.commit(&left).unwrap();
    assert_eq!(other.commit(&shown), Err(Conflict::Moved("member")));
    scene.world.commit(&show, &snapshot, &shown).unwrap();
    assert_eq!(scene.world.commit(&leave, &snapshot, &left), Err(Conflict::Moved("exposures")));
    scene.world.disable(viewer);
    assert_eq!(scene.world.tables().planned(viewer, 1).len(), 1, "what they saw is in their case");
}

#[test]
fn the_second_factor_is_kept_closer_than_the_first_and_a_code_conveys_nothing_that_lasts() {
    let mut scene = scene();
    let (user, editor) = (scene.holder(Permission::Use), scene.holder(Permission::Manage));
    let seed = SecretId::fresh(scene.world.now, scene.world.here().entropy);
    scene.ask(Some(editor), Secretly::Add(scene.account, seed, SecretKind::Totp, 9));
    scene.ask(Some(user), Secretly::Code(seed));
    assert!(!scene.knows(user));
    for act in [Act::Reveal, Act::Copy, Act::Fill] {
        let refused = scene.try_ask(Some(editor), Secretly::Show(seed, act, None));
        assert!(matches!(refused, Err(Refusal::CapabilityMissing { .. })), "{act}");
    }
    scene.ask(Some(scene.owner), Secretly::Show(seed, Act::Reveal, None));
    let last = scene.world.tables().events.values().last().unwrap().kind;
    assert_eq!(last, ExposureKind::TotpSeed);
    let code_of_password = scene.try_ask(Some(user), Secretly::Code(scene.secret));
    assert_eq!(code_of_password, Err(Refusal::WrongKind { needs: SecretKind::Totp }));
}

#[test]
fn i28_each_recovery_code_is_given_once_even_to_two_at_the_same_time() {
    let mut scene = scene();
    let codes = SecretId::fresh(scene.world.now, scene.world.here().entropy);
    let owner = Some(scene.owner);
    scene.ask(owner, Secretly::Add(scene.account, codes, SecretKind::RecoveryCodes, 9));
    let burn = Command::Secret(owner, Secretly::Burn(codes));
    let snapshot = scene.world.tables().clone();
    let decided = [(), ()].map(|()| scene.world.decide(&snapshot, &burn).unwrap().unwrap());
    scene.world.commit(&burn, &snapshot, &decided[0]).unwrap();
    assert_eq!(scene.world.commit(&burn, &snapshot, &decided[1]), Err(Conflict::Taken("code")));
    scene.world.ask(&burn);
    scene.world.ask(&burn);
    assert_eq!(scene.try_ask(owner, Secretly::Burn(codes)), Err(Refusal::NoCodeLeft));
    assert_eq!(scene.world.tables().burned.len(), 3);
}

#[test]
fn an_account_has_one_password_and_its_removal_keeps_what_was_seen() {
    let mut scene = scene();
    let owner = Some(scene.owner);
    let other = SecretId::fresh(scene.world.now, scene.world.here().entropy);
    let second = scene.try_ask(owner, Secretly::Add(scene.account, other, SecretKind::Password, 5));
    assert_eq!(second, Err(Refusal::PasswordThere));
    let editor = scene.holder(Permission::Manage);
    let refused = scene.try_ask(Some(editor), Secretly::Remove(scene.secret));
    assert!(matches!(refused, Err(Refusal::CapabilityMissing { .. })));
    let events = scene.world.tables().events.len();
    scene.ask(owner, Secretly::Remove(scene.secret));
    assert!(scene.world.tables().versions.is_empty());
    assert_eq!(scene.world.tables().events.len(), events);
    assert!(scene.knows(scene.owner));
}

#[test]
fn export_needs_the_policy_and_who_is_not_let_in_learns_why() {
    let mut scene = scene();
    let export = Secretly::Show(scene.secret, Act::Export, None);
    assert_eq!(scene.try_ask(Some(scene.owner), export.clone()), Err(Refusal::ExportNotAllowed));
    let mut policy = scene.world.tables().workspace.policy.clone();
    policy.owners_export = true;
    scene.world.ask(&Command::SetPolicy(policy));
    scene.ask(Some(scene.owner), export);
    let stranger = scene.world.owner();
    let refused = scene.try_ask(Some(stranger), Secretly::Show(scene.secret, Act::Fill, None));
    assert_eq!(refused, Err(Refusal::NoAccess { why: None }), "no role opens a secret");
    let soon = scene.holder(Permission::View);
    scene.world.disable(soon);
    scene.world.enable(soon);
    let refused = scene.try_ask(Some(soon), Secretly::Show(scene.secret, Act::Fill, None));
    assert_eq!(refused, Err(Refusal::NoAccess { why: None }), "nothing came back with them");
}

#[test]
fn a_key_is_retired_only_when_nothing_is_sealed_under_it_and_another_seals() {
    let mut scene = scene();
    let retire = |number, world: &mut World| {
        let mut changes = ChangeSet::new(world.ids[0]);
        changes.push(Change::KeyRetire { number, at: world.now });
        world.db.commit(&changes)
    };
    let world = &mut scene.world;
    assert_eq!(retire(1, world), Err(Conflict::Moved("workspace key")), "it is the only one");
    let added = latchkey_access::keys::add(world.here().key(2), &world.cause(), world.mint());
    world.db.commit(&added).unwrap();
    assert_eq!(retire(1, world), Err(Conflict::Moved("workspace key")), "the password is sealed under it");
    let (secret_id, from) = (scene.secret, 1);
    let batch = vec![latchkey_access::keys::Resealed { secret_id, version: 1, from, sealed: vec![7] }];
    let resealed = latchkey_access::keys::reseal(world.ids[0], 2, batch, &world.cause(), world.mint());
    world.db.commit(&resealed).unwrap();
    assert_eq!(world.db.commit(&resealed), Err(Conflict::Moved("secret version")), "once");
    retire(1, world).unwrap();
    world.pass(Duration::from_secs(1));
    let late = scene.try_set_under_the_retired_key();
    assert_eq!(late, Err(Conflict::Moved("workspace key")), "or its value could never be opened");
}

impl Scene {
    fn try_set_under_the_retired_key(&mut self) -> Result<(), Conflict> {
        let tables = self.world.tables().clone();
        let set = Command::Secret(Some(self.owner), Secretly::Set(self.secret, 8));
        let changes = self.world.decide(&tables, &set).unwrap().unwrap();
        self.world.commit(&set, &tables, &changes)
    }
}
