//! An account that logs in with one-time codes, at a service that takes each code only once.

use latchkey_practice::{Options, Service, recipes};
use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::kills::over;
use crate::support::{api, text};

/// Short, since each proof needs another code.
const PERIOD: u64 = 2;
const SEED: &[u8] = b"a seed of twenty one";
const OLD: &str = "Old-Passw0rd-of-the-shop";

on_both! {
    async fn an_account_with_one_time_codes_is_rotated_and_each_use_of_its_seed_is_on_record(server: &Server) {
        let service = Service::start(Options { period: PERIOD, ..Options::default() }).await.expect("a port");
        service.add_user("shop", OLD, Some(SEED));
        let workspace = server.workspace("codes").await;
        let api = workspace.api();
        let body = json!({
            "name": "Shop", "kind": "http", "limits": {"failed_login_every_seconds": 0},
            "config": {"recipe": recipes::API_TOTP, "hosts": [service.address().to_string()],
                       "network": {"plain_http_on_loopback": true, "allow": ["127.0.0.0/8"]}},
        });
        let connector = api::make(&api, "/connectors", body).await;
        let account = api::make(&api, "/accounts", json!({"name": "Shop", "app": "Shop", "username": "shop"})).await;
        let secret = json!({"kind": "password", "label": "Password", "value": OLD});
        let secret = api::secret(&api, &account, secret).await;
        let how = json!({"connector_id": connector});
        api.put(&format!("/accounts/{account}/rotation"), &how).await.expect(200);

        let uri = format!("otpauth://totp/shop?secret={}&algorithm=SHA256&period={PERIOD}", base32(SEED));
        let seed = json!({"kind": "totp", "label": "TOTP", "value": uri});
        api::make(&api, &format!("/accounts/{account}/secrets"), seed).await;
        let asked = api.post(&format!("/accounts/{account}/rotate"), &json!({})).await.expect(202).json();
        let ended = over(server, &api, text(&asked, "/id")).await;
        assert_eq!(ended["state"], "done", "{ended}\n{}", server.log());
        let shown = api.post(&format!("/accounts/{account}/secrets/{secret}/reveal"), &json!({})).await;
        let new = text(&shown.expect(200).json(), "/value").to_owned();
        assert!(service.accepts("shop", &new) && !service.accepts("shop", OLD));

        let logins = service.requests().iter().filter(|request| *request == "POST /api/login").count();
        let audit = api::audit_of(&api, &account).await;
        let used: Vec<_> = audit.iter().filter(|record| record["action"] == "secret.code_used").collect();
        assert_eq!(used.len(), logins, "a record for each code that went there: {used:?}");
        for record in used {
            assert_eq!((&record["actor"], &record["detail"]["rotation"]), (&json!("system"), &asked["id"]));
        }
        assert!(!server.log().contains(&base32(SEED)), "no log holds the seed");
    }
}

/// RFC 4648, without padding.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).peekable();
    let mut out = String::new();
    while bits.peek().is_some() {
        let five = (0..5).fold(0_usize, |sum, _| sum * 2 + usize::from(bits.next().unwrap_or(0)));
        out.push(char::from(LETTERS[five]));
    }
    out
}
