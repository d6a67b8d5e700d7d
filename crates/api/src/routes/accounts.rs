//! Accounts: shared logins, who can use each and why, and who knows its password.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use latchkey_access::account::{Account, OffboardingRotation, Sensitivity};
use latchkey_access::authority::Action;
use latchkey_access::exposure::{Exposure, ExposureKind};
use latchkey_access::{OwnerFlag, Permission, Role};
use latchkey_engine::accounts::{AccountPatch, NewAccount};
use latchkey_engine::{self as services};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, MemberId};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::ways::{AccessView, WayView, way};
use super::{Answer, double, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Params};
use crate::page::{Page, Paging};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let one = "/v1/api/accounts/{id}";
    let known = "/v1/api/accounts/{id}/exposures";
    vec![
        Endpoint::new(HttpMethod::Get, "/v1/api/accounts", Action::ReadAccounts, "Accounts")
            .query::<Search>()
            .gives::<Page<AccountView>>(200, "A page of accounts, oldest first.")
            .by(list),
        Endpoint::new(HttpMethod::Post, "/v1/api/accounts", Action::WriteAccounts, "Add an account")
            .takes::<AccountDraft>()
            .gives::<AccountView>(201, "The account.")
            .by(create),
        Endpoint::new(HttpMethod::Get, one, Action::ReadAccounts, "An account")
            .gives::<AccountView>(200, "The account.")
            .by(get),
        Endpoint::new(HttpMethod::Patch, one, Action::WriteAccounts, "Change an account")
            .takes::<AccountChange>()
            .gives::<AccountView>(200, "The account as it is now.")
            .by(patch),
        Endpoint::new(
            HttpMethod::Delete,
            one,
            Action::WriteAccounts,
            "Remove an account with its grants and exposures",
        )
        .gives_nothing()
        .by(delete),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/accounts/{id}/access",
            Action::ReadAccounts,
            "Who can use an account and why, and who cannot and why not",
        )
        .query::<Paging>()
        .gives::<AccountAccessView>(200, "A page of the members whom something leads there.")
        .by(access),
        Endpoint::new(
            HttpMethod::Get,
            known,
            Action::ReadAccounts,
            "Who knows this password now, and who knew earlier ones",
        )
        .gives::<ExposureList>(200, "Who knows which value.")
        .by(exposures),
        Endpoint::new(
            HttpMethod::Post,
            known,
            Action::WriteGrants,
            "Record that a member knows the present password",
        )
        .takes::<NewExposure>()
        .gives_nothing()
        .by(expose),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/explain",
            Action::ReadAccounts,
            "Whether a member may use an account, and why or why not",
        )
        .query::<Pair>()
        .gives::<AccessView>(200, "The verdict.")
        .by(explain),
    ]
}

/// A login that is shared.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    #[schema(value_type = String)]
    id: AccountId,
    name: String,
    app: String,
    url: Option<String>,
    username: Option<String>,
    /// `standard`, `privileged` or `critical`.
    #[schema(value_type = String)]
    sensitivity: Sensitivity,
    /// `auto`, `always` or `never`.
    #[schema(value_type = String)]
    offboarding_rotation: OffboardingRotation,
    #[schema(value_type = Option<String>)]
    collection_id: Option<CollectionId>,
    /// Absent stands for the workspace Owners.
    #[schema(value_type = Option<String>)]
    owner_id: Option<MemberId>,
    /// `inherited` or `orphaned`, until a person sets an owner.
    #[schema(value_type = Option<String>)]
    owner_flag: Option<OwnerFlag>,
    #[schema(value_type = Option<String>)]
    successor_id: Option<MemberId>,
    /// Counts the values that its password has had.
    secret_generation: i64,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = String)]
    modified_at: Timestamp,
}

/// An account to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountDraft {
    name: String,
    app: String,
    url: Option<String>,
    username: Option<String>,
    /// `standard` (if absent), `privileged` or `critical`.
    #[schema(value_type = Option<String>)]
    sensitivity: Option<Sensitivity>,
    /// `auto` (if absent), `always` or `never`.
    #[schema(value_type = Option<String>)]
    offboarding_rotation: Option<OffboardingRotation>,
    #[schema(value_type = Option<String>)]
    collection_id: Option<CollectionId>,
    /// Absent stands for the workspace Owners.
    #[schema(value_type = Option<String>)]
    owner_id: Option<MemberId>,
    #[schema(value_type = Option<String>)]
    successor_id: Option<MemberId>,
}

/// What is to be changed; what is absent stays, `null` empties.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    name: Option<String>,
    app: Option<String>,
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    username: Option<Option<String>>,
    #[schema(value_type = Option<String>)]
    sensitivity: Option<Sensitivity>,
    #[schema(value_type = Option<String>)]
    offboarding_rotation: Option<OffboardingRotation>,
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    collection_id: Option<Option<CollectionId>>,
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    owner_id: Option<Option<MemberId>>,
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    successor_id: Option<Option<MemberId>>,
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Search {
    /// All in this collection, itself and not those below.
    #[param(value_type = Option<String>)]
    collection: Option<CollectionId>,
    /// How many at most, 1 to 500; 100 if absent.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// A member and an account.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Pair {
    /// The member's id.
    #[param(value_type = String)]
    member: MemberId,
    /// The account's id.
    #[param(value_type = String)]
    account: AccountId,
}

/// Who can use an account, and who cannot although something leads there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountAccessView {
    account: AccountView,
    items: Vec<HolderView>,
    /// The cursor of the next page; absent at the end.
    next: Option<String>,
}

/// What one member may do with an account, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HolderView {
    #[schema(value_type = String)]
    member_id: MemberId,
    display_name: String,
    #[schema(value_type = String)]
    role: Role,
    /// The highest that counts; absent is a deny.
    #[schema(value_type = Option<String>)]
    permission: Option<Permission>,
    allowed: bool,
    why: Vec<WayView>,
}

/// Who knows which value of a password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExposureList {
    /// The value that is valid now.
    secret_generation: i64,
    items: Vec<ExposureView>,
}

/// That a member knows a password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExposureView {
    #[schema(value_type = String)]
    member_id: MemberId,
    generation: i64,
    /// Whether it is the value that is valid now.
    current: bool,
    /// How they came to know it.
    #[schema(value_type = String)]
    kind: ExposureKind,
    #[schema(value_type = String)]
    at: Timestamp,
}

/// Who knows a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewExposure {
    #[schema(value_type = String)]
    member_id: MemberId,
}

async fn list(
    State(state): State<ApiState>,
    By(by): By,
    Params(search): Params<Search>,
) -> Answer<Page<AccountView>> {
    let window = Paging { limit: search.limit, cursor: search.cursor }.window()?;
    if let Some(collection) = search.collection {
        let rows = services::accounts::in_collection(&state.engine, &by, collection).await;
        let items = rows.map_err(problem(&by))?.into_iter().map(AccountView::from).collect();
        return Ok(Json(Page { items, next: None }));
    }
    let after = window.after.map(AccountId::from_uuid);
    let rows = services::accounts::list(&state.engine, &by, after, window.read()).await;
    let rows = rows.map_err(problem(&by))?;
    Ok(Json(window.page(rows, |row| row.id.as_uuid(), AccountView::from)))
}

async fn create(
    State(state): State<ApiState>,
    By(by): By,
    Body(new): Body<AccountDraft>,
) -> Result<(StatusCode, Json<AccountView>), Problem> {
    let draft = NewAccount {
        name: new.name,
        app: new.app,
        url: new.url,
        username: new.username,
        sensitivity: new.sensitivity.unwrap_or(Sensitivity::Standard),
        offboarding_rotation: new.offboarding_rotation.unwrap_or(OffboardingRotation::Auto),
        collection_id: new.collection_id,
        owner_id: new.owner_id,
        successor_id: new.successor_id,
    };
    let account = services::accounts::create(&state.engine, &by, &draft).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(account.into())))
}

async fn get(State(state): State<ApiState>, By(by): By, Id(id): Id<AccountId>) -> Answer<AccountView> {
    let account = services::accounts::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(account.into()))
}

async fn patch(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    Body(change): Body<AccountChange>,
) -> Answer<AccountView> {
    let patch = AccountPatch {
        name: change.name,
        app: change.app,
        url: change.url,
        username: change.username,
        sensitivity: change.sensitivity,
        offboarding_rotation: change.offboarding_rotation,
        collection_id: change.collection_id,
        owner_id: change.owner_id,
        successor_id: change.successor_id,
    };
    let account = services::accounts::update(&state.engine, &by, id, &patch).await.map_err(problem(&by))?;
    Ok(Json(account.into()))
}

async fn delete(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
) -> Result<StatusCode, Problem> {
    services::accounts::delete(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn access(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    Params(paging): Params<Paging>,
) -> Answer<AccountAccessView> {
    let window = paging.window()?;
    let account = services::accounts::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let after = window.after.map(MemberId::from_uuid);
    let all = services::access::of_account(&state.engine, &by, id, after, window.read()).await;
    let all = all.map_err(problem(&by))?;
    let explained = all.iter().map(|one| &one.explanation);
    let names = services::access::collection_names(&state.engine, &by, explained).await;
    let names = names.map_err(problem(&by))?;
    let show = |one: services::access::WhoMay| HolderView {
        member_id: one.member.standing.member_id,
        display_name: one.member.display_name,
        role: one.member.role,
        permission: one.explanation.permission,
        allowed: one.explanation.permission.is_some(),
        why: one.explanation.ways.iter().map(|(reach, verdict)| way(reach, *verdict, &names)).collect(),
    };
    let Page { items, next } = window.page(all, |one| one.member.standing.member_id.as_uuid(), show);
    Ok(Json(AccountAccessView { account: account.into(), items, next }))
}

async fn exposures(State(state): State<ApiState>, By(by): By, Id(id): Id<AccountId>) -> Answer<ExposureList> {
    let account = services::accounts::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let all = services::exposures::list(&state.engine, &by, id).await.map_err(problem(&by))?;
    let show = |exposure: Exposure| ExposureView {
        member_id: exposure.member_id,
        generation: exposure.generation,
        current: exposure.generation == account.secret_generation,
        kind: exposure.kind,
        at: exposure.at,
    };
    Ok(Json(ExposureList {
        secret_generation: account.secret_generation,
        items: all.into_iter().map(show).collect(),
    }))
}

async fn expose(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    Body(new): Body<NewExposure>,
) -> Result<StatusCode, Problem> {
    services::exposures::record(&state.engine, &by, id, new.member_id).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn explain(
    State(state): State<ApiState>,
    By(by): By,
    Params(pair): Params<Pair>,
) -> Answer<AccessView> {
    let found = services::access::explain(&state.engine, &by, pair.member, pair.account).await;
    let found = found.map_err(problem(&by))?;
    let names = services::access::collection_names(&state.engine, &by, [&found.explanation]).await;
    Ok(Json(AccessView::of(&found, &names.map_err(problem(&by))?)))
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            app: account.app,
            url: account.url,
            username: account.username,
            sensitivity: account.sensitivity,
            offboarding_rotation: account.offboarding_rotation,
            collection_id: account.collection_id,
            owner_id: account.owner_id,
            owner_flag: account.owner_flag,
            successor_id: account.successor_id,
            secret_generation: account.secret_generation,
            created_at: account.created_at,
            modified_at: account.modified_at,
        }
    }
}
