//! What followed from a request, for the answer, the flight recorder and the timeline.

use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::{Change, ChangeSet};
use serde::Serialize;

/// One consequence of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// As `member.disabled`.
    pub what: &'static str,
    /// How many, where it counts things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

impl Effect {
    pub(crate) const fn one(what: &'static str) -> Self {
        Self { what, count: None }
    }

    pub(crate) const fn many(what: &'static str, count: usize) -> Self {
        Self { what, count: Some(count) }
    }

    /// What a change set of the rules does besides writing the rows that were asked for.
    pub(crate) fn of(changes: &ChangeSet) -> Vec<Self> {
        let count = |which: &dyn Fn(&Change) -> bool| changes.changes.iter().filter(|c| which(c)).count();
        let rotation = |wanted: EffectState| {
            count(&|change| {
                matches!(change, Change::OutboxInsert(event)
                    if event.kind == EffectKind::Rotation && event.state == wanted)
            })
        };
        let counted = [
            ("access.cut", count(&|c| matches!(c, Change::MemberCutOff { .. }))),
            ("account.handed_over", count(&|c| matches!(c, Change::AccountHandOver { .. }))),
            ("rotation.planned", rotation(EffectState::Ready)),
            ("rotation.held", rotation(EffectState::Held)),
        ];
        counted.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| Self::many(what, n)).collect()
    }
}
