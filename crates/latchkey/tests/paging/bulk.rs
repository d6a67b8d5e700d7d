//! Bulk (RFC 7644 §3.7).

use latchkey_testkit::{Client, Server, on_both};
use serde_json::{Value, json};

use crate::support::scim::{
    BULK, BULK_ANSWER, ENTERPRISE, GROUP, USER, assert_refused, found_ids, members, patch, read, set, user,
    user_id,
};
use crate::support::{list, text};

async fn bulk(scim: &Client, fail_on_errors: Option<u32>, operations: Value) -> Vec<Value> {
    let mut body = json!({"schemas": [BULK], "Operations": operations});
    if let Some(count) = fail_on_errors {
        body["failOnErrors"] = json!(count);
    }
    let answer = scim.post("/Bulk", &body).await.expect(200).json();
    assert_eq!(answer["schemas"], json!([BULK_ANSWER]), "{answer}");
    let done = list(&answer, "/Operations").to_vec();
    assert!(done.iter().all(|one| one["status"].is_string() && one["method"].is_string()), "{answer}");
    done
}

fn of<'a>(done: &'a [Value], bulk_id: &str) -> &'a Value {
    done.iter().find(|one| one["bulkId"] == bulk_id).unwrap_or_else(|| panic!("no {bulk_id} in {done:?}"))
}

fn id_of(done: &[Value], bulk_id: &str) -> String {
    let one = of(done, bulk_id);
    text(one, "/location")
        .rsplit('/')
        .next()
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| panic!("{one}"))
        .to_owned()
}

fn post(path: &str, bulk_id: &str, data: Value) -> Value {
    json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": data})
}

fn person(name: &str) -> Value {
    json!({"schemas": [USER], "userName": format!("{name}@corp.example")})
}

on_both! {
    async fn references_may_point_forwards(server: &Server) {
        let scim = server.workspace("forward").await.scim();
        let team = json!({"schemas": [GROUP], "displayName": "Ops", "members": [{"value": "bulkId:ida"}, {"value": "bulkId:bo"}]});
        let done = bulk(
            &scim,
            None,
            json!([
                post("/Groups", "team", team),
                {"method": "PATCH", "path": "/Groups/bulkId:team", "data": patch(json!([
                    {"op": "remove", "path": "members", "value": [{"value": "bulkId:bo"}]},
                    {"op": "add", "path": "members", "value": [{"value": "bulkId:eva"}]},
                ]))},
                post("/Users", "ida", person("ida")),
                post("/Users", "bo", person("bo")),
                post("/Users", "eva", person("eva")),
            ]),
        )
        .await;
        assert_eq!(done.len(), 5, "{done:?}");
        for id in ["team", "ida", "bo", "eva"] {
            assert_eq!(of(&done, id)["status"], "201", "{done:?}");
            assert!(text(of(&done, id), "/version").starts_with("W/"), "{done:?}");
        }
        let wanted = [id_of(&done, "ida"), id_of(&done, "eva")];
        assert_eq!(members(&scim, &id_of(&done, "team")).await, wanted.into_iter().collect());
    }

    async fn references_may_be_circular_between_two_new_ones(server: &Server) {
        let scim = server.workspace("circular").await.scim();
        let managed = |name: &str, by: &str| {
            let mut body = person(name);
            body["schemas"] = json!([USER, ENTERPRISE]);
            body[ENTERPRISE] = json!({"manager": {"value": format!("bulkId:{by}")}});
            body
        };
        let done = bulk(
            &scim,
            None,
            json!([post("/Users", "a", managed("ida", "b")), post("/Users", "b", managed("bo", "a")),]),
        )
        .await;
        let (a, b) = (id_of(&done, "a"), id_of(&done, "b"));
        assert_eq!(read(&scim, &format!("/Users/{a}")).await[ENTERPRISE]["manager"]["value"], json!(b));
        assert_eq!(read(&scim, &format!("/Users/{b}")).await[ENTERPRISE]["manager"]["value"], json!(a));
    }

    async fn each_operation_stands_alone_and_a_reference_to_a_failed_one_fails(server: &Server) {
        let scim = server.workspace("alone").await.scim();
        let bo = user_id(&scim, "bo@corp.example").await;
        let team = |name: &str, member: &str| json!({"schemas": [GROUP], "displayName": name, "members": [{"value": member}]});
        let done = bulk(
            &scim,
            None,
            json!([
                post("/Users", "ida", person("ida")),
                post("/Users", "taken", person("BO")),
                post("/Groups", "lame", team("Lame", "bulkId:taken")),
                post("/Groups", "lost", team("Lost", "bulkId:nowhere")),
                post("/Groups", "fine", team("Fine", "bulkId:ida")),
                {"method": "DELETE", "path": format!("/Users/{bo}")},
                {"method": "DELETE", "path": format!("/Users/{bo}")},
            ]),
        )
        .await;
        assert_eq!(done.len(), 7, "{done:?}");
        assert_eq!(
            (&of(&done, "ida")["status"], &of(&done, "fine")["status"]),
            (&json!("201"), &json!("201"))
        );
        let taken = of(&done, "taken");
        assert_eq!(
            (&taken["status"], &taken["response"]["scimType"]),
            (&json!("409"), &json!("uniqueness")),
            "{taken}"
        );
        for id in ["lame", "lost"] {
            let failed = of(&done, id);
            assert!(matches!(text(failed, "/status"), "400" | "409"), "{failed}");
            assert!(
                !text(failed, "/response/detail").is_empty() && failed.get("location").is_none(),
                "{failed}"
            );
        }
        let mut deletes: Vec<&str> =
            done.iter().filter(|one| one["method"] == "DELETE").map(|one| text(one, "/status")).collect();
        deletes.sort_unstable();
        assert_eq!(deletes, ["204", "404"]);
        assert!(found_ids(&scim, "/Groups", "displayName eq \"Lame\"").await.is_empty());
        assert_eq!(members(&scim, &id_of(&done, "fine")).await, set(&[&id_of(&done, "ida")]));
    }

    async fn after_so_many_errors_the_rest_is_not_tried(server: &Server) {
        let scim = server.workspace("fail-on").await.scim();
        let operations = json!([
            post("/Users", "one", person("ida")),
            post("/Users", "bad", json!({"schemas": [USER]})),
            post("/Users", "two", person("bo")),
            post("/Users", "worse", json!({"schemas": [USER], "userName": 7})),
            post("/Users", "three", person("eva")),
        ]);
        let done = bulk(&scim, Some(1), operations.clone()).await;
        let tried: Vec<&str> = done.iter().map(|one| text(one, "/bulkId")).collect();
        assert_eq!(tried, ["one", "bad"]);
        assert!(found_ids(&scim, "/Users", "userName sw \"bo@\"").await.is_empty());
        // The first is there already now, so it is an error as well.
        let done = bulk(&scim, Some(3), operations.clone()).await;
        assert_eq!(done.len(), 4, "{done:?}");
        let done = bulk(&scim, None, operations).await;
        assert_eq!(done.len(), 5, "{done:?}");
    }

    async fn a_version_in_an_operation_is_a_condition(server: &Server) {
        let scim = server.workspace("version").await.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let path = format!("/Users/{ida}");
        let version = read(&scim, &path).await["meta"]["version"].clone();
        let put = |version: &Value, title: &str| {
            json!({
                "method": "PUT", "path": path, "version": version, "data": user("ida@corp.example", json!({"title": title})),
            })
        };
        let done = bulk(&scim, None, json!([put(&version, "first")])).await;
        assert_eq!(done[0]["status"], "200", "{done:?}");
        let done = bulk(&scim, None, json!([put(&version, "second")])).await;
        assert_eq!(done[0]["status"], "412", "{done:?}");
        assert_eq!(read(&scim, &path).await["title"], "first");
    }

    async fn one_bulk_id_twice_is_refused(server: &Server) {
        let scim = server.workspace("twice").await.scim();
        let body = json!({"schemas": [BULK], "Operations": [post("/Users", "x", person("ida")), post("/Users", "x", person("eva"))]});
        let answer = scim.post("/Bulk", &body).await;
        if answer.status == 200 {
            let answer = answer.json();
            let failed = list(&answer, "/Operations").iter().filter(|one| one["status"] == "400").count();
            assert_eq!(failed, 1, "{answer}");
        } else {
            let keyword = crate::support::scim::assert_error(&answer).0;
            assert_refused(&answer, 400, &keyword);
            assert!(found_ids(&scim, "/Users", "userName sw \"ida@\"").await.is_empty());
        }
    }
}
