//! A PostgreSQL server as the target, whose log holds every statement.

use std::net::SocketAddr;

use latchkey_daemons::Postgres;
use latchkey_daemons::postgres::Durability;
use latchkey_testkit::{Client, Server, Workspace};
use serde_json::json;

use crate::support::{api, text};

pub(crate) struct Target {
    server: Postgres,
    admin: String,
    port: u16,
}

impl Target {
    /// Passwords are checked by SCRAM for everybody.
    pub(crate) async fn start() -> Self {
        let server = tokio::task::spawn_blocking(|| Postgres::create(Durability::Off)).await;
        let server = server.expect("the thread ends").expect("PostgreSQL starts");
        let url = server.url();
        let (admin, rest) = url
            .strip_prefix("postgres://postgres:")
            .and_then(|rest| rest.split_once('@'))
            .expect("the URL has a password");
        let port = rest.split('/').next().and_then(|host| host.rsplit(':').next());
        let port = port.and_then(|port| port.parse().ok()).expect("the URL has a port");
        let target = Self { admin: admin.to_owned(), port, server };
        let client = target.superuser().await;
        let file: String = client.query_one("show hba_file", &[]).await.expect("it answers").get(0);
        std::fs::write(file, "host all all 127.0.0.1/32 scram-sha-256\n").expect("the file can be written");
        target.sql("alter system set log_statement = 'all'").await;
        target.sql("select pg_reload_conf()").await;
        target
    }

    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub(crate) fn admin(&self) -> &str {
        &self.admin
    }

    async fn superuser(&self) -> tokio_postgres::Client {
        connect(&self.server.url()).await.expect("the superuser is let in")
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.superuser().await.batch_execute(sql).await.expect("the statement runs");
    }

    pub(crate) async fn role(&self, name: &str, password: &str) {
        self.sql(&format!("create role {name} login password '{password}'")).await;
    }

    pub(crate) async fn lets_in(&self, name: &str, password: &str) -> bool {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user(name).password(password).dbname("postgres");
        match config.connect(tokio_postgres::NoTls).await {
            Ok((_, connection)) => {
                drop(connection);
                true
            }
            Err(error) => {
                let code = error.as_db_error().map(|told| told.code().code().to_owned());
                assert_eq!(code.as_deref(), Some("28P01"), "refused for another reason: {error}");
                false
            }
        }
    }

    pub(crate) fn log(&self) -> String {
        self.server.log()
    }

    /// A connector to it, by way of this port.
    pub(crate) async fn connector(&self, api: &Client, port: u16) -> String {
        let config = json!({ "host": "127.0.0.1", "port": port, "admin": "postgres", "sslmode": "disable" });
        let limits = json!({ "first_pause_seconds": 1 });
        let body = json!({ "name": "target", "kind": "postgres", "config": config, "limits": limits,
            "admin": self.admin, "at_once": 8 });
        api::make(api, "/connectors", body).await
    }
}

async fn connect(url: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// An account of a role, rotated by a connector, with its password in the vault.
pub(crate) struct Held {
    pub(crate) account: String,
    pub(crate) secret: String,
    pub(crate) old: String,
}

impl Held {
    pub(crate) async fn make(target: &Target, workspace: &Workspace, connector: &str, role: &str) -> Self {
        let api = workspace.api();
        let old = format!("Old-{role}-Passw0rd!");
        target.role(role, &old).await;
        let body =
            json!({ "name": role, "app": "PostgreSQL", "username": role, "sensitivity": "privileged" });
        let account = api::make(&api, "/accounts", body).await;
        let secret = json!({ "kind": "password", "label": "Password", "value": old });
        let secret = api::secret(&api, &account, secret).await;
        let set = json!({ "connector_id": connector });
        api.put(&format!("/accounts/{account}/rotation"), &set).await.expect(200);
        Self { account, secret, old }
    }

    /// What the vault calls its password.
    pub(crate) async fn vaulted(&self, server: &Server, workspace: &Workspace) -> String {
        let api = workspace.api();
        let path = format!("/accounts/{}/secrets/{}/reveal", self.account, self.secret);
        let shown = api.post(&path, &json!({})).await;
        assert_eq!(shown.status, 200, "{shown:?}\n{}", server.log());
        text(&shown.json(), "/value").to_owned()
    }
}
