//! Outbox events: effects that happen after the commit, at least once each.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CaseId, OutboxId, WorkspaceId};
use serde_json::Value;

use crate::context::{Cause, Ids};
use crate::member::words;

words! {
    /// What an event asks for.
    EffectKind {
        /// Change an account's password at the real system, and prove it.
        Rotation = "rotation",
        /// Tell people.
        Notice = "notice",
    }
}

words! {
    /// Where an event stands.
    EffectState {
        /// May be taken up.
        Ready = "ready",
        /// Waits for a person's word.
        Held = "held",
        /// Was done.
        Done = "done",
        /// Was called off.
        Cancelled = "cancelled",
    }
}

/// One effect to be performed.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxEvent {
    /// Its id.
    pub id: OutboxId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// What it asks for.
    pub kind: EffectKind,
    /// The same cause gives the same key, and a key is taken once: never twice for one cause (A5).
    pub key: String,
    /// The offboarding case that it belongs to.
    pub case_id: Option<CaseId>,
    /// Smaller is sooner.
    pub priority: i64,
    /// What the performer needs, without secrets.
    pub payload: Value,
    /// Where it stands.
    pub state: EffectState,
    /// Not before.
    pub due_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl OutboxEvent {
    /// Tells people something, as soon as may be.
    pub(crate) fn notice(
        workspace_id: WorkspaceId,
        key: String,
        payload: Value,
        (cause, ids): (&Cause, Ids<'_>),
    ) -> Self {
        Self {
            id: ids.outbox(),
            workspace_id,
            kind: EffectKind::Notice,
            key,
            case_id: None,
            priority: 0,
            payload,
            state: EffectState::Ready,
            due_at: cause.now,
            created_at: cause.now,
        }
    }
}
