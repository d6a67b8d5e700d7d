//! Accounts that people rotate by hand.

use latchkey_access::Scope;
use latchkey_access::account::Sensitivity;
use latchkey_access::exposure::ExposureKind;
use latchkey_access::offboarding::CaseState;
use latchkey_access::token::TokenKind;
use latchkey_engine::rotations::tasks::{self, Heard, Saying};
use latchkey_engine::{Caller, exposures, offboardings, tokens};
use latchkey_kernel::id::MemberId;
use latchkey_rotation::{State, Word};
use secrecy::ExposeSecret;

use crate::world::World;

on_both!(
    an_account_without_a_connector_is_a_task_with_a_deadline,
    a_privileged_account_by_hand_takes_two_people,
    whoever_set_it_knows_it_and_leaving_rotates_again,
    a_waived_rotation_leaves_its_case_with_an_exception,
);

const SCOPES: &[Scope] = &[Scope::OffboardingRead, Scope::OffboardingWrite];

/// A member as a caller who may do tasks.
async fn as_member(world: &World, id: MemberId) -> Caller {
    let made = tokens::create_api(&world.engine, &world.operator(), id, "t", SCOPES, None).await.unwrap();
    let login = tokens::authenticate(&world.engine, TokenKind::Api, made.text.expose_secret()).await;
    let login = login.unwrap().unwrap();
    Caller::of_login(&login, world.engine.fresh_request_id()).unwrap()
}

fn saying(word: Word) -> Saying {
    Saying { word, note: None }
}

async fn an_account_without_a_connector_is_a_task_with_a_deadline(world: World) {
    let (ada, bob) = (world.member("ada").await, world.member("bob").await);
    let account = world.account("shop", Sensitivity::Standard, Some(ada)).await;
    world.leaves(ada).await;
    world.settle().await;
    let task = world.tasks().await.remove(0);
    assert_eq!(task.kind, "change_by_hand");
    assert_eq!(task.due_at.since(task.opened_at).as_secs(), 7 * 24 * 3600, "five working days from a Monday");
    for (percent, days) in [(1, 4), (2, 2), (3, 2)] {
        world.pass(days * 24 * 3600);
        world.settle().await;
        let reminders = world.notices().await.iter().filter(|notice| *notice == "task_due").count();
        assert_eq!(reminders, percent);
    }
    let by = as_member(&world, bob).await;
    assert!(tasks::show_new(&world.engine, &by, task.id).await.is_err(), "it is not theirs yet");
    tasks::take_over(&world.engine, &by, task.id).await.unwrap();
    let (version, new) = tasks::show_new(&world.engine, &by, task.id).await.unwrap();
    let known = exposures::list(&world.engine, &world.operator(), account.id).await.unwrap();
    let kind =
        |exposure: &latchkey_access::Exposure| (exposure.member_id, exposure.generation, exposure.kind);
    assert!(
        known.iter().map(kind).any(|known| known == (bob, version, ExposureKind::RotationOperator)),
        "{known:?}"
    );
    world.fake.has("shop", new.expose_secret());
    assert_eq!(
        tasks::finish(&world.engine, &by, task.id, &saying(Word::Changed)).await.unwrap(),
        Heard::Done
    );
    world.settle().await;
    assert_eq!(world.rotations(account.id).await[0].job.state, State::Done);
    assert_eq!(world.vaulted(account.id).await, new.expose_secret());
    assert!(world.tasks().await.is_empty());
    let case = offboardings::list(&world.engine, &world.operator(), None, None, 9).await.unwrap().remove(0);
    assert_eq!(case.state, CaseState::Complete);
    assert!(
        tasks::finish(&world.engine, &by, task.id, &saying(Word::Changed)).await.is_err(),
        "it is closed"
    );
}

async fn a_privileged_account_by_hand_takes_two_people(world: World) {
    let (ada, bob, eve) = (world.member("ada").await, world.member("bob").await, world.member("eve").await);
    let account = world.account("root", Sensitivity::Privileged, Some(ada)).await;
    world.leaves(ada).await;
    world.settle().await;
    let task = world.tasks().await.remove(0);
    assert_eq!(task.due_at.since(task.opened_at).as_secs(), 24 * 3600);
    let (bob, eve) = (as_member(&world, bob).await, as_member(&world, eve).await);
    let say = async |by: &Caller| tasks::finish(&world.engine, by, task.id, &saying(Word::Changed)).await;
    assert_eq!(say(&bob).await.unwrap(), Heard::NeedsAnother);
    assert!(say(&bob).await.unwrap_err().to_string().contains("second person"));
    world.settle().await;
    assert_eq!(world.rotations(account.id).await[0].job.state, State::ManualTask);
    assert_eq!(say(&eve).await.unwrap(), Heard::Done);
    world.settle().await;
    assert_eq!(world.rotations(account.id).await[0].job.state, State::Done);
}

async fn whoever_set_it_knows_it_and_leaving_rotates_again(world: World) {
    let (ada, bob) = (world.member("ada").await, world.member("bob").await);
    let account = world.account("shop", Sensitivity::Standard, Some(ada)).await;
    world.leaves(ada).await;
    world.settle().await;
    let task = world.tasks().await.remove(0);
    let by = as_member(&world, bob).await;
    tasks::finish(&world.engine, &by, task.id, &saying(Word::Changed)).await.unwrap();
    // They leave before what they set is the account's.
    world.leaves(bob).await;
    world.settle().await;
    assert_eq!(world.rotations(account.id).await.last().unwrap().job.state, State::Done);
    world.pass(10);
    world.settle().await;
    let again = world.rotations(account.id).await.remove(0);
    assert_eq!(again.job.state, State::ManualTask, "what they know has to go as well");
    assert!(again.row.cause.starts_with("known_outside:"), "{}", again.row.cause);
}

async fn a_waived_rotation_leaves_its_case_with_an_exception(world: World) {
    let ada = world.member("ada").await;
    let account = world.account("shop", Sensitivity::Standard, Some(ada)).await;
    world.leaves(ada).await;
    world.settle().await;
    let task = world.tasks().await.remove(0);
    tasks::finish(&world.engine, &world.operator(), task.id, &saying(Word::Waive)).await.unwrap();
    world.settle().await;
    assert_eq!(world.rotations(account.id).await[0].job.state, State::Waived);
    let case = offboardings::list(&world.engine, &world.operator(), None, None, 9).await.unwrap().remove(0);
    assert_eq!(case.state, CaseState::CompleteWithExceptions);
}
