//! Accounts: the shared logins, who owns them, and who knows their passwords.

use latchkey_access::account::{Account, Exposure, ExposureKind, OffboardingRotation, Sensitivity};
use latchkey_access::accounts::{self as rules, Named};
use latchkey_access::member::Version;
use latchkey_access::{Member, exposures};
use latchkey_kernel::id::{AccountId, CollectionId, MemberId};

use super::{Session, said};
use crate::Error;
use crate::engine::only_moved;

/// An account to be added.
#[derive(Debug, Clone)]
pub struct AccountDraft {
    /// What people call it.
    pub name: String,
    /// The app that it opens.
    pub app: String,
    /// Where to sign in.
    pub url: Option<String>,
    /// The login name there.
    pub username: Option<String>,
    /// How much harm a leaver could do with it.
    pub sensitivity: Sensitivity,
    /// When offboarding rotates it.
    pub offboarding_rotation: OffboardingRotation,
    /// The collection that it lies in.
    pub collection_id: Option<CollectionId>,
    /// Its owner; `None` stands for the workspace Owners.
    pub owner_id: Option<MemberId>,
    /// Who takes over when the owner leaves.
    pub successor_id: Option<MemberId>,
}

/// What is to be changed of an account; `None` stays, `Some(None)` empties.
#[derive(Debug, Clone, Default)]
pub struct AccountPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its app.
    pub app: Option<String>,
    /// Where to sign in.
    pub url: Option<Option<String>>,
    /// The login name there.
    pub username: Option<Option<String>>,
    /// How much harm a leaver could do with it.
    pub sensitivity: Option<Sensitivity>,
    /// When offboarding rotates it.
    pub offboarding_rotation: Option<OffboardingRotation>,
    /// The collection that it lies in.
    pub collection_id: Option<Option<CollectionId>>,
    /// Its owner.
    pub owner_id: Option<Option<MemberId>>,
    /// Who takes over when the owner leaves.
    pub successor_id: Option<Option<MemberId>>,
}

impl Session<'_> {
    /// A page of accounts, by a part of the name or app, and by collection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_list(
        &self,
        text: Option<&str>,
        collection: Option<CollectionId>,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Account>, Error> {
        let text = text.map(|text| latchkey_scim::filter::fold(text.trim()).into_owned());
        let text = text.filter(|text| !text.is_empty());
        let store = self.engine.store();
        Ok(store.account_search(self.workspace_id, text.as_deref(), collection, after, limit).await?)
    }

    /// One account.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn account_get(&self, id: AccountId) -> Result<Account, Error> {
        let found = self.engine.store().account_get(self.workspace_id, id).await?;
        found.ok_or(Error::NotFound { what: "account" })
    }

    /// Adds an account.
    ///
    /// # Errors
    /// When a member or the collection is not there or may not have it, or a text is no good.
    pub async fn account_create(&self, draft: AccountDraft) -> Result<Account, Error> {
        let now = self.engine.now();
        let account = Account {
            workspace_id: self.workspace_id,
            id: AccountId::fresh(now, self.engine.entropy()),
            name: draft.name.trim().to_owned(),
            app: draft.app.trim().to_owned(),
            url: web_address(said(draft.url))?,
            username: said(draft.username),
            sensitivity: draft.sensitivity,
            offboarding_rotation: draft.offboarding_rotation,
            collection_id: draft.collection_id,
            owner_id: draft.owner_id,
            owner_flag: None,
            successor_id: draft.successor_id,
            secret_generation: 1,
            version: Version::FIRST,
            created_at: now,
            modified_at: now,
        };
        self.engine
            .settle(async || {
                self.line_up(account.collection_id).await?;
                let owner = self.named(account.owner_id).await?;
                let successor = self.named(account.successor_id).await?;
                let named = Named { owner: owner.as_ref(), successor: successor.as_ref() };
                let cause = self.cause();
                let changes = rules::create(account.clone(), named, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(account.clone())
            })
            .await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// As for a new one.
    pub async fn account_change(&self, id: AccountId, patch: AccountPatch) -> Result<Account, Error> {
        self.engine
            .settle(async || {
                let before = self.account_get(id).await?;
                let after = patched(&before, patch.clone())?;
                if after.collection_id != before.collection_id {
                    self.line_up(after.collection_id).await?;
                }
                let owner = self.named(after.owner_id.filter(|_| after.owner_id != before.owner_id)).await?;
                let successor =
                    self.named(after.successor_id.filter(|_| after.successor_id != before.successor_id)).await?;
                let named = Named { owner: owner.as_ref(), successor: successor.as_ref() };
                let cause = self.cause();
                let changes = rules::update(&before, after, named, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(self.account_get(id).await?)
            })
            .await
    }

    /// Removes an account with its grants and exposures.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn account_delete(&self, id: AccountId) -> Result<(), Error> {
        self.engine
            .settle(async || {
                let account = self.account_get(id).await?;
                let cause = self.cause();
                let changes = rules::delete(&account, &cause, self.ids(&cause));
                self.engine.commit(changes, only_moved).await
            })
            .await
    }

    /// Records that a member knows an account's present password.
    ///
    /// # Errors
    /// When either is not there.
    pub async fn exposure_record(&self, id: AccountId, member: MemberId) -> Result<(), Error> {
        self.engine
            .settle(async || {
                let (account, member) = tokio::try_join!(self.account_get(id), self.member(member))?;
                let cause = self.cause();
                let ids = self.ids(&cause);
                let changes = exposures::record(&account, &member, ExposureKind::Declared, &cause, ids);
                self.engine.commit(changes, only_moved).await
            })
            .await
    }

    /// Who knows which value of an account's password, with the account.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn exposure_list(&self, id: AccountId) -> Result<(Account, Vec<Exposure>), Error> {
        let account = self.account_get(id).await?;
        let exposures = self.engine.store().exposures_of_account(self.workspace_id, id).await?;
        Ok((account, exposures))
    }

    /// The member of an id that a body names.
    async fn named(&self, id: Option<MemberId>) -> Result<Option<Member>, Error> {
        match id {
            Some(id) => self.member(id).await.map(Some),
            None => Ok(None),
        }
    }
}

fn patched(before: &Account, patch: AccountPatch) -> Result<Account, Error> {
    let text = |new: Option<String>, old: &str| new.map_or_else(|| old.to_owned(), |text| text.trim().to_owned());
    Ok(Account {
        name: text(patch.name, &before.name),
        app: text(patch.app, &before.app),
        url: match patch.url {
            Some(url) => web_address(said(url))?,
            None => before.url.clone(),
        },
        username: patch.username.map_or_else(|| before.username.clone(), said),
        sensitivity: patch.sensitivity.unwrap_or(before.sensitivity),
        offboarding_rotation: patch.offboarding_rotation.unwrap_or(before.offboarding_rotation),
        collection_id: patch.collection_id.unwrap_or(before.collection_id),
        owner_id: patch.owner_id.unwrap_or(before.owner_id),
        successor_id: patch.successor_id.unwrap_or(before.successor_id),
        ..before.clone()
    })
}

/// Only web addresses: they become links that people follow.
fn web_address(url: Option<String>) -> Result<Option<String>, Error> {
    match &url {
        Some(text) if !(text.starts_with("https://") || text.starts_with("http://")) || text.len() > 2_000 => {
            Err(Error::Invalid("url must begin with https:// or http:// and be at most 2,000 characters".to_owned()))
        }
        _ => Ok(url),
    }
}
