//! An engine whose connectors go to a fake target.

use std::sync::Arc;
use std::time::Duration;

use latchkey_access::account::{OffboardingRotation, Sensitivity};
use latchkey_access::exposure::ExposureKind;
use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::rotation::{Connector, ManualTask, RotationMode, TaskState};
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_access::{Account, Role, Workspace};
use latchkey_engine::accounts::NewAccount;
use latchkey_engine::members::NewMember;
use latchkey_engine::rotations::connectors::{NewConnector, NewSetting};
use latchkey_engine::rotations::{self, Hands, Limits, RotationView, connectors, tasks};
use latchkey_engine::secrets::{self, NewSecret, Slot, Value as Plain};
use latchkey_engine::{
    AuditFilter, Caller, Engine, OutboxFilter, accounts, exposures, members, outbox, workspaces,
};
use latchkey_kernel::id::{AccountId, MemberId};
use latchkey_kernel::{Entropy, ManualClock, SeededEntropy, Timestamp};
use latchkey_rotation::Schedule;
use latchkey_store::rotation::RotationFilter;
use latchkey_store::{Options, Store};
use latchkey_testkit::postgres::Database;
use latchkey_vault::{KeyRing, Keys};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::fake::Fake;

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) workspace: Workspace,
    pub(crate) fake: Fake,
    pub(crate) hands: Hands,
    pub(crate) connector: Connector,
    /// Kept until the test is over.
    _place: Place,
}

enum Place {
    Folder(#[expect(dead_code, reason = "held, not read")] tempfile::TempDir),
    Database(#[expect(dead_code, reason = "held, not read")] Database),
}

pub(crate) const OLD: &str = "correct horse battery staple";

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
        let fake = Fake::default();
        let engine = Engine::new(store, keys, key_source, Arc::clone(&clock) as _, entropy);
        let engine = engine.with_targets(Arc::new(fake.clone()));
        let owner = NewMember {
            user_name: "olga@corp.example".to_owned(),
            display_name: None,
            work_email: None,
            role: Role::Owner,
        };
        let (workspace, _) =
            workspaces::create(&engine, "Acme", &owner, engine.fresh_request_id()).await.unwrap();
        let operator = Caller::operator(workspace.id, engine.fresh_request_id());
        let new = NewConnector {
            name: "fake".to_owned(),
            kind: "fake".to_owned(),
            config: json!({ "host": "fake.example", "needs_admin": true }),
            limits: Limits { failed_login_every_seconds: Some(1_800), ..Limits::default() },
            admin: Some(SecretString::from("admin canary")),
            at_once: Some(4),
        };
        let connector = connectors::add(&engine, &operator, &new).await.unwrap();
        Self { engine, clock, workspace, fake, hands: Hands::of_server(), connector, _place: place }
    }

    pub(crate) fn operator(&self) -> Caller {
        Caller::operator(self.workspace.id, self.engine.fresh_request_id())
    }

    pub(crate) async fn member(&self, name: &str) -> MemberId {
        let new = NewMember {
            user_name: format!("{name}@corp.example"),
            display_name: None,
            work_email: None,
            role: Role::SuperAdmin,
        };
        members::add(&self.engine, &self.operator(), &new).await.unwrap().id
    }

    /// An account whose password is in the vault and at the target, known to this member.
    pub(crate) async fn account(
        &self,
        login: &str,
        sensitivity: Sensitivity,
        knows: Option<MemberId>,
    ) -> Account {
        let by = self.operator();
        let new = NewAccount {
            name: login.to_owned(),
            app: "Fake".to_owned(),
            url: None,
            username: Some(login.to_owned()),
            sensitivity,
            offboarding_rotation: OffboardingRotation::Auto,
            collection_id: None,
            owner_id: None,
            successor_id: None,
        };
        let account = accounts::create(&self.engine, &by, &new).await.unwrap();
        let password = NewSecret {
            kind: SecretKind::Password,
            label: "Password".to_owned(),
            value: Plain::from(&SecretString::from(OLD.to_owned() + login)),
            known_by: ExposureKind::Creator,
        };
        secrets::add(&self.engine, &by, account.id, password).await.unwrap();
        self.fake.has(login, &(OLD.to_owned() + login));
        if let Some(member) = knows {
            exposures::record(&self.engine, &by, account.id, member).await.unwrap();
        }
        account
    }

    /// The same, rotated by the fake connector.
    pub(crate) async fn connected(
        &self,
        login: &str,
        sensitivity: Sensitivity,
        knows: Option<MemberId>,
    ) -> Account {
        let account = self.account(login, sensitivity, knows).await;
        self.set(account.id, RotationMode::Automatic, Schedule::default()).await;
        account
    }

    pub(crate) async fn set(&self, account: AccountId, mode: RotationMode, schedule: Schedule) {
        let new = NewSetting { connector_id: Some(self.connector.id), mode, login: None, schedule };
        connectors::set(&self.engine, &self.operator(), account, &new).await.unwrap();
    }

    pub(crate) async fn leaves(&self, member: MemberId) {
        self.pass(1);
        members::deactivate(&self.engine, &self.operator(), member).await.unwrap();
    }

    /// Works until nothing is due, then lets time pass until the next is, and so on until nothing waits.
    pub(crate) async fn settle(&self) {
        for _ in 0..500 {
            rotations::work_off(&self.engine, &self.hands).await.unwrap();
            let Some(due) = self.engine.store().rotation_next_due().await.unwrap() else { return };
            let now = self.engine.now();
            self.clock.advance(due.since(now).max(Duration::from_secs(1)));
        }
        panic!("it never settles");
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn rotations(&self, account: AccountId) -> Vec<RotationView> {
        let filter = RotationFilter { account: Some(account), ..RotationFilter::default() };
        let listed = rotations::list(&self.engine, &self.operator(), filter, 100).await.unwrap();
        let mut views = Vec::new();
        for (row, _) in listed {
            views.push(rotations::get(&self.engine, &self.operator(), row.id).await.unwrap());
        }
        views
    }

    pub(crate) async fn tasks(&self) -> Vec<ManualTask> {
        tasks::list(&self.engine, &self.operator(), TaskState::Open, None, 100).await.unwrap()
    }

    /// What the vault calls the account's password.
    pub(crate) async fn vaulted(&self, account: AccountId) -> String {
        let slot = Slot::Password(account);
        let current = secrets::open_current(&self.engine, self.workspace.id, slot).await.unwrap().unwrap();
        current.1.expose_secret().to_owned()
    }

    /// Every value that the vault holds for the account.
    pub(crate) async fn held(&self, account: AccountId) -> Vec<(VersionState, String)> {
        let mut held = Vec::new();
        for view in secrets::list(&self.engine, &self.operator(), account).await.unwrap() {
            for version in view.versions {
                let slot = Slot::Password(account);
                let plain =
                    secrets::open_version(&self.engine, self.workspace.id, slot, version.version).await;
                held.push((version.state, plain.unwrap().expose_secret().to_owned()));
            }
        }
        held
    }

    pub(crate) async fn waiting_events(&self) -> usize {
        let filter = OutboxFilter { kind: Some(EffectKind::Rotation), state: Some(EffectState::Ready) };
        outbox::list(&self.engine, &self.operator(), filter, None, 100).await.unwrap().len()
    }

    pub(crate) async fn notices(&self) -> Vec<String> {
        let filter = OutboxFilter { kind: Some(EffectKind::Notice), state: None };
        let all = outbox::list(&self.engine, &self.operator(), filter, None, 100).await.unwrap();
        all.iter().filter_map(|event| event.payload["notice"].as_str().map(str::to_owned)).collect()
    }

    pub(crate) async fn audited(&self, account: AccountId) -> Vec<String> {
        let filter =
            AuditFilter { target_id: Some(account.to_string()), limit: 100, ..AuditFilter::default() };
        let page = self.engine.store().audit_page(self.workspace.id, filter).await.unwrap();
        let mut actions: Vec<_> = page.into_iter().map(|entry| (entry.id, entry.action.clone())).collect();
        actions.sort();
        actions.into_iter().map(|(_, action)| action).collect()
    }
}
