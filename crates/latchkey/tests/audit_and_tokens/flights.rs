//! The flight recorder: each request of the directory, with its verdict and its effects.

use latchkey_testkit::{Client, Server, on_both};
use serde_json::{Value, json};

use crate::support::scim::{ENTERPRISE, group, patch, user, user_id};
use crate::support::{NEVER, api, list, text};

async fn newest(api: &Client) -> Value {
    let flights = api.get("/flights?limit=1").await.expect(200).json();
    let id = text(&flights, "/items/0/id").to_owned();
    assert!(!id.is_empty(), "{flights}");
    api.get(&format!("/flights/{id}")).await.expect(200).json()
}

fn effects(flight: &Value) -> Vec<&str> {
    list(flight, "/effects").iter().map(|effect| text(effect, "/what")).collect()
}

on_both! {
    async fn each_request_is_there_with_its_verdict_and_effects(server: &Server) {
        let workspace = server.workspace("flights").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        scim.get("/Users?filter=userName%20eq%20%22ida@corp.example%22").await.expect(200);
        let flight = newest(&api).await;
        assert_eq!(
            (text(&flight, "/method"), &flight["status"], &flight["mutating"]),
            ("GET", &json!(200), &json!(false)),
            "{flight}"
        );
        let answer = scim.post("/Users", &user("ida@corp.example", json!({}))).await.expect(201);
        let ida = answer.id();
        let flight = newest(&api).await;
        assert_eq!(
            (text(&flight, "/method"), &flight["status"], &flight["mutating"]),
            ("POST", &json!(201), &json!(true)),
            "{flight}"
        );
        assert!(text(&flight, "/path").contains("/Users"), "{flight}");
        assert!(effects(&flight).contains(&"member.created"), "{flight}");
        assert_eq!(Some(text(&flight, "/request_id")), answer.header("x-request-id"), "{flight}");
        let accepted = text(&flight, "/verdict").to_owned();
        assert!(!accepted.is_empty(), "{flight}");

        let taken = scim.post("/Users", &user("IDA@corp.example", json!({}))).await.expect(409);
        let flight = newest(&api).await;
        assert_eq!(flight["status"], json!(409), "{flight}");
        assert_ne!(text(&flight, "/verdict"), accepted, "{flight}");
        assert_eq!(
            text(&flight, "/detail"),
            text(&taken.json(), "/detail"),
            "the admin of both ends reads one sentence: {flight}"
        );
        assert!(effects(&flight).is_empty(), "{flight}");

        let bank = api::account(&api, "Bank", "privileged").await;
        api::grant_member(&api, &ida, &bank).await;
        scim.patch(
            &format!("/Users/{ida}"),
            &patch(json!({"op": "Replace", "path": "active", "value": "False"})),
        )
        .await
        .expect(200);
        let flight = newest(&api).await;
        let said = flight["effects"].to_string();
        assert!(said.contains("disabled") || said.contains("offboard"), "{flight}");
        assert!(said.contains("rotation"), "{flight}");
        let case = api::case_of(&api, &ida).await;
        assert_eq!(flight["request_id"], case["request_id"], "from the request to the case");

        scim.post("/Groups", &group("Ops", &[NEVER])).await.expect(400);
        let refused =
            api::all(&api, &format!("/flights?verdict={}", text(&newest(&api).await, "/verdict"))).await;
        assert!(refused.len() >= 2, "{refused:?}");
        assert!(refused.iter().all(|flight| flight["status"].as_u64() >= Some(400)), "{refused:?}");
        let writes = api::all(&api, "/flights?mutating=true").await;
        assert!(writes.iter().all(|flight| flight["mutating"] == json!(true)), "{writes:?}");
        assert_eq!(writes.len(), 4, "{writes:?}");
    }

    async fn what_was_understood_otherwise_or_is_missing_is_a_hint(server: &Server) {
        let workspace = server.workspace("hints").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let bare =
            json!({"schemas": [crate::support::scim::USER], "userName": "bare@corp.example", "shoeSize": 44});
        scim.post("/Users", &bare).await.expect(201);
        let hints = newest(&api).await["hints"].to_string();
        for word in ["emails", "givenName", "familyName", "externalId", "shoeSize"] {
            assert!(hints.contains(word), "{word}: {hints}");
        }
        let full = user("ida@corp.example", json!({"active": "True"}));
        scim.post("/Users", &full).await.expect(201);
        let hints = newest(&api).await["hints"].to_string();
        assert!(!hints.contains("emails") && !hints.contains("givenName"), "{hints}");
    }

    async fn the_recorder_keeps_no_more_than_it_says_and_nobody_waits_for_it(server: &Server) {
        let workspace = server.workspace("bounds").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let ida = user_id(&scim, "ida@corp.example").await;
        let reads: Vec<_> = (0..8)
            .map(|_| {
                let (scim, path) = (scim.clone(), format!("/Users/{ida}"));
                tokio::spawn(async move {
                    for _ in 0..300 {
                        scim.get(&path).await.expect(200);
                    }
                })
            })
            .collect();
        for read in reads {
            read.await.expect("reads are answered");
        }
        let kept = api::all(&api, "/flights").await;
        assert!(!kept.is_empty() && kept.len() <= 100_000, "{}", kept.len());
        assert!(kept.iter().any(|flight| text(flight, "/method") == "POST"), "reads push out no writes");
    }

    async fn values_that_are_nobodys_business_are_not_kept(server: &Server) {
        let workspace = server.workspace("redacted").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let secret = "canary-9c1f";
        let body = user(
            "ida@corp.example",
            json!({
                "password": secret, "phoneNumbers": [{"value": format!("+45 {secret}")}],
                ENTERPRISE: {"employeeNumber": secret}, "x509Certificates": [{"value": "Y2FuYXJ5LTljMWY="}],
            }),
        );
        let id = scim.post("/Users", &body).await.expect(201).id();
        scim.patch(&format!("/Users/{id}"), &patch(json!({"op": "replace", "value": {"password": secret}})))
            .await;
        scim.get(&format!("/Users?filter=password%20eq%20%22{secret}%22")).await.expect(400);
        let shown = format!("{:?}", api::all(&api, "/flights").await);
        assert!(!shown.contains(secret) && !shown.contains("Y2FuYXJ5LTljMWY"), "{shown}");
        for flight in api::all(&api, "/flights").await {
            let whole = api.get(&format!("/flights/{}", text(&flight, "/id"))).await.expect(200).text();
            assert!(!whole.contains(secret), "{whole}");
            assert!(!whole.contains(&workspace.scim_token), "{whole}");
        }
    }
}
