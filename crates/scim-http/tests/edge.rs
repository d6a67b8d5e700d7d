//! The edge: routes, headers, media types and errors, on the real services over SQLite.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use latchkey_access::Role;
use latchkey_engine::flights::{self, FlightFilter};
use latchkey_engine::members::NewMember;
use latchkey_engine::{Caller, Engine, tokens, workspaces};
use latchkey_kernel::{Entropy, ManualClock, SeededEntropy, Timestamp};
use latchkey_scim_http::{BASE, router, routes};
use latchkey_store::{Options, Store};
use latchkey_vault::KeyRing;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tower::ServiceExt;

struct Edge {
    router: Router,
    engine: Engine,
    by: Caller,
    token: String,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is no JSON", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn is_error(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/scim+json");
        let body = self.json();
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], json!(status.to_string()));
        assert!(!body["detail"].as_str().unwrap().is_empty());
        body
    }
}

impl Edge {
    async fn new() -> Self {
        Self::with_limit(None).await
    }

    async fn with_limit(rate_limit: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-02T09:00:00Z").unwrap()));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(5));
        let store = Store::open_sqlite(folder.path().join("latchkey.db"), Options::default()).unwrap();
        let engine = Engine::new(store, KeyRing::ephemeral(&*entropy), clock, entropy);
        let owner = NewMember {
            user_name: "olga@corp.example".to_owned(),
            display_name: None,
            work_email: None,
            role: Role::Owner,
        };
        let (workspace, _) =
            workspaces::create(&engine, "Acme", &owner, engine.fresh_request_id()).await.unwrap();
        let by = Caller::operator(workspace.id, engine.fresh_request_id());
        let issued = tokens::create_scim(&engine, &by, "Entra", rate_limit).await.unwrap();
        let token = issued.text.expose_secret().to_owned();
        let router = router(engine.clone(), "https://id.corp.example/".into());
        Self { router, engine, by, token, _folder: folder }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// With the token, below the base.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/scim+json"),
            ("host", "evil.example"),
        ];
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(method, &format!("{BASE}{path}"), &headers, body).await
    }

    async fn user(&self, name: &str) -> String {
        let made = self.ask("POST", "/Users", Some(user(name))).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["id"].as_str().unwrap().to_owned()
    }
}

fn user(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "externalId": name,
        "name": {"givenName": "Ida", "familyName": "Holm"}, "emails": [{"type": "work", "value": name}]})
}

fn patch(operations: Value) -> Option<Value> {
    Some(json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}))
}

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
