//! Provisioning jobs of a workspace: what people define and tell. What a job does, and when, is
//! done by whoever performs it.

use std::collections::BTreeMap;

use latchkey_access::audit::Actor;
use latchkey_access::authority::Action;
use latchkey_access::jobs::{self as rules, Definition};
use latchkey_kernel::id::{AccountId, JobId, OrderId, SecretId, WorkspaceId};
use latchkey_store::provisioning::job::JobRow;
use latchkey_store::provisioning::order::JobSecret;
use latchkey_store::{Conflict, UniqueKey};
use latchkey_vault::Place;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Caller, Engine, Error};

/// What a job may keep secret: what its target and its source are shown, and what signs its webhook. A
/// name's place in the list is bound to what is sealed, so new ones go to the end.
pub const SECRET_NAMES: &[&str] = &["SecretToken", "ClientSecret", "SourceSecret", "WebhookSecret"];

/// The secrets of a job, by name.
pub type Secrets = BTreeMap<String, SecretString>;

/// All jobs, by name.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller) -> Result<Vec<JobRow>, Error> {
    by.may(Action::ReadProvisioning)?;
    Ok(engine.store().provisioning_jobs(by.workspace_id()).await?)
}

/// One job.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: JobId) -> Result<JobRow, Error> {
    by.may(Action::ReadProvisioning)?;
    find(engine, by, id).await
}

/// Adds a job, which waits to be started.
///
/// # Errors
/// When its name is empty, too long or taken, or the caller may not.
pub async fn add(engine: &Engine, by: &Caller, new: &Definition) -> Result<JobRow, Error> {
    let id = engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteProvisioning)?;
            let id = JobId::fresh(cause.now, engine.entropy());
            let changes = rules::add((by.workspace_id(), id), new.clone(), &cause, engine.ids(&cause))?;
            engine.commit(changes, name_taken).await?;
            Ok(id)
        })
        .await?;
    find(engine, by, id).await
}

/// Gives a job another definition; its next cycle looks at everything anew.
///
/// # Errors
/// As [`add`], and when there is no such job.
pub async fn define(engine: &Engine, by: &Caller, id: JobId, new: &Definition) -> Result<(), Error> {
    find(engine, by, id).await?;
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteProvisioning)?;
            let changes = rules::define((by.workspace_id(), id), new.clone(), &cause, engine.ids(&cause))?;
            engine.commit(changes, name_taken).await
        })
        .await
}

/// Gives a job mappings in the place of its definition's, as an Entra ID schema has them, or its own again.
/// Its next cycle looks at everything anew.
///
/// # Errors
/// When there is no such job, or the caller may not.
pub async fn set_schema(engine: &Engine, by: &Caller, id: JobId, schema: Option<&str>) -> Result<(), Error> {
    find(engine, by, id).await?;
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteProvisioning)?;
            let (key, schema) = ((by.workspace_id(), id), schema.map(str::to_owned));
            engine.commit(rules::set_schema(key, schema, &cause, engine.ids(&cause)), gone).await
        })
        .await
}

/// Removes a job with all that it remembers; what it made at its target stays there.
///
/// # Errors
/// When there is no such job, or the caller may not.
pub async fn remove(engine: &Engine, by: &Caller, id: JobId) -> Result<(), Error> {
    let row = find(engine, by, id).await?;
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteProvisioning)?;
            let key = (by.workspace_id(), id);
            let changes = rules::remove(key, &row.name, &cause, engine.ids(&cause));
            engine.commit(changes, gone).await
        })
        .await
}

/// Tells a job something; whoever performs it carries it out between two cycles.
///
/// # Errors
/// When there is no such job, or the caller may not.
pub async fn order(
    engine: &Engine,
    by: &Caller,
    id: JobId,
    action: &'static str,
    body: &Value,
) -> Result<(), Error> {
    find(engine, by, id).await?;
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteProvisioning)?;
            let order = OrderId::fresh(cause.now, engine.entropy());
            let key = (by.workspace_id(), id);
            let changes = rules::order(key, (order, action), body.clone(), &cause, engine.ids(&cause));
            engine.commit(changes, gone).await
        })
        .await?;
    engine.wake_jobs();
    Ok(())
}

/// Puts on record that somebody has something done by a job at once. Comes before it is done.
///
/// # Errors
/// When there is no such job, or the caller may not.
pub async fn performed(
    engine: &Engine,
    by: &Caller,
    id: JobId,
    action: &'static str,
    detail: &Value,
) -> Result<JobRow, Error> {
    let row = find(engine, by, id).await?;
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteProvisioning)?;
            let key = (by.workspace_id(), id);
            let changes = rules::performed(key, action, detail.clone(), &cause, engine.ids(&cause));
            engine.commit(changes, only_moved).await
        })
        .await?;
    Ok(row)
}

/// Replaces secrets of a job, sealed under the workspace's key; an empty one is taken away.
///
/// # Errors
/// When there is no such job, the keys cannot be used, or the caller may not.
pub async fn set_secrets(engine: &Engine, by: &Caller, id: JobId, new: &Secrets) -> Result<(), Error> {
    find(engine, by, id).await?;
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteProvisioning)?;
            let key = engine.vault(by.workspace_id()).await?;
            let sealed = new
                .iter()
                .map(|(name, value)| {
                    let plain = value.expose_secret().as_bytes();
                    let place = place(by.workspace_id(), id, name).ok_or_else(|| unknown(name))?;
                    let sealed = (!plain.is_empty()).then(|| key.seal(&place, plain, engine.entropy()));
                    Ok((name.clone(), sealed))
                })
                .collect::<Result<Vec<_>, Error>>()?;
            let job = (by.workspace_id(), id);
            let changes = rules::set_secrets(job, key.number(), sealed, &cause, engine.ids(&cause));
            engine.commit(changes, gone).await
        })
        .await
}

/// The names of a job's secrets; never their values.
///
/// # Errors
/// When there is no such job, or the caller may not.
pub async fn secret_names(engine: &Engine, by: &Caller, id: JobId) -> Result<Vec<String>, Error> {
    by.may(Action::ReadProvisioning)?;
    find(engine, by, id).await?;
    let all = engine.store().provisioning_secrets((by.workspace_id(), id)).await?;
    Ok(all.into_iter().map(|secret| secret.name).collect())
}

/// A job's secrets, for whoever performs it.
///
/// # Errors
/// When a key cannot be used, or a secret was altered or moved.
pub async fn secrets(engine: &Engine, (ws, id): (WorkspaceId, JobId)) -> Result<Secrets, Error> {
    let mut open = Secrets::new();
    for JobSecret { name, sealed, key, .. } in engine.store().provisioning_secrets((ws, id)).await? {
        let key = engine.key(ws, key).await?.ok_or(Error::NotFound { what: "workspace key" })?;
        let place = place(ws, id, &name).ok_or_else(|| unknown(&name))?;
        let plain = key.open(&place, &sealed).map_err(|source| Error::Tampered { source })?;
        let text = std::str::from_utf8(&plain).map_err(|error| Error::damaged("job's secret", error))?;
        open.insert(name, SecretString::from(text));
    }
    Ok(open)
}

/// Seals anew the secrets of jobs that are sealed under a key which has been replaced.
pub(crate) async fn reseal(
    engine: &Engine,
    workspace: WorkspaceId,
    (from, to): (i64, i64),
) -> Result<(), Error> {
    for secret in engine.store().provisioning_secrets_under(workspace, from).await? {
        let old = engine.key(workspace, from).await?.ok_or(Error::NotFound { what: "workspace key" })?;
        let new = engine.key(workspace, to).await?.ok_or(Error::NotFound { what: "workspace key" })?;
        let Some(place) = place(workspace, secret.job_id, &secret.name) else { continue };
        let sealed = match new.rewrap(&old, &place, &secret.sealed, engine.entropy()) {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::error!(%workspace, job = %secret.job_id, %error, "a job's secret does not open where it stands");
                continue;
            }
        };
        let cause = engine.cause(Actor::System, engine.fresh_request_id());
        let key = (workspace, secret.job_id);
        let changes = rules::reseal(key, secret.name, (from, to), sealed, &cause, engine.ids(&cause));
        match engine.commit(changes, only_moved).await {
            Err(Attempt::Failed(error)) => return Err(error),
            // Somebody else changed it: the next run looks again.
            Ok(()) | Err(Attempt::Again) => {}
        }
    }
    Ok(())
}

/// A job's secret stands where no account's can, each at a place of its own.
fn place(workspace: WorkspaceId, job: JobId, name: &str) -> Option<Place> {
    let at = SECRET_NAMES.iter().position(|known| *known == name)?;
    Some(Place {
        workspace,
        account: AccountId::from_uuid(job.as_uuid()),
        secret: SecretId::from_uuid(job.as_uuid()),
        version: i64::try_from(at).ok()?,
        kind: latchkey_vault::SecretKind::ApiKey,
    })
}

async fn find(engine: &Engine, by: &Caller, id: JobId) -> Result<JobRow, Error> {
    let found = engine.store().provisioning_job(by.workspace_id(), id).await?;
    found.ok_or(Error::NotFound { what: "provisioning job" })
}

fn name_taken(conflict: &Conflict) -> Option<Error> {
    match conflict {
        Conflict::Unique(UniqueKey::JobName) => {
            Some(Error::Clash("another job has this name; choose another".to_owned()))
        }
        other => gone(other),
    }
}

fn gone(conflict: &Conflict) -> Option<Error> {
    matches!(conflict, Conflict::Missing { .. }).then_some(Error::NotFound { what: "provisioning job" })
}

fn unknown(name: &str) -> Error {
    Error::Invalid(format!("a job keeps no secret {name:?}; there are {}", SECRET_NAMES.join(", ")))
}
