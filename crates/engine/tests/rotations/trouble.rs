//! What goes wrong at a target, by its class.

use latchkey_access::account::Sensitivity;
use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_engine::key_rotation;
use latchkey_engine::rotations::connectors::ConnectorPatch;
use latchkey_engine::rotations::{self, connectors};
use latchkey_engine::secrets::{self, NewSecret, Value as Plain};
use latchkey_rotation::{Reason, State};
use latchkey_vault::totp::Totp;
use secrecy::{ExposeSecret, SecretString};

use crate::fake::Trouble;
use crate::world::{OLD, World};

on_both!(
    v3_an_unknown_outcome_is_settled_by_trying,
    a_refused_value_is_replaced_and_kept,
    a_refused_credential_pauses_the_connector_until_it_is_put_right,
    what_may_pass_is_tried_again_and_a_person_asked_in_time,
    v2_when_nothing_works_the_task_names_all_that_the_vault_holds,
    an_old_password_that_still_works_is_somebodys_task,
    calling_off_ends_as_soon_as_it_is_known_which_works,
    a_dry_run_changes_nothing,
    v5_l1_a_one_time_code_is_on_record_before_the_target_gets_it,
    a_picture_of_a_failing_step_is_kept_sealed_until_the_rotation_is_over,
);

const SEED: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

async fn rotate(world: &World, account: latchkey_kernel::id::AccountId) {
    rotations::request(&world.engine, &world.operator(), account, Reason::Request).await.unwrap();
}

async fn v3_an_unknown_outcome_is_settled_by_trying(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    world.fake.then([Trouble::AnswerLost]);
    rotate(&world, account.id).await;
    world.settle().await;
    assert_eq!(world.vaulted(account.id).await, world.fake.works("shop"));
    assert_eq!(world.fake.acts(), ["change", "login", "end", "login"], "the new one first, and it worked");
    assert_eq!(world.rotations(account.id).await[0].job.state, State::Done);
}

async fn a_refused_value_is_replaced_and_kept(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    world.fake.then([Trouble::RefusesValue, Trouble::RefusesValue]);
    rotate(&world, account.id).await;
    world.settle().await;
    assert_eq!(world.vaulted(account.id).await, world.fake.works("shop"));
    let held = world.held(account.id).await;
    let count = |state| held.iter().filter(|(known, _)| *known == state).count();
    assert_eq!((held.len(), count(VersionState::Retired), count(VersionState::Pending)), (4, 2, 0));
    world.fake.then([Trouble::RefusesValue; 4]);
    world.pass(3_600);
    rotate(&world, account.id).await;
    world.settle().await;
    assert_eq!(world.rotations(account.id).await[0].job.state, State::ManualTask);
    assert_eq!(world.tasks().await[0].kind, "needs_person");
    assert_eq!(
        world.vaulted(account.id).await,
        world.fake.works("shop"),
        "the old one works and is the account's"
    );
}

async fn a_refused_credential_pauses_the_connector_until_it_is_put_right(world: World) {
    let (one, two) = (
        world.connected("one", Sensitivity::Standard, None).await,
        world.connected("two", Sensitivity::Standard, None).await,
    );
    world.fake.then([Trouble::RefusesAdmin]);
    rotate(&world, one.id).await;
    rotations::work_off(&world.engine, &world.hands).await.unwrap();
    rotate(&world, two.id).await;
    rotations::work_off(&world.engine, &world.hands).await.unwrap();
    let paused = connectors::get(&world.engine, &world.operator(), world.connector.id).await.unwrap();
    assert!(paused.paused.unwrap().contains("credential"));
    assert_eq!(world.fake.acts(), ["change"], "nothing else went there");
    assert_eq!(world.notices().await, ["connector_paused"]);
    let patch =
        ConnectorPatch { admin: Some(SecretString::from("the right one")), ..ConnectorPatch::default() };
    connectors::change(&world.engine, &world.operator(), world.connector.id, &patch).await.unwrap();
    rotations::work_off(&world.engine, &world.hands).await.unwrap();
    for account in [&one, &two] {
        assert_eq!(world.rotations(account.id).await[0].job.state, State::Done);
    }
}

async fn what_may_pass_is_tried_again_and_a_person_asked_in_time(world: World) {
    let ada = world.member("ada").await;
    let account = world.connected("shop", Sensitivity::Critical, Some(ada)).await;
    world.fake.then([Trouble::Busy; 12]);
    world.leaves(ada).await;
    let began = world.engine.now();
    world.settle().await;
    let view = world.rotations(account.id).await.remove(0);
    assert_eq!(view.job.state, State::Done);
    assert_eq!(view.job.changes_sent, 13);
    let asked = view.steps.iter().find(|step| step.act == "open_task").unwrap();
    let after = asked.at.since(began).as_secs();
    assert!((4 * 3600..4 * 3600 + 60).contains(&after), "asked after {after} s");
    assert!(world.tasks().await.is_empty(), "what succeeded needs nobody");
}

async fn v2_when_nothing_works_the_task_names_all_that_the_vault_holds(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    world.fake.then([Trouble::AnswerLost]);
    rotate(&world, account.id).await;
    let began = world.engine.now();
    // Somebody changes it elsewhere at the same time.
    rotations::work_off(&world.engine, &world.hands).await.unwrap();
    world.fake.has("shop", "changed elsewhere");
    world.settle().await;
    let view = world.rotations(account.id).await.remove(0);
    assert_eq!(view.job.state, State::ManualTask);
    let logins: Vec<_> = view.steps.iter().filter(|step| step.act == "login").map(|step| step.at).collect();
    assert!(
        logins.len() == 3 && logins.windows(2).all(|pair| pair[1].since(pair[0]).as_secs() >= 1_800),
        "the new one, the old one, and the new one once more, spaced: {logins:?} from {began}"
    );
    let task = world.tasks().await.remove(0);
    assert_eq!(task.kind, "diverged");
    assert_eq!(
        (task.checklist["versions"]["new"].as_i64(), task.checklist["versions"]["old"].as_i64()),
        (Some(2), Some(1))
    );
}

async fn an_old_password_that_still_works_is_somebodys_task(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    world.fake.0.lock().unwrap().keeps_old = true;
    rotate(&world, account.id).await;
    world.settle().await;
    assert_eq!(world.vaulted(account.id).await, world.fake.works("shop"));
    assert_eq!(world.tasks().await[0].kind, "old_still_works");
}

async fn calling_off_ends_as_soon_as_it_is_known_which_works(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    rotate(&world, account.id).await;
    let id = world.rotations(account.id).await[0].row.id;
    rotations::call_off(&world.engine, &world.operator(), id).await.unwrap();
    assert_eq!(world.rotations(account.id).await[0].job.state, State::Abandoned);
    world.fake.then([Trouble::Busy]);
    rotate(&world, account.id).await;
    rotations::work_off(&world.engine, &world.hands).await.unwrap();
    let id = world.rotations(account.id).await[0].row.id;
    rotations::call_off(&world.engine, &world.operator(), id).await.unwrap();
    world.settle().await;
    assert_eq!(world.rotations(account.id).await[0].job.state, State::RolledBack);
    assert_eq!(world.fake.works("shop"), OLD.to_owned() + "shop");
    assert_eq!(world.vaulted(account.id).await, world.fake.works("shop"));
    assert!(rotations::call_off(&world.engine, &world.operator(), id).await.is_err(), "it is over");
}

async fn a_dry_run_changes_nothing(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    let dry = rotations::dry_run(&world.engine, &world.operator(), account.id).await.unwrap();
    assert_eq!(dry.probe.unwrap().unwrap().target, "a fake");
    assert_eq!(dry.steps.len(), 5);
    assert!(world.fake.acts().is_empty() && world.rotations(account.id).await.is_empty());
    assert_eq!(world.held(account.id).await.len(), 1);
}

async fn v5_l1_a_one_time_code_is_on_record_before_the_target_gets_it(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    let seed = NewSecret {
        kind: SecretKind::Totp,
        label: "TOTP".to_owned(),
        value: Plain::from(&SecretString::from(SEED)),
        known_by: ExposureKind::Creator,
    };
    secrets::add(&world.engine, &world.operator(), account.id, &seed, Client::Cli).await.unwrap();
    world.fake.0.lock().unwrap().asks_codes = 1;
    rotate(&world, account.id).await;
    rotations::work_off(&world.engine, &world.hands).await.unwrap();
    assert_eq!(world.rotations(account.id).await[0].job.state, State::Done);
    let expected = Totp::parse(SEED).unwrap().code(world.engine.now()).code;
    assert_eq!(world.fake.0.lock().unwrap().codes_seen, [expected.expose_secret()]);
    let audited = world.audited(account.id).await;
    assert_eq!(audited.iter().filter(|action| *action == "secret.code_used").count(), 1, "{audited:?}");
    let knowing = secrets::who_knows_now(&world.engine, &world.operator(), account.id).await.unwrap();
    assert!(knowing.known.is_empty(), "nobody was shown anything: {knowing:?}");
}

async fn a_picture_of_a_failing_step_is_kept_sealed_until_the_rotation_is_over(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    world.fake.0.lock().unwrap().picture = b"picture canary".to_vec();
    world.fake.then([Trouble::WantsPerson]);
    rotate(&world, account.id).await;
    world.settle().await;
    let by = world.operator();
    let view = world.rotations(account.id).await.remove(0);
    assert_eq!(view.job.state, State::ManualTask);
    let (step, _, media_type) = view.pictures[0].clone();
    assert_eq!((view.pictures.len(), media_type.as_str()), (1, "image/png"));
    let failed = view.steps.iter().find(|one| one.number == step).unwrap();
    assert_eq!(failed.act, "change", "it is of the step that failed");
    let stored = world.engine.store().rotation_picture(world.workspace.id, view.row.id, step).await;
    let sealed = stored.unwrap().unwrap().sealed;
    assert!(!sealed.windows(14).any(|part| part == b"picture canary"), "it is sealed");
    // Keys are replaced while it is there.
    key_rotation::begin(&world.engine, &by).await.unwrap();
    key_rotation::finish(&world.engine, world.workspace.id, |_| ()).await.unwrap();
    let keys = key_rotation::status(&world.engine, &by).await.unwrap().keys;
    assert!(keys[0].retired_at.is_some(), "{keys:?}");
    let seen = rotations::picture(&world.engine, &by, view.row.id, step).await.unwrap();
    assert_eq!(&seen.bytes[..], b"picture canary");
    assert!(world.audited(account.id).await.iter().any(|action| action == "rotation.picture_shown"));
    rotations::call_off(&world.engine, &by, view.row.id).await.unwrap();
    world.settle().await;
    assert!(world.rotations(account.id).await[0].row.over);
    assert!(rotations::picture(&world.engine, &by, view.row.id, step).await.is_err(), "it is gone");
    // One that is too large is left out, and the rotation goes its way.
    world.fake.0.lock().unwrap().picture = vec![0; 1024 * 1024 + 1];
    world.fake.then([Trouble::WantsPerson]);
    rotate(&world, account.id).await;
    world.settle().await;
    let view = world.rotations(account.id).await.remove(0);
    assert!(view.job.state == State::ManualTask && view.pictures.is_empty());
}
