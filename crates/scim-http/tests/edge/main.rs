//! The edge: routes, headers, media types and errors, on the real services over SQLite.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod protocol;
mod resources;
mod round_trips;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use latchkey_access::Role;
use latchkey_engine::members::NewMember;
use latchkey_engine::{Caller, Engine, tokens, workspaces};
use latchkey_kernel::{Entropy, ManualClock, SeededEntropy, Timestamp};
use latchkey_scim_http::{BASE, router};
use latchkey_store::{Options, Store};
use latchkey_testkit::postgres::Database;
use latchkey_vault::{KeyRing, Keys};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tower::ServiceExt;

struct Edge {
    router: Router,
    engine: Engine,
    by: Caller,
    token: String,
    clock: Arc<ManualClock>,
    _place: Place,
}

/// Where the database is, kept until the test is over.
enum Place {
    Folder(#[expect(dead_code, reason = "held, not read")] tempfile::TempDir),
    Database(#[expect(dead_code, reason = "held, not read")] Database),
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
        let store = Store::open_sqlite(folder.path().join("latchkey.db"), Options::default()).unwrap();
        Self::on(store, Place::Folder(folder), rate_limit).await
    }

    async fn on_postgres() -> Self {
        let database = Database::create().await;
        let store = Store::connect_postgres(database.url(), Options::default()).await.unwrap();
        Self::on(store, Place::Database(database), None).await
    }

    async fn on(store: Store, place: Place, rate_limit: Option<u32>) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-02T09:00:00Z").unwrap()));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(5));
        let engine = Engine::new(
            store,
            KeyRing::ephemeral(&*entropy),
            Keys::ephemeral(&*entropy).0,
            clock.clone(),
            entropy,
        );
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
        Self { router, engine, by, token, clock, _place: place }
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
