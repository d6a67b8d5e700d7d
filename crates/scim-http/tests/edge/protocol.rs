//! Routes, methods, media types, versions and ids.

use axum::body::Body;
use axum::http::Method;
use latchkey_scim_http::BASE;
use serde_json::json;

use super::{Edge, patch, user};

#[tokio::test]
async fn what_is_not_served_says_what_is() {
    let edge = Edge::new().await;
    edge.ask("GET", "/Nothing", None).await.is_error(404);
    edge.ask("GET", "/Users/x/y", None).await.is_error(404);
    let refused = edge.ask("DELETE", "/Users", None).await;
    refused.is_error(405);
    assert_eq!(refused.header("allow"), "GET, POST, HEAD");
    edge.ask("PUT", "/ServiceProviderConfig", Some(json!({}))).await.is_error(405);
    for (method, path, allow) in [
        ("OPTIONS", "/Users/x", "GET, PUT, PATCH, DELETE, HEAD"),
        ("POST", "/Groups/x", "GET, PUT, PATCH, DELETE, HEAD"),
        ("HEAD", "/Bulk", "POST"),
        ("GET", "/Users/.search", "POST"),
    ] {
        let refused = edge.ask(method, path, None).await;
        assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, allow), "{method} {path}");
    }
    assert!(
        edge.ask("GET", "/Me", None).await.is_error(404)["detail"].as_str().unwrap().contains("directory")
    );
    edge.ask("GET", "/Schemas?filter=id+pr", None).await.is_error(403);
    edge.ask("GET", &format!("/Users?filter={}", "x".repeat(40_000)), None).await.is_error(414);
}

#[tokio::test]
async fn a_body_is_read_by_its_media_type_and_within_bounds() {
    let edge = Edge::new().await;
    let bearer = format!("Bearer {}", edge.token);
    let path = format!("{BASE}/Users");
    let post = async |kind: &str, name: &str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        edge.send("POST", &path, &headers, user(name).to_string()).await
    };
    assert_eq!(post("application/scim+json; charset=utf-8", "a").await.status, 201);
    assert_eq!(post("application/json", "b").await.status, 201);
    post("text/plain", "c").await.is_error(415);
    post("application/json; charset=iso-8859-1", "c").await.is_error(415);
    let big = edge.send("POST", &path, &[("authorization", &bearer)], vec![b' '; (1 << 20) + 1]).await;
    big.is_error(413);
    let announced = [("authorization", bearer.as_str()), ("content-length", "99999999999")];
    edge.send("POST", &path, &announced, Body::empty()).await.is_error(413);
    for broken in ["", "{", "[]", "{\"a\":1,\"A\":2}", "\"\\ud800\""] {
        edge.send("POST", &path, &[("authorization", &bearer)], broken).await.is_error(400);
    }
    let html = [("authorization", bearer.as_str()), ("accept", "text/html")];
    edge.send("GET", &path, &html, Body::empty()).await.is_error(406);
}

#[tokio::test]
async fn versions_guard_reads_and_writes() {
    let edge = Edge::new().await;
    let path = format!("{BASE}/Users/{}", edge.user("ida@corp.example").await);
    let bearer = format!("Bearer {}", edge.token);
    let body = patch(json!([{"op": "replace", "path": "title", "value": "Cook"}])).unwrap().to_string();
    let send = async |method: &str, header: &str, tag: &str| {
        edge.send(method, &path, &[("authorization", &bearer), (header, tag)], body.clone()).await
    };
    let same = send("GET", "if-none-match", "W/\"1\"").await;
    assert_eq!((same.status.as_u16(), same.text.as_str(), same.header("etag")), (304, "", "W/\"1\""));
    send("PATCH", "if-match", "W/\"7\"").await.is_error(412);
    send("DELETE", "if-match", "\"7\"").await.is_error(412);
    send("PATCH", "if-match", "nonsense").await.is_error(400);
    send("PATCH", "if-match", "\"ü\"").await.is_error(412);
    send("PATCH", "if-match", "ü").await.is_error(400);
    let done = send("PATCH", "if-match", "W/\"1\"").await;
    assert_eq!((done.status.as_u16(), done.header("etag")), (200, "W/\"2\""));
    assert_eq!(send("GET", "if-none-match", "W/\"1\"").await.status, 200);
    assert_eq!(
        send("PATCH", "if-match", "*").await.header("etag"),
        "W/\"2\"",
        "the wished state holds already"
    );
}

#[tokio::test]
async fn a_flag_that_sticks_to_the_tenant_url_is_no_hindrance() {
    let edge = Edge::new().await;
    let id = edge.user("ida@corp.example").await;
    for path in [
        "/Users?aadOptscim062020&filter=userName+eq+%22ida@corp.example%22".to_owned(),
        "?aadOptscim062020/Users?filter=userName+eq+%22ida@corp.example%22".to_owned(),
        "/?aadOptscim062020/Users&filter=userName+eq+%22ida@corp.example%22".to_owned(),
        "/aadOptscim062020/Users/?filter=userName+eq+%22ida@corp.example%22".to_owned(),
    ] {
        let found = edge.ask("GET", &path, None).await;
        assert_eq!((found.status.as_u16(), &found.json()["Resources"][0]["id"]), (200, &json!(id)), "{path}");
    }
    let one = edge.ask("GET", &format!("?aadOptscim062020/Users/{id}"), None).await;
    assert_eq!((one.status.as_u16(), &one.json()["id"]), (200, &json!(id)));
}

#[tokio::test]
async fn a_head_is_a_get_without_the_body() {
    let edge = Edge::new().await;
    let head = edge.ask(Method::HEAD.as_str(), "/Users", None).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    let path = format!("/Users/{}", edge.user("ida@corp.example").await);
    let (get, head) = (edge.ask("GET", &path, None).await, edge.ask("HEAD", &path, None).await);
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(edge.ask("HEAD", "/Users/nobody", None).await.status, 404);
}

#[tokio::test]
async fn an_id_is_the_same_however_it_is_escaped_and_none_that_it_isnt() {
    let edge = Edge::new().await;
    let id = edge.user("ida@corp.example").await;
    let escaped: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(edge.ask("GET", &format!("/Users/{escaped}"), None).await.json()["id"], json!(id));
    let urn = "urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Acore%3A2.0%3AUser";
    assert_eq!(edge.ask("GET", &format!("/Schemas/{urn}"), None).await.status, 200);
    let (upper, bare) = (id.to_uppercase(), id.replace('-', ""));
    for other in [&upper, &bare, &format!("%7B{id}%7D"), &format!("urn:uuid:{id}"), &format!("{id}%00")] {
        edge.ask("GET", &format!("/Users/{other}"), None).await.is_error(404);
    }
}
