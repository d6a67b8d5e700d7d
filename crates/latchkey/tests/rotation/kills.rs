//! SIGKILL at pieces of traffic between us and a target of each kind, so before and after each act and
//! each state.

use std::time::Duration;

use latchkey_testkit::{Client, Db, Server, block_on};
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::kinds::{self, Kind};
use crate::support::{api, list, text};

const BINARY: &str = env!("CARGO_BIN_EXE_latchkey");

/// A test for each kind: killed anywhere, and then?
macro_rules! killed_anywhere {
    ($($kind:ident),* $(,)?) => {
        mod v2_v3_a_server_killed_anywhere_ends_with_one_working_secret_that_the_vault_holds {
            $(#[test]
            fn $kind() {
                super::block_on(async { super::killed_anywhere(super::kinds::$kind().await).await });
            })*
        }
    };
}

killed_anywhere!(postgres, mariadb, ldap, unix, ssh_key, http_recipe, browser_recipe, webhook);

async fn killed_anywhere(kind: Kind) {
    let gate = Gate::before(kind.address).await;
    let mut server = Server::start_durable(Db::Sqlite, BINARY, &[]).await;
    let api = server.workspace("kills").await.api();
    let held = Held::make(&kind, &api, gate.port).await;
    gate.close_after(1_000_000);
    let whole = rotate(&api, &held).await;
    let ended = over(&server, &api, &whole).await;
    assert_eq!(ended["state"], "done", "{ended}\n{}", server.log());
    let pieces = gate.passed();
    assert!(pieces > 5, "{}: a rotation takes several exchanges: {pieces}", kind.word);
    let mut before = held.check(&kind, &server, &api, None, &ended).await;
    let step = pieces.div_ceil(kind.kills);
    for kill_at in (0..pieces).step_by(step) {
        gate.close_after(kill_at);
        let rotation = rotate(&api, &held).await;
        let told = tokio::time::timeout(Duration::from_secs(60), gate.closed()).await;
        // How many pieces there are differs a little from one time to the next.
        let killed = told.is_ok();
        assert!(killed || kill_at > pieces / 2, "nothing came to piece {kill_at}\n{}", server.log());
        if killed {
            server.kill().await;
        }
        gate.open();
        if killed {
            server.restart().await;
        }
        let ended = over(&server, &api, &rotation).await;
        assert_eq!(ended["state"], "done", "{} killed at piece {kill_at}: {ended}", kind.word);
        before = held.check(&kind, &server, &api, Some(&before), &ended).await;
    }
}

/// An account of the target's login, rotated by a connector, with its secret in the vault.
struct Held {
    account: String,
    secret: String,
}

impl Held {
    async fn make(kind: &Kind, api: &Client, port: u16) -> Self {
        let limits = json!({
            "first_pause_seconds": 1, "failed_login_every_seconds": 0, "settles_within_seconds": 5,
        });
        let mut body = json!({
            "name": kind.word, "kind": kind.word, "config": kind.config(port), "limits": limits,
        });
        if let Some(admin) = &kind.admin {
            body["admin"] = json!(admin);
        }
        let connector = api::make(api, "/connectors", body).await;
        let body = json!({ "name": kind.word, "app": kind.word, "username": kind.login });
        let account = api::make(api, "/accounts", body).await;
        let secret = json!({ "kind": kind.secret, "label": "Secret", "value": kind.first });
        let secret = api::secret(api, &account, secret).await;
        let set = json!({ "connector_id": connector });
        api.put(&format!("/accounts/{account}/rotation"), &set).await.expect(200);
        assert!(kind.lets_in(&kind.first).await, "{} is ready", kind.word);
        Self { account, secret }
    }

    /// Exactly the secret that the vault calls the account's works, of all that it holds from this
    /// rotation and the one before. Gives that secret.
    async fn check(
        &self,
        kind: &Kind,
        server: &Server,
        api: &Client,
        before: Option<&str>,
        ended: &Value,
    ) -> String {
        let path = format!("/accounts/{}/secrets/{}", self.account, self.secret);
        let shown = api.post(&format!("{path}/reveal"), &json!({})).await;
        assert_eq!(shown.status, 200, "{shown:?}\n{}", server.log());
        let current = text(&shown.json(), "/value").to_owned();
        assert_ne!(Some(current.as_str()), before, "{}: nothing changed: {ended}", kind.word);
        assert!(kind.lets_in(&current).await, "{}: the vault's works: {ended}", kind.word);
        let history = api.get(&path).await.expect(200).json();
        let pending = list(&history, "/versions").iter().filter(|one| one["state"] == "pending").count();
        assert_eq!(pending, 0, "{}: nothing is left in between: {history}", kind.word);
        if let Some(before) = before {
            assert!(!kind.lets_in(before).await, "{}: the old one is refused: {ended}", kind.word);
        }
        current
    }
}

async fn rotate(api: &Client, held: &Held) -> String {
    let asked = api.post(&format!("/accounts/{}/rotate", held.account), &json!({})).await.expect(202).json();
    text(&asked, "/id").to_owned()
}

/// The rotation, once it is over.
pub(crate) async fn over(server: &Server, api: &Client, rotation: &str) -> Value {
    for _ in 0..900 {
        let seen = api.get(&format!("/rotations/{rotation}")).await.expect(200).json();
        if seen["over"] == true {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seen = api.get(&format!("/rotations/{rotation}")).await.json();
    panic!("it never ends: {seen}\n{:?}\n{}", api::all(api, "/tasks").await, server.log());
}
