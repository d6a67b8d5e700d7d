//! MariaDB with every log on. (MySQL has no package where the tests run; its statements are tested by what
//! they say, in `users.rs`.)

use std::net::SocketAddr;

use latchkey_daemons::MariaDb;
use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::{AnyConnector, Kind, Rotate, Verdict};
use mysql_async::prelude::Queryable;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::suite::{self, Scene, attempt};

const FIRST: &str = "First-Passw0rd!";

struct Target {
    server: MariaDb,
    extra: Value,
}

impl Target {
    async fn start(options: &'static [&'static str], extra: Value) -> Self {
        let server = tokio::task::spawn_blocking(|| MariaDb::create(options)).await.unwrap().unwrap();
        let target = Self { server, extra };
        // A second host of the same user has to follow.
        target.sql(&format!("create user 'o''app'@'%' identified by '{FIRST}'")).await;
        target.sql(&format!("create user 'o''app'@'127.0.0.1' identified by '{FIRST}'")).await;
        target
    }

    async fn login(&self, user: &str, password: &str) -> mysql_async::Conn {
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.server.port())
            .prefer_socket(false)
            .user(Some(user))
            .pass(Some(password));
        mysql_async::Conn::new(options).await.unwrap()
    }

    async fn sql(&self, sql: &str) {
        self.login("root", self.server.password()).await.query_drop(sql).await.unwrap();
    }

    fn connector(&self, admin: &str, password: &str, port: u16) -> AnyConnector {
        let mut config = json!({ "host": "127.0.0.1", "port": port, "admin": admin, "timeout_seconds": 10 });
        for (field, value) in self.extra.as_object().unwrap() {
            config[field] = value.clone();
        }
        AnyConnector::from_config(Kind::Mysql, &config, Some(password.into())).unwrap()
    }

    fn root(&self) -> AnyConnector {
        self.by_way_of(self.server.port())
    }
}

impl Scene for Target {
    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.server.port()).into()
    }

    fn by_way_of(&self, port: u16) -> AnyConnector {
        self.connector("root", self.server.password(), port)
    }

    fn with_wrong_admin(&self) -> Option<AnyConnector> {
        Some(self.connector("root", "not the password", self.server.port()))
    }

    fn username(&self) -> &str {
        "o'app"
    }

    fn first(&self) -> SecretString {
        FIRST.into()
    }

    fn secrets(&self) -> Vec<SecretString> {
        crate::awkward_passwords()
    }

    fn weak(&self) -> Option<SecretString> {
        Some("shortpw".into())
    }

    fn log(&self) -> String {
        // The statements of the suite's own set-up name the first one.
        self.server.log().replace(&format!("identified by '{FIRST}'"), "")
    }
}

#[tokio::test]
async fn mariadb_rotates_every_awkward_password_and_no_log_holds_one() {
    let target = Target::start(&[], json!({})).await;
    suite::rotates(&target).await;
    let log = target.log();
    assert!(log.contains("ALTER USER 'o\\'app'@'%' IDENTIFIED VIA mysql_native_password USING '*"), "{log}");
    // Both hosts have it: a login by the other one takes it too.
    let last = target.secrets().pop().unwrap();
    target.sql("drop user 'o''app'@'127.0.0.1'").await;
    assert_eq!(target.root().verify("o'app", &last).await, Ok(Verdict::Works));
}

#[tokio::test]
async fn mariadb_keeps_the_contract_when_things_go_wrong() {
    let target = Target::start(&[], json!({ "hosts": ["127.0.0.1"] })).await;
    suite::tells_refused_from_unreachable(&target).await;
    suite::tells_a_wrong_admin(&target).await;
    suite::never_hides_a_change(&target).await;
}

#[tokio::test]
async fn mariadb_says_what_its_password_rules_refuse() {
    const RULES: &[&str] =
        &["--plugin-load-add=simple_password_check", "--simple-password-check-minimal-length=10"];
    let target = Target::start(RULES, json!({ "password_sent": "plain", "hosts": ["127.0.0.1"] })).await;
    suite::tells_a_weak_secret(&target).await;
    let good = SecretString::from("Good-Enough-1!");
    target.root().change(&attempt(&target, &target.first(), &good, "k")).await.unwrap();
    assert_eq!(target.root().verify("o'app", &good).await, Ok(Verdict::Works));
    let log = target.log();
    assert!(!log.contains(good.expose_secret()), "the log holds it:\n{log}");

    // Hashed, the server could not check it, and says so.
    let hashed = Target { extra: json!({}), server: target.server };
    let failure = hashed.root().change(&attempt(&hashed, &good, &hashed.first(), "k")).await.unwrap_err();
    assert_eq!(failure.class, Class::NeedsPerson, "{failure}");
    assert!(failure.message.contains("password_sent"), "{failure}");
}

#[tokio::test]
async fn mariadb_probe_tells_what_stands_in_the_way() {
    let target = Target::start(&[], json!({})).await;
    target.sql("create user clerk@'127.0.0.1' identified by 'Clerk-1'").await;
    target.sql("create user maker@'127.0.0.1' identified by 'Maker-1'").await;
    target.sql("grant create user on *.* to maker@'127.0.0.1'").await;
    target.sql("grant select on mysql.* to maker@'127.0.0.1'").await;
    target.sql("create user byauth@'127.0.0.1' identified via unix_socket").await;
    target.sql("create user two@'127.0.0.1' identified via mysql_native_password or unix_socket").await;
    let port = target.server.port();
    let clerk = target.connector("clerk", "Clerk-1", port);
    for (connector, user, says) in [
        (target.root(), "nobody", "has no user \"nobody\""),
        (clerk, "o'app", "GRANT SELECT ON mysql.*"),
        (target.root(), "byauth", "unix_socket"),
        (target.root(), "two", "several ways"),
    ] {
        let failure = connector.probe(user).await.unwrap_err();
        assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
        assert!(failure.message.contains(says), "{failure}");
    }
    let maker = target.connector("maker", "Maker-1", port);
    let probe = maker.probe("o'app").await.unwrap();
    assert!(
        probe.target.starts_with("MariaDB 1")
            && probe.target.contains("127.0.0.1, %") | probe.target.contains("%, 127.0.0.1"),
        "{}",
        probe.target
    );
    assert!(probe.warnings.join("\n").contains("PROCESS"), "{:?}", probe.warnings);
    let failure = maker.end_sessions("o'app").await.unwrap_err();
    assert_eq!(failure.class, Class::NeedsPerson, "{failure}");
}

#[tokio::test]
async fn mariadb_ends_the_sessions_that_were_open_and_no_others() {
    let target = Target::start(&[], json!({})).await;
    let mut open = target.login("o'app", FIRST).await;
    let mut other = target.login("root", target.server.password()).await;
    open.query_drop("select 1").await.unwrap();
    assert_eq!(target.root().end_sessions("o'app").await.unwrap().count, Some(1));
    assert!(open.query_drop("select 1").await.is_err(), "the session lives on");
    other.query_drop("select 1").await.unwrap();
}

#[tokio::test]
async fn mariadb_a_user_without_an_admin_changes_its_own() {
    let target = Target::start(&[], json!({})).await;
    let config = json!({ "host": "127.0.0.1", "port": target.server.port() });
    let own = AnyConnector::from_config(Kind::Mysql, &config, None).unwrap();
    assert_eq!(own.probe("o'app").await.unwrap().warnings, [""; 0]);
    let new = SecretString::from("Own-new-1");
    own.change(&attempt(&target, &target.first(), &new, "k")).await.unwrap();
    assert_eq!(own.verify("o'app", &new).await, Ok(Verdict::Works));
    assert_eq!(own.verify("o'app", &target.first()).await, Ok(Verdict::Refused));
    assert!(!target.log().contains(new.expose_secret()));
}
