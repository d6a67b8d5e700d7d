//! Grants: what lets a member or a team use an account or a collection.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, GrantId, MemberId, TeamId, WorkspaceId};

use crate::member::{Epoch, words};

words! {
    /// What a grant allows; each includes those before it.
    Permission {
        /// Sign in with it.
        Use = "use",
        /// Also see the secrets.
        View = "view",
        /// Also change and rotate it.
        Manage = "manage",
        /// Also share, hand over and remove it.
        Own = "own",
    }
}

/// Who receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantSubject {
    /// A member, in the epoch in which it was granted; it never counts in a later one (A3).
    Member(MemberId, Epoch),
    /// A team: each member whose membership is confirmed in their present epoch.
    Team(TeamId),
}

/// What is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantObject {
    /// One account.
    Account(AccountId),
    /// Every account in a collection and below it.
    Collection(CollectionId),
}

/// What lets a member or a team use an account or a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: GrantId,
    /// Who receives.
    pub subject: GrantSubject,
    /// What is given.
    pub object: GrantObject,
    /// What it allows.
    pub permission: Permission,
    /// Counts from then on; `None` is from the start.
    pub starts_at: Option<Timestamp>,
    /// Counts until then, judged at each read, so that a stopped scheduler extends nothing.
    pub ends_at: Option<Timestamp>,
    /// Why it was given.
    pub reason: Option<String>,
    /// Who gave it, as the audit log writes actors.
    pub granted_by: String,
    /// When it was given.
    pub granted_at: Timestamp,
}
