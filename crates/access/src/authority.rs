//! Which role may do what: one table, read by every route of the API.
//!
//! An Admin manages people, a Super Admin also sees assets, an Owner also controls identity and
//! policy. No role opens an account's secret: that only a grant does.

use crate::grant::Permission;
use crate::member::{Role, words};
use crate::refusal::Refusal;
use crate::token::Scope;

words! {
    /// Something that can be asked of the management API.
    Action {
        /// Read one's own row and access.
        ReadSelf = "read_self",
        /// Read members and teams.
        ReadMembers = "read_members",
        /// Add a member by hand.
        AddMember = "add_member",
        /// Change a member's role.
        SetRole = "set_role",
        /// Take a member out.
        Deactivate = "deactivate",
        /// Bring a member back, with nothing.
        Reactivate = "reactivate",
        /// See what a returned member had.
        ReadReviews = "read_reviews",
        /// Give a returned member access anew.
        CloseReview = "close_review",
        /// Make, change and remove local teams and their members.
        WriteTeams = "write_teams",
        /// See every account, collection and grant, and who has access and why.
        ReadAccounts = "read_accounts",
        /// Make, change and remove accounts and collections.
        WriteAccounts = "write_accounts",
        /// Give and end grants, and record who knows a password.
        WriteGrants = "write_grants",
        /// Use and see the secrets of an account, as far as one's grants reach.
        UseSecrets = "use_secrets",
        /// Store and change the secrets of an account, as far as one's grants reach.
        WriteSecrets = "write_secrets",
        /// See the workspace's keys and how far their replacement is.
        ReadKeys = "read_keys",
        /// Replace the workspace's key.
        RotateKeys = "rotate_keys",
        /// See offboarding cases and simulate one.
        ReadOffboardings = "read_offboardings",
        /// Let held rotations go.
        ReleaseRotations = "release_rotations",
        /// Call rotations off.
        CancelRotations = "cancel_rotations",
        /// See connectors and how accounts are rotated.
        ReadConnectors = "read_connectors",
        /// Add, change and remove connectors, and set how accounts are rotated.
        WriteConnectors = "write_connectors",
        /// See rotations, their history, and people's tasks.
        ReadRotations = "read_rotations",
        /// See what the page looked like at which a rotation failed.
        SeePictures = "see_pictures",
        /// Have passwords changed, try them out, and call rotations off.
        Rotate = "rotate",
        /// Take over tasks and say what came of them.
        DoTasks = "do_tasks",
        /// Accept that a password is not changed.
        Waive = "waive",
        /// Read the outbox.
        ReadOutbox = "read_outbox",
        /// Read and verify the audit log.
        ReadAudit = "read_audit",
        /// See the SCIM tokens and the flight recorder.
        ReadDirectory = "read_directory",
        /// Make, show, regenerate and revoke SCIM tokens.
        WriteDirectory = "write_directory",
        /// See the workspace's own directory, provisioning jobs and their logs.
        ReadProvisioning = "read_provisioning",
        /// Change the workspace's own directory, and define and direct provisioning jobs.
        WriteProvisioning = "write_provisioning",
        /// Make and revoke one's own API tokens; see [`may_issue`].
        WriteOwnTokens = "write_own_tokens",
        /// Read the workspace and its policy.
        ReadWorkspace = "read_workspace",
        /// Change the workspace's policy.
        SetPolicy = "set_policy",
    }
}

impl Action {
    /// The scope that a token needs for it, and the lowest role.
    pub const fn needs(self) -> (Scope, Role) {
        match self {
            Self::ReadSelf | Self::WriteOwnTokens => (Scope::SelfRead, Role::Guest),
            Self::ReadMembers | Self::ReadReviews => (Scope::MembersRead, Role::Admin),
            Self::AddMember | Self::SetRole | Self::Deactivate | Self::Reactivate | Self::WriteTeams => {
                (Scope::MembersWrite, Role::Admin)
            }
            Self::CloseReview => (Scope::MembersWrite, Role::SuperAdmin),
            Self::ReadAccounts => (Scope::AccountsRead, Role::SuperAdmin),
            Self::WriteAccounts | Self::WriteGrants => (Scope::AccountsWrite, Role::SuperAdmin),
            Self::ReadConnectors | Self::SeePictures => (Scope::AccountsRead, Role::SuperAdmin),
            Self::WriteConnectors | Self::Rotate => (Scope::AccountsWrite, Role::SuperAdmin),
            Self::ReadRotations => (Scope::OffboardingRead, Role::Admin),
            Self::DoTasks => (Scope::OffboardingWrite, Role::Admin),
            Self::Waive => (Scope::OffboardingWrite, Role::SuperAdmin),
            // No role opens a secret: these only let everybody ask, and grants decide.
            Self::UseSecrets => (Scope::SecretsUse, Role::Guest),
            Self::WriteSecrets => (Scope::SecretsWrite, Role::Guest),
            Self::ReadKeys => (Scope::WorkspaceRead, Role::Admin),
            Self::RotateKeys => (Scope::WorkspaceWrite, Role::Owner),
            Self::ReadOffboardings | Self::ReadOutbox => (Scope::OffboardingRead, Role::Admin),
            Self::ReleaseRotations => (Scope::OffboardingWrite, Role::Admin),
            Self::CancelRotations => (Scope::OffboardingWrite, Role::SuperAdmin),
            Self::ReadAudit => (Scope::AuditRead, Role::Admin),
            Self::ReadDirectory | Self::ReadProvisioning => (Scope::DirectoryRead, Role::Admin),
            Self::WriteDirectory | Self::WriteProvisioning => (Scope::DirectoryWrite, Role::Admin),
            Self::ReadWorkspace => (Scope::WorkspaceRead, Role::Admin),
            Self::SetPolicy => (Scope::WorkspaceWrite, Role::Owner),
        }
    }
}

/// Whether a member of this role, with a token of these scopes, may do it.
///
/// # Errors
/// [`Refusal::NotAllowed`] or [`Refusal::ScopeMissing`].
pub fn check(role: Role, scopes: &[Scope], action: Action) -> Result<(), Refusal> {
    let (scope, needs) = action.needs();
    if role < needs {
        return Err(Refusal::NotAllowed { action, needs });
    }
    if scopes.contains(&scope) { Ok(()) } else { Err(Refusal::ScopeMissing { action, scope }) }
}

/// Whether somebody with a token of the scopes `held` may make one of the scopes `wished`: no
/// token makes one that may more than itself.
///
/// # Errors
/// [`Refusal::ScopeMissing`] for the first that is missing.
pub fn may_issue(held: &[Scope], wished: &[Scope]) -> Result<(), Refusal> {
    let missing = wished.iter().find(|scope| !held.contains(scope));
    missing
        .map_or(Ok(()), |scope| Err(Refusal::ScopeMissing { action: Action::WriteOwnTokens, scope: *scope }))
}

/// The lowest role whose members may hold a token of this scope: that of the lowest action which asks for it.
pub fn scope_needs(scope: Scope) -> Role {
    let roles = Action::ALL.iter().map(|action| action.needs()).filter(|(s, _)| *s == scope);
    roles.map(|(_, role)| role).min().unwrap_or(Role::Owner)
}

/// Whether somebody of the role `actor` may change another from one role to another: nobody
/// reaches above their own role.
///
/// # Errors
/// [`Refusal::NotAllowed`] below Admin, [`Refusal::RoleAboveOwn`] otherwise.
pub fn may_change_role(actor: Role, from: Role, to: Role) -> Result<(), Refusal> {
    let (_, needs) = Action::SetRole.needs();
    if actor < needs {
        return Err(Refusal::NotAllowed { action: Action::SetRole, needs });
    }
    let needs = from.max(to);
    if actor < needs { Err(Refusal::RoleAboveOwn { needs }) } else { Ok(()) }
}

/// Whether somebody of this role may be given this permission, or be an account's owner or
/// successor (`Own`): guests use and see what is shared with them, and hold nothing.
///
/// # Errors
/// [`Refusal::GuestMayNot`].
pub fn may_receive(role: Role, permission: Permission) -> Result<(), Refusal> {
    if role == Role::Guest && permission > Permission::View { Err(Refusal::GuestMayNot) } else { Ok(()) }
}

/// Whether somebody of the role `actor` may take out or bring back a member of the role `other`:
/// nobody reaches above their own role.
///
/// # Errors
/// As [`may_change_role`].
pub fn may_act_on(actor: Role, other: Role) -> Result<(), Refusal> {
    may_change_role(actor, other, other)
}
