//! The flight recorder: what the directory asked, and what came of it.

use axum::Json;
use axum::extract::State;
use latchkey_access::authority::Action;
use latchkey_engine as services;
use latchkey_engine::flights::{FlightEntry, FlightFilter, Verdict};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{FlightId, RequestId, TokenId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, problem, word};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Id, Params};
use crate::page::{Page, Paging};

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/flights", Action::ReadDirectory, "The directory's requests with their verdicts and effects")
            .query::<Search>()
            .gives::<Page<FlightView>>(200, "A page of requests, newest first.")
            .by(list),
        Endpoint::new(HttpMethod::Get, "/v1/api/flights/{id}", Action::ReadDirectory, "One request of the directory")
            .gives::<FlightView>(200, "The request.")
            .by(get),
    ]
}

/// One request of a directory. Values of people's attributes are left out by schema.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlightView {
    #[schema(value_type = String)]
    id: FlightId,
    #[schema(value_type = String)]
    at: Timestamp,
    /// With which token.
    #[schema(value_type = String)]
    token_id: TokenId,
    /// As in the audit log.
    #[schema(value_type = String)]
    request_id: RequestId,
    method: String,
    /// Under the base, with its query; texts in filters are left out.
    path: String,
    status: u16,
    /// `accepted`, `refused` or `failed`.
    verdict: &'static str,
    /// Whether it may change something.
    mutating: bool,
    /// How long it took.
    micros: u64,
    address: String,
    agent: Option<String>,
    /// The body's shape, effects, hints and error.
    #[schema(value_type = Object)]
    detail: Value,
}

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// `accepted`, `refused` or `failed`; all if absent.
    verdict: Option<String>,
    /// Whether they may change something; both if absent.
    mutating: Option<bool>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<FlightView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let words = ["accepted", "refused", "failed"].into_iter();
    let filter = FlightFilter {
        verdict: word("verdict", search.verdict.as_deref(), Verdict::from_word, words)?,
        mutating: search.mutating,
        after: window.after.map(FlightId::from_uuid),
        limit: window.read(),
    };
    let rows = services::flights::list(&state.engine, &by, filter).await.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |flight| flight.id.as_uuid(), FlightView::from)))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<FlightId>) -> Answer<FlightView> {
    let flight = services::flights::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(flight.into()))
}

impl From<FlightEntry> for FlightView {
    fn from(flight: FlightEntry) -> Self {
        Self {
            id: flight.id,
            at: flight.at,
            token_id: flight.token_id,
            request_id: flight.request_id,
            method: flight.method,
            path: flight.path,
            status: flight.status,
            verdict: flight.verdict.as_str(),
            mutating: flight.mutating,
            micros: flight.micros,
            address: flight.address,
            agent: flight.agent,
            detail: flight.detail,
        }
    }
}
