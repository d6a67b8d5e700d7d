//! An item as an account with secrets that is still to be made.

use latchkey_access::context::Cause;
use latchkey_access::member::Version;
use latchkey_access::secret::{SealedValue, Secret, SecretKind};
use latchkey_access::secrets::first_version;
use latchkey_access::{Account, Member, OffboardingRotation, Sensitivity};
use latchkey_interchange::{Item, Lost, RowError, host};
use latchkey_kernel::id::{AccountId, CollectionId, SecretId};
use secrecy::SecretString;

use crate::secrets::{Value, seal};
use crate::{Caller, Engine, Error};

/// How many characters a label or an app's name may have.
const NAME_MAX: usize = 200;

/// What an item becomes.
pub(super) struct Draft {
    name: String,
    app: String,
    url: Option<String>,
    username: Option<String>,
    pub(super) folder: Vec<String>,
    pub(super) secrets: Vec<DraftSecret>,
}

pub(super) struct DraftSecret {
    pub(super) kind: SecretKind,
    label: String,
    value: Value,
}

impl Draft {
    /// The item's parts in their places; what is of no use is told.
    pub(super) fn of(item: &Item, errors: &mut Vec<RowError>) -> Self {
        let url = item.urls.first().cloned();
        let app = url.as_deref().and_then(host).unwrap_or_else(|| item.name.clone());
        let mut draft = Self {
            name: item.name.clone(),
            app: app.chars().take(NAME_MAX).collect(),
            url,
            username: item.username.clone(),
            folder: item.folder.clone(),
            secrets: Vec::new(),
        };
        let mut put = |kind, label: &str, value: Option<&SecretString>| {
            let Some(value) = value else { return };
            match Value::from(value).checked(kind) {
                Ok(value) => draft.secrets.push(DraftSecret { kind, label: label_of(label), value }),
                Err(error) => errors.push(RowError {
                    place: item.place.clone(),
                    field: label.to_owned(),
                    found: error.to_string(),
                    advice: "add it to the account by hand",
                    lost: Lost::Field,
                }),
            }
        };
        put(SecretKind::Password, "Password", item.password.as_ref());
        put(SecretKind::Totp, "One-time code", item.totp.as_ref());
        put(SecretKind::SshKey, "SSH key", item.ssh_key.as_ref());
        put(SecretKind::Note, NOTES, item.notes.as_ref());
        if item.urls.len() > 1 {
            put(SecretKind::Note, "Other addresses", Some(&SecretString::from(item.urls[1..].join("\n"))));
        }
        for extra in &item.extra {
            put(SecretKind::Note, &extra.name, Some(&extra.value));
        }
        draft
    }

    /// The account that it is.
    pub(super) fn account(
        &self,
        engine: &Engine,
        by: &Caller,
        owner: &Member,
        collection_id: Option<CollectionId>,
        cause: &Cause,
    ) -> Account {
        Account {
            workspace_id: by.workspace_id(),
            id: AccountId::fresh(cause.now, engine.entropy()),
            name: self.name.clone(),
            app: self.app.clone(),
            url: self.url.clone(),
            username: self.username.clone(),
            sensitivity: Sensitivity::Standard,
            offboarding_rotation: OffboardingRotation::Auto,
            collection_id,
            owner_id: Some(owner.id),
            owner_flag: None,
            successor_id: None,
            secret_generation: 1,
            version: Version::FIRST,
            created_at: cause.now,
            modified_at: cause.now,
        }
    }

    /// Its secrets, sealed for this account.
    pub(super) async fn seal(
        &self,
        engine: &Engine,
        account: &Account,
        cause: &Cause,
    ) -> Result<Vec<(Secret, SealedValue)>, Error> {
        let mut sealed = Vec::with_capacity(self.secrets.len());
        for DraftSecret { kind, label, value } in &self.secrets {
            let secret = Secret {
                workspace_id: account.workspace_id,
                id: SecretId::fresh(cause.now, engine.entropy()),
                account_id: account.id,
                kind: *kind,
                label: label.clone(),
                created_at: cause.now,
                created_by: cause.actor.to_string(),
            };
            let value = seal(engine, &secret, first_version(account, *kind), value).await?;
            sealed.push((secret, value));
        }
        Ok(sealed)
    }
}

/// What an item's notes are called, here and in an export.
pub(crate) const NOTES: &str = "Notes";

fn label_of(text: &str) -> String {
    let label: String = text.trim().chars().take(NAME_MAX).collect();
    if label.is_empty() { "Field".to_owned() } else { label }
}
