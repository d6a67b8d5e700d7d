//! Collections: the tree of folders that accounts lie in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::account::Collection;
use latchkey_access::authority::Action;
use latchkey_engine as services;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::CollectionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::{Answer, double, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id};
use crate::page::Page;
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let one = "/v1/api/collections/{id}";
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/collections", Action::ReadAccounts, "All collections")
            .gives::<Page<CollectionView>>(200, "All collections, oldest first.")
            .by(list),
        Endpoint::new(HttpMethod::Post, "/v1/api/collections", Action::WriteAccounts, "Make a collection")
            .takes::<CollectionDraft>()
            .gives::<CollectionView>(201, "The collection.")
            .by(create),
        Endpoint::new(HttpMethod::Get, one, Action::ReadAccounts, "A collection")
            .gives::<CollectionView>(200, "The collection.")
            .by(get),
        Endpoint::new(HttpMethod::Patch, one, Action::WriteAccounts, "Rename or move a collection")
            .takes::<CollectionChange>()
            .gives::<CollectionView>(200, "The collection as it is now.")
            .by(patch),
        Endpoint::new(HttpMethod::Delete, one, Action::WriteAccounts, "Remove an empty collection, with the grants on it")
            .gives_nothing()
            .by(delete),
    ]
}

/// A folder of accounts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CollectionView {
    #[schema(value_type = String)]
    id: CollectionId,
    name: String,
    /// The folder above; absent at the root.
    #[schema(value_type = Option<String>)]
    parent_id: Option<CollectionId>,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

/// A collection to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CollectionDraft {
    name: String,
    /// The folder above; absent at the root.
    #[schema(value_type = Option<String>)]
    parent_id: Option<CollectionId>,
}

/// What is to be changed; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CollectionChange {
    name: Option<String>,
    /// `null` moves it to the root.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    parent_id: Option<Option<CollectionId>>,
}

impl From<Collection> for CollectionView {
    fn from(collection: Collection) -> Self {
        Self {
            id: collection.id,
            name: collection.name,
            parent_id: collection.parent_id,
            created_at: collection.created_at,
        }
    }
}

async fn list(State(state): State<ApiState>, By(by): By) -> Answer<Page<CollectionView>> {
    let rows = services::collections::list(&state.engine, &by).await.map_err(problem(&by))?;
    Ok(Json(Page { items: rows.into_iter().map(CollectionView::from).collect(), next: None }))
}

async fn create(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<CollectionDraft>,
) -> Result<(StatusCode, Json<CollectionView>), Problem> {
    let made = services::collections::create(&state.engine, &by, &draft.name, draft.parent_id).await;
    Ok((StatusCode::CREATED, Json(made.map_err(problem(&by))?.into())))
}

async fn get(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<CollectionId>,
) -> Answer<CollectionView> {
    let found = services::collections::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(found.into()))
}

async fn patch(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<CollectionId>,
    Body(change): Body<CollectionChange>,
) -> Answer<CollectionView> {
    let changed =
        services::collections::update(&state.engine, &by, id, change.name.as_deref(), change.parent_id).await;
    let changed = changed.map_err(problem(&by))?;
    Ok(Json(changed.into()))
}

async fn delete(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<CollectionId>,
) -> Result<StatusCode, Problem> {
    services::collections::delete(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}
