//! Offboarding cases: what was cut and when, what follows, and a person's word where it waits for one.

use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use latchkey_access::authority::Action;
use latchkey_access::offboarding::{CaseState, ItemDecision, OffboardingCase, Trigger};
use latchkey_access::outbox::{EffectKind, EffectState, OutboxEvent};
use latchkey_engine::offboardings::CaseView;
use latchkey_engine::{self as services, Caller, CaseItemRow, OutboxFilter};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, MemberId, OutboxId, RequestId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::audit::RecordView;
use super::grants::GrantView;
use super::members::MemberView;
use super::{Answer, problem, word};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/offboardings", Action::ReadOffboardings, "Offboarding cases")
            .query::<Search>()
            .gives::<Page<CaseSummary>>(200, "A page of cases, newest first.")
            .by(list),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/offboardings/{id}",
            Action::ReadOffboardings,
            "A case: what was cut, what follows for each account, and the timeline",
        )
        .gives::<CaseDetail>(200, "The case.")
        .by(get),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/offboardings/{id}/report",
            Action::ReadOffboardings,
            "The signed report of a case: JSON, or a page to print with `format=html`",
        )
        .query::<ReportForm>()
        .gives::<ReportView>(200, "The report with its signature.")
        .by(report),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/members/{id}/offboarding-report",
            Action::ReadOffboardings,
            "What the report would say if this member left now, signed",
        )
        .query::<ReportForm>()
        .gives::<ReportView>(200, "The report with its signature.")
        .by(foreseen_report),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/offboardings/{id}/release",
            Action::ReleaseRotations,
            "Let the rotations go that the safeguard holds",
        )
        .gives::<CaseDetail>(200, "The case as it is now.")
        .by(release),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/offboardings/{id}/cancel-rotations",
            Action::CancelRotations,
            "Call off what has not been done of a case's rotations",
        )
        .takes::<CallOff>()
        .gives::<CaseDetail>(200, "The case as it is now.")
        .by(call_off),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/outbox",
            Action::ReadOutbox,
            "Effects that are to happen or have happened",
        )
        .query::<OutboxSearch>()
        .gives::<Page<EffectView>>(200, "A page of effects, newest first.")
        .by(outbox),
    ]
}

/// How a report is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportForm {
    /// `json`, which is signed, or `html`, to be read and printed. Without it, JSON.
    format: Option<String>,
}

/// A report and its signature over the report's JSON without blanks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OffboardingReport)]
pub(crate) struct ReportView {
    /// Who, when, what was removed, each account with what became of it, and how to check all that.
    #[schema(value_type = Object)]
    report: Value,
    /// `algorithm`, `sha256`, `public_key` and `value`.
    #[schema(value_type = Object)]
    signature: Value,
}

async fn report(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<CaseId>,
    Params(form): Params<ReportForm>,
) -> Result<Response, Problem> {
    let signed = services::evidence::of_case(&state.engine, &by, id).await.map_err(problem(&by))?;
    shown(&by, &signed, &form)
}

async fn foreseen_report(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<MemberId>,
    Params(form): Params<ReportForm>,
) -> Result<Response, Problem> {
    let signed = services::evidence::foreseen(&state.engine, &by, id).await.map_err(problem(&by))?;
    shown(&by, &signed, &form)
}

fn shown(by: &Caller, signed: &services::evidence::Signed, form: &ReportForm) -> Result<Response, Problem> {
    let words = ["json", "html"];
    let html = word(
        "format",
        form.format.as_deref(),
        |text| words.contains(&text).then_some(text == "html"),
        words.into_iter(),
    )?;
    if html != Some(true) {
        return Ok(Json(signed).into_response());
    }
    services::evidence::page(signed).map(|page| Html(page).into_response()).map_err(problem(by))
}

/// One leaving of one member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseSummary {
    #[schema(value_type = String)]
    id: CaseId,
    #[schema(value_type = String)]
    member_id: MemberId,
    /// The epoch that ended.
    epoch: i64,
    /// `directory_disabled`, `directory_deleted` or `admin`.
    #[schema(value_type = String)]
    trigger: Trigger,
    /// `open`, `held` or `complete`.
    #[schema(value_type = String)]
    state: CaseState,
    /// When access was cut.
    #[schema(value_type = String)]
    cut_at: Timestamp,
    /// The request that did it.
    #[schema(value_type = String)]
    request_id: RequestId,
    /// Counts and facts as decided at that moment.
    #[schema(value_type = Object)]
    summary: Value,
}

/// A case with all that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseDetail {
    #[serde(flatten)]
    case: CaseSummary,
    /// Who left.
    member: Option<MemberView>,
    /// What follows for each account that they could use or knew.
    items: Vec<ItemView>,
    /// The direct grants that were removed.
    removed_grants: Vec<GrantView>,
    /// The rotations, most urgent first.
    rotations: Vec<EffectView>,
    /// Notices that follow from it.
    notices: Vec<EffectView>,
    /// What the same request did, record by record.
    timeline: Vec<RecordView>,
}

/// What a leaver could do with one account, what they knew, and what follows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemView {
    #[schema(value_type = String)]
    account_id: AccountId,
    /// Its name at that time.
    account_name: String,
    /// `rotate` or `keep`.
    #[schema(value_type = String)]
    decision: ItemDecision,
    /// The rule that decided.
    rule: String,
    /// How they could reach it and what they knew of it.
    #[schema(value_type = Object)]
    evidence: Value,
}

/// An effect that is to happen, or has happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EffectView {
    #[schema(value_type = String)]
    id: OutboxId,
    /// `rotation` or `notice`.
    #[schema(value_type = String)]
    kind: EffectKind,
    #[schema(value_type = Option<String>)]
    case_id: Option<CaseId>,
    /// The account whose password is to be changed, for a rotation.
    account_id: Option<String>,
    /// Smaller is sooner.
    priority: i64,
    /// `ready`, `held`, `done` or `cancelled`.
    #[schema(value_type = String)]
    state: EffectState,
    /// What it is about, without secrets.
    #[schema(value_type = Object)]
    payload: Value,
    #[schema(value_type = String)]
    due_at: Timestamp,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

/// Why rotations are called off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallOff {
    reason: String,
}

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// `open`, `held` or `complete`; all if absent.
    state: Option<String>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which effects.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct OutboxSearch {
    /// `rotation` or `notice`; both if absent.
    kind: Option<String>,
    /// `ready`, `held`, `done` or `cancelled`; all if absent.
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
) -> Answer<Page<CaseSummary>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let words = CaseState::ALL.iter().map(|state| state.as_str());
    let of_state = word("state", search.state.as_deref(), CaseState::from_word, words)?;
    let after = window.after.map(CaseId::from_uuid);
    let rows = services::offboardings::list(&state.engine, &by, of_state, after, window.read()).await;
    let rows = rows.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |case| case.id.as_uuid(), summary)))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<CaseId>) -> Answer<CaseDetail> {
    let view = services::offboardings::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(detail(view)))
}

async fn release(State(state): State<ApiState>, By(by): By, Id(id): Id<CaseId>) -> Answer<CaseDetail> {
    let view = services::offboardings::release(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(detail(view)))
}

async fn call_off(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<CaseId>,
    Body(wish): Body<CallOff>,
) -> Answer<CaseDetail> {
    let view = services::offboardings::cancel_rotations(&state.engine, &by, id, &wish.reason).await;
    Ok(Json(detail(view.map_err(problem(&by))?)))
}

async fn outbox(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<OutboxSearch>,
) -> Answer<Page<EffectView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    let kinds = EffectKind::ALL.iter().map(|kind| kind.as_str());
    let states = EffectState::ALL.iter().map(|state| state.as_str());
    let filter = OutboxFilter {
        kind: word("kind", search.kind.as_deref(), EffectKind::from_word, kinds)?,
        state: word("state", search.state.as_deref(), EffectState::from_word, states)?,
    };
    let after = window.after.map(OutboxId::from_uuid);
    let rows = services::outbox::list(&state.engine, &by, filter, after, window.read()).await;
    let rows = rows.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |event| event.id.as_uuid(), effect)))
}

fn summary(case: OffboardingCase) -> CaseSummary {
    CaseSummary {
        id: case.id,
        member_id: case.member_id,
        epoch: case.epoch.0,
        trigger: case.trigger,
        state: case.state,
        cut_at: case.cut_at,
        request_id: case.request_id,
        summary: case.summary,
    }
}

fn detail(view: CaseView) -> CaseDetail {
    let (mut rotations, notices): (Vec<_>, Vec<_>) =
        view.effects.into_iter().partition(|event| event.kind == EffectKind::Rotation);
    rotations.sort_by_key(|event| (event.priority, event.id));
    CaseDetail {
        case: summary(view.case),
        member: view.member.as_ref().map(MemberView::from),
        items: view.items.into_iter().map(item).collect(),
        removed_grants: view.grants.into_iter().map(GrantView::from).collect(),
        rotations: rotations.into_iter().map(effect).collect(),
        notices: notices.into_iter().map(effect).collect(),
        timeline: view.timeline.into_iter().map(RecordView::from).collect(),
    }
}

fn item(item: CaseItemRow) -> ItemView {
    ItemView {
        account_id: item.account_id,
        account_name: item.account_name,
        decision: item.decision,
        rule: item.rule,
        evidence: item.evidence,
    }
}

fn effect(event: OutboxEvent) -> EffectView {
    EffectView {
        id: event.id,
        kind: event.kind,
        case_id: event.case_id,
        account_id: event.payload["account_id"].as_str().map(str::to_owned),
        priority: event.priority,
        state: event.state,
        payload: event.payload,
        due_at: event.due_at,
        created_at: event.created_at,
    }
}
