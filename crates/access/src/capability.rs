//! What a permission lets its holder do with an account's secrets.

use crate::effective::{self, Denial, Reach};
use crate::grant::Permission;
use crate::member::{Standing, words};
use crate::refusal::Refusal;
use crate::secret::SecretKind;
use crate::workspace::Policy;
use latchkey_kernel::Timestamp;

words! {
    /// Something that is done with a secret.
    Capability {
        /// See that it is there, and its history without values.
        Discover = "discover",
        /// Have it filled into a form.
        Fill = "fill",
        /// Have a one-time code computed.
        TotpCode = "totp_code",
        /// See it.
        Reveal = "reveal",
        /// Copy it.
        Copy = "copy",
        /// Give it a new value, add and restore.
        Edit = "edit",
        /// Have it changed at the system that it opens.
        Rotate = "rotate",
        /// Take a recovery code.
        RecoveryCode = "recovery_code",
        /// See the seed of one-time codes.
        TotpSeed = "totp_seed",
        /// Remove it for good.
        Remove = "remove",
        /// Take it along in an export.
        Export = "export",
    }
}

impl Capability {
    /// The lowest permission that gives it.
    pub const fn needs(self) -> Permission {
        match self {
            Self::Discover | Self::Fill | Self::TotpCode => Permission::Use,
            Self::Reveal | Self::Copy => Permission::View,
            Self::Edit | Self::Rotate | Self::RecoveryCode => Permission::Manage,
            Self::TotpSeed | Self::Remove | Self::Export => Permission::Own,
        }
    }

    /// The same for a secret of this kind: the second factor and what stands in for it are kept
    /// closer than the first.
    #[must_use]
    pub const fn on(self, kind: SecretKind) -> Self {
        match (self, kind) {
            (Self::Fill | Self::Reveal | Self::Copy, SecretKind::Totp) => Self::TotpSeed,
            (Self::Fill | Self::Reveal | Self::Copy, SecretKind::RecoveryCodes) => Self::RecoveryCode,
            _ => self,
        }
    }
}

/// Who asks for something with an account's secrets.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// A member, with every way in which they might reach the account.
    Member(Standing, &'a [Reach]),
    /// Somebody with a shell on the host, where the keys are.
    Operator,
    /// Latchkey itself, which changes secrets and shows none.
    System,
}

/// Whether the asker may do this with an account whose ways are given, and if not, why: no role
/// gives it, only a way that counts now.
///
/// # Errors
/// [`Refusal::NoAccess`], [`Refusal::CapabilityMissing`] or [`Refusal::ExportNotAllowed`].
pub fn permit(
    asker: Asker<'_>,
    capability: Capability,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Refusal> {
    let held = match asker {
        Asker::Member(standing, ways) => highest(&standing, ways, now)?,
        Asker::Operator => Permission::Own,
        Asker::System => Permission::Manage,
    };
    let needs = capability.needs();
    if held < needs {
        return Err(Refusal::CapabilityMissing { capability, held, needs });
    }
    if capability == Capability::Export && !policy.owners_export {
        return Err(Refusal::ExportNotAllowed);
    }
    Ok(())
}

/// The highest permission of the ways that count, or the reason why the nearest does not: the one
/// that fails at the last check.
fn highest(standing: &Standing, ways: &[Reach], now: Timestamp) -> Result<Permission, Refusal> {
    let mut nearest: Option<Denial> = None;
    let mut held = None;
    for way in ways {
        match effective::judge(standing, way, now) {
            Ok(permission) => held = held.max(Some(permission)),
            Err(denial) => nearest = nearest.max(Some(denial)),
        }
    }
    if !standing.is_active() {
        nearest = Some(Denial::MemberNotActive);
    }
    held.ok_or(Refusal::NoAccess { why: nearest })
}

#[cfg(test)]
mod tests {
    use latchkey_kernel::SeededEntropy;
    use latchkey_kernel::id::{AccountId, GrantId, MemberId, WorkspaceId};

    use super::*;
    use crate::effective::ReachBy;
    use crate::grant::{Grant, GrantObject, GrantSubject};
    use crate::member::{Epoch, MemberState};

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn way(permission: Permission, ends: Option<i64>) -> (Standing, Reach) {
        let entropy = SeededEntropy::new(1);
        let member_id = MemberId::fresh(NOW, &entropy);
        let account_id = AccountId::fresh(NOW, &entropy);
        let grant = Grant {
            workspace_id: WorkspaceId::fresh(NOW, &entropy),
            id: GrantId::fresh(NOW, &entropy),
            subject: GrantSubject::Member(member_id, Epoch(1)),
            object: GrantObject::Account(account_id),
            permission,
            starts_at: None,
            ends_at: ends.map(Timestamp::from_micros),
            reason: None,
            granted_by: "operator".to_owned(),
            granted_at: NOW,
        };
        let standing =
            Standing { member_id, state: MemberState::Active, epoch: Epoch(1), reviewed: Epoch(1) };
        let by = ReachBy::Grant { grant: Box::new(grant), team: None, collections: Vec::new() };
        (standing, Reach { account_id, by })
    }

    #[test]
    fn each_permission_gives_its_capabilities_and_no_more() {
        use Capability::{
            Copy, Discover, Edit, Export, Fill, RecoveryCode, Remove, Reveal, Rotate, TotpCode, TotpSeed,
        };
        let table: [(Permission, &[Capability]); 4] = [
            (Permission::Use, &[Discover, Fill, TotpCode]),
            (Permission::View, &[Discover, Fill, TotpCode, Reveal, Copy]),
            (Permission::Manage, &[Discover, Fill, TotpCode, Reveal, Copy, Edit, Rotate, RecoveryCode]),
            (
                Permission::Own,
                &[Discover, Fill, TotpCode, Reveal, Copy, Edit, Rotate, RecoveryCode, TotpSeed, Remove],
            ),
        ];
        for (permission, given) in table {
            let (standing, way) = way(permission, None);
            for capability in Capability::ALL {
                let ways = std::slice::from_ref(&way);
                let allowed =
                    permit(Asker::Member(standing, ways), *capability, &Policy::default(), NOW).is_ok();
                assert_eq!(allowed, given.contains(capability), "{permission} {capability}");
            }
        }
        let open = Policy { owners_export: true, ..Policy::default() };
        let (standing, way) = way(Permission::Own, None);
        assert_eq!(permit(Asker::Member(standing, &[way]), Export, &open, NOW), Ok(()));
    }

    #[test]
    fn a_deny_says_why() {
        let policy = Policy::default();
        let (standing, ended) = way(Permission::Own, Some(1_000_000));
        let ask =
            |standing, ways: &[Reach]| permit(Asker::Member(standing, ways), Capability::Fill, &policy, NOW);
        let because = |why| Err(Refusal::NoAccess { why });
        assert_eq!(ask(standing, &[]), because(None));
        assert_eq!(ask(standing, std::slice::from_ref(&ended)), because(Some(Denial::Ended)));
        let out = Standing { state: MemberState::Inactive, ..standing };
        assert_eq!(ask(out, &[]), because(Some(Denial::MemberNotActive)));
        let back = Standing { epoch: Epoch(2), ..standing };
        let (_, open) = way(Permission::Own, None);
        assert_eq!(ask(back, &[open]), because(Some(Denial::GrantedInEarlierEpoch)));
    }
}
