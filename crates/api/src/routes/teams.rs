//! Teams and their members.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_access::{Member, Membership, Origin, Team};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::members::MemberView;
use super::{Answer, looked_for, problem};
use latchkey_engine::{self as services, TeamQuery};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Ids, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let one = "/v1/api/teams/{id}";
    let seat = "/v1/api/teams/{id}/members/{member}";
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/teams", Action::ReadMembers, "Look for teams")
            .query::<Search>()
            .gives::<Page<TeamView>>(200, "A page of teams, oldest first.")
            .by(list),
        Endpoint::new(HttpMethod::Post, "/v1/api/teams", Action::WriteTeams, "Make a team that is kept here")
            .takes::<TeamDraft>()
            .gives::<TeamView>(201, "The team.")
            .by(create),
        Endpoint::new(HttpMethod::Get, one, Action::ReadMembers, "A team")
            .gives::<TeamView>(200, "The team.")
            .by(get),
        Endpoint::new(HttpMethod::Patch, one, Action::WriteTeams, "Rename a team that is kept here")
            .takes::<TeamDraft>()
            .gives::<TeamView>(200, "The team as it is now.")
            .by(patch),
        Endpoint::new(HttpMethod::Delete, one, Action::WriteTeams, "Remove a team that is kept here, with its grants")
            .gives_nothing()
            .by(delete),
        Endpoint::new(HttpMethod::Get, "/v1/api/teams/{id}/members", Action::ReadMembers, "A team's members")
            .query::<Paging>()
            .gives::<Page<TeamMemberView>>(200, "A page of members.")
            .by(members),
        Endpoint::new(HttpMethod::Put, seat, Action::WriteTeams, "Put a member into a team that is kept here")
            .gives_nothing()
            .by(add),
        Endpoint::new(HttpMethod::Delete, seat, Action::WriteTeams, "Take a member out of a team that is kept here")
            .gives_nothing()
            .by(remove),
    ]
}

/// A set of members.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TeamView {
    #[schema(value_type = String)]
    id: TeamId,
    display_name: String,
    external_id: Option<String>,
    /// Who keeps it: `directory` or `local`.
    #[schema(value_type = String)]
    origin: Origin,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = String)]
    modified_at: Timestamp,
}

/// A team's name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamDraft {
    /// Unique in the workspace.
    display_name: String,
}

/// A member of a team.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TeamMemberView {
    #[serde(flatten)]
    member: MemberView,
    /// Whether access through the team counts for them; else it waits for a person's word since they came back.
    effective: bool,
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// The beginning of a name.
    q: Option<String>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<TeamView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let query = TeamQuery {
        text: search.q.as_deref().and_then(looked_for),
        after: window.after.map(TeamId::from_uuid),
        limit: window.read(),
    };
    let rows = services::teams::list(&state.engine, &by, &query).await.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |team| team.id.as_uuid(), view)))
}

async fn create(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<TeamDraft>,
) -> Result<(StatusCode, Json<TeamView>), Problem> {
    let team = services::teams::create(&state.engine, &by, &draft.display_name).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(view(team))))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<TeamId>) -> Answer<TeamView> {
    let team = services::teams::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(view(team)))
}

async fn patch(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TeamId>,
    Body(draft): Body<TeamDraft>,
) -> Answer<TeamView> {
    let renamed = services::teams::rename(&state.engine, &by, id, &draft.display_name).await;
    Ok(Json(view(renamed.map_err(problem(&by))?)))
}

async fn delete(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TeamId>,
) -> Result<StatusCode, Problem> {
    services::teams::delete(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn members(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<TeamId>,
    Params(paging): Params<Paging>,
) -> Answer<Page<TeamMemberView>> {
    let window = paging.window()?;
    let after = window.after.map(MemberId::from_uuid);
    let rows = services::teams::members(&state.engine, &by, id, after, window.read()).await;
    let rows = rows.map_err(problem(&by))?;
    let show = |(member, membership): (Member, Membership)| TeamMemberView {
        effective: member.standing().is_active() && membership.confirmed == Some(member.access_epoch),
        member: MemberView::from(&member),
    };
    Ok(Json(window.page(rows, |(member, _)| member.id.as_uuid(), show)))
}

async fn add(
    State(state): State<ApiState>,
    By(by): By,
    Ids(team, member): Ids<TeamId, MemberId>,
) -> Result<StatusCode, Problem> {
    services::teams::add_member(&state.engine, &by, team, member).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    State(state): State<ApiState>,
    By(by): By,
    Ids(team, member): Ids<TeamId, MemberId>,
) -> Result<StatusCode, Problem> {
    services::teams::remove_member(&state.engine, &by, team, member).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(team: Team) -> TeamView {
    TeamView {
        id: team.id,
        display_name: team.display_name,
        external_id: team.external_id,
        origin: team.origin,
        created_at: team.created_at,
        modified_at: team.modified_at,
    }
}
