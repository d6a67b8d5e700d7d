//! Grants: given, prolonged, ended.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::authority::Action;
use latchkey_access::{Grant, GrantObject, GrantSubject, Permission};
use latchkey_access::grants::Wish;
use latchkey_engine::grants::To;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, GrantId, MemberId, TeamId};
use latchkey_engine::{self as services, GrantFilter};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::{Answer, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let one = "/v1/api/grants/{id}";
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/grants", Action::ReadAccounts, "Grants, by whom or what they concern")
            .query::<Search>()
            .gives::<Page<GrantView>>(200, "A page of grants, oldest first.")
            .by(list),
        Endpoint::new(HttpMethod::Post, "/v1/api/grants", Action::WriteGrants, "Give a member or a team an account or a collection")
            .takes::<GrantDraft>()
            .gives::<GrantView>(201, "The grant.")
            .by(give),
        Endpoint::new(HttpMethod::Get, one, Action::ReadAccounts, "A grant")
            .gives::<GrantView>(200, "The grant.")
            .by(get),
        Endpoint::new(HttpMethod::Patch, one, Action::WriteGrants, "Set when a grant ends")
            .takes::<GrantEnd>()
            .gives::<GrantView>(200, "The grant as it is now.")
            .by(set_end),
        Endpoint::new(HttpMethod::Delete, one, Action::WriteGrants, "End a grant at once").gives_nothing().by(end),
    ]
}

/// What lets a member or a team use an account or a collection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantView {
    #[schema(value_type = String)]
    id: GrantId,
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    /// The member's epoch in which it was given; it counts in no other.
    epoch: Option<i64>,
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    #[schema(value_type = Option<String>)]
    collection_id: Option<CollectionId>,
    /// `use`, `view`, `manage` or `own`.
    #[schema(value_type = String)]
    permission: Permission,
    #[schema(value_type = Option<String>)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    ends_at: Option<Timestamp>,
    reason: Option<String>,
    granted_by: String,
    #[schema(value_type = String)]
    granted_at: Timestamp,
}

/// A grant to be given: one of `member_id` and `team_id`, on one of `account_id` and `collection_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantDraft {
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    #[schema(value_type = Option<String>)]
    collection_id: Option<CollectionId>,
    /// `use`, `view`, `manage` or `own`.
    #[schema(value_type = String)]
    permission: Permission,
    #[schema(value_type = Option<String>)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    ends_at: Option<Timestamp>,
    reason: Option<String>,
}

/// When a grant ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantEnd {
    /// `null` is never.
    #[schema(value_type = Option<String>)]
    ends_at: Option<Timestamp>,
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// Given to this member.
    #[param(value_type = Option<String>)]
    member: Option<MemberId>,
    /// Given to this team.
    #[param(value_type = Option<String>)]
    team: Option<TeamId>,
    /// On this account.
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// On this collection.
    #[param(value_type = Option<String>)]
    collection: Option<CollectionId>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        let (member_id, epoch, team_id) = match grant.subject {
            GrantSubject::Member(member, epoch) => (Some(member), Some(epoch.0), None),
            GrantSubject::Team(team) => (None, None, Some(team)),
        };
        let (account_id, collection_id) = match grant.object {
            GrantObject::Account(account) => (Some(account), None),
            GrantObject::Collection(collection) => (None, Some(collection)),
        };
        Self {
            id: grant.id,
            member_id,
            epoch,
            team_id,
            account_id,
            collection_id,
            permission: grant.permission,
            starts_at: grant.starts_at,
            ends_at: grant.ends_at,
            reason: grant.reason,
            granted_by: grant.granted_by,
            granted_at: grant.granted_at,
        }
    }
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<GrantView>> {
    let Search { member, team, account, collection, limit, cursor } = search;
    let window = Paging { limit, cursor }.window()?;
    let after = window.after.map(GrantId::from_uuid);
    let filter = GrantFilter { member, team, account, collection };
    let rows = services::grants::list(&state.engine, &by, filter, after, window.read()).await;
    let rows = rows.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |row| row.id.as_uuid(), GrantView::from)))
}

async fn give(
    State(state): State<ApiState>,
    By(by): By,
    Body(draft): Body<GrantDraft>,
) -> Result<(StatusCode, Json<GrantView>), Problem> {
    let to = match (draft.member_id, draft.team_id) {
        (Some(member), None) => To::Member(member),
        (None, Some(team)) => To::Team(team),
        _ => return Err(Problem::invalid("give exactly one of member_id and team_id")),
    };
    let object = match (draft.account_id, draft.collection_id) {
        (Some(account), None) => GrantObject::Account(account),
        (None, Some(collection)) => GrantObject::Collection(collection),
        _ => return Err(Problem::invalid("give exactly one of account_id and collection_id")),
    };
    let wish = Wish {
        object,
        permission: draft.permission,
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        reason: draft.reason,
    };
    let grant = services::grants::give(&state.engine, &by, to, &wish).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(grant.into())))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<GrantId>) -> Answer<GrantView> {
    let grant = services::grants::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(grant.into()))
}

async fn set_end(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<GrantId>,
    Body(wish): Body<GrantEnd>,
) -> Answer<GrantView> {
    let grant = services::grants::set_end(&state.engine, &by, id, wish.ends_at).await.map_err(problem(&by))?;
    Ok(Json(grant.into()))
}

async fn end(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<GrantId>,
) -> Result<StatusCode, Problem> {
    services::grants::end(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}
