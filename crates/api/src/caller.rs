//! Who asks: found and checked before any handler runs.

use latchkey_access::authority::Action;
use latchkey_engine::{Caller, Login};
use latchkey_kernel::id::RequestId;

use crate::problem::Problem;

/// The member's program that has been let in for one request.
#[derive(Debug, Clone)]
pub(crate) struct By(pub(crate) Caller);

impl By {
    /// Checks that the token's scopes and its member's role allow the action.
    pub(crate) fn of(login: &Login, action: Action, request_id: RequestId) -> Result<Self, Problem> {
        let caller = Caller::of_login(login, request_id).ok_or_else(Problem::unauthenticated)?;
        caller.may(action).map_err(|refusal| Problem::forbidden(refusal.to_string()))?;
        Ok(Self(caller))
    }
}
