//! "Who knows this password now?" and "what did this member ever see?"

use std::time::Duration;

use latchkey_access::Permission;
use latchkey_access::disclosure::Act;
use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::grant::GrantObject;
use latchkey_access::grants::Wish;
use latchkey_access::secret::SecretKind;
use latchkey_engine::secrets::{self, Knowledge};
use latchkey_engine::{exposures, grants};
use latchkey_kernel::id::{AccountId, MemberId};

use crate::world::{World, plain};

on_both! {
    who_saw_it_knows_it_and_who_could_use_it_since_might,
    what_a_member_ever_saw_is_told_with_whether_it_still_opens_something,
}

fn known(knowledge: &Knowledge) -> Vec<(MemberId, ExposureKind)> {
    knowledge.known.iter().map(|one| (one.member.standing.member_id, one.kind)).collect()
}

fn possible(knowledge: &Knowledge) -> Vec<(MemberId, Permission, bool)> {
    let one =
        |one: &secrets::Possible| (one.member.standing.member_id, one.permission, one.ended_at.is_some());
    knowledge.possible.iter().map(one).collect()
}

async fn now(world: &World, account: AccountId) -> Knowledge {
    secrets::who_knows_now(&world.engine, &world.operator(), account).await.unwrap()
}

async fn who_saw_it_knows_it_and_who_could_use_it_since_might(world: World) {
    let account = world.account("Instagram").await.id;
    let secret = world.secret(account, SecretKind::Password, "first").await.secret.id;
    let engine = &world.engine;
    let viewer = world.holder("vera", account, Permission::View).await;
    let user = world.holder("ulf", account, Permission::Use).await;
    let (vera, ulf) = (viewer.member_id().unwrap(), user.member_id().unwrap());
    let soon = world.user("sofi").await.member.id;
    let ends_at = Some(engine.now().plus(Duration::from_secs(60)));
    let wish = Wish {
        object: GrantObject::Account(account),
        permission: Permission::Use,
        starts_at: None,
        ends_at,
        reason: None,
    };
    grants::give(engine, &world.operator(), grants::To::Member(soon), &wish).await.unwrap();
    let told = world.user("tova").await.member.id;
    exposures::record(engine, &world.operator(), account, told).await.unwrap();
    secrets::disclose(engine, &viewer, (account, secret), Act::Copy, None, Client::Api).await.unwrap();
    world.clock.advance(Duration::from_secs(120));
    let before = now(&world, account).await;
    let mut expected = [(vera, ExposureKind::Copy), (told, ExposureKind::Declared)];
    expected.sort();
    assert_eq!(known(&before), expected);
    assert_eq!(possible(&before), [(ulf, Permission::Use, false), (soon, Permission::Use, true)]);
    let editor = world.holder("edda", account, Permission::Manage).await;
    secrets::set(engine, &editor, (account, secret), &plain("second"), Client::Api).await.unwrap();
    let after = now(&world, account).await;
    assert_eq!(known(&after), [(editor.member_id().unwrap(), ExposureKind::Creator)]);
    let left: Vec<_> = possible(&after).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(left, [vera, ulf], "whose grant ended before could not have it");
    assert!(secrets::who_knows_now(engine, &viewer, account).await.is_err(), "that is for who sees accounts");
}

async fn what_a_member_ever_saw_is_told_with_whether_it_still_opens_something(world: World) {
    let account = world.account("Instagram").await.id;
    let secret = world.secret(account, SecretKind::Password, "first").await.secret.id;
    let key = world.secret(account, SecretKind::ApiKey, "key").await.secret.id;
    let engine = &world.engine;
    let viewer = world.holder("vera", account, Permission::View).await;
    let vera = viewer.member_id().unwrap();
    for id in [secret, key] {
        secrets::disclose(engine, &viewer, (account, id), Act::Reveal, None, Client::Api).await.unwrap();
        world.clock.advance(Duration::from_millis(2));
    }
    let operator = world.operator();
    let seen = async |by| secrets::seen_by(engine, by, vera, None, 10).await.unwrap();
    let current = async |by| {
        seen(by).await.iter().map(|row| (row.event.secret_id.unwrap(), row.is_current())).collect::<Vec<_>>()
    };
    assert_eq!(
        current(&viewer).await,
        [(key, true), (secret, true)],
        "newest first; everybody sees their own"
    );
    secrets::set(engine, &world.operator(), (account, secret), &plain("second"), Client::Cli).await.unwrap();
    assert_eq!(current(&operator).await, [(key, true), (secret, false)]);
    let page = secrets::seen_by(engine, &viewer, vera, None, 1).await.unwrap();
    let rest = secrets::seen_by(engine, &viewer, vera, Some(page[0].event.id), 10).await.unwrap();
    assert_eq!(rest.len(), 1);
    world.set_active(vera, false).await;
    assert_eq!(seen(&operator).await.len(), 2, "it is no less seen when they are out");
    let other = world.program(world.user("sten").await.member.id).await;
    assert!(secrets::seen_by(engine, &other, vera, None, 10).await.is_err());
}
