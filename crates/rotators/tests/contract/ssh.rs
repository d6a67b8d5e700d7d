//! OpenSSH with throw-away logins of this machine: passwords by `chpasswd`, and keys.

use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use latchkey_daemons::Sshd;
use latchkey_rotation::{Class, Outcome};
use latchkey_rotators::{AnyConnector, Attempt, Kind, Rotate, Verdict};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::suite::{self, Scene, attempt};

const FIRST: &str = "First-Passw0rd!";

struct Target {
    server: Sshd,
    login: String,
}

impl Target {
    async fn start(options: &'static str) -> Self {
        let start = move || {
            let mut server = Sshd::create(options)?;
            let login = server.add_login(FIRST)?;
            anyhow::Ok(Self { server, login })
        };
        tokio::task::spawn_blocking(start).await.unwrap().unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn connector(&self, kind: Kind, admin: Option<(&str, &str)>, port: u16) -> AnyConnector {
        let mut config = json!({
            "host": "127.0.0.1",
            "port": port,
            "host_keys": [self.server.host_key()],
            "timeout_seconds": 10,
        });
        if let Some((login, _)) = admin {
            config["admin"] = json!(login);
        }
        AnyConnector::from_config(kind, &config, admin.map(|(_, key)| key.into())).unwrap()
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
        self.connector(Kind::Unix, Some(("root", self.server.root_key())), port)
    }

    fn with_wrong_admin(&self) -> Option<AnyConnector> {
        let key = self.server.new_key().unwrap();
        Some(self.connector(Kind::Unix, Some(("root", &key.private)), self.server.port()))
    }

    fn username(&self) -> &str {
        &self.login
    }

    fn first(&self) -> SecretString {
        FIRST.into()
    }

    fn secrets(&self) -> Vec<SecretString> {
        crate::awkward_passwords()
    }

    fn log(&self) -> String {
        self.server.log()
    }
}

#[tokio::test]
async fn unix_rotates_every_awkward_password() {
    let target = Target::start("").await;
    suite::rotates(&target).await;
}

#[tokio::test]
async fn unix_keeps_the_contract_when_things_go_wrong() {
    // By itself, the server lets nobody wait for two seconds who is refused, as PAM does.
    let target = Target::start("UsePAM no").await;
    suite::tells_refused_from_unreachable(&target).await;
    suite::tells_a_wrong_admin(&target).await;
    suite::never_hides_a_change(&target).await;
}

#[tokio::test]
async fn unix_proves_by_keyboard_interactive_where_the_server_takes_only_that() {
    let target = Target::start("PasswordAuthentication no\nKbdInteractiveAuthentication yes").await;
    assert_eq!(target.root().verify(&target.login, &target.first()).await, Ok(Verdict::Works));
    assert_eq!(target.root().verify(&target.login, &"wrong".into()).await, Ok(Verdict::Refused));
}

#[tokio::test]
async fn unix_tells_a_server_that_takes_no_passwords_and_a_login_that_is_not_there() {
    let target = Target::start("PasswordAuthentication no\nKbdInteractiveAuthentication no").await;
    let failure = target.root().verify(&target.login, &target.first()).await.unwrap_err();
    assert!(failure.message.contains("takes no passwords"), "{failure}");
    assert_eq!(target.root().probe(&target.login).await.unwrap().warnings.len(), 1);
    for login in ["nobody-such", "-n", "a b", "root:x", "$(id)"] {
        let new = SecretString::from("New-1");
        let attempt = Attempt { username: login, old: None, new: &new, idempotency_key: "k" };
        for failure in
            [target.root().probe(login).await.unwrap_err(), target.root().change(&attempt).await.unwrap_err()]
        {
            assert_eq!(
                (failure.class, failure.outcome),
                (Class::NeedsPerson, Outcome::NotApplied),
                "{failure}"
            );
        }
    }
    let injected = SecretString::from("New-1\nroot:owned");
    let failure = target.root().change(&attempt(&target, &target.first(), &injected, "k")).await.unwrap_err();
    assert_eq!(failure.class, Class::Policy, "{failure}");
}

#[tokio::test]
async fn unix_trusts_no_other_host_key() {
    let target = Target::start("").await;
    let other = target.server.new_key().unwrap();
    let config = json!({
        "host": "127.0.0.1",
        "port": target.server.port(),
        "host_keys": [other.public.trim()],
        "admin": "root",
    });
    let key = Some(SecretString::from(target.server.root_key()));
    let connector = AnyConnector::from_config(Kind::Unix, &config, key).unwrap();
    let failure =
        connector.change(&attempt(&target, &target.first(), &"New-1".into(), "k")).await.unwrap_err();
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
    assert!(failure.message.contains("SHA256:"), "{failure}");
}

#[tokio::test]
async fn unix_ends_the_sessions_that_were_open() {
    let target = Target::start("").await;
    let key = target.server.new_key().unwrap();
    target.server.authorize(&target.login, &key.public).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, &key.private).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut session = Command::new("ssh")
        .arg("-i")
        .arg(&file)
        .args(["-p", &target.server.port().to_string(), "-o", "StrictHostKeyChecking=no"])
        .args(["-o", "UserKnownHostsFile=/dev/null", "-tt", &format!("{}@127.0.0.1", target.login)])
        .args(["echo in; sleep 1000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(session.stdout.take().unwrap()), &mut line)
        .unwrap();
    assert_eq!(line.trim(), "in");
    assert_eq!(target.root().end_sessions(&target.login).await.unwrap().count, Some(1));
    assert!(!session.wait().unwrap().success());
    assert_eq!(target.root().end_sessions(&target.login).await.unwrap().count, Some(0));
}

#[tokio::test]
async fn unix_rotates_by_an_admin_login_that_has_sudo_for_two_commands() {
    let mut target = Target::start("").await;
    let admin = target.server.add_login("Admin-Passw0rd!").unwrap();
    let connector = || {
        let config = json!({
            "host": "127.0.0.1",
            "port": target.server.port(),
            "host_keys": [target.server.host_key()],
            "admin": admin,
        });
        AnyConnector::from_config(Kind::Unix, &config, Some("Admin-Passw0rd!".into())).unwrap()
    };
    let new = SecretString::from("By-sudo: 'new' Passw0rd");
    for failure in [
        connector().probe(&target.login).await.unwrap_err(),
        connector().change(&attempt(&target, &target.first(), &new, "k")).await.unwrap_err(),
    ] {
        assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
        assert!(failure.message.contains("sudo"), "{failure}");
    }
    target.server.allow_sudo(&admin, "/usr/sbin/chpasswd \"\", /usr/bin/pkill").unwrap();
    assert_eq!(connector().probe(&target.login).await.unwrap().warnings, [""; 0]);
    connector().change(&attempt(&target, &target.first(), &new, "k")).await.unwrap();
    assert_eq!(connector().verify(&target.login, &new).await, Ok(Verdict::Works));
    assert_eq!(connector().end_sessions(&target.login).await.unwrap().count, Some(0));
}

/// The same logins, whose secrets are keys.
struct Keys {
    target: Target,
    first: String,
    by_root: bool,
}

impl Keys {
    async fn start(by_root: bool) -> Self {
        let target = Target::start("").await;
        let first = target.server.new_key().unwrap();
        target
            .server
            .authorize(&target.login, &format!("no-pty {} the old one", first.public.trim()))
            .unwrap();
        Self { target, first: first.private, by_root }
    }
}

impl Scene for Keys {
    fn address(&self) -> SocketAddr {
        self.target.address()
    }

    fn by_way_of(&self, port: u16) -> AnyConnector {
        let root = ("root", self.target.server.root_key());
        self.target.connector(Kind::SshKey, self.by_root.then_some(root), port)
    }

    fn with_wrong_admin(&self) -> Option<AnyConnector> {
        let key = self.target.server.new_key().unwrap();
        Some(self.target.connector(Kind::SshKey, Some(("root", &key.private)), self.target.server.port()))
    }

    fn username(&self) -> &str {
        &self.target.login
    }

    fn first(&self) -> SecretString {
        self.first.as_str().into()
    }

    fn secrets(&self) -> Vec<SecretString> {
        (0..3).map(|_| self.fresh("")).collect()
    }

    fn fresh(&self, _: &str) -> SecretString {
        self.target.server.new_key().unwrap().private.into()
    }

    fn weak(&self) -> Option<SecretString> {
        Some("no key at all".into())
    }

    fn log(&self) -> String {
        self.target.server.log()
    }
}

#[tokio::test]
async fn ssh_keys_are_replaced_by_root_with_mode_owner_and_options_kept() {
    let keys = Keys::start(true).await;
    let file = keys.target.server.authorized_keys(keys.username());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let before = std::fs::metadata(&file).unwrap();
    suite::rotates(&keys).await;
    let after = std::fs::metadata(&file).unwrap();
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("no-pty ssh-ed25519 ") && text.lines().count() == 1, "{text}");
}

#[tokio::test]
async fn ssh_keys_keep_the_contract_when_things_go_wrong() {
    let keys = Keys::start(true).await;
    suite::tells_refused_from_unreachable(&keys).await;
    suite::tells_a_wrong_admin(&keys).await;
    suite::tells_a_weak_secret(&keys).await;
    suite::never_hides_a_change(&keys).await;
}

#[tokio::test]
async fn ssh_keys_are_replaced_by_their_own_login_too() {
    let keys = Keys::start(false).await;
    suite::rotates(&keys).await;
    let new = keys.fresh("");
    let wrong = keys.fresh("");
    let own = keys.by_way_of(keys.target.server.port());
    let failure = own.change(&attempt(&keys, &wrong, &new, "k")).await.unwrap_err();
    assert_eq!((failure.class, failure.outcome), (Class::NeedsPerson, Outcome::NotApplied), "{failure}");
    assert!(!failure.message.contains(&new.expose_secret()[40..80]));
}
