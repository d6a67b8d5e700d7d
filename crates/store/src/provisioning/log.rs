//! Provisioning logs.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CycleId, JobId, LogId, WorkspaceId};
use latchkey_provisioning::EntryId;
use latchkey_provisioning::ledger::ObjectKey;
use latchkey_provisioning::log::{Action, LogEntry, Status};

use super::op;
use crate::change::Op;
use crate::filter::Draft;
use crate::member::limit_of;
use crate::row::{Columns, Row};
use crate::statement::statements;
use crate::store::Asked;
use crate::value::{Val, params};
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "l.id, l.cycle_id, l.at, l.key, l.kind, l.action, l.status, l.code, l.label, l.source_id, l.target_id, \
         l.message, l.millis, l.detail"
    };
}

statements! {
    LOG_GET = concat!("select ", columns!(), " from provisioning_log l where l.workspace_id = $1 and l.job_id = $2 \
        and l.id = $3");
    LOG_INSERT = "insert into provisioning_log (workspace_id, job_id, id, cycle_id, at, key, kind, action, status, \
        code, label, source_id, target_id, message, millis, detail) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing";
    LOG_PRUNE = "delete from provisioning_log where workspace_id = $1 and job_id = $2 and at < $3";
}

/// Which entries, newest first; an empty filter is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Of this cycle.
    pub cycle: Option<CycleId>,
    /// Of this object.
    pub key: Option<ObjectKey>,
    /// Whose name, source id or target id contains this, in any letter case.
    pub text: Option<String>,
    /// With this decision.
    pub action: Option<Action>,
    /// Of which this became.
    pub status: Option<Status>,
    /// With this code.
    pub code: Option<String>,
    /// Since then.
    pub since: Option<Timestamp>,
    /// The last id of the page before: only older ones.
    pub after: Option<LogId>,
    /// Oldest first instead.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: usize,
}

macro_rules! words {
    ($($word:ty),*) => {$(
        impl From<$word> for Val {
            fn from(value: $word) -> Self {
                Self::Word(value.as_str())
            }
        }

        impl crate::row::Column for $word {
            fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
                row.word(at, Self::from_word)
            }
        }
    )*};
}

words!(Action, Status);

fn load(row: &mut Columns<'_>) -> Result<LogEntry, StoreError> {
    Ok(LogEntry {
        id: row.next()?,
        cycle: row.next()?,
        at: row.next()?,
        key: row.next()?,
        kind: row.next()?,
        action: row.next()?,
        status: row.next()?,
        code: row.maybe()?,
        label: row.next()?,
        source_id: EntryId(row.next()?),
        target_id: row.maybe()?,
        message: row.next()?,
        millis: row.count()?,
        detail: row.json()?,
    })
}

impl Store {
    /// The entry of this id.
    pub async fn provisioning_log_entry(
        &self,
        (ws, job): (WorkspaceId, JobId),
        id: LogId,
    ) -> Result<Option<LogEntry>, StoreError> {
        self.look_up_one(&LOG_GET, params![ws, job, id], load).await
    }

    /// Entries of a job's log.
    pub async fn provisioning_log(
        &self,
        (ws, job): (WorkspaceId, JobId),
        filter: &LogFilter,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let select = concat!(
            "select ",
            columns!(),
            " from provisioning_log l where l.workspace_id = $1 and l.job_id = $2"
        );
        let mut draft = Draft::new(select.to_owned(), params![ws, job]);
        let mut tests = 0;
        let mut test = |draft: &mut Draft, text: &'static str, value: Option<Val>| {
            if let Some(value) = value {
                draft.push(text).bind(value);
                tests += 1;
            }
        };
        test(&mut draft, " and l.cycle_id = ", filter.cycle.map(Into::into));
        test(&mut draft, " and l.key = ", filter.key.map(Into::into));
        test(&mut draft, " and l.action = ", filter.action.map(Into::into));
        test(&mut draft, " and l.status = ", filter.status.map(Into::into));
        test(&mut draft, " and l.code = ", filter.code.as_deref().map(Into::into));
        test(&mut draft, " and l.at >= ", filter.since.map(Into::into));
        if let Some(text) = &filter.text {
            for (before, column) in
                [(" and (", "l.label"), (" or ", "l.source_id"), (" or ", "coalesce(l.target_id, '')")]
            {
                draft.push(before).push("strpos(lower(").push(column).push("), lower(").bind(text.as_str());
                draft.push(")) > 0");
            }
            draft.push(")");
            tests += 1;
        }
        let (order, than) = if filter.oldest_first { ("asc", ">") } else { ("desc", "<") };
        if let Some(id) = filter.after {
            draft.push(&format!(" and l.id {than} ")).bind(id);
        }
        draft.push(&format!(" order by l.id {order} limit ")).bind(limit_of(filter.limit));
        self.scan_asked(Asked::made("provisioning_log", draft, tests, load)).await
    }

    /// Drops entries that are older.
    pub async fn provisioning_log_prune(
        &self,
        (ws, job): (WorkspaceId, JobId),
        before: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(vec![op(&LOG_PRUNE, params![ws, job, before])]).await
    }
}

pub(super) fn insert(ws: WorkspaceId, job: JobId, l: &LogEntry) -> Op {
    let detail = serde_json::to_string(&l.detail).unwrap_or_else(|_| "{}".to_owned());
    let millis = i64::try_from(l.millis).unwrap_or(i64::MAX);
    let params = params![
        ws,
        job,
        l.id,
        l.cycle,
        l.at,
        l.key,
        l.kind,
        l.action,
        l.status,
        l.code.as_deref(),
        &l.label,
        &l.source_id.0,
        l.target_id.as_deref(),
        &l.message,
        millis,
        detail,
    ];
    op(&LOG_INSERT, params)
}
