//! What a rotation of an account rests on: the account, how it is rotated, and its connector.

use std::sync::Arc;

use latchkey_access::rotation::{AccountRotation, Connector, RotationMode};
use latchkey_access::rotations as rules;
use latchkey_access::secret::{SecretKind, SecretVersion, VersionState};
use latchkey_access::{Account, Actor};
use latchkey_kernel::id::{AccountId, RotationId, SecretId, WorkspaceId};
use latchkey_rotation::{Facts, Job, Policy, Reason};
use latchkey_vault::Place;
use secrecy::SecretString;

use super::target::{CodeSource, Target};
use super::{codes, limits};
use crate::engine::only_moved;
use crate::error::Attempt;
use crate::secrets::Slot;
use crate::{Engine, Error};

/// What a rotation of an account rests on.
pub(crate) struct Scene {
    pub(crate) account: Account,
    pub(crate) setting: Option<AccountRotation>,
    pub(crate) connector: Option<Connector>,
    /// The connector made of its row, or what is wrong with it.
    pub(crate) target: Option<Result<Arc<dyn Target>, String>>,
    /// The versions of the secret that is changed, oldest first: the account's password, or its SSH key.
    pub(crate) versions: Vec<SecretVersion>,
}

impl Scene {
    /// `None` when the account is gone.
    pub(crate) async fn load(
        engine: &Engine,
        workspace: WorkspaceId,
        account: AccountId,
    ) -> Result<Option<Self>, Error> {
        Self::load_with(engine, workspace, account, None).await
    }

    /// The same for a rotation that is to be performed: its connector has the account's one-time codes.
    pub(crate) async fn load_for(engine: &Engine, job: &Job) -> Result<Option<Self>, Error> {
        Self::load_with(engine, job.workspace_id, job.account_id, Some(job.id)).await
    }

    async fn load_with(
        engine: &Engine,
        workspace: WorkspaceId,
        account: AccountId,
        rotation: Option<RotationId>,
    ) -> Result<Option<Self>, Error> {
        let store = engine.store();
        let Some(account) = store.account_get(workspace, account).await? else { return Ok(None) };
        let setting = store.account_rotation(workspace, account.id).await?;
        let connector = match setting.as_ref().and_then(|setting| setting.connector_id) {
            Some(id) => store.connector_get(workspace, id).await?,
            None => None,
        };
        let secrets = store.secrets_of_account(workspace, account.id).await?;
        let seed = secrets.iter().find(|secret| secret.kind == SecretKind::Totp).map(|secret| secret.id);
        let codes = rotation.zip(seed).map(|(rotation, seed)| {
            codes::source(engine, codes::Login { workspace, account: account.id, seed, rotation })
        });
        let target = match &connector {
            Some(connector) => Some(make(engine, connector, codes).await?),
            None => None,
        };
        let by_hand = setting.as_ref().is_some_and(|setting| setting.mode == RotationMode::ByHand);
        let changes_key =
            connector.as_ref().is_some_and(|connector| !by_hand && limits::changes_key(connector));
        let kind = if changes_key { SecretKind::SshKey } else { SecretKind::Password };
        let versions = match secrets.into_iter().find(|secret| secret.kind == kind) {
            Some(secret) => store.secret_versions(workspace, secret.id).await?,
            None => Vec::new(),
        };
        Ok(Some(Self { account, setting, connector, target, versions }))
    }

    /// What a rotation for this reason is held to now.
    pub(crate) fn policy(&self, reason: Reason) -> Policy {
        let abilities = self.target.as_ref().and_then(|target| target.as_ref().ok()).map(|t| t.abilities());
        let connector = self.connector.as_ref().map(|connector| (connector, abilities));
        limits::policy(reason, self.setting.as_ref(), connector)
    }

    /// What is so now, for whoever takes a rotation up.
    pub(crate) fn facts(&self, reason: Reason) -> Facts {
        Facts {
            policy: self.policy(reason),
            current: self.in_state(VersionState::Current),
            generation: self.account.secret_generation,
        }
    }

    /// The number of the version in this state.
    pub(crate) fn in_state(&self, state: VersionState) -> Option<i64> {
        self.versions.iter().find(|version| version.state == state).map(|version| version.version)
    }

    /// The login name at the target.
    pub(crate) fn login(&self) -> Option<&str> {
        let own = self.setting.as_ref().and_then(|setting| setting.login.as_deref());
        own.or(self.account.username.as_deref()).filter(|login| !login.is_empty())
    }

    /// Whether what a person says of it needs a second person.
    pub(crate) fn is_privileged(&self) -> bool {
        self.account.is_privileged()
    }
}

/// The secret that a rotation changes.
pub(crate) const fn slot_of(job: &Job) -> Slot {
    if job.policy.changes_key { Slot::SshKey(job.account_id) } else { Slot::Password(job.account_id) }
}

/// The connector of a row, with its credential opened.
pub(crate) async fn make(
    engine: &Engine,
    connector: &Connector,
    codes: Option<CodeSource>,
) -> Result<Result<Arc<dyn Target>, String>, Error> {
    let admin = match (&connector.sealed_admin, connector.admin_key) {
        (Some(sealed), Some(number)) => {
            let key = engine.key(connector.workspace_id, number).await?;
            let key = key.ok_or(Error::NotFound { what: "workspace key" })?;
            match key.open(&place(connector), sealed) {
                Ok(plain) => match std::str::from_utf8(&plain) {
                    Ok(text) => Some(SecretString::from(text)),
                    Err(error) => return Err(Error::damaged("connector's credential", error)),
                },
                Err(error) => return Err(Error::Tampered { source: error }),
            }
        }
        _ => None,
    };
    Ok(engine.targets().make(&connector.kind, &connector.config, admin, codes))
}

/// Seals a connector's credential under the workspace's present key.
pub(crate) async fn seal_admin(
    engine: &Engine,
    connector: &mut Connector,
    admin: &SecretString,
) -> Result<(), Error> {
    use secrecy::ExposeSecret as _;
    let key = engine.vault(connector.workspace_id).await?;
    let sealed = key.seal(&place(connector), admin.expose_secret().as_bytes(), engine.entropy());
    connector.sealed_admin = Some(sealed);
    connector.admin_key = Some(key.number());
    Ok(())
}

/// A connector's credential stands where no secret of an account can: the ids are the connector's.
pub(crate) fn place(connector: &Connector) -> Place {
    let id = connector.id.as_uuid();
    Place {
        workspace: connector.workspace_id,
        account: AccountId::from_uuid(id),
        secret: SecretId::from_uuid(id),
        version: 0,
        kind: latchkey_vault::SecretKind::ApiKey,
    }
}

/// Seals anew the credentials that are sealed under a key which has been replaced. One that does not
/// open where it stands keeps the key from being retired, and is told of.
pub(crate) async fn reseal_connectors(
    engine: &Engine,
    workspace: WorkspaceId,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let all = engine.store().connector_list(workspace).await?;
    for before in all.into_iter().filter(|row| row.admin_key == Some(from)) {
        let old = engine.key(workspace, from).await?.ok_or(Error::NotFound { what: "workspace key" })?;
        let new = engine.key(workspace, to).await?.ok_or(Error::NotFound { what: "workspace key" })?;
        let sealed = before.sealed_admin.clone().unwrap_or_default();
        let sealed = match new.rewrap(&old, &place(&before), &sealed, engine.entropy()) {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::error!(%workspace, connector = %before.id, %error, "a connector's credential does not open where it stands");
                continue;
            }
        };
        let cause = engine.cause(Actor::System, engine.fresh_request_id());
        let after = Connector {
            sealed_admin: Some(sealed),
            admin_key: Some(to),
            version: before.version.next(),
            modified_at: cause.now,
            ..before.clone()
        };
        let changes = rules::change_connector(&before, after, &cause, engine.ids(&cause))?;
        match engine.commit(changes, only_moved).await {
            Err(Attempt::Failed(error)) => return Err(error),
            // Somebody else changed it: the next run looks again.
            Ok(()) | Err(Attempt::Again) => {}
        }
    }
    Ok(())
}
