//! Active Directory's side of the protocol over TLS.

use std::net::SocketAddr;

use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::{AnyConnector, Kind, Rotate, Verdict};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::certificate::{self, Certificate};
use crate::domain_controller::{ADMIN, DomainController, dn};
use crate::suite::{self, Scene, attempt};

const FIRST: &str = "First-Passw0rd!";
const ADMIN_PASSWORD: &str = "Admin-Passw0rd!";

struct Target {
    server: DomainController,
    certificate: Certificate,
    username: String,
}

impl Target {
    async fn start(username: &str) -> Self {
        let certificate = certificate::make();
        let logins = [
            ("svc-rotate", ADMIN_PASSWORD, None),
            ("app", FIRST, None),
            ("gone", FIRST, Some("533")),
            ("locked", FIRST, Some("775")),
        ];
        let server = DomainController::start(&certificate, &logins).await;
        Self { server, certificate, username: username.to_owned() }
    }

    fn connector(&self, admin: Option<(&str, &str)>, port: u16) -> AnyConnector {
        let mut config = json!({
            "url": format!("ldaps://127.0.0.1:{port}"),
            "ca_pem": self.certificate.authority,
            "timeout_seconds": 10,
        });
        if let Some((login, _)) = admin {
            config["admin"] = json!(login);
        }
        let password = admin.map(|(_, password)| password.into());
        AnyConnector::from_config(Kind::ActiveDirectory, &config, password).unwrap()
    }

    fn admin(&self) -> AnyConnector {
        self.by_way_of(self.server.address.port())
    }
}

impl Scene for Target {
    fn address(&self) -> SocketAddr {
        self.server.address
    }

    fn by_way_of(&self, port: u16) -> AnyConnector {
        self.connector(Some((ADMIN, ADMIN_PASSWORD)), port)
    }

    fn with_wrong_admin(&self) -> Option<AnyConnector> {
        Some(self.connector(Some((ADMIN, "not the password")), self.server.address.port()))
    }

    fn username(&self) -> &str {
        &self.username
    }

    fn first(&self) -> SecretString {
        FIRST.into()
    }

    fn secrets(&self) -> Vec<SecretString> {
        crate::awkward_passwords()
    }

    fn weak(&self) -> Option<SecretString> {
        Some("Short1".into())
    }

    fn log(&self) -> String {
        self.server.log()
    }
}

#[tokio::test]
async fn active_directory_resets_every_awkward_password_in_the_exact_form() {
    for username in ["app".to_owned(), "app@corp.example".to_owned(), r"CORP\app".to_owned(), dn("app")] {
        let target = Target::start(&username).await;
        suite::rotates(&target).await;
        let taken = target.server.taken();
        assert!(!taken.is_empty() && taken.iter().all(|how| *how == "replace"), "{taken:?}");
    }
}

#[tokio::test]
async fn active_directory_keeps_the_contract_when_things_go_wrong() {
    let target = Target::start("app@corp.example").await;
    suite::tells_refused_from_unreachable(&target).await;
    suite::tells_a_wrong_admin(&target).await;
    suite::tells_a_weak_secret(&target).await;
    suite::never_hides_a_change(&target).await;
}

#[tokio::test]
async fn active_directory_own_changes_delete_the_old_and_add_the_new() {
    let target = Target::start("app@corp.example").await;
    let own = target.connector(None, target.server.address.port());
    let new = SecretString::from("Own-new-Passw0rd");
    own.change(&attempt(&target, &target.first(), &new, "k")).await.unwrap();
    assert_eq!(target.server.taken(), ["delete and add"]);
    assert_eq!(own.verify(&target.username, &new).await, Ok(Verdict::Works));
    assert_eq!(own.verify(&target.username, &target.first()).await, Ok(Verdict::Refused));
    let failure = own.change(&attempt(&target, &new, &target.first(), "k")).await.unwrap_err();
    assert_eq!((failure.class, failure.outcome), (Class::Policy, Outcome::NotApplied), "{failure}");
    assert!(failure.message.contains("history"), "{failure}");
    let failure = own.change(&attempt(&target, &"wrong".into(), &new, "k")).await.unwrap_err();
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
    assert!(!failure.message.contains(new.expose_secret()));
}

#[tokio::test]
async fn active_directory_tells_a_barred_login_from_a_wrong_password() {
    let target = Target::start("app").await;
    let admin = target.admin();
    assert!(admin.probe("gone").await.unwrap().warnings.join("\n").contains("disabled"));
    for (login, says) in [("gone@corp.example", "disabled"), ("locked@corp.example", "locked")] {
        let failure = admin.verify(login, &target.first()).await.unwrap_err();
        assert!(failure.class == Class::NeedsPerson && failure.message.contains(says), "{failure}");
        assert_eq!(admin.verify(login, &"wrong".into()).await, Ok(Verdict::Refused));
    }
    let failure = admin.probe("nobody").await.unwrap_err();
    assert_eq!(failure.class, Class::NeedsPerson, "{failure}");
    assert_eq!(
        admin.verify("app", &"".into()).await,
        Ok(Verdict::Refused),
        "an empty password binds as nobody"
    );
}
