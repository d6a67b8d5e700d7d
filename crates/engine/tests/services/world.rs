//! An engine on a database of its own: a file of SQLite, or a database of a PostgreSQL server.

use std::sync::Arc;

use latchkey_access::{Role, Workspace};
use latchkey_engine::directory::{Directory, UserAnswer};
use latchkey_engine::members::NewMember;
use latchkey_engine::{Caller, Engine, tokens, workspaces};
use latchkey_kernel::id::{MemberId, TokenId};
use latchkey_kernel::{Entropy, ManualClock, SeededEntropy, Timestamp};
use latchkey_scim::Limits;
use latchkey_scim::etag::Preconditions;
use latchkey_scim::json::Json;
use latchkey_store::{Options, Store};
use latchkey_testkit::postgres::Database;
use latchkey_vault::KeyRing;
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) workspace: Workspace,
    pub(crate) owner: MemberId,
    pub(crate) token_id: TokenId,
    /// Kept until the test is over.
    _place: Place,
}

enum Place {
    Folder(#[expect(dead_code, reason = "held, not read")] tempfile::TempDir),
    Database(#[expect(dead_code, reason = "held, not read")] Database),
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path().join("latchkey.db"), Options::default()).unwrap();
        Self::on(store, Place::Folder(folder)).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = Database::create().await;
        let store = Store::connect_postgres(database.url(), Options::default()).await.unwrap();
        Self::on(store, Place::Database(database)).await
    }

    async fn on(store: Store, place: Place) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-02T09:00:00Z").unwrap()));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(5));
        let keys = KeyRing::ephemeral(&*entropy);
        let engine = Engine::new(store, keys, Arc::clone(&clock) as _, entropy);
        let owner = NewMember {
            user_name: "olga@corp.example".to_owned(),
            display_name: Some("Olga Owner".to_owned()),
            work_email: Some("olga@corp.example".to_owned()),
            role: Role::Owner,
        };
        let (workspace, owner) =
            workspaces::create(&engine, "Acme", &owner, engine.fresh_request_id()).await.unwrap();
        let operator = Caller::operator(workspace.id, engine.fresh_request_id());
        let token = tokens::create_scim(&engine, &operator, "Entra", None).await.unwrap();
        Self { engine, clock, workspace, owner: owner.id, token_id: token.token.id, _place: place }
    }

    /// Somebody with everything.
    pub(crate) fn operator(&self) -> Caller {
        Caller::operator(self.workspace.id, self.engine.fresh_request_id())
    }

    /// A directory's request.
    pub(crate) fn directory(&self) -> Directory<'_> {
        Directory::new(&self.engine, self.workspace.id, self.token_id, self.engine.fresh_request_id())
    }

    pub(crate) async fn user(&self, name: &str) -> UserAnswer {
        self.clock.advance(std::time::Duration::from_millis(1));
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("{name}@corp.example"),
            "externalId": format!("ext-{name}"),
            "name": {"givenName": name, "familyName": "Holm"},
            "emails": [{"type": "work", "value": format!("{name}@corp.example")}, {"type": "home", "value": format!("{name}@home.example")}],
            "active": true,
        });
        self.directory().user_create(&Json::from(body), &Limits::default()).await.unwrap().value
    }

    pub(crate) async fn patch_user(
        &self,
        id: MemberId,
        operations: Value,
    ) -> latchkey_engine::directory::Done<UserAnswer> {
        self.directory()
            .user_patch(&id.to_string(), &patch(operations), &Preconditions::default(), &Limits::default())
            .await
            .unwrap()
    }

    pub(crate) async fn set_active(
        &self,
        id: MemberId,
        active: bool,
    ) -> latchkey_engine::directory::Done<UserAnswer> {
        self.clock.advance(std::time::Duration::from_secs(1));
        self.patch_user(id, json!([{"op": "replace", "path": "active", "value": active}])).await
    }
}

pub(crate) fn patch(operations: Value) -> Json {
    Json::from(
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}),
    )
}
