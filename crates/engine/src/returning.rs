//! Somebody comes back: a valid member again, with nothing until it is given.

use latchkey_access::context::Cause;
use latchkey_access::{ChangeSet, Member, Workspace, returning as rules};

use crate::{Effect, Engine};

/// What follows when somebody comes back, not yet committed.
#[derive(Debug)]
pub(crate) struct Back {
    pub(crate) changes: ChangeSet,
    pub(crate) effects: Vec<Effect>,
}

/// Decides one return. `after` is `before` with the attributes that the same request changes.
pub(crate) fn come_back(
    engine: &Engine,
    before: &Member,
    after: &Member,
    workspace: &Workspace,
    cause: &Cause,
) -> Back {
    let changes = rules::come_back(before, after, workspace, cause, engine.ids(cause));
    Back { changes, effects: vec![Effect::one("member.reactivated")] }
}
