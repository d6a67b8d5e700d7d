//! A secret leaves: who may have it, and what is on record before it does (V5).
//!
//! Each decision names the version that may be opened, and the change set that must be durable
//! before its value goes anywhere.

use latchkey_kernel::id::RotationId;
use serde_json::json;

use crate::capability::Capability;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::exposure::ExposureKind;
use crate::member::words;
use crate::refusal::Refusal;
use crate::secret::{BurnedCode, SecretKind, VersionState};
use crate::secrets::{Asked, Vaulted, described};

words! {
    /// In which way a secret leaves.
    Act {
        /// Shown to a person.
        Reveal = "reveal",
        /// Copied to a person's clipboard.
        Copy = "copy",
        /// Filled into a form.
        Fill = "fill",
        /// Taken along in an export.
        Export = "export",
        /// Read by a program.
        ApiRead = "api_read",
        /// Read at the command line.
        CliRead = "cli_read",
        /// The pending value, for who changes it by hand at the system that it opens.
        Rotate = "rotate",
    }
}

impl Act {
    const fn capability(self) -> Capability {
        match self {
            Self::Reveal | Self::ApiRead | Self::CliRead => Capability::Reveal,
            Self::Copy => Capability::Copy,
            Self::Fill => Capability::Fill,
            Self::Export => Capability::Export,
            Self::Rotate => Capability::Rotate,
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Reveal => "secret.revealed",
            Self::Copy => "secret.copied",
            Self::Fill => "secret.filled",
            Self::Export => "secret.exported",
            Self::ApiRead | Self::CliRead => "secret.read",
            Self::Rotate => "secret.handed_out",
        }
    }

    const fn exposure(self, kind: SecretKind) -> ExposureKind {
        match (self, kind) {
            (Self::Rotate, _) => ExposureKind::RotationOperator,
            (Self::Export, _) => ExposureKind::Export,
            (_, SecretKind::Totp) => ExposureKind::TotpSeed,
            (_, SecretKind::RecoveryCodes) => ExposureKind::RecoveryCode,
            (Self::Reveal, _) => ExposureKind::Reveal,
            (Self::Copy, _) => ExposureKind::Copy,
            (Self::Fill, _) => ExposureKind::Fill,
            (Self::ApiRead, _) => ExposureKind::ApiRead,
            (Self::CliRead, _) => ExposureKind::CliRead,
        }
    }
}

/// Lets a value out: the current one, or an earlier one by its number for who may edit. The answer
/// is the version that may be opened once the changes are durable.
///
/// # Errors
/// When they may not, or there is no such value.
pub fn disclose(
    vaulted: Vaulted<'_>,
    act: Act,
    version: Option<i64>,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<(i64, ChangeSet), Refusal> {
    let Vaulted { account, secret, .. } = vaulted;
    let mut changes = asked.permitted(act.capability().on(secret.kind), account, cause)?;
    let current = vaulted.in_state(VersionState::Current);
    let shown = match (act, version) {
        (Act::Rotate, _) => vaulted.in_state(VersionState::Pending),
        (_, None) => current,
        (_, Some(number)) => vaulted.version(number).filter(|one| one.state != VersionState::Pending),
    };
    let shown = shown.ok_or(Refusal::NoValue)?;
    if !matches!(shown.state, VersionState::Current | VersionState::Pending) {
        asked.permitted(Capability::Edit, account, cause)?;
        if let Some(current) = current {
            // So that it can't slip past the earlier value's being brought back.
            changes.push(Change::SecretExpect { secret_id: secret.id, version: current.version });
        }
    }
    let seen = asked.sees(account, secret, shown.version, act.exposure(secret.kind));
    seen.push(&mut changes, (cause, ids));
    if let Some(current) = current.filter(|one| one.version != shown.version && one.digest == shown.digest) {
        seen.push_knowledge(&mut changes, current.version, cause);
    }
    let mut detail = described(secret, shown.version);
    detail["state"] = json!(shown.state);
    detail["client"] = json!(asked.client);
    changes.note((cause, ids), act.action(), ("account", &account.id), detail);
    Ok((shown.version, changes))
}

/// How many one-time codes a member gets for one account in a minute.
pub const CODES_A_MINUTE: u64 = 6;

/// Lets a one-time code out, computed here. `recent` is how many this member was given for this
/// account within the last minute.
///
/// # Errors
/// When they may not, it is no TOTP seed, or too many were given.
pub fn totp_code(
    vaulted: Vaulted<'_>,
    recent: u64,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<(i64, ChangeSet), Refusal> {
    let Vaulted { account, secret, .. } = vaulted;
    let mut changes = asked.permitted(Capability::TotpCode, account, cause)?;
    needs(vaulted, SecretKind::Totp)?;
    if recent >= CODES_A_MINUTE {
        return Err(Refusal::TooManyCodes { max: CODES_A_MINUTE });
    }
    let version = vaulted.in_state(VersionState::Current).ok_or(Refusal::NoValue)?.version;
    asked.sees(account, secret, version, ExposureKind::TotpCode).push(&mut changes, (cause, ids));
    let detail = described(secret, version);
    changes.note((cause, ids), CODE_GIVEN, ("account", &account.id), detail);
    Ok((version, changes))
}

/// Has a one-time code computed for a rotation, which types it where it logs in. No person gets to
/// see it, so nobody is exposed by it; that the seed was used, and for what, is on record all the same
/// before the code goes anywhere (V5, L1). Fails as moved when the seed has been replaced.
///
/// # Errors
/// When it is no TOTP seed, or it has no value.
pub fn code_for_rotation(
    vaulted: Vaulted<'_>,
    rotation: RotationId,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<(i64, ChangeSet), Refusal> {
    let Vaulted { account, secret, .. } = vaulted;
    needs(vaulted, SecretKind::Totp)?;
    let version = vaulted.in_state(VersionState::Current).ok_or(Refusal::NoValue)?.version;
    let mut changes = ChangeSet::new(account.workspace_id);
    changes.push(Change::SecretExpect { secret_id: secret.id, version });
    let mut detail = described(secret, version);
    detail["rotation"] = json!(rotation);
    changes.note((cause, ids), CODE_USED, ("account", &account.id), detail);
    Ok((version, changes))
}

/// What the audit log calls it when a rotation used a one-time code.
pub const CODE_USED: &str = "secret.code_used";
/// What it calls it when a person was given one.
pub const CODE_GIVEN: &str = "secret.code_given";

/// Lets one recovery code out and burns it: `wished`, or the first that is left. `count` is how
/// many there are, `burned` which of the current version are used. The answer is its version and
/// number; of two who want the last one at the same time, one gets it.
///
/// # Errors
/// When they may not, it holds no recovery codes, or the code is burned or not there.
pub fn burn(
    vaulted: Vaulted<'_>,
    (count, burned): (usize, &[BurnedCode]),
    wished: Option<usize>,
    asked: &Asked<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<((i64, usize), ChangeSet), Refusal> {
    let Vaulted { account, secret, .. } = vaulted;
    let mut changes = asked.permitted(Capability::RecoveryCode, account, cause)?;
    needs(vaulted, SecretKind::RecoveryCodes)?;
    let version = vaulted.in_state(VersionState::Current).ok_or(Refusal::NoValue)?.version;
    let is_burned = |number: usize| {
        burned.iter().any(|code| code.version == version && usize::try_from(code.number) == Ok(number))
    };
    let number = match wished {
        Some(number) if number >= count => return Err(Refusal::NoCodeLeft),
        Some(number) if is_burned(number) => return Err(Refusal::CodeBurned),
        Some(number) => number,
        None => (0..count).find(|number| !is_burned(*number)).ok_or(Refusal::NoCodeLeft)?,
    };
    changes.push(Change::CodeBurn(BurnedCode {
        secret_id: secret.id,
        version,
        number: i64::try_from(number).unwrap_or(i64::MAX),
        at: cause.now,
        by: cause.actor.to_string(),
    }));
    asked.sees(account, secret, version, ExposureKind::RecoveryCode).push(&mut changes, (cause, ids));
    let mut detail = described(secret, version);
    detail["code"] = json!(number);
    changes.note((cause, ids), "secret.code_burned", ("account", &account.id), detail);
    Ok(((version, number), changes))
}

fn needs(vaulted: Vaulted<'_>, kind: SecretKind) -> Result<(), Refusal> {
    if vaulted.secret.kind == kind { Ok(()) } else { Err(Refusal::WrongKind { needs: kind }) }
}
