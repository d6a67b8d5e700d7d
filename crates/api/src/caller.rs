//! Who asks: found and checked before any handler runs.

use latchkey_access::authority::{self, Action};
use latchkey_access::refusal::Refusal;
use latchkey_access::{Actor, Role};
use latchkey_engine::Engine;
use latchkey_engine::manage::Session;
use latchkey_engine::tokens::Login;
use latchkey_kernel::id::{MemberId, RequestId, TokenId, WorkspaceId};

use crate::problem::Problem;

/// A member's program that has been let in for one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) member_id: MemberId,
    pub(crate) role: Role,
    pub(crate) token_id: TokenId,
    pub(crate) request_id: RequestId,
}

impl Caller {
    /// Checks that the token's scopes and its member's role allow the action.
    pub(crate) fn of(login: &Login, action: Action, request_id: RequestId) -> Result<Self, Problem> {
        let (member_id, role) = login.member.ok_or_else(Problem::unauthenticated)?;
        authority::check(role, &login.token.scopes, action)
            .map_err(|refusal: Refusal| Problem::forbidden(refusal.to_string()))?;
        Ok(Self { workspace_id: login.workspace_id, member_id, role, token_id: login.token.id, request_id })
    }

    /// The services, as this caller.
    pub(crate) fn on<'a>(&self, engine: &'a Engine) -> Session<'a> {
        let actor = Actor::Member(self.member_id, self.token_id);
        Session::new(engine, self.workspace_id, Some(self.role), actor, self.request_id)
    }
}
