//! Workspace keys: one winner at first use, and replaced while serving.

use latchkey_access::disclosure::Act;
use latchkey_access::exposure::Client;
use latchkey_access::secret::SecretKind;
use latchkey_engine::key_rotation::{self, Progress};
use latchkey_engine::secrets;

use crate::world::{World, plain};

on_both! {
    of_two_nodes_that_make_the_first_key_at_once_one_wins,
    keys_are_replaced_while_secrets_are_read_and_written,
    a_replacement_that_was_left_unfinished_goes_on_where_it_was,
    a_version_that_does_not_open_keeps_its_key_and_is_told,
}

async fn of_two_nodes_that_make_the_first_key_at_once_one_wins(world: World) {
    let other = world.another().await;
    let ws = world.workspace.id;
    let (one, two) = tokio::join!(world.engine.vault(ws), other.vault(ws));
    assert_eq!((one.unwrap().number(), two.unwrap().number()), (1, 1));
    assert_eq!(world.audited("vault.key_added").await, 1);
    let account = world.account("x").await.id;
    let secret = world.secret(account, SecretKind::Password, "value").await.secret.id;
    let by = world.operator();
    let read = secrets::disclose(&other, &by, (account, secret), Act::CliRead, None, Client::Cli).await;
    assert_eq!(read.unwrap().value.expose_text(), Some("value"), "both use the one that won");
}

async fn keys_are_replaced_while_secrets_are_read_and_written(world: World) {
    let other = world.another().await;
    let (engine, by, ws) = (&world.engine, world.operator(), world.workspace.id);
    let account = world.account("x").await.id;
    let mut all = Vec::new();
    for at in 0..230 {
        let note = world.secret(account, SecretKind::Note, &format!("note {at}")).await;
        all.push(note.secret.id);
    }
    let read = async |engine, at: usize| {
        let place = (account, all[at]);
        let shown = secrets::disclose(engine, &by, place, Act::CliRead, None, Client::Cli).await.unwrap();
        shown.value.expose_text().unwrap().to_owned()
    };
    assert_eq!(key_rotation::begin(engine, &by).await.unwrap(), 2);
    let mut told = Vec::new();
    let finish = key_rotation::finish(engine, ws, |progress| told.push(progress));
    let meanwhile = async {
        // The other node still has the old key in mind, and looks which one seals each time.
        for (at, note) in all.iter().take(20).enumerate() {
            assert_eq!(read(&other, at * 11).await, format!("note {}", at * 11));
            secrets::set(&other, &by, (account, *note), &plain(&format!("new {at}")), Client::Cli)
                .await
                .unwrap();
        }
    };
    let (done, ()) = tokio::join!(finish, meanwhile);
    let done = done.unwrap();
    assert_eq!((done.left, done.damaged), (0, 0));
    assert_eq!(told.first(), Some(&Progress { left: 230, ..Progress::default() }));
    assert!(told.len() > 3, "told after each batch: {told:?}");
    key_rotation::finish(engine, ws, |_| {}).await.unwrap();
    let status = key_rotation::status(engine, &by).await.unwrap();
    assert_eq!(status.left(), 0);
    assert!(status.keys[0].retired_at.is_some() && status.keys[0].versions == 0);
    assert_eq!((status.keys[1].versions, status.keys[1].opens), (250, true));
    let fresh = world.another().await;
    for at in [0, 19, 100, 229] {
        let expected = if at < 20 { format!("new {at}") } else { format!("note {at}") };
        assert_eq!(read(&fresh, at).await, expected);
    }
    assert_eq!(world.audited("vault.key_retired").await, 1);
}

async fn a_replacement_that_was_left_unfinished_goes_on_where_it_was(world: World) {
    let (engine, by, ws) = (&world.engine, world.operator(), world.workspace.id);
    let account = world.account("x").await.id;
    for at in 0..120 {
        world.secret(account, SecretKind::Note, &format!("note {at}")).await;
    }
    key_rotation::begin(engine, &by).await.unwrap();
    // Dropped after the first batch, as by a crash.
    let stopped = tokio::spawn({
        let engine = engine.clone();
        async move { key_rotation::finish(&engine, ws, |progress| assert!(progress.done == 0, "stop here")).await }
    });
    assert!(stopped.await.is_err());
    let left = key_rotation::status(engine, &by).await.unwrap().left();
    assert_eq!(left, 20, "a batch was kept");
    let again = world.another().await;
    let done = key_rotation::finish(&again, ws, |_| {}).await.unwrap();
    assert_eq!((done.done, done.left), (20, 0));
    assert!(key_rotation::status(engine, &by).await.unwrap().keys[0].retired_at.is_some());
}

async fn a_version_that_does_not_open_keeps_its_key_and_is_told(world: World) {
    let (engine, by, ws) = (&world.engine, world.operator(), world.workspace.id);
    let account = world.account("x").await.id;
    let good = world.secret(account, SecretKind::Note, "good").await.secret.id;
    let bad = world.secret(account, SecretKind::Note, "bad").await.secret.id;
    let (from, to) = (world.literal(good.as_uuid()), world.literal(bad.as_uuid()));
    world
        .by_hand(&format!(
            "update secret_version set sealed = (select o.sealed from secret_version o where o.secret_id = {from}) \
             where secret_id = {to}"
        ))
        .await;
    key_rotation::begin(engine, &by).await.unwrap();
    let done = key_rotation::finish(engine, ws, |_| {}).await.unwrap();
    assert_eq!(done, Progress { done: 1, left: 0, damaged: 1 });
    assert_eq!(world.audited("secret.tampered").await, 1);
    let status = key_rotation::status(engine, &by).await.unwrap();
    assert_eq!(
        (status.keys[0].retired_at, status.keys[0].versions),
        (None, 1),
        "it may be mended from a backup"
    );
}
