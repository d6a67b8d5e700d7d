//! What rotations do with secrets: stage a value before it is tried anywhere, open it to try it,
//! and put it into use or give it up. Nobody is shown anything.
//!
//! Each step comes twice: as a change set, to be committed together with the rotation's own rows,
//! and as a whole, which commits.

use latchkey_access::capability::Asker;
use latchkey_access::context::Cause;
use latchkey_access::exposure::Client;
use latchkey_access::secret::{Secret, SecretKind, VersionState};
use latchkey_access::secrets::{self as rules, Asked};
use latchkey_access::{Account, ChangeSet, Policy};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, SecretId, WorkspaceId};
use secrecy::SecretString;

use super::Value;
use super::load::Loaded;
use super::value::{open, seal};
use crate::engine::only_moved;
use crate::{Engine, Error};

/// Which secret is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The account's password, which may not be in the vault yet.
    Password(AccountId),
    /// The account's SSH key, which may not be in the vault yet.
    SshKey(AccountId),
    /// Another secret of the account.
    Secret(AccountId, SecretId),
}

impl Slot {
    const fn account(self) -> AccountId {
        match self {
            Self::Password(account) | Self::SshKey(account) | Self::Secret(account, _) => account,
        }
    }

    /// The kind of a secret that is the account's only one of it.
    const fn kind(self) -> Option<SecretKind> {
        match self {
            Self::Password(_) => Some(SecretKind::Password),
            Self::SshKey(_) => Some(SecretKind::SshKey),
            Self::Secret(..) => None,
        }
    }
}

/// Stores a new password of an account as pending, durably (V2). The answer is its version.
///
/// # Errors
/// When there is no such account, the value was used before, another is pending, or the database fails.
pub async fn stage(
    engine: &Engine,
    workspace: WorkspaceId,
    account: AccountId,
    cause: &Cause,
    plain: &SecretString,
) -> Result<i64, Error> {
    stage_in(engine, workspace, Slot::Password(account), cause, plain).await
}

/// The same for any secret.
///
/// # Errors
/// As [`stage`].
pub async fn stage_in(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
    cause: &Cause,
    plain: &SecretString,
) -> Result<i64, Error> {
    engine
        .settle(|| async {
            let (version, changes) = staged(engine, workspace, slot, cause, plain).await?;
            engine.commit(changes, only_moved).await?;
            Ok(version)
        })
        .await
}

/// What [`stage_in`] commits, with the version.
///
/// # Errors
/// As [`stage`].
pub async fn staged(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
    cause: &Cause,
    plain: &SecretString,
) -> Result<(i64, ChangeSet), Error> {
    let account = find_account(engine, workspace, slot.account()).await?;
    let loaded = match find(engine, &account, slot).await? {
        Some(loaded) => loaded,
        None => {
            let kind = slot.kind().ok_or(Error::NotFound { what: "secret" })?;
            Loaded { secret: new_secret(engine, &account, kind, cause), versions: Vec::new() }
        }
    };
    let vaulted = loaded.with(&account);
    let value = Value::from(plain).checked(loaded.secret.kind)?;
    let version = vaulted.next_version();
    let sealed = seal(engine, &loaded.secret, version, &value).await?;
    let changes = rules::stage(vaulted, sealed, &by_latchkey(&Policy::default()), cause, engine.ids(cause))?;
    Ok((version, changes))
}

/// Puts the pending version into use. It is fenced by its number: a worker that comes late
/// changes nothing.
///
/// # Errors
/// When this version is not the pending one, or the database fails.
pub async fn promote(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
    version: i64,
    verified_at: Timestamp,
    cause: &Cause,
) -> Result<(), Error> {
    engine
        .settle(|| async {
            let changes = promoted(engine, workspace, slot, version, verified_at, cause).await?;
            engine.commit(changes, only_moved).await
        })
        .await
}

/// What [`promote`] commits.
///
/// # Errors
/// As [`promote`].
pub async fn promoted(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
    version: i64,
    verified_at: Timestamp,
    cause: &Cause,
) -> Result<ChangeSet, Error> {
    let (account, loaded) = existing(engine, workspace, slot).await?;
    let (verified_at, policy) = (Some(verified_at), Policy::default());
    let asked = by_latchkey(&policy);
    Ok(rules::promote(loaded.with(&account), version, verified_at, &asked, cause, engine.ids(cause))?)
}

/// Gives up the pending version, which is kept in the history.
///
/// # Errors
/// As [`promote`].
pub async fn abandon(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
    version: i64,
    cause: &Cause,
) -> Result<(), Error> {
    engine
        .settle(|| async {
            let changes = abandoned(engine, workspace, slot, version, cause).await?;
            engine.commit(changes, only_moved).await
        })
        .await
}

/// What [`abandon`] commits.
///
/// # Errors
/// As [`promote`].
pub async fn abandoned(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
    version: i64,
    cause: &Cause,
) -> Result<ChangeSet, Error> {
    let (account, loaded) = existing(engine, workspace, slot).await?;
    let policy = Policy::default();
    Ok(rules::abandon(loaded.with(&account), version, &by_latchkey(&policy), cause, engine.ids(cause))?)
}

/// Opens a version, for a connector to use. It goes to no person, so nobody is exposed by it.
///
/// # Errors
/// When there is no such version, or it does not open where it stands.
pub async fn open_version(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
    version: i64,
) -> Result<SecretString, Error> {
    let (_, loaded) = existing(engine, workspace, slot).await?;
    text(open(engine, &loaded.secret, version).await?)
}

/// The version in use with its number; `None` when the vault holds none.
///
/// # Errors
/// When there is no such account, or it does not open where it stands.
pub async fn open_current(
    engine: &Engine,
    workspace: WorkspaceId,
    slot: Slot,
) -> Result<Option<(i64, SecretString)>, Error> {
    let account = find_account(engine, workspace, slot.account()).await?;
    let Some(loaded) = find(engine, &account, slot).await? else { return Ok(None) };
    let Some(current) = loaded.with(&account).in_state(VersionState::Current) else { return Ok(None) };
    Ok(Some((current.version, text(open(engine, &loaded.secret, current.version).await?)?)))
}

fn text(value: Value) -> Result<SecretString, Error> {
    let text = value.expose_text().ok_or_else(|| Error::damaged("secret", "it is no text"))?;
    Ok(SecretString::from(text))
}

const fn by_latchkey(policy: &Policy) -> Asked<'_> {
    Asked { asker: Asker::System, client: Client::Cli, policy }
}

async fn find_account(engine: &Engine, workspace: WorkspaceId, id: AccountId) -> Result<Account, Error> {
    engine.store().account_get(workspace, id).await?.ok_or(Error::NotFound { what: "account" })
}

async fn find(engine: &Engine, account: &Account, slot: Slot) -> Result<Option<Loaded>, Error> {
    let id = match slot {
        Slot::Secret(_, id) => Some(id),
        Slot::Password(_) | Slot::SshKey(_) => {
            let secrets = engine.store().secrets_of_account(account.workspace_id, account.id).await?;
            secrets.into_iter().find(|secret| Some(secret.kind) == slot.kind()).map(|secret| secret.id)
        }
    };
    match id {
        Some(id) => Loaded::of(engine, account, id).await.map(Some),
        None => Ok(None),
    }
}

async fn existing(engine: &Engine, workspace: WorkspaceId, slot: Slot) -> Result<(Account, Loaded), Error> {
    let account = find_account(engine, workspace, slot.account()).await?;
    let loaded = find(engine, &account, slot).await?.ok_or(Error::NotFound { what: "secret" })?;
    Ok((account, loaded))
}

fn new_secret(engine: &Engine, account: &Account, kind: SecretKind, cause: &Cause) -> Secret {
    Secret {
        workspace_id: account.workspace_id,
        id: SecretId::fresh(cause.now, engine.entropy()),
        account_id: account.id,
        kind,
        label: if kind == SecretKind::SshKey { "SSH key" } else { "Password" }.to_owned(),
        created_at: cause.now,
        created_by: cause.actor.to_string(),
    }
}
