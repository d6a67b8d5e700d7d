//! Who knows a password.

use latchkey_kernel::id::MemberId;
use serde_json::json;

use crate::account::{Account, Exposure, ExposureKind, OffboardingRotation};
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::leaving;
use crate::member::Member;
use crate::outbox::{EffectKind, EffectState, OutboxEvent};

/// Records that a member knows the account's present password. When the member is out, a
/// rotation follows at once unless the account says never: somebody outside knows it.
pub fn record(
    account: &Account,
    member: &Member,
    kind: ExposureKind,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(account.workspace_id);
    let standing = member.standing();
    if standing.is_active() {
        // So that it can't slip past an offboarding that was decided without it (A5).
        changes.push(Change::MemberExpect { member_id: member.id, epoch: standing.epoch });
    }
    push(&mut changes, account, member.id, kind, (cause, ids));
    if !standing.is_active() && account.offboarding_rotation != OffboardingRotation::Never {
        let generation = account.secret_generation;
        let rule = "known_outside";
        changes.push(Change::OutboxInsert(OutboxEvent {
            id: ids.outbox(),
            workspace_id: account.workspace_id,
            kind: EffectKind::Rotation,
            key: format!("{rule}:{}:{}:{}:{generation}", member.id, standing.epoch.0, account.id),
            case_id: None,
            priority: leaving::priority(account),
            payload: leaving::rotation_payload(account, member.id, rule),
            state: EffectState::Ready,
            due_at: cause.now,
            created_at: cause.now,
        }));
        let detail = json!({ "member": member.id, "rule": rule, "generation": generation });
        changes.note((cause, ids), "rotation.planned", ("account", &account.id), detail);
    }
    changes
}

pub(crate) fn push(
    changes: &mut ChangeSet,
    account: &Account,
    member_id: MemberId,
    kind: ExposureKind,
    (cause, ids): (&Cause, Ids<'_>),
) {
    let generation = account.secret_generation;
    let account_id = account.id;
    changes.push(Change::ExposureInsert(Exposure { account_id, member_id, generation, kind, at: cause.now }));
    let detail = json!({ "member": member_id, "generation": generation, "kind": kind });
    changes.note((cause, ids), "account.exposed", ("account", &account_id), detail);
}
