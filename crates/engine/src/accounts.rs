//! Accounts: shared logins, without their secrets.

use latchkey_access::accounts::{self as rules, Named};
use latchkey_access::authority::Action;
use latchkey_access::member::Version;
use latchkey_access::{Account, Member, OffboardingRotation, Sensitivity};
use latchkey_kernel::id::{AccountId, CollectionId, MemberId};

use crate::engine::only_moved;
use crate::{Caller, Engine, Error};

/// What is said of an account that is added.
#[derive(Debug, Clone)]
pub struct NewAccount {
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

/// What is to be different about an account; `None` leaves as it is, `Some(None)` empties.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of NewAccount")]
pub struct AccountPatch {
    pub name: Option<String>,
    pub app: Option<String>,
    pub url: Option<Option<String>>,
    pub username: Option<Option<String>>,
    pub sensitivity: Option<Sensitivity>,
    pub offboarding_rotation: Option<OffboardingRotation>,
    pub collection_id: Option<Option<CollectionId>>,
    pub owner_id: Option<Option<MemberId>>,
    pub successor_id: Option<Option<MemberId>>,
}

/// A page of accounts, in order of their ids.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    after: Option<AccountId>,
    limit: usize,
) -> Result<Vec<Account>, Error> {
    by.may(Action::ReadAccounts)?;
    Ok(engine.store().account_page(by.workspace_id(), after, limit).await?)
}

/// The accounts that lie in one collection, not those below it.
///
/// # Errors
/// When there is no such collection, or the caller may not.
pub async fn in_collection(engine: &Engine, by: &Caller, id: CollectionId) -> Result<Vec<Account>, Error> {
    by.may(Action::ReadAccounts)?;
    crate::collections::find(engine, by, id).await?;
    Ok(engine.store().accounts_of_collection(by.workspace_id(), id).await?)
}

/// One account.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: AccountId) -> Result<Account, Error> {
    by.may(Action::ReadAccounts)?;
    find(engine, by, id).await
}

/// Adds an account.
///
/// # Errors
/// When owner or successor can't be one, a text is empty or too long, or the caller may not.
pub async fn create(engine: &Engine, by: &Caller, new: &NewAccount) -> Result<Account, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteAccounts)?;
            let account = Account {
                workspace_id: by.workspace_id(),
                id: AccountId::fresh(cause.now, engine.entropy()),
                name: new.name.clone(),
                app: new.app.clone(),
                url: new.url.clone(),
                username: new.username.clone(),
                sensitivity: new.sensitivity,
                offboarding_rotation: new.offboarding_rotation,
                collection_id: new.collection_id,
                owner_id: new.owner_id,
                owner_flag: None,
                successor_id: new.successor_id,
                secret_generation: 1,
                version: Version::FIRST,
                created_at: cause.now,
                modified_at: cause.now,
            };
            place(engine, by, account.collection_id).await?;
            let people = People::load(engine, by, &account).await?;
            let changes = rules::create(account.clone(), people.named(), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(account)
        })
        .await
}

/// Changes an account.
///
/// # Errors
/// As [`create`], and when there is no such account.
pub async fn update(
    engine: &Engine,
    by: &Caller,
    id: AccountId,
    patch: &AccountPatch,
) -> Result<Account, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteAccounts)?;
            let before = find(engine, by, id).await?;
            let after = patch.clone().onto(before.clone());
            if after.collection_id != before.collection_id {
                place(engine, by, after.collection_id).await?;
            }
            let people = People::load(engine, by, &after).await?;
            let changes = rules::update(&before, after, people.named(), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(find(engine, by, id).await?)
        })
        .await
}

/// Removes an account with its grants and exposures.
///
/// # Errors
/// When there is none, or the caller may not.
pub async fn delete(engine: &Engine, by: &Caller, id: AccountId) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteAccounts)?;
            let account = find(engine, by, id).await?;
            let changes = rules::delete(&account, &cause, engine.ids(&cause));
            engine.commit(changes, only_moved).await
        })
        .await
}

/// One account of the caller's workspace.
pub(crate) async fn find(engine: &Engine, by: &Caller, id: AccountId) -> Result<Account, Error> {
    engine.store().account_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "account" })
}

async fn place(engine: &Engine, by: &Caller, id: Option<CollectionId>) -> Result<(), Error> {
    if let Some(id) = id {
        crate::collections::find(engine, by, id).await?;
    }
    Ok(())
}

/// The members that an account names, and who asks: whoever adds an account knows its password.
struct People {
    found: Vec<Member>,
    owner: Option<MemberId>,
    successor: Option<MemberId>,
    creator: Option<MemberId>,
}

impl People {
    async fn load(engine: &Engine, by: &Caller, account: &Account) -> Result<Self, Error> {
        let (owner, successor, creator) = (account.owner_id, account.successor_id, by.member_id());
        let ids: Vec<MemberId> = owner.into_iter().chain(successor).chain(creator).collect();
        let found = if ids.is_empty() {
            Vec::new()
        } else {
            engine.store().member_list_by_ids(by.workspace_id(), &ids).await?
        };
        if ids.iter().any(|id| !found.iter().any(|member| member.id == *id)) {
            return Err(Error::NotFound { what: "member" });
        }
        Ok(Self { found, owner, successor, creator })
    }

    fn named(&self) -> Named<'_> {
        let of = |id: Option<MemberId>| self.found.iter().find(|member| Some(member.id) == id);
        Named { owner: of(self.owner), successor: of(self.successor), creator: of(self.creator) }
    }
}

impl AccountPatch {
    fn onto(self, mut account: Account) -> Account {
        fn set<T>(slot: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *slot = value;
            }
        }
        set(&mut account.name, self.name);
        set(&mut account.app, self.app);
        set(&mut account.url, self.url);
        set(&mut account.username, self.username);
        set(&mut account.sensitivity, self.sensitivity);
        set(&mut account.offboarding_rotation, self.offboarding_rotation);
        set(&mut account.collection_id, self.collection_id);
        set(&mut account.owner_id, self.owner_id);
        set(&mut account.successor_id, self.successor_id);
        account
    }
}
