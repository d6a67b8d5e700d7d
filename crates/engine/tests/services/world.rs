//! An engine on a database of its own: a file of SQLite, or a database of a PostgreSQL server.

use std::sync::Arc;

use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::grant::GrantObject;
use latchkey_access::grants::Wish;
use latchkey_access::secret::SecretKind;
use latchkey_access::token::TokenKind;
use latchkey_access::{Account, OffboardingRotation, Permission, Role, Scope, Sensitivity, Workspace};
use latchkey_engine::accounts::NewAccount;
use latchkey_engine::directory::{Directory, UserAnswer};
use latchkey_engine::members::NewMember;
use latchkey_engine::secrets::{NewSecret, SecretView, Value as Plain};
use latchkey_engine::{AuditFilter, Caller, Engine, accounts, grants, secrets, tokens, workspaces};
use latchkey_kernel::id::{AccountId, MemberId, TokenId};
use latchkey_kernel::{Entropy, ManualClock, SeededEntropy, Timestamp};
use latchkey_scim::Limits;
use latchkey_scim::etag::Preconditions;
use latchkey_scim::json::Json;
use latchkey_store::{Options, Store};
use latchkey_testkit::postgres::Database;
use latchkey_vault::{KeyRing, Keys};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) workspace: Workspace,
    pub(crate) owner: MemberId,
    pub(crate) token_id: TokenId,
    place: Place,
    node: Node,
}

enum Place {
    Folder(tempfile::TempDir),
    Database(Database),
}

/// What another node of the installation is made with.
struct Node {
    keys: KeyRing,
    key_source: Keys,
    entropy: Arc<dyn Entropy>,
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
        let (key_source, _) = Keys::ephemeral(&*entropy);
        let engine = Engine::new(
            store.clone(),
            keys.clone(),
            key_source.clone(),
            Arc::clone(&clock) as _,
            Arc::clone(&entropy),
        );
        let node = Node { keys, key_source, entropy };
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
        Self { engine, clock, workspace, owner: owner.id, token_id: token.token.id, place, node }
    }

    /// Another node on the same database, which has unwrapped no key yet.
    pub(crate) async fn another(&self) -> Engine {
        let store = match &self.place {
            Place::Folder(folder) => {
                Store::open_sqlite(folder.path().join("latchkey.db"), Options::default()).unwrap()
            }
            Place::Database(database) => {
                Store::connect_postgres(database.url(), Options::default()).await.unwrap()
            }
        };
        let Node { keys, key_source, entropy } = &self.node;
        let clock = Arc::clone(&self.clock) as _;
        Engine::new(store, keys.clone(), key_source.clone(), clock, Arc::clone(entropy))
    }

    /// Runs SQL by hand, as somebody with a shell on the host could.
    pub(crate) async fn by_hand(&self, sql: &str) {
        match &self.place {
            Place::Folder(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("latchkey.db")).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Place::Database(database) => {
                let client = latchkey_testkit::postgres::connect(database.url()).await.unwrap();
                client.batch_execute(sql).await.unwrap();
            }
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Database(_))
    }

    /// An id as this database writes it.
    pub(crate) fn literal(&self, id: uuid::Uuid) -> String {
        if self.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    }

    /// Somebody with everything.
    pub(crate) fn operator(&self) -> Caller {
        Caller::operator(self.workspace.id, self.engine.fresh_request_id())
    }

    /// A member's program, with every scope that their role may hold.
    pub(crate) async fn program(&self, member: MemberId) -> Caller {
        let scopes = [Scope::SelfRead, Scope::SecretsUse, Scope::SecretsWrite];
        let issued =
            tokens::create_api(&self.engine, &self.operator(), member, "x", &scopes, None).await.unwrap();
        let login = tokens::authenticate(&self.engine, TokenKind::Api, issued.text.expose_secret());
        Caller::of_login(&login.await.unwrap().unwrap(), self.engine.fresh_request_id()).unwrap()
    }

    /// Somebody new who has this on an account.
    pub(crate) async fn holder(&self, name: &str, account: AccountId, permission: Permission) -> Caller {
        let member = self.user(name).await.member.id;
        self.give(member, account, permission).await;
        self.program(member).await
    }

    pub(crate) async fn give(&self, member: MemberId, account: AccountId, permission: Permission) {
        let object = GrantObject::Account(account);
        let wish = Wish { object, permission, starts_at: None, ends_at: None, reason: None };
        grants::give(&self.engine, &self.operator(), grants::To::Member(member), &wish).await.unwrap();
    }

    pub(crate) fn new_account(name: &str) -> NewAccount {
        NewAccount {
            name: name.to_owned(),
            app: "Instagram".to_owned(),
            url: None,
            username: None,
            sensitivity: Sensitivity::Standard,
            offboarding_rotation: OffboardingRotation::Auto,
            collection_id: None,
            owner_id: None,
            successor_id: None,
        }
    }

    pub(crate) async fn account(&self, name: &str) -> Account {
        accounts::create(&self.engine, &self.operator(), &Self::new_account(name)).await.unwrap()
    }

    /// A secret that the operator stores.
    pub(crate) async fn secret(&self, account: AccountId, kind: SecretKind, text: &str) -> SecretView {
        let value = plain(text);
        let new = NewSecret { kind, label: kind.to_string(), value, known_by: ExposureKind::Creator };
        secrets::add(&self.engine, &self.operator(), account, &new, Client::Cli).await.unwrap()
    }

    pub(crate) async fn audited(&self, action: &str) -> usize {
        let filter =
            AuditFilter { action: Some(action.to_owned()), target_id: None, after: None, limit: 500 };
        self.engine.store().audit_page(self.workspace.id, filter).await.unwrap().len()
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

pub(crate) fn plain(text: &str) -> Plain {
    Plain::from(&SecretString::from(text))
}

pub(crate) fn patch(operations: Value) -> Json {
    Json::from(
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}),
    )
}
