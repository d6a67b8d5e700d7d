//! What a decision is given besides the rows: who asks, when, and fresh ids.

use latchkey_kernel::id::{AuditId, CaseId, ExposureId, GrantId, OutboxId, RequestId};
use latchkey_kernel::{Entropy, Timestamp};

use crate::audit::Actor;

/// Who asks for a change, by which request, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Who.
    pub actor: Actor,
    /// The request from which all follows.
    pub request_id: RequestId,
    /// The instant at which the decision is made.
    pub now: Timestamp,
}

/// Mints the ids of one decision.
#[derive(Clone, Copy)]
pub struct Ids<'a> {
    now: Timestamp,
    entropy: &'a dyn Entropy,
}

impl<'a> Ids<'a> {
    /// Ids of this instant.
    pub const fn new(now: Timestamp, entropy: &'a dyn Entropy) -> Self {
        Self { now, entropy }
    }

    pub(crate) fn audit(self) -> AuditId {
        AuditId::fresh(self.now, self.entropy)
    }

    pub(crate) fn case(self) -> CaseId {
        CaseId::fresh(self.now, self.entropy)
    }

    pub(crate) fn exposure(self) -> ExposureId {
        ExposureId::fresh(self.now, self.entropy)
    }

    pub(crate) fn grant(self) -> GrantId {
        GrantId::fresh(self.now, self.entropy)
    }

    pub(crate) fn outbox(self) -> OutboxId {
        OutboxId::fresh(self.now, self.entropy)
    }
}
