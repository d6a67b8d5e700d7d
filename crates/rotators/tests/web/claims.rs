//! What every connector must hold. Each claim is one test for each connector.

use latchkey_practice::Fault;
use latchkey_rotation::{Class, Failure, Outcome};
use latchkey_rotators::{Rotate, Verdict};

use crate::bench::{
    Log, NEVER, NEW, OLD, Subject, Thief, USER, WRONG, allowed, change, connector, forbidden, impatient,
    secret, service,
};

macro_rules! contract {
    ($subject:ty) => {
        crate::claims::contract!($subject:
            a_probe_changes_nothing
            v3_the_new_password_works_and_the_old_is_refused
            a_wrong_password_is_refused
            a_password_that_the_target_does_not_take_changes_nothing
            what_cannot_be_reached_is_an_error_and_never_a_refusal
            a_busy_target_is_tried_again_later
            v3_a_connection_cut_before_the_change_leaves_it_open
            v3_a_connection_cut_after_the_change_leaves_it_open
            v3_an_error_after_the_change_leaves_it_open
            v3_an_answer_that_comes_too_late_leaves_it_open
            a_redirect_carries_no_secret_to_another_host
            an_address_that_is_not_public_is_reached_only_if_listed
            v4_no_secret_stands_in_errors_logs_or_addresses
        );
    };
    ($subject:ty: $($claim:ident)*) => {
        $(#[tokio::test]
        async fn $claim() {
            Box::pin(crate::claims::$claim::<$subject>()).await;
        })*
    };
}
pub(crate) use contract;

fn err<T: std::fmt::Debug>(result: Result<T, Failure>) -> Failure {
    result.expect_err("it must not go well")
}

pub(crate) async fn a_probe_changes_nothing<S: Subject>() {
    let service = service().await;
    let probe = connector::<S>(&service).probe(USER).await.expect("well");
    assert!(probe.target.contains(&service.address().to_string()), "{}", probe.target);
    assert!(service.accepts(USER, OLD));
    assert_eq!(service.sessions(USER), 0);
}

pub(crate) async fn v3_the_new_password_works_and_the_old_is_refused<S: Subject>() {
    let service = service().await;
    let connector = connector::<S>(&service);
    service.open_session(USER);
    assert_eq!(connector.verify(USER, &secret(OLD)).await, Ok(Verdict::Works));
    change(&connector, NEW).await.expect("well");
    assert!(service.accepts(USER, NEW), "the target has another password than was told");
    assert_eq!(connector.verify(USER, &secret(NEW)).await, Ok(Verdict::Works));
    assert_eq!(connector.verify(USER, &secret(OLD)).await, Ok(Verdict::Refused));
    if connector.abilities().ends_sessions {
        assert!(connector.end_sessions(USER).await.expect("well").count.is_some_and(|count| count >= 1));
        assert_eq!(service.sessions(USER), 0);
    } else {
        assert_eq!(err(connector.end_sessions(USER).await).class, Class::NeedsPerson);
    }
}

pub(crate) async fn a_wrong_password_is_refused<S: Subject>() {
    let service = service().await;
    assert_eq!(connector::<S>(&service).verify(USER, &secret(WRONG)).await, Ok(Verdict::Refused));
}

pub(crate) async fn a_password_that_the_target_does_not_take_changes_nothing<S: Subject>() {
    let service = service().await;
    for new in ["short", OLD] {
        let failure = err(change(&connector::<S>(&service), new).await);
        assert_eq!((failure.class, failure.outcome), (Class::Policy, Outcome::NotApplied), "{failure}");
        assert!(service.accepts(USER, OLD));
    }
}

pub(crate) async fn what_cannot_be_reached_is_an_error_and_never_a_refusal<S: Subject>() {
    let service = service().await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let host = gone.local_addr().expect("an address").to_string();
    drop(gone);
    let connector = S::connect(&service, &host, allowed(), 30);
    for failure in [
        err(connector.probe(USER).await),
        err(change(&connector, NEW).await),
        err(connector.verify(USER, &secret(OLD)).await),
    ] {
        assert_eq!((failure.class, failure.outcome), (Class::Transient, Outcome::NotApplied), "{failure}");
    }
}

pub(crate) async fn a_busy_target_is_tried_again_later<S: Subject>() {
    let service = service().await;
    let connector = connector::<S>(&service);
    for fault in [Fault::Busy, Fault::TooManyRequests] {
        service.fault(fault);
        for failure in [err(connector.verify(USER, &secret(WRONG)).await), err(change(&connector, NEW).await)]
        {
            assert_eq!(failure.class, Class::Transient, "{fault:?}: {failure}");
        }
    }
    assert!(service.accepts(USER, OLD));
}

async fn leaves_it_open<S: Subject>(fault: Fault, applied: bool) {
    let service = service().await;
    let connector = if matches!(fault, Fault::LateAfter(_)) { impatient::<S> } else { connector::<S> };
    let connector = connector(&service);
    service.fault(fault);
    let failure = err(change(&connector, NEW).await);
    assert_eq!((failure.class, failure.outcome), (Class::Transient, Outcome::Unknown), "{failure}");
    service.fault(Fault::None);
    let (works, refused) = if applied { (NEW, OLD) } else { (OLD, NEW) };
    assert!(service.accepts(USER, works));
    assert_eq!(connector.verify(USER, &secret(works)).await, Ok(Verdict::Works));
    assert_eq!(connector.verify(USER, &secret(refused)).await, Ok(Verdict::Refused));
}

pub(crate) async fn v3_a_connection_cut_before_the_change_leaves_it_open<S: Subject>() {
    leaves_it_open::<S>(Fault::CutBefore, false).await;
}

pub(crate) async fn v3_a_connection_cut_after_the_change_leaves_it_open<S: Subject>() {
    leaves_it_open::<S>(Fault::CutAfter, true).await;
}

pub(crate) async fn v3_an_error_after_the_change_leaves_it_open<S: Subject>() {
    leaves_it_open::<S>(Fault::ErrorAfter, true).await;
}

pub(crate) async fn v3_an_answer_that_comes_too_late_leaves_it_open<S: Subject>() {
    leaves_it_open::<S>(Fault::LateAfter(NEVER), true).await;
}

pub(crate) async fn a_redirect_carries_no_secret_to_another_host<S: Subject>() {
    let (service, thief) = (service().await, Thief::start().await);
    service.fault(Fault::RedirectAway(thief.port()));
    let failure = err(change(&connector::<S>(&service), NEW).await);
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::Unknown), "{failure}");
    thief.got_nothing().await;
}

pub(crate) async fn an_address_that_is_not_public_is_reached_only_if_listed<S: Subject>() {
    let service = service().await;
    let connector = S::connect(&service, &service.address().to_string(), forbidden(), 30);
    let failure = err(connector.verify(USER, &secret(OLD)).await);
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied));
    assert!(failure.message.contains("network.allow"), "{failure}");
    assert_eq!(service.requests(), Vec::<String>::new());
}

pub(crate) async fn v4_no_secret_stands_in_errors_logs_or_addresses<S: Subject>() {
    let log = Log::default();
    let subscriber = log.listen().finish();
    let _listening = {
        use tracing_subscriber::util::SubscriberInitExt;
        subscriber.set_default()
    };
    let thief = Thief::start().await;
    let mut said = String::new();
    let faults = [
        Fault::None,
        Fault::Busy,
        Fault::CutAfter,
        Fault::ErrorAfter,
        Fault::Endless,
        Fault::Captcha,
        Fault::Redesign,
        Fault::RedirectAway(thief.port()),
    ];
    for fault in faults {
        let service = service().await;
        let connector = impatient::<S>(&service);
        service.fault(fault);
        said.push_str(&format!("{connector:?}"));
        said.push_str(&format!("{:?}", change(&connector, NEW).await));
        said.push_str(&format!("{:?}", connector.verify(USER, &secret(WRONG)).await));
        said.push_str(&service.requests().join("\n"));
    }
    said.push_str(&log.text());
    assert!(!said.to_lowercase().contains("canary"), "{said}");
    assert!(said.len() > 1_000, "there was something to search");
}
