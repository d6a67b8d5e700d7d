//! The browser recipe: the contract in a real Chromium, and what is its own.

use std::sync::Arc;
use std::time::Duration;

use latchkey_kernel::{Clock, SystemClock};
use latchkey_practice::{Fault, Options, Service, recipes, totp};
use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::browser::BrowserRecipe;
use latchkey_rotators::recipe::{CodeSource, OneTimeCode};
use latchkey_rotators::{Rotate, Verdict};
use serde_json::{Value, json};

use crate::bench::{NEW, OLD, Subject, USER, WRONG, allowed, change, secret, service};

const SEED: &[u8] = b"a seed that only a test knows";
const PERIOD: u64 = 3;

fn try_recipe(text: &str, host: &str, network: Value, patience: u32) -> Result<BrowserRecipe, String> {
    let config = json!({
        "recipe": text,
        "hosts": [host],
        "network": network,
        "timeout_seconds": patience,
        "whole_seconds": 180,
    });
    BrowserRecipe::from_config(&config, None).map_err(|error| error.to_string())
}

fn recipe(text: &str, host: &str, network: Value, patience: u32) -> BrowserRecipe {
    try_recipe(text, host, network, patience).expect("a recipe that keeps the rules, and a Chromium")
}

pub(crate) struct Browser;

impl Subject for Browser {
    type Connector = BrowserRecipe;

    fn connect(_: &Service, host: &str, network: Value, patience: u32) -> BrowserRecipe {
        recipe(recipes::BROWSER, host, network, patience)
    }
}

mod contract {
    crate::claims::contract!(super::Browser);
}

fn at(service: &Service, text: &str, patience: u32) -> BrowserRecipe {
    recipe(text, &service.address().to_string(), allowed(), patience)
}

fn codes() -> CodeSource {
    Arc::new(|| Box::pin(std::future::ready(Ok(present()))))
}

fn present() -> OneTimeCode {
    let now = u64::try_from(SystemClock.now().as_millis()).expect("after 1970");
    let seconds = now / 1_000;
    let left = Duration::from_millis((seconds / PERIOD + 1) * PERIOD * 1_000 - now);
    OneTimeCode { code: totp::code(SEED, seconds, PERIOD).into(), valid_for: left }
}

#[tokio::test]
async fn with_one_time_codes_it_logs_in_changes_and_logs_in_again() {
    let service =
        Service::start(Options { period: PERIOD, ..Options::default() }).await.expect("a free port");
    service.add_user(USER, OLD, Some(SEED));
    let connector = at(&service, recipes::BROWSER_TOTP, 30).with_codes(codes());
    change(&connector, NEW).await.expect("well");
    assert!(service.accepts(USER, NEW));
    assert_eq!(connector.verify(USER, &secret(NEW)).await, Ok(Verdict::Works));
    // Refused at the first page: nobody asks for a code, and nobody waits for the page that does.
    assert_eq!(connector.verify(USER, &secret(OLD)).await, Ok(Verdict::Refused));
}

#[tokio::test]
async fn a_refused_code_says_nothing_about_the_password() {
    let service =
        Service::start(Options { period: PERIOD, ..Options::default() }).await.expect("a free port");
    service.add_user(USER, OLD, Some(SEED));
    let wrong: CodeSource = Arc::new(|| {
        Box::pin(async { Ok(OneTimeCode { code: "000000".into(), valid_for: Duration::from_secs(1) }) })
    });
    let failure = at(&service, recipes::BROWSER_TOTP, 30)
        .with_codes(wrong)
        .verify(USER, &secret(OLD))
        .await
        .expect_err("a wrong code");
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
    let failure =
        at(&service, recipes::BROWSER_TOTP, 30).verify(USER, &secret(OLD)).await.expect_err("no code");
    assert!(failure.message.contains("no TOTP secret"), "{failure}");
}

#[tokio::test]
async fn a_captcha_is_handed_to_a_person_with_a_picture() {
    let service = service().await;
    service.fault(Fault::Captcha);
    let failure = change(&at(&service, recipes::BROWSER, 30), NEW).await.expect_err("a captcha");
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
    let evidence = failure.evidence.expect("a picture");
    assert_eq!(evidence.media_type, "image/png");
    assert!(evidence.bytes.starts_with(b"\x89PNG"));
}

/// Two passwords of other lengths and letters give the same picture to the last bit, though the page
/// prints what is typed: nothing of a password is in it.
#[tokio::test]
async fn v4_a_picture_holds_nothing_of_a_password() {
    let no_button = recipes::BROWSER.replace(
        "click = { role = \"button\", name = \"Change password\" }",
        "click = { role = \"button\", name = \"Nobody has this button\" }",
    );
    for fault in [Fault::None, Fault::Echo] {
        let mut pictures = Vec::new();
        for new in [NEW, "quite another password, and a longer one by far"] {
            let service = service().await;
            service.fault(fault);
            let failure = change(&at(&service, &no_button, 2), new).await.expect_err("no such button");
            assert!(failure.message.contains("is not on the page"), "{failure}");
            pictures.push(failure.evidence.expect("a picture").bytes);
        }
        assert!(pictures[0] == pictures[1], "the pictures differ with the password ({fault:?})");
    }
}

#[tokio::test]
async fn a_field_that_cuts_off_what_is_typed_is_found_before_anything_is_sent() {
    let service =
        Service::start(Options { maxlength: Some(16), ..Options::default() }).await.expect("a free port");
    service.add_user(USER, OLD, None);
    let failure = change(&at(&service, recipes::BROWSER, 30), NEW).await.expect_err("cut off");
    assert_eq!((failure.class, failure.outcome), (Class::Policy, Outcome::NotApplied));
    assert!(failure.message.contains("16 characters"), "{failure}");
    assert!(service.accepts(USER, OLD));
}

#[tokio::test]
async fn a_changed_page_needs_a_person_and_changes_nothing() {
    let service = service().await;
    service.fault(Fault::Redesign);
    let failure = change(&at(&service, recipes::BROWSER, 3), NEW).await.expect_err("other fields");
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied));
    assert!(failure.message.contains("fill label \"Current password\""), "{failure}");
}

#[tokio::test]
async fn a_locked_login_is_no_refusal() {
    let service = Service::start(Options { tries: 1, ..Options::default() }).await.expect("a free port");
    service.add_user(USER, OLD, None);
    let connector = at(&service, recipes::BROWSER, 30);
    assert_eq!(connector.verify(USER, &secret(WRONG)).await, Ok(Verdict::Refused));
    let failure = connector.verify(USER, &secret(OLD)).await.expect_err("locked");
    assert!(failure.message.ends_with("the account is locked"), "{failure}");
}

#[test]
fn a_recipe_that_breaks_a_rule_is_refused_with_its_place() {
    let cases = [
        ("point_of_no_return = true", "", "change.step: exactly one step"),
        ("goto = \"/login\"", "goto = \"/login?p={{secret.current}}\"", "login.step[0].goto"),
        ("goto = \"/login\"", "goto = \"https://elsewhere.test/\"", "login.step[0].goto"),
        (
            "goto = \"/login\"",
            "goto = \"/login\"\nclick = { text = \"x\" }",
            "login.step[0]: a step is exactly one",
        ),
        ("label = \"Password\", with", "lable = \"Password\", with", "login.step[3].fill"),
        ("with = \"{{secret.current}}\"", "with = \"{{secret.staged}}\"", "login.step: only the change"),
        ("role = \"link\"", "role = \"lnik\"", "change.step[0].click"),
        ("class = \"policy\"", "class = \"polcy\"", "change.errors[0].class"),
        ("refused = { role", "refused = { rloe", "login.refused"),
    ];
    for (from, to, place) in cases {
        assert!(recipes::BROWSER.contains(from), "{from}");
        let text = recipes::BROWSER.replacen(from, to, 1);
        let error = try_recipe(&text, "127.0.0.1:1", allowed(), 1).expect_err(place);
        assert!(error.contains(place), "{error} does not name {place}");
    }
}
