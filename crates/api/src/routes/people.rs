//! People and groups of the workspace's own directory.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_access::{EmbeddedAssignment, EmbeddedObject, ObjectKind, ObjectPresence};
use latchkey_engine::people::{self, ObjectPatch};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::ObjectId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, double, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

const READ: Action = Action::ReadProvisioning;
const WRITE: Action = Action::WriteProvisioning;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let mut all = of_kind::<Users>();
    all.extend(of_kind::<Groups>());
    let members = "/v1/api/directory/groups/{id}/members";
    all.push(
        Endpoint::new(HttpMethod::Get, members, READ, "Members of a group of the workspace's own directory")
            .query::<Paging>()
            .gives::<Page<ObjectView>>(200, "A page of people.")
            .by(list_members),
    );
    all.push(
        Endpoint::new(HttpMethod::Post, members, WRITE, "Put people into a group, and take others out")
            .takes::<Seats>()
            .gives_nothing()
            .by(set_members),
    );
    all
}

/// A kind with its paths.
trait Of: 'static {
    const KIND: ObjectKind;
    const ALL: &'static str;
    const ONE: &'static str;
    const RESTORE: &'static str;
    const ASSIGNMENTS: &'static str;
}

struct Users;
struct Groups;

impl Of for Users {
    const KIND: ObjectKind = ObjectKind::User;
    const ALL: &'static str = "/v1/api/directory/people";
    const ONE: &'static str = "/v1/api/directory/people/{id}";
    const RESTORE: &'static str = "/v1/api/directory/people/{id}/restore";
    const ASSIGNMENTS: &'static str = "/v1/api/directory/people/{id}/assignments";
}

impl Of for Groups {
    const KIND: ObjectKind = ObjectKind::Group;
    const ALL: &'static str = "/v1/api/directory/groups";
    const ONE: &'static str = "/v1/api/directory/groups/{id}";
    const RESTORE: &'static str = "/v1/api/directory/groups/{id}/restore";
    const ASSIGNMENTS: &'static str = "/v1/api/directory/groups/{id}/assignments";
}

fn of_kind<O: Of>() -> Vec<Endpoint<ApiState>> {
    let words: [&'static str; 9] = match O::KIND {
        ObjectKind::User => [
            "People of the workspace's own directory",
            "Add a person to the workspace's own directory",
            "A person of the workspace's own directory",
            "Change, disable or enable a person; a leaver is out at once",
            "Put a person into the bin, or remove them for good",
            "Take a person out of the bin",
            "The applications that a person was given",
            "Give a person an application",
            "Take an application away from a person",
        ],
        ObjectKind::Group => [
            "Groups of the workspace's own directory",
            "Add a group to the workspace's own directory",
            "A group of the workspace's own directory",
            "Change a group of the workspace's own directory",
            "Put a group into the bin, or remove it for good",
            "Take a group out of the bin",
            "The applications that a group was given",
            "Give a group, and its direct members with it, an application",
            "Take an application away from a group",
        ],
    };
    let [list_words, add_words, get_words, patch_words, delete_words, restore_words, given, give, take] =
        words;
    vec![
        Endpoint::new(HttpMethod::Get, O::ALL, READ, list_words)
            .query::<Paging>()
            .gives::<Page<ObjectView>>(200, "A page, oldest first; those in the bin are among them.")
            .by(list::<O>),
        Endpoint::new(HttpMethod::Post, O::ALL, WRITE, add_words)
            .takes::<ObjectDraft>()
            .gives::<ObjectView>(201, "It is there.")
            .by(add::<O>),
        Endpoint::new(HttpMethod::Get, O::ONE, READ, get_words)
            .gives::<ObjectView>(200, "As it is.")
            .by(get::<O>),
        Endpoint::new(HttpMethod::Patch, O::ONE, WRITE, patch_words)
            .takes::<ObjectDraft>()
            .gives::<ObjectView>(200, "As it is now.")
            .by(patch::<O>),
        Endpoint::new(HttpMethod::Delete, O::ONE, WRITE, delete_words)
            .query::<Purge>()
            .gives_nothing()
            .by(delete::<O>),
        Endpoint::new(HttpMethod::Post, O::RESTORE, WRITE, restore_words)
            .gives::<ObjectView>(200, "As it is now.")
            .by(restore::<O>),
        Endpoint::new(HttpMethod::Get, O::ASSIGNMENTS, READ, given)
            .gives::<Assignments>(200, "What it was given, itself or by a group.")
            .by(assignments::<O>),
        Endpoint::new(HttpMethod::Post, O::ASSIGNMENTS, WRITE, give)
            .takes::<AssignmentDraft>()
            .gives_nothing()
            .by(assign::<O>),
        Endpoint::new(HttpMethod::Delete, O::ASSIGNMENTS, WRITE, take)
            .query::<AssignmentKey>()
            .gives_nothing()
            .by(unassign::<O>),
    ]
}

/// A person or a group of the workspace's own directory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectView {
    #[schema(value_type = String)]
    id: ObjectId,
    /// A person's login name, a group's display name.
    name: String,
    /// The id by which another system knows it.
    external_id: Option<String>,
    /// Whether a person may sign in.
    enabled: bool,
    /// `present`, or `soft_deleted` in the bin.
    #[schema(value_type = String)]
    presence: ObjectPresence,
    #[schema(value_type = Option<String>)]
    manager: Option<ObjectId>,
    /// All else, by the names that mappings use.
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = String)]
    modified_at: Timestamp,
}

/// What is to be so; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectDraft {
    /// A person's login name, a group's display name: one of a kind.
    name: Option<String>,
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
    /// Of people.
    enabled: Option<bool>,
    /// Null takes one away.
    #[serde(default)]
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
    /// The id of a person's manager.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    manager: Option<Option<ObjectId>>,
}

impl From<ObjectDraft> for ObjectPatch {
    fn from(draft: ObjectDraft) -> Self {
        let ObjectDraft { name, external_id, enabled, attributes, manager } = draft;
        Self { name, external_id, enabled, attributes, manager }
    }
}

/// How something goes.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Purge {
    /// For good, instead of into the bin.
    #[serde(default)]
    purge: bool,
}

/// Who comes into a group and who leaves it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seats {
    /// Ids of people.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    add: Vec<ObjectId>,
    /// Ids of people.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    remove: Vec<ObjectId>,
}

/// What an object was given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Assignments {
    items: Vec<AssignmentView>,
}

/// That an object was given an application.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssignmentView {
    /// To whom: the object itself, or a group that it is in.
    #[schema(value_type = String)]
    principal_id: ObjectId,
    application: String,
    /// Empty is the default access.
    role: String,
    display: String,
    entitles: bool,
}

/// What an object is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentDraft {
    /// By the name that jobs say.
    application: String,
    /// The role's value; the default access without one.
    #[serde(default)]
    role: String,
    /// The role's name for people; its value without one.
    display: Option<String>,
    /// Whether the role entitles to be provisioned; true if absent.
    entitles: Option<bool>,
}

/// Which assignment.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct AssignmentKey {
    /// By the name that jobs say.
    #[serde(default)]
    application: String,
    /// The role's value.
    #[serde(default)]
    role: String,
}

async fn list<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Params(paging): Params<Paging>,
) -> Answer<Page<ObjectView>> {
    let window = paging.window()?;
    let after = window.after.map(ObjectId::from_uuid);
    let rows = people::list(&state.engine, &by, O::KIND, after, window.read()).await.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |row| row.id.as_uuid(), view)))
}

async fn add<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<ObjectDraft>,
) -> Result<(StatusCode, Json<ObjectView>), Problem> {
    let row = people::add(&state.engine, &by, O::KIND, &draft.into()).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(view(row))))
}

async fn get<O: Of>(State(state): State<ApiState>, By(by): By, Id(id): Id<ObjectId>) -> Answer<ObjectView> {
    let row = people::get(&state.engine, &by, O::KIND, id).await.map_err(problem(&by))?;
    Ok(Json(view(row)))
}

async fn patch<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
    Body(draft): Body<ObjectDraft>,
) -> Answer<ObjectView> {
    let row = people::change(&state.engine, &by, (O::KIND, id), &draft.into()).await.map_err(problem(&by))?;
    Ok(Json(view(row)))
}

async fn delete<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
    Params(how): Params<Purge>,
) -> Result<StatusCode, Problem> {
    if how.purge {
        people::purge(&state.engine, &by, O::KIND, id).await.map_err(problem(&by))?;
    } else {
        people::bin(&state.engine, &by, (O::KIND, id), true).await.map_err(problem(&by))?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn restore<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
) -> Answer<ObjectView> {
    let row = people::bin(&state.engine, &by, (O::KIND, id), false).await.map_err(problem(&by))?;
    Ok(Json(view(row)))
}

async fn assignments<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
) -> Answer<Assignments> {
    let all = people::assignments(&state.engine, &by, O::KIND, id).await.map_err(problem(&by))?;
    let show = |one: EmbeddedAssignment| AssignmentView {
        principal_id: one.principal_id,
        application: one.application,
        role: one.role,
        display: one.display,
        entitles: one.entitles,
    };
    Ok(Json(Assignments { items: all.into_iter().map(show).collect() }))
}

async fn assign<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
    Body(draft): Body<AssignmentDraft>,
) -> Result<StatusCode, Problem> {
    let assignment = EmbeddedAssignment {
        principal_id: id,
        application: draft.application,
        display: draft.display.unwrap_or_else(|| draft.role.clone()),
        role: draft.role,
        entitles: draft.entitles.unwrap_or(true),
    };
    people::assign(&state.engine, &by, O::KIND, &assignment).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unassign<O: Of>(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
    Params(key): Params<AssignmentKey>,
) -> Result<StatusCode, Problem> {
    let which = (key.application.as_str(), key.role.as_str());
    people::unassign(&state.engine, &by, (O::KIND, id), which).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_members(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
    Params(paging): Params<Paging>,
) -> Answer<Page<ObjectView>> {
    let window = paging.window()?;
    let after = window.after.map(ObjectId::from_uuid);
    let rows = people::members(&state.engine, &by, id, after, window.read()).await.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |row| row.id.as_uuid(), view)))
}

async fn set_members(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<ObjectId>,
    Body(seats): Body<Seats>,
) -> Result<StatusCode, Problem> {
    let change = (&seats.add[..], &seats.remove[..]);
    people::set_members(&state.engine, &by, id, change).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(row: EmbeddedObject) -> ObjectView {
    ObjectView {
        id: row.id,
        name: row.name,
        external_id: row.external_id,
        enabled: row.enabled,
        presence: row.presence,
        manager: row.manager,
        attributes: row.attributes,
        created_at: row.created_at,
        modified_at: row.modified_at,
    }
}
