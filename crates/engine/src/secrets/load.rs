//! What decisions about secrets rest on.

use latchkey_access::capability::{self, Asker, Capability};
use latchkey_access::effective::Reach;
use latchkey_access::exposure::Client;
use latchkey_access::member::Standing;
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::{BurnedCode, Secret, SecretVersion};
use latchkey_access::secrets::{Asked, Vaulted};
use latchkey_access::{Account, Policy};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, MemberId, SecretId};

use crate::{Caller, Engine, Error, accounts, members};

/// A secret without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretView {
    /// The secret.
    pub secret: Secret,
    /// Its versions, oldest first.
    pub versions: Vec<SecretVersion>,
    /// The recovery codes of it that were used.
    pub burned: Vec<BurnedCode>,
}

/// Somebody who asks for something with an account's secrets, with what leads them there.
pub(crate) struct Asking {
    pub(crate) account: Account,
    policy: Policy,
    who: Option<(Standing, Vec<Reach>)>,
    client: Client,
}

impl Asking {
    pub(crate) async fn load(
        engine: &Engine,
        by: &Caller,
        account: AccountId,
        client: Client,
    ) -> Result<Self, Error> {
        Self::load_as(engine, by, by.member_id(), account, client).await
    }

    /// As if a member asked: somebody with a shell on the host does what that member may.
    pub(crate) async fn load_as(
        engine: &Engine,
        by: &Caller,
        member: Option<MemberId>,
        account: AccountId,
        client: Client,
    ) -> Result<Self, Error> {
        let workspace = by.workspace_id();
        let account = accounts::find(engine, by, account).await?;
        let policy = engine.workspace(workspace).await?.policy;
        let who = match member {
            None => None,
            Some(id) => {
                let standing = members::find(engine, by, id).await?.standing();
                let mut ways = engine.store().reaches_of_member(workspace, id).await?;
                ways.retain(|way| way.account_id == account.id);
                Some((standing, ways))
            }
        };
        Ok(Self { account, policy, who, client })
    }

    pub(crate) fn asked(&self) -> Asked<'_> {
        let asker =
            self.who.as_ref().map_or(Asker::Operator, |(standing, ways)| Asker::Member(*standing, ways));
        Asked { asker, client: self.client, policy: &self.policy }
    }

    /// Leave to see that the account's secrets are there.
    pub(crate) fn may_discover(&self, now: Timestamp) -> Result<(), Refusal> {
        capability::permit(self.asked().asker, Capability::Discover, &self.policy, now)
    }
}

/// A secret with its versions.
pub(crate) struct Loaded {
    pub(crate) secret: Secret,
    pub(crate) versions: Vec<SecretVersion>,
}

impl Loaded {
    /// The secret of this id, if it is the account's.
    pub(crate) async fn of(engine: &Engine, account: &Account, id: SecretId) -> Result<Self, Error> {
        let workspace = account.workspace_id;
        let secret = engine.store().secret_get(workspace, id).await?;
        let secret = secret.filter(|secret| secret.account_id == account.id);
        let secret = secret.ok_or(Error::NotFound { what: "secret" })?;
        let versions = engine.store().secret_versions(workspace, id).await?;
        Ok(Self { secret, versions })
    }

    pub(crate) fn with<'a>(&'a self, account: &'a Account) -> Vaulted<'a> {
        Vaulted { account, secret: &self.secret, versions: &self.versions }
    }
}
