//! The HTTP recipe: the contract by three recipes, and what is its own.

use latchkey_practice::{Fault, Options, Service, recipes};
use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::http::HttpRecipe;
use latchkey_rotators::{Rotate, Verdict};
use serde_json::{Value, json};

use crate::bench::{NEW, OLD, Subject, Thief, USER, allowed, change, secret, service};

fn recipe(text: &str, service: &Service, host: &str, network: Value, patience: u32) -> HttpRecipe {
    let config = json!({
        "recipe": text,
        "hosts": [host],
        "network": network,
        "timeout_seconds": patience.min(2 + patience / 10),
        "whole_seconds": patience,
    });
    HttpRecipe::from_config(&config, Some(service.admin_token().into()))
        .expect("a recipe that keeps the rules")
}

macro_rules! subject {
    ($name:ident, $module:ident, $recipe:expr) => {
        pub(crate) struct $name;
        impl Subject for $name {
            type Connector = HttpRecipe;

            fn connect(service: &Service, host: &str, network: Value, patience: u32) -> HttpRecipe {
                recipe($recipe, service, host, network, patience)
            }
        }

        mod $module {
            crate::claims::contract!(super::$name);
        }
    };
}

subject!(Api, api, recipes::API);
subject!(Admin, admin, recipes::ADMIN);
subject!(Forms, forms, recipes::FORMS);

fn at(service: &Service, text: &str) -> HttpRecipe {
    recipe(text, service, &service.address().to_string(), allowed(), 30)
}

#[tokio::test]
async fn sessions_of_others_end_within_the_change_where_the_recipe_says_so() {
    let service = service().await;
    service.open_session(USER);
    service.open_session(USER);
    let receipt = change(&at(&service, recipes::API), NEW).await.expect("well");
    assert!(receipt.method.contains("other sessions were ended"), "{}", receipt.method);
    assert_eq!(service.sessions(USER), 1, "its own session is left");
}

#[tokio::test]
async fn a_locked_login_is_no_refusal() {
    let service = Service::start(Options { tries: 1, ..Options::default() }).await.expect("a free port");
    service.add_user(USER, OLD, None);
    let connector = at(&service, recipes::FORMS);
    assert_eq!(connector.verify(USER, &secret("wrong")).await, Ok(Verdict::Refused));
    let failure = connector.verify(USER, &secret(OLD)).await.expect_err("locked");
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied));
    assert!(failure.message.ends_with("the account is locked"), "{failure}");
}

#[tokio::test]
async fn a_wrong_admin_token_stops_the_connector_and_a_wrong_account_password_does_not() {
    let service = service().await;
    let config = json!({
        "recipe": recipes::ADMIN, "hosts": [service.address().to_string()], "network": allowed(),
    });
    let stranger = HttpRecipe::from_config(&config, Some("stale".into())).expect("a recipe");
    for failure in
        [stranger.probe(USER).await.expect_err("refused"), change(&stranger, NEW).await.expect_err("refused")]
    {
        assert_eq!((failure.class, failure.outcome), (Class::Auth, Outcome::NotApplied), "{failure}");
    }
    service.add_user(USER, "changed elsewhere", None);
    let failure = change(&at(&service, recipes::API), NEW).await.expect_err("refused");
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_the_end() {
    let service = service().await;
    service.fault(Fault::Endless);
    let failure = change(&at(&service, recipes::API), NEW).await.expect_err("too long");
    assert_eq!(failure.outcome, Outcome::Unknown);
    assert!(failure.message.contains("longer than"), "{failure}");
}

#[tokio::test]
async fn a_changed_page_needs_a_person_and_changes_nothing() {
    let service = service().await;
    service.fault(Fault::Redesign);
    let failure = change(&at(&service, recipes::FORMS), NEW).await.expect_err("nothing to capture");
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied));
    assert!(failure.message.contains("step \"password page\""), "{failure}");
}

#[tokio::test]
async fn redirects_are_followed_within_the_hosts_and_carry_nothing_out_of_them() {
    let (service, thief) = (service().await, Thief::start().await);
    let follows = recipes::FORMS
        .replace("path = \"/login\", form", "path = \"/login\", follow = true, form")
        .replace("status = 303, location = \"/account\"", "status = 200, match = \"css:#who\"")
        .replace("path = \"/password\", form", "path = \"/password\", follow = true, form");
    let connector = at(&service, &follows);
    assert_eq!(connector.verify(USER, &secret(OLD)).await, Ok(Verdict::Works));
    service.fault(Fault::RedirectAway(thief.port()));
    let failure = change(&connector, NEW).await.expect_err("another host");
    assert_eq!(failure.outcome, Outcome::Unknown, "{failure}");
    thief.got_nothing().await;
}

#[test]
fn a_recipe_that_breaks_a_rule_is_refused_with_its_place() {
    let cases = [
        ("name = \"login\"", "name = \"log in\"", "verify.positive: there is no step \"login\""),
        (
            "request = { method = \"POST\", path = \"/api/login\"",
            "request = { method = \"PSOT\", path = \"/api/login\"",
            "step \"login\", request.method",
        ),
        (
            "path = \"/api/login\"",
            "path = \"/api/login/{{secret.current}}\"",
            "step \"login\", request.path: a secret",
        ),
        (
            "path = \"/api/login\"",
            "path = \"/api/login\", query = { p = \"{{secret.current}}\" }",
            "step \"login\", request.query.p: a secret",
        ),
        ("path = \"/api/login\"", "path = \"https://elsewhere.test/\"", "step \"login\", request.path"),
        (
            "path = \"/api/login\"",
            "path = \"/api/login\", host = \"elsewhere.test\"",
            "step \"login\", request.host",
        ),
        (
            "pass = \"{{secret.current}}\"",
            "pass = \"{{secret.staged}}\"",
            "step \"login\": {{secret.staged}}",
        ),
        (
            "X-CSRF = \"{{csrf}}\"",
            "X-CSRF = \"{{token}}\"",
            "step \"change\", request.headers.X-CSRF: {{token}} is captured by no earlier step",
        ),
        ("point_of_no_return = true\n", "", "step: exactly one step"),
        (
            "class = \"policy\", message = \"the new password is too weak\"",
            "class = \"polcy\"",
            "step \"change\", errors[0]",
        ),
        ("expect = { status = 204 }", "expect = { status = 204, body = 1 }", "step \"change\", expect"),
        (
            "capture = { csrf = \"json:$.csrf\"",
            "capture = { csrf = \"json:csrf\"",
            "step \"login\", capture.csrf",
        ),
        ("negative = \"login with secret.current -> 401\"", "negative = \"login -> 401\"", "verify.negative"),
        ("hosts = [\"practice.example.com\"]", "hosts = [\"*.example.com\"]", "recipe.hosts"),
        ("id = \"practice-api-v1\"\n", "", "recipe"),
        ("[recipe]", "[recipe", "line 2"),
    ];
    for (from, to, place) in cases {
        assert!(recipes::API.contains(from), "{from}");
        let config = json!({ "recipe": recipes::API.replacen(from, to, 1) });
        let error = HttpRecipe::from_config(&config, None).expect_err(place).to_string();
        assert!(error.contains(place), "{error} does not name {place}");
    }
}
