//! Tasks of people for rotations, and what else has to learn a new password.

use latchkey_access::member::Version;
use latchkey_access::rotation::{Dependent, ManualTask, TaskState};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, DependentId, RotationId, TaskId, WorkspaceId};

use crate::change::Op;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "t.id, t.workspace_id, t.account_id, t.rotation_id, t.kind, t.state, t.checklist, t.assignee_id, \
         t.evidence, t.reminded, t.opened_at, t.due_at, t.closed_at, t.version"
    };
}

statements! {
    TASK_GET = concat!("select ", columns!(), " from manual_task t where t.workspace_id = $1 and t.id = $2");
    TASK_OPEN_OF = concat!("select ", columns!(), " from manual_task t where t.workspace_id = $1 \
        and t.rotation_id = $2 and t.state = 'open' and t.kind <> 'update_dependent'");
    TASK_LIST = concat!("select ", columns!(), " from manual_task t where t.workspace_id = $1 and t.state = $2 \
        order by t.id desc limit $3");
    TASK_LIST_AFTER = concat!("select ", columns!(), " from manual_task t where t.workspace_id = $1 \
        and t.state = $2 and t.id < $3 order by t.id desc limit $4");
    TASKS_OF_CASE = concat!("select ", columns!(), " from rotation_job j join manual_task t \
        on t.workspace_id = j.workspace_id and t.rotation_id = j.id \
        where j.workspace_id = $1 and j.case_id = $2 order by t.id");
    TASKS_UNREMINDED = concat!("select ", columns!(), " from manual_task t where t.state = 'open' \
        and t.due_at > 0 and t.reminded < 100 and t.opened_at + (t.due_at - t.opened_at) / 2 <= $1 \
        order by t.due_at limit $2");
    TASK_INSERT = "insert into manual_task (id, workspace_id, account_id, rotation_id, kind, state, checklist, \
        assignee_id, evidence, reminded, opened_at, due_at, closed_at, version) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    TASK_UPDATE = "update manual_task set account_id = $3, rotation_id = $4, kind = $5, state = $6, \
        checklist = $7, assignee_id = $8, evidence = $9, reminded = $10, opened_at = $11, due_at = $12, \
        closed_at = $13, version = $14 where workspace_id = $1 and id = $2 and version = $15";
    TASK_CLOSE_OF = "update manual_task set state = $3, closed_at = $4, version = version + 1 \
        where workspace_id = $1 and rotation_id = $2 and state = 'open' and kind <> 'update_dependent'";
    DEPENDENTS = "select d.id, d.account_id, d.name, d.instructions, d.other_account_id from dependent d \
        where d.workspace_id = $1 and d.account_id = $2 order by d.id";
    DEPENDENT_INSERT = "insert into dependent (id, workspace_id, account_id, name, instructions, \
        other_account_id) values ($1, $2, $3, $4, $5, $6)";
    DEPENDENT_DELETE = "delete from dependent where workspace_id = $1 and id = $2";
}

fn load(row: &mut Columns<'_>) -> Result<ManualTask, StoreError> {
    Ok(ManualTask {
        id: row.next()?,
        workspace_id: row.next()?,
        account_id: row.next()?,
        rotation_id: row.next()?,
        kind: row.next()?,
        state: row.next()?,
        checklist: row.json()?,
        assignee_id: row.maybe()?,
        evidence: row.json()?,
        reminded: row.next()?,
        opened_at: row.next()?,
        due_at: row.next()?,
        closed_at: row.maybe()?,
        version: row.next()?,
    })
}

fn load_dependent(row: &mut Columns<'_>) -> Result<Dependent, StoreError> {
    Ok(Dependent {
        id: row.next()?,
        account_id: row.next()?,
        name: row.next()?,
        instructions: row.next()?,
        other_account_id: row.maybe()?,
    })
}

impl Store {
    /// The task of this id.
    pub async fn task_get(&self, ws: WorkspaceId, id: TaskId) -> Result<Option<ManualTask>, StoreError> {
        self.look_up_one(&TASK_GET, params![ws, id], load).await
    }

    /// The open task of a rotation.
    pub async fn task_open_of(
        &self,
        ws: WorkspaceId,
        rotation: RotationId,
    ) -> Result<Option<ManualTask>, StoreError> {
        self.look_up_one(&TASK_OPEN_OF, params![ws, rotation], load).await
    }

    /// Tasks in a state, newest first.
    pub async fn task_page(
        &self,
        ws: WorkspaceId,
        state: TaskState,
        after: Option<TaskId>,
        limit: usize,
    ) -> Result<Vec<ManualTask>, StoreError> {
        match after {
            None => self.scan(&TASK_LIST, params![ws, state, limit_of(limit)], load).await,
            Some(id) => self.scan(&TASK_LIST_AFTER, params![ws, state, id, limit_of(limit)], load).await,
        }
    }

    /// Every task of a case's rotations, oldest first.
    pub async fn tasks_of_case(&self, ws: WorkspaceId, case: CaseId) -> Result<Vec<ManualTask>, StoreError> {
        self.scan(&TASKS_OF_CASE, params![ws, case], load).await
    }

    /// Open tasks of all workspaces of whose time half or more is gone and that were not reminded of
    /// for the last time.
    pub async fn tasks_unreminded(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ManualTask>, StoreError> {
        self.scan(&TASKS_UNREMINDED, params![now, limit_of(limit)], load).await
    }

    /// What else has to learn an account's new password.
    pub async fn dependents(
        &self,
        ws: WorkspaceId,
        account: AccountId,
    ) -> Result<Vec<Dependent>, StoreError> {
        self.look_up(&DEPENDENTS, params![ws, account], load_dependent).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, t: &ManualTask) -> Op {
    let params = params![
        t.id,
        ws,
        t.account_id,
        t.rotation_id,
        &t.kind,
        t.state,
        &t.checklist,
        t.assignee_id,
        &t.evidence,
        t.reminded,
        t.opened_at,
        t.due_at,
        t.closed_at,
        t.version,
    ];
    Op::new(&TASK_INSERT, params, "rotation")
}

pub(crate) fn update(ws: WorkspaceId, t: &ManualTask, expect: Version) -> Op {
    let params = params![
        ws,
        t.id,
        t.account_id,
        t.rotation_id,
        &t.kind,
        t.state,
        &t.checklist,
        t.assignee_id,
        &t.evidence,
        t.reminded,
        t.opened_at,
        t.due_at,
        t.closed_at,
        t.version,
        expect,
    ];
    Op::new(&TASK_UPDATE, params, "task").or_moved("task")
}

pub(crate) fn close_of(ws: WorkspaceId, rotation: RotationId, state: TaskState, at: Timestamp) -> Op {
    Op::new(&TASK_CLOSE_OF, params![ws, rotation, state, at], "task")
}

pub(crate) fn dependent_insert(ws: WorkspaceId, d: &Dependent) -> Op {
    let params = params![d.id, ws, d.account_id, &d.name, &d.instructions, d.other_account_id];
    Op::new(&DEPENDENT_INSERT, params, "account")
}

pub(crate) fn dependent_delete(ws: WorkspaceId, id: DependentId) -> Op {
    Op::new(&DEPENDENT_DELETE, params![ws, id], "dependent").or_missing("dependent")
}
