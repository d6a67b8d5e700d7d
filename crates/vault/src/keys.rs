//! An installation's keys: each workspace key is wrapped by the key source, and always also for
//! the recovery key, whose private half is on paper.

use std::fmt;
use std::sync::Arc;

use latchkey_kernel::Entropy;
use latchkey_kernel::id::WorkspaceId;
use zeroize::Zeroizing;

use crate::envelope::KEY;
use crate::error::KeyError;
use crate::place::Bound;
use crate::recovery::{RecoveryKey, RecoveryKit};
use crate::source::Kek;
use crate::workspace_key::WorkspaceKey;

/// The format of both wraps of a workspace key.
const FORMAT: u8 = 1;

/// A workspace key as the database keeps it: wrapped twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Which of the workspace's keys it is.
    pub number: i64,
    /// The key that made the primary wrap.
    pub kek_id: String,
    /// Wrapped by the key source.
    pub primary: Vec<u8>,
    /// Sealed for the recovery key.
    pub recovery: Vec<u8>,
}

/// The key source and the recovery key of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    pub(crate) kek: Arc<dyn Kek>,
    pub(crate) recovery: Arc<RecoveryKey>,
}

impl Keys {
    /// Keys from an opened source and the public half of the recovery key.
    pub fn new(kek: Arc<dyn Kek>, recovery: RecoveryKey) -> Self {
        Self { kek, recovery: Arc::new(recovery) }
    }

    /// Keys that are kept nowhere, and the kit that recovers from them: for tests and simulations.
    pub fn ephemeral(entropy: &dyn Entropy) -> (Self, RecoveryKit) {
        let kit = RecoveryKit::fresh(entropy);
        let kek = crate::source::LocalKek::new("ephemeral", &Zeroizing::new(entropy.bytes()));
        (Self::new(Arc::new(kek), kit.public()), kit)
    }

    /// The id of the key that wraps now: a workspace key of another is due for [`Keys::rewrap`].
    pub fn kek_id(&self) -> &str {
        self.kek.id()
    }

    pub(crate) fn kek(&self) -> &dyn Kek {
        &*self.kek
    }

    /// The id of the recovery key, as printed on the kit.
    pub fn recovery_id(&self) -> String {
        self.recovery.id()
    }

    /// Wraps and unwraps a throw-away key: whether the source can be used now.
    ///
    /// # Errors
    /// When it cannot; the error says what to do.
    pub async fn check(&self, entropy: &dyn Entropy) -> Result<(), KeyError> {
        let bound = Bound::new("check");
        let key = Zeroizing::new(entropy.bytes::<KEY>());
        let wrapped = self.kek.wrap(bound.as_slice(), &key, entropy).await?;
        let back = self.kek.unwrap(bound.as_slice(), &wrapped).await?;
        if *back == *key { Ok(()) } else { Err(KeyError::NotOpened { kek_id: self.kek_id().to_owned() }) }
    }

    /// Makes a workspace's key of this number.
    ///
    /// # Errors
    /// When the key source cannot be used.
    pub async fn new_workspace_key(
        &self,
        workspace: WorkspaceId,
        number: i64,
        entropy: &dyn Entropy,
    ) -> Result<(WorkspaceKey, WrappedKey), KeyError> {
        let key = WorkspaceKey::fresh(number, entropy);
        let wrapped = self.wrap(workspace, &key, entropy).await?;
        Ok((key, wrapped))
    }

    /// Wraps a key that is open: after a recovery, or under a new source.
    ///
    /// # Errors
    /// When the key source cannot be used.
    pub async fn wrap(
        &self,
        workspace: WorkspaceId,
        key: &WorkspaceKey,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey, KeyError> {
        let bound = bound(workspace, key.number());
        Ok(WrappedKey {
            number: key.number(),
            kek_id: self.kek_id().to_owned(),
            primary: self.kek.wrap(bound.as_slice(), key.bytes(), entropy).await?,
            recovery: self.recovery.seal(bound.as_slice(), key.bytes(), entropy),
        })
    }

    /// Opens a workspace's key by the key source.
    ///
    /// # Errors
    /// When another key made the wrap, it was altered or moved, or the source cannot be used.
    pub async fn unwrap(
        &self,
        workspace: WorkspaceId,
        wrapped: &WrappedKey,
    ) -> Result<WorkspaceKey, KeyError> {
        if wrapped.kek_id != self.kek_id() {
            return Err(KeyError::OtherKek {
                wrapped_by: wrapped.kek_id.clone(),
                have: self.kek_id().to_owned(),
            });
        }
        let key = self.kek.unwrap(bound(workspace, wrapped.number).as_slice(), &wrapped.primary).await?;
        Ok(WorkspaceKey::from_bytes(wrapped.number, Box::new(key)))
    }

    /// Wraps a workspace's key, which `from` opens, by this source and for this recovery key.
    ///
    /// # Errors
    /// When `from` does not open it, or one of the two sources cannot be used.
    pub async fn rewrap(
        &self,
        from: &Self,
        workspace: WorkspaceId,
        wrapped: &WrappedKey,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey, KeyError> {
        self.wrap(workspace, &from.unwrap(workspace, wrapped).await?, entropy).await
    }

    /// Opens a workspace's key with the recovery kit, when the key source is lost.
    /// [`Keys::wrap`] puts it under the new one.
    ///
    /// # Errors
    /// When the kit is another installation's, or the wrap was altered or moved.
    pub fn recover(
        kit: &RecoveryKit,
        workspace: WorkspaceId,
        wrapped: &WrappedKey,
    ) -> Result<WorkspaceKey, KeyError> {
        let key = kit.open(bound(workspace, wrapped.number).as_slice(), &wrapped.recovery)?;
        Ok(WorkspaceKey::from_bytes(wrapped.number, Box::new(key)))
    }
}

/// Shows the ids alone.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({}, recovery {})", self.kek_id(), self.recovery_id())
    }
}

fn bound(workspace: WorkspaceId, number: i64) -> Bound {
    Bound::new("wdk").with(&[FORMAT]).with(workspace.as_ref()).with(&number.to_be_bytes())
}

#[cfg(test)]
mod tests;
