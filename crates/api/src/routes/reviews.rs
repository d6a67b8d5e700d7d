//! Returning members: what they had, and giving it back in one call.

use axum::Json;
use axum::extract::State;
use latchkey_access::authority::Action;
use latchkey_access::returning::{Choice, Pick};
use latchkey_engine as services;
use latchkey_engine::reviews::Review;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CaseId, GrantId, MemberId, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::grants::GrantView;
use super::members::MemberView;
use super::{Answer, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

/// Somebody whose return waits for a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Waiting {
    #[schema(value_type = String)]
    member_id: MemberId,
    member: MemberView,
}

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let one = "/v1/api/members/{id}/review";
    vec![
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/reviews",
            Action::ReadReviews,
            "Who came back and waits for a person's decision",
        )
        .query::<Paging>()
        .gives::<Page<Waiting>>(200, "A page of them, oldest first.")
        .by(list),
        Endpoint::new(
            HttpMethod::Get,
            one,
            Action::ReadReviews,
            "What a returned member had and could have again",
        )
        .gives::<ReviewView>(200, "The review.")
        .by(get),
        Endpoint::new(
            HttpMethod::Post,
            one,
            Action::CloseReview,
            "Give back what is chosen, and close the review",
        )
        .takes::<ReviewChoice>()
        .gives::<ReviewView>(200, "The review as it is now.")
        .by(close),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/members/{id}/undo-offboarding",
            Action::CancelRotations,
            "Take an offboarding back as a mistake within 30 days: give back all, or what is chosen; earlier passwords never return",
        )
        .takes::<Undo>()
        .gives::<ReviewView>(200, "The review as it is now.")
        .by(undo),
    ]
}

/// What a returned member had and could have again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewView {
    member: MemberView,
    /// Whether it still waits for a decision.
    open: bool,
    /// The leaving that it was before.
    #[schema(value_type = Option<String>)]
    case_id: Option<CaseId>,
    #[schema(value_type = Option<String>)]
    left_at: Option<Timestamp>,
    /// Until when that leaving may be undone by what was removed in it.
    #[schema(value_type = Option<String>)]
    undo_until: Option<Timestamp>,
    /// The direct grants that were removed, those whose account or collection is still there.
    grants: Vec<GrantView>,
    /// The teams that they are in.
    teams: Vec<DormantTeam>,
}

/// A team that a returned member is in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DormantTeam {
    #[schema(value_type = String)]
    team_id: TeamId,
    display_name: String,
    /// Whether access through it counts; else it waits for a person's word.
    effective: bool,
}

/// All, or these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Chosen {
    /// `"all"`.
    Word(String),
    /// Ids.
    Ids(Vec<String>),
}

/// What is given back; what is absent is not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewChoice {
    /// Removed grants: `"all"` or ids.
    grants: Option<Chosen>,
    /// Teams: `"all"` or ids.
    teams: Option<Chosen>,
    /// Why.
    reason: Option<String>,
}

/// Why an offboarding was a mistake.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undo {
    reason: String,
    /// Removed grants: `"all"` or ids. Without this and `teams`, everything is given back, and rotations
    /// that are not done yet are called off; with a choice they go on.
    grants: Option<Chosen>,
    /// Teams: `"all"` or ids.
    teams: Option<Chosen>,
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(paging): Params<Paging>,
) -> Answer<Page<Waiting>> {
    let window = paging.window()?;
    let after = window.after.map(MemberId::from_uuid);
    let rows = services::reviews::list(&state.engine, &by, after, window.read()).await;
    let rows = rows.map_err(problem(&by))?;
    Ok(Json(window.page(
        rows,
        |member| member.id.as_uuid(),
        |member| Waiting { member_id: member.id, member: MemberView::from(&member) },
    )))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<MemberId>) -> Answer<ReviewView> {
    let review = services::reviews::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(view(review)))
}

async fn close(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<MemberId>,
    Body(wish): Body<ReviewChoice>,
) -> Answer<ReviewView> {
    let choice = Choice {
        grants: picked::<GrantId>("grants", wish.grants)?,
        teams: picked::<TeamId>("teams", wish.teams)?,
        reason: wish.reason,
    };
    let review = services::reviews::close(&state.engine, &by, id, &choice).await.map_err(problem(&by))?;
    Ok(Json(view(review)))
}

async fn undo(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<MemberId>,
    Body(wish): Body<Undo>,
) -> Answer<ReviewView> {
    let choice = match (wish.grants, wish.teams) {
        (None, None) => Choice::all(wish.reason),
        (grants, teams) => Choice {
            grants: picked::<GrantId>("grants", grants)?,
            teams: picked::<TeamId>("teams", teams)?,
            reason: Some(wish.reason),
        },
    };
    let review = services::reviews::undo(&state.engine, &by, id, &choice).await.map_err(problem(&by))?;
    Ok(Json(view(review)))
}

fn picked<T: std::str::FromStr>(what: &str, chosen: Option<Chosen>) -> Result<Pick<T>, Problem> {
    match chosen {
        None => Ok(Pick::Only(Vec::new())),
        Some(Chosen::Word(word)) if word == "all" => Ok(Pick::All),
        Some(Chosen::Word(_)) => Err(Problem::invalid(format!("{what} must be \"all\" or a list of ids"))),
        Some(Chosen::Ids(ids)) => {
            let read = |text: &String| {
                text.parse().map_err(|_| Problem::invalid(format!("{what}: {text:?} is not an id")))
            };
            ids.iter().map(read).collect::<Result<_, _>>().map(Pick::Only)
        }
    }
}

fn view(review: Review) -> ReviewView {
    let epoch = review.member.access_epoch;
    ReviewView {
        member: MemberView::from(&review.member),
        open: review.open,
        case_id: review.case.as_ref().map(|case| case.id),
        undo_until: review.undo_until(),
        left_at: review.case.as_ref().map(|case| case.cut_at),
        grants: review.grants.into_iter().map(GrantView::from).collect(),
        teams: review
            .teams
            .into_iter()
            .map(|(team, membership)| DormantTeam {
                team_id: team.id,
                display_name: team.display_name,
                effective: membership.confirmed == Some(epoch),
            })
            .collect(),
    }
}
