//! Secrets, their versions and keys, and the ledger of who saw what.

use std::time::Duration;

use latchkey_access::exposure::{Client, Exposure, ExposureEvent, ExposureKind};
use latchkey_access::member::Version;
use latchkey_access::secret::{BurnedCode, KeyRow, Secret, SecretKind, SecretVersion, VersionState};
use latchkey_access::{Account, Change, Member};
use latchkey_kernel::id::{ExposureId, RequestId, SecretId};
use latchkey_store::{Conflict, UniqueKey};

use crate::on_both;
use crate::world::{World, conflict};

const MOVED: Result<(), Conflict> = Err(Conflict::Moved { what: "secret version" });
const KEY_MOVED: Result<(), Conflict> = Err(Conflict::Moved { what: "workspace key" });

fn key(world: &World, number: i64) -> KeyRow {
    KeyRow {
        workspace_id: world.ws,
        number,
        kek_id: "file".to_owned(),
        primary: vec![1, 2],
        recovery: vec![3],
        created_at: world.now(),
        retired_at: None,
    }
}

pub(crate) async fn keyed(world: &World, number: i64) -> KeyRow {
    let row = key(world, number);
    world.commit(Change::KeyInsert(row.clone())).await.unwrap();
    row
}

fn secret_row(world: &World, account: &Account, kind: SecretKind) -> Secret {
    Secret {
        workspace_id: world.ws,
        id: world.id(SecretId::fresh),
        account_id: account.id,
        kind,
        label: "Login".to_owned(),
        created_at: world.now(),
        created_by: "operator".to_owned(),
    }
}

pub(crate) async fn secret(world: &World, account: &Account, kind: SecretKind) -> Secret {
    let row = secret_row(world, account, kind);
    world.commit(Change::SecretInsert(row.clone())).await.unwrap();
    row
}

fn version_row(world: &World, secret: &Secret, version: i64, state: VersionState) -> SecretVersion {
    SecretVersion {
        secret_id: secret.id,
        version,
        state,
        key_number: 1,
        digest: [7; 32],
        created_at: world.now(),
        created_by: "operator".to_owned(),
        verified_at: None,
        retired_at: None,
    }
}

fn store_version(row: &SecretVersion) -> Change {
    Change::SecretVersionInsert { version: row.clone(), sealed: vec![9, u8::try_from(row.version).unwrap()] }
}

pub(crate) async fn version(
    world: &World,
    secret: &Secret,
    number: i64,
    state: VersionState,
) -> SecretVersion {
    let row = version_row(world, secret, number, state);
    world.commit(store_version(&row)).await.unwrap();
    row
}

pub(crate) fn event(
    world: &World,
    account: &Account,
    member: Option<&Member>,
    kind: ExposureKind,
) -> ExposureEvent {
    ExposureEvent {
        id: world.id(ExposureId::fresh),
        workspace_id: world.ws,
        account_id: account.id,
        secret_id: None,
        version: 1,
        member_id: member.map(|member| member.id),
        kind,
        client: Client::Api,
        at: world.now(),
        request_id: world.id(RequestId::fresh),
    }
}

async fn states(world: &World, secret: &Secret) -> Vec<(i64, VersionState)> {
    let versions = world.store.secret_versions(world.ws, secret.id).await.unwrap();
    versions.iter().map(|row| (row.version, row.state)).collect()
}

on_both! {
    async fn a_secret_and_its_versions_are_read_as_they_were_written(world: World) {
        keyed(world, 1).await;
        let account = world.account("x", |_| {}).await;
        let password = secret(world, &account, SecretKind::Password).await;
        let note = secret(world, &account, SecretKind::Note).await;
        let first = version(world, &password, 1, VersionState::Current).await;
        let other = SecretVersion {
            verified_at: Some(world.now()), retired_at: Some(world.now()), digest: [200; 32],
            ..version_row(world, &note, 1, VersionState::Retired)
        };
        world.commit(store_version(&other)).await.unwrap();
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(store.secret_get(ws, password.id).await.unwrap().as_ref(), Some(&password));
        assert_eq!(store.secrets_of_account(ws, account.id).await.unwrap(), [password.clone(), note.clone()]);
        assert_eq!(store.secret_versions(ws, note.id).await.unwrap(), std::slice::from_ref(&other));
        assert_eq!(store.secret_versions_of_account(ws, account.id).await.unwrap(), [first.clone(), other.clone()]);
        assert_eq!(store.secret_sealed(ws, password.id, 1).await.unwrap(), Some(vec![9, 1]));
        assert_eq!(store.secret_sealed(ws, password.id, 2).await.unwrap(), None);
        let under = store.versions_under_key(ws, 1, None, 1).await.unwrap();
        assert_eq!((under.len(), under[0].account_id, under[0].kind), (1, account.id, SecretKind::Password));
        assert_eq!((&under[0].version, &under[0].sealed), (&first, &vec![9, 1]));
        let rest = store.versions_under_key(ws, 1, Some((password.id, 1)), 9).await.unwrap();
        assert_eq!(rest.iter().map(|one| &one.version).collect::<Vec<_>>(), [&other]);
        assert_eq!(store.versions_under_key(ws, 2, None, 9).await.unwrap(), []);
        world.commit(Change::SecretDelete { secret_id: note.id }).await.unwrap();
        assert_eq!(store.secret_versions(ws, note.id).await.unwrap(), []);
        let gone = world.commit(Change::SecretDelete { secret_id: note.id }).await;
        assert_eq!(gone, Err(Conflict::Missing { what: "secret" }));
    }

    async fn i7_an_account_has_one_password_and_a_secret_one_version_in_each_state(world: World) {
        keyed(world, 1).await;
        let (account, other) = (world.account("x", |_| {}).await, world.account("y", |_| {}).await);
        let password = secret(world, &account, SecretKind::Password).await;
        let second = Change::SecretInsert(secret_row(world, &account, SecretKind::Password));
        assert_eq!(world.commit(second).await, Err(Conflict::Unique(UniqueKey::SecretPassword)));
        for kind in [SecretKind::Note, SecretKind::Note, SecretKind::Totp] {
            secret(world, &account, kind).await;
        }
        secret(world, &other, SecretKind::Password).await;
        for (number, state) in [(1, VersionState::Current), (2, VersionState::Pending), (3, VersionState::Previous)] {
            version(world, &password, number, state).await;
            let again = store_version(&version_row(world, &password, number + 10, state));
            assert_eq!(world.commit(again).await, Err(Conflict::Unique(UniqueKey::SecretState)), "{state}");
        }
        version(world, &password, 4, VersionState::Retired).await;
        version(world, &password, 5, VersionState::Retired).await;
        let number = store_version(&version_row(world, &password, 5, VersionState::Retired));
        assert_eq!(world.commit(number).await, Err(Conflict::Unique(UniqueKey::Id)));
        let nowhere = Secret { id: world.id(SecretId::fresh), ..password.clone() };
        let nowhere = store_version(&version_row(world, &nowhere, 1, VersionState::Current));
        assert_eq!(world.commit(nowhere).await, Err(Conflict::Missing { what: "secret version" }));
        let orphan = Secret { account_id: world.account_row("z").id, ..secret_row(world, &account, SecretKind::Note) };
        assert_eq!(world.commit(Change::SecretInsert(orphan)).await, Err(Conflict::Missing { what: "secret" }));
    }

    async fn a_promotion_moves_each_version_on_and_bumps_the_generation_of_a_password_alone(world: World) {
        keyed(world, 1).await;
        let account = world.account("x", |_| {}).await;
        for kind in [SecretKind::Password, SecretKind::ApiKey] {
            let secret = secret(world, &account, kind).await;
            version(world, &secret, 1, VersionState::Current).await;
            let promote = |version, verified_at, at| Change::SecretPromote {
                account_id: account.id, secret_id: secret.id, version, verified_at, at,
            };
            assert_eq!(world.commit(promote(1, None, world.now())).await, MOVED, "it is not pending");
            for number in [2, 3, 4] {
                version(world, &secret, number, VersionState::Pending).await;
                for wrong in [number - 1, number + 1] {
                    assert_eq!(world.commit(promote(wrong, None, world.now())).await, MOVED);
                }
                let (verified, at) = (Some(world.now()), world.now());
                world.commit(promote(number, verified, at)).await.unwrap();
                let versions = world.store.secret_versions(world.ws, secret.id).await.unwrap();
                let by = |state| versions.iter().find(|row| row.state == state).unwrap();
                assert_eq!((by(VersionState::Current).version, by(VersionState::Current).verified_at), (number, verified));
                assert_eq!((by(VersionState::Previous).version, by(VersionState::Previous).retired_at), (number - 1, Some(at)));
                let now = world.store.account_get(world.ws, account.id).await.unwrap().unwrap();
                let counted = if kind == SecretKind::Password { number } else { 4 };
                assert_eq!((now.secret_generation, now.version), (counted, Version(counted)));
                if kind == SecretKind::Password {
                    assert_eq!(now.modified_at, at);
                }
            }
            assert_eq!(states(world, &secret).await, [
                (1, VersionState::Retired), (2, VersionState::Retired), (3, VersionState::Previous), (4, VersionState::Current),
            ]);
        }
    }

    async fn a_pending_version_is_given_up_once(world: World) {
        keyed(world, 1).await;
        let account = world.account("x", |_| {}).await;
        let secret = secret(world, &account, SecretKind::Password).await;
        version(world, &secret, 1, VersionState::Current).await;
        version(world, &secret, 2, VersionState::Pending).await;
        let at = world.now();
        let abandon = |version| Change::SecretAbandon { secret_id: secret.id, version, at };
        assert_eq!(world.commit(abandon(1)).await, MOVED);
        world.commit(abandon(2)).await.unwrap();
        assert_eq!(world.commit(abandon(2)).await, MOVED);
        let kept = world.store.secret_versions(world.ws, secret.id).await.unwrap();
        assert_eq!((kept[1].state, kept[1].retired_at), (VersionState::Retired, Some(at)));
        let expect = |version| Change::SecretExpect { secret_id: secret.id, version };
        world.commit(expect(1)).await.unwrap();
        assert_eq!(world.commit(expect(2)).await, MOVED);
    }

    async fn nothing_is_sealed_under_a_key_that_is_not_there_or_retired(world: World) {
        let first = keyed(world, 1).await;
        assert_eq!(world.commit(Change::KeyInsert(key(world, 1))).await, Err(Conflict::Unique(UniqueKey::Id)));
        let account = world.account("x", |_| {}).await;
        let secret = secret(world, &account, SecretKind::Password).await;
        let row = version(world, &secret, 1, VersionState::Current).await;
        let under = |key_number| SecretVersion { key_number, ..version_row(world, &secret, 2, VersionState::Pending) };
        assert_eq!(world.commit(store_version(&under(2))).await, KEY_MOVED);
        let retire = |number| Change::KeyRetire { number, at: world.now() };
        let second = keyed(world, 2).await;
        assert_eq!(world.commit(retire(1)).await, KEY_MOVED, "a version is sealed under it");
        assert_eq!(world.commit(retire(2)).await, KEY_MOVED, "no other is there to seal");
        let reseal = |from, to| Change::SecretReseal { secret_id: secret.id, version: 1, from, to, sealed: vec![5] };
        assert_eq!(world.commit(reseal(2, 1)).await, MOVED, "it is sealed under another");
        assert_eq!(world.commit(reseal(1, 3)).await, KEY_MOVED);
        world.commit(reseal(1, 2)).await.unwrap();
        assert_eq!(world.commit(reseal(1, 2)).await, MOVED);
        let (ws, store) = (world.ws, &world.store);
        assert_eq!(store.secret_sealed(ws, secret.id, 1).await.unwrap(), Some(vec![5]));
        let resealed = SecretVersion { key_number: 2, ..row };
        assert_eq!(store.secret_versions(ws, secret.id).await.unwrap(), [resealed]);
        assert_eq!(store.key_list(ws).await.unwrap(), [(first.clone(), 0), (second.clone(), 1)]);
        let rewrapped = KeyRow { kek_id: "transit".to_owned(), primary: vec![8], recovery: vec![9], ..second.clone() };
        let rewrap = Change::KeyRewrap { key: rewrapped.clone(), expect: "file".to_owned() };
        world.commit(rewrap.clone()).await.unwrap();
        assert_eq!(world.commit(rewrap).await, KEY_MOVED);
        let at = world.now();
        world.commit(Change::KeyRetire { number: 1, at }).await.unwrap();
        assert_eq!(world.commit(retire(1)).await, KEY_MOVED);
        let retired = KeyRow { retired_at: Some(at), primary: vec![], recovery: vec![], ..first };
        assert_eq!(store.key_get(ws, 1).await.unwrap(), Some(retired));
        assert_eq!(store.key_last(ws).await.unwrap(), Some(rewrapped));
        assert_eq!(world.commit(store_version(&under(1))).await, KEY_MOVED);
    }

    async fn of_sealing_and_retiring_at_once_one_wins_and_no_value_is_lost(world: World) {
        keyed(world, 1).await;
        keyed(world, 2).await;
        let other = world.another().await;
        for round in 0..20 {
            let account = world.account("x", |_| {}).await;
            let secret = secret(world, &account, SecretKind::Password).await;
            let number = 2 * round + 1;
            let (old, new) = (number, number + 1);
            let row = SecretVersion { key_number: old, ..version_row(world, &secret, 1, VersionState::Current) };
            let retire = world.set([Change::KeyRetire { number: old, at: world.now() }]);
            let (sealed, retired) =
                tokio::join!(world.commit(store_version(&row)), async { conflict(other.commit(retire).await) });
            assert!(sealed.is_ok() != retired.is_ok(), "{sealed:?} {retired:?}");
            let kept = world.store.key_get(world.ws, old).await.unwrap().unwrap();
            assert_eq!(kept.retired_at.is_some(), sealed.is_err());
            if new < 40 {
                keyed(world, new + 1).await;
                keyed(world, new + 2).await;
            }
        }
    }

    async fn a_recovery_code_is_burned_once(world: World) {
        keyed(world, 1).await;
        let account = world.account("x", |_| {}).await;
        let codes = secret(world, &account, SecretKind::RecoveryCodes).await;
        version(world, &codes, 1, VersionState::Current).await;
        let code = |version, number| BurnedCode {
            secret_id: codes.id, version, number, at: world.now(), by: "operator".to_owned(),
        };
        let (one, two) = (code(1, 3), code(1, 0));
        for row in [&one, &two] {
            world.commit(Change::CodeBurn(row.clone())).await.unwrap();
        }
        assert_eq!(world.commit(Change::CodeBurn(code(1, 3))).await, Err(Conflict::Unique(UniqueKey::BurnedCode)));
        let nowhere = world.commit(Change::CodeBurn(code(2, 3))).await;
        assert_eq!(nowhere, Err(Conflict::Missing { what: "secret version" }));
        assert_eq!(world.store.burned_codes(world.ws, codes.id).await.unwrap(), [two, one]);
    }

    async fn the_ledger_outlives_what_it_tells_of(world: World) {
        keyed(world, 1).await;
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let account = world.account("x", |_| {}).await;
        let password = secret(world, &account, SecretKind::Password).await;
        version(world, &password, 1, VersionState::Current).await;
        let declared = event(world, &account, Some(&ada), ExposureKind::Declared);
        let revealed = ExposureEvent { secret_id: Some(password.id), ..event(world, &account, Some(&ada), ExposureKind::Reveal) };
        let operator = ExposureEvent { client: Client::Cli, ..event(world, &account, None, ExposureKind::CliRead) };
        let others = event(world, &account, Some(&bob), ExposureKind::Fill);
        for row in [&declared, &revealed, &operator, &others] {
            world.commit(Change::ExposureEventInsert(row.clone())).await.unwrap();
        }
        let (ws, store) = (world.ws, &world.store);
        let ledger = store.exposure_events_of_account(ws, account.id, None, 9).await.unwrap();
        assert_eq!(ledger, [others.clone(), operator.clone(), revealed.clone(), declared.clone()]);
        let rest = store.exposure_events_of_account(ws, account.id, Some(operator.id), 1).await.unwrap();
        assert_eq!(rest, std::slice::from_ref(&revealed));
        let seen = store.seen_by_member(ws, ada.id, None, 9).await.unwrap();
        assert_eq!(seen.iter().map(|row| &row.event).collect::<Vec<_>>(), [&revealed, &declared]);
        assert_eq!(seen[0].secret, Some((SecretKind::Password, "Login".to_owned())));
        assert_eq!((seen[0].state, &seen[0].account), (Some(VersionState::Current), &Some(("x".to_owned(), 1))));
        assert!(seen.iter().all(latchkey_store::SeenRow::is_current));
        version(world, &password, 2, VersionState::Pending).await;
        let at = world.now();
        let promote = Change::SecretPromote { account_id: account.id, secret_id: password.id, version: 2, verified_at: None, at };
        world.commit(promote).await.unwrap();
        let seen = store.seen_by_member(ws, ada.id, None, 9).await.unwrap();
        assert!(!seen.iter().any(latchkey_store::SeenRow::is_current), "both are of the password before");
        let next = store.seen_by_member(ws, ada.id, Some(revealed.id), 9).await.unwrap();
        assert_eq!(next.len(), 1);
        world.commit(Change::AccountDelete { account_id: account.id, expect: Version(2) }).await.unwrap();
        assert_eq!(store.secret_get(ws, password.id).await.unwrap(), None, "secrets go with their account");
        let seen = store.seen_by_member(ws, ada.id, None, 9).await.unwrap();
        assert_eq!((seen.len(), &seen[0].account, &seen[0].secret, seen[0].state), (2, &None, &None, None));
    }

    async fn codes_are_counted_by_member_account_and_time(world: World) {
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let (account, other) = (world.account("x", |_| {}).await, world.account("y", |_| {}).await);
        let mut given = Vec::new();
        for (account, member, kind) in [
            (&account, &ada, ExposureKind::TotpCode),
            (&account, &ada, ExposureKind::TotpCode),
            (&account, &bob, ExposureKind::TotpCode),
            (&other, &ada, ExposureKind::TotpCode),
            (&account, &ada, ExposureKind::Reveal),
        ] {
            let row = event(world, account, Some(member), kind);
            world.commit(Change::ExposureEventInsert(row.clone())).await.unwrap();
            given.push(row);
        }
        let before = given[0].at.minus(Duration::from_secs(1));
        let count = async |since, at_most| {
            world.store.codes_since(world.ws, (ada.id, account.id), since, at_most).await.unwrap()
        };
        assert_eq!(count(before, 9).await, 2);
        assert_eq!(count(before, 1).await, 1);
        assert_eq!(count(given[0].at, 9).await, 1, "after that instant");
    }

    async fn whoever_knew_one_generation_knows_another_that_is_the_same(world: World) {
        let (ada, bob) = (world.member("ada").await, world.member("bob").await);
        let account = world.account("x", |_| {}).await;
        let knows = |member: &Member, generation, kind| Exposure {
            account_id: account.id, member_id: member.id, generation, kind, at: world.now(),
        };
        let rows = [knows(&ada, 1, ExposureKind::Reveal), knows(&bob, 1, ExposureKind::Fill), knows(&bob, 3, ExposureKind::Creator)];
        world.commit_all(rows.iter().cloned().map(Change::ExposureInsert)).await.unwrap();
        let at = world.now();
        world.commit(Change::ExposureCarry { account_id: account.id, from: 1, to: 3, at }).await.unwrap();
        let all = world.store.exposures_of_account(world.ws, account.id).await.unwrap();
        let of_three: Vec<_> = all.into_iter().filter(|row| row.generation == 3).collect();
        let carried = Exposure { generation: 3, at, ..rows[0].clone() };
        assert_eq!(of_three, [carried, rows[2].clone()], "known already changes nothing");
    }
}
