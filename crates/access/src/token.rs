//! Tokens: what a directory and a member's programs show instead of a password.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TokenId, WorkspaceId};

use crate::member::{Epoch, words};

words! {
    /// What a token opens.
    TokenKind {
        /// The SCIM endpoint, for a directory.
        Scim = "scim",
        /// The management API, as a member.
        Api = "api",
    }
}

words! {
    /// What an API token may do; reading and writing apart.
    Scope {
        /// The member's own data and access.
        SelfRead = "self:read",
        /// Members, teams and reviews.
        MembersRead = "members:read",
        /// Change members, local teams and reviews.
        MembersWrite = "members:write",
        /// Accounts, collections, grants and who has access.
        AccountsRead = "accounts:read",
        /// Change accounts, collections and grants.
        AccountsWrite = "accounts:write",
        /// Use and see the secrets of accounts that the member may use.
        SecretsUse = "secrets:use",
        /// Store and change the secrets of accounts that the member may change.
        SecretsWrite = "secrets:write",
        /// Offboarding cases.
        OffboardingRead = "offboarding:read",
        /// Release or call off held rotations.
        OffboardingWrite = "offboarding:write",
        /// The audit log.
        AuditRead = "audit:read",
        /// SCIM tokens and the flight recorder.
        DirectoryRead = "directory:read",
        /// Make, regenerate and revoke SCIM tokens.
        DirectoryWrite = "directory:write",
        /// The workspace and its policy.
        WorkspaceRead = "workspace:read",
        /// Change the workspace and its policy.
        WorkspaceWrite = "workspace:write",
    }
}

/// A token as it is kept: never its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// What it opens.
    pub kind: TokenKind,
    /// What people call it.
    pub name: String,
    /// The first characters of its text, for people to recognise it by.
    pub hint: String,
    /// HMAC-SHA-256 of its text under the installation's key; unique.
    pub hash: [u8; 32],
    /// Its text sealed under the installation's key, for showing it again; `None` shows it once.
    pub sealed: Option<Vec<u8>>,
    /// Whose it is and in which epoch it was made, for an API token.
    pub member: Option<(MemberId, Epoch)>,
    /// What it may do, for an API token.
    pub scopes: Vec<Scope>,
    /// Requests a second that it may make; `None` is without limit.
    pub rate_limit: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Not valid from then on: an expiry, a revocation, or the end of the grace after regenerating.
    pub valid_until: Option<Timestamp>,
    /// When it was revoked or regenerated.
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// Whether it opens anything at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now < until)
    }
}
