//! Accounts, which are shared logins, and the collections that they lie in.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, MemberId, WorkspaceId};

use crate::member::{Version, words};

words! {
    /// How much harm a leaver could do with it.
    Sensitivity {
        /// An ordinary login.
        Standard = "standard",
        /// Administers something, or pays.
        Privileged = "privileged",
        /// Privileged, and rotated even while the safeguard holds the rest.
        Critical = "critical",
    }
}

words! {
    /// When offboarding plans a rotation of an account's password (A5).
    OffboardingRotation {
        /// Privileged: if the leaver could use it or knows the present password. Standard: if they know it.
        Auto = "auto",
        /// Whenever the leaver could use it or knows the present password.
        Always = "always",
        /// Not by itself; the case says that it was left alone.
        Never = "never",
    }
}

words! {
    /// Why an account's owner is not the one that a person chose.
    OwnerFlag {
        /// The owner left; the account's or workspace's successor, or a co-owner, took over.
        Inherited = "inherited",
        /// The owner left and there was no heir: the workspace Owners have it.
        Orphaned = "orphaned",
    }
}

/// A login that is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: AccountId,
    /// What people call it.
    pub name: String,
    /// The app that it opens, as `Instagram`.
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
    /// Its accountable owner; `None` stands for the workspace Owners, so that there always is one (A4).
    pub owner_id: Option<MemberId>,
    /// Why the owner is not the chosen one; cleared when a person sets an owner.
    pub owner_flag: Option<OwnerFlag>,
    /// Who takes over when the owner leaves.
    pub successor_id: Option<MemberId>,
    /// Counts the values that its password has had; an exposure names the one that was seen.
    pub secret_generation: i64,
    /// Bumped by each change.
    pub version: Version,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Account {
    /// Whether a leaver who could use it is reason enough to change its password.
    pub fn is_privileged(&self) -> bool {
        self.sensitivity >= Sensitivity::Privileged
    }
}

/// A folder of accounts, in a tree of at most [`Collection::MAX_DEPTH`] levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: CollectionId,
    /// Its name.
    pub name: String,
    /// The folder above.
    pub parent_id: Option<CollectionId>,
    /// Bumped by each change.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Collection {
    /// How deep the tree may be; a bound on every walk through it.
    pub const MAX_DEPTH: usize = 8;
}
