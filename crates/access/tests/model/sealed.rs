//! What each change of secrets, their keys and the ledger does.

use latchkey_access::secret::{Secret, SecretKind, VersionState};
use latchkey_access::{Change, Exposure};
use latchkey_kernel::id::SecretId;

use super::commit::{Done, bump, exists, moved, unless};
use super::{Conflict, Tables};

impl Tables {
    pub(super) fn apply_to_secrets(&mut self, change: &Change) -> Done {
        match change {
            Change::ExposureCarry { account_id, from, to, at } => {
                let know: Vec<Exposure> = self
                    .exposures
                    .values()
                    .filter(|row| row.account_id == *account_id && row.generation == *from)
                    .map(|row| Exposure { generation: *to, at: *at, ..row.clone() })
                    .collect();
                for row in know {
                    self.exposures.entry((row.account_id, row.member_id, row.generation)).or_insert(row);
                }
            }
            Change::ExposureEventInsert(event) => {
                self.events.insert(event.id, event.clone());
            }
            Change::SecretInsert(secret) => {
                exists(self.accounts.contains_key(&secret.account_id), "account")?;
                let same = |row: &Secret| row.account_id == secret.account_id && row.kind == secret.kind;
                unless(secret.kind == SecretKind::Password && self.secrets.values().any(same), "password")?;
                self.secrets.insert(secret.id, secret.clone());
            }
            Change::SecretDelete { secret_id } => {
                exists(self.secrets.contains_key(secret_id), "secret")?;
                self.drop_secrets(|secret| secret.id == *secret_id);
            }
            Change::SecretVersionInsert { version, sealed } => {
                self.key_seals(version.key_number)?;
                exists(self.secrets.contains_key(&version.secret_id), "secret")?;
                let key = (version.secret_id, version.version);
                unless(self.versions.contains_key(&key), "version")?;
                let unique = version.state != VersionState::Retired;
                unless(unique && self.at(version.secret_id, version.state).is_some(), "state")?;
                self.versions.insert(key, (version.clone(), sealed.clone()));
            }
            Change::SecretExpect { secret_id, version } => {
                moved(self.at(*secret_id, VersionState::Current) == Some(*version), "secret version")?;
            }
            Change::SecretPromote { account_id, secret_id, version, verified_at, at } => {
                moved(self.at(*secret_id, VersionState::Pending) == Some(*version), "secret version")?;
                if let Some(previous) = self.at(*secret_id, VersionState::Previous) {
                    self.set_state(*secret_id, previous, VersionState::Retired);
                }
                if let Some(current) = self.at(*secret_id, VersionState::Current) {
                    self.set_state(*secret_id, current, VersionState::Previous).retired_at = Some(*at);
                }
                self.set_state(*secret_id, *version, VersionState::Current).verified_at = *verified_at;
                if self.secrets[secret_id].kind == SecretKind::Password
                    && let Some(account) = self.accounts.get_mut(account_id)
                {
                    account.secret_generation = *version;
                    bump(account, *at);
                }
            }
            Change::SecretAbandon { secret_id, version, at } => {
                moved(self.at(*secret_id, VersionState::Pending) == Some(*version), "secret version")?;
                self.set_state(*secret_id, *version, VersionState::Retired).retired_at = Some(*at);
            }
            Change::SecretReseal { secret_id, version, from, to, sealed } => {
                self.key_seals(*to)?;
                let row = self.versions.get_mut(&(*secret_id, *version));
                let row = row.filter(|(row, _)| row.key_number == *from);
                let (row, kept) = row.ok_or(Conflict::Moved("secret version"))?;
                row.key_number = *to;
                *kept = sealed.clone();
            }
            Change::CodeBurn(code) => {
                exists(self.versions.contains_key(&(code.secret_id, code.version)), "secret version")?;
                let key = (code.secret_id, code.version, code.number);
                unless(self.burned.contains_key(&key), "code")?;
                self.burned.insert(key, code.clone());
            }
            Change::KeyInsert(key) => {
                unless(self.keys.contains_key(&key.number), "key")?;
                self.keys.insert(key.number, key.clone());
            }
            Change::KeyRewrap { key, expect } => {
                let row = self.keys.get_mut(&key.number);
                let row = row.filter(|row| row.kek_id == *expect && row.retired_at.is_none());
                *row.ok_or(Conflict::Moved("workspace key"))? = key.clone();
            }
            Change::KeyRetire { number, at } => {
                let sealed = self.versions.values().any(|(row, _)| row.key_number == *number);
                let other = self.keys.values().any(|key| key.number > *number && key.retired_at.is_none());
                let row = self.keys.get_mut(number).filter(|key| key.retired_at.is_none());
                let row = row.filter(|_| !sealed && other).ok_or(Conflict::Moved("workspace key"))?;
                row.retired_at = Some(*at);
                row.primary.clear();
                row.recovery.clear();
            }
            _ => self.apply_to_effects(change)?,
        }
        Ok(())
    }

    /// The version of a secret in a state of which there is at most one.
    pub fn at(&self, secret_id: SecretId, state: VersionState) -> Option<i64> {
        let mut own =
            self.versions.values().filter(|(row, _)| row.secret_id == secret_id && row.state == state);
        own.next().map(|(row, _)| row.version)
    }

    pub(super) fn drop_secrets(&mut self, gone: impl Fn(&Secret) -> bool) {
        self.secrets.retain(|_, secret| !gone(secret));
        self.versions.retain(|(secret, _), _| self.secrets.contains_key(secret));
        self.burned.retain(|(secret, ..), _| self.secrets.contains_key(secret));
    }

    fn set_state(
        &mut self,
        secret_id: SecretId,
        version: i64,
        state: VersionState,
    ) -> &mut latchkey_access::SecretVersion {
        let (row, _) = self.versions.get_mut(&(secret_id, version)).unwrap();
        row.state = state;
        row
    }

    fn key_seals(&self, number: i64) -> Done {
        moved(self.keys.get(&number).is_some_and(|key| key.retired_at.is_none()), "workspace key")
    }
}
