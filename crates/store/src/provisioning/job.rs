//! Provisioning jobs, and who performs each.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CycleId, JobId, WorkspaceId};
use latchkey_provisioning::state::{CycleSummary, JobState};

use super::{Held, op};
use crate::change::Op;
use crate::member::limit_of;
use crate::row::{Columns, first};
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    ($j:literal) => {
        concat!(
            $j,
            "workspace_id, ",
            $j,
            "id, ",
            $j,
            "name, ",
            $j,
            "definition, ",
            $j,
            "state, ",
            $j,
            "runs_at, ",
            $j,
            "fence, ",
            $j,
            "holder, ",
            $j,
            "leased_until, ",
            $j,
            "created_at, ",
            $j,
            "graph_schema, ",
            $j,
            "feed_seen"
        )
    };
}

statements! {
    JOB_GET = concat!("select ", columns!("j."), " from provisioning_job j where j.workspace_id = $1 and j.id = $2");
    JOB_NAMED = concat!("select ", columns!("j."), " from provisioning_job j where j.workspace_id = $1 and j.name = $2");
    JOB_LIST = concat!("select ", columns!("j."), " from provisioning_job j where j.workspace_id = $1 order by j.name");
    JOB_INSERT = "insert into provisioning_job (workspace_id, id, name, definition, state, runs_at, fence, created_at) \
        values ($1, $2, $3, $4, $5, $6, 0, $7) on conflict do nothing";
    JOB_ADD = "insert into provisioning_job (workspace_id, id, name, definition, state, feed_seen, fence, created_at) \
        values ($1, $2, $3, $4, $5, $6, 0, $7)";
    JOB_REDEFINE = "update provisioning_job set name = $3, definition = $4, \
        feed_seen = case when cast($5 as bigint) is null then null else coalesce(feed_seen, 0) end \
        where workspace_id = $1 and id = $2";
    JOB_SCHEMA = "update provisioning_job set graph_schema = $3 where workspace_id = $1 and id = $2";
    JOB_DUE_AT = "update provisioning_job set runs_at = $3 where workspace_id = $1 and id = $2";
    JOB_DUE = "select j.workspace_id, j.id from provisioning_job j where j.runs_at is not null and j.runs_at <= $1 \
        and (j.leased_until is null or j.leased_until <= $1 or j.holder = $2) order by j.runs_at limit $3";
    JOB_FED = "select j.workspace_id, j.id from provisioning_job j join embedded_feed f on f.workspace_id = j.workspace_id \
        where j.feed_seen is not null and f.seq > j.feed_seen and j.runs_at is not null \
        and (j.leased_until is null or j.leased_until <= $1 or j.holder = $2)";
    JOB_SEEN = "update provisioning_job set feed_seen = $4 where workspace_id = $1 and id = $2 and fence = $3 \
        and feed_seen is not null";
    JOB_FREE_ALL = "update provisioning_job set leased_until = null, holder = null where holder = $1";
    JOB_DEFINE = "update provisioning_job set name = $3, definition = $4, runs_at = $5 where workspace_id = $1 and id = $2";
    JOB_DELETE = "delete from provisioning_job where workspace_id = $1 and id = $2";
    JOB_TAKE = concat!("update provisioning_job set fence = fence + 1, holder = $4, leased_until = $5 \
        where workspace_id = $1 and id = $2 and (leased_until is null or leased_until <= $3 or holder = $4) returning ",
        columns!(""));
    JOB_RENEW = "update provisioning_job set leased_until = $4 where workspace_id = $1 and id = $2 and fence = $3 \
        returning cast(1 as bigint)";
    JOB_FREE = "update provisioning_job set leased_until = null, holder = null where workspace_id = $1 and id = $2 \
        and fence = $3";
    JOB_PLAN = "update provisioning_job set runs_at = $4 where workspace_id = $1 and id = $2 and fence = $3";
    JOB_EXPECT = "select 1 from provisioning_job where workspace_id = $1 and id = $2 and fence = $3 for share";
    JOB_SET_STATE = "update provisioning_job set state = $3 where workspace_id = $1 and id = $2";
    CYCLE_PUT = "insert into provisioning_cycle (workspace_id, job_id, id, body) values ($1, $2, $3, $4) \
        on conflict (workspace_id, job_id, id) do update set body = excluded.body";
    CYCLE_GET = "select c.body from provisioning_cycle c where c.workspace_id = $1 and c.job_id = $2 and c.id = $3";
    CYCLE_LIST = "select c.body from provisioning_cycle c where c.workspace_id = $1 and c.job_id = $2 \
        order by c.id desc limit $3";
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: JobId,
    /// What people call it: one job a name.
    pub name: String,
    /// What it does, as its file has it.
    pub definition: String,
    /// Where it stands.
    pub state: JobState,
    /// When it runs by itself next.
    pub runs_at: Option<Timestamp>,
    /// Grows with each taking.
    pub fence: i64,
    /// Who performs it.
    pub holder: Option<String>,
    /// Until when nobody else does.
    pub leased_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Mappings as an Entra ID schema has them, in the place of the definition's.
    pub graph_schema: Option<String>,
    /// Up to which number of the workspace's own directory leavers were looked for; `None` for jobs that
    /// read elsewhere.
    pub feed_seen: Option<i64>,
}

impl JobRow {
    /// What whoever took it writes with.
    pub const fn held(&self) -> Held {
        Held { workspace_id: self.workspace_id, job_id: self.id, fence: self.fence }
    }
}

fn load(row: &mut Columns<'_>) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        workspace_id: row.next()?,
        id: row.next()?,
        name: row.next()?,
        definition: row.next()?,
        state: row.json()?,
        runs_at: row.maybe()?,
        fence: row.next()?,
        holder: row.maybe()?,
        leased_until: row.maybe()?,
        created_at: row.next()?,
        graph_schema: row.maybe()?,
        feed_seen: row.maybe()?,
    })
}

fn load_cycle(row: &mut Columns<'_>) -> Result<CycleSummary, StoreError> {
    row.json()
}

impl Store {
    /// The job of this id.
    pub async fn provisioning_job(&self, ws: WorkspaceId, id: JobId) -> Result<Option<JobRow>, StoreError> {
        self.look_up_one(&JOB_GET, params![ws, id], load).await
    }

    /// The job of this name.
    pub async fn provisioning_job_named(
        &self,
        ws: WorkspaceId,
        name: &str,
    ) -> Result<Option<JobRow>, StoreError> {
        self.look_up_one(&JOB_NAMED, params![ws, name], load).await
    }

    /// All jobs, by name.
    pub async fn provisioning_jobs(&self, ws: WorkspaceId) -> Result<Vec<JobRow>, StoreError> {
        self.scan(&JOB_LIST, params![ws], load).await
    }

    /// Makes a job, unless there is one of this name.
    pub async fn provisioning_job_insert(&self, job: &JobRow) -> Result<(), StoreError> {
        let params = params![
            job.workspace_id,
            job.id,
            &job.name,
            &job.definition,
            text_of(&job.state),
            job.runs_at,
            job.created_at
        ];
        self.write(vec![op(&JOB_INSERT, params)]).await
    }

    /// Gives a job another definition.
    pub async fn provisioning_job_define(
        &self,
        (ws, id): (WorkspaceId, JobId),
        name: &str,
        definition: &str,
        runs_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write(vec![op(&JOB_DEFINE, params![ws, id, name, definition, runs_at])]).await
    }

    /// Deletes a job with all that it remembers.
    pub async fn provisioning_job_delete(&self, ws: WorkspaceId, id: JobId) -> Result<(), StoreError> {
        self.write(vec![op(&JOB_DELETE, params![ws, id])]).await
    }

    /// Takes a job, unless somebody else performs it: nobody else gets it until `until`.
    pub async fn provisioning_job_take(
        &self,
        (ws, id): (WorkspaceId, JobId),
        now: Timestamp,
        until: Timestamp,
        holder: &str,
    ) -> Result<Option<JobRow>, StoreError> {
        let taken = self.write_returning(&JOB_TAKE, params![ws, id, now, holder, until], load).await?;
        Ok(taken.into_iter().next())
    }

    /// The jobs of all workspaces that are due and that nobody else performs, those due for longest first.
    pub async fn provisioning_jobs_due(
        &self,
        now: Timestamp,
        holder: &str,
        limit: usize,
    ) -> Result<Vec<(WorkspaceId, JobId)>, StoreError> {
        self.look_up(&JOB_DUE, params![now, holder, limit_of(limit)], |row| Ok((row.next()?, row.next()?)))
            .await
    }

    /// Keeps a job for longer; false when somebody else has taken it.
    pub async fn provisioning_job_renew(&self, held: Held, until: Timestamp) -> Result<bool, StoreError> {
        let params = params![held.workspace_id, held.job_id, held.fence, until];
        Ok(!self.write_returning(&JOB_RENEW, params, first::<i64>).await?.is_empty())
    }

    /// Gives a job free.
    pub async fn provisioning_job_free(&self, held: Held) -> Result<(), StoreError> {
        self.write(vec![op(&JOB_FREE, params![held.workspace_id, held.job_id, held.fence])]).await
    }

    /// Says when a job runs next, unless somebody else has taken it.
    pub async fn provisioning_job_plan(
        &self,
        held: Held,
        runs_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let params = params![held.workspace_id, held.job_id, held.fence, runs_at];
        self.write(vec![op(&JOB_PLAN, params)]).await
    }

    /// Jobs that run by themselves, that nobody else performs, and whose workspace's own directory has changes
    /// that they have not looked at.
    pub async fn provisioning_jobs_fed(
        &self,
        now: Timestamp,
        holder: &str,
    ) -> Result<Vec<(WorkspaceId, JobId)>, StoreError> {
        self.look_up(&JOB_FED, params![now, holder], |row| Ok((row.next()?, row.next()?))).await
    }

    /// Leavers were looked for up to this number, unless somebody else has taken the job.
    pub async fn provisioning_job_seen(&self, held: Held, seq: i64) -> Result<(), StoreError> {
        let params = params![held.workspace_id, held.job_id, held.fence, seq];
        self.write(vec![op(&JOB_SEEN, params)]).await
    }

    /// Gives free what somebody of this name held who is no more.
    pub async fn provisioning_jobs_free(&self, holder: &str) -> Result<(), StoreError> {
        self.write(vec![op(&JOB_FREE_ALL, params![holder])]).await
    }

    /// Keeps what a cycle came to.
    pub async fn provisioning_cycle_put(
        &self,
        (ws, job): (WorkspaceId, JobId),
        cycle: &CycleSummary,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_string(cycle).unwrap_or_default();
        self.write(vec![op(&CYCLE_PUT, params![ws, job, cycle.id, body])]).await
    }

    /// What a cycle came to.
    pub async fn provisioning_cycle(
        &self,
        (ws, job): (WorkspaceId, JobId),
        id: CycleId,
    ) -> Result<Option<CycleSummary>, StoreError> {
        self.look_up_one(&CYCLE_GET, params![ws, job, id], load_cycle).await
    }

    /// The latest cycles, latest first.
    pub async fn provisioning_cycles(
        &self,
        (ws, job): (WorkspaceId, JobId),
        limit: usize,
    ) -> Result<Vec<CycleSummary>, StoreError> {
        self.scan(&CYCLE_LIST, params![ws, job, limit_of(limit)], load_cycle).await
    }
}

pub(super) fn text_of(state: &JobState) -> String {
    serde_json::to_string(state).unwrap_or_default()
}

pub(super) fn expect(ws: WorkspaceId, job: JobId, fence: i64) -> Op {
    op(&JOB_EXPECT, params![ws, job, fence]).or_moved("provisioning job")
}

pub(super) fn set_state(ws: WorkspaceId, job: JobId, state: &JobState) -> Op {
    op(&JOB_SET_STATE, params![ws, job, text_of(state)])
}
