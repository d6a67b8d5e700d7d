//! When, from where and how often each token was used: tallied in memory, written now and then.

use std::collections::HashMap;
use std::sync::Mutex;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{TokenId, WorkspaceId};
use latchkey_store::TokenUse;

/// What has been seen since the last writing.
#[derive(Debug, Default)]
pub(crate) struct UseTally {
    seen: Mutex<HashMap<TokenId, TokenUse>>,
}

impl UseTally {
    /// One request with this token.
    pub(crate) fn note(
        &self,
        workspace_id: WorkspaceId,
        token_id: TokenId,
        at: Timestamp,
        address: &str,
        agent: Option<&str>,
    ) {
        let mut seen = self.seen.lock().expect("no holder of this lock panics");
        let entry = seen.entry(token_id).or_insert_with(|| TokenUse {
            workspace_id,
            token_id,
            last_used_at: at,
            last_address: address.to_owned(),
            last_agent: agent.map(str::to_owned),
            requests: 0,
        });
        entry.requests += 1;
        entry.last_used_at = at;
        if entry.last_address != address {
            address.clone_into(&mut entry.last_address);
        }
        if entry.last_agent.as_deref() != agent {
            entry.last_agent = agent.map(str::to_owned);
        }
    }

    /// Takes what has been seen, to be written.
    pub(crate) fn take(&self) -> Vec<TokenUse> {
        let mut seen = self.seen.lock().expect("no holder of this lock panics");
        seen.drain().map(|(_, entry)| entry).collect()
    }
}
