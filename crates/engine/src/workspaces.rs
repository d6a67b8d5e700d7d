//! Workspaces: made on the host, given a policy by their Owners, recovered on the host.

use latchkey_access::authority::Action;
use latchkey_access::context::Cause;
use latchkey_access::member::{Epoch, MemberState, Version};
use latchkey_access::{Actor, Member, Origin, Policy, Role, Workspace, WorkspaceState, workspaces as rules};
use latchkey_kernel::id::{MemberId, RequestId, WorkspaceId};
use latchkey_scim::filter::fold;
use latchkey_store::{Conflict, UniqueKey};

use crate::engine::only_moved;
use crate::members::NewMember;
use crate::{Caller, Engine, Error};

/// Makes a workspace with its first Owner.
///
/// # Errors
/// When the name is taken, empty or too long, or the database fails.
pub async fn create(
    engine: &Engine,
    name: &str,
    owner: &NewMember,
    request_id: RequestId,
) -> Result<(Workspace, Member), Error> {
    let cause = engine.cause(Actor::Operator, request_id);
    let workspace = Workspace {
        id: WorkspaceId::fresh(cause.now, engine.entropy()),
        name: name.to_owned(),
        name_key: fold(name).into_owned(),
        state: WorkspaceState::Active,
        policy: Policy::default(),
        version: Version::FIRST,
        created_at: cause.now,
    };
    let mut owner = owner.row(workspace.id, engine, &cause);
    owner.role = Role::Owner;
    engine
        .settle(|| async {
            let changes = rules::create(workspace.clone(), owner.clone(), &cause, engine.ids(&cause))?;
            engine.commit(changes, |conflict| name_taken(conflict, name)).await
        })
        .await?;
    Ok((workspace, owner))
}

/// Every workspace of the installation, for who has a shell on the host.
///
/// # Errors
/// When the database fails.
pub async fn list(engine: &Engine) -> Result<Vec<Workspace>, Error> {
    Ok(engine.store().workspace_list().await?)
}

/// The workspace of this name, for who has a shell on the host.
///
/// # Errors
/// When there is none of this name or the database fails.
pub async fn by_name(engine: &Engine, name: &str) -> Result<Workspace, Error> {
    let found = engine.store().workspace_by_name(&fold(name)).await?;
    found.ok_or(Error::NotFound { what: "workspace" })
}

/// The caller's workspace.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn get(engine: &Engine, by: &Caller) -> Result<Workspace, Error> {
    by.may(Action::ReadWorkspace)?;
    engine.workspace(by.workspace_id()).await
}

/// Sets how the workspace behaves.
///
/// # Errors
/// When the caller may not, the successor can't be one, or a number makes no sense.
pub async fn set_policy(engine: &Engine, by: &Caller, policy: Policy) -> Result<Workspace, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::SetPolicy)?;
            let before = engine.workspace(by.workspace_id()).await?;
            let successor = match policy.successor {
                Some(id) => Some(member_named(engine, by.workspace_id(), id).await?),
                None => None,
            };
            let changes =
                rules::set_policy(&before, policy.clone(), successor.as_ref(), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(engine.workspace(by.workspace_id()).await?)
        })
        .await
}

/// Puts somebody in charge of an ownerless workspace (A6): a member of this `userName`, or a new one.
///
/// # Errors
/// When the workspace has an Owner or the database fails.
pub async fn recover(
    engine: &Engine,
    workspace_id: WorkspaceId,
    owner: &NewMember,
    request_id: RequestId,
) -> Result<Member, Error> {
    let cause = engine.cause(Actor::Operator, request_id);
    engine
        .settle(|| async {
            let workspace = engine.workspace(workspace_id).await?;
            let before = engine.store().member_by_user_name(workspace_id, &fold(&owner.user_name)).await?;
            let after = match &before {
                Some(member) => Member {
                    resource: crate::directory::resource_with_active(member, MemberState::Active)?,
                    ..member.clone()
                },
                None => owner.row(workspace_id, engine, &cause),
            };
            let id = after.id;
            let changes = rules::recover(&workspace, before.as_ref(), after, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(member_named(engine, workspace_id, id).await?)
        })
        .await
}

async fn member_named(engine: &Engine, workspace_id: WorkspaceId, id: MemberId) -> Result<Member, Error> {
    engine.store().member_get(workspace_id, id).await?.ok_or(Error::NotFound { what: "member" })
}

impl NewMember {
    /// The row of a member who is added here and not by the directory.
    pub(crate) fn row(&self, workspace_id: WorkspaceId, engine: &Engine, cause: &Cause) -> Member {
        crate::directory::local_member(
            self,
            &Member {
                workspace_id,
                id: MemberId::fresh(cause.now, engine.entropy()),
                user_name: String::new(),
                user_name_key: String::new(),
                external_id: None,
                display_name: String::new(),
                work_email: None,
                work_email_key: None,
                role: self.role,
                state: MemberState::Active,
                origin: Origin::Local,
                access_epoch: Epoch::FIRST,
                reviewed_epoch: Epoch::FIRST,
                resource: String::new(),
                version: Version::FIRST,
                created_at: cause.now,
                modified_at: cause.now,
                left_at: None,
            },
        )
    }
}

fn name_taken(conflict: &Conflict, name: &str) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::WorkspaceName))
        .then(|| Error::Clash(format!("there is a workspace {name:?} already; choose another name")))
}
