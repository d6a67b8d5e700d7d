//! Tasks of people: what is to be done by hand, by whom and until when.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use latchkey_access::authority::Action;
use latchkey_access::rotation::{ManualTask, TaskState};
use latchkey_engine::rotations::tasks::{self as services, Heard, Saying};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, MemberId, RotationId, TaskId};
use latchkey_rotation::Word;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, problem, word};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;
use crate::secret_body::answer;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/tasks", Action::ReadRotations, "Tasks for people")
            .query::<Search>()
            .gives::<Page<TaskView>>(200, "A page of tasks, newest first.")
            .by(list),
        Endpoint::new(HttpMethod::Get, "/v1/api/tasks/{id}", Action::ReadRotations, "A task")
            .gives::<TaskView>(200, "The task.")
            .by(get),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/tasks/{id}/take-over",
            Action::DoTasks,
            "Take care of a task",
        )
        .gives::<TaskView>(200, "The task as it is now.")
        .by(take_over),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/tasks/{id}/new-password",
            Action::DoTasks,
            "Show the password that is ready to be set by hand to who took the task over",
        )
        .gives::<NewPassword<'static>>(200, "The password; that it was shown is on record.")
        .by(new_password),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/tasks/{id}/finish",
            Action::DoTasks,
            "Say what came of a task",
        )
        .takes::<Answered>()
        .gives::<Outcome>(200, "Whether it counts.")
        .by(finish),
    ]
}

/// Something that a person has to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskView {
    #[schema(value_type = String)]
    id: TaskId,
    #[schema(value_type = String)]
    account_id: AccountId,
    #[schema(value_type = String)]
    rotation_id: RotationId,
    /// `change_by_hand`, `takes_long`, `needs_person`, `diverged`, `old_still_works`, `drift` or
    /// `update_dependent`.
    kind: String,
    /// `open`, `done` or `moot`.
    #[schema(value_type = String)]
    state: TaskState,
    /// What is to be done, why, and which versions of the password the vault holds.
    #[schema(value_type = Object)]
    checklist: Value,
    #[schema(value_type = Option<String>)]
    assignee_id: Option<MemberId>,
    /// Who said what.
    #[schema(value_type = Vec<Object>)]
    evidence: Value,
    #[schema(value_type = String)]
    opened_at: Timestamp,
    #[schema(value_type = String)]
    due_at: Timestamp,
    #[schema(value_type = Option<String>)]
    closed_at: Option<Timestamp>,
}

/// The password that is to be set by hand.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewPassword<'a> {
    /// Its version.
    version: i64,
    value: &'a str,
}

/// What somebody says to a task.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    /// `changed`, `retry`, `old_works` or `waive`; waiving takes a Super Admin.
    word: String,
    /// What they add.
    note: Option<String>,
}

/// Whether a word counts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outcome {
    /// `done`, or `needs_another` person to say the same.
    outcome: &'static str,
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// `open`, `done` or `moot`; `open` if absent.
    state: Option<String>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<TaskView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let words = TaskState::ALL.iter().map(|state| state.as_str());
    let of_state = word("state", search.state.as_deref(), TaskState::from_word, words)?;
    let after = window.after.map(TaskId::from_uuid);
    let of_state = of_state.unwrap_or(TaskState::Open);
    let rows = services::list(&state.engine, &by, of_state, after, window.read()).await;
    let rows = rows.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |task| task.id.as_uuid(), view)))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<TaskId>) -> Answer<TaskView> {
    Ok(Json(view(services::get(&state.engine, &by, id).await.map_err(problem(&by))?)))
}

async fn take_over(State(state): State<ApiState>, By(by): By, Id(id): Id<TaskId>) -> Answer<TaskView> {
    Ok(Json(view(services::take_over(&state.engine, &by, id).await.map_err(problem(&by))?)))
}

async fn new_password(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TaskId>,
) -> Result<Response, Problem> {
    let (version, value) = services::show_new(&state.engine, &by, id).await.map_err(problem(&by))?;
    let value = value.expose_secret();
    Ok(answer(&NewPassword { version, value }, value.len()))
}

async fn finish(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TaskId>,
    Body(answered): Body<Answered>,
) -> Answer<Outcome> {
    let words = Word::ALL.iter().map(|word| word.as_str());
    let said = word("word", Some(&answered.word), Word::from_word, words)?;
    let Some(said) = said else { return Err(Problem::invalid("word is needed")) };
    let saying = Saying { word: said, note: answered.note };
    let heard = services::finish(&state.engine, &by, id, &saying).await.map_err(problem(&by))?;
    let outcome = match heard {
        Heard::Done => "done",
        Heard::NeedsAnother => "needs_another",
    };
    Ok(Json(Outcome { outcome }))
}

fn view(task: ManualTask) -> TaskView {
    TaskView {
        id: task.id,
        account_id: task.account_id,
        rotation_id: task.rotation_id,
        kind: task.kind,
        state: task.state,
        checklist: task.checklist,
        assignee_id: task.assignee_id,
        evidence: task.evidence,
        opened_at: task.opened_at,
        due_at: task.due_at,
        closed_at: task.closed_at,
    }
}
