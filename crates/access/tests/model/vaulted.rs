//! What may be asked of an account's secrets.

use latchkey_access::capability::Asker;
use latchkey_access::context::{Cause, Ids};
use latchkey_access::disclosure::{self, Act};
use latchkey_access::effective::Reach;
use latchkey_access::exposure::{Client, Exposure, ExposureKind};
use latchkey_access::member::Standing;
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::{BurnedCode, SealedValue, Secret, SecretKind, SecretVersion, VersionState};
use latchkey_access::secrets::{self, Asked, Vaulted};
use latchkey_access::{Account, ChangeSet};
use latchkey_kernel::id::{AccountId, MemberId, SecretId};

use super::Tables;

/// Something asked of a secret, by a member (or by Latchkey itself, for `None`).
#[derive(Debug, Clone, PartialEq)]
pub enum Secretly {
    Add(AccountId, SecretId, SecretKind, u8),
    Set(SecretId, u8),
    Stage(SecretId, u8),
    Promote(SecretId),
    Abandon(SecretId),
    Restore(SecretId, i64),
    Remove(SecretId),
    Show(SecretId, Act, Option<i64>),
    Code(SecretId),
    Burn(SecretId),
}

/// A secret with all that is loaded of it.
struct Loaded {
    account: Account,
    secret: Secret,
    versions: Vec<SecretVersion>,
}

impl Loaded {
    fn of(tables: &Tables, id: SecretId) -> Option<Self> {
        let secret = tables.secrets.get(&id)?.clone();
        let account = tables.accounts.get(&secret.account_id)?.clone();
        let versions = tables.versions.values().filter(|(row, _)| row.secret_id == id);
        Some(Self { account, secret, versions: versions.map(|(row, _)| row.clone()).collect() })
    }

    fn as_vaulted(&self) -> Vaulted<'_> {
        Vaulted { account: &self.account, secret: &self.secret, versions: &self.versions }
    }

    fn sealed(&self, value: u8) -> SealedValue {
        sealed(self.as_vaulted().next_version(), value)
    }
}

fn sealed(version: i64, value: u8) -> SealedValue {
    SealedValue { version, key_number: 1, digest: [value; 32], sealed: vec![value] }
}

impl Secretly {
    pub fn account(&self, tables: &Tables) -> Option<AccountId> {
        match self {
            Self::Add(account, ..) => Some(*account),
            Self::Set(id, _)
            | Self::Stage(id, _)
            | Self::Promote(id)
            | Self::Abandon(id)
            | Self::Restore(id, _)
            | Self::Remove(id)
            | Self::Show(id, ..)
            | Self::Code(id)
            | Self::Burn(id) => tables.secrets.get(id).map(|secret| secret.account_id),
        }
    }

    /// Loads from `tables` and decides; `None` when what it is about is gone.
    pub fn decide(
        &self,
        tables: &Tables,
        by: Option<MemberId>,
        cause: &Cause,
        ids: Ids<'_>,
    ) -> Option<Result<ChangeSet, Refusal>> {
        let account = self.account(tables)?;
        let mut ways: Vec<Reach> = by.map(|id| tables.reaches(id)).unwrap_or_default();
        ways.retain(|way| way.account_id == account);
        let standing: Option<Standing> = by.map(|id| tables.member(id).standing());
        let asker = standing.map_or(Asker::System, |standing| Asker::Member(standing, &ways));
        let asked = Asked { asker, client: Client::Api, policy: &tables.workspace.policy };
        let loaded = |id: &SecretId| Loaded::of(tables, *id);
        Some(match self {
            Self::Add(account, id, kind, value) => {
                let account = tables.accounts.get(account)?;
                let others: Vec<Secret> =
                    tables.secrets.values().filter(|row| row.account_id == account.id).cloned().collect();
                let secret = Secret {
                    workspace_id: account.workspace_id,
                    id: *id,
                    account_id: account.id,
                    kind: *kind,
                    label: kind.to_string(),
                    created_at: cause.now,
                    created_by: cause.actor.to_string(),
                };
                let value = sealed(secrets::first_version(account, *kind), *value);
                secrets::add(account, &others, (secret, value), &asked, ExposureKind::Creator, cause, ids)
            }
            Self::Set(id, value) => {
                let loaded = loaded(id)?;
                secrets::set(loaded.as_vaulted(), loaded.sealed(*value), &asked, cause, ids)
            }
            Self::Stage(id, value) => {
                let loaded = loaded(id)?;
                secrets::stage(loaded.as_vaulted(), loaded.sealed(*value), &asked, cause, ids)
            }
            Self::Promote(id) => {
                let (loaded, version) = (loaded(id)?, tables.at(*id, VersionState::Pending)?);
                secrets::promote(loaded.as_vaulted(), version, Some(cause.now), &asked, cause, ids)
            }
            Self::Abandon(id) => {
                let (loaded, version) = (loaded(id)?, tables.at(*id, VersionState::Pending)?);
                secrets::abandon(loaded.as_vaulted(), version, &asked, cause, ids)
            }
            Self::Restore(id, from) => {
                let loaded = loaded(id)?;
                let digest = loaded.as_vaulted().version(*from)?.digest;
                let known: Vec<(Exposure, Standing)> = tables
                    .exposures
                    .values()
                    .filter(|row| row.account_id == account)
                    .map(|row| (row.clone(), tables.member(row.member_id).standing()))
                    .collect();
                let value = SealedValue { digest, ..loaded.sealed(0) };
                secrets::restore(loaded.as_vaulted(), (*from, value), &known, &asked, cause, ids)
            }
            Self::Remove(id) => secrets::remove(loaded(id)?.as_vaulted(), &asked, cause, ids),
            Self::Show(id, act, version) => {
                disclosure::disclose(loaded(id)?.as_vaulted(), *act, *version, &asked, cause, ids)
                    .map(|(_, changes)| changes)
            }
            Self::Code(id) => disclosure::totp_code(loaded(id)?.as_vaulted(), 0, &asked, cause, ids)
                .map(|(_, changes)| changes),
            Self::Burn(id) => {
                let burned: Vec<BurnedCode> =
                    tables.burned.values().filter(|row| row.secret_id == *id).cloned().collect();
                let codes = (3, burned.as_slice());
                disclosure::burn(loaded(id)?.as_vaulted(), codes, None, &asked, cause, ids)
                    .map(|(_, changes)| changes)
            }
        })
    }
}
