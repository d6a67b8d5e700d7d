//! The audit log.

use axum::Json;
use axum::extract::State;
use latchkey_access::authority::Action;
use latchkey_engine::{self as services, AuditEntry, AuditFilter};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AuditId, RequestId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::Params;
use crate::page::{Page, Paging};

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/audit", Action::ReadAudit, "Audit records")
            .query::<Search>()
            .gives::<Page<SealedView>>(200, "A page of records, newest first.")
            .by(list),
        Endpoint::new(HttpMethod::Get, "/v1/api/audit/verify", Action::ReadAudit, "Recompute the hash chain")
            .gives::<VerdictView>(200, "Whether it is whole.")
            .by(verify),
    ]
}

/// What happened, to what, by whom, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordView {
    #[schema(value_type = String)]
    id: AuditId,
    #[schema(value_type = String)]
    at: Timestamp,
    /// `directory:<token>`, `member:<id>`, `operator` or `system`.
    actor: String,
    /// As `member.disabled`.
    action: String,
    target_kind: String,
    target_id: String,
    #[schema(value_type = String)]
    request_id: RequestId,
    /// The cause and what changed, without secrets.
    #[schema(value_type = Object)]
    detail: Value,
}

/// A record with its place in the chain.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SealedView {
    #[serde(flatten)]
    record: RecordView,
    /// Its number in the chain; absent until it is sealed, which takes a moment.
    sequence: Option<u64>,
    /// Its hash, in hexadecimal digits.
    hash: Option<String>,
}

/// Whether the chain is whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerdictView {
    whole: bool,
    /// How many records are chained.
    sealed: u64,
    /// How many are not yet.
    unsealed: u64,
    /// What is wrong, record by record.
    faults: Vec<String>,
}

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// An action, as `member.disabled`.
    action: Option<String>,
    /// The id of what they are about.
    target: Option<String>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl From<AuditEntry> for RecordView {
    fn from(record: AuditEntry) -> Self {
        Self {
            id: record.id,
            at: record.at,
            actor: record.actor,
            action: record.action,
            target_kind: record.target_kind,
            target_id: record.target_id,
            request_id: record.request_id,
            detail: record.detail,
        }
    }
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<SealedView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let filter = AuditFilter {
        action: search.action,
        target_id: search.target,
        after: window.after.map(AuditId::from_uuid),
        limit: window.read(),
    };
    let rows = services::audit::list(&state.engine, &by, filter).await.map_err(problem(&by))?;
    let show = |row: AuditEntry| SealedView {
        sequence: row.seq,
        hash: row.hash.map(|hash| hex(&hash)),
        record: RecordView::from(row),
    };
    Ok(Json(window.page(rows, |row| row.id.as_uuid(), show)))
}

async fn verify(State(state): State<ApiState>, By(by): By) -> Answer<VerdictView> {
    let verdict = services::audit::verify(&state.engine, &by).await.map_err(problem(&by))?;
    Ok(Json(VerdictView {
        whole: verdict.breaks.is_empty(),
        sealed: verdict.sealed,
        unsealed: verdict.unsealed,
        faults: verdict.breaks.iter().map(ToString::to_string).collect(),
    }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
