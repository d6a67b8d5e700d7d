//! Connectors, as admins keep them, and how each account is rotated.

use latchkey_access::authority::Action;
use latchkey_access::member::Version;
use latchkey_access::rotation::{AccountRotation, Connector, Dependent, RotationMode};
use latchkey_access::rotations as rules;
use latchkey_kernel::id::{AccountId, ConnectorId, DependentId};
use latchkey_rotation::Schedule;
use latchkey_store::{Conflict, UniqueKey};
use secrecy::SecretString;
use serde_json::Value;

use super::limits::Limits;
use super::scene::{make, seal_admin};
use crate::engine::only_moved;
use crate::{Caller, Engine, Error, accounts};

/// What is said of a connector that is added.
#[derive(Debug, Clone)]
pub struct NewConnector {
    /// What people call it.
    pub name: String,
    /// The kind of target, as `postgres`.
    pub kind: String,
    /// Where the target is, and all else but secrets.
    pub config: Value,
    /// What its rotations are held to.
    pub limits: Limits,
    /// The credential that changes others' secrets.
    pub admin: Option<SecretString>,
    /// How many rotations it performs at once.
    pub at_once: Option<u16>,
}

/// What is to be different about a connector; `None` leaves as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of NewConnector")]
pub struct ConnectorPatch {
    pub name: Option<String>,
    pub config: Option<Value>,
    pub limits: Option<Limits>,
    pub admin: Option<SecretString>,
    pub at_once: Option<u16>,
    /// `true` stops it, `false` lets it go on.
    pub paused: Option<bool>,
}

/// How an account is to be rotated.
#[derive(Debug, Clone)]
pub struct NewSetting {
    /// By which connector.
    pub connector_id: Option<ConnectorId>,
    /// How.
    pub mode: RotationMode,
    /// The login name at the target, where it differs from the account's.
    pub login: Option<String>,
    /// When it is changed and tried without being asked for.
    pub schedule: Schedule,
}

/// How many rotations a connector performs at once, unless it says otherwise.
const AT_ONCE: u16 = 2;

/// All connectors, by name.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller) -> Result<Vec<Connector>, Error> {
    by.may(Action::ReadConnectors)?;
    Ok(engine.store().connector_list(by.workspace_id()).await?)
}

/// One connector.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: ConnectorId) -> Result<Connector, Error> {
    by.may(Action::ReadConnectors)?;
    find(engine, by, id).await
}

/// Adds a connector; its credential is sealed before anything is stored.
///
/// # Errors
/// When the configuration is wrong, the name is taken, or the caller may not.
pub async fn add(engine: &Engine, by: &Caller, new: &NewConnector) -> Result<Connector, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteConnectors)?;
            let mut row = Connector {
                workspace_id: by.workspace_id(),
                id: ConnectorId::fresh(cause.now, engine.entropy()),
                name: new.name.trim().to_owned(),
                kind: new.kind.clone(),
                host: host_of(&new.config),
                config: new.config.clone(),
                limits: stored(&new.limits)?,
                sealed_admin: None,
                admin_key: None,
                at_once: i64::from(new.at_once.unwrap_or(AT_ONCE).max(1)),
                paused: None,
                version: Version::FIRST,
                created_at: cause.now,
                modified_at: cause.now,
            };
            if let Some(admin) = &new.admin {
                seal_admin(engine, &mut row, admin).await?;
            }
            check(engine, &row).await?;
            let changes = rules::add_connector(row.clone(), &cause, engine.ids(&cause))?;
            engine.commit(changes, name_taken).await?;
            Ok(row)
        })
        .await
}

/// Changes a connector; what waits for it is tried at once.
///
/// # Errors
/// As [`add`], and when there is no such connector.
pub async fn change(
    engine: &Engine,
    by: &Caller,
    id: ConnectorId,
    patch: &ConnectorPatch,
) -> Result<Connector, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteConnectors)?;
            let before = find(engine, by, id).await?;
            let mut after = before.clone();
            if let Some(name) = &patch.name {
                after.name = name.trim().to_owned();
            }
            if let Some(config) = &patch.config {
                after.host = host_of(config);
                after.config = config.clone();
            }
            if let Some(limits) = &patch.limits {
                after.limits = stored(limits)?;
            }
            if let Some(at_once) = patch.at_once {
                after.at_once = i64::from(at_once.max(1));
            }
            if let Some(admin) = &patch.admin {
                seal_admin(engine, &mut after, admin).await?;
            }
            // Whoever puts the credential or the configuration right wants it to go on.
            let mended = patch.admin.is_some() || patch.config.is_some();
            after.paused = match patch.paused {
                Some(true) => Some(after.paused.unwrap_or_else(|| "an admin paused it".to_owned())),
                Some(false) => None,
                None => after.paused.filter(|_| !mended),
            };
            check(engine, &after).await?;
            after.version = before.version.next();
            after.modified_at = cause.now;
            let changes = rules::change_connector(&before, after.clone(), &cause, engine.ids(&cause))?;
            engine.commit(changes, name_taken).await?;
            Ok(after)
        })
        .await
}

/// Removes a connector that no account has.
///
/// # Errors
/// When an account has it, there is none, or the caller may not.
pub async fn remove(engine: &Engine, by: &Caller, id: ConnectorId) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteConnectors)?;
            let row = find(engine, by, id).await?;
            let changes = rules::remove_connector(&row, &cause, engine.ids(&cause));
            let in_use = |conflict: &Conflict| match conflict {
                Conflict::InUse { .. } => Some(Error::Clash(
                    "accounts are rotated by this connector; give them another one first".to_owned(),
                )),
                _ => None,
            };
            engine.commit(changes, in_use).await
        })
        .await
}

/// How an account is rotated; `None` is by hand.
///
/// # Errors
/// When there is no such account, or the caller may not.
pub async fn setting(engine: &Engine, by: &Caller, id: AccountId) -> Result<Option<AccountRotation>, Error> {
    by.may(Action::ReadConnectors)?;
    accounts::find(engine, by, id).await?;
    Ok(engine.store().account_rotation(by.workspace_id(), id).await?)
}

/// Says how an account is rotated from now on.
///
/// # Errors
/// When there is no such account or connector, or the caller may not.
pub async fn set(
    engine: &Engine,
    by: &Caller,
    id: AccountId,
    new: &NewSetting,
) -> Result<AccountRotation, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteConnectors)?;
            let account = accounts::find(engine, by, id).await?;
            if let Some(connector) = new.connector_id {
                find(engine, by, connector).await?;
            }
            let before = engine.store().account_rotation(by.workspace_id(), id).await?;
            let after = AccountRotation {
                account_id: id,
                connector_id: new.connector_id,
                mode: new.mode,
                login: new.login.clone().filter(|login| !login.is_empty()),
                schedule: serde_json::to_value(new.schedule)
                    .map_err(|error| Error::damaged("schedule", error))?,
                rotates_at: new.schedule.rotates_at(cause.now),
                verifies_at: new.schedule.verifies_at(cause.now),
                version: before.as_ref().map_or(Version::FIRST, |row| row.version.next()),
            };
            let changes =
                rules::set_rotation(&account, before.as_ref(), after.clone(), &cause, engine.ids(&cause));
            engine.commit(changes, only_moved).await?;
            Ok(after)
        })
        .await
}

/// What else has to learn an account's new password.
///
/// # Errors
/// When there is no such account, or the caller may not.
pub async fn dependents(engine: &Engine, by: &Caller, id: AccountId) -> Result<Vec<Dependent>, Error> {
    by.may(Action::ReadConnectors)?;
    accounts::find(engine, by, id).await?;
    Ok(engine.store().dependents(by.workspace_id(), id).await?)
}

/// Adds a dependent: something that a person tells, or another account with the same password.
///
/// # Errors
/// When there is no such account, a text is empty, or the caller may not.
pub async fn add_dependent(
    engine: &Engine,
    by: &Caller,
    id: AccountId,
    (name, instructions, other): (&str, &str, Option<AccountId>),
) -> Result<Dependent, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteConnectors)?;
            let account = accounts::find(engine, by, id).await?;
            if let Some(other) = other {
                accounts::find(engine, by, other).await?;
            }
            let dependent = Dependent {
                id: DependentId::fresh(cause.now, engine.entropy()),
                account_id: id,
                name: name.to_owned(),
                instructions: instructions.to_owned(),
                other_account_id: other,
            };
            let changes = rules::add_dependent(&account, dependent.clone(), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(dependent)
        })
        .await
}

/// Removes a dependent.
///
/// # Errors
/// When there is none, or the caller may not.
pub async fn remove_dependent(
    engine: &Engine,
    by: &Caller,
    id: AccountId,
    dependent: DependentId,
) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteConnectors)?;
            let account = accounts::find(engine, by, id).await?;
            let all = engine.store().dependents(by.workspace_id(), id).await?;
            let row = all.into_iter().find(|row| row.id == dependent);
            let row = row.ok_or(Error::NotFound { what: "dependent" })?;
            let changes = rules::remove_dependent(&account, &row, &cause, engine.ids(&cause));
            engine.commit(changes, only_moved).await
        })
        .await
}

pub(crate) async fn find(engine: &Engine, by: &Caller, id: ConnectorId) -> Result<Connector, Error> {
    engine.store().connector_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "connector" })
}

/// A connector that cannot be made of its row is not kept.
async fn check(engine: &Engine, row: &Connector) -> Result<(), Error> {
    make(engine, row, None).await?.map(drop).map_err(Error::Invalid)
}

fn stored(limits: &Limits) -> Result<Value, Error> {
    serde_json::to_value(limits).map_err(|error| Error::damaged("limits", error))
}

fn name_taken(conflict: &Conflict) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::ConnectorName))
        .then(|| Error::Clash("another connector has this name; choose another".to_owned()))
}

/// Those of one host rest together when it fails.
fn host_of(config: &Value) -> String {
    let of = |name: &str| config.get(name).and_then(Value::as_str);
    let named = of("host").or_else(|| of("url")).or_else(|| of("base_url"));
    named.or_else(|| config.pointer("/recipe/hosts/0").and_then(Value::as_str)).unwrap_or_default().to_owned()
}
