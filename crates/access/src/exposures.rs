//! Who knows a password, and what is noted when somebody sees a secret.

use latchkey_kernel::id::{AccountId, MemberId};
use serde_json::json;

use crate::account::{Account, OffboardingRotation};
use crate::audit::Actor;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::exposure::{Client, Exposure, ExposureEvent, ExposureKind};
use crate::leaving;
use crate::member::{Member, Standing};
use crate::outbox::{EffectKind, EffectState, OutboxEvent};
use crate::secret::{Secret, SecretKind};

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
    push_known_outside(&mut changes, account, &standing, (cause, ids));
    changes
}

/// Plans a rotation when it is somebody who is out that knows the account's password.
pub(crate) fn push_known_outside(
    changes: &mut ChangeSet,
    account: &Account,
    standing: &Standing,
    (cause, ids): (&Cause, Ids<'_>),
) {
    if standing.is_active() || account.offboarding_rotation == OffboardingRotation::Never {
        return;
    }
    let (member_id, generation) = (standing.member_id, account.secret_generation);
    let rule = "known_outside";
    changes.push(Change::OutboxInsert(OutboxEvent {
        id: ids.outbox(),
        workspace_id: account.workspace_id,
        kind: EffectKind::Rotation,
        key: format!("{rule}:{member_id}:{}:{}:{generation}", standing.epoch.0, account.id),
        case_id: None,
        priority: leaving::priority(account),
        payload: leaving::rotation_payload(account, member_id, rule),
        state: EffectState::Ready,
        due_at: cause.now,
        created_at: cause.now,
    }));
    let detail = json!({ "member": member_id, "rule": rule, "generation": generation });
    changes.note((cause, ids), "rotation.planned", ("account", &account.id), detail);
}

pub(crate) fn push(
    changes: &mut ChangeSet,
    account: &Account,
    member_id: MemberId,
    kind: ExposureKind,
    (cause, ids): (&Cause, Ids<'_>),
) {
    let generation = account.secret_generation;
    let client = match cause.actor {
        Actor::Member(..) | Actor::Directory(_) => Client::Api,
        Actor::Operator | Actor::System => Client::Cli,
    };
    let seen = Seen {
        account_id: account.id,
        secret: None,
        version: generation,
        member_id: Some(member_id),
        kind,
        client,
    };
    seen.push(changes, (cause, ids));
    let detail = json!({ "member": member_id, "generation": generation, "kind": kind });
    changes.note((cause, ids), "account.exposed", ("account", &account.id), detail);
}

/// That somebody sees, or saw, one version of a secret.
pub(crate) struct Seen<'a> {
    pub(crate) account_id: AccountId,
    /// `None` is a password that the vault may not hold.
    pub(crate) secret: Option<&'a Secret>,
    pub(crate) version: i64,
    /// `None` is somebody with a shell on the host.
    pub(crate) member_id: Option<MemberId>,
    pub(crate) kind: ExposureKind,
    pub(crate) client: Client,
}

impl Seen<'_> {
    /// Adds it to the ledger, and to who knows the password if it is one and conveys knowledge.
    pub(crate) fn push(&self, changes: &mut ChangeSet, (cause, ids): (&Cause, Ids<'_>)) {
        changes.push(Change::ExposureEventInsert(ExposureEvent {
            id: ids.exposure(),
            workspace_id: changes.workspace_id,
            account_id: self.account_id,
            secret_id: self.secret.map(|secret| secret.id),
            version: self.version,
            member_id: self.member_id,
            kind: self.kind,
            client: self.client,
            at: cause.now,
            request_id: cause.request_id,
        }));
        self.push_knowledge(changes, self.version, cause);
    }

    /// The same knowledge of another version, whose value is the same.
    pub(crate) fn push_knowledge(&self, changes: &mut ChangeSet, generation: i64, cause: &Cause) {
        let password = self.secret.is_none_or(|secret| secret.kind == SecretKind::Password);
        if let Some(member_id) = self.member_id.filter(|_| password && self.kind.conveys_knowledge()) {
            changes.push(Change::ExposureInsert(Exposure {
                account_id: self.account_id,
                member_id,
                generation,
                kind: self.kind,
                at: cause.now,
            }));
        }
    }
}
