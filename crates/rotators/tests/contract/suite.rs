//! What every connector must do, whatever the target. Each claim is a function over a [`Scene`].

use std::net::SocketAddr;

use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::{AnyConnector, Attempt, Rotate, Verdict};
use secrecy::{ExposeSecret, SecretString};

use crate::cut::{Forwarder, Loses};

/// A real target with a login whose secret the suite changes.
pub(crate) trait Scene {
    /// Where the target listens.
    fn address(&self) -> SocketAddr;
    /// A connector to the target by way of this port of this machine.
    fn by_way_of(&self, port: u16) -> AnyConnector;
    /// The same with an admin credential that the target does not know.
    fn with_wrong_admin(&self) -> Option<AnyConnector>;
    /// The login.
    fn username(&self) -> &str;
    /// The login's secret at first.
    fn first(&self) -> SecretString;
    /// Fresh secrets that the target takes, the awkward ones first.
    fn secrets(&self) -> Vec<SecretString>;
    /// Another fresh secret, for each `seed` another.
    fn fresh(&self, seed: &str) -> SecretString {
        SecretString::from(format!("Fresh-{seed}-x8!Zq"))
    }
    /// A secret that the target's rules refuse, if it has any.
    fn weak(&self) -> Option<SecretString> {
        None
    }
    /// All that the target wrote into its logs.
    fn log(&self) -> String;
}

fn connector(scene: &impl Scene) -> AnyConnector {
    scene.by_way_of(scene.address().port())
}

pub(crate) fn attempt<'a>(
    scene: &'a impl Scene,
    old: &'a SecretString,
    new: &'a SecretString,
    key: &'a str,
) -> Attempt<'a> {
    Attempt { username: scene.username(), old: Some(old), new, idempotency_key: key }
}

pub(crate) async fn assert_verdict(
    connector: &AnyConnector,
    scene: &impl Scene,
    secret: &SecretString,
    expected: Verdict,
    what: &str,
) {
    let verdict = connector.verify(scene.username(), secret).await;
    assert_eq!(verdict, Ok(expected), "{what}");
}

/// Probe and refused logins change nothing; rotate: the new works, the old is refused; again with the same
/// key: harmless. For every awkward secret, each being the next one's old.
pub(crate) async fn rotates(scene: &impl Scene) {
    let connector = connector(scene);
    let mut old = scene.first();
    let probe = connector.probe(scene.username()).await.unwrap();
    assert!(!probe.target.is_empty());
    assert_eq!(probe.warnings, [""; 0]);
    for (round, new) in scene.secrets().into_iter().enumerate() {
        assert_verdict(&connector, scene, &old, Verdict::Works, "before").await;
        let key = format!("job-{round}");
        let receipt = connector.change(&attempt(scene, &old, &new, &key)).await.unwrap();
        assert!(!receipt.method.is_empty());
        assert_verdict(&connector, scene, &new, Verdict::Works, "the new one").await;
        assert_verdict(&connector, scene, &old, Verdict::Refused, "the old one").await;
        // A worker that died after the act does it again. By then the old one is no more.
        match connector.change(&attempt(scene, &old, &new, &key)).await {
            Ok(_) => {}
            Err(failure) => {
                // A target with a history refuses its present password: nothing was changed, so it says.
                assert_eq!(
                    (failure.class, failure.outcome),
                    (Class::Policy, Outcome::NotApplied),
                    "{failure}"
                );
            }
        }
        assert_verdict(&connector, scene, &new, Verdict::Works, "after the repetition").await;
        old = new;
    }
    no_secret_in_plain(scene);
}

/// A wrong secret is a verdict; an unreachable target is an error, and changes nothing.
pub(crate) async fn tells_refused_from_unreachable(scene: &impl Scene) {
    let wrong = scene.secrets().pop().unwrap();
    assert_verdict(&connector(scene), scene, &wrong, Verdict::Refused, "a wrong secret").await;

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let unreachable = scene.by_way_of(port);
    let first = scene.first();
    let failures = [
        unreachable.verify(scene.username(), &first).await.unwrap_err(),
        unreachable.probe(scene.username()).await.unwrap_err(),
        unreachable.change(&attempt(scene, &first, &wrong, "k")).await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!((failure.class, failure.outcome), (Class::Transient, Outcome::NotApplied), "{failure}");
        assert!(failure.message.contains("127.0.0.1"), "names no target: {failure}");
    }
}

/// A wrong admin credential stops the connector, not the account.
pub(crate) async fn tells_a_wrong_admin(scene: &impl Scene) {
    let Some(connector) = scene.with_wrong_admin() else { return };
    let (first, new) = (scene.first(), scene.secrets().pop().unwrap());
    let failures = [
        connector.probe(scene.username()).await.unwrap_err(),
        connector.change(&attempt(scene, &first, &new, "k")).await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!((failure.class, failure.outcome), (Class::Auth, Outcome::NotApplied), "{failure}");
    }
    assert_verdict(&connector, scene, &first, Verdict::Works, "the old one still").await;
}

/// What the target's rules refuse is of class policy, and the old one still works.
pub(crate) async fn tells_a_weak_secret(scene: &impl Scene) {
    let weak = scene.weak().expect("the scene has rules");
    let (connector, first) = (connector(scene), scene.first());
    let failure = connector.change(&attempt(scene, &first, &weak, "k")).await.unwrap_err();
    assert_eq!((failure.class, failure.outcome), (Class::Policy, Outcome::NotApplied), "{failure}");
    assert!(!failure.message.contains(weak.expose_secret()), "{failure}");
    assert_verdict(&connector, scene, &first, Verdict::Works, "the old one still").await;
}

/// Cut anywhere, by losing what was asked or what was answered: whoever says that nothing was changed is
/// right, and where it was changed nobody says that it was not.
pub(crate) async fn never_hides_a_change(scene: &impl Scene) {
    let mut old = scene.first();
    let direct = connector(scene);
    let (mut unknown_and_changed, mut cut) = (0, 0);
    for loses in [Loses::Answer, Loses::Request] {
        for after in 0..200 {
            let forwarder = Forwarder::start(scene.address(), after, loses).await;
            let new = scene.fresh(&format!("{loses:?}{after}"));
            let result = scene.by_way_of(forwarder.port).change(&attempt(scene, &old, &new, "k")).await;
            let works = direct.verify(scene.username(), &new).await;
            let old_works = direct.verify(scene.username(), &old).await;
            let changed = works == Ok(Verdict::Works);
            assert!(
                changed || old_works == Ok(Verdict::Works),
                "neither works after a cut at {after} ({loses:?}): {works:?} {old_works:?}"
            );
            match &result {
                Ok(_) => assert!(changed, "taken, but it does not work ({after}, {loses:?})"),
                Err(failure) if failure.outcome == Outcome::NotApplied => {
                    assert!(!changed, "said not to be changed, and is ({after}, {loses:?}): {failure}");
                }
                Err(failure) => {
                    assert_eq!(failure.class, Class::Transient, "{failure}");
                    unknown_and_changed += usize::from(changed);
                }
            }
            cut += usize::from(forwarder.cuts() > 0);
            if changed {
                old = new;
            }
            if result.is_ok() && forwarder.cuts() == 0 {
                break;
            }
        }
    }
    assert!(cut > 2, "the forwarder cut {cut} times only");
    assert!(unknown_and_changed > 0, "no cut fell between the request and its answer");
}

/// The target's log, as verbose as it gets, holds no secret of the suite.
pub(crate) fn no_secret_in_plain(scene: &impl Scene) {
    let log = scene.log();
    assert!(!log.is_empty(), "there is no log to search");
    for secret in scene.secrets().iter().chain([&scene.first()]) {
        for form in [secret.expose_secret().to_owned(), secret.expose_secret().replace('\'', "''")] {
            assert!(!log.contains(&form), "the target's log holds a secret:\n{log}");
        }
    }
}
