//! Who is let in, to what, and what is kept of it.

use axum::body::Body;
use latchkey_access::Role;
use latchkey_engine::flights::{self, FlightFilter};
use latchkey_engine::members::NewMember;
use latchkey_engine::{Caller, tokens, workspaces};
use latchkey_scim_http::{BASE, routes};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Edge, patch, user};

#[tokio::test]
async fn every_route_is_closed_without_a_token_and_to_every_other_one() {
    let edge = Edge::new().await;
    let api = {
        let owner = edge.engine.store().owners_active(edge.by.workspace_id(), 1).await.unwrap().remove(0).id;
        let scopes = [latchkey_access::token::Scope::SelfRead];
        tokens::create_api(&edge.engine, &edge.by, owner, "x", &scopes, None).await.unwrap().text
    };
    let revoked = tokens::create_scim(&edge.engine, &edge.by, "old", None).await.unwrap();
    tokens::revoke(&edge.engine, &edge.by, revoked.token.id).await.unwrap();
    let unknown = format!("{}0", &edge.token[..edge.token.len() - 1]);
    for (method, path, _) in routes() {
        let path = path.replace("{id}", "x").replace("{name}", "User").replace("{urn}", "x");
        let bare = edge.send(method.as_str(), &path, &[], Body::empty()).await;
        bare.is_error(401);
        assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"Latchkey SCIM\"");
        for wrong in [&unknown, "", "lk_scim_", api.expose_secret(), revoked.text.expose_secret()] {
            let answer = edge
                .send(method.as_str(), &path, &[("authorization", &format!("Bearer {wrong}"))], Body::empty())
                .await;
            answer.is_error(401);
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer realm=\"Latchkey SCIM\", error=\"invalid_token\""
            );
        }
        let basic = edge
            .send(
                method.as_str(),
                &path,
                &[("authorization", &format!("Basic {}", edge.token))],
                Body::empty(),
            )
            .await;
        basic.is_error(401);
    }
    let lower = edge
        .send(
            "GET",
            &format!("{BASE}/Users"),
            &[("authorization", &format!("bearer {}", edge.token))],
            Body::empty(),
        )
        .await;
    assert_eq!(lower.status, 200, "the scheme has no case");
}

#[tokio::test]
async fn a_limited_token_is_told_when_to_come_back() {
    let edge = Edge::with_limit(Some(3)).await;
    for _ in 0..3 {
        assert_eq!(edge.ask("GET", "/Users", None).await.status, 200);
    }
    let refused = edge.ask("GET", "/Users", None).await;
    refused.is_error(429);
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test]
async fn a_request_keeps_the_id_that_the_client_gave_if_it_is_one() {
    let edge = Edge::new().await;
    let bearer = format!("Bearer {}", edge.token);
    let ask = async |id: &str| {
        let headers = [("authorization", bearer.as_str()), ("x-request-id", id)];
        edge.send("GET", &format!("{BASE}/Users"), &headers, Body::empty())
            .await
            .header("x-request-id")
            .to_owned()
    };
    let given = "0198f2a0-0000-7000-8000-00000000000a";
    assert_eq!(ask(given).await, given);
    assert_eq!(ask(&given.to_uppercase()).await, given);
    let other = ask("x; drop table").await;
    assert!(other.len() == 36 && other != given);
}

#[tokio::test]
async fn the_flight_recorder_keeps_what_happened_and_nobodys_data() {
    let edge = Edge::new().await;
    let id = edge.user("canary@corp.example").await;
    edge.ask("GET", "/Users?filter=userName+eq+%22canary%22&secret=canary", None).await;
    edge.ask("PATCH", &format!("/Users/{id}"), patch(json!([{"op": "replace", "path": "password", "value": "canary"}, {"op": "replace", "path": "active", "value": false}]))).await;
    // Within one millisecond the recorder keeps no order.
    edge.clock.advance(std::time::Duration::from_millis(1));
    edge.ask(
        "PATCH",
        &format!("/Users/{id}"),
        patch(json!([{"op": "replace", "path": "nonsense", "value": 1}])),
    )
    .await
    .is_error(400);
    let flights =
        flights::list(&edge.engine, &edge.by, FlightFilter { limit: 10, ..FlightFilter::default() })
            .await
            .unwrap();
    assert_eq!(flights.len(), 4);
    let text = serde_json::to_string(&flights).unwrap();
    assert!(!text.contains("canary"), "{text}");
    assert!(
        text.contains("member.disabled") && text.contains("invalidPath") && text.contains("/Users/{id}"),
        "{text}"
    );
    assert_eq!(flights[0].status, 400, "newest first");
}

#[tokio::test]
async fn a7_what_is_in_another_workspace_is_as_good_as_nothing() {
    let edge = Edge::new().await;
    let id = edge.user("ida@corp.example").await;
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales"});
    let group = edge.ask("POST", "/Groups", Some(group)).await.json()["id"].as_str().unwrap().to_owned();
    let other =
        NewMember { user_name: "o".to_owned(), display_name: None, work_email: None, role: Role::Owner };
    let (other, _) =
        workspaces::create(&edge.engine, "Other", &other, edge.engine.fresh_request_id()).await.unwrap();
    let by = Caller::operator(other.id, edge.engine.fresh_request_id());
    let token = tokens::create_scim(&edge.engine, &by, "x", None).await.unwrap();
    let bearer = format!("Bearer {}", token.text.expose_secret());
    let nobody = "0198f2a0-0000-7000-8000-00000000000a";
    for (kind, id) in [("Users", &id), ("Groups", &group)] {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            let body = match (method, kind) {
                ("PUT", "Users") => user("x@corp.example"),
                ("PUT", _) => {
                    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "X"})
                }
                _ => patch(json!([{"op": "replace", "path": "externalId", "value": "x"}])).unwrap(),
            };
            let ask = async |id: &str| {
                let headers = [("authorization", bearer.as_str())];
                edge.send(method, &format!("{BASE}/{kind}/{id}"), &headers, body.to_string()).await
            };
            let (foreign, none) = (ask(id).await, ask(nobody).await);
            foreign.is_error(404);
            assert_eq!(foreign.text, none.text, "{method} {kind}");
        }
    }
    let add = patch(json!([{"op": "add", "path": "members", "value": [{"value": id}]}])).unwrap().to_string();
    let theirs = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales"});
    let headers = [("authorization", bearer.as_str())];
    let made = edge.send("POST", &format!("{BASE}/Groups"), &headers, theirs.to_string()).await;
    assert_eq!(made.status, 201, "a name taken next door is free here: {}", made.text);
    let path = format!("{BASE}/Groups/{}", made.json()["id"].as_str().unwrap());
    edge.send("PATCH", &path, &headers, add).await.is_error(400);
    let found =
        edge.send("GET", &format!("{BASE}/Users?filter=id+eq+%22{id}%22"), &headers, Body::empty()).await;
    assert_eq!(found.json()["totalResults"], json!(0));
}
