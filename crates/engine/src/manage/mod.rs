//! What people ask over the management API and by `latchkey admin`: members, teams, accounts,
//! grants, reviews and cases.
//!
//! A [`Session`] is somebody who has been let in and whose role allows the action: the edge has
//! checked both. Each command loads, lets the rules decide, and commits one change set.

mod access_views;
mod accounts;
mod collections;
mod grants;
mod members;
mod offboardings;
mod reviews;
mod simulation;
mod teams;
mod workspace;

use latchkey_access::audit::Actor;
use latchkey_access::context::{Cause, Ids};
use latchkey_access::{Member, Role, Workspace};
use latchkey_kernel::id::{MemberId, RequestId, WorkspaceId};

pub use access_views::{AccountAccess, MemberAccess};
pub use accounts::{AccountDraft, AccountPatch};
pub use collections::CollectionPatch;
pub use grants::{NewGrant, Subject};
pub use members::NewMember;
pub(crate) use members::local_member;
pub use offboardings::CaseView;
pub use reviews::ReviewView;
pub use simulation::{SimulatedItem, Simulation};

use crate::{Engine, Error};

/// Somebody who manages a workspace, with one of their requests.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    engine: &'a Engine,
    workspace_id: WorkspaceId,
    /// `None` is an operator on the host, who may do everything.
    role: Option<Role>,
    actor: Actor,
    request_id: RequestId,
}

impl<'a> Session<'a> {
    /// A session for one request.
    pub const fn new(
        engine: &'a Engine,
        workspace_id: WorkspaceId,
        role: Option<Role>,
        actor: Actor,
        request_id: RequestId,
    ) -> Self {
        Self { engine, workspace_id, role, actor, request_id }
    }

    fn cause(&self) -> Cause {
        self.engine.cause(self.actor, self.request_id)
    }

    fn ids(&self, cause: &Cause) -> Ids<'a> {
        self.engine.ids(cause)
    }

    async fn workspace(&self) -> Result<Workspace, Error> {
        self.engine.workspace(self.workspace_id).await
    }

    /// A member that is not deleted.
    async fn member(&self, id: MemberId) -> Result<Member, Error> {
        self.engine.store().member_get(self.workspace_id, id).await?.ok_or(Error::NotFound { what: "member" })
    }
}

/// Text that people typed: trimmed, and none where nothing is left.
fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
