//! What happens when a member is disabled, deleted or unassigned.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, MemberId, RequestId, WorkspaceId};
use serde_json::Value;

use crate::member::{Epoch, words};

words! {
    /// What took a member out.
    Trigger {
        /// The directory set `active` to false: disabled, unassigned, out of scope or in the bin.
        DirectoryDisabled = "directory_disabled",
        /// The directory deleted them.
        DirectoryDeleted = "directory_deleted",
        /// An admin did, here.
        Admin = "admin",
    }
}

words! {
    /// Where a case stands.
    CaseState {
        /// Rotations are on their way.
        Open = "open",
        /// Access is cut; the rotations wait for a person's word (A5).
        Held = "held",
        /// Nothing is left to do.
        Complete = "complete",
        /// Nothing is left to do, but not everything could be proven or changed; the report says what.
        CompleteWithExceptions = "complete_with_exceptions",
    }
}

impl CaseState {
    /// Whether nothing is left to do.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Complete | Self::CompleteWithExceptions)
    }
}

words! {
    /// What follows for one account.
    ItemDecision {
        /// Its password is to be changed.
        Rotate = "rotate",
        /// It is left as it is; the rule says why.
        Keep = "keep",
    }
}

/// One leaving of one member; there is one for each (member, epoch).
#[derive(Debug, Clone, PartialEq)]
pub struct OffboardingCase {
    /// Its id.
    pub id: CaseId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Who left.
    pub member_id: MemberId,
    /// The epoch that ended.
    pub epoch: Epoch,
    /// What took them out.
    pub trigger: Trigger,
    /// The request that did.
    pub request_id: RequestId,
    /// Where it stands.
    pub state: CaseState,
    /// When access was cut.
    pub cut_at: Timestamp,
    /// Counts and facts for the report, as decided at `cut_at`.
    pub summary: Value,
}

/// What a leaver could do with one account, what they knew, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseItem {
    /// The case.
    pub case_id: CaseId,
    /// The account.
    pub account_id: AccountId,
    /// The account's name at that time.
    pub account_name: String,
    /// What follows.
    pub decision: ItemDecision,
    /// The rule that decided, as `privileged_and_could_use`.
    pub rule: &'static str,
    /// How they could reach it and what they knew of it at that moment.
    pub evidence: Value,
}
