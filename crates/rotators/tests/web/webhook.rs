//! The signed webhook: the contract sealed and in clear, and what is its own.

use latchkey_practice::{Fault, Service};
use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::Rotate;
use latchkey_rotators::webhook::Webhook;
use serde_json::{Value, json};

use crate::bench::{NEW, Subject, USER, allowed, change, service};

fn webhook(signing: &str, host: &str, delivery: Value, network: Value, patience: u32) -> Webhook {
    let config = json!({
        "url": format!("http://{host}/hooks/rotation"),
        "delivery": delivery,
        "network": network,
        "timeout_seconds": patience.min(3),
    });
    Webhook::from_config(&config, Some(signing.into())).expect("a configuration that keeps the rules")
}

pub(crate) struct Sealed;

impl Subject for Sealed {
    type Connector = Webhook;

    fn connect(service: &Service, host: &str, network: Value, patience: u32) -> Webhook {
        let delivery = json!({ "sealed_to": service.receiver_key() });
        webhook(&service.signing_secret(), host, delivery, network, patience)
    }
}

pub(crate) struct InClear;

impl Subject for InClear {
    type Connector = Webhook;

    fn connect(service: &Service, host: &str, network: Value, patience: u32) -> Webhook {
        webhook(&service.signing_secret(), host, json!("in_clear"), network, patience)
    }
}

mod sealed {
    crate::claims::contract!(super::Sealed);
}

mod in_clear {
    crate::claims::contract!(super::InClear);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_and_stops_the_connector() {
    let (service, other) = (service().await, service().await);
    let delivery = json!({ "sealed_to": service.receiver_key() });
    let stranger = webhook(&other.signing_secret(), &service.address().to_string(), delivery, allowed(), 30);
    for failure in
        [stranger.probe(USER).await.expect_err("refused"), change(&stranger, NEW).await.expect_err("refused")]
    {
        assert_eq!((failure.class, failure.outcome), (Class::Auth, Outcome::NotApplied), "{failure}");
    }
}

#[tokio::test]
async fn a_repeated_job_has_the_same_ids_and_changes_nothing_twice() {
    let service = service().await;
    let connector = Sealed::connect(&service, &service.address().to_string(), allowed(), 30);
    service.fault(Fault::CutAfter);
    assert_eq!(change(&connector, NEW).await.expect_err("cut").outcome, Outcome::Unknown);
    service.fault(Fault::None);
    change(&connector, NEW).await.expect("the receiver knows that it is done");
    assert!(service.accepts(USER, NEW));
    assert_eq!((service.deliveries("job-1.create"), service.deliveries("job-1.set")), (2, 2));
}

#[tokio::test]
async fn in_clear_is_warned_of() {
    let service = service().await;
    let host = service.address().to_string();
    let warnings = InClear::connect(&service, &host, allowed(), 30).probe(USER).await.expect("well").warnings;
    assert!(warnings.iter().any(|warning| warning.contains("in clear")), "{warnings:?}");
    let warnings = Sealed::connect(&service, &host, allowed(), 30).probe(USER).await.expect("well").warnings;
    assert!(!warnings.iter().any(|warning| warning.contains("in clear")), "{warnings:?}");
}

#[test]
fn a_configuration_that_breaks_a_rule_is_refused_with_its_field() {
    let good = json!({ "url": "https://rotate.example.com/hook", "delivery": "in_clear" });
    let cases = [
        ("url", json!("http://rotate.example.com/hook"), "url: "),
        ("url", json!("https://user:pass@rotate.example.com/"), "url: "),
        ("url", json!("rotate"), "url: "),
        ("delivery", json!({ "sealed_to": "c2hvcnQ=" }), "delivery.sealed_to: "),
        ("timeout_seconds", json!(0), "timeout_seconds: "),
    ];
    let signing = || Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
    assert!(Webhook::from_config(&good, signing()).is_ok());
    let error = Webhook::from_config(&good, None).expect_err("no secret").to_string();
    assert!(error.contains("signing secret"), "{error}");
    for (field, value, place) in cases {
        let mut config = good.clone();
        config[field] = value;
        let error = Webhook::from_config(&config, signing()).expect_err(place).to_string();
        assert!(error.starts_with(place), "{error} does not name {place}");
    }
}
