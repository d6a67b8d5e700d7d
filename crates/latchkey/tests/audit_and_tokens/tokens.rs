//! Tokens: their shape, what is kept of them, regenerating with a grace, last use.

use std::time::{Duration, Instant};

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::support::tokens::checksum;
use crate::support::{api, text};

fn assert_well_formed(token: &str, prefix: &str) {
    let rest = token.strip_prefix(prefix).unwrap_or_else(|| panic!("{token} begins with {prefix}"));
    assert_eq!(rest.len(), 49, "{token}");
    assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
    assert_eq!(token[token.len() - 6..], checksum(&token[..token.len() - 6]), "{token}");
}

async fn listed(api: &latchkey_testkit::Client, id: &str) -> Value {
    let tokens = api::all(api, "/scim-tokens").await;
    tokens.iter().find(|token| token["id"] == id).unwrap_or_else(|| panic!("{id} in {tokens:?}")).clone()
}

on_both! {
    async fn a_tokens_text_has_its_prefix_and_checksum_and_is_never_listed(server: &Server) {
        let workspace = server.workspace("shape").await;
        assert_well_formed(&workspace.scim_token, "lk_scim_");
        assert_well_formed(&workspace.api_token, "lk_api_");
        let api = workspace.api();
        let made = api.post("/scim-tokens", &json!({"name": "Entra"})).await.expect(201).json();
        let token = text(&made, "/token").to_owned();
        assert_well_formed(&token, "lk_scim_");
        let shown = listed(&api, text(&made, "/id")).await;
        assert_eq!(shown["name"], "Entra");
        assert_eq!(text(&shown, "/hint"), &token[..12], "enough to recognise it by");
        for path in ["/scim-tokens", "/api-tokens", "/audit", "/workspace", "/me"] {
            let shown = api.get(path).await.expect(200).text();
            for secret in [&token, &workspace.scim_token, &workspace.api_token] {
                assert!(!shown.contains(secret.as_str()), "{path} shows {secret}");
            }
        }
        let by_cli = server.cli(&["admin", "scim-token", "list", "--workspace", "shape", "--json"]).await;
        assert!(!by_cli.success().stdout.contains(&token), "{by_cli:?}");
        assert!(by_cli.stdout.contains("Entra"), "{by_cli:?}");
        let alone = server.cli(&["admin", "scim-token", "create", "--workspace", "shape"]).await;
        assert_well_formed(alone.success().stdout.trim_end_matches('\n'), "lk_scim_");
    }

    async fn a_token_is_revealed_again_and_that_is_audited(server: &Server) {
        let workspace = server.workspace("reveal").await;
        let api = workspace.api();
        let made = api.post("/scim-tokens", &json!({"name": "Entra"})).await.expect(201).json();
        let id = text(&made, "/id");
        let shown = api.post(&format!("/scim-tokens/{id}/reveal"), &json!({})).await.expect(200);
        assert_eq!(shown.json()["token"], made["token"]);
        assert!(shown.header("cache-control").is_some_and(|value| value.contains("no-store")), "{shown:?}");
        let audit = api::audit_of(&api, id).await;
        assert!(audit.iter().any(|record| record["action"] == "token.revealed"), "{audit:?}");
        assert!(!format!("{audit:?}").contains(text(&made, "/token")));
        let narrow = api
            .post("/api-tokens", &json!({"name": "x", "scopes": ["directory:read"]}))
            .await
            .expect(201)
            .json();
        let narrow = api.clone().with_token(text(&narrow, "/token"));
        narrow.get("/scim-tokens").await.expect(200);
        narrow.post(&format!("/scim-tokens/{id}/reveal"), &json!({})).await.expect(403);
        narrow.post(&format!("/scim-tokens/{id}/regenerate"), &json!({"grace_seconds": 0})).await.expect(403);
    }

    async fn a_regenerated_token_leaves_the_old_one_its_grace_and_no_more(server: &Server) {
        let workspace = server.workspace("grace").await;
        let (api, scim) = (workspace.api(), workspace.scim());
        let made = api.post("/scim-tokens", &json!({"name": "Entra"})).await.expect(201).json();
        let old = text(&made, "/token").to_owned();
        let path = format!("/scim-tokens/{}/regenerate", text(&made, "/id"));
        let asked = Instant::now();
        let renewed = api.post(&path, &json!({"grace_seconds": 2})).await;
        assert!(matches!(renewed.status, 200 | 201), "{renewed:?}");
        let new = text(&renewed.json(), "/token").to_owned();
        assert_well_formed(&new, "lk_scim_");
        let status = async |token: &str| scim.clone().with_token(token).get("/Users?count=0").await.status;
        assert_eq!((status(&new).await, status(&old).await), (200, 200), "both, for the grace");
        assert!(asked.elapsed() < Duration::from_secs(2), "the machine is too slow for this test");
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        assert_eq!((status(&new).await, status(&old).await), (200, 401));
        let again = api.post(&path, &json!({"grace_seconds": 60})).await;
        assert!((400..500).contains(&again.status), "what is over is not renewed: {again:?}");
        let at_once = api
            .post(
                &format!("/scim-tokens/{}/regenerate", text(&renewed.json(), "/id")),
                &json!({"grace_seconds": 0}),
            )
            .await;
        assert!(at_once.status < 300, "{at_once:?}");
        assert_eq!(status(&new).await, 401, "without a grace, at once");
        for bad in
            [json!({"grace_seconds": -1}), json!({"grace_seconds": "long"}), json!({"grace_seconds": 1e12})]
        {
            let newest = text(&at_once.json(), "/id").to_owned();
            let answer = api.post(&format!("/scim-tokens/{newest}/regenerate"), &bad).await;
            assert!((400..500).contains(&answer.status), "{bad}: {answer:?}");
        }
        let by_cli = server
            .cli(&["admin", "scim-token", "regenerate", "--workspace", "grace", text(&at_once.json(), "/id")])
            .await;
        let newest = by_cli.success().stdout.trim().to_owned();
        assert_eq!(status(&newest).await, 200, "made beside the running server");
    }

    async fn a_tokens_last_use_is_shown(server: &Server) {
        let workspace = server.workspace("use").await;
        let api = workspace.api();
        let made = api.post("/scim-tokens", &json!({"name": "Entra"})).await.expect(201).json();
        let id = text(&made, "/id");
        assert!(listed(&api, id).await["last_used_at"].is_null());
        let scim = workspace.scim().with_token(text(&made, "/token"));
        for _ in 0..3 {
            scim.get("/Users?count=0").await.expect(200);
        }
        let shown = listed(&api, id).await;
        assert!(text(&shown, "/last_used_at").ends_with('Z'), "{shown}");
        assert!(text(&shown, "/last_used_from").starts_with("127.0.0.1"), "{shown}");
    }
}
