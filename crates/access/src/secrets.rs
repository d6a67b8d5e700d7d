//! Secrets are added, given new values, put into use, brought back and removed.
//!
//! A person's new value counts at once; a rotation's is *pending* until it is proven at the
//! system that it opens, and the value before stays *previous* (V2). The number of a password's
//! version is the account's `secret_generation`, by which exposures name what was seen.

use std::collections::BTreeSet;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::MemberId;
use serde_json::{Value, json};

use crate::account::Account;
use crate::capability::{self, Asker, Capability};
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::exposure::{Client, Exposure, ExposureKind};
use crate::exposures::{self, Seen};
use crate::member::Standing;
use crate::refusal::{NAME_MAX, Refusal, bounded};
use crate::secret::{SealedValue, Secret, SecretKind, SecretVersion, VersionState};
use crate::workspace::Policy;

/// A secret with what a decision about it rests on.
#[derive(Debug, Clone, Copy)]
pub struct Vaulted<'a> {
    /// The account.
    pub account: &'a Account,
    /// The secret.
    pub secret: &'a Secret,
    /// All its versions.
    pub versions: &'a [SecretVersion],
}

impl<'a> Vaulted<'a> {
    /// The version in this state, of which there is at most one but for `retired`.
    pub fn in_state(&self, state: VersionState) -> Option<&'a SecretVersion> {
        self.versions.iter().find(|version| version.state == state)
    }

    /// The version of this number.
    pub fn version(&self, number: i64) -> Option<&'a SecretVersion> {
        self.versions.iter().find(|version| version.version == number)
    }

    /// The number that the next value will have.
    pub fn next_version(&self) -> i64 {
        let last = self.versions.iter().map(|version| version.version).max().unwrap_or(0);
        let used = if self.secret.kind == SecretKind::Password { self.account.secret_generation } else { 0 };
        last.max(used) + 1
    }

    fn is_new(&self, digest: &[u8; 32]) -> Result<(), Refusal> {
        let used = self.versions.iter().any(|version| version.digest == *digest);
        if used { Err(Refusal::ValueUsedBefore) } else { Ok(()) }
    }

    fn nothing_is_pending(&self) -> Result<(), Refusal> {
        self.in_state(VersionState::Pending).map_or(Ok(()), |_| Err(Refusal::ValuePending))
    }
}

/// The number of the first value that a person stores. The password that people used so far is
/// the account's present generation: who is recorded as knowing it knows this value.
pub const fn first_version(account: &Account, kind: SecretKind) -> i64 {
    match kind {
        SecretKind::Password => account.secret_generation,
        _ => 1,
    }
}

/// Who asks, by which client, under which policy.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who.
    pub asker: Asker<'a>,
    /// By which client.
    pub client: Client,
    /// The workspace's.
    pub policy: &'a Policy,
}

impl Asked<'_> {
    /// Whether they may, as a change set that expects that a member who asks is still in (A1).
    pub(crate) fn permitted(
        &self,
        capability: Capability,
        account: &Account,
        cause: &Cause,
    ) -> Result<ChangeSet, Refusal> {
        capability::permit(self.asker, capability, self.policy, cause.now)?;
        let mut changes = ChangeSet::new(account.workspace_id);
        if let Asker::Member(standing, _) = self.asker {
            changes.push(Change::MemberExpect { member_id: standing.member_id, epoch: standing.epoch });
        }
        Ok(changes)
    }

    pub(crate) const fn member_id(&self) -> Option<MemberId> {
        match self.asker {
            Asker::Member(standing, _) => Some(standing.member_id),
            Asker::Operator | Asker::System => None,
        }
    }

    pub(crate) const fn sees<'s>(
        &self,
        account: &Account,
        secret: &'s Secret,
        version: i64,
        kind: ExposureKind,
    ) -> Seen<'s> {
        Seen {
            account_id: account.id,
            secret: Some(secret),
            version,
            member_id: self.member_id(),
            kind,
            client: self.client,
        }
    }
}

/// Adds a secret with its first value, which whoever adds it knows. `others` are the secrets that
/// the account has.
///
/// # Errors
/// When they may not, the label is empty or too long, or the account has a password already.
pub fn add(
    account: &Account,
    others: &[Secret],
    (secret, value): (Secret, SealedValue),
    asked: &Asked<'_>,
    kind: ExposureKind,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let mut changes = asked.permitted(Capability::Edit, account, cause)?;
    check_new(others, &secret)?;
    changes.push(Change::SecretInsert(secret.clone()));
    let version = value.version;
    push_version(&mut changes, &secret, value, VersionState::Current, cause);
    let detail =
        json!({ "secret": secret.id, "kind": secret.kind, "label": secret.label, "version": version });
    changes.note((cause, ids), "secret.added", ("account", &account.id), detail);
    asked.sees(account, &secret, version, kind).push(&mut changes, (cause, ids));
    Ok(changes)
}

/// Gives a secret a new value, which counts at once and which whoever sets it knows.
///
/// # Errors
/// When they may not, the value was used before, or another is being put into use.
pub fn set(
    vaulted: Vaulted<'_>,
    value: SealedValue,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let Vaulted { account, secret, .. } = vaulted;
    let mut changes = asked.permitted(Capability::Edit, account, cause)?;
    vaulted.nothing_is_pending()?;
    vaulted.is_new(&value.digest)?;
    let version = push_current(&mut changes, vaulted, value, cause);
    note(&mut changes, vaulted, "secret.changed", version, (cause, ids));
    asked.sees(account, secret, version, ExposureKind::Creator).push(&mut changes, (cause, ids));
    Ok(changes)
}

/// Stores a value as pending before anything is tried with it (V2). A secret that is not there yet
/// is added with it; then `vaulted` has no versions.
///
/// # Errors
/// When they may not, the value was used before, or another is pending.
pub fn stage(
    vaulted: Vaulted<'_>,
    value: SealedValue,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let mut changes = asked.permitted(Capability::Rotate, vaulted.account, cause)?;
    vaulted.nothing_is_pending()?;
    vaulted.is_new(&value.digest)?;
    if vaulted.versions.is_empty() {
        changes.push(Change::SecretInsert(vaulted.secret.clone()));
    }
    let version = value.version;
    push_version(&mut changes, vaulted.secret, value, VersionState::Pending, cause);
    note(&mut changes, vaulted, "secret.staged", version, (cause, ids));
    Ok(changes)
}

/// Puts the pending version into use: the current one becomes previous, the previous one retired,
/// and nobody knows the account's password any more but who was shown the pending value.
///
/// # Errors
/// When they may not, or the version is not the pending one.
pub fn promote(
    vaulted: Vaulted<'_>,
    version: i64,
    verified_at: Option<Timestamp>,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let mut changes = asked.permitted(Capability::Rotate, vaulted.account, cause)?;
    is_pending(vaulted, version)?;
    changes.push(promotion(vaulted, version, verified_at, cause));
    note(&mut changes, vaulted, "secret.promoted", version, (cause, ids));
    Ok(changes)
}

/// Gives up the pending version. Its value is kept in the history: should the system turn out to
/// have taken it, it is not lost.
///
/// # Errors
/// As [`promote`].
pub fn abandon(
    vaulted: Vaulted<'_>,
    version: i64,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let mut changes = asked.permitted(Capability::Rotate, vaulted.account, cause)?;
    is_pending(vaulted, version)?;
    changes.push(Change::SecretAbandon { secret_id: vaulted.secret.id, version, at: cause.now });
    note(&mut changes, vaulted, "secret.abandoned", version, (cause, ids));
    Ok(changes)
}

/// Brings an earlier value back as a new version. Who knew the value then knows the new version;
/// if one of them is out, a rotation follows at once. `known` is who knows which password of the
/// account, with their standing.
///
/// # Errors
/// When they may not, there is no such earlier version, or another is being put into use.
pub fn restore(
    vaulted: Vaulted<'_>,
    (from, value): (i64, SealedValue),
    known: &[(Exposure, Standing)],
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let Vaulted { account, secret, .. } = vaulted;
    let mut changes = asked.permitted(Capability::Edit, account, cause)?;
    vaulted.nothing_is_pending()?;
    let earlier = vaulted.version(from).filter(|version| version.state != VersionState::Current);
    let earlier = earlier.ok_or(Refusal::NoValue)?;
    let same: BTreeSet<i64> =
        vaulted.versions.iter().filter(|one| one.digest == earlier.digest).map(|one| one.version).collect();
    let know = known.iter().filter(|(exposure, _)| same.contains(&exposure.generation));
    let know: Vec<&(Exposure, Standing)> =
        if secret.kind == SecretKind::Password { know.collect() } else { Vec::new() };
    for (_, standing) in know.iter().filter(|(_, standing)| standing.is_active()) {
        changes.push(Change::MemberExpect { member_id: standing.member_id, epoch: standing.epoch });
    }
    let version = push_current(&mut changes, vaulted, value, cause);
    note(&mut changes, vaulted, "secret.restored", version, (cause, ids));
    let generation = Account { secret_generation: version, ..account.clone() };
    for (exposure, standing) in know {
        let row = Exposure { generation: version, at: cause.now, ..exposure.clone() };
        changes.push(Change::ExposureInsert(row));
        exposures::push_known_outside(&mut changes, &generation, standing, (cause, ids));
    }
    if secret.kind == SecretKind::Password {
        // Whoever was shown the earlier value between the reading and the commit.
        changes.changes.extend(same.into_iter().map(|from| Change::ExposureCarry {
            account_id: account.id,
            from,
            to: version,
            at: cause.now,
        }));
    }
    Ok(changes)
}

/// Removes a secret with all its versions, whose values are gone for good. What was seen of it
/// stays in the ledger.
///
/// # Errors
/// When they may not, or a value is being put into use.
pub fn remove(
    vaulted: Vaulted<'_>,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let Vaulted { account, secret, versions } = vaulted;
    let mut changes = asked.permitted(Capability::Remove, account, cause)?;
    vaulted.nothing_is_pending()?;
    changes.push(Change::SecretDelete { secret_id: secret.id });
    let detail = json!({ "secret": secret.id, "kind": secret.kind, "label": secret.label,
        "versions": versions.len() });
    changes.note((cause, ids), "secret.removed", ("account", &account.id), detail);
    Ok(changes)
}

/// That a stored version did not open: somebody altered or moved it. Nothing was shown.
pub fn tampered(account: &Account, secret: &Secret, version: i64, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(account.workspace_id);
    let detail = json!({ "secret": secret.id, "kind": secret.kind, "version": version });
    changes.note((cause, ids), "secret.tampered", ("account", &account.id), detail);
    changes
}

pub(crate) fn check_new(others: &[Secret], secret: &Secret) -> Result<(), Refusal> {
    bounded("the secret's label", &secret.label, NAME_MAX)?;
    let is_password = |kind| kind == SecretKind::Password;
    if is_password(secret.kind) && others.iter().any(|other| is_password(other.kind)) {
        return Err(Refusal::PasswordThere);
    }
    Ok(())
}

fn is_pending(vaulted: Vaulted<'_>, version: i64) -> Result<(), Refusal> {
    let pending = vaulted.in_state(VersionState::Pending);
    pending.filter(|pending| pending.version == version).map(drop).ok_or(Refusal::NotPending)
}

/// Stores a value and puts it into use at once.
fn push_current(changes: &mut ChangeSet, vaulted: Vaulted<'_>, value: SealedValue, cause: &Cause) -> i64 {
    let version = value.version;
    push_version(changes, vaulted.secret, value, VersionState::Pending, cause);
    changes.push(promotion(vaulted, version, None, cause));
    version
}

fn promotion(vaulted: Vaulted<'_>, version: i64, verified_at: Option<Timestamp>, cause: &Cause) -> Change {
    let (account_id, secret_id) = (vaulted.account.id, vaulted.secret.id);
    Change::SecretPromote { account_id, secret_id, version, verified_at, at: cause.now }
}

pub(crate) fn push_version(
    changes: &mut ChangeSet,
    secret: &Secret,
    value: SealedValue,
    state: VersionState,
    cause: &Cause,
) {
    let version = SecretVersion {
        secret_id: secret.id,
        version: value.version,
        state,
        key_number: value.key_number,
        digest: value.digest,
        created_at: cause.now,
        created_by: cause.actor.to_string(),
        verified_at: None,
        retired_at: None,
    };
    changes.push(Change::SecretVersionInsert { version, sealed: value.sealed });
}

fn note(
    changes: &mut ChangeSet,
    vaulted: Vaulted<'_>,
    action: &'static str,
    version: i64,
    (cause, ids): (&Cause, Ids<'_>),
) {
    let before = vaulted.in_state(VersionState::Current).map(|current| current.version);
    let mut detail = described(vaulted.secret, version);
    detail["current_before"] = json!(before);
    changes.note((cause, ids), action, ("account", &vaulted.account.id), detail);
}

/// A version of a secret in an audit record.
pub(crate) fn described(secret: &Secret, version: i64) -> Value {
    json!({ "secret": secret.id, "kind": secret.kind, "version": version })
}
