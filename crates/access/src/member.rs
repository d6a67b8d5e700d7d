//! Members: people in a workspace.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, WorkspaceId};
use serde::{Deserialize, Serialize};

pub(crate) use latchkey_kernel::words;

/// A member's count of comings back, from 1. What was granted or confirmed in an earlier epoch
/// no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

impl Epoch {
    /// The epoch of somebody who has never left.
    pub const FIRST: Self = Self(1);

    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// How often a row has changed, from 1. A decision names the version that it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

impl Version {
    /// The version of a new row.
    pub const FIRST: Self = Self(1);

    /// The version after one change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

words! {
    /// What a member may do in the workspace. Roles give administration, never an account's secret.
    Role {
        /// Sees only what is shared with them.
        Guest = "guest",
        /// Uses and shares accounts.
        User = "user",
        /// Manages people.
        Admin = "admin",
        /// Also sees every account.
        SuperAdmin = "super_admin",
        /// Also controls identity. At least one active, always.
        Owner = "owner",
    }
}

words! {
    /// Whether a member is in.
    MemberState {
        /// In.
        Active = "active",
        /// Out: disabled, unassigned or soft-deleted in the directory, or by an admin.
        Inactive = "inactive",
        /// Gone; the row stays for the audit log and for who comes back under the same external id.
        Deleted = "deleted",
    }
}

words! {
    /// Who keeps a member or a team.
    Origin {
        /// The directory, by SCIM.
        Directory = "directory",
        /// An admin, here.
        Local = "local",
    }
}

/// A person in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Also the SCIM `id`.
    pub id: MemberId,
    /// SCIM `userName` as sent.
    pub user_name: String,
    /// `userName` folded for comparison; unique among members that are not deleted.
    pub user_name_key: String,
    /// The directory's immutable key.
    pub external_id: Option<String>,
    /// What people call them: `displayName`, else the names, else `userName`.
    pub display_name: String,
    /// The work address as sent.
    pub work_email: Option<String>,
    /// The work address folded for comparison.
    pub work_email_key: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they are in.
    pub state: MemberState,
    /// Who keeps them.
    pub origin: Origin,
    /// Bumped when they leave.
    pub access_epoch: Epoch,
    /// The last epoch whose return was reviewed; equal to `access_epoch` when no review is open.
    pub reviewed_epoch: Epoch,
    /// The canonical SCIM text of what the directory wrote, without server-made attributes.
    pub resource: String,
    /// Bumped by each change; the SCIM ETag.
    pub version: Version,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When an attribute last changed; SCIM `meta.lastModified`.
    pub modified_at: Timestamp,
    /// When they last left, while they are out.
    pub left_at: Option<Timestamp>,
}

impl Member {
    /// What access decisions need to know of a member.
    pub const fn standing(&self) -> Standing {
        Standing {
            member_id: self.id,
            state: self.state,
            epoch: self.access_epoch,
            reviewed: self.reviewed_epoch,
        }
    }
}

/// What access decisions need to know of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub member_id: MemberId,
    /// Whether they are in.
    pub state: MemberState,
    /// Their present epoch.
    pub epoch: Epoch,
    /// The last epoch whose return was reviewed.
    pub reviewed: Epoch,
}

impl Standing {
    /// Whether they are in.
    pub fn is_active(&self) -> bool {
        self.state == MemberState::Active
    }

    /// Back since leaving, and nobody has yet decided what they get again.
    pub fn awaits_review(&self) -> bool {
        self.is_active() && self.reviewed < self.epoch
    }
}
