//! Users, groups, lists and discovery.

use latchkey_scim_http::BASE;
use serde_json::json;

use super::{Edge, patch, user};

#[tokio::test]
async fn a_user_is_made_read_found_changed_and_deleted() {
    let edge = Edge::new().await;
    let made = edge.ask("POST", "/Users", Some(user("ida@corp.example"))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let location = format!("https://id.corp.example{BASE}/Users/{id}");
    assert_eq!(made.header("location"), location, "never the Host header");
    assert_eq!(made.json()["meta"]["location"], json!(location));
    assert_eq!((made.header("etag"), made.header("cache-control")), ("W/\"1\"", "no-store"));
    assert_eq!(made.header("x-content-type-options"), "nosniff");

    let got = edge.ask("GET", &format!("/Users/{id}"), None).await;
    assert_eq!(got.json(), made.json());
    let found = edge.ask("GET", "/Users?filter=userName%20eq%20%22IDA@corp.example%22", None).await.json();
    assert_eq!((&found["totalResults"], &found["Resources"][0]), (&json!(1), &made.json()));
    let none = edge.ask("GET", "/Users?filter=userName+eq+%22nobody%22", None).await;
    assert_eq!((none.status.as_u16(), &none.json()["totalResults"]), (200, &json!(0)));

    edge.ask("POST", "/Users", Some(user("Ida@corp.example"))).await.is_error(409);
    let changed = edge
        .ask(
            "PATCH",
            &format!("/Users/{id}"),
            patch(json!([{"op": "Replace", "path": "active", "value": "False"}])),
        )
        .await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["active"]),
        (200, &json!(false)),
        "{}",
        changed.text
    );
    assert_eq!(edge.ask("DELETE", &format!("/Users/{id}"), None).await.status, 204);
    edge.ask("GET", &format!("/Users/{id}"), None).await.is_error(404);
    edge.ask("DELETE", &format!("/Users/{id}"), None).await.is_error(404);
}

#[tokio::test]
async fn a_group_patch_answers_204_unless_attributes_are_asked_for() {
    let edge = Edge::new().await;
    let ida = edge.user("ida@corp.example").await;
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"], "displayName": "Sales", "meta": {"resourceType": "Group"}});
    let made = edge.ask("POST", "/Groups", Some(group)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/Groups/{}", made.json()["id"].as_str().unwrap());
    let add = patch(json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": ida}]}]));
    let quiet = edge.ask("PATCH", &path, add.clone()).await;
    assert_eq!((quiet.status.as_u16(), quiet.text.as_str()), (204, ""));
    let shown = edge.ask("PATCH", &format!("{path}?attributes=members"), add).await;
    assert_eq!((shown.status.as_u16(), &shown.json()["members"][0]["value"]), (200, &json!(ida)));
    assert_eq!(shown.header("etag"), "W/\"2\"", "a change of members is a version too");
    let without = edge.ask("GET", &format!("{path}?excludedAttributes=members"), None).await.json();
    assert!(without.get("members").is_none());
    let user = edge.ask("GET", &format!("/Users/{ida}"), None).await.json();
    assert_eq!(user["groups"][0]["display"], json!("Sales"));
}

#[tokio::test]
async fn discovery_tells_what_is_served_and_search_and_bulk_do_it() {
    let edge = Edge::new().await;
    let config = edge.ask("GET", "/ServiceProviderConfig", None).await.json();
    assert_eq!(config["pagination"]["cursor"], json!(true));
    for path in ["/ResourceTypes", "/Schemas"] {
        let listed = edge.ask("GET", path, None).await.json();
        for document in listed["Resources"].as_array().unwrap() {
            let one = edge.ask("GET", &format!("{path}/{}", document["id"].as_str().unwrap()), None).await;
            assert_eq!(&one.json(), document);
        }
        edge.ask("GET", &format!("{path}/nothing"), None).await.is_error(404);
    }
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales", "members": [{"value": "bulkId:u"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("ida@corp.example")},
        {"method": "POST", "path": "/Users", "bulkId": "v", "data": user("ida@corp.example")},
    ]});
    let answer = edge.ask("POST", "/Bulk", Some(bulk)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let statuses: Vec<String> = answer.json()["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(statuses, ["201", "201", "409"]);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "displayName eq \"sales\""});
    for path in ["/Groups/.search", "/.search"] {
        let found = edge.ask("POST", path, Some(search.clone())).await;
        assert_eq!(found.json()["totalResults"], json!(1), "{path}: {}", found.text);
        assert_eq!(found.json()["Resources"][0]["members"].as_array().unwrap().len(), 1);
    }
    let root = edge.ask("GET", "?startIndex=2&count=2", None).await.json();
    assert_eq!((&root["totalResults"], root["Resources"].as_array().unwrap().len()), (&json!(3), 2));
}

#[tokio::test]
async fn a_page_that_is_none_is_empty_with_the_true_total() {
    let edge = Edge::new().await;
    for name in ["a@corp.example", "b@corp.example"] {
        edge.user(name).await;
    }
    for query in [
        "count=0",
        "startIndex=4",
        "startIndex=9223372036854775808",
        "startIndex=99999999999999999999999&count=99999999999999999999999",
        "startIndex=4&sortBy=userName",
        "startIndex=99999999999999999999999&filter=not+(title+pr)",
        "count=-1&sortBy=title",
        "cursor=&count=0",
    ] {
        let page = edge.ask("GET", &format!("/Users?{query}"), None).await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        let page = page.json();
        assert_eq!(page["totalResults"], json!(3), "{query}: {page}");
        assert_eq!((&page["Resources"], &page["itemsPerPage"]), (&json!([]), &json!(0)), "{query}: {page}");
    }
}
