//! Tokens open what they are for, as long as they are.

use std::time::Duration;

use crate::world::World;
use latchkey_access::TokenKind;
use latchkey_access::token::Scope;
use latchkey_engine::{Caller, Unauthenticated, members, tokens};
use secrecy::ExposeSecret;

on_both! {
    a_regenerated_token_leaves_the_old_one_its_grace_and_no_more,
    a1_a_members_token_opens_nothing_once_they_are_out_nor_after_they_are_back,
}

async fn opens(world: &World, kind: TokenKind, text: &str) -> Result<(), Unauthenticated> {
    tokens::authenticate(&world.engine, kind, text).await.unwrap().map(drop)
}

async fn a_regenerated_token_leaves_the_old_one_its_grace_and_no_more(world: World) {
    let (engine, by) = (&world.engine, world.operator());
    let first = tokens::create_scim(engine, &by, "Okta", None).await.unwrap();
    let old = first.text.expose_secret();
    assert_eq!(opens(&world, TokenKind::Scim, old).await, Ok(()));
    assert_eq!(opens(&world, TokenKind::Api, old).await, Err(Unauthenticated::NotOurs));
    assert_eq!(tokens::reveal(engine, &by, first.token.id).await.unwrap().expose_secret(), old);
    let second = tokens::regenerate(engine, &by, first.token.id, Duration::from_secs(60)).await.unwrap();
    assert_eq!(opens(&world, TokenKind::Scim, old).await, Ok(()));
    assert_eq!(opens(&world, TokenKind::Scim, second.text.expose_secret()).await, Ok(()));
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(opens(&world, TokenKind::Scim, old).await, Err(Unauthenticated::Over));
    tokens::revoke(engine, &by, second.token.id).await.unwrap();
    assert_eq!(opens(&world, TokenKind::Scim, second.text.expose_secret()).await, Err(Unauthenticated::Over));
}

async fn a1_a_members_token_opens_nothing_once_they_are_out_nor_after_they_are_back(world: World) {
    let (engine, by) = (&world.engine, world.operator());
    let ida = world.user("ida").await.member.id;
    let issued = tokens::create_api(engine, &by, ida, "script", &[Scope::SelfRead], None).await.unwrap();
    let text = issued.text.expose_secret();
    let login = tokens::authenticate(engine, TokenKind::Api, text).await.unwrap().unwrap();
    let caller = Caller::of_login(&login, engine.fresh_request_id()).unwrap();
    assert!(members::get(engine, &caller, ida).await.is_ok(), "everybody may see themselves");
    assert!(members::get(engine, &caller, world.owner).await.is_err());
    let more = [Scope::SelfRead, Scope::MembersRead];
    assert!(
        tokens::create_api(engine, &caller, ida, "more", &more, None).await.is_err(),
        "no token makes a mightier one"
    );
    assert!(tokens::create_api(engine, &caller, world.owner, "other", &more[..1], None).await.is_err());
    assert!(tokens::create_api(engine, &caller, ida, "same", &more[..1], None).await.is_ok());
    world.set_active(ida, false).await;
    assert!(opens(&world, TokenKind::Api, text).await.is_err());
    world.set_active(ida, true).await;
    assert!(opens(&world, TokenKind::Api, text).await.is_err());
}
