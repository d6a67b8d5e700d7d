//! PostgreSQL with SCRAM and a log of every statement.

use std::net::SocketAddr;
use std::process::Command;

use latchkey_daemons::Postgres as Server;
use latchkey_daemons::postgres::Durability;
use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::{AnyConnector, Kind, Rotate, Verdict};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::cut::Forwarder;
use crate::suite::{self, Scene, attempt};

const FIRST: &str = "First-Passw0rd!";
/// A name that quoting has to hold together.
const ROLE: &str = r#"app "role"; --"#;

struct Target {
    server: Server,
    password: String,
    port: u16,
    role: &'static str,
}

impl Target {
    async fn start(role: &'static str) -> Self {
        let server = tokio::task::spawn_blocking(|| Server::create(Durability::Off)).await.unwrap().unwrap();
        let url = server.url();
        let (credentials, rest) = url.strip_prefix("postgres://postgres:").unwrap().split_once('@').unwrap();
        let port = rest.split_once('/').unwrap().0.rsplit_once(':').unwrap().1.parse().unwrap();
        let target = Self { password: credentials.to_owned(), port, server, role };
        target.trust(false).await;
        target.sql(&format!("create role {} login password '{FIRST}'", quoted(role))).await;
        target.sql("alter system set log_statement = 'all'").await;
        target.sql("alter system set log_min_duration_statement = 0").await;
        target.sql("select pg_reload_conf()").await;
        target
    }

    /// What pg_hba.conf asks of everybody but the superuser.
    async fn trust(&self, trust: bool) {
        let file: String = self.value("show hba_file").await;
        let method = if trust { "trust" } else { "scram-sha-256" };
        let rules =
            format!("host all postgres 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 {method}\n");
        std::fs::write(file, rules).unwrap();
        self.sql("select pg_reload_conf()").await;
    }

    async fn client(&self, url: &str) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn sql(&self, sql: &str) {
        self.client(&self.server.url()).await.batch_execute(sql).await.unwrap();
    }

    async fn value(&self, sql: &str) -> String {
        self.client(&self.server.url()).await.query_one(sql, &[]).await.unwrap().get(0)
    }

    fn connector(&self, admin: &str, password: &str, extra: &Value) -> AnyConnector {
        let mut config =
            json!({ "host": "127.0.0.1", "port": self.port, "admin": admin, "timeout_seconds": 10 });
        for (field, value) in extra.as_object().unwrap() {
            config[field] = value.clone();
        }
        AnyConnector::from_config(Kind::Postgres, &config, Some(password.into())).unwrap()
    }

    fn superuser(&self) -> AnyConnector {
        self.connector("postgres", &self.password, &json!({}))
    }
}

impl Scene for Target {
    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn by_way_of(&self, port: u16) -> AnyConnector {
        self.connector("postgres", &self.password, &json!({ "port": port }))
    }

    fn with_wrong_admin(&self) -> Option<AnyConnector> {
        Some(self.connector("postgres", "not the password", &json!({})))
    }

    fn username(&self) -> &str {
        self.role
    }

    fn first(&self) -> SecretString {
        FIRST.into()
    }

    fn secrets(&self) -> Vec<SecretString> {
        crate::awkward_passwords()
    }

    fn log(&self) -> String {
        // The statements of the suite's own set-up name the first one.
        self.server.log().replace(&format!("login password '{FIRST}'"), "")
    }
}

fn quoted(role: &str) -> String {
    format!("\"{}\"", role.replace('"', "\"\""))
}

#[tokio::test]
async fn postgres_rotates_every_awkward_password_and_its_log_holds_none() {
    let target = Target::start(ROLE).await;
    suite::rotates(&target).await;
    assert!(
        target.log().contains("ALTER ROLE \"app \"\"role\"\"; --\" PASSWORD 'SCRAM-SHA-256$4096:"),
        "{}",
        target.log()
    );
}

#[tokio::test]
async fn postgres_keeps_the_contract_when_things_go_wrong() {
    let target = Target::start(ROLE).await;
    suite::tells_refused_from_unreachable(&target).await;
    suite::tells_a_wrong_admin(&target).await;
    suite::never_hides_a_change(&target).await;
}

#[tokio::test]
async fn postgres_clients_of_others_log_in_with_what_we_computed() {
    let target = Target::start("app").await;
    for password in [r#"a'b"c\d"#, "Ⅸ ünïcode 密码", "soft\u{ad}hyphen"] {
        let new = SecretString::from(password);
        target.superuser().change(&attempt(&target, &target.first(), &new, "k")).await.unwrap();
        let psql = |password: &str| {
            Command::new("psql")
                .env("PGPASSWORD", password)
                .args([
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &target.port.to_string(),
                    "-U",
                    "app",
                    "-d",
                    "postgres",
                    "-c",
                    "select 1",
                ])
                .output()
                .unwrap()
        };
        let came = psql(password);
        assert!(came.status.success(), "{password:?}: {}", String::from_utf8_lossy(&came.stderr));
        assert!(!psql("another").status.success());
    }
}

#[tokio::test]
async fn postgres_probe_tells_what_stands_in_the_way() {
    let target = Target::start("app").await;
    target.sql("create role clerk login password 'Clerk-1'; create role maker login createrole password 'Maker-1'").await;
    target.sql("create role chief login superuser password 'Chief-1'").await;
    target.sql("create role other login password 'o'; create role late login password 'l' valid until '2020-01-01'").await;
    let nothing = json!({});
    let clerk = target.connector("clerk", "Clerk-1", &nothing);
    let maker = target.connector("maker", "Maker-1", &nothing);

    for (connector, role, says) in [
        (target.superuser(), "nobody_such", "has no role \"nobody_such\""),
        (clerk, "other", "needs CREATEROLE"),
        (maker, "chief", "only a superuser may change"),
    ] {
        let failure = connector.probe(role).await.unwrap_err();
        assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
        assert!(failure.message.contains(says), "{failure}");
    }
    let warned = |probe: latchkey_rotators::Probe| probe.warnings.join("\n");
    assert!(warned(target.superuser().probe("late").await.unwrap()).contains("VALID UNTIL 2020"));

    let pooler = Forwarder::whole(target.address()).await;
    let behind = warned(target.by_way_of(pooler.port).probe("app").await.unwrap());
    assert!(behind.contains("pooler"), "{behind}");

    target.trust(true).await;
    let open = warned(target.superuser().probe("app").await.unwrap());
    assert!(open.contains("trust"), "{open}");
}

#[tokio::test]
async fn postgres_proves_a_password_where_the_database_lets_nobody_in() {
    let target = Target::start("app").await;
    target.sql("create database closed").await;
    target.sql("revoke connect on database closed from public").await;
    let connector = |database: &str| {
        target.connector("postgres", &target.password, &json!({ "verify_database": database }))
    };
    for database in ["closed", "not_there"] {
        let (right, wrong) = (target.first(), SecretString::from("wrong"));
        assert_eq!(connector(database).verify("app", &right).await, Ok(Verdict::Works), "{database}");
        assert_eq!(connector(database).verify("app", &wrong).await, Ok(Verdict::Refused), "{database}");
    }
    target.sql("alter role app nologin").await;
    let failure = target.superuser().verify("app", &target.first()).await.unwrap_err();
    assert_eq!(failure.class, Class::NeedsPerson, "{failure}");
}

#[tokio::test]
async fn postgres_ends_the_sessions_that_were_open_and_no_others() {
    let target = Target::start("app").await;
    let url = |user: &str, password: &str| {
        format!("postgres://{user}:{password}@127.0.0.1:{}/postgres", target.port)
    };
    let open = target.client(&url("app", FIRST)).await;
    let others = target.client(&target.server.url()).await;
    open.batch_execute("select 1").await.unwrap();
    let ended = target.superuser().end_sessions("app").await.unwrap();
    assert_eq!(ended.count, Some(1));
    assert!(open.batch_execute("select 1").await.is_err(), "the session lives on");
    others.batch_execute("select 1").await.unwrap();
    assert_eq!(target.superuser().end_sessions("app").await.unwrap().count, Some(0));
}

#[tokio::test]
async fn postgres_a_role_without_an_admin_changes_its_own() {
    let target = Target::start("app").await;
    let config = json!({ "host": "127.0.0.1", "port": target.port });
    let own = AnyConnector::from_config(Kind::Postgres, &config, None).unwrap();
    assert!(!own.abilities().by_admin && !own.abilities().ends_sessions);
    assert_eq!(own.probe("app").await.unwrap().warnings, [""; 0]);
    let new = SecretString::from("Own-new-1");
    own.change(&attempt(&target, &target.first(), &new, "k")).await.unwrap();
    assert_eq!(own.verify("app", &new).await, Ok(Verdict::Works));
    assert_eq!(own.verify("app", &target.first()).await, Ok(Verdict::Refused));
    assert!(!target.log().contains(new.expose_secret()));
}
