//! No token, wrong token, revoked token, expired grace, other kind of token: 401 on every route.

use std::time::{Duration, Instant};

use latchkey_testkit::{Answer, Server, on_both};
use serde_json::json;

use crate::routes;
use crate::support::cases::Failures;
use crate::support::scim::{assert_error, set_active, user_id};
use crate::support::tokens::unknown;
use crate::support::{NEVER, api, text};

fn assert_locked(answer: &Answer, auth: &str, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {answer:?}");
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer"), "{what}: {answer:?}");
    if auth == "scim" {
        assert_error(answer);
    } else {
        api::assert_problem(answer, 401);
    }
}

on_both! {
    async fn every_route_is_locked_without_the_right_token(server: &Server) {
        let workspace = server.workspace("doors").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let made = async |path: &str, body: serde_json::Value| {
            let made = api.post(path, &body).await.expect(201).json();
            (text(&made, "/id").to_owned(), text(&made, "/token").to_owned())
        };
        // One revoked, one replaced without a grace, one replaced with a grace that is over.
        let (revoked_id, revoked) = made("/scim-tokens", json!({"name": "revoked"})).await;
        assert!(api.delete(&format!("/scim-tokens/{revoked_id}")).await.status < 300);
        let mut replaced = Vec::new();
        for grace in [0, 1] {
            let (id, old) = made("/scim-tokens", json!({"name": format!("grace {grace}")})).await;
            let answer =
                api.post(&format!("/scim-tokens/{id}/regenerate"), &json!({"grace_seconds": grace})).await;
            assert!(answer.status < 300, "{answer:?}");
            replaced.push(old);
        }
        let (id, revoked_api) =
            made("/api-tokens", json!({"name": "revoked", "scopes": ["self:read"]})).await;
        assert!(api.delete(&format!("/api-tokens/{id}")).await.status < 300);
        let ida = user_id(&scim, "ida@corp.example").await;
        let leaver = server
            .cli(&["admin", "api-token", "create", "--workspace", "doors", "--member", "ida@corp.example"])
            .await;
        let leaver = leaver.success().stdout.trim().to_owned();
        set_active(&scim, &ida, false).await;
        tokio::time::sleep(Duration::from_millis(1_100)).await;

        let garbled = |token: &str| format!("{}x", &token[..token.len() - 1]);
        let bearer = |token: &str| format!("Bearer {token}");
        let common = [
            ("no token", String::new()),
            ("another scheme", "Basic b3duZXI6c2VjcmV0".to_owned()),
            ("an empty token", "Bearer ".to_owned()),
            ("rubbish", bearer("rubbish")),
            ("unknown SCIM token", bearer(&unknown("lk_scim_"))),
            ("unknown API token", bearer(&unknown("lk_api_"))),
            ("garbled SCIM token", bearer(&garbled(&workspace.scim_token))),
            ("garbled API token", bearer(&garbled(&workspace.api_token))),
            ("half a token", bearer(&workspace.scim_token[..20])),
            ("revoked SCIM token", bearer(&revoked)),
            ("replaced SCIM token", bearer(&replaced[0])),
            ("SCIM token after its grace", bearer(&replaced[1])),
            ("revoked API token", bearer(&revoked_api)),
            ("a leaver's API token", bearer(&leaver)),
            ("the token without Bearer", workspace.scim_token.clone()),
        ];
        let mut failures = Failures::default();
        let client = server.client();
        let (mut locked, mut open) = (0, 0);
        for route in routes::all(server).await {
            let ids = vec![NEVER; route.parameters().len()];
            let path = route.at(&ids);
            if route.auth == "none" {
                open += 1;
                let answer = client.send(&route.method, &path, &[], "").await;
                assert_ne!(answer.status, 401, "{} needs no token: {answer:?}", route.name());
                let private =
                    ["/Users", "/Groups", "/Bulk", ".search", "/members", "/accounts", "/grants", "/audit"];
                assert!(!private.iter().any(|part| route.path.contains(part)), "{} is open", route.name());
                continue;
            }
            assert!(["scim", "api"].contains(&route.auth.as_str()), "what opens {}?", route.name());
            locked += 1;
            let other = if route.auth == "scim" {
                bearer(&workspace.api_token)
            } else {
                bearer(&workspace.scim_token)
            };
            failures
                .play(route.name(), async {
                    for (what, header) in common.iter().chain([&("the other kind of token", other)]) {
                        let body = route.body(&ida);
                        let answer =
                            client.send(&route.method, &path, &[("authorization", header)], body).await;
                        assert_locked(&answer, &route.auth, what);
                    }
                })
                .await;
        }
        assert!(locked > 40 && open >= 1, "{locked} locked and {open} open routes");
        failures.tell();
    }

    async fn a_scope_that_a_token_lacks_is_403_and_changes_nothing(server: &Server) {
        let workspace = server.workspace("scopes").await;
        let made = workspace
            .api()
            .post("/api-tokens", &json!({"name": "narrow", "scopes": ["self:read"]}))
            .await
            .expect(201)
            .json();
        let narrow = server.client().with_token(text(&made, "/token"));
        let before = crate::support::state::State::of(&workspace).await;
        let mut failures = Failures::default();
        for route in routes::all(server).await {
            let own = ["/v1/api/me", "/v1/api/openapi.json"].contains(&route.path.as_str());
            if route.auth != "api" || own {
                continue;
            }
            let path = route.at(&vec![workspace.owner_id.as_str(); route.parameters().len()]);
            failures
                .play(route.name(), async {
                    let answer =
                        narrow.send(&route.method, &path, &[], route.body(&workspace.owner_id)).await;
                    let of_oneself =
                        path.contains("/members/") && route.method == "GET" && answer.status == 200;
                    assert!(answer.status == 403 || of_oneself, "{answer:?}");
                })
                .await;
        }
        failures
            .play("nothing changed", async {
                crate::support::state::State::of(&workspace)
                    .await
                    .assert_same(&before, "asking without the scope");
            })
            .await;
        failures.tell();
    }

    async fn a_token_revoked_on_the_host_is_dead_within_a_second(server: &Server) {
        let workspace = server.workspace("host").await;
        let made = server.cli(&["admin", "scim-token", "create", "--workspace", "host", "--json"]).await;
        let made = made.success().json();
        let scim = workspace.scim().with_token(text(&made, "/token"));
        scim.get("/Users?count=0").await.expect(200);
        server
            .cli(&["admin", "scim-token", "revoke", "--workspace", "host", text(&made, "/id")])
            .await
            .success();
        let revoked = Instant::now();
        while scim.get("/Users?count=0").await.status != 401 {
            assert!(revoked.elapsed() < Duration::from_secs(1), "still good after {:?}", revoked.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        workspace.scim().get("/Users?count=0").await.expect(200);
    }
}
