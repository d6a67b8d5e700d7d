//! Secrets are stored, shown, rotated: by whom, and with which record before.

use std::time::Duration;

use latchkey_access::Permission;
use latchkey_access::audit::Actor;
use latchkey_access::disclosure::Act;
use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_engine::secrets::{self, Disclosed, NewSecret, Slot};
use latchkey_engine::{Caller, Error};
use latchkey_kernel::id::{AccountId, SecretId};
use secrecy::{ExposeSecret, SecretString};

use crate::world::{World, plain};

on_both! {
    a_value_comes_back_to_who_may_see_it_and_to_nobody_else,
    v5_a_value_whose_record_cannot_be_made_durable_does_not_leave,
    a_value_is_never_used_twice_but_may_be_brought_back,
    v2_a_staged_value_is_durable_and_shown_to_nobody_until_it_is_promoted,
    a_code_is_computed_here_and_the_seed_stays,
    recovery_codes_are_given_out_once_each,
    an_account_that_has_no_password_gets_one_by_its_first_rotation,
    a_secret_of_another_account_is_a_secret_that_is_not_there,
}

type Place = (AccountId, SecretId);

async fn show(world: &World, by: &Caller, place: Place, act: Act) -> Result<Disclosed, Error> {
    // The ledger is in order of time.
    world.clock.advance(Duration::from_millis(2));
    secrets::disclose(&world.engine, by, place, act, None, Client::Api).await
}

async fn text(world: &World, by: &Caller, place: Place) -> String {
    show(world, by, place, Act::Reveal).await.unwrap().value.expose_text().unwrap().to_owned()
}

fn refused<T: std::fmt::Debug>(done: Result<T, Error>) -> Refusal {
    match done.unwrap_err() {
        Error::Refused(refusal) => refusal,
        other => panic!("another failure: {other:?}"),
    }
}

async fn events(world: &World, account: AccountId) -> Vec<ExposureKind> {
    let ledger = secrets::ledger(&world.engine, &world.operator(), account, None, 100).await.unwrap();
    ledger.into_iter().rev().map(|event| event.kind).collect()
}

async fn a_value_comes_back_to_who_may_see_it_and_to_nobody_else(world: World) {
    let account = world.account("Instagram").await.id;
    let secret = world.secret(account, SecretKind::Password, "correct horse").await;
    let place = (account, secret.secret.id);
    let viewer = world.holder("vera", account, Permission::View).await;
    let user = world.holder("ulf", account, Permission::Use).await;
    let stranger = world.program(world.user("sten").await.member.id).await;
    let owner = world.program(world.owner).await;
    assert_eq!(text(&world, &viewer, place).await, "correct horse");
    assert!(show(&world, &user, place, Act::Fill).await.is_ok());
    let lacks = refused(show(&world, &user, place, Act::Reveal).await);
    assert!(matches!(lacks, Refusal::CapabilityMissing { held: Permission::Use, .. }), "{lacks:?}");
    for by in [&stranger, &owner] {
        assert_eq!(refused(show(&world, by, place, Act::Fill).await), Refusal::NoAccess { why: None });
        assert_eq!(refused(secrets::list(&world.engine, by, account).await), Refusal::NoAccess { why: None });
    }
    assert_eq!(
        events(&world, account).await,
        [ExposureKind::Creator, ExposureKind::Reveal, ExposureKind::Fill]
    );
    assert_eq!((world.audited("secret.revealed").await, world.audited("secret.filled").await), (1, 1));
    let listed = secrets::list(&world.engine, &user, account).await.unwrap();
    assert_eq!((listed.len(), listed[0].versions.len()), (1, 1));
    let member = user.member_id().unwrap();
    world.set_active(member, false).await;
    assert!(show(&world, &user, place, Act::Fill).await.is_err(), "A1");
    world.set_active(member, true).await;
    assert_eq!(refused(show(&world, &user, place, Act::Fill).await), Refusal::NoAccess { why: None }, "A3");
}

async fn v5_a_value_whose_record_cannot_be_made_durable_does_not_leave(world: World) {
    let account = world.account("Instagram").await.id;
    let secret = world.secret(account, SecretKind::Password, "correct horse").await.secret.id;
    let codes = world.secret(account, SecretKind::RecoveryCodes, "one two").await.secret.id;
    let seed = world.secret(account, SecretKind::Totp, "JBSWY3DPEHPK3PXP").await.secret.id;
    let viewer = world.holder("vera", account, Permission::Own).await;
    let engine = &world.engine;
    // Each of the three rows of the record in turn.
    for table in ["exposure_event", "exposure", "audit_record"] {
        let break_it = if world.is_postgres() {
            format!(
                "create function full_disk() returns trigger language plpgsql as $$ begin raise 'disk full'; end $$; \
                 create trigger full_disk before insert on {table} for each row execute function full_disk()"
            )
        } else {
            format!(
                "create trigger full_disk before insert on {table} begin select raise(abort, 'disk full'); end"
            )
        };
        world.by_hand(&break_it).await;
        for act in [Act::Reveal, Act::Copy, Act::Fill, Act::ApiRead] {
            assert!(show(&world, &viewer, (account, secret), act).await.is_err(), "{table} {act}");
        }
        if table != "exposure" {
            assert!(secrets::totp_code(engine, &viewer, (account, seed), Client::Api).await.is_err());
            assert!(secrets::burn(engine, &viewer, (account, codes), None, Client::Api).await.is_err());
        }
        let mend_it = if world.is_postgres() {
            format!("drop trigger full_disk on {table}; drop function full_disk()")
        } else {
            "drop trigger full_disk".to_owned()
        };
        world.by_hand(&mend_it).await;
    }
    assert_eq!(text(&world, &viewer, (account, secret)).await, "correct horse");
    let left = secrets::burn(engine, &viewer, (account, codes), None, Client::Api).await.unwrap();
    assert_eq!((left.code.expose_secret(), left.left), ("one", 1), "none was burned meanwhile");
}

async fn a_value_is_never_used_twice_but_may_be_brought_back(world: World) {
    let account = world.account("Instagram").await.id;
    let secret = world.secret(account, SecretKind::Password, "first").await.secret.id;
    let place = (account, secret);
    let editor = world.holder("edda", account, Permission::Manage).await;
    let engine = &world.engine;
    let set = async |text: &str| secrets::set(engine, &editor, place, &plain(text), Client::Api).await;
    assert_eq!(set("second").await.unwrap(), 2);
    for used in ["first", "second"] {
        assert_eq!(refused(set(used).await), Refusal::ValueUsedBefore);
    }
    let viewer = world.holder("vera", account, Permission::View).await;
    let earlier = secrets::disclose(engine, &viewer, place, Act::Reveal, Some(1), Client::Api).await;
    assert!(matches!(refused(earlier), Refusal::CapabilityMissing { .. }));
    assert_eq!(secrets::restore(engine, &editor, place, 1, Client::Api).await.unwrap(), 3);
    assert_eq!(text(&world, &viewer, place).await, "first");
    let history = secrets::history(engine, &editor, account, secret).await.unwrap();
    let states: Vec<_> = history.versions.iter().map(|version| version.state).collect();
    assert_eq!(states, [VersionState::Retired, VersionState::Previous, VersionState::Current]);
    let now = latchkey_engine::accounts::get(engine, &world.operator(), account).await.unwrap();
    assert_eq!(now.secret_generation, 3);
    assert!(secrets::restore(engine, &editor, place, 9, Client::Api).await.is_err());
    assert!(secrets::remove(engine, &editor, place).await.is_err(), "that is for who owns it");
    secrets::remove(engine, &world.operator(), place).await.unwrap();
    assert!(matches!(
        show(&world, &viewer, place, Act::Reveal).await,
        Err(Error::NotFound { what: "secret" })
    ));
}

async fn v2_a_staged_value_is_durable_and_shown_to_nobody_until_it_is_promoted(world: World) {
    let account = world.account("Instagram").await.id;
    let secret = world.secret(account, SecretKind::Password, "first").await.secret.id;
    let viewer = world.holder("vera", account, Permission::View).await;
    let (engine, ws) = (&world.engine, world.workspace.id);
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    let version = secrets::stage(engine, ws, account, &cause, &SecretString::from("second")).await.unwrap();
    // As after a crash: another process finds it.
    let other = world.another().await;
    let slot = Slot::Password(account);
    let opened = secrets::open_version(&other, ws, slot, version).await.unwrap();
    assert_eq!(opened.expose_secret(), "second");
    assert_eq!(text(&world, &viewer, (account, secret)).await, "first");
    let operator = world.operator();
    let place = (account, secret);
    let pending = secrets::disclose(engine, &operator, place, Act::Reveal, Some(version), Client::Cli).await;
    assert_eq!(refused(pending), Refusal::NoValue);
    let again = secrets::stage(engine, ws, account, &cause, &SecretString::from("third")).await;
    assert_eq!(refused(again), Refusal::ValuePending);
    let wrong = secrets::promote(engine, ws, slot, version + 1, cause.now, &cause).await;
    assert_eq!(refused(wrong), Refusal::NotPending);
    secrets::promote(&other, ws, slot, version, cause.now, &cause).await.unwrap();
    assert_eq!(secrets::open_current(engine, ws, slot).await.unwrap().unwrap().0, version);
    let knows = secrets::who_knows_now(engine, &world.operator(), account).await.unwrap();
    assert!(knows.known.is_empty(), "a rotation shows it to nobody");
    assert_eq!(text(&world, &viewer, (account, secret)).await, "second");
    let third = secrets::stage(engine, ws, account, &cause, &SecretString::from("third")).await.unwrap();
    secrets::abandon(engine, ws, slot, third, &cause).await.unwrap();
    assert_eq!(
        secrets::open_version(engine, ws, slot, third).await.unwrap().expose_secret(),
        "third",
        "kept"
    );
    assert_eq!(text(&world, &viewer, (account, secret)).await, "second");
}

async fn a_code_is_computed_here_and_the_seed_stays(world: World) {
    let account = world.account("Instagram").await.id;
    // The seed of RFC 6238, appendix B, in base32.
    let uri = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8";
    let seed = world.secret(account, SecretKind::Totp, uri).await.secret.id;
    let place = (account, seed);
    let user = world.holder("ulf", account, Permission::Use).await;
    let owner = world.holder("olof", account, Permission::Own).await;
    let engine = &world.engine;
    let given = secrets::totp_code(engine, &user, place, Client::Api).await.unwrap();
    let seconds = u64::try_from(engine.now().as_micros() / 1_000_000).unwrap();
    let expected = latchkey_vault::totp::Totp::parse(uri).unwrap().code(engine.now());
    assert_eq!(given.code.expose_secret(), expected.code.expose_secret());
    assert_eq!((given.code.expose_secret().len(), u64::from(given.seconds_left)), (8, 30 - seconds % 30));
    for _ in 1..6 {
        secrets::totp_code(engine, &user, place, Client::Api).await.unwrap();
    }
    assert_eq!(
        refused(secrets::totp_code(engine, &user, place, Client::Api).await),
        Refusal::TooManyCodes { max: 6 }
    );
    world.clock.advance(Duration::from_secs(61));
    assert!(secrets::totp_code(engine, &user, place, Client::Api).await.is_ok());
    assert!(matches!(
        refused(show(&world, &user, place, Act::Fill).await),
        Refusal::CapabilityMissing { .. }
    ));
    assert!(text(&world, &owner, place).await.starts_with("otpauth://totp/"));
    assert_eq!(events(&world, account).await.last(), Some(&ExposureKind::TotpSeed));
}

async fn recovery_codes_are_given_out_once_each(world: World) {
    let account = world.account("Instagram").await.id;
    let codes = world.secret(account, SecretKind::RecoveryCodes, "aa-1\nbb-2\ncc-3").await.secret.id;
    let place = (account, codes);
    let editor = world.holder("edda", account, Permission::Manage).await;
    let engine = &world.engine;
    let burn = async |number| secrets::burn(engine, &editor, place, number, Client::Api).await;
    let second = burn(Some(1)).await.unwrap();
    assert_eq!((second.code.expose_secret(), second.left), ("bb-2", 2));
    assert_eq!(refused(burn(Some(1)).await), Refusal::CodeBurned);
    assert_eq!(refused(burn(Some(3)).await), Refusal::NoCodeLeft);
    let (one, two) = tokio::join!(burn(None), burn(None));
    let mut given = [one.unwrap().code, two.unwrap().code].map(|code| code.expose_secret().to_owned());
    given.sort();
    assert_eq!(given, ["aa-1", "cc-3"], "two at once get two codes");
    assert_eq!(refused(burn(None).await), Refusal::NoCodeLeft);
    let view = secrets::history(engine, &editor, account, codes).await.unwrap();
    assert_eq!(view.burned.len(), 3);
    secrets::set(engine, &editor, place, &plain("dd-4"), Client::Api).await.unwrap();
    assert_eq!(burn(None).await.unwrap().code.expose_secret(), "dd-4", "new codes are all unused");
}

async fn an_account_that_has_no_password_gets_one_by_its_first_rotation(world: World) {
    let account = world.account("Instagram").await.id;
    let (engine, ws) = (&world.engine, world.workspace.id);
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    let slot = Slot::Password(account);
    assert!(secrets::open_current(engine, ws, slot).await.unwrap().is_none());
    let version = secrets::stage(engine, ws, account, &cause, &SecretString::from("new")).await.unwrap();
    assert_eq!(version, 2, "generation 1 is the one that people know");
    secrets::promote(engine, ws, slot, version, cause.now, &cause).await.unwrap();
    let now = latchkey_engine::accounts::get(engine, &world.operator(), account).await.unwrap();
    assert_eq!(now.secret_generation, 2);
}

async fn a_secret_of_another_account_is_a_secret_that_is_not_there(world: World) {
    let (one, two) = (world.account("One").await.id, world.account("Two").await.id);
    let secret = world.secret(one, SecretKind::Password, "of one").await.secret.id;
    let holder = world.holder("hans", two, Permission::Own).await;
    let engine = &world.engine;
    let place = (two, secret);
    assert!(matches!(
        show(&world, &holder, place, Act::Reveal).await,
        Err(Error::NotFound { what: "secret" })
    ));
    let set = secrets::set(engine, &holder, place, &plain("mine"), Client::Api).await;
    assert!(matches!(set, Err(Error::NotFound { what: "secret" })));
    let new =
        |kind| NewSecret { kind, label: "x".to_owned(), value: plain("x"), known_by: ExposureKind::Creator };
    secrets::add(engine, &holder, two, &new(SecretKind::Password), Client::Api).await.unwrap();
    let second = secrets::add(engine, &holder, two, &new(SecretKind::Password), Client::Api).await;
    assert_eq!(refused(second), Refusal::PasswordThere);
    let elsewhere = secrets::add(engine, &holder, one, &new(SecretKind::Note), Client::Api).await;
    assert_eq!(refused(elsewhere), Refusal::NoAccess { why: None });
}
