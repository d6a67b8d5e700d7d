//! Teams: sets of members; SCIM groups.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};

use crate::member::{Epoch, Origin, Version};

/// A set of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Also the SCIM `id`.
    pub id: TeamId,
    /// SCIM `displayName` as sent.
    pub display_name: String,
    /// `displayName` folded; unique in the workspace.
    pub display_name_key: String,
    /// The directory's immutable key.
    pub external_id: Option<String>,
    /// Who keeps it; a directory's team is not edited here, a local one not by SCIM.
    pub origin: Origin,
    /// The canonical SCIM text without members and server-made attributes.
    pub resource: String,
    /// Bumped by each change, of members too; the SCIM ETag.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it, or its members, last changed.
    pub modified_at: Timestamp,
}

/// That a member is in a team, as the directory (or an admin) last said.
///
/// The row mirrors the directory, whatever access follows from it (S4): access counts only if
/// `confirmed` is the member's present epoch (A3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The team.
    pub team_id: TeamId,
    /// The member.
    pub member_id: MemberId,
    /// The epoch in which access through it was last confirmed; `None` is dormant from the start.
    pub confirmed: Option<Epoch>,
}
