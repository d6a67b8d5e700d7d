//! Secrets are stored, given new values, brought back and removed by people.

use latchkey_access::authority::Action;
use latchkey_access::exposure::{Client, Exposure, ExposureKind};
use latchkey_access::member::Standing;
use latchkey_access::secret::{Secret, SecretKind};
use latchkey_access::secrets as rules;
use latchkey_kernel::id::{AccountId, SecretId};

use super::load::{Asking, Loaded};
use super::value::{open, seal};
use super::{SecretView, Value};
use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Caller, Engine, Error};

/// A secret to be added.
#[derive(Debug)]
pub struct NewSecret {
    /// What it is.
    pub kind: SecretKind,
    /// What people call it.
    pub label: String,
    /// Its first value.
    pub value: Value,
    /// How whoever adds it knows it: `creator` or `import`.
    pub known_by: ExposureKind,
}

/// The secrets of an account without their values, for who may use the account and for who sees
/// every account.
///
/// # Errors
/// When there is no such account, or the caller may not.
pub async fn list(engine: &Engine, by: &Caller, account: AccountId) -> Result<Vec<SecretView>, Error> {
    let asking = discover(engine, by, account).await?;
    let (workspace, store) = (by.workspace_id(), engine.store());
    let secrets = store.secrets_of_account(workspace, asking.account.id).await?;
    let mut versions = store.secret_versions_of_account(workspace, asking.account.id).await?;
    let mut views = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let own = versions.extract_if(.., |version| version.secret_id == secret.id).collect();
        let burned = match secret.kind {
            SecretKind::RecoveryCodes => store.burned_codes(workspace, secret.id).await?,
            _ => Vec::new(),
        };
        views.push(SecretView { secret, versions: own, burned });
    }
    Ok(views)
}

/// One secret with its versions, without values.
///
/// # Errors
/// As [`list`], and when the account has no such secret.
pub async fn history(
    engine: &Engine,
    by: &Caller,
    account: AccountId,
    secret: SecretId,
) -> Result<SecretView, Error> {
    let asking = discover(engine, by, account).await?;
    let Loaded { secret, versions } = Loaded::of(engine, &asking.account, secret).await?;
    let burned = engine.store().burned_codes(by.workspace_id(), secret.id).await?;
    Ok(SecretView { secret, versions, burned })
}

async fn discover(engine: &Engine, by: &Caller, account: AccountId) -> Result<Asking, Error> {
    by.may(Action::UseSecrets)?;
    let asking = Asking::load(engine, by, account, Client::Api).await?;
    let sees_all = by.may(Action::ReadAccounts).is_ok();
    if !sees_all {
        asking.may_discover(engine.now())?;
    }
    Ok(asking)
}

/// Adds a secret to an account, with its first value.
///
/// # Errors
/// When the caller may not change the account, the value is of no use to its kind, or the account
/// has a password already.
pub async fn add(
    engine: &Engine,
    by: &Caller,
    account: AccountId,
    new: &NewSecret,
    client: Client,
) -> Result<SecretView, Error> {
    let value = new.value.checked(new.kind)?;
    let added = engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteSecrets)?;
            let asking = Asking::load(engine, by, account, client).await?;
            let account = &asking.account;
            let others = engine.store().secrets_of_account(by.workspace_id(), account.id).await?;
            let secret = Secret {
                workspace_id: by.workspace_id(),
                id: SecretId::fresh(cause.now, engine.entropy()),
                account_id: account.id,
                kind: new.kind,
                label: new.label.clone(),
                created_at: cause.now,
                created_by: cause.actor.to_string(),
            };
            let sealed = seal(engine, &secret, rules::first_version(account, new.kind), &value).await?;
            let with = (secret.clone(), sealed);
            let ids = engine.ids(&cause);
            let changes = rules::add(account, &others, with, &asking.asked(), new.known_by, &cause, ids)?;
            engine.commit(changes, only_moved).await?;
            Ok::<_, Attempt>(secret)
        })
        .await?;
    let versions = engine.store().secret_versions(by.workspace_id(), added.id).await?;
    Ok(SecretView { secret: added, versions, burned: Vec::new() })
}

/// Gives a secret a new value, which counts at once. The answer is its version.
///
/// # Errors
/// When the caller may not change the account, the value was used before or is of no use to the
/// secret's kind, or a rotation is under way.
pub async fn set(
    engine: &Engine,
    by: &Caller,
    (account, secret): (AccountId, SecretId),
    value: &Value,
    client: Client,
) -> Result<i64, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteSecrets)?;
            let asking = Asking::load(engine, by, account, client).await?;
            let loaded = Loaded::of(engine, &asking.account, secret).await?;
            let vaulted = loaded.with(&asking.account);
            let value = value.checked(loaded.secret.kind)?;
            let version = vaulted.next_version();
            let sealed = seal(engine, &loaded.secret, version, &value).await?;
            let changes = rules::set(vaulted, sealed, &asking.asked(), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(version)
        })
        .await
}

/// Brings an earlier value back as a new version; nobody is shown it. The answer is its version.
///
/// # Errors
/// When the caller may not change the account, there is no such earlier version, or a rotation is
/// under way.
pub async fn restore(
    engine: &Engine,
    by: &Caller,
    (account, secret): (AccountId, SecretId),
    from: i64,
    client: Client,
) -> Result<i64, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteSecrets)?;
            let asking = Asking::load(engine, by, account, client).await?;
            let loaded = Loaded::of(engine, &asking.account, secret).await?;
            let vaulted = loaded.with(&asking.account);
            if vaulted.version(from).is_none() {
                return Err(Error::NotFound { what: "version" }.into());
            }
            let known = known(engine, by, account).await?;
            let value = open(engine, &loaded.secret, from).await?;
            let version = vaulted.next_version();
            let sealed = seal(engine, &loaded.secret, version, &value).await?;
            let asked = asking.asked();
            let changes =
                rules::restore(vaulted, (from, sealed), &known, &asked, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(version)
        })
        .await
}

/// Who knows which password of an account, and how they stand.
async fn known(engine: &Engine, by: &Caller, account: AccountId) -> Result<Vec<(Exposure, Standing)>, Error> {
    let (workspace, store) = (by.workspace_id(), engine.store());
    let exposures = store.exposures_of_account(workspace, account).await?;
    let ids: Vec<_> = exposures.iter().map(|exposure| exposure.member_id).collect();
    let members = if ids.is_empty() { Vec::new() } else { store.member_list_by_ids(workspace, &ids).await? };
    let standing = |id| members.iter().find(|member| member.id == id).map(latchkey_access::Member::standing);
    Ok(exposures.into_iter().filter_map(|one| standing(one.member_id).map(|who| (one, who))).collect())
}

/// Removes a secret with all its versions, for good.
///
/// # Errors
/// When the caller does not own the account, or a rotation is under way.
pub async fn remove(
    engine: &Engine,
    by: &Caller,
    (account, secret): (AccountId, SecretId),
) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteSecrets)?;
            let asking = Asking::load(engine, by, account, Client::Api).await?;
            let loaded = Loaded::of(engine, &asking.account, secret).await?;
            let vaulted = loaded.with(&asking.account);
            let changes = rules::remove(vaulted, &asking.asked(), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await
        })
        .await
}
