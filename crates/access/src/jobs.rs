//! Provisioning jobs of a workspace are added, defined anew, told what to do, and removed.

use latchkey_kernel::id::{JobId, OrderId, WorkspaceId};
use serde_json::{Value, json};

use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::job_change::JobChange;
use crate::refusal::{NAME_MAX, Refusal, bounded};

/// What a job does, as a person says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// The text of the job file.
    pub text: String,
    /// Whether it reads the workspace's own directory.
    pub fed: bool,
}

/// Adds a job, which waits to be started.
///
/// # Errors
/// When its name is empty or too long.
pub fn add(
    (workspace_id, job_id): (WorkspaceId, JobId),
    definition: Definition,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    bounded("the job's name", &definition.name, NAME_MAX)?;
    let mut changes = ChangeSet::new(workspace_id);
    let detail = json!({ "name": definition.name });
    changes.note((cause, ids), "provisioning_job.added", ("provisioning_job", &job_id), detail);
    let Definition { name, text, fed } = definition;
    changes.push(JobChange::Insert { job_id, name, definition: text, fed, at: cause.now }.into());
    Ok(changes)
}

/// Gives a job another definition: its next cycle looks at everything anew.
///
/// # Errors
/// As [`add`].
pub fn define(
    (workspace_id, job_id): (WorkspaceId, JobId),
    definition: Definition,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    bounded("the job's name", &definition.name, NAME_MAX)?;
    let mut changes = ChangeSet::new(workspace_id);
    let detail = json!({ "name": definition.name });
    changes.note((cause, ids), "provisioning_job.defined", ("provisioning_job", &job_id), detail);
    let Definition { name, text, fed } = definition;
    changes.push(JobChange::Define { job_id, name, definition: text, fed }.into());
    Ok(changes)
}

/// Gives a job mappings in the place of its definition's, as an Entra ID schema has them, or its own again.
pub fn set_schema(
    (workspace_id, job_id): (WorkspaceId, JobId),
    schema: Option<String>,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace_id);
    let detail = json!({ "own": schema.is_none() });
    changes.note((cause, ids), "provisioning_job.schema_set", ("provisioning_job", &job_id), detail);
    changes.push(JobChange::Schema { job_id, schema }.into());
    changes
}

/// Removes a job; what it made at its target stays there.
pub fn remove(
    (workspace_id, job_id): (WorkspaceId, JobId),
    name: &str,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace_id);
    let detail = json!({ "name": name });
    changes.note((cause, ids), "provisioning_job.removed", ("provisioning_job", &job_id), detail);
    changes.push(JobChange::Delete { job_id }.into());
    changes
}

/// A person's word to a job; it is on record with the word that `action` says.
pub fn order(
    (workspace_id, job_id): (WorkspaceId, JobId),
    (order_id, action): (OrderId, &'static str),
    body: Value,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace_id);
    changes.note((cause, ids), action, ("provisioning_job", &job_id), body.clone());
    changes.push(JobChange::Order { job_id, order_id, body, at: cause.now }.into());
    changes
}

/// Replaces secrets of a job: pairs of name and what is sealed under the key, or nothing to remove it.
pub fn set_secrets(
    (workspace_id, job_id): (WorkspaceId, JobId),
    key: i64,
    secrets: Vec<(String, Option<Vec<u8>>)>,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace_id);
    let names: Vec<&String> = secrets.iter().map(|(name, _)| name).collect();
    let detail = json!({ "names": names });
    changes.note((cause, ids), "provisioning_job.secrets_set", ("provisioning_job", &job_id), detail);
    for (name, sealed) in secrets {
        changes.push(match sealed {
            Some(sealed) => JobChange::SecretSet { job_id, name, sealed, key, at: cause.now }.into(),
            None => JobChange::SecretDelete { job_id, name }.into(),
        });
    }
    changes
}

/// Seals a secret of a job anew under another key.
pub fn reseal(
    (workspace_id, job_id): (WorkspaceId, JobId),
    name: String,
    (from, to): (i64, i64),
    sealed: Vec<u8>,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace_id);
    let detail = json!({ "name": name, "from": from, "to": to });
    changes.note((cause, ids), "provisioning_job.secret_resealed", ("provisioning_job", &job_id), detail);
    changes.push(JobChange::SecretReseal { job_id, name, from, to, sealed }.into());
    changes
}

/// On record that somebody had something done by a job at once, which needs no order.
pub fn performed(
    (workspace_id, job_id): (WorkspaceId, JobId),
    action: &'static str,
    detail: Value,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace_id);
    changes.note((cause, ids), action, ("provisioning_job", &job_id), detail);
    changes
}
