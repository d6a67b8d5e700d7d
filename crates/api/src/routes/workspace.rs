//! The workspace, its policy, and who is asking.

use axum::Json;
use axum::extract::State;
use latchkey_access::workspace::{Reactivation, Safeguard};
use latchkey_access::{Policy, Role, Workspace, WorkspaceState};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, WorkspaceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::{Answer, double, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::Body;
use crate::routes::members::MemberView;
use latchkey_access::authority::Action;
use latchkey_engine as services;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::open(HttpMethod::Get, "/v1/api/openapi.json", "This document").by(document),
        Endpoint::new(HttpMethod::Get, "/v1/api/me", Action::ReadSelf, "Who asks, and in which workspace")
            .gives::<MeView>(200, "The member whose token it is.")
            .by(me),
        Endpoint::new(
            HttpMethod::Get,
            "/v1/api/workspace",
            Action::ReadWorkspace,
            "The workspace and its policy",
        )
        .gives::<WorkspaceView>(200, "The workspace.")
        .by(get),
        Endpoint::new(HttpMethod::Patch, "/v1/api/workspace", Action::SetPolicy, "Change the policy")
            .takes::<WorkspacePatch>()
            .gives::<WorkspaceView>(200, "The workspace as it is now.")
            .by(patch),
    ]
}

/// The tenant and how it behaves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkspaceView {
    #[schema(value_type = String)]
    id: WorkspaceId,
    name: String,
    /// `ownerless` needs `latchkey admin workspace recover`.
    #[schema(value_type = String)]
    state: WorkspaceState,
    policy: PolicyView,
    /// What is pasted into a directory as its Tenant URL.
    tenant_url: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

/// How a workspace behaves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// What a member who comes back gets: `review` (nothing until a person gives it) or `restore`.
    #[schema(value_type = String)]
    reactivation: Reactivation,
    /// When a wave of leavers makes rotations wait for a person's word.
    safeguard: SafeguardView,
    /// Who follows the last Owner, and takes over accounts without another heir.
    #[schema(value_type = Option<String>)]
    successor: Option<MemberId>,
    /// Whether an account's owners may take its secrets along in an export.
    owners_export: bool,
}

/// When a wave of leavers makes rotations wait: beyond the larger of the two.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SafeguardView {
    /// Leavers within an hour that never trip it.
    minimum: u32,
    /// Per cent of the members that were active before the wave.
    percent: u32,
}

/// What is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkspacePatch {
    policy: PolicyPatch,
}

/// What is to be changed of the policy; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyPatch {
    /// `review` or `restore`.
    #[schema(value_type = Option<String>)]
    reactivation: Option<Reactivation>,
    safeguard: Option<SafeguardView>,
    /// `null` for nobody.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<String>)]
    successor: Option<Option<MemberId>>,
    owners_export: Option<bool>,
}

/// The member whose token it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeView {
    #[schema(value_type = String)]
    member_id: MemberId,
    member: MemberView,
    #[schema(value_type = String)]
    workspace_id: WorkspaceId,
    workspace_name: String,
    #[schema(value_type = String)]
    role: Role,
}

async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi())
}

async fn me(State(state): State<ApiState>, By(by): By) -> Answer<MeView> {
    let (member, workspace) = services::members::me(&state.engine, &by).await.map_err(problem(&by))?;
    Ok(Json(MeView {
        member_id: member.id,
        role: member.role,
        member: MemberView::from(&member),
        workspace_id: workspace.id,
        workspace_name: workspace.name,
    }))
}

async fn get(State(state): State<ApiState>, By(by): By) -> Answer<WorkspaceView> {
    let workspace = services::workspaces::get(&state.engine, &by).await.map_err(problem(&by))?;
    Ok(Json(view(&state, workspace)))
}

async fn patch(
    State(state): State<ApiState>,
    By(by): By,
    Body(WorkspacePatch { policy: wish }): Body<WorkspacePatch>,
) -> Answer<WorkspaceView> {
    let present = services::workspaces::get(&state.engine, &by).await.map_err(problem(&by))?.policy;
    let policy = Policy {
        reactivation: wish.reactivation.unwrap_or(present.reactivation),
        safeguard: wish.safeguard.map_or(present.safeguard, |limits| Safeguard {
            minimum: limits.minimum,
            percent: limits.percent,
        }),
        successor: wish.successor.unwrap_or(present.successor),
        owners_export: wish.owners_export.unwrap_or(present.owners_export),
    };
    let workspace =
        services::workspaces::set_policy(&state.engine, &by, policy).await.map_err(problem(&by))?;
    Ok(Json(view(&state, workspace)))
}

fn view(state: &ApiState, workspace: Workspace) -> WorkspaceView {
    let Policy { reactivation, safeguard, successor, owners_export } = workspace.policy;
    WorkspaceView {
        id: workspace.id,
        name: workspace.name,
        state: workspace.state,
        policy: PolicyView {
            reactivation,
            safeguard: SafeguardView { minimum: safeguard.minimum, percent: safeguard.percent },
            successor,
            owners_export,
        },
        tenant_url: format!("{}/v1/scim/v2", state.base_url),
        created_at: workspace.created_at,
    }
}
