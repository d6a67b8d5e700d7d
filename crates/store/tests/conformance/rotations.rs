//! Connectors, rotations and tasks: what is taken once, who has a rotation in hand, and when a case closes.

use std::time::Duration;

use latchkey_access::member::Version;
use latchkey_access::offboarding::CaseState;
use latchkey_access::outbox::EffectState;
use latchkey_access::rotation::{
    AccountRotation, Connector, Dependent, ManualTask, RotationMode, RotationPicture, RotationRow,
    RotationStep, TaskState,
};
use latchkey_access::secret::KeyRow;
use latchkey_access::{Account, Change, RotationChange};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{ConnectorId, DependentId, RotationId, TaskId};
use latchkey_store::rotation::RotationFilter;
use latchkey_store::{Conflict, UniqueKey};
use serde_json::json;

use crate::on_both;
use crate::world::World;

impl World {
    fn connector_row(&self, name: &str, at_once: i64) -> Connector {
        let now = self.now();
        Connector {
            workspace_id: self.ws,
            id: self.id(ConnectorId::fresh),
            name: name.to_owned(),
            kind: "postgres".to_owned(),
            host: "db.corp.example".to_owned(),
            config: json!({ "port": 5432 }),
            limits: json!({}),
            sealed_admin: None,
            admin_key: None,
            at_once,
            paused: None,
            version: Version::FIRST,
            created_at: now,
            modified_at: now,
        }
    }

    async fn connector(&self, name: &str, at_once: i64) -> Connector {
        let row = self.connector_row(name, at_once);
        self.commit(RotationChange::ConnectorInsert(row.clone()).into()).await.unwrap();
        row
    }

    fn rotation_row(&self, account: &Account, cause: &str, connector: Option<&Connector>) -> RotationRow {
        let now = self.now();
        RotationRow {
            workspace_id: self.ws,
            id: self.id(RotationId::fresh),
            account_id: account.id,
            connector_id: connector.map(|row| row.id),
            case_id: None,
            reason: "request".to_owned(),
            cause: cause.to_owned(),
            priority: 10,
            state: "planned".to_owned(),
            over: false,
            run_after: Some(now),
            body: json!({ "state": "planned" }),
            version: Version::FIRST,
            planned_at: now,
            ended_at: None,
        }
    }

    fn key_row(&self, number: i64) -> KeyRow {
        KeyRow {
            workspace_id: self.ws,
            number,
            kek_id: "file".to_owned(),
            primary: vec![1],
            recovery: vec![2],
            created_at: self.now(),
            retired_at: None,
        }
    }

    fn task_row(&self, rotation: &RotationRow, kind: &str) -> ManualTask {
        let now = self.now();
        ManualTask {
            workspace_id: self.ws,
            id: self.id(TaskId::fresh),
            account_id: rotation.account_id,
            rotation_id: rotation.id,
            kind: kind.to_owned(),
            state: TaskState::Open,
            checklist: json!(["Open the page"]),
            assignee_id: None,
            evidence: json!([]),
            reminded: 0,
            opened_at: now,
            due_at: now.plus(Duration::from_secs(100)),
            closed_at: None,
            version: Version::FIRST,
        }
    }

    async fn rotate(&self, change: RotationChange) -> Result<(), Conflict> {
        self.commit(change.into()).await
    }
}

fn ended(row: &RotationRow, at: Timestamp) -> RotationChange {
    let rotation = RotationRow {
        state: "done".to_owned(),
        over: true,
        run_after: None,
        ended_at: Some(at),
        version: row.version.next(),
        ..row.clone()
    };
    RotationChange::JobUpdate { rotation, expect: row.version, leased_until: None }
}

on_both! {
    async fn a_connector_is_named_once_and_stays_while_an_account_has_it(world: World) {
        let connector = world.connector("main", 2).await;
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(store.connector_get(ws, connector.id).await.unwrap(), Some(connector.clone()));
        let same_name = RotationChange::ConnectorInsert(world.connector_row("main", 2));
        assert_eq!(world.rotate(same_name).await, Err(Conflict::Unique(UniqueKey::ConnectorName)));
        let account = world.account("x", |_| {}).await;
        let setting = AccountRotation {
            account_id: account.id,
            connector_id: Some(connector.id),
            mode: RotationMode::Automatic,
            login: Some("app".to_owned()),
            schedule: json!({ "every_days": 30 }),
            rotates_at: Some(world.now()),
            verifies_at: None,
            version: Version::FIRST,
        };
        let set = |rotation: AccountRotation, expect| RotationChange::SettingSet { rotation, expect };
        let nowhere = AccountRotation { connector_id: Some(world.id(ConnectorId::fresh)), ..setting.clone() };
        assert!(matches!(world.rotate(set(nowhere, None)).await, Err(Conflict::Missing { .. })));
        world.rotate(set(setting.clone(), None)).await.unwrap();
        assert!(matches!(world.rotate(set(setting.clone(), None)).await, Err(Conflict::Moved { .. })), "it is there");
        assert_eq!(store.account_rotation(ws, account.id).await.unwrap(), Some(setting.clone()));
        let due = store.account_rotations_due(world.now(), 10).await.unwrap();
        assert_eq!(due, [(ws, setting.clone())]);
        let later = world.now().plus(Duration::from_secs(60));
        let put_off = RotationChange::SettingDue { account_id: account.id, rotates_at: Some(later), verifies_at: None };
        world.rotate(put_off).await.unwrap();
        assert_eq!(store.account_rotations_due(world.now(), 10).await.unwrap(), []);
        let delete = |expect| RotationChange::ConnectorDelete { connector_id: connector.id, expect };
        assert_eq!(world.rotate(delete(Version(7))).await, Err(Conflict::Moved { what: "connector" }));
        assert_eq!(world.rotate(delete(connector.version)).await, Err(Conflict::InUse { what: "connector" }));
        assert_eq!(store.connector_accounts(ws, connector.id).await.unwrap(), 1);
        let freed = AccountRotation { connector_id: None, version: Version(2), ..setting };
        world.rotate(set(freed, Some(Version::FIRST))).await.unwrap();
        let pause = |reason: &str| RotationChange::ConnectorPause {
            connector_id: connector.id,
            reason: reason.to_owned(),
            at: connector.created_at,
        };
        world.commit_all([pause("first").into(), pause("second").into()]).await.unwrap();
        let paused = store.connector_list(ws).await.unwrap();
        assert_eq!((paused[0].paused.as_deref(), paused[0].version), (Some("first"), Version(2)));
        world.rotate(delete(Version(2))).await.unwrap();
        assert_eq!(store.connector_list(ws).await.unwrap(), []);
    }

    async fn a_key_is_not_retired_while_a_credential_is_sealed_under_it(world: World) {
        let sealed = |name, number| {
            let row = world.connector_row(name, 1);
            Connector { sealed_admin: Some(vec![1, 2, 3]), admin_key: Some(number), ..row }
        };
        let early = RotationChange::ConnectorInsert(sealed("early", 1));
        assert!(matches!(world.rotate(early).await, Err(Conflict::Moved { .. })), "there is no such key");
        for number in [1, 2] {
            world.commit(Change::KeyInsert(world.key_row(number))).await.unwrap();
        }
        let row = sealed("main", 1);
        world.rotate(RotationChange::ConnectorInsert(row.clone())).await.unwrap();
        assert_eq!(world.store.connector_get(world.ws, row.id).await.unwrap(), Some(row.clone()));
        let retire = || Change::KeyRetire { number: 1, at: row.created_at };
        assert!(matches!(world.commit(retire()).await, Err(Conflict::Moved { .. })));
        let anew = Connector { admin_key: Some(2), version: Version(2), ..row.clone() };
        let update = RotationChange::ConnectorUpdate { connector: anew, expect: row.version };
        world.rotate(update).await.unwrap();
        world.commit(retire()).await.unwrap();
        let late = RotationChange::ConnectorInsert(sealed("late", 1));
        assert!(matches!(world.rotate(late).await, Err(Conflict::Moved { .. })), "it seals nothing any more");
    }

    async fn a_rotation_keeps_its_newest_pictures_and_the_key_under_them(world: World) {
        let account = world.account("x", |_| {}).await;
        let row = world.rotation_row(&account, "c", None);
        world.rotate(RotationChange::JobInsert(row.clone())).await.unwrap();
        let picture = |number, key_number| RotationPicture {
            rotation_id: row.id,
            number,
            at: row.planned_at,
            media_type: "image/png".to_owned(),
            key_number,
            sealed: vec![7; 9],
        };
        let early = RotationChange::PictureInsert(picture(1, 1));
        assert!(matches!(world.rotate(early).await, Err(Conflict::Moved { .. })), "there is no such key");
        for number in [1, 2] {
            world.commit(Change::KeyInsert(world.key_row(number))).await.unwrap();
        }
        for number in 1..=4 {
            let trim = RotationChange::PicturesTrim { rotation_id: row.id, keep: 2 };
            let insert = RotationChange::PictureInsert(picture(number, 1));
            world.commit_all([insert.into(), trim.into()]).await.unwrap();
        }
        let store = &world.store;
        let kept = store.rotation_pictures(world.ws, row.id).await.unwrap();
        assert_eq!(kept.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(store.rotation_picture(world.ws, row.id, 4).await.unwrap(), Some(picture(4, 1)));
        let retire = || Change::KeyRetire { number: 1, at: row.planned_at };
        assert!(matches!(world.commit(retire()).await, Err(Conflict::Moved { .. })), "pictures are under it");
        let mut after = None;
        for number in [3, 4] {
            let next = store.pictures_under_key(world.ws, 1, after, 1).await.unwrap();
            assert_eq!(next, [picture(number, 1)]);
            after = Some((row.id, number));
            let reseal = |from| RotationChange::PictureReseal {
                rotation_id: row.id,
                number,
                from,
                to: 2,
                sealed: vec![8],
            };
            assert!(matches!(world.rotate(reseal(2)).await, Err(Conflict::Moved { .. })));
            world.rotate(reseal(1)).await.unwrap();
        }
        world.commit(retire()).await.unwrap();
        world.rotate(RotationChange::PicturesDelete { rotation_id: row.id }).await.unwrap();
        assert_eq!(store.rotation_pictures(world.ws, row.id).await.unwrap(), []);
    }

    async fn v4_an_account_has_one_rotation_under_way_and_a_cause_has_one_ever(world: World) {
        let account = world.account("x", |_| {}).await;
        let first = world.rotation_row(&account, "cause 1", None);
        world.rotate(RotationChange::JobInsert(first.clone())).await.unwrap();
        let second = world.rotation_row(&account, "cause 2", None);
        let refused = world.rotate(RotationChange::JobInsert(second.clone())).await;
        assert_eq!(refused, Err(Conflict::Unique(UniqueKey::RotationOfAccount)));
        assert_eq!(world.store.rotation_under_way(world.ws, account.id).await.unwrap(), Some(first.clone()));
        world.rotate(ended(&first, world.now())).await.unwrap();
        assert_eq!(world.store.rotation_under_way(world.ws, account.id).await.unwrap(), None);
        let again = world.rotation_row(&account, "cause 1", None);
        let refused = world.rotate(RotationChange::JobInsert(again)).await;
        assert_eq!(refused, Err(Conflict::Unique(UniqueKey::RotationCause)));
        world.rotate(RotationChange::JobInsert(second.clone())).await.unwrap();
        let of_account = world.store.rotations_of_account(world.ws, account.id, 10).await.unwrap();
        assert_eq!(of_account.iter().map(|row| row.cause.as_str()).collect::<Vec<_>>(), ["cause 2", "cause 1"]);
        let open = RotationFilter { over: Some(false), account: Some(account.id), after: None };
        assert_eq!(world.store.rotation_page(world.ws, open, 10).await.unwrap(), [second]);
        let found = world.store.rotation_of_cause(world.ws, "cause 1").await.unwrap();
        assert_eq!(found.map(|row| row.id), Some(first.id));
    }

    async fn v4_who_has_lost_a_rotation_writes_nothing(world: World) {
        let account = world.account("x", |_| {}).await;
        let row = world.rotation_row(&account, "c", None);
        world.rotate(RotationChange::JobInsert(row.clone())).await.unwrap();
        let (store, now) = (&world.store, world.now());
        let until = now.plus(Duration::from_secs(30));
        let one = store.rotation_take(now, until, "one").await.unwrap().unwrap();
        assert_eq!(one.version, Version(2));
        assert_eq!(store.rotation_take(now, until, "two").await.unwrap(), None, "it is in one's hands");
        assert!(store.rotation_renew((world.ws, row.id), one.version, until.plus(Duration::from_secs(9))).await.unwrap());
        assert_eq!(store.rotation_take(until, until, "two").await.unwrap(), None, "and for longer");
        let late = until.plus(Duration::from_secs(9));
        let two = store.rotation_take(late, late.plus(Duration::from_secs(30)), "two").await.unwrap().unwrap();
        assert!(!store.rotation_renew((world.ws, row.id), one.version, late).await.unwrap());
        assert_eq!(world.rotate(ended(&one, late)).await, Err(Conflict::Moved { what: "rotation" }));
        let step = |number| RotationChange::StepInsert(RotationStep {
            rotation_id: row.id,
            number,
            at: late,
            act: "change".to_owned(),
            outcome: "works".to_owned(),
            state: "done".to_owned(),
            micros: 12,
        });
        world.commit_all([ended(&two, late).into(), step(3).into()]).await.unwrap();
        assert_eq!(world.rotate(step(3)).await, Err(Conflict::Unique(UniqueKey::Id)));
        assert_eq!(store.rotation_steps(world.ws, row.id).await.unwrap().len(), 1);
        assert_eq!(store.rotation_take(late, late, "one").await.unwrap(), None, "it is over");
        assert_eq!(store.rotation_next_due().await.unwrap(), None);
    }

    async fn a_connector_gets_as_many_at_once_as_it_may_and_the_urgent_first(world: World) {
        let (busy, free) = (world.connector("busy", 2).await, world.connector("free", 1).await);
        let mut rows = Vec::new();
        for (n, connector) in [Some(&busy), Some(&busy), Some(&busy), Some(&free), None].into_iter().enumerate() {
            let account = world.account(&format!("a{n}"), |_| {}).await;
            let mut row = world.rotation_row(&account, &format!("c{n}"), connector);
            row.priority = i64::try_from(n).unwrap();
            world.rotate(RotationChange::JobInsert(row.clone())).await.unwrap();
            rows.push(row);
        }
        let (store, now) = (&world.store, world.now());
        let until = now.plus(Duration::from_secs(30));
        let mut taken = Vec::new();
        while let Some(row) = store.rotation_take(now, until, "server").await.unwrap() {
            taken.push(row);
        }
        let ids: Vec<_> = taken.iter().map(|row| row.id).collect();
        assert_eq!(ids, [rows[0].id, rows[1].id, rows[3].id, rows[4].id]);
        let long_after = now.plus(Duration::from_secs(999));
        let later = RotationRow { run_after: Some(long_after), version: Version(2), ..rows[2].clone() };
        let put_off = RotationChange::JobUpdate { rotation: later.clone(), expect: Version(1), leased_until: None };
        world.rotate(put_off).await.unwrap();
        world.rotate(RotationChange::JobsWake { connector_id: busy.id, at: now }).await.unwrap();
        let woken = store.rotation_get(world.ws, rows[2].id).await.unwrap().unwrap();
        assert_eq!(woken, RotationRow { run_after: Some(now), ..later });
        assert_eq!(store.rotation_take_this((world.ws, rows[0].id), now, until, "x").await.unwrap(), None);
        world.rotate(ended(&taken[0], now)).await.unwrap();
        assert_eq!(store.rotation_take(now, until, "server").await.unwrap().map(|row| row.id), Some(rows[2].id));
        store.rotation_free("command").await.unwrap();
        assert_eq!(store.rotation_take(now, until, "server").await.unwrap(), None);
        store.rotation_free("server").await.unwrap();
        let again = store.rotation_take_this((world.ws, rows[4].id), now, until, "x").await.unwrap();
        assert_eq!(again.map(|row| row.id), Some(rows[4].id));
    }

    async fn a_rotation_has_one_open_task_and_others_for_dependents(world: World) {
        let account = world.account("x", |_| {}).await;
        let row = world.rotation_row(&account, "c", None);
        world.rotate(RotationChange::JobInsert(row.clone())).await.unwrap();
        let task = world.task_row(&row, "diverged");
        world.rotate(RotationChange::TaskInsert(task.clone())).await.unwrap();
        let second = RotationChange::TaskInsert(world.task_row(&row, "takes_long"));
        assert_eq!(world.rotate(second).await, Err(Conflict::Unique(UniqueKey::TaskOfRotation)));
        let others = [world.task_row(&row, "update_dependent"), world.task_row(&row, "update_dependent")];
        for other in &others {
            world.rotate(RotationChange::TaskInsert(other.clone())).await.unwrap();
        }
        let (store, ws) = (&world.store, world.ws);
        assert_eq!(store.task_open_of(ws, row.id).await.unwrap(), Some(task.clone()));
        assert_eq!(store.tasks_unreminded(task.opened_at.plus(Duration::from_secs(49)), 9).await.unwrap(), []);
        let half = task.opened_at.plus(Duration::from_secs(50));
        assert_eq!(store.tasks_unreminded(half, 9).await.unwrap(), std::slice::from_ref(&task));
        let reminded = ManualTask { reminded: 50, version: Version(2), ..task.clone() };
        let update = RotationChange::TaskUpdate { task: reminded, expect: task.version };
        world.rotate(update.clone()).await.unwrap();
        assert_eq!(world.rotate(update).await, Err(Conflict::Moved { what: "task" }));
        let close = RotationChange::TaskCloseOf { rotation_id: row.id, state: TaskState::Moot, at: half };
        world.rotate(close).await.unwrap();
        let closed = store.task_get(ws, task.id).await.unwrap().unwrap();
        assert_eq!((closed.state, closed.closed_at, closed.version), (TaskState::Moot, Some(half), Version(3)));
        let open = store.task_page(ws, TaskState::Open, None, 9).await.unwrap();
        assert_eq!(open.iter().map(|task| task.id).collect::<Vec<_>>(), [others[1].id, others[0].id]);
        assert_eq!(store.task_page(ws, TaskState::Open, Some(others[1].id), 9).await.unwrap().len(), 1);
    }

    async fn the_tasks_of_a_case_are_those_of_its_rotations_in_every_state(world: World) {
        let ada = world.member("ada").await;
        let case = world.case_row(&ada);
        world.commit(Change::CaseInsert(case.clone())).await.unwrap();
        let mut tasks = Vec::new();
        for (name, case_id) in [("a", Some(case.id)), ("b", Some(case.id)), ("c", None)] {
            let account = world.account(name, |_| {}).await;
            let row = RotationRow { case_id, ..world.rotation_row(&account, name, None) };
            world.rotate(RotationChange::JobInsert(row.clone())).await.unwrap();
            let task = world.task_row(&row, "diverged");
            world.rotate(RotationChange::TaskInsert(task.clone())).await.unwrap();
            tasks.push((row, task));
        }
        let at = world.now();
        let close = RotationChange::TaskCloseOf { rotation_id: tasks[0].0.id, state: TaskState::Done, at };
        world.rotate(close).await.unwrap();
        let of_case = world.store.tasks_of_case(world.ws, case.id).await.unwrap();
        let found: Vec<_> = of_case.iter().map(|task| (task.id, task.state)).collect();
        assert_eq!(found, [(tasks[0].1.id, TaskState::Done), (tasks[1].1.id, TaskState::Open)]);
    }

    async fn dependents_go_with_their_account(world: World) {
        let (account, other) = (world.account("x", |_| {}).await, world.account("y", |_| {}).await);
        let row = |other_account_id| Dependent {
            id: world.id(DependentId::fresh),
            account_id: account.id,
            name: "billing service".to_owned(),
            instructions: "Set PGPASSWORD".to_owned(),
            other_account_id,
        };
        let (plain, linked) = (row(None), row(Some(other.id)));
        for dependent in [&plain, &linked] {
            world.rotate(RotationChange::DependentInsert(dependent.clone())).await.unwrap();
        }
        assert_eq!(world.store.dependents(world.ws, account.id).await.unwrap(), [plain.clone(), linked]);
        world.commit(Change::AccountDelete { account_id: other.id, expect: other.version }).await.unwrap();
        assert_eq!(world.store.dependents(world.ws, account.id).await.unwrap(), std::slice::from_ref(&plain));
        let delete = RotationChange::DependentDelete { dependent_id: plain.id };
        world.rotate(delete.clone()).await.unwrap();
        assert_eq!(world.rotate(delete).await, Err(Conflict::Missing { what: "dependent" }));
    }

    async fn a_case_closes_when_nothing_of_it_is_left(world: World) {
        let (ada, account) = (world.member("ada").await, world.account("x", |_| {}).await);
        let case = world.case_row(&ada);
        let effect = world.effect_row("k", Some(case.id));
        let waits = [Change::CaseInsert(case.clone()), Change::OutboxInsert(effect.clone())];
        world.commit_all(waits).await.unwrap();
        let conclude = || Change::CaseConclude {
            case_id: case.id,
            to: CaseState::CompleteWithExceptions,
            summary: json!({ "safe": false }),
        };
        let (store, now) = (&world.store, world.now());
        assert_eq!(store.cases_settled(world.ws, 9).await.unwrap(), []);
        assert_eq!(world.commit(conclude()).await, Err(Conflict::Moved { what: "case" }), "an effect waits");
        let row = RotationRow { case_id: Some(case.id), ..world.rotation_row(&account, "k", None) };
        let taken = store.outbox_take_rotations(now, Duration::from_secs(30), 9).await.unwrap();
        assert_eq!(taken.iter().map(|event| event.id).collect::<Vec<_>>(), [effect.id]);
        assert_eq!(store.outbox_take_rotations(now, Duration::from_secs(30), 9).await.unwrap(), []);
        world.rotate(RotationChange::JobInsert(row.clone())).await.unwrap();
        let again = store.outbox_take_rotations(now.plus(Duration::from_secs(60)), Duration::from_secs(30), 9).await;
        assert_eq!(again.unwrap(), [], "its cause has a rotation");
        assert_eq!(world.commit(conclude()).await, Err(Conflict::Moved { what: "case" }), "a rotation is under way");
        assert_eq!(store.rotations_of_case(world.ws, case.id).await.unwrap(), std::slice::from_ref(&row));
        let done = RotationChange::CauseDone { cause: row.cause.clone() };
        world.commit_all([ended(&row, now).into(), done.into()]).await.unwrap();
        let event = store.outbox_get(world.ws, effect.id).await.unwrap().unwrap();
        assert_eq!(event.state, EffectState::Done);
        assert_eq!(store.cases_settled(world.ws, 9).await.unwrap(), std::slice::from_ref(&case));
        world.commit(conclude()).await.unwrap();
        let closed = store.case_get(world.ws, case.id).await.unwrap().unwrap();
        assert_eq!((closed.state, closed.summary), (CaseState::CompleteWithExceptions, json!({ "safe": false })));
    }
}
