//! The flight recorder's entries: the newest of each workspace are kept.

use std::collections::BTreeSet;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{FlightId, RequestId, TokenId, WorkspaceId};
use serde::Serialize;
use serde_json::Value;

use crate::change::Op;
use crate::filter::Draft;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::store::Asked;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "f.workspace_id, f.id, f.at, f.token_id, f.request_id, f.method, f.path, f.status, f.verdict, \
         f.mutating, f.micros, f.address, f.agent, f.detail"
    };
}

statements! {
    FLIGHT_GET = concat!("select ", columns!(), " from flight f where f.workspace_id = $1 and f.id = $2");
    FLIGHT_INSERT = "insert into flight (workspace_id, id, at, token_id, request_id, method, path, status, \
        verdict, mutating, micros, address, agent, detail) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing";
    FLIGHT_PRUNE = "delete from flight where workspace_id = $1 and id <= (select f.id from flight f \
        where f.workspace_id = $1 order by f.id desc limit 1 offset $2)";
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was done.
    Accepted,
    /// It was refused: the client's fault, or a rule's word.
    Refused,
    /// We failed.
    Failed,
}

impl Verdict {
    /// The word as it is stored and shown to machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The value of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Accepted, Self::Refused, Self::Failed].into_iter().find(|verdict| verdict.as_str() == word)
    }
}

/// One request of a directory, redacted before it comes here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlightEntry {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id; ids grow with time.
    pub id: FlightId,
    /// When it came.
    pub at: Timestamp,
    /// With which token.
    pub token_id: TokenId,
    /// The request's id, as in the audit log.
    pub request_id: RequestId,
    /// `PATCH`.
    pub method: String,
    /// The path under the base, with its query.
    pub path: String,
    /// The answer's status.
    pub status: u16,
    /// What became of it.
    pub verdict: Verdict,
    /// Whether it may change something.
    pub mutating: bool,
    /// How long it took.
    pub micros: u64,
    /// From where.
    pub address: String,
    /// The client's `User-Agent`.
    pub agent: Option<String>,
    /// Body, effects, hints and error, redacted by schema.
    pub detail: Value,
}

/// Which entries, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlightFilter {
    /// What became of them.
    pub verdict: Option<Verdict>,
    /// Whether they may change something.
    pub mutating: Option<bool>,
    /// The last id of the page before: only older ones.
    pub after: Option<FlightId>,
    /// At most so many.
    pub limit: usize,
}

fn load(row: &mut Columns<'_>) -> Result<FlightEntry, StoreError> {
    Ok(FlightEntry {
        workspace_id: row.next()?,
        id: row.next()?,
        at: row.next()?,
        token_id: row.next()?,
        request_id: row.next()?,
        method: row.next()?,
        path: row.next()?,
        status: u16::try_from(row.next::<i64>()?).unwrap_or(0),
        verdict: row.next()?,
        mutating: row.next()?,
        micros: row.count()?,
        address: row.next()?,
        agent: row.maybe()?,
        detail: row.json()?,
    })
}

impl Store {
    /// The entry of this id.
    pub async fn flight_get(&self, ws: WorkspaceId, id: FlightId) -> Result<Option<FlightEntry>, StoreError> {
        self.look_up_one(&FLIGHT_GET, params![ws, id], load).await
    }

    /// Entries, newest first.
    pub async fn flight_list(
        &self,
        ws: WorkspaceId,
        filter: FlightFilter,
    ) -> Result<Vec<FlightEntry>, StoreError> {
        let select = concat!("select ", columns!(), " from flight f where f.workspace_id = $1");
        let mut draft = Draft::new(select.to_owned(), params![ws]);
        if let Some(verdict) = filter.verdict {
            draft.push(" and f.verdict = ").bind(verdict);
        }
        if let Some(mutating) = filter.mutating {
            draft.push(" and f.mutating = ").bind(mutating);
        }
        if let Some(id) = filter.after {
            draft.push(" and f.id < ").bind(id);
        }
        draft.push(" order by f.id desc limit ").bind(limit_of(filter.limit));
        self.scan_asked(Asked::made("flight_list", draft, 0, load)).await
    }

    /// Writes entries, and removes the oldest beyond what a workspace keeps.
    pub async fn flight_record(&self, entries: Vec<FlightEntry>) -> Result<(), StoreError> {
        let workspaces: BTreeSet<WorkspaceId> = entries.iter().map(|entry| entry.workspace_id).collect();
        let mut ops: Vec<Op> = entries.into_iter().map(insert).collect();
        let kept = limit_of(self.flights_kept());
        ops.extend(workspaces.into_iter().map(|ws| Op::new(&FLIGHT_PRUNE, params![ws, kept], "flight")));
        self.write(ops).await
    }
}

fn insert(f: FlightEntry) -> Op {
    let params = params![
        f.workspace_id,
        f.id,
        f.at,
        f.token_id,
        f.request_id,
        f.method,
        f.path,
        i64::from(f.status),
        f.verdict,
        f.mutating,
        i64::try_from(f.micros).unwrap_or(i64::MAX),
        f.address,
        f.agent,
        &f.detail,
    ];
    Op::new(&FLIGHT_INSERT, params, "flight")
}
