//! Connectors, how each account is rotated, and what depends on its password.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_access::rotation::{AccountRotation, Connector, Dependent, RotationMode};
use latchkey_engine::rotations::connectors::{self as services, ConnectorPatch, NewConnector, NewSetting};
use latchkey_engine::rotations::Limits;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, ConnectorId, DependentId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::{Answer, problem, word};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Ids};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let one = "/v1/api/connectors/{id}";
    let setting = "/v1/api/accounts/{id}/rotation";
    let dependents = "/v1/api/accounts/{id}/dependents";
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/connectors", Action::ReadConnectors, "Connectors")
            .gives::<ConnectorList>(200, "All, by name.")
            .by(list),
        Endpoint::new(HttpMethod::Post, "/v1/api/connectors", Action::WriteConnectors, "Add a connector")
            .takes::<ConnectorDraft>()
            .gives::<ConnectorView>(201, "The connector, without its credential.")
            .by(add),
        Endpoint::new(HttpMethod::Get, one, Action::ReadConnectors, "A connector")
            .gives::<ConnectorView>(200, "The connector, without its credential.")
            .by(get),
        Endpoint::new(HttpMethod::Patch, one, Action::WriteConnectors, "Change, pause or resume a connector")
            .takes::<ConnectorChange>()
            .gives::<ConnectorView>(200, "The connector as it is now.")
            .by(change),
        Endpoint::new(HttpMethod::Delete, one, Action::WriteConnectors, "Remove a connector that no account has")
            .gives_nothing()
            .by(remove),
        Endpoint::new(HttpMethod::Get, setting, Action::ReadConnectors, "How an account is rotated")
            .gives::<SettingView>(200, "By which connector, how and when.")
            .by(setting_of),
        Endpoint::new(HttpMethod::Put, setting, Action::WriteConnectors, "Say how an account is rotated")
            .takes::<SettingDraft>()
            .gives::<SettingView>(200, "By which connector, how and when.")
            .by(set),
        Endpoint::new(HttpMethod::Get, dependents, Action::ReadConnectors, "What uses an account's password besides people")
            .gives::<DependentList>(200, "All.")
            .by(dependents_of),
        Endpoint::new(HttpMethod::Post, dependents, Action::WriteConnectors, "Add something that has to learn a new password")
            .takes::<DependentDraft>()
            .gives::<DependentView>(201, "The dependent.")
            .by(add_dependent),
        Endpoint::new(
            HttpMethod::Delete,
            "/v1/api/accounts/{id}/dependents/{dependent}",
            Action::WriteConnectors,
            "Remove a dependent",
        )
        .gives_nothing()
        .by(remove_dependent),
    ]
}

/// How secrets are changed at one target.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorView {
    #[schema(value_type = String)]
    id: ConnectorId,
    name: String,
    /// As `postgres`.
    kind: String,
    host: String,
    /// Where the target is; holds no secret.
    #[schema(value_type = Object)]
    config: Value,
    /// What its rotations are held to.
    #[schema(value_type = Object)]
    limits: Value,
    /// Whether it has a credential of its own.
    has_admin: bool,
    /// How many rotations it performs at once.
    at_once: i64,
    /// Why nothing goes through it now.
    paused: Option<String>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = String)]
    modified_at: Timestamp,
}

/// All connectors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorList {
    items: Vec<ConnectorView>,
}

/// A connector to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectorDraft {
    name: String,
    /// As `postgres`.
    kind: String,
    /// Where the target is; secrets are refused in it.
    #[schema(value_type = Object)]
    config: Value,
    /// What its rotations are held to.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    limits: Limits,
    /// The credential that changes others' secrets; sealed at once and never shown again.
    #[schema(value_type = Option<String>)]
    admin: Option<SecretString>,
    /// How many rotations it performs at once; 2 if absent.
    at_once: Option<u16>,
}

/// What is to be different; absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectorChange {
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
    #[schema(value_type = Option<Object>)]
    limits: Option<Limits>,
    #[schema(value_type = Option<String>)]
    admin: Option<SecretString>,
    at_once: Option<u16>,
    /// `true` stops it, `false` lets it go on.
    paused: Option<bool>,
}

/// How an account is rotated.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingView {
    #[schema(value_type = Option<String>)]
    connector_id: Option<ConnectorId>,
    /// `automatic`, `on_approval` or `by_hand`.
    #[schema(value_type = String)]
    mode: RotationMode,
    /// The login name at the target, where it differs from the account's.
    login: Option<String>,
    #[schema(value_type = Object)]
    schedule: Value,
    #[schema(value_type = Option<String>)]
    rotates_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    verifies_at: Option<Timestamp>,
}

/// How an account is to be rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingDraft {
    #[schema(value_type = Option<String>)]
    connector_id: Option<ConnectorId>,
    /// `automatic`, `on_approval` or `by_hand`; `automatic` if absent.
    mode: Option<String>,
    login: Option<String>,
    /// `every_days`, `at_most_every_hours`, `verify_every_hours`; absent is never.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    schedule: latchkey_rotation::Schedule,
}

/// Something that has to learn a new password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DependentView {
    #[schema(value_type = String)]
    id: DependentId,
    name: String,
    /// What a person does.
    instructions: String,
    /// Another account with the same password, which is rotated along.
    #[schema(value_type = Option<String>)]
    other_account_id: Option<AccountId>,
}

/// All of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DependentList {
    items: Vec<DependentView>,
}

/// A dependent to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DependentDraft {
    name: String,
    instructions: String,
    #[schema(value_type = Option<String>)]
    other_account_id: Option<AccountId>,
}

async fn list(State(state): State<ApiState>, By(by): By) -> Answer<ConnectorList> {
    let rows = services::list(&state.engine, &by).await.map_err(problem(&by))?;
    Ok(Json(ConnectorList { items: rows.into_iter().map(view).collect() }))
}

async fn add(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<ConnectorDraft>,
) -> Result<(StatusCode, Json<ConnectorView>), Problem> {
    let new = NewConnector {
        name: draft.name,
        kind: draft.kind,
        config: draft.config,
        limits: draft.limits,
        admin: draft.admin,
        at_once: draft.at_once,
    };
    let row = services::add(&state.engine, &by, &new).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(view(row))))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<ConnectorId>) -> Answer<ConnectorView> {
    Ok(Json(view(services::get(&state.engine, &by, id).await.map_err(problem(&by))?)))
}

async fn change(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ConnectorId>,
    Body(wish): Body<ConnectorChange>,
) -> Answer<ConnectorView> {
    let patch = ConnectorPatch {
        name: wish.name,
        config: wish.config,
        limits: wish.limits,
        admin: wish.admin,
        at_once: wish.at_once,
        paused: wish.paused,
    };
    Ok(Json(view(services::change(&state.engine, &by, id, &patch).await.map_err(problem(&by))?)))
}

async fn remove(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ConnectorId>,
) -> Result<StatusCode, Problem> {
    services::remove(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn setting_of(State(state): State<ApiState>, By(by): By, Id(id): Id<AccountId>) -> Answer<SettingView> {
    let row = services::setting(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(row.map_or_else(by_hand, setting_view)))
}

async fn set(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    Body(draft): Body<SettingDraft>,
) -> Answer<SettingView> {
    let words = RotationMode::ALL.iter().map(|mode| mode.as_str());
    let mode = word("mode", draft.mode.as_deref(), RotationMode::from_word, words)?;
    let new = NewSetting {
        connector_id: draft.connector_id,
        mode: mode.unwrap_or(RotationMode::Automatic),
        login: draft.login,
        schedule: draft.schedule,
    };
    Ok(Json(setting_view(services::set(&state.engine, &by, id, &new).await.map_err(problem(&by))?)))
}

async fn dependents_of(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
) -> Answer<DependentList> {
    let rows = services::dependents(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(DependentList { items: rows.into_iter().map(dependent).collect() }))
}

async fn add_dependent(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    Body(draft): Body<DependentDraft>,
) -> Result<(StatusCode, Json<DependentView>), Problem> {
    let new = (draft.name.as_str(), draft.instructions.as_str(), draft.other_account_id);
    let row = services::add_dependent(&state.engine, &by, id, new).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(dependent(row))))
}

async fn remove_dependent(
    State(state): State<ApiState>,
    By(by): By,
    Ids(id, dependent): Ids<AccountId, DependentId>,
) -> Result<StatusCode, Problem> {
    services::remove_dependent(&state.engine, &by, id, dependent).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(row: Connector) -> ConnectorView {
    ConnectorView {
        id: row.id,
        name: row.name,
        kind: row.kind,
        host: row.host,
        config: row.config,
        limits: row.limits,
        has_admin: row.sealed_admin.is_some(),
        at_once: row.at_once,
        paused: row.paused,
        created_at: row.created_at,
        modified_at: row.modified_at,
    }
}

/// What holds where nobody has said anything.
fn by_hand() -> SettingView {
    SettingView {
        connector_id: None,
        mode: RotationMode::ByHand,
        login: None,
        schedule: Value::Object(serde_json::Map::new()),
        rotates_at: None,
        verifies_at: None,
    }
}

fn setting_view(row: AccountRotation) -> SettingView {
    SettingView {
        connector_id: row.connector_id,
        mode: row.mode,
        login: row.login,
        schedule: row.schedule,
        rotates_at: row.rotates_at,
        verifies_at: row.verifies_at,
    }
}

fn dependent(row: Dependent) -> DependentView {
    DependentView {
        id: row.id,
        name: row.name,
        instructions: row.instructions,
        other_account_id: row.other_account_id,
    }
}
