//! Who asks the management API or `latchkey admin`, and what they may.

use latchkey_access::authority::{self, Action};
use latchkey_access::context::Cause;
use latchkey_access::refusal::Refusal;
use latchkey_access::token::Scope;
use latchkey_access::{Actor, Role};
use latchkey_kernel::id::{MemberId, RequestId, TokenId, WorkspaceId};

use crate::{Engine, Error, Login};

/// Somebody who has been let in, with one of their requests.
#[derive(Debug, Clone)]
pub struct Caller {
    workspace_id: WorkspaceId,
    request_id: RequestId,
    who: Who,
}

#[derive(Debug, Clone)]
enum Who {
    /// Has a shell on the host, and with it everything.
    Operator,
    /// A member's program.
    Member { id: MemberId, role: Role, token_id: TokenId, scopes: Vec<Scope> },
}

impl Caller {
    /// The member whose API token a request showed; nothing for a token without a member.
    pub fn of_login(login: &Login, request_id: RequestId) -> Option<Self> {
        let (id, role) = login.member?;
        let who = Who::Member { id, role, token_id: login.token.id, scopes: login.token.scopes.clone() };
        Some(Self { workspace_id: login.workspace_id, request_id, who })
    }

    /// Somebody at the host's shell, who may do everything in this workspace.
    pub const fn operator(workspace_id: WorkspaceId, request_id: RequestId) -> Self {
        Self { workspace_id, request_id, who: Who::Operator }
    }

    /// The tenant.
    pub const fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }

    /// The request.
    pub const fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// The member, unless it is the operator.
    pub const fn member_id(&self) -> Option<MemberId> {
        match self.who {
            Who::Operator => None,
            Who::Member { id, .. } => Some(id),
        }
    }

    /// The member's role; `None` is the operator.
    pub const fn role(&self) -> Option<Role> {
        match self.who {
            Who::Operator => None,
            Who::Member { role, .. } => Some(role),
        }
    }

    /// Whether they may do this.
    ///
    /// # Errors
    /// When role or scopes don't reach.
    pub fn may(&self, action: Action) -> Result<(), Refusal> {
        match &self.who {
            Who::Operator => Ok(()),
            Who::Member { role, scopes, .. } => authority::check(*role, scopes, action),
        }
    }

    /// Whether their token may do all that these scopes allow.
    ///
    /// # Errors
    /// Names the first scope that theirs lacks.
    pub(crate) fn may_hand_on(&self, wanted: &[Scope], action: Action) -> Result<(), Refusal> {
        let Who::Member { scopes, .. } = &self.who else { return Ok(()) };
        match wanted.iter().find(|scope| !scopes.contains(scope)) {
            Some(scope) => Err(Refusal::ScopeMissing { action, scope: *scope }),
            None => Ok(()),
        }
    }

    /// What a change is caused by. There is no other way to a cause, so that no service writes
    /// anything that it has not asked leave for.
    pub(crate) fn cause(&self, engine: &Engine, action: Action) -> Result<Cause, Error> {
        self.may(action)?;
        let actor = match self.who {
            Who::Operator => Actor::Operator,
            Who::Member { id, token_id, .. } => Actor::Member(id, token_id),
        };
        Ok(engine.cause(actor, self.request_id))
    }

    /// Leave to read about a member: oneself, or whoever may do `action`.
    pub(crate) fn may_read_about(&self, member_id: MemberId, action: Action) -> Result<(), Error> {
        let own = self.member_id() == Some(member_id) && self.may(Action::ReadSelf).is_ok();
        if own { Ok(()) } else { Ok(self.may(action)?) }
    }
}
