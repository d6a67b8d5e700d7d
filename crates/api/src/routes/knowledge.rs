//! Who knows a password now, who saw what of an account, and what a member ever saw.

use axum::Json;
use axum::extract::State;
use latchkey_access::Permission;
use latchkey_access::authority::Action;
use latchkey_access::exposure::{Client, ExposureEvent, ExposureKind};
use latchkey_access::member::MemberState;
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_engine::SeenRow;
use latchkey_engine::secrets::{self as services, Knower, Possible};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, ExposureId, MemberId, RequestId, SecretId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::{Answer, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/accounts/{id}/knowledge",
            Action::ReadAccounts,
            "Who knows this password now, and who could",
        )
        .gives::<KnowledgeView>(200, "Who knows it.")
        .by(knowledge),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/accounts/{id}/ledger",
            Action::ReadAccounts,
            "Everything that was seen of an account",
        )
        .query::<Paging>()
        .gives::<Page<EventView>>(200, "A page, newest first.")
        .by(ledger),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/members/{id}/seen",
            Action::ReadAccounts,
            "What a member ever saw, and whether it still opens something",
        )
        .query::<Paging>()
        .gives::<Page<SeenView>>(200, "A page, newest first.")
        .by(seen),
        Endpoint::new(HttpMethod::Get, "/v1/api/me/seen", Action::ReadSelf, "What the caller ever saw")
            .query::<Paging>()
            .gives::<Page<SeenView>>(200, "A page, newest first.")
            .by(own_seen),
    ]
}

/// Who knows an account's password now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnowledgeView {
    secret_generation: i64,
    /// Since when it is in use; absent when the vault holds none.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// On record as having seen it.
    known: Vec<KnowerView>,
    /// Could have: may use the account, or might have since.
    possible: Vec<PossibleView>,
}

/// Somebody who knows a password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnowerView {
    #[schema(value_type = String)]
    member_id: MemberId,
    display_name: String,
    /// Who is out and knows it is a reason to rotate.
    #[schema(value_type = String)]
    state: MemberState,
    #[schema(value_type = String)]
    kind: ExposureKind,
    #[schema(value_type = String)]
    at: Timestamp,
}

/// Somebody who could know a password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PossibleView {
    #[schema(value_type = String)]
    member_id: MemberId,
    display_name: String,
    #[schema(value_type = String)]
    permission: Permission,
    /// Until when they might; absent is now.
    #[schema(value_type = Option<String>)]
    ended_at: Option<Timestamp>,
}

/// That somebody saw something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    #[schema(value_type = String)]
    id: ExposureId,
    #[schema(value_type = String)]
    account_id: AccountId,
    /// Absent where the vault held none.
    #[schema(value_type = Option<String>)]
    secret_id: Option<SecretId>,
    version: i64,
    /// Absent is somebody with a shell on the host.
    #[schema(value_type = Option<String>)]
    member_id: Option<MemberId>,
    #[schema(value_type = String)]
    kind: ExposureKind,
    #[schema(value_type = String)]
    client: Client,
    #[schema(value_type = String)]
    at: Timestamp,
    #[schema(value_type = String)]
    request_id: RequestId,
}

/// Something that a member saw, and what has become of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeenView {
    #[serde(flatten)]
    event: EventView,
    /// Absent once the account is gone.
    account_name: Option<String>,
    /// Absent once the secret is gone, or where the vault held none.
    #[schema(value_type = Option<String>)]
    secret_kind: Option<SecretKind>,
    secret_label: Option<String>,
    #[schema(value_type = Option<String>)]
    state: Option<VersionState>,
    /// Whether it still opens something.
    current: bool,
}

async fn knowledge(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
) -> Answer<KnowledgeView> {
    let found = services::who_knows_now(&state.engine, &by, id).await.map_err(problem(&by))?;
    let known = |Knower { member, kind, at }| KnowerView {
        member_id: member.standing.member_id,
        display_name: member.display_name,
        state: member.standing.state,
        kind,
        at,
    };
    let possible = |Possible { member, permission, ended_at }| PossibleView {
        member_id: member.standing.member_id,
        display_name: member.display_name,
        permission,
        ended_at,
    };
    Ok(Json(KnowledgeView {
        secret_generation: found.account.secret_generation,
        since: found.since,
        known: found.known.into_iter().map(known).collect(),
        possible: found.possible.into_iter().map(possible).collect(),
    }))
}

async fn ledger(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    Params(paging): Params<Paging>,
) -> Answer<Page<EventView>> {
    let window = paging.window()?;
    let before = window.after.map(ExposureId::from_uuid);
    let rows = services::ledger(&state.engine, &by, id, before, window.read()).await.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |row| row.id.as_uuid(), EventView::from)))
}

async fn seen(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<MemberId>,
    Params(paging): Params<Paging>,
) -> Answer<Page<SeenView>> {
    seen_by(&state, &by, id, &paging).await
}

async fn own_seen(
    State(state): State<ApiState>,
    By(by): By,
    Params(paging): Params<Paging>,
) -> Answer<Page<SeenView>> {
    let id = by.member_id().ok_or_else(Problem::unauthenticated)?;
    seen_by(&state, &by, id, &paging).await
}

async fn seen_by(
    state: &ApiState,
    by: &latchkey_engine::Caller,
    id: MemberId,
    paging: &Paging,
) -> Answer<Page<SeenView>> {
    let window = paging.window()?;
    let before = window.after.map(ExposureId::from_uuid);
    let rows = services::seen_by(&state.engine, by, id, before, window.read()).await.map_err(problem(by))?;
    Ok(Json(window.page(rows, |row| row.event.id.as_uuid(), SeenView::from)))
}

impl From<ExposureEvent> for EventView {
    fn from(event: ExposureEvent) -> Self {
        Self {
            id: event.id,
            account_id: event.account_id,
            secret_id: event.secret_id,
            version: event.version,
            member_id: event.member_id,
            kind: event.kind,
            client: event.client,
            at: event.at,
            request_id: event.request_id,
        }
    }
}

impl From<SeenRow> for SeenView {
    fn from(row: SeenRow) -> Self {
        let current = row.is_current();
        let (secret_kind, secret_label) = row.secret.unzip();
        Self {
            current,
            account_name: row.account.map(|(name, _)| name),
            secret_kind,
            secret_label,
            state: row.state,
            event: row.event.into(),
        }
    }
}
