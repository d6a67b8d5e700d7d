//! Workspaces and their policies.

use std::time::Duration;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, WorkspaceId};
use serde::{Deserialize, Serialize};

use crate::member::{Version, words};

words! {
    /// Whether a workspace has somebody in charge.
    WorkspaceState {
        /// At least one active Owner.
        Active = "active",
        /// The last Owner was taken out by the directory and nobody could follow; `latchkey admin` recovers it.
        Ownerless = "ownerless",
    }
}

words! {
    /// What a member who comes back gets.
    Reactivation {
        /// Nothing until a person gives it (the default).
        Review = "review",
        /// Team access that the directory still asserts, at once; direct grants all the same not.
        Restore = "restore",
    }
}

/// The tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name, unique on this installation.
    pub name: String,
    /// The name folded for comparison.
    pub name_key: String,
    /// Whether somebody is in charge.
    pub state: WorkspaceState,
    /// How it behaves.
    pub policy: Policy,
    /// Bumped by each change of the workspace itself and of the set of its active Owners.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a workspace behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What a member who comes back gets.
    pub reactivation: Reactivation,
    /// When a wave of leavers makes rotations wait for a person's word.
    pub safeguard: Safeguard,
    /// Who follows the last Owner (A6) and takes over accounts without another heir (A4).
    pub successor: Option<MemberId>,
    /// Whether an account's owners may take its secrets along in an export.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owners_export: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            reactivation: Reactivation::Review,
            safeguard: Safeguard::default(),
            successor: None,
            owners_export: false,
        }
    }
}

/// The safeguard on mass removal: access is always cut; rotations beyond it are held (A5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Safeguard {
    /// Leavers within the window that never trip it.
    pub minimum: u32,
    /// Per cent of the members that were active before the wave.
    pub percent: u32,
}

impl Default for Safeguard {
    fn default() -> Self {
        Self { minimum: 5, percent: 10 }
    }
}

impl Safeguard {
    /// How far back leavers are counted.
    pub const WINDOW: Duration = Duration::from_secs(60 * 60);
}
