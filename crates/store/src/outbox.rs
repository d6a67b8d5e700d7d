//! The outbox: effects that wait to be performed, each taken by one performer at a time.

use std::time::Duration;

use latchkey_access::outbox::{EffectKind, EffectState, OutboxEvent};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CaseId, OutboxId, WorkspaceId};

use crate::change::Op;
use crate::filter::Draft;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::store::Asked;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    ($o:literal) => {
        concat!(
            $o,
            "id, ",
            $o,
            "workspace_id, ",
            $o,
            "kind, ",
            $o,
            "effect_key, ",
            $o,
            "case_id, ",
            $o,
            "priority, ",
            $o,
            "payload, ",
            $o,
            "state, ",
            $o,
            "due_at, ",
            $o,
            "created_at"
        )
    };
}

statements! {
    OUTBOX_GET = concat!("select ", columns!("o."), " from outbox o where o.workspace_id = $1 and o.id = $2");
    OUTBOX_OF_CASE = concat!("select ", columns!("o."), " from outbox o where o.workspace_id = $1 \
        and o.case_id = $2 order by o.id");
    OUTBOX_CLAIM = concat!("update outbox set leased_until = $4 where workspace_id = $1 and id in ( \
        select o.id from outbox o where o.workspace_id = $1 and o.kind = $2 and o.state = 'ready' \
        and o.due_at <= $3 and (o.leased_until is null or o.leased_until <= $3) \
        order by o.priority, o.due_at limit $5 for update skip locked) returning ", columns!(""));
    OUTBOX_TAKE = concat!("update outbox set leased_until = $2 where (workspace_id, id) in ( \
        select o.workspace_id, o.id from outbox o where o.kind = 'rotation' and o.state = 'ready' \
        and o.due_at <= $1 and (o.leased_until is null or o.leased_until <= $1) \
        and not exists (select 1 from rotation_job j where j.workspace_id = o.workspace_id \
        and j.cause = o.effect_key) order by o.priority, o.due_at limit $3 for update skip locked) returning ", columns!(""));
    OUTBOX_INSERT = "insert into outbox (id, workspace_id, kind, effect_key, case_id, priority, payload, state, \
        due_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
        on conflict (workspace_id, effect_key) do nothing";
    OUTBOX_SET_STATE_OF_CASE = "update outbox set state = $4, \
        due_at = case when $4 = 'ready' then $5 else due_at end \
        where workspace_id = $1 and case_id = $2 and state = $3 and kind = 'rotation'";
    OUTBOX_DONE = "update outbox set state = 'done' where workspace_id = $1 and effect_key = $2 and state = 'ready'";
    OUTBOX_SET_STATE = "update outbox set state = $4 where workspace_id = $1 and id = $2 and state = $3";
}

fn load(row: &mut Columns<'_>) -> Result<OutboxEvent, StoreError> {
    Ok(OutboxEvent {
        id: row.next()?,
        workspace_id: row.next()?,
        kind: row.next()?,
        key: row.next()?,
        case_id: row.maybe()?,
        priority: row.next()?,
        payload: row.json()?,
        state: row.next()?,
        due_at: row.next()?,
        created_at: row.next()?,
    })
}

/// Which effects; an empty filter is all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxFilter {
    /// What they ask for.
    pub kind: Option<EffectKind>,
    /// Where they stand.
    pub state: Option<EffectState>,
}

impl Store {
    /// The effect of this id.
    pub async fn outbox_get(&self, ws: WorkspaceId, id: OutboxId) -> Result<Option<OutboxEvent>, StoreError> {
        self.look_up_one(&OUTBOX_GET, params![ws, id], load).await
    }

    /// The effects of a case.
    pub async fn outbox_of_case(
        &self,
        ws: WorkspaceId,
        case: CaseId,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        self.look_up(&OUTBOX_OF_CASE, params![ws, case], load).await
    }

    /// Effects after an id, in id order.
    pub async fn outbox_page(
        &self,
        ws: WorkspaceId,
        filter: OutboxFilter,
        after: Option<OutboxId>,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        let select = concat!("select ", columns!("o."), " from outbox o where o.workspace_id = $1");
        let mut draft = Draft::new(select.to_owned(), params![ws]);
        if let Some(kind) = filter.kind {
            draft.push(" and o.kind = ").bind(kind);
        }
        if let Some(state) = filter.state {
            draft.push(" and o.state = ").bind(state);
        }
        if let Some(id) = after {
            draft.push(" and o.id > ").bind(id);
        }
        draft.push(" order by o.id limit ").bind(limit_of(limit));
        self.scan_asked(Asked::made("outbox_page", draft, 0, load)).await
    }

    /// Takes up to `limit` effects that are ready and due, most urgent first, and nobody else gets
    /// them until `now` plus `lease`; who performs one marks it by a change before that, or it is
    /// given out again.
    pub async fn outbox_claim(
        &self,
        ws: WorkspaceId,
        kind: EffectKind,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        let params = params![ws, kind, now, now.plus(lease), limit_of(limit)];
        let mut taken = self.write_returning(&OUTBOX_CLAIM, params, load).await?;
        // What `returning` gives has no order.
        taken.sort_by_key(|event| (event.priority, event.due_at, event.id));
        Ok(taken)
    }
}

impl Store {
    /// As [`Store::outbox_claim`] for rotations, of all workspaces; only those that no rotation was
    /// made of yet.
    pub async fn outbox_take_rotations(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, StoreError> {
        let params = params![now, now.plus(lease), limit_of(limit)];
        let mut taken = self.write_returning(&OUTBOX_TAKE, params, load).await?;
        taken.sort_by_key(|event| (event.priority, event.due_at, event.id));
        Ok(taken)
    }
}

pub(crate) fn insert(ws: WorkspaceId, e: &OutboxEvent) -> Op {
    let params = params![
        e.id,
        ws,
        e.kind,
        &e.key,
        e.case_id,
        e.priority,
        &e.payload,
        e.state,
        e.due_at,
        e.created_at,
    ];
    Op::new(&OUTBOX_INSERT, params, "effect")
}

pub(crate) fn set_state_of_case(
    ws: WorkspaceId,
    case: CaseId,
    (from, to): (EffectState, EffectState),
    at: Timestamp,
) -> Op {
    Op::new(&OUTBOX_SET_STATE_OF_CASE, params![ws, case, from, to, at], "effect")
}

pub(crate) fn set_state(ws: WorkspaceId, id: OutboxId, from: EffectState, to: EffectState) -> Op {
    Op::new(&OUTBOX_SET_STATE, params![ws, id, from, to], "effect").or_moved("effect")
}

pub(crate) fn done(ws: WorkspaceId, key: &str) -> Op {
    Op::new(&OUTBOX_DONE, params![ws, key], "effect")
}
