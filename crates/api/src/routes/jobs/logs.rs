//! What a job decided on each object, why, and what came of it.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey_engine::jobs;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CycleId, JobId, LogId};
use latchkey_provisioning::log::{Action, LogEntry, Status};
use latchkey_store::provisioning::log::LogFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::super::{problem, word};
use super::define::READ;
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Id, Params};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/synchronization/jobs/{id}/logs",
            READ,
            "A job's log, newest first",
        )
        .query::<Search>()
        .gives::<LogPage>(200, "A page of entries; as a table (text/csv) if asked for.")
        .by(logs),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/synchronization/jobs/{id}/cycles",
            READ,
            "A job's latest cycles",
        )
        .gives::<CycleList>(200, "The latest 100, latest first.")
        .by(cycles),
    ]
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// Whose name, source id or target id contains this.
    object: Option<String>,
    /// `success`, `failure`, `skipped` or `warning`.
    status: Option<String>,
    /// `create`, `update`, `disable`, `delete`, `stageddelete` or `other`.
    action: Option<String>,
    /// As `Conflict`.
    code: Option<String>,
    /// Of this cycle.
    cycle: Option<String>,
    /// Since then, as 2026-11-25T09:00:00Z.
    since: Option<String>,
    /// How many at most, 1 to 10,000; 100 if absent.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// `json` or `csv`.
    format: Option<String>,
}

/// Entries of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPage {
    #[schema(value_type = Vec<Object>)]
    value: Vec<LogEntry>,
    /// The cursor of the next page; absent at the end.
    next: Option<String>,
}

/// Cycles.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CycleList {
    #[schema(value_type = Vec<Object>)]
    value: Vec<Value>,
}

fn id_of<T: std::str::FromStr>(what: &str, text: Option<String>) -> Result<Option<T>, Problem> {
    text.map(|text| text.parse().map_err(|_| Problem::invalid(format!("{text:?} is no {what}")))).transpose()
}

async fn logs(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Params(search): Params<Search>,
) -> Result<Response, Problem> {
    let row = jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let limit = search.limit.unwrap_or(100);
    if !(1..=10_000).contains(&limit) {
        return Err(Problem::invalid("limit must be from 1 to 10000"));
    }
    let since = search.since.map(|text| {
        Timestamp::parse(&text)
            .map_err(|_| Problem::invalid(format!("since is {text:?}, but a time is needed")))
    });
    let after = search.cursor.map(|cursor| {
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).ok();
        let uuid = bytes.and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok());
        uuid.map(LogId::from_uuid)
            .ok_or_else(|| Problem::invalid("cursor is not one that a page gave; start again without it"))
    });
    let all = |words: &'static [Status]| words.iter().map(|one| one.as_str());
    let filter = LogFilter {
        cycle: id_of::<CycleId>("id of a cycle", search.cycle)?,
        key: None,
        text: search.object,
        action: word(
            "action",
            search.action.as_deref(),
            Action::from_word,
            Action::ALL.iter().map(|one| one.as_str()),
        )?,
        status: word("status", search.status.as_deref(), Status::from_word, all(Status::ALL))?,
        code: search.code,
        since: since.transpose()?,
        after: after.transpose()?,
        oldest_first: false,
        limit: limit + 1,
    };
    let read = state.engine.store().provisioning_log((row.workspace_id, id), &filter).await;
    let mut value = read.map_err(|error| problem(&by)(error.into()))?;
    let more = value.len() > limit;
    value.truncate(limit);
    match search.format.as_deref() {
        Some("csv") => {
            let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
            Ok((kind, latchkey_jobs::csv_of(&value)).into_response())
        }
        None | Some("json") => {
            let next = value.last().filter(|_| more);
            let next = next.map(|entry| URL_SAFE_NO_PAD.encode(entry.id.as_uuid().as_bytes()));
            Ok(Json(LogPage { value, next }).into_response())
        }
        Some(other) => Err(Problem::invalid(format!("format is {other:?}, but json or csv is needed"))),
    }
}

async fn cycles(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
) -> Result<Json<CycleList>, Problem> {
    let row = jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let read = state.engine.store().provisioning_cycles((row.workspace_id, id), 100).await;
    let all = read.map_err(|error| problem(&by)(error.into()))?;
    let value = all.iter().map(|one| super::view::execution(one, one.counts.failed)).collect();
    Ok(Json(CycleList { value }))
}
