//! Jobs are made, defined, keyed, and told when to run.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_access::jobs::Definition;
use latchkey_engine::jobs::{self, SECRET_NAMES, Secrets};
use latchkey_jobs::{Found, Order, Scope, parsed, with_schema};
use latchkey_kernel::id::JobId;
use latchkey_provisioning::graph_schema;
use latchkey_provisioning::jobfile::{Directory, JobFile};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::super::{Answer, problem};
use super::view::{JobView, view};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id};
use crate::problem::Problem;

pub(super) const READ: Action = Action::ReadProvisioning;
pub(super) const WRITE: Action = Action::WriteProvisioning;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let (all, one) = ("/v1/api/synchronization/jobs", "/v1/api/synchronization/jobs/{id}");
    let schema = "/v1/api/synchronization/jobs/{id}/schema";
    let secrets = "/v1/api/synchronization/jobs/{id}/secrets";
    let (get, post, put, delete) = (HttpMethod::Get, HttpMethod::Post, HttpMethod::Put, HttpMethod::Delete);
    vec![
        Endpoint::new(get.clone(), all, READ, "Provisioning jobs")
            .gives::<JobList>(200, "All jobs, by name.")
            .by(list),
        Endpoint::new(post.clone(), all, WRITE, "Add a provisioning job, which waits to be started")
            .takes::<JobDraft>()
            .gives::<JobView>(201, "The job.")
            .by(create),
        Endpoint::new(get.clone(), one, READ, "A provisioning job, and where it stands")
            .gives::<JobView>(200, "The job.")
            .by(find),
        Endpoint::new(put.clone(), one, WRITE, "Give a provisioning job another definition")
            .takes::<JobDraft>()
            .gives::<JobView>(200, "The job.")
            .by(define),
        Endpoint::new(delete.clone(), one, WRITE, "Remove a provisioning job; what it made stays")
            .gives_nothing()
            .by(remove),
        Endpoint::new(get.clone(), schema, READ, "A job's mappings, as an Entra ID schema has them")
            .gives::<Schema>(200, "The schema.")
            .by(get_schema),
        Endpoint::new(put.clone(), schema, WRITE, "Take over mappings from an Entra ID schema")
            .takes::<Schema>()
            .gives::<Warnings>(200, "They count from the next cycle on; what cannot be kept of them.")
            .by(put_schema),
        Endpoint::new(delete, schema, WRITE, "Take the definition's own mappings again")
            .gives_nothing()
            .by(reset_schema),
        Endpoint::new(get, secrets, READ, "Which secrets a job has; never their values")
            .gives::<SecretList>(200, "Their names.")
            .by(get_secrets),
        Endpoint::new(put, secrets, WRITE, "Replace secrets of a job; an empty value takes one away")
            .takes::<SecretDrafts>()
            .gives_nothing()
            .by(put_secrets),
        Endpoint::new(
            post.clone(),
            "/v1/api/synchronization/jobs/{id}/start",
            WRITE,
            "Let a job run by itself",
        )
        .gives_nothing()
        .by(start),
        Endpoint::new(
            post.clone(),
            "/v1/api/synchronization/jobs/{id}/pause",
            WRITE,
            "Keep a job from running; a cycle under way ends, and all is remembered",
        )
        .gives_nothing()
        .by(pause),
        Endpoint::new(post, "/v1/api/synchronization/jobs/{id}/restart", WRITE, "Make a job forget")
            .takes::<Restart>()
            .gives_nothing()
            .by(restart),
    ]
}

/// Jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    value: Vec<JobView>,
}

/// A job to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobDraft {
    /// As a job file has it (TOML), but without files and environment variables: secrets go under `/secrets`.
    definition: String,
}

/// An Entra ID `synchronizationSchema`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub(crate) struct Schema(Value);

/// What works in another way here, or cannot be kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Warnings {
    warnings: Vec<String>,
}

/// Secrets by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretList {
    value: Vec<SecretShown>,
}

/// A secret, masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretShown {
    key: String,
    value: &'static str,
}

/// Secrets that are replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretDrafts {
    value: Vec<SecretDraft>,
}

/// A secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretDraft {
    /// `SecretToken`, `ClientSecret`, `SourceSecret` or `WebhookSecret`.
    pub(super) key: String,
    #[schema(value_type = String)]
    pub(super) value: SecretString,
}

impl std::fmt::Debug for SecretDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretDraft").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What is forgotten.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restart {
    #[serde(default)]
    criteria: Criteria,
}

/// What is forgotten.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Criteria {
    /// Of Watermark, Escrows, QuarantineState, ConnectorDataStore, ForceDeletes, Full and None, with commas
    /// between; without any, the first three.
    #[serde(default)]
    reset_scope: String,
}

fn checked(text: &str) -> Result<(Definition, JobFile), Problem> {
    let file = parsed(text).map_err(|error| Problem::invalid(error.to_string()))?;
    let fed = matches!(file.source, Directory::Embedded { .. });
    Ok((Definition { name: file.name.clone(), text: text.to_owned(), fed }, file))
}

async fn shown(state: &ApiState, by: &latchkey_engine::Caller, id: JobId) -> Result<JobView, Problem> {
    let found: Found = state.jobs.find(by, id).await.map_err(problem(by))?;
    Ok(view(&found))
}

async fn list(State(state): State<ApiState>, By(by): By) -> Answer<JobList> {
    let mut value = Vec::new();
    for row in jobs::list(&state.engine, &by).await.map_err(problem(&by))? {
        value.push(shown(&state, &by, row.id).await?);
    }
    Ok(Json(JobList { value }))
}

async fn create(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<JobDraft>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    let (definition, _) = checked(&draft.definition)?;
    let row = jobs::add(&state.engine, &by, &definition).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(shown(&state, &by, row.id).await?)))
}

async fn find(State(state): State<ApiState>, By(by): By, Id(id): Id<JobId>) -> Answer<JobView> {
    Ok(Json(shown(&state, &by, id).await?))
}

async fn define(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(draft): Body<JobDraft>,
) -> Answer<JobView> {
    jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let (definition, _) = checked(&draft.definition)?;
    jobs::define(&state.engine, &by, id, &definition).await.map_err(problem(&by))?;
    Ok(Json(shown(&state, &by, id).await?))
}

async fn remove(State(state): State<ApiState>, By(by): By, Id(id): Id<JobId>) -> Result<StatusCode, Problem> {
    jobs::remove(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_schema(State(state): State<ApiState>, By(by): By, Id(id): Id<JobId>) -> Answer<Schema> {
    let row = jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    if let Some(schema) = row.graph_schema.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
        return Ok(Json(Schema(schema)));
    }
    let (_, file) = checked(&row.definition)?;
    let exported = graph_schema::export(file.users.as_ref(), file.groups.as_ref(), None);
    Ok(Json(Schema(exported.schema)))
}

async fn put_schema(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(Schema(schema)): Body<Schema>,
) -> Answer<Warnings> {
    let row = jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let (_, mut file) = checked(&row.definition)?;
    let notes = with_schema(&mut file, &schema).map_err(|error| Problem::invalid(error.to_string()))?;
    jobs::set_schema(&state.engine, &by, id, Some(&schema.to_string())).await.map_err(problem(&by))?;
    Ok(Json(Warnings { warnings: notes.iter().map(ToString::to_string).collect() }))
}

async fn reset_schema(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
) -> Result<StatusCode, Problem> {
    jobs::set_schema(&state.engine, &by, id, None).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_secrets(State(state): State<ApiState>, By(by): By, Id(id): Id<JobId>) -> Answer<SecretList> {
    let names = jobs::secret_names(&state.engine, &by, id).await.map_err(problem(&by))?;
    let value = names.into_iter().map(|key| SecretShown { key, value: "*" }).collect();
    Ok(Json(SecretList { value }))
}

async fn put_secrets(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(drafts): Body<SecretDrafts>,
) -> Result<StatusCode, Problem> {
    jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    if let Some(unknown) = drafts.value.iter().find(|one| !SECRET_NAMES.contains(&one.key.as_str())) {
        let known = SECRET_NAMES.join(", ");
        return Err(Problem::invalid(format!("there is no secret {:?}; there are {known}", unknown.key)));
    }
    let secrets: Secrets = drafts.value.into_iter().map(|one| (one.key, one.value)).collect();
    jobs::set_secrets(&state.engine, &by, id, &secrets).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn order(
    state: &ApiState,
    by: &latchkey_engine::Caller,
    id: JobId,
    (action, order): (&'static str, &Order),
) -> Result<StatusCode, Problem> {
    let body = serde_json::to_value(order).unwrap_or_else(|_| json!({}));
    jobs::order(&state.engine, by, id, action, &body).await.map_err(problem(by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn start(State(state): State<ApiState>, By(by): By, Id(id): Id<JobId>) -> Result<StatusCode, Problem> {
    order(&state, &by, id, ("provisioning_job.started", &Order::Start)).await
}

async fn pause(State(state): State<ApiState>, By(by): By, Id(id): Id<JobId>) -> Result<StatusCode, Problem> {
    order(&state, &by, id, ("provisioning_job.paused", &Order::Pause)).await
}

async fn restart(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(body): Body<Restart>,
) -> Result<StatusCode, Problem> {
    jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let scope = Scope::list(&body.criteria.reset_scope).map_err(|word| {
        let known: Vec<&str> = Scope::ALL.iter().map(|one| one.as_str()).collect();
        Problem::invalid(format!("{word:?} is no reset scope; there are {}", known.join(", ")))
    })?;
    order(&state, &by, id, ("provisioning_job.restarted", &Order::Restart { scope })).await
}
