//! Rotations: asked for, watched, approved and called off.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use latchkey_access::authority::Action;
use latchkey_access::rotation::{RotationRow, RotationStep};
use latchkey_engine::rotations::{self as services, DryRun, RotationFilter, RotationView as Rotation};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, ConnectorId, RotationId};
use latchkey_rotation::{Job, Reason};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, problem, word};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Ids, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/rotations", Action::ReadRotations, "Rotations")
            .query::<Search>()
            .gives::<Page<RotationView>>(200, "A page of rotations, newest first.")
            .by(list),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/rotations/{id}",
            Action::ReadRotations,
            "A rotation, act by act",
        )
        .gives::<RotationDetail>(200, "The rotation.")
        .by(get),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/rotations/{id}/pictures/{step}",
            Action::SeePictures,
            "What the page looked like when a step failed: an image, every field on it blanked",
        )
        .gives_file(200, "image/png", "The picture.")
        .by(picture),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/rotations/{id}/approve",
            Action::Rotate,
            "Let a rotation go that waits for approval",
        )
        .gives::<RotationDetail>(200, "The rotation as it is now.")
        .by(approve),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/rotations/{id}/call-off",
            Action::Rotate,
            "Call a rotation off; once something was sent, it ends when it is known which password works",
        )
        .gives::<RotationDetail>(200, "The rotation as it is now.")
        .by(call_off),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/accounts/{id}/rotate",
            Action::Rotate,
            "Have an account's password changed at the real system, or only tried out",
        )
        .takes::<Wish>()
        .gives::<RotationDetail>(202, "The rotation, which goes on by itself.")
        .by(request),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/accounts/{id}/rotate/dry-run",
            Action::Rotate,
            "What a rotation would do: reaches the target, and changes nothing",
        )
        .gives::<DryRunView>(200, "What it would do.")
        .by(dry_run),
    ]
}

/// One rotation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RotationView {
    #[schema(value_type = String)]
    id: RotationId,
    #[schema(value_type = String)]
    account_id: AccountId,
    #[schema(value_type = Option<String>)]
    connector_id: Option<ConnectorId>,
    #[schema(value_type = Option<String>)]
    case_id: Option<CaseId>,
    /// `offboarding`, `grant_end`, `breach`, `request`, `schedule` or `verify_only`.
    reason: String,
    /// Where it stands, as `staged`; `done`, `rolled_back`, `abandoned`, `superseded` and `waived` are ends,
    /// and `manual_task` waits for a person.
    state: String,
    /// Whether nothing follows any more.
    over: bool,
    /// Smaller is sooner.
    priority: i64,
    /// How often a change was sent.
    changes_sent: u32,
    /// What the last act failed with.
    last_failure: Option<String>,
    /// What does not hold although the new password works.
    exceptions: Vec<String>,
    #[schema(value_type = String)]
    planned_at: Timestamp,
    /// When it is looked at next; absent when it is over or waits for a person.
    #[schema(value_type = Option<String>)]
    next_at: Option<Timestamp>,
    /// When a person is asked as well.
    #[schema(value_type = String)]
    deadline: Timestamp,
    /// When a login with the new password worked.
    #[schema(value_type = Option<String>)]
    verified_at: Option<Timestamp>,
    /// When the new password became the account's.
    #[schema(value_type = Option<String>)]
    committed_at: Option<Timestamp>,
    /// When the old password was seen to be refused.
    #[schema(value_type = Option<String>)]
    old_refused_at: Option<Timestamp>,
    /// How many sessions were ended, where the target says.
    sessions_ended: Option<u64>,
    #[schema(value_type = Option<String>)]
    ended_at: Option<Timestamp>,
}

/// One rotation with all that it went through.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RotationDetail {
    #[serde(flatten)]
    rotation: RotationView,
    /// Act by act, oldest first.
    steps: Vec<StepView>,
    /// Steps that failed of which there is a picture, until the rotation is over.
    pictures: Vec<PictureView>,
}

/// That there is a picture of the page at which a step failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PictureView {
    /// The number of the step.
    step: i64,
    #[schema(value_type = String)]
    at: Timestamp,
    /// As `image/png`.
    media_type: String,
}

/// One act, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepView {
    number: i64,
    #[schema(value_type = String)]
    at: Timestamp,
    /// `stage`, `change`, `login`, `commit`, `end_sessions` or `open_task`.
    act: String,
    /// In words, without secrets.
    outcome: String,
    /// The state that followed.
    state: String,
    /// How long it took, in microseconds.
    micros: i64,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// Only log in with the stored password, and change nothing.
    #[serde(default)]
    verify_only: bool,
    /// `request` or `breach`; `request` if absent.
    reason: Option<String>,
}

/// What a rotation would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DryRunView {
    /// Whether it could go on as planned.
    ready: bool,
    /// What the target is, as it says itself.
    target: Option<String>,
    /// What an admin should know before trusting it.
    warnings: Vec<String>,
    /// Why it could not.
    problem: Option<String>,
    /// The login name at the target.
    login: Option<String>,
    /// Step by step.
    steps: Vec<String>,
}

/// Which rotations.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// `true` for those that are over, `false` for those under way; all if absent.
    over: Option<bool>,
    /// Only of this account.
    #[param(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<RotationView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let after = window.after.map(RotationId::from_uuid);
    let filter = RotationFilter { over: search.over, account: search.account_id, after };
    let rows = services::list(&state.engine, &by, filter, window.read()).await.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |(row, _)| row.id.as_uuid(), |(row, job)| view(row, job))))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<RotationId>) -> Answer<RotationDetail> {
    Ok(Json(detail(services::get(&state.engine, &by, id).await.map_err(problem(&by))?)))
}

async fn picture(
    State(state): State<ApiState>,
    By(by): By,
    Ids(id, step): Ids<RotationId, i64>,
) -> Result<Response, Problem> {
    let found = services::picture(&state.engine, &by, id, step).await.map_err(problem(&by))?;
    // What a page showed is kept by nobody on the way.
    let head = [(CONTENT_TYPE, found.media_type), (CACHE_CONTROL, "no-store".to_owned())];
    Ok((head, found.bytes.to_vec()).into_response())
}

async fn approve(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<RotationId>,
) -> Answer<RotationDetail> {
    Ok(Json(detail(services::approve(&state.engine, &by, id).await.map_err(problem(&by))?)))
}

async fn call_off(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<RotationId>,
) -> Answer<RotationDetail> {
    Ok(Json(detail(services::call_off(&state.engine, &by, id).await.map_err(problem(&by))?)))
}

async fn request(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    Body(wish): Body<Wish>,
) -> Result<(StatusCode, Json<RotationDetail>), Problem> {
    let asked = [Reason::Request, Reason::Breach];
    let read = |text: &str| asked.into_iter().find(|reason| reason.as_str() == text);
    let reason = word("reason", wish.reason.as_deref(), read, asked.iter().map(|reason| reason.as_str()))?;
    let reason = if wish.verify_only { Reason::VerifyOnly } else { reason.unwrap_or(Reason::Request) };
    let view = services::request(&state.engine, &by, id, reason).await.map_err(problem(&by))?;
    Ok((StatusCode::ACCEPTED, Json(detail(view))))
}

async fn dry_run(State(state): State<ApiState>, By(by): By, Id(id): Id<AccountId>) -> Answer<DryRunView> {
    let DryRun { probe, login, steps, .. } =
        services::dry_run(&state.engine, &by, id).await.map_err(problem(&by))?;
    let (target, warnings, wrong) = match probe {
        None => (None, Vec::new(), None),
        Some(Ok(probe)) => (Some(probe.target), probe.warnings, None),
        Some(Err(wrong)) => (None, Vec::new(), Some(wrong)),
    };
    Ok(Json(DryRunView { ready: wrong.is_none(), target, warnings, problem: wrong, login, steps }))
}

fn view(row: RotationRow, job: Job) -> RotationView {
    RotationView {
        id: row.id,
        account_id: row.account_id,
        connector_id: row.connector_id,
        case_id: row.case_id,
        reason: row.reason,
        state: row.state,
        over: row.over,
        priority: row.priority,
        changes_sent: job.changes_sent,
        last_failure: job.last_failure.or(job.change_failed).map(|failure| failure.message),
        exceptions: job.exceptions,
        planned_at: row.planned_at,
        next_at: row.run_after,
        deadline: job.deadline,
        verified_at: job.verified_at,
        committed_at: job.committed_at,
        old_refused_at: job.old_refused_at,
        sessions_ended: job.sessions_ended,
        ended_at: row.ended_at,
    }
}

fn detail(found: Rotation) -> RotationDetail {
    RotationDetail {
        rotation: view(found.row, found.job),
        steps: found.steps.into_iter().map(step).collect(),
        pictures: found
            .pictures
            .into_iter()
            .map(|(step, at, media_type)| PictureView { step, at, media_type })
            .collect(),
    }
}

fn step(step: RotationStep) -> StepView {
    StepView {
        number: step.number,
        at: step.at,
        act: step.act,
        outcome: step.outcome,
        state: step.state,
        micros: step.micros,
    }
}
