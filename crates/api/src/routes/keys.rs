//! The workspace's keys: how they stand, and their replacement.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_engine::key_rotation::{self as services, KeyStatus};
use latchkey_kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::{Answer, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::problem::Problem;

const KEYS: &str = "/v1/api/workspace/keys";

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(
            HttpMethod::Get,
            KEYS,
            Action::ReadKeys,
            "The workspace's keys, and how far a replacement is",
        )
        .gives::<KeyStatusView>(200, "The keys.")
        .by(status),
        Endpoint::new(
            HttpMethod::Post,
            KEYS,
            Action::RotateKeys,
            "Replace the workspace's key; what is sealed is sealed anew in the background",
        )
        .gives::<KeyStatusView>(202, "The keys as they are now.")
        .by(rotate),
    ]
}

/// The workspace's keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyStatusView {
    /// How many versions are still sealed under a key that has been replaced.
    left: u64,
    /// Oldest first; the last one seals. None until the first secret is stored.
    keys: Vec<KeyView>,
}

/// A workspace key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    number: i64,
    /// What it is wrapped under.
    kek_id: String,
    /// How many versions are sealed under it.
    versions: u64,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    retired_at: Option<Timestamp>,
}

async fn status(State(state): State<ApiState>, By(by): By) -> Answer<KeyStatusView> {
    let status = services::status(&state.engine, &by).await.map_err(problem(&by))?;
    Ok(Json(status.into()))
}

async fn rotate(
    State(state): State<ApiState>,
    By(by): By,
) -> Result<(StatusCode, Json<KeyStatusView>), Problem> {
    services::begin(&state.engine, &by).await.map_err(problem(&by))?;
    let status = services::status(&state.engine, &by).await.map_err(problem(&by))?;
    Ok((StatusCode::ACCEPTED, Json(status.into())))
}

impl From<KeyStatus> for KeyStatusView {
    fn from(status: KeyStatus) -> Self {
        let left = status.left();
        let view = |key: services::KeyView| KeyView {
            number: key.number,
            kek_id: key.kek_id,
            versions: key.versions,
            created_at: key.created_at,
            retired_at: key.retired_at,
        };
        Self { left, keys: status.keys.into_iter().map(view).collect() }
    }
}
