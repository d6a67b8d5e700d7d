//! Who asks: found before any handler runs, from the bearer token.

use latchkey_access::{Actor, Role, Scope};
use latchkey_engine::Engine;
use latchkey_engine::manage::Session;
use latchkey_engine::tokens::Login;
use latchkey_kernel::id::{MemberId, RequestId, WorkspaceId};

use crate::problem::Problem;

/// A member's program that has been let in for one request, with a scope that the route needs.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) member_id: MemberId,
    pub(crate) role: Role,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) token: latchkey_kernel::id::TokenId,
    pub(crate) request_id: RequestId,
}

impl Caller {
    /// Checks that the token opens a route of this scope.
    pub(crate) fn of(login: &Login, scope: Scope, request_id: RequestId) -> Result<Self, Problem> {
        let (member_id, role) = login.member.ok_or_else(Problem::unauthenticated)?;
        if !login.token.scopes.contains(&scope) {
            return Err(Problem::forbidden(format!("this needs a token with the scope {scope}")));
        }
        Ok(Self {
            workspace_id: login.workspace_id,
            member_id,
            role,
            scopes: login.token.scopes.clone(),
            token: login.token.id,
            request_id,
        })
    }

    /// The services, as this caller.
    pub(crate) fn on<'a>(&self, engine: &'a Engine) -> Session<'a> {
        let actor = Actor::Member(self.member_id, self.token);
        Session::new(engine, self.workspace_id, self.member_id, self.role, actor, self.request_id)
    }
}
