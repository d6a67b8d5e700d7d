//! `latchkey connector check` as an admin runs it, at real targets.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use latchkey_daemons::postgres::Durability;
use latchkey_daemons::slapd::{BASE, ROTATOR};
use latchkey_daemons::{MariaDb, Postgres, Slapd, Sshd};
use serde_json::Value;

const OLD: &str = "First-Passw0rd!";
const NEW: &str = "It's \"new\" \\ ü-Passw0rd";

/// Files with secrets, and the command that reads them.
struct Check {
    folder: tempfile::TempDir,
    kind: &'static str,
}

impl Check {
    fn new(kind: &'static str) -> Self {
        let check = Self { folder: tempfile::tempdir().unwrap(), kind };
        check.file("old", &format!("{OLD}\n"));
        check.file("new", &format!("{NEW}\n"));
        check
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.current_dir(self.folder.path()).args(["connector", "check", self.kind]).args(options);
        command
    }

    /// Runs it on the login `app`, from the old file to the new one.
    fn passwords(&self, options: &[&str]) -> Output {
        let fixed = ["--old-password-file", "old", "--new-password-file", "new"];
        self.command(options).args(fixed).output().unwrap()
    }
}

/// The steps of a run with `--json`, and whether it ended well. No text of it may hold a secret.
fn steps(output: &Output) -> (Vec<Value>, bool) {
    let (out, err) = texts(output);
    for secret in [OLD, NEW, "Passw0rd"] {
        assert!(!out.contains(secret) && !err.contains(secret), "a secret is told: {out} {err}");
    }
    (out.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output.status.success())
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn assert_all_held(output: &Output) {
    let (steps, well) = steps(output);
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["probe", "change", "new_works", "old_refused", "end_sessions"], "{:?}", texts(output));
    assert!(steps.iter().all(|step| step["held"] == true), "{steps:?}");
    assert!(steps[..4].iter().all(|step| step["milliseconds"].is_u64()), "{steps:?}");
    assert!(well);
}

struct Database {
    server: Postgres,
    runtime: tokio::runtime::Runtime,
}

impl Database {
    /// A server that asks everybody but the superuser for a password by SCRAM, and `app`, who has one.
    fn start() -> Self {
        let server = Postgres::create(Durability::Off).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let database = Self { server, runtime };
        database.sql(&format!("create role app login password '{OLD}'"));
        database
    }

    fn sql(&self, sql: &str) {
        self.runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&self.server.url(), tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        });
    }
}

#[test]
fn postgres_is_checked_by_a_url_and_files() {
    let database = Database::start();
    let check = Check::new("postgres");
    let url = database.server.url();
    assert_all_held(&check.passwords(&["--json", "--admin-url", &url, "--login", "app"]));
    assert!(!database.server.log().contains(NEW));

    // For people: a line a step, and a last word.
    check.file("old", NEW);
    check.file("new", OLD);
    let output = check.passwords(&["--admin-url", &url, "--login", "app"]);
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{out} {err}");
    assert!(out.lines().all(|line| line.starts_with("ok")) && out.contains("old refused"), "{out}");
    assert!(err.contains("All held"), "{err}");
}

#[test]
fn postgres_check_fails_where_a_step_does_not_hold() {
    let database = Database::start();
    let check = Check::new("postgres");
    let url = database.server.url();
    let file = check.file("admin", "not the password");
    let wrong = url.replace(url.split(':').nth(2).unwrap().split('@').next().unwrap(), "");
    let admin = ["--admin-password-file", file.to_str().unwrap()];
    let output = check.passwords(&["--json", "--admin-url", &wrong, admin[0], admin[1], "--login", "app"]);
    let (told, well) = steps(&output);
    assert!(!well && told.len() == 1, "{told:?}");
    assert_eq!(
        (&told[0]["step"], &told[0]["class"], &told[0]["outcome"]),
        (&"probe".into(), &"auth".into(), &"not_applied".into())
    );

    // A server that lets everybody in: the old one "works" on, so the check does not hold.
    let path = database.runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query_one("show hba_file", &[]).await.unwrap().get::<_, String>(0)
    });
    std::fs::write(path, "host all all 127.0.0.1/32 trust\n").unwrap();
    database.sql("select pg_reload_conf()");
    let (told, well) = steps(&check.passwords(&["--json", "--admin-url", &url, "--login", "app"]));
    assert!(!well);
    assert!(told[0]["warnings"][0].as_str().unwrap().contains("trust"), "{told:?}");
    assert_eq!(
        (&told[3]["step"], &told[3]["held"], &told[3]["verdict"]),
        (&"old_refused".into(), &false.into(), &"works".into())
    );
}

#[test]
fn secrets_come_from_standard_input_and_the_environment_too() {
    let database = Database::start();
    let check = Check::new("postgres");
    let url = database.server.url();
    let mut command = check.command(&["--json", "--admin-url", &url, "--login", "app", "--keep-sessions"]);
    command.args(["--old-password-env", "THE_OLD", "--new-password-file", "-"]).env("THE_OLD", OLD);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), NEW.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let (told, well) = steps(&output);
    assert!(well && told[4]["skipped"] == "--keep-sessions", "{told:?}");

    for (wrong, says) in [
        (&["--old-password-file", "-", "--new-password-file", "-"][..], "only one secret"),
        (&["--old-password-file", "gone", "--new-password-file", "new"], "cannot read the old password"),
        (&["--old-password-env", "NOT_SET_AT_ALL", "--new-password-file", "new"], "NOT_SET_AT_ALL"),
        (&["--new-password-file", "new"], "--old-password-file"),
    ] {
        let mut command = check.command(&["--admin-url", &url, "--login", "app"]);
        let output = command.args(wrong).stdin(Stdio::null()).output().unwrap();
        let (_, err) = texts(&output);
        assert!(!output.status.success() && err.contains(says), "{wrong:?}: {err}");
    }
}

#[test]
fn mariadb_is_checked() {
    let server = MariaDb::create(&[]).unwrap();
    let check = Check::new("mysql");
    let admin = check.file("admin", server.password());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use mysql_async::prelude::Queryable;
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(server.port())
            .prefer_socket(false)
            .user(Some("root"))
            .pass(Some(server.password()));
        let mut root = mysql_async::Conn::new(options).await.unwrap();
        root.query_drop(format!("create user app@'%' identified by '{OLD}'")).await.unwrap();
    });
    let url = format!("mysql://root@127.0.0.1:{}", server.port());
    let admin = ["--admin-password-file", admin.to_str().unwrap()];
    assert_all_held(&check.passwords(&["--json", "--admin-url", &url, admin[0], admin[1], "--login", "app"]));
    assert!(!server.log().contains("-Passw0rd\\'") && !server.log().contains("ü-Passw0rd"));
}

#[test]
fn ldap_is_checked() {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let server = Slapd::create(&[("app", OLD)], &key.cert.pem(), &key.signing_key.serialize_pem()).unwrap();
    let check = Check::new("ldap");
    check.file("admin", server.password());
    check.file("ca.pem", &key.cert.pem());
    let (url, login) =
        (format!("ldaps://127.0.0.1:{}", server.tls_port()), format!("uid=app,ou=people,{BASE}"));
    let bind = ["--bind-dn", ROTATOR, "--bind-password-file", "admin", "--ca-file", "ca.pem"];
    let output = check.passwords(&[&["--json", "--url", &url, "--login", &login][..], &bind].concat());
    assert_all_held(&output);
    let weak = check.file("new", "short");
    let (told, well) =
        steps(&check.passwords(&[&["--json", "--url", &url, "--login", &login][..], &bind].concat()));
    assert!(!well && told.last().unwrap()["class"] == "policy", "{told:?} {weak:?}");
}

#[test]
fn unix_logins_and_their_keys_are_checked() {
    let mut server = Sshd::create("").unwrap_or_else(|error| panic!("{error:#}"));
    let login = server.add_login(OLD).unwrap();
    let check = Check::new("unix");
    check.file("admin", server.root_key());
    let port = server.port().to_string();
    let host = ["--host", "127.0.0.1", "--port", &port, "--host-key", server.host_key()];
    let options = ["--json", "--login", &login, "--admin", "root", "--admin-key-file", "admin"];
    assert_all_held(&check.passwords(&[&host[..], &options].concat()));

    let (old, new) = (server.new_key().unwrap(), server.new_key().unwrap());
    server.authorize(&login, &old.public).unwrap();
    let check = Check::new("ssh-key");
    check.file("old", &old.private);
    check.file("new", &new.private);
    let options = ["--json", "--login", &login, "--old-key-file", "old", "--new-key-file", "new"];
    assert_all_held(&check.command(&[&host[..], &options].concat()).output().unwrap());
}

#[test]
fn help_teaches_each_kind() {
    for kind in ["postgres", "mysql", "ldap", "ad", "unix", "ssh-key"] {
        let help =
            Check { folder: tempfile::tempdir().unwrap(), kind }.command(&["--help"]).output().unwrap();
        let (out, _) = texts(&help);
        assert!(
            help.status.success() && out.contains("Example:") && out.contains("--login"),
            "{kind}: {out}"
        );
    }
}
