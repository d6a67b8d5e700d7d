//! What a directory asks over SCIM: users become members, groups become teams.
//!
//! Each command loads, lets the rules decide, and commits one change set. The edge hands in
//! parsed bodies and gets back rows and facts; it renders them.

mod bulk;
mod compile;
mod groups;
mod list;
mod listable;
mod member_row;
mod team_row;
mod users;

use latchkey_access::context::Cause;
use latchkey_access::{Actor, Member};
use latchkey_kernel::id::{RequestId, TeamId, TokenId, WorkspaceId};

pub use groups::{GroupAnswer, GroupMember, GroupShown};
pub use list::{CURSOR_TIME, Listed};
pub(crate) use member_row::{local_member, resource_with_active};
pub(crate) use team_row::renamed_team;

use crate::Engine;
pub use crate::effect::Effect;

/// A directory that has been let in, with one of its requests.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    engine: &'a Engine,
    workspace_id: WorkspaceId,
    token_id: TokenId,
    request_id: RequestId,
}

/// A member as SCIM shows it: with the teams that it is in.
#[derive(Debug, Clone)]
pub struct UserAnswer {
    /// The row.
    pub member: Member,
    /// The teams' ids and names.
    pub teams: Vec<(TeamId, String)>,
}

/// What a write did, for the answer and for the flight recorder.
#[derive(Debug, Clone)]
pub struct Done<T> {
    /// What is there now.
    pub value: T,
    /// What followed.
    pub effects: Vec<Effect>,
    /// What was understood in another way than sent, or left out.
    pub hints: Vec<String>,
}

impl<'a> Directory<'a> {
    /// A directory's request.
    pub const fn new(
        engine: &'a Engine,
        workspace_id: WorkspaceId,
        token_id: TokenId,
        request_id: RequestId,
    ) -> Self {
        Self { engine, workspace_id, token_id, request_id }
    }

    /// Lets go of the instant at which the token was looked up, before something is waited for.
    pub fn end_instant(&self) {
        self.engine.end_instant();
    }

    fn cause(&self) -> Cause {
        self.engine.cause(Actor::Directory(self.token_id), self.request_id)
    }
}
