//! What people told the jobs of a workspace, and the secrets that jobs show to sources and targets.

use latchkey_access::JobChange;
use latchkey_kernel::id::{JobId, OrderId, WorkspaceId};
use latchkey_provisioning::state::{JobState, JobStatus};
use serde_json::Value;

use super::job::{self, text_of};
use super::op;
use crate::change::Op;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError, key};

statements! {
    ORDER_LIST = "select r.id, r.body from provisioning_order r where r.workspace_id = $1 and r.job_id = $2 order by r.id";
    ORDER_INSERT = "insert into provisioning_order (workspace_id, job_id, id, body) values ($1, $2, $3, $4)";
    ORDER_DONE = "delete from provisioning_order where workspace_id = $1 and job_id = $2 and id = $3";
    JOB_SECRETS = "select s.job_id, s.name, s.sealed, s.key_number from provisioning_secret s \
        where s.workspace_id = $1 and s.job_id = $2 order by s.name";
    JOB_SECRETS_UNDER = "select s.job_id, s.name, s.sealed, s.key_number from provisioning_secret s \
        where s.workspace_id = $1 and s.key_number = $2";
    JOB_SECRET_PUT = "insert into provisioning_secret (workspace_id, job_id, name, sealed, key_number, changed_at) \
        values ($1, $2, $3, $4, $5, $6) on conflict (workspace_id, job_id, name) do update \
        set sealed = excluded.sealed, key_number = excluded.key_number, changed_at = excluded.changed_at";
    JOB_SECRET_DELETE = "delete from provisioning_secret where workspace_id = $1 and job_id = $2 and name = $3";
    JOB_SECRET_RESEAL = "update provisioning_secret set sealed = $6, key_number = $5 where workspace_id = $1 \
        and job_id = $2 and name = $3 and key_number = $4";
}

/// A secret of a job, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSecret {
    /// The job.
    pub job_id: JobId,
    /// Its name.
    pub name: String,
    /// The ciphertext.
    pub sealed: Vec<u8>,
    /// The key that it is sealed under.
    pub key: i64,
}

fn load_order(row: &mut Columns<'_>) -> Result<(OrderId, Value), StoreError> {
    Ok((row.next()?, row.json()?))
}

fn load_secret(row: &mut Columns<'_>) -> Result<JobSecret, StoreError> {
    Ok(JobSecret { job_id: row.next()?, name: row.next()?, sealed: row.next()?, key: row.next()? })
}

impl Store {
    /// What people told a job and is not done yet, oldest first.
    pub async fn provisioning_orders(
        &self,
        (ws, job): (WorkspaceId, JobId),
    ) -> Result<Vec<(OrderId, Value)>, StoreError> {
        self.scan(&ORDER_LIST, params![ws, job], load_order).await
    }

    /// An order was carried out.
    pub async fn provisioning_order_done(
        &self,
        (ws, job): (WorkspaceId, JobId),
        id: OrderId,
    ) -> Result<(), StoreError> {
        self.write(vec![op(&ORDER_DONE, params![ws, job, id])]).await
    }

    /// The secrets of a job.
    pub async fn provisioning_secrets(
        &self,
        (ws, job): (WorkspaceId, JobId),
    ) -> Result<Vec<JobSecret>, StoreError> {
        self.scan(&JOB_SECRETS, params![ws, job], load_secret).await
    }

    /// The secrets of jobs that are sealed under this key.
    pub async fn provisioning_secrets_under(
        &self,
        ws: WorkspaceId,
        key: i64,
    ) -> Result<Vec<JobSecret>, StoreError> {
        self.scan(&JOB_SECRETS_UNDER, params![ws, key], load_secret).await
    }
}

pub(crate) fn push(ops: &mut Vec<Op>, ws: WorkspaceId, change: JobChange) {
    match change {
        JobChange::Insert { job_id, name, definition, fed, at } => {
            let state = JobState { status: JobStatus::Paused, ..JobState::default() };
            let seen = fed.then_some(0);
            let params = params![ws, job_id, name, definition, text_of(&state), seen, at];
            ops.push(op(&job::JOB_ADD, params));
        }
        JobChange::Define { job_id, name, definition, fed } => {
            let seen = fed.then_some(0);
            let params = params![ws, job_id, name, definition, seen];
            ops.push(op(&job::JOB_REDEFINE, params).or_missing("provisioning job"));
        }
        JobChange::Schema { job_id, schema } => {
            let params = params![ws, job_id, schema];
            ops.push(op(&job::JOB_SCHEMA, params).or_missing("provisioning job"));
        }
        JobChange::Delete { job_id } => {
            ops.push(op(&job::JOB_DELETE, params![ws, job_id]).or_missing("provisioning job"));
        }
        JobChange::Order { job_id, order_id, body, at } => {
            ops.push(op(&ORDER_INSERT, params![ws, job_id, order_id, body.to_string()]));
            ops.push(op(&job::JOB_DUE_AT, params![ws, job_id, at]).or_missing("provisioning job"));
        }
        JobChange::SecretSet { job_id, name, sealed, key, at } => {
            ops.push(key::seals(ws, key));
            ops.push(op(&JOB_SECRET_PUT, params![ws, job_id, name, &sealed[..], key, at]));
        }
        JobChange::SecretDelete { job_id, name } => {
            ops.push(op(&JOB_SECRET_DELETE, params![ws, job_id, name]));
        }
        JobChange::SecretReseal { job_id, name, from, to, sealed } => {
            ops.push(key::seals(ws, to));
            let params = params![ws, job_id, name, from, to, &sealed[..]];
            ops.push(op(&JOB_SECRET_RESEAL, params).or_moved("provisioning job's secret"));
        }
    }
}
