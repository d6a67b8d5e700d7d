//! V1: what was moved or altered in the database does not open: an error, an alarm, and no value.

use latchkey_access::Role;
use latchkey_access::disclosure::Act;
use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::secret::SecretKind;
use latchkey_engine::members::NewMember;
use latchkey_engine::secrets::{self, NewSecret};
use latchkey_engine::{Caller, Error, accounts, workspaces};
use latchkey_kernel::id::{AccountId, SecretId};

use crate::world::{World, plain};

on_both! {
    v1_a_ciphertext_opens_at_its_own_place_only,
    v1_an_altered_ciphertext_key_or_row_does_not_open,
}

/// What a value was sealed for.
struct Stored {
    by: Caller,
    account: AccountId,
    secret: SecretId,
    version: i64,
}

impl Stored {
    async fn opens(&self, world: &World) -> bool {
        let shown = secrets::disclose(
            &world.engine,
            &self.by,
            (self.account, self.secret),
            Act::CliRead,
            Some(self.version),
            Client::Cli,
        );
        match shown.await {
            Ok(_) => true,
            Err(Error::Tampered { .. }) => false,
            Err(other) => panic!("another failure: {other:?}"),
        }
    }

    fn clause(&self, world: &World) -> String {
        format!("secret_id = {} and version = {}", world.literal(self.secret.as_uuid()), self.version)
    }
}

/// Secrets that differ in workspace, account, secret, version and kind, one from the next.
async fn scene(world: &World) -> Vec<Stored> {
    let engine = &world.engine;
    let by = world.operator();
    let (one, two) = (world.account("One").await.id, world.account("Two").await.id);
    let mut all = Vec::new();
    for (account, kind) in [
        (one, SecretKind::Password),
        (two, SecretKind::Password),
        (one, SecretKind::Note),
        (one, SecretKind::ApiKey),
    ] {
        let secret = world.secret(account, kind, "the same value").await.secret.id;
        all.push(Stored { by: by.clone(), account, secret, version: 1 });
    }
    let (account, secret) = (all[0].account, all[0].secret);
    let version =
        secrets::set(engine, &by, (account, secret), &plain("another value"), Client::Cli).await.unwrap();
    all.push(Stored { by, account, secret, version });
    let owner = NewMember {
        user_name: "otto@other.example".to_owned(),
        display_name: None,
        work_email: None,
        role: Role::Owner,
    };
    let (other, _) = workspaces::create(engine, "Other", &owner, engine.fresh_request_id()).await.unwrap();
    let by = Caller::operator(other.id, engine.fresh_request_id());
    let account = accounts::create(engine, &by, &World::new_account("Elsewhere")).await.unwrap().id;
    let new = NewSecret {
        kind: SecretKind::Password,
        label: "Password".to_owned(),
        value: plain("the same value"),
        known_by: ExposureKind::Creator,
    };
    let secret = secrets::add(engine, &by, account, &new, Client::Cli).await.unwrap().secret.id;
    all.push(Stored { by, account, secret, version: 1 });
    all
}

async fn v1_a_ciphertext_opens_at_its_own_place_only(world: World) {
    let all = scene(&world).await;
    for stored in &all {
        assert!(stored.opens(&world).await);
    }
    world.by_hand("create table kept as select * from secret_version").await;
    let mut alarms = 0;
    for to in &all {
        for from in all.iter().filter(|from| (from.secret, from.version) != (to.secret, to.version)) {
            let (target, source) = (to.clause(&world), from.clause(&world));
            world
                .by_hand(&format!(
                    "update secret_version set \
                     sealed = (select k.sealed from kept k where {source}), \
                     key_number = (select k.key_number from kept k where {source}), \
                     digest = (select k.digest from kept k where {source}) where {target}"
                ))
                .await;
            assert!(!to.opens(&world).await, "{source} opened as {target}");
            alarms += 1;
        }
        let target = to.clause(&world);
        world
            .by_hand(&format!(
                "update secret_version set sealed = (select k.sealed from kept k where {target}), \
                 digest = (select k.digest from kept k where {target}) where {target}"
            ))
            .await;
        assert!(to.opens(&world).await, "put back, it opens again");
    }
    let own = world.audited("secret.tampered").await;
    assert_eq!(own, alarms - 5, "five were raised in the other workspace");
    let nothing_shown =
        world.engine.store().exposure_events_of_account(world.workspace.id, all[1].account, None, 99);
    let nothing_shown = nothing_shown.await.unwrap().len();
    assert_eq!(nothing_shown, 3, "stored, and shown before and after: not in between");
}

async fn v1_an_altered_ciphertext_key_or_row_does_not_open(world: World) {
    let all = scene(&world).await;
    let (stored, note) = (&all[0], &all[2]);
    let target = stored.clause(&world);
    // A row that is moved as a whole, by changing what it belongs to.
    let (account, id) = (world.literal(all[1].account.as_uuid()), world.literal(note.secret.as_uuid()));
    world.by_hand(&format!("update secret set account_id = {account} where id = {id}")).await;
    let moved = Stored { by: note.by.clone(), account: all[1].account, secret: note.secret, version: 1 };
    assert!(!moved.opens(&world).await, "to another account");
    world.by_hand(&format!("update secret set kind = 'api_key' where id = {id}")).await;
    assert!(!moved.opens(&world).await, "to another kind");
    world.by_hand(&format!("update secret_version set version = 7 where {target}")).await;
    let renumbered = Stored { by: stored.by.clone(), version: 7, ..*stored };
    assert!(!renumbered.opens(&world).await, "to another version");
    world
        .by_hand(&format!("update secret_version set version = 1 where {}", renumbered.clause(&world)))
        .await;
    assert!(stored.opens(&world).await);
    let cut = if world.is_postgres() {
        "substring(sealed from 1 for 90)"
    } else {
        "cast(substr(sealed, 1, 90) as blob)"
    };
    world.by_hand(&format!("update secret_version set sealed = {cut} where {target}")).await;
    assert!(!stored.opens(&world).await, "cut");
}
