//! A worker dies before or after each act at the target, and after each commit; another goes on.

use std::time::Duration;

use latchkey_access::account::Sensitivity;
use latchkey_engine::rotations::{self, Hands};
use latchkey_rotation::{Reason, State};

use crate::fake::Trouble;
use crate::world::{OLD, World};

on_both!(
    v2_v3_a_worker_that_dies_anywhere_leaves_one_working_password_that_the_vault_holds,
    v4_whoever_was_stopped_writes_nothing_when_they_go_on,
);

/// The acts at the target: the change, the new login, the ending of sessions, the old login.
const ACTS: usize = 4;

async fn v2_v3_a_worker_that_dies_anywhere_leaves_one_working_password_that_the_vault_holds(world: World) {
    for act in 0..ACTS {
        for trouble in [Trouble::HangsBefore, Trouble::HangsAfter] {
            let login = format!("login{act}{trouble:?}");
            let account = world.connected(&login, Sensitivity::Standard, None).await;
            world.fake.then(std::iter::repeat_n(Trouble::None, act).chain([trouble]));
            rotations::request(&world.engine, &world.operator(), account.id, Reason::Request).await.unwrap();
            let engine = world.engine.clone();
            let worker = tokio::spawn(async move { rotations::work_off(&engine, &Hands::of_server()).await });
            while !world.fake.hangs() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            worker.abort();
            assert!(worker.await.unwrap_err().is_cancelled(), "it died in the act");
            world.fake.0.lock().unwrap().hanging = false;
            let held = world.held(account.id).await;
            let works = world.fake.works(&login);
            assert!(held.iter().any(|(_, value)| *value == works), "V2: {act} {trouble:?}");
            // Nobody else has it before the lease is over.
            rotations::work_off(&world.engine, &world.hands).await.unwrap();
            assert!(!world.rotations(account.id).await[0].job.state.is_over());
            world.pass(31);
            world.settle().await;
            let view = world.rotations(account.id).await.remove(0);
            assert_eq!(view.job.state, State::Done, "{act} {trouble:?}: {:?}", view.steps);
            assert_eq!(world.vaulted(account.id).await, world.fake.works(&login), "{act} {trouble:?}");
            assert!(!world.fake.accepts(&login, &(OLD.to_owned() + &login)), "{act} {trouble:?}");
        }
    }
}

async fn v4_whoever_was_stopped_writes_nothing_when_they_go_on(world: World) {
    let account = world.connected("shop", Sensitivity::Standard, None).await;
    world.fake.then([Trouble::HangsAfter]);
    rotations::request(&world.engine, &world.operator(), account.id, Reason::Request).await.unwrap();
    let id = world.rotations(account.id).await[0].row.id;
    let engine = world.engine.clone();
    let stopped = tokio::spawn(async move { rotations::work_off(&engine, &Hands::of_server()).await });
    while !world.fake.hangs() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let row = world.engine.store().rotation_get(world.workspace.id, id).await.unwrap().unwrap();
    world.pass(31);
    world.settle().await;
    let after = world.rotations(account.id).await.remove(0);
    assert_eq!(after.job.state, State::Done);
    let key = (world.workspace.id, id);
    let renewed = world.engine.store().rotation_renew(key, row.version, world.engine.now()).await.unwrap();
    assert!(!renewed, "the first has lost it");
    stopped.abort();
    assert!(
        rotations::work_on(&world.engine, &world.hands, key).await.is_ok_and(|worked| !worked),
        "it is over"
    );
}
