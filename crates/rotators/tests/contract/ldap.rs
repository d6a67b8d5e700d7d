//! OpenLDAP with password policies, over TLS and on loopback.

use std::net::SocketAddr;

use latchkey_daemons::Slapd;
use latchkey_daemons::slapd::{BASE, ROTATOR};
use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::{AnyConnector, Kind, Rotate, Verdict};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::certificate::{self, Certificate};
use crate::suite::{self, Scene, attempt};

const FIRST: &str = "First-Passw0rd!";

struct Target {
    server: Slapd,
    certificate: Certificate,
    tls: bool,
}

impl Target {
    async fn start(tls: bool) -> Self {
        let certificate = certificate::make();
        let (pem, key) = (certificate.certificate.clone(), certificate.key.clone());
        let server = tokio::task::spawn_blocking(move || {
            Slapd::create(&[("app", FIRST), ("x, y", FIRST)], &pem, &key)
        });
        Self { server: server.await.unwrap().unwrap(), certificate, tls }
    }

    fn connector(&self, url: &str, admin: Option<(&str, &str)>) -> AnyConnector {
        let mut config = json!({
            "url": url,
            "user_dn": format!("uid={{login}},ou=people,{BASE}"),
            "timeout_seconds": 10,
            "ca_pem": self.certificate.authority,
        });
        if let Some((dn, _)) = admin {
            config["admin"] = json!(dn);
        }
        AnyConnector::from_config(Kind::Ldap, &config, admin.map(|(_, password)| password.into())).unwrap()
    }

    fn rotator(&self) -> AnyConnector {
        self.by_way_of(self.address().port())
    }
}

impl Scene for Target {
    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], if self.tls { self.server.tls_port() } else { self.server.port() }).into()
    }

    fn by_way_of(&self, port: u16) -> AnyConnector {
        let scheme = if self.tls { "ldaps" } else { "ldap" };
        self.connector(&format!("{scheme}://127.0.0.1:{port}"), Some((ROTATOR, self.server.password())))
    }

    fn with_wrong_admin(&self) -> Option<AnyConnector> {
        Some(self.connector(
            &format!("ldap://127.0.0.1:{}", self.server.port()),
            Some((ROTATOR, "not the password")),
        ))
    }

    fn username(&self) -> &str {
        "app"
    }

    fn first(&self) -> SecretString {
        FIRST.into()
    }

    fn secrets(&self) -> Vec<SecretString> {
        crate::awkward_passwords()
    }

    fn weak(&self) -> Option<SecretString> {
        Some("Too-short1".into())
    }

    fn log(&self) -> String {
        self.server.log()
    }
}

#[tokio::test]
async fn ldap_rotates_every_awkward_password_over_tls() {
    let target = Target::start(true).await;
    suite::rotates(&target).await;
}

#[tokio::test]
async fn ldap_keeps_the_contract_when_things_go_wrong() {
    let target = Target::start(false).await;
    suite::tells_refused_from_unreachable(&target).await;
    suite::tells_a_wrong_admin(&target).await;
    suite::tells_a_weak_secret(&target).await;
    suite::never_hides_a_change(&target).await;
}

#[tokio::test]
async fn ldap_says_in_words_what_the_policy_refuses() {
    let target = Target::start(false).await;
    let (first, second) = (target.first(), SecretString::from("Second-Passw0rd!"));
    let rotator = target.rotator();
    rotator.change(&attempt(&target, &first, &second, "k")).await.unwrap();
    for (secret, says) in [(first, "remembers it from earlier"), ("Short-1".into(), "shorter than")] {
        let failure = rotator.change(&attempt(&target, &second, &secret, "k")).await.unwrap_err();
        assert_eq!((failure.class, failure.outcome), (Class::Policy, Outcome::NotApplied), "{failure}");
        assert!(failure.message.contains(says), "{failure}");
    }
}

#[tokio::test]
async fn ldap_tells_a_locked_entry_from_a_wrong_password() {
    let target = Target::start(false).await;
    let rotator = target.rotator();
    let wrong = SecretString::from("wrong-but-long-enough");
    for _ in 0..5 {
        assert_eq!(rotator.verify("app", &wrong).await, Ok(Verdict::Refused));
    }
    let failure = rotator.verify("app", &target.first()).await.unwrap_err();
    assert!(failure.class == Class::NeedsPerson && failure.message.contains("locked"), "{failure}");
    let probe = rotator.probe("app").await.unwrap();
    assert!(probe.warnings.join("\n").contains("locked"), "{:?}", probe.warnings);
}

#[tokio::test]
async fn ldap_starttls_checks_the_certificate_and_an_empty_password_is_never_tried() {
    let target = Target::start(true).await;
    let url = format!("ldap://127.0.0.1:{}", target.server.port());
    let mut config = json!({ "url": url, "starttls": true, "ca_pem": target.certificate.authority });
    let dn = format!("uid=app,ou=people,{BASE}");
    let connector = |config: &serde_json::Value| AnyConnector::from_config(Kind::Ldap, config, None).unwrap();
    assert_eq!(connector(&config).verify(&dn, &target.first()).await, Ok(Verdict::Works));
    assert_eq!(connector(&config).verify(&dn, &"".into()).await, Ok(Verdict::Refused));
    config["ca_pem"] = json!(certificate::make().authority);
    let failure = connector(&config).verify(&dn, &target.first()).await.unwrap_err();
    assert!(failure.class == Class::NeedsPerson && failure.message.contains("ca_pem"), "{failure}");
}

#[tokio::test]
async fn ldap_an_entry_without_an_admin_changes_its_own_and_names_are_escaped() {
    let target = Target::start(true).await;
    let own = target.connector(&format!("ldaps://127.0.0.1:{}", target.server.tls_port()), None);
    let new = SecretString::from("Own-new-Passw0rd");
    let wrong = SecretString::from("not-the-old-one-1");
    let change = |old| latchkey_rotators::Attempt {
        username: "x, y",
        old: Some(old),
        new: &new,
        idempotency_key: "k",
    };
    let failure = own.change(&change(&wrong)).await.unwrap_err();
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
    own.change(&change(&target.first())).await.unwrap();
    assert_eq!(own.verify("x, y", &new).await, Ok(Verdict::Works));
    assert_eq!(own.verify("x, y", &target.first()).await, Ok(Verdict::Refused));
    assert!(!target.log().contains(new.expose_secret()));

    let failure = target.rotator().probe("nobody").await.unwrap_err();
    assert!(failure.class == Class::NeedsPerson && failure.message.contains("no entry"), "{failure}");
}
