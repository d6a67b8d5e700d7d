//! The workspace itself, and its policy.

use latchkey_access::{Policy, Workspace, workspaces as rules};

use super::Session;
use crate::Error;
use crate::engine::only_moved;

impl Session<'_> {
    /// The workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workspace_get(&self) -> Result<Workspace, Error> {
        self.workspace().await
    }

    /// Sets the policy; `change` makes the new one of the present one, perhaps more than once.
    ///
    /// # Errors
    /// When the successor is not there, out or a guest, or a number makes no sense.
    pub async fn policy_set(
        &self,
        change: impl Fn(&Policy) -> Result<Policy, Error>,
    ) -> Result<Workspace, Error> {
        self.engine
            .settle(async || {
                let before = self.workspace().await?;
                let policy = change(&before.policy)?;
                let successor = match policy.successor {
                    Some(id) if before.policy.successor != Some(id) => Some(self.member(id).await?),
                    _ => None,
                };
                let cause = self.cause();
                let changes =
                    rules::set_policy(&before, policy, successor.as_ref(), &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(self.workspace().await?)
            })
            .await
    }
}
