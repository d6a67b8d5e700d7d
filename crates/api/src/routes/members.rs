//! Members, and what each can use.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_access::{Member, MemberState, Origin, Role};
use latchkey_engine::members::NewMember;
use latchkey_engine::offboardings::Foreseen;
use latchkey_engine::{self as services, MemberQuery};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::ways::AccessView;
use super::{Answer, looked_for, problem, word};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/members", Action::ReadMembers, "Look for members")
            .query::<Search>()
            .gives::<Page<MemberView>>(200, "A page of members, oldest first.")
            .by(list),
        Endpoint::new(HttpMethod::Post, "/v1/api/members", Action::AddMember, "Add a member by hand")
            .takes::<MemberDraft>()
            .gives::<MemberView>(201, "The member.")
            .by(add),
        Endpoint::new(HttpMethod::Get, "/v1/api/members/{id}", Action::ReadMembers, "A member with their teams")
            .gives::<MemberDetail>(200, "The member.")
            .by(get),
        Endpoint::new(HttpMethod::Patch, "/v1/api/members/{id}", Action::SetRole, "Set a member's role")
            .takes::<MemberPatch>()
            .gives::<MemberView>(200, "The member as it is now.")
            .by(patch),
        Endpoint::new(HttpMethod::Post, "/v1/api/members/{id}/deactivate", Action::Deactivate, "Take a member out, with everything that follows")
            .gives::<MemberView>(200, "The member as it is now.")
            .by(deactivate),
        Endpoint::new(HttpMethod::Post, "/v1/api/members/{id}/reactivate", Action::Reactivate, "Bring a member back, with no access until it is given anew")
            .gives::<MemberView>(200, "The member as it is now.")
            .by(reactivate),
        Endpoint::new(HttpMethod::Get, "/v1/api/members/{id}/access", Action::ReadAccounts, "What a member can use and why, and what does not count and why not")
            .gives::<AccessList>(200, "Every account that something leads to.")
            .by(access),
        Endpoint::new(HttpMethod::Get, "/v1/api/me/access", Action::ReadSelf, "What the caller can use and why")
            .gives::<AccessList>(200, "Every account that something leads to.")
            .by(own_access),
        Endpoint::new(HttpMethod::Get, "/v1/api/members/{id}/simulate-offboarding", Action::ReadOffboardings, "What would follow if this member left now; nothing is written")
            .gives::<SimulationView>(200, "What would follow.")
            .by(simulate),
    ]
}

/// A person in the workspace.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberView {
    #[schema(value_type = String)]
    pub(crate) id: MemberId,
    user_name: String,
    display_name: String,
    work_email: Option<String>,
    external_id: Option<String>,
    #[schema(value_type = String)]
    role: Role,
    /// `active`, `inactive` or `deleted`.
    #[schema(value_type = String)]
    state: MemberState,
    /// Who keeps them: `directory` or `local`.
    #[schema(value_type = String)]
    origin: Origin,
    /// How often they have left, and one: what was given in an earlier epoch no longer counts.
    access_epoch: i64,
    /// Back since leaving, and nobody has decided yet what they get again.
    awaits_review: bool,
    #[schema(value_type = Option<String>)]
    left_at: Option<Timestamp>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = String)]
    modified_at: Timestamp,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self {
            id: member.id,
            user_name: member.user_name.clone(),
            display_name: member.display_name.clone(),
            work_email: member.work_email.clone(),
            external_id: member.external_id.clone(),
            role: member.role,
            state: member.state,
            origin: member.origin,
            access_epoch: member.access_epoch.0,
            awaits_review: member.standing().awaits_review(),
            left_at: member.left_at,
            created_at: member.created_at,
            modified_at: member.modified_at,
        }
    }
}

/// A member with their teams.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberDetail {
    #[serde(flatten)]
    member: MemberView,
    teams: Vec<TeamName>,
}

/// A team by its name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TeamName {
    #[schema(value_type = String)]
    id: TeamId,
    display_name: String,
}

/// Somebody to be added by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberDraft {
    /// Their mail address, which is also their user name.
    email: String,
    display_name: Option<String>,
    /// `guest`, `user` (if absent), `admin`, `super_admin` or `owner`.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
}

/// What is to be changed of a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberPatch {
    /// `guest`, `user`, `admin`, `super_admin` or `owner`.
    #[schema(value_type = String)]
    role: Role,
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// The beginning of a user name, a name or a mail address.
    q: Option<String>,
    /// `active` or `inactive`; both if absent.
    state: Option<String>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// What somebody can use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessList {
    /// Every account that something leads to; those without a permission are denied.
    items: Vec<AccessView>,
}

/// What would follow if a member left now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimulationView {
    member: MemberView,
    /// Whether the rotations would wait for a person's word, because many leave at this time.
    held: bool,
    /// How many direct grants would be removed.
    direct_grants: u64,
    items: Vec<SimulatedView>,
}

/// What would follow for one account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimulatedView {
    account_id: String,
    account_name: String,
    sensitivity: String,
    permission: Option<String>,
    /// Whether they know its present password.
    knows_password: bool,
    /// `rotate` or `keep`.
    decision: String,
    /// The rule that decides.
    rule: String,
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<MemberView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let words = MemberState::ALL.iter().map(|state| state.as_str());
    let of_state = word("state", search.state.as_deref(), MemberState::from_word, words)?;
    let query = MemberQuery {
        text: search.q.as_deref().and_then(looked_for),
        state: of_state,
        after: window.after.map(MemberId::from_uuid),
        limit: window.read(),
    };
    let rows = services::members::list(&state.engine, &by, &query).await.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |member| member.id.as_uuid(), |member| MemberView::from(&member))))
}

async fn add(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<MemberDraft>,
) -> Result<(StatusCode, Json<MemberView>), Problem> {
    let new = NewMember {
        user_name: draft.email.trim().to_owned(),
        work_email: Some(draft.email.trim().to_owned()),
        display_name: draft.display_name,
        role: draft.role.unwrap_or(Role::User),
    };
    let member = services::members::add(&state.engine, &by, &new).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(MemberView::from(&member))))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<MemberId>) -> Answer<MemberDetail> {
    let (member, teams) = services::members::with_teams(&state.engine, &by, id).await.map_err(problem(&by))?;
    let teams = teams.into_iter().map(|(id, display_name)| TeamName { id, display_name }).collect();
    Ok(Json(MemberDetail { member: MemberView::from(&member), teams }))
}

async fn patch(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<MemberId>,
    Body(wish): Body<MemberPatch>,
) -> Answer<MemberView> {
    let changed = services::members::set_role(&state.engine, &by, id, wish.role).await.map_err(problem(&by))?;
    Ok(Json(MemberView::from(&changed.member)))
}

async fn deactivate(State(state): State<ApiState>, By(by): By, Id(id): Id<MemberId>) -> Answer<MemberView> {
    let changed = services::members::deactivate(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(MemberView::from(&changed.member)))
}

async fn reactivate(State(state): State<ApiState>, By(by): By, Id(id): Id<MemberId>) -> Answer<MemberView> {
    let changed = services::members::reactivate(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(MemberView::from(&changed.member)))
}

async fn access(State(state): State<ApiState>, By(by): By, Id(id): Id<MemberId>) -> Answer<AccessList> {
    let all = services::access::of_member(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(AccessList { items: all.iter().map(AccessView::from).collect() }))
}

async fn own_access(State(state): State<ApiState>, By(by): By) -> Answer<AccessList> {
    let id = by.member_id().ok_or_else(Problem::unauthenticated)?;
    let all = services::access::of_member(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(AccessList { items: all.iter().map(AccessView::from).collect() }))
}

async fn simulate(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<MemberId>,
) -> Answer<SimulationView> {
    let simulation = services::offboardings::simulate(&state.engine, &by, id).await.map_err(problem(&by))?;
    let show = |item: &Foreseen| SimulatedView {
        account_id: item.account.id.to_string(),
        account_name: item.account.name.clone(),
        sensitivity: item.account.sensitivity.to_string(),
        permission: item.permission.map(|permission| permission.to_string()),
        knows_password: item.knows,
        decision: item.decision.to_string(),
        rule: item.rule.to_owned(),
    };
    Ok(Json(SimulationView {
        member: MemberView::from(&simulation.member),
        held: simulation.held,
        direct_grants: simulation.direct_grants,
        items: simulation.accounts.iter().map(show).collect(),
    }))
}
