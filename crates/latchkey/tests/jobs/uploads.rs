//! An HR system uploads people as a SCIM bulk request.

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::scene::{DAILY, Scene};
use crate::support::api::assert_problem;
use crate::support::{list, text};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn bulk(people: &[Value]) -> Value {
    let operations: Vec<Value> = people
        .iter()
        .enumerate()
        .map(|(at, data)| json!({ "method": "POST", "bulkId": format!("b{at}"), "path": "/Users", "data": data }))
        .collect();
    json!({ "schemas": [BULK], "Operations": operations })
}

on_both! {
    async fn what_is_uploaded_is_provisioned_and_what_is_omitted_stays(server: &Server) {
        let scene = Scene::new(server, "schedule = \"1s\"\n").await;
        let hr = scene.company.api().with_media_type("application/scim+json");
        let path = scene.at("/bulkUpload");
        let ada = json!({ "externalId": "1", "userName": "ada@q.example", "active": true,
            "name": { "givenName": "Ada", "familyName": "Lind" },
            ENTERPRISE: { "department": "Geology", "manager": { "value": "2" } } });
        let boris = json!({ "externalId": "2", "userName": "boris@q.example", "active": "True" });
        scene.start().await;
        // Whoever's manager comes later is told so; sent again, it holds.
        let answer = hr.post(&path, &bulk(&[boris, ada.clone()])).await.expect(202);
        let at = answer.headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(at.contains("/logs?since="), "{at}");
        let done = answer.json();
        let statuses: Vec<u64> = list(&done, "/operations").iter().filter_map(|one| one["status"].as_u64()).collect();
        assert_eq!(statuses, [202, 202], "{done}");
        scene.until(&[("ada@q.example", true), ("boris@q.example", true)]).await;

        // Nothing is said of active, nor of the name: both stay. A department that is null goes.
        let less = json!({ "externalId": "1", "userName": "ada@q.example", ENTERPRISE: { "department": null } });
        hr.post(&path, &bulk(&[less])).await.expect(202);
        let found = scene.api.get("/directory/people").await.expect(200).json();
        let row = list(&found, "/items").iter().find(|one| one["external_id"] == "1").expect("Ada").clone();
        assert_eq!((row["enabled"].clone(), row["attributes"]["surname"].clone()), (json!(true), json!("Lind")));
        assert_eq!(row["attributes"].get("department"), None, "{row}");
        let boris = list(&found, "/items").iter().find(|one| one["external_id"] == "2").expect("Boris");
        assert_eq!(row["manager"], boris["id"]);

        hr.post(&path, &bulk(&[json!({ "externalId": "1", "active": false })])).await.expect(202);
        scene.until(&[("ada@q.example", false), ("boris@q.example", true)]).await;

        // One that is wrong does not stop the others.
        let mixed = bulk(&[json!({ "active": true }), json!({ "externalId": "3", "userName": "clara@q.example" })]);
        let done = hr.post(&path, &mixed).await.expect(202).json();
        assert_eq!(done["operations"][0]["status"], 400, "{done}");
        assert!(text(&done, "/operations/0/detail").contains("externalId"), "{done}");
        assert_eq!(done["operations"][1]["status"], 202, "{done}");
        let many: Vec<Value> = (0..51).map(|n| json!({ "externalId": n.to_string() })).collect();
        assert!(assert_problem(&hr.post(&path, &bulk(&many)).await, 400).contains("50"));
        assert_problem(&scene.api.post(&path, &bulk(&[])).await, 400);
    }

    async fn who_is_absent_from_a_full_upload_has_left(server: &Server) {
        let scene = Scene::new(server, &format!("{DAILY}deletion_limit = 1\n")).await;
        let hr = scene.company.api().with_media_type("application/scim+json");
        let person = |n: usize| json!({ "externalId": n.to_string(), "userName": format!("p{n}@q.example") });
        let path = scene.at("/bulkUpload?mode=full");
        hr.post(&path, &bulk(&[person(1), person(2), person(3)])).await.expect(202);
        scene.start().await;
        let (p1, p2, p3) = ("p1@q.example", "p2@q.example", "p3@q.example");
        scene.until(&[(p1, true), (p2, true), (p3, true)]).await;
        let done = hr.post(&path, &bulk(&[person(1), person(2)])).await.expect(202).json();
        assert_eq!(list(&done, "/left").len(), 1, "{done}");
        scene.until(&[(p1, true), (p2, true), (p3, false)]).await;
        // A list that is not understood as a whole says nothing of who is absent.
        let broken = hr.post(&path, &bulk(&[json!({ "active": true })])).await;
        assert!(assert_problem(&broken, 400).contains("nobody is taken to have left"));
        // The job's limit holds: one was out since the last cycle.
        hr.post(&path, &bulk(&[])).await.expect(202);
        scene.tell("/start").await;
        let status = scene.until_status("held", |status| status["code"] == "Quarantine").await;
        assert_eq!(status["quarantine"]["reason"], "TooManyDeletes", "{status}");
        assert_eq!(scene.members().await, [(p1.to_owned(), true), (p2.to_owned(), true), (p3.to_owned(), false)]);
    }
}
