//! A leaver's passwords are changed and proven, and their case closes.

use latchkey_access::account::Sensitivity;
use latchkey_access::offboarding::CaseState;
use latchkey_access::rotation::RotationMode;
use latchkey_engine::rotations::{self};
use latchkey_engine::{exposures, offboardings};
use latchkey_rotation::{Reason, Schedule, State};

use crate::fake::Trouble;
use crate::world::{OLD, World};

on_both!(
    a_leavers_password_is_changed_proven_and_the_case_closes,
    a5_two_leavers_of_one_password_cost_one_change,
    privileged_accounts_come_first,
    a_case_with_what_could_not_be_shown_says_so,
    a_rotation_on_approval_waits_for_a_word,
    schedules_change_and_try_passwords,
    what_depends_on_a_password_is_told,
);

async fn a_leavers_password_is_changed_proven_and_the_case_closes(world: World) {
    let ada = world.member("ada").await;
    let account = world.connected("shop", Sensitivity::Privileged, Some(ada)).await;
    world.leaves(ada).await;
    assert_eq!(world.waiting_events().await, 1);
    world.pass(2);
    world.settle().await;
    let new = world.fake.works("shop");
    assert_ne!(new, OLD.to_owned() + "shop");
    assert_eq!(world.vaulted(account.id).await, new);
    assert!(!world.fake.accepts("shop", &(OLD.to_owned() + "shop")));
    assert_eq!(world.fake.acts(), ["change", "login", "end", "login"]);
    let done = world.rotations(account.id).await.remove(0);
    assert_eq!((done.job.state, done.job.reason), (State::Done, Reason::Offboarding));
    assert!(done.job.old_refused_at.is_some() && done.job.sessions_ended == Some(3), "{:?}", done.job);
    let acts: Vec<_> = done.steps.iter().map(|step| step.act.as_str()).collect();
    assert_eq!(acts, ["stage", "change", "login", "commit", "end_sessions", "login"]);
    let cases = offboardings::list(&world.engine, &world.operator(), None, None, 9).await.unwrap();
    assert_eq!(cases[0].state, CaseState::Complete);
    assert_eq!(cases[0].summary["time_to_safe_ms"], 2_000);
    assert_eq!(world.waiting_events().await, 0);
    let audited = world.audited(account.id).await;
    for action in
        ["rotation.planned", "secret.staged", "secret.promoted", "rotation.committed", "rotation.done"]
    {
        assert_eq!(audited.iter().filter(|known| *known == action).count(), 1, "{action} of {audited:?}");
    }
    let text = serde_json::to_string(&done.row.body).unwrap();
    assert!(!text.contains(&new) && !text.contains(OLD), "no secret in the job");
}

async fn a5_two_leavers_of_one_password_cost_one_change(world: World) {
    let (ada, bob) = (world.member("ada").await, world.member("bob").await);
    let account = world.connected("shop", Sensitivity::Standard, Some(ada)).await;
    exposures::record(&world.engine, &world.operator(), account.id, bob).await.unwrap();
    world.leaves(ada).await;
    world.leaves(bob).await;
    for _ in 0..3 {
        world.settle().await;
        world.pass(10);
    }
    let changes = world.fake.acts().iter().filter(|act| **act == "change").count();
    assert_eq!(changes, 1);
    let mut states: Vec<_> = world.rotations(account.id).await.iter().map(|view| view.job.state).collect();
    states.sort();
    assert_eq!(states, [State::Done, State::Superseded]);
    let cases = offboardings::list(&world.engine, &world.operator(), None, None, 9).await.unwrap();
    assert!(cases.iter().all(|case| case.state == CaseState::Complete), "{cases:?}");
}

async fn privileged_accounts_come_first(world: World) {
    let ada = world.member("ada").await;
    let mut ids = Vec::new();
    for (login, sensitivity) in
        [("a", Sensitivity::Standard), ("b", Sensitivity::Critical), ("c", Sensitivity::Privileged)]
    {
        ids.push(world.connected(login, sensitivity, Some(ada)).await.id);
    }
    world.leaves(ada).await;
    // Each takes a millisecond, so that their order shows.
    world.settle().await;
    let mut ended = Vec::new();
    for id in ids {
        let view = world.rotations(id).await.remove(0);
        ended.push((view.row.priority, view.job.state));
    }
    assert_eq!(ended, [(20, State::Done), (0, State::Done), (10, State::Done)]);
}

async fn a_case_with_what_could_not_be_shown_says_so(world: World) {
    let ada = world.member("ada").await;
    let account = world.connected("shop", Sensitivity::Standard, Some(ada)).await;
    world.fake.then([Trouble::None, Trouble::None, Trouble::WantsPerson]);
    world.leaves(ada).await;
    world.settle().await;
    let view = world.rotations(account.id).await.remove(0);
    assert_eq!(view.job.state, State::Done);
    assert!(view.job.exceptions[0].contains("sessions"), "{:?}", view.job.exceptions);
    let case = offboardings::list(&world.engine, &world.operator(), None, None, 9).await.unwrap().remove(0);
    assert_eq!(case.state, CaseState::CompleteWithExceptions);
    assert!(case.summary["exceptions"][0]["why"].as_str().unwrap().contains("sessions"));
    assert!(case.summary["time_to_safe_ms"].is_null(), "it is not safe");
}

async fn a_rotation_on_approval_waits_for_a_word(world: World) {
    let ada = world.member("ada").await;
    let account = world.connected("shop", Sensitivity::Standard, Some(ada)).await;
    world.set(account.id, RotationMode::OnApproval, Schedule::default()).await;
    world.leaves(ada).await;
    world.settle().await;
    let held = world.rotations(account.id).await.remove(0);
    assert_eq!((held.job.state, world.fake.acts().len()), (State::Held, 0));
    rotations::approve(&world.engine, &world.operator(), held.row.id).await.unwrap();
    assert!(rotations::approve(&world.engine, &world.operator(), held.row.id).await.is_err(), "only once");
    world.settle().await;
    assert_eq!(world.rotations(account.id).await[0].job.state, State::Done);
}

async fn schedules_change_and_try_passwords(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    let schedule = Schedule { every_days: Some(7), verify_every_hours: Some(24), ..Schedule::default() };
    world.set(account.id, RotationMode::Automatic, schedule).await;
    world.settle().await;
    assert!(world.rotations(account.id).await.is_empty(), "nothing is due yet");
    for _ in 0..8 {
        world.pass(24 * 60 * 60 + 60);
        world.settle().await;
    }
    let views = world.rotations(account.id).await;
    let count = |reason| views.iter().filter(|view| view.job.reason == reason).count();
    assert!(views.iter().all(|view| view.job.state == State::Done), "{views:?}");
    assert_eq!((count(Reason::Schedule), count(Reason::VerifyOnly)), (1, 7));
    world.fake.has("shop", "changed elsewhere");
    world.pass(24 * 60 * 60 + 60);
    world.settle().await;
    let task = world.tasks().await.remove(0);
    assert_eq!((task.kind.as_str(), task.account_id), ("drift", account.id));
    assert!(world.notices().await.contains(&"task_opened".to_owned()));
}

async fn what_depends_on_a_password_is_told(world: World) {
    use latchkey_engine::rotations::connectors::add_dependent;
    let (account, twin) = (
        world.connected("shop", Sensitivity::Standard, None).await,
        world.connected("twin", Sensitivity::Standard, None).await,
    );
    let by = world.operator();
    add_dependent(&world.engine, &by, account.id, ("billing", "Set PGPASSWORD", None)).await.unwrap();
    add_dependent(&world.engine, &by, account.id, ("twin", "Same password", Some(twin.id))).await.unwrap();
    add_dependent(&world.engine, &by, twin.id, ("shop", "Same password", Some(account.id))).await.unwrap();
    rotations::request(&world.engine, &by, account.id, Reason::Request).await.unwrap();
    world.settle().await;
    let task = world.tasks().await.remove(0);
    assert_eq!(
        (task.kind.as_str(), task.checklist["dependent"].as_str()),
        ("update_dependent", Some("billing"))
    );
    assert_eq!(world.rotations(twin.id).await[0].job.state, State::Done);
    assert_eq!(world.rotations(account.id).await.len(), 1, "two that name each other do not go on for ever");
}
