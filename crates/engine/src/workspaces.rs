//! Workspaces as the host's operator makes and recovers them.

use latchkey_access::context::Cause;
use latchkey_access::member::Version;
use latchkey_access::{Member, Policy, Role, Workspace, WorkspaceState, workspaces as rules};
use latchkey_kernel::id::{RequestId, WorkspaceId};
use latchkey_scim::filter::fold;
use latchkey_store::{Conflict, UniqueKey};

use crate::engine::only_moved;
use crate::manage::{NewMember, Session, local_member};
use crate::{Engine, Error};

/// A workspace with its first Owner.
#[derive(Debug, Clone)]
pub struct Created {
    /// The workspace.
    pub workspace: Workspace,
    /// Its Owner.
    pub owner: Member,
}

/// Makes a workspace with its first Owner.
///
/// # Errors
/// When the name is empty or taken, or the address is none.
pub async fn create(engine: &Engine, name: &str, owner: &str, cause: Cause) -> Result<Created, Error> {
    let name = name.trim();
    let workspace = Workspace {
        id: WorkspaceId::fresh(cause.now, engine.entropy()),
        name: name.to_owned(),
        name_key: fold(name).into_owned(),
        state: WorkspaceState::Active,
        policy: Policy::default(),
        version: Version::FIRST,
        created_at: cause.now,
    };
    let owner = operator_member(engine, workspace.id, owner, cause.request_id)?;
    let changes = rules::create(workspace.clone(), owner.clone(), &cause, engine.ids(&cause))?;
    let taken = |conflict: &Conflict| {
        matches!(conflict, Conflict::Unique(UniqueKey::WorkspaceName))
            .then(|| Error::Clash(format!("there is a workspace called {name} already")))
    };
    engine.settle(async || engine.commit(changes.clone(), taken).await).await?;
    Ok(Created { workspace, owner: Member { role: Role::Owner, ..owner } })
}

/// Puts somebody in charge of an ownerless workspace (A6): a member of this user name or mail
/// address, or else a new one.
///
/// # Errors
/// When the workspace has an Owner, or the address is none.
pub async fn recover(
    engine: &Engine,
    workspace_id: WorkspaceId,
    owner: &str,
    cause: Cause,
) -> Result<Member, Error> {
    engine
        .settle(async || {
            let workspace = engine.workspace(workspace_id).await?;
            let before = engine.store().member_by_login(workspace_id, &fold(owner.trim())).await?;
            let after = match &before {
                Some(member) => member.clone(),
                None => operator_member(engine, workspace_id, owner, cause.request_id)?,
            };
            let id = after.id;
            let changes = rules::recover(&workspace, before.as_ref(), after, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            let member = engine.store().member_get(workspace_id, id).await?;
            Ok(member.ok_or(Error::NotFound { what: "member" })?)
        })
        .await
}

/// The member with this user name, or else with this work address.
///
/// # Errors
/// When there is none.
pub async fn member_by_login(engine: &Engine, workspace_id: WorkspaceId, login: &str) -> Result<Member, Error> {
    let found = engine.store().member_by_login(workspace_id, &fold(login.trim())).await?;
    found.ok_or(Error::NotFound { what: "member" })
}

fn operator_member(
    engine: &Engine,
    workspace_id: WorkspaceId,
    email: &str,
    request_id: RequestId,
) -> Result<Member, Error> {
    let session =
        Session::new(engine, workspace_id, None, latchkey_access::Actor::Operator, request_id);
    let new = NewMember { email: email.to_owned(), display_name: None, role: Role::Owner };
    local_member(&session, &new)
}
