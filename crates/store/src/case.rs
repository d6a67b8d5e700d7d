//! Offboarding cases, with what each found and removed.

use latchkey_access::offboarding::{CaseItem, CaseState, ItemDecision, OffboardingCase};
use latchkey_access::{Epoch, Grant};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, MemberId, WorkspaceId};
use serde_json::Value;

use crate::change::Op;
use crate::member::limit_of;
use crate::row::{self, Columns};
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError, grant};

macro_rules! columns {
    () => {
        "c.id, c.workspace_id, c.member_id, c.epoch, c.trigger_word, c.request_id, c.state, c.cut_at, c.summary"
    };
}

// Newest first: people look at who left last. Ids grow with time.
statements! {
    CASE_GET = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 and c.id = $2");
    CASE_OF_EPOCH = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 \
        and c.member_id = $2 and c.epoch = $3");
    CASE_OF_MEMBER_LAST = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 \
        and c.member_id = $2 order by c.epoch desc limit 1");
    CASE_PAGE = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 \
        order by c.id desc limit $2");
    CASE_PAGE_AFTER = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 \
        and c.id < $2 order by c.id desc limit $3");
    CASE_PAGE_STATE = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 \
        and c.state = $2 order by c.id desc limit $3");
    CASE_PAGE_STATE_AFTER = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 \
        and c.state = $2 and c.id < $3 order by c.id desc limit $4");
    CASES_HELD = concat!("select ", columns!(), " from offboarding_case c where c.state = 'held' \
        and c.cut_at <= $1 order by c.cut_at limit $2");
    LEAVER_COUNT = "select count(*) from (select 1 from offboarding_case c where c.workspace_id = $1 \
        and c.cut_at >= $2 limit $3) as counted";
    WAVE_LOCK = "select 1 from workspace where id = $1 for update";
    WAVE_EXPECT = "select 1 where (select count(*) from (select 1 from offboarding_case c \
        where c.workspace_id = $1 and c.cut_at >= $2 limit $3) as counted) < $3";
    CASES_SETTLED = concat!("select ", columns!(), " from offboarding_case c where c.workspace_id = $1 \
        and c.state = 'open' and not exists (select 1 from outbox o where o.workspace_id = c.workspace_id \
        and o.case_id = c.id and o.kind = 'rotation' and o.state in ('ready', 'held')) \
        and not exists (select 1 from rotation_job j where j.workspace_id = c.workspace_id \
        and j.case_id = c.id and not j.is_over) order by c.id limit $2");
    CASE_CONCLUDE = "update offboarding_case set state = $3, summary = $4 where workspace_id = $1 and id = $2 \
        and state = 'open' and not exists (select 1 from outbox o where o.workspace_id = $1 \
        and o.case_id = $2 and o.kind = 'rotation' and o.state in ('ready', 'held')) \
        and not exists (select 1 from rotation_job j where j.workspace_id = $1 and j.case_id = $2 \
        and not j.is_over)";
    CASE_ITEMS = "select i.case_id, i.account_id, i.account_name, i.decision, i.rule, i.evidence \
        from case_item i where i.workspace_id = $1 and i.case_id = $2 order by i.account_id";
    CASE_REMOVED_GRANTS = "select g.workspace_id, g.id, g.member_id, g.member_epoch, cast(null as uuid), g.account_id, \
        g.collection_id, g.permission, g.starts_at, g.ends_at, g.reason, g.granted_by, g.granted_at \
        from removed_grant g where g.workspace_id = $1 and g.case_id = $2 order by g.id";
    CASE_INSERT = "insert into offboarding_case (id, workspace_id, member_id, epoch, trigger_word, request_id, \
        state, cut_at, summary) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    CASE_ITEM_INSERT = "insert into case_item (workspace_id, case_id, account_id, account_name, decision, rule, \
        evidence) values ($1, $2, $3, $4, $5, $6, $7)";
    CASE_SET_STATE = "update offboarding_case set state = $4 where workspace_id = $1 and id = $2 and state = $3";
}

/// One account of a case, as it was written; see [`CaseItem`].
#[derive(Debug, Clone, PartialEq)]
pub struct CaseItemRow {
    /// The case.
    pub case_id: CaseId,
    /// The account, which may be gone.
    pub account_id: AccountId,
    /// Its name at that time.
    pub account_name: String,
    /// What follows.
    pub decision: ItemDecision,
    /// The rule that decided.
    pub rule: String,
    /// How they could reach it and what they knew of it at that moment.
    pub evidence: Value,
}

fn load(row: &mut Columns<'_>) -> Result<OffboardingCase, StoreError> {
    Ok(OffboardingCase {
        id: row.next()?,
        workspace_id: row.next()?,
        member_id: row.next()?,
        epoch: row.next()?,
        trigger: row.next()?,
        request_id: row.next()?,
        state: row.next()?,
        cut_at: row.next()?,
        summary: row.json()?,
    })
}

fn load_item(row: &mut Columns<'_>) -> Result<CaseItemRow, StoreError> {
    Ok(CaseItemRow {
        case_id: row.next()?,
        account_id: row.next()?,
        account_name: row.next()?,
        decision: row.next()?,
        rule: row.next()?,
        evidence: row.json()?,
    })
}

impl Store {
    /// The case of this id.
    pub async fn case_get(&self, ws: WorkspaceId, id: CaseId) -> Result<Option<OffboardingCase>, StoreError> {
        self.look_up_one(&CASE_GET, params![ws, id], load).await
    }

    /// The case of a member's leaving at the end of this epoch.
    pub async fn case_of_epoch(
        &self,
        ws: WorkspaceId,
        member: MemberId,
        epoch: Epoch,
    ) -> Result<Option<OffboardingCase>, StoreError> {
        self.look_up_one(&CASE_OF_EPOCH, params![ws, member, epoch], load).await
    }

    /// The case of a member's last leaving.
    pub async fn case_of_member_last(
        &self,
        ws: WorkspaceId,
        member: MemberId,
    ) -> Result<Option<OffboardingCase>, StoreError> {
        self.look_up_one(&CASE_OF_MEMBER_LAST, params![ws, member], load).await
    }

    /// Cases, newest first, in a state or in any; `after` is the last id of the page before.
    pub async fn case_page(
        &self,
        ws: WorkspaceId,
        state: Option<CaseState>,
        after: Option<CaseId>,
        limit: usize,
    ) -> Result<Vec<OffboardingCase>, StoreError> {
        let limit = limit_of(limit);
        match (state, after) {
            (None, None) => self.scan(&CASE_PAGE, params![ws, limit], load).await,
            (None, Some(id)) => self.scan(&CASE_PAGE_AFTER, params![ws, id, limit], load).await,
            (Some(state), None) => self.scan(&CASE_PAGE_STATE, params![ws, state, limit], load).await,
            (Some(state), Some(id)) => {
                self.scan(&CASE_PAGE_STATE_AFTER, params![ws, state, id, limit], load).await
            }
        }
    }

    /// Held cases of all workspaces whose access was cut at `until` or before, oldest first.
    pub async fn cases_held(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OffboardingCase>, StoreError> {
        self.look_up(&CASES_HELD, params![until, limit_of(limit)], load).await
    }

    /// Open cases that nothing is left to do for, oldest first.
    pub async fn cases_settled(
        &self,
        ws: WorkspaceId,
        limit: usize,
    ) -> Result<Vec<OffboardingCase>, StoreError> {
        self.look_up(&CASES_SETTLED, params![ws, limit_of(limit)], load).await
    }

    /// How many left at `since` or later, counted up to `limit`.
    pub async fn leaver_count(
        &self,
        ws: WorkspaceId,
        since: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        let params = params![ws, since, limit_of(limit)];
        Ok(self.look_up_one(&LEAVER_COUNT, params, row::count).await?.unwrap_or(0))
    }

    /// The accounts of a case.
    pub async fn case_items(&self, ws: WorkspaceId, case: CaseId) -> Result<Vec<CaseItemRow>, StoreError> {
        self.look_up(&CASE_ITEMS, params![ws, case], load_item).await
    }

    /// The direct grants that a case removed, as they were.
    pub async fn case_removed_grants(&self, ws: WorkspaceId, case: CaseId) -> Result<Vec<Grant>, StoreError> {
        self.look_up(&CASE_REMOVED_GRANTS, params![ws, case], grant::load).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, c: &OffboardingCase) -> Op {
    let params =
        params![c.id, ws, c.member_id, c.epoch, c.trigger, c.request_id, c.state, c.cut_at, &c.summary,];
    Op::new(&CASE_INSERT, params, "case")
}

pub(crate) fn item_insert(ws: WorkspaceId, i: &CaseItem) -> Op {
    let params = params![ws, i.case_id, i.account_id, &i.account_name, i.decision, i.rule, &i.evidence];
    Op::new(&CASE_ITEM_INSERT, params, "case")
}

pub(crate) fn set_state(ws: WorkspaceId, id: CaseId, from: CaseState, to: CaseState) -> Op {
    Op::new(&CASE_SET_STATE, params![ws, id, from, to], "case").or_moved("case")
}

pub(crate) fn conclude(ws: WorkspaceId, id: CaseId, to: CaseState, summary: &Value) -> Op {
    Op::new(&CASE_CONCLUDE, params![ws, id, to, summary], "case").or_moved("case")
}

/// At most so many leavers at `since` or later. The lock comes first, in a statement of its own:
/// the count must see what those committed who held it before.
pub(crate) fn wave_expect(ws: WorkspaceId, since: Timestamp, at_most: u64) -> [Op; 2] {
    let fewer_than = i64::try_from(at_most).unwrap_or(i64::MAX).saturating_add(1);
    [
        Op::new(&WAVE_LOCK, params![ws], "workspace").or_missing("workspace"),
        Op::new(&WAVE_EXPECT, params![ws, since, fewer_than], "wave").or_moved("wave"),
    ]
}
