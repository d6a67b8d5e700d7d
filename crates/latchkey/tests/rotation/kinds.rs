//! One target of each kind of connector that this machine can serve, as the table of the kill test.

use std::any::Any;
use std::net::SocketAddr;

use latchkey_daemons::slapd::{BASE, ROTATOR};
use latchkey_daemons::{MariaDb, Slapd, Sshd};
use latchkey_practice::{Options, Service, recipes};
use latchkey_rotators::{AnyConnector, Rotate, Verdict};
use mysql_async::prelude::Queryable;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::target::Target;

const FIRST: &str = "First-Passw0rd!";

/// A target with a login whose secret is rotated.
pub(crate) struct Kind {
    pub(crate) word: &'static str,
    /// Where the target listens.
    pub(crate) address: SocketAddr,
    /// The connector's configuration, by way of this port of this machine.
    config: Box<dyn Fn(u16) -> Value>,
    pub(crate) admin: Option<String>,
    pub(crate) login: String,
    /// The login's secret at first, and its kind in the vault.
    pub(crate) first: String,
    pub(crate) secret: &'static str,
    /// At how many places of a rotation's traffic the server is killed, at most.
    pub(crate) kills: usize,
    /// Another way to log in, where the connector's own takes long.
    proof: Option<(&'static str, Value)>,
    _server: Box<dyn Any>,
}

impl Kind {
    pub(crate) fn config(&self, port: u16) -> Value {
        (self.config)(port)
    }

    /// Whether a fresh login at the target itself is let in.
    pub(crate) async fn lets_in(&self, secret: &str) -> bool {
        let (word, config, admin) = match &self.proof {
            Some((word, config)) => (*word, config.clone(), None),
            None => (self.word, self.config(self.address.port()), self.admin.clone()),
        };
        let kind = latchkey_rotators::Kind::from_word(word).expect("a kind of connector");
        let connector = AnyConnector::from_config(kind, &config, admin.map(SecretString::from));
        let connector = connector.expect("a configuration that keeps the rules");
        // A target that has just been cut off may be busy for a moment.
        for _ in 0..20 {
            match connector.verify(&self.login, &SecretString::from(secret)).await {
                Ok(verdict) => return verdict == Verdict::Works,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(250)).await,
            }
        }
        panic!("{word} does not answer");
    }
}

fn here(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

async fn started<T: Send + 'static>(start: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> T {
    let started = tokio::task::spawn_blocking(start).await.expect("the thread ends");
    started.unwrap_or_else(|error| panic!("{error:#}"))
}

pub(crate) async fn postgres() -> Kind {
    let target = Target::start().await;
    target.role("app", FIRST).await;
    Kind {
        word: "postgres",
        address: target.address(),
        config: Box::new(
            |port| json!({ "host": "127.0.0.1", "port": port, "admin": "postgres", "sslmode": "disable" }),
        ),
        admin: Some(target.admin().to_owned()),
        login: "app".to_owned(),
        first: FIRST.to_owned(),
        secret: "password",
        kills: 20,
        proof: None,
        _server: Box::new(target),
    }
}

pub(crate) async fn mariadb() -> Kind {
    let server = started(|| MariaDb::create(&[])).await;
    let options = mysql_async::OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(server.port())
        .prefer_socket(false)
        .user(Some("root"))
        .pass(Some(server.password()));
    let mut root = mysql_async::Conn::new(options).await.expect("root is let in");
    root.query_drop(format!("create user app@'%' identified by '{FIRST}'")).await.expect("it runs");
    Kind {
        word: "mysql",
        address: here(server.port()),
        config: Box::new(|port| json!({ "host": "127.0.0.1", "port": port, "admin": "root" })),
        admin: Some(server.password().to_owned()),
        login: "app".to_owned(),
        first: FIRST.to_owned(),
        secret: "password",
        kills: 16,
        proof: None,
        _server: Box::new(server),
    }
}

pub(crate) async fn ldap() -> Kind {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let server = started(move || Slapd::create(&[("app", FIRST)], &pem, &key)).await;
    let admin = server.password().to_owned();
    Kind {
        word: "ldap",
        address: here(server.port()),
        config: Box::new(|port| {
            json!({ "url": format!("ldap://127.0.0.1:{port}"), "admin": ROTATOR,
                "user_dn": format!("uid={{login}},ou=people,{BASE}") })
        }),
        admin: Some(admin),
        login: "app".to_owned(),
        first: FIRST.to_owned(),
        secret: "password",
        kills: 16,
        proof: None,
        _server: Box::new(server),
    }
}

async fn ssh(word: &'static str, secret: &'static str, kills: usize) -> Kind {
    let start = || {
        // PAM lets nobody wait less than two seconds who is refused.
        let mut server = Sshd::create("UsePAM no")?;
        let login = server.add_login(FIRST)?;
        let key = server.new_key()?;
        server.authorize(&login, &key.public)?;
        anyhow::Ok((server, login, key.private))
    };
    let (server, login, key) = started(start).await;
    let host_key = server.host_key().to_owned();
    Kind {
        word,
        address: here(server.port()),
        config: Box::new(
            move |port| json!({ "host": "127.0.0.1", "port": port, "host_keys": [host_key], "admin": "root" }),
        ),
        admin: Some(server.root_key().to_owned()),
        login,
        first: if secret == "ssh_key" { key } else { FIRST.to_owned() },
        secret,
        kills,
        proof: None,
        _server: Box::new(server),
    }
}

pub(crate) async fn unix() -> Kind {
    ssh("unix", "password", 16).await
}

pub(crate) async fn ssh_key() -> Kind {
    ssh("ssh_key", "ssh_key", 16).await
}

fn network() -> Value {
    json!({ "plain_http_on_loopback": true, "allow": ["127.0.0.0/8"] })
}

fn recipe(text: &'static str) -> impl Fn(u16) -> Value {
    move |port| json!({ "recipe": text, "hosts": [format!("127.0.0.1:{port}")], "network": network() })
}

async fn service() -> Service {
    let service = Service::start(Options::default()).await.expect("a port is free");
    service.add_user("app", FIRST, None);
    service
}

pub(crate) async fn http_recipe() -> Kind {
    let service = service().await;
    Kind {
        word: "http",
        address: service.address(),
        // With the login's own password, which a change makes worthless.
        config: Box::new(recipe(recipes::API)),
        admin: None,
        login: "app".to_owned(),
        first: FIRST.to_owned(),
        secret: "password",
        kills: 16,
        proof: None,
        _server: Box::new(service),
    }
}

pub(crate) async fn browser_recipe() -> Kind {
    let service = service().await;
    Kind {
        word: "browser",
        address: service.address(),
        config: Box::new(recipe(recipes::BROWSER)),
        admin: None,
        login: "app".to_owned(),
        first: FIRST.to_owned(),
        secret: "password",
        kills: 4,
        proof: Some(("http", recipe(recipes::API)(service.address().port()))),
        _server: Box::new(service),
    }
}

pub(crate) async fn webhook() -> Kind {
    let service = service().await;
    let key = service.receiver_key();
    Kind {
        word: "webhook",
        address: service.address(),
        config: Box::new(move |port| {
            json!({ "url": format!("http://127.0.0.1:{port}/hooks/rotation"),
                "delivery": { "sealed_to": key }, "network": network() })
        }),
        admin: Some(service.signing_secret()),
        login: "app".to_owned(),
        first: FIRST.to_owned(),
        secret: "password",
        kills: 16,
        proof: Some(("http", recipe(recipes::API)(service.address().port()))),
        _server: Box::new(service),
    }
}
