//! Rotations, each in the hands of one worker at a time, and their history.

use latchkey_access::member::Version;
use latchkey_access::rotation::{RotationRow, RotationStep};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, ConnectorId, RotationId, WorkspaceId};

use crate::change::Op;
use crate::filter::Draft;
use crate::member::limit_of;
use crate::row::{self, Columns};
use crate::statement::statements;
use crate::store::Asked;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    ($j:literal) => {
        concat!(
            $j,
            "id, ",
            $j,
            "workspace_id, ",
            $j,
            "account_id, ",
            $j,
            "connector_id, ",
            $j,
            "case_id, ",
            $j,
            "reason, ",
            $j,
            "cause, ",
            $j,
            "priority, ",
            $j,
            "state, ",
            $j,
            "is_over, ",
            $j,
            "run_after, ",
            $j,
            "body, ",
            $j,
            "version, ",
            $j,
            "planned_at, ",
            $j,
            "ended_at"
        )
    };
}

statements! {
    ROTATION_GET = concat!("select ", columns!("j."), " from rotation_job j where j.workspace_id = $1 and j.id = $2");
    ROTATION_OF_CAUSE = concat!("select ", columns!("j."), " from rotation_job j where j.workspace_id = $1 \
        and j.cause = $2");
    ROTATION_UNDER_WAY = concat!("select ", columns!("j."), " from rotation_job j where j.workspace_id = $1 \
        and j.account_id = $2 and not j.is_over");
    ROTATIONS_OF_ACCOUNT = concat!("select ", columns!("j."), " from rotation_job j where j.workspace_id = $1 \
        and j.account_id = $2 order by j.id desc limit $3");
    ROTATIONS_OF_CASE = concat!("select ", columns!("j."), " from rotation_job j where j.workspace_id = $1 \
        and j.case_id = $2 order by j.id");
    // One at a time: how many a connector has in hand is judged anew for each.
    ROTATION_TAKE = concat!("update rotation_job set leased_until = $2, leased_by = $3, version = version + 1 \
        where (workspace_id, id) in (select j.workspace_id, j.id from rotation_job j \
        where j.run_after <= $1 and (j.leased_until is null or j.leased_until <= $1) \
        and (j.connector_id is null or (select count(*) from rotation_job b \
        where b.workspace_id = j.workspace_id and b.connector_id = j.connector_id and b.leased_until > $1) \
        < coalesce((select n.at_once from connector n where n.workspace_id = j.workspace_id \
        and n.id = j.connector_id), 1)) \
        order by j.priority, j.run_after limit 1 for update skip locked) returning ", columns!(""));
    ROTATION_TAKE_THIS = concat!("update rotation_job set leased_until = $4, leased_by = $5, version = version + 1 \
        where workspace_id = $1 and id = $2 and run_after <= $3 \
        and (leased_until is null or leased_until <= $3) returning ", columns!(""));
    ROTATION_RENEW = "update rotation_job set leased_until = $4 where workspace_id = $1 and id = $2 \
        and version = $3 returning version";
    ROTATION_FREE = "update rotation_job set leased_until = null where leased_by = $1 and leased_until is not null \
        and run_after is not null";
    ROTATION_NEXT_DUE = "select j.run_after from rotation_job j where j.run_after is not null \
        order by j.run_after limit 1";
    ROTATION_INSERT = "insert into rotation_job (id, workspace_id, account_id, connector_id, case_id, reason, cause, \
        priority, state, is_over, run_after, body, version, planned_at, ended_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    ROTATION_UPDATE = "update rotation_job set account_id = $3, connector_id = $4, case_id = $5, reason = $6, \
        cause = $7, priority = $8, state = $9, is_over = $10, run_after = $11, body = $12, version = $13, \
        planned_at = $14, ended_at = $15, leased_until = $16 \
        where workspace_id = $1 and id = $2 and version = $17";
    ROTATIONS_WAKE = "update rotation_job set run_after = $3 where workspace_id = $1 and connector_id = $2 \
        and run_after > $3";
    STEP_INSERT = "insert into rotation_step (workspace_id, rotation_id, number, at, act, outcome, state, micros) \
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    STEPS = "select p.rotation_id, p.number, p.at, p.act, p.outcome, p.state, p.micros from rotation_step p \
        where p.workspace_id = $1 and p.rotation_id = $2 order by p.number";
}

fn load(row: &mut Columns<'_>) -> Result<RotationRow, StoreError> {
    Ok(RotationRow {
        id: row.next()?,
        workspace_id: row.next()?,
        account_id: row.next()?,
        connector_id: row.maybe()?,
        case_id: row.maybe()?,
        reason: row.next()?,
        cause: row.next()?,
        priority: row.next()?,
        state: row.next()?,
        over: row.next()?,
        run_after: row.maybe()?,
        body: row.json()?,
        version: row.next()?,
        planned_at: row.next()?,
        ended_at: row.maybe()?,
    })
}

fn load_step(row: &mut Columns<'_>) -> Result<RotationStep, StoreError> {
    Ok(RotationStep {
        rotation_id: row.next()?,
        number: row.next()?,
        at: row.next()?,
        act: row.next()?,
        outcome: row.next()?,
        state: row.next()?,
        micros: row.next()?,
    })
}

/// Which rotations; an empty filter is all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RotationFilter {
    /// Only those that are over, or only those that are not.
    pub over: Option<bool>,
    /// Of this account.
    pub account: Option<AccountId>,
    /// Older than this one.
    pub after: Option<RotationId>,
}

impl Store {
    /// The rotation of this id.
    pub async fn rotation_get(
        &self,
        ws: WorkspaceId,
        id: RotationId,
    ) -> Result<Option<RotationRow>, StoreError> {
        self.look_up_one(&ROTATION_GET, params![ws, id], load).await
    }

    /// The rotation of this cause.
    pub async fn rotation_of_cause(
        &self,
        ws: WorkspaceId,
        cause: &str,
    ) -> Result<Option<RotationRow>, StoreError> {
        self.look_up_one(&ROTATION_OF_CAUSE, params![ws, cause], load).await
    }

    /// The rotation of an account that is not over.
    pub async fn rotation_under_way(
        &self,
        ws: WorkspaceId,
        account: AccountId,
    ) -> Result<Option<RotationRow>, StoreError> {
        self.look_up_one(&ROTATION_UNDER_WAY, params![ws, account], load).await
    }

    /// The last rotations of an account, newest first.
    pub async fn rotations_of_account(
        &self,
        ws: WorkspaceId,
        account: AccountId,
        limit: usize,
    ) -> Result<Vec<RotationRow>, StoreError> {
        self.scan(&ROTATIONS_OF_ACCOUNT, params![ws, account, limit_of(limit)], load).await
    }

    /// The rotations of a case.
    pub async fn rotations_of_case(
        &self,
        ws: WorkspaceId,
        case: CaseId,
    ) -> Result<Vec<RotationRow>, StoreError> {
        self.scan(&ROTATIONS_OF_CASE, params![ws, case], load).await
    }

    /// Rotations, newest first.
    pub async fn rotation_page(
        &self,
        ws: WorkspaceId,
        filter: RotationFilter,
        limit: usize,
    ) -> Result<Vec<RotationRow>, StoreError> {
        let select = concat!("select ", columns!("j."), " from rotation_job j where j.workspace_id = $1");
        let mut draft = Draft::new(select.to_owned(), params![ws]);
        if let Some(over) = filter.over {
            draft.push(" and j.is_over = ").bind(over);
        }
        if let Some(account) = filter.account {
            draft.push(" and j.account_id = ").bind(account);
        }
        if let Some(id) = filter.after {
            draft.push(" and j.id < ").bind(id);
        }
        draft.push(" order by j.id desc limit ").bind(limit_of(limit));
        self.scan_asked(Asked::made("rotation_page", draft, 0, load)).await
    }

    /// Takes up the most urgent rotation of all workspaces that is due, that nobody has, and whose
    /// connector has room. Nobody else gets it until `until`; its version is bumped, so that who
    /// had it before writes nothing more (V4).
    pub async fn rotation_take(
        &self,
        now: Timestamp,
        until: Timestamp,
        worker: &str,
    ) -> Result<Option<RotationRow>, StoreError> {
        let taken = self.write_returning(&ROTATION_TAKE, params![now, until, worker], load).await?;
        Ok(taken.into_iter().next())
    }

    /// As [`Store::rotation_take`] for this one, whatever its connector has in hand.
    pub async fn rotation_take_this(
        &self,
        (ws, id): (WorkspaceId, RotationId),
        now: Timestamp,
        until: Timestamp,
        worker: &str,
    ) -> Result<Option<RotationRow>, StoreError> {
        let params = params![ws, id, now, until, worker];
        Ok(self.write_returning(&ROTATION_TAKE_THIS, params, load).await?.into_iter().next())
    }

    /// Keeps a rotation for longer; false when somebody else has changed it since.
    pub async fn rotation_renew(
        &self,
        (ws, id): (WorkspaceId, RotationId),
        version: Version,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let params = params![ws, id, version, until];
        Ok(!self.write_returning(&ROTATION_RENEW, params, row::first::<i64>).await?.is_empty())
    }

    /// Gives free what a worker had that is known to be gone.
    pub async fn rotation_free(&self, worker: &str) -> Result<(), StoreError> {
        self.write(vec![Op::new(&ROTATION_FREE, params![worker], "rotation")]).await
    }

    /// Whether nobody else serves this database: an embedded one has one server.
    pub const fn has_one_server(&self) -> bool {
        !matches!(self, Self::Postgres(_))
    }

    /// When the next rotation is due.
    pub async fn rotation_next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.look_up_one(&ROTATION_NEXT_DUE, Vec::new(), row::first).await
    }

    /// What a rotation went through, in order.
    pub async fn rotation_steps(
        &self,
        ws: WorkspaceId,
        id: RotationId,
    ) -> Result<Vec<RotationStep>, StoreError> {
        self.scan(&STEPS, params![ws, id], load_step).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, j: &RotationRow) -> Op {
    let params = params![
        j.id,
        ws,
        j.account_id,
        j.connector_id,
        j.case_id,
        &j.reason,
        &j.cause,
        j.priority,
        &j.state,
        j.over,
        j.run_after,
        &j.body,
        j.version,
        j.planned_at,
        j.ended_at,
    ];
    Op::new(&ROTATION_INSERT, params, "rotation")
}

pub(crate) fn update(
    ws: WorkspaceId,
    j: &RotationRow,
    expect: Version,
    leased_until: Option<Timestamp>,
) -> Op {
    let params = params![
        ws,
        j.id,
        j.account_id,
        j.connector_id,
        j.case_id,
        &j.reason,
        &j.cause,
        j.priority,
        &j.state,
        j.over,
        j.run_after,
        &j.body,
        j.version,
        j.planned_at,
        j.ended_at,
        leased_until,
        expect,
    ];
    Op::new(&ROTATION_UPDATE, params, "rotation").or_moved("rotation")
}

pub(crate) fn wake(ws: WorkspaceId, connector: ConnectorId, at: Timestamp) -> Op {
    Op::new(&ROTATIONS_WAKE, params![ws, connector, at], "rotation")
}

pub(crate) fn step_insert(ws: WorkspaceId, p: &RotationStep) -> Op {
    let params = params![ws, p.rotation_id, p.number, p.at, &p.act, &p.outcome, &p.state, p.micros];
    Op::new(&STEP_INSERT, params, "rotation")
}
