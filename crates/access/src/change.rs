//! A change of state, decided but not yet made: rows to write, with what they rest on.
//!
//! A [`ChangeSet`] is committed whole or not at all. Each change expects exactly what its
//! decision rested on and no more; the store refuses the whole with a typed conflict when an
//! expectation fails, and the caller reloads and decides again.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{
    AccountId, CaseId, CollectionId, GrantId, MemberId, OutboxId, TeamId, TokenId, WorkspaceId,
};

use crate::account::{Account, Collection, Exposure, OwnerFlag};
use crate::audit::AuditRecord;
use crate::grant::Grant;
use crate::member::{Epoch, Member, Version};
use crate::offboarding::{CaseItem, CaseState, OffboardingCase};
use crate::outbox::{EffectState, OutboxEvent};
use crate::team::{Membership, Team};
use crate::token::Token;
use crate::workspace::Workspace;

/// Changes within one workspace, made whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSet {
    /// The tenant that every change is within.
    pub workspace_id: WorkspaceId,
    /// In the order in which they are made.
    pub changes: Vec<Change>,
    /// What the audit log says of them, in the same transaction (L1).
    pub audit: Vec<AuditRecord>,
}

impl ChangeSet {
    /// Nothing yet.
    pub const fn new(workspace_id: WorkspaceId) -> Self {
        Self { workspace_id, changes: Vec::new(), audit: Vec::new() }
    }

    /// Adds a change.
    pub fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Whether committing it would write nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.audit.is_empty()
    }
}

/// One change. `Update`s write every column of the row and expect the version that was read;
/// the row given carries the new version.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are named after the columns that they write or expect")]
pub enum Change {
    /// A new workspace; its name must be free.
    WorkspaceInsert(Workspace),
    /// The workspace's state or policy, or only its version when the set of active Owners changes
    /// (so that two last Owners cannot leave past each other, A6).
    WorkspaceUpdate { workspace: Workspace, expect: Version },

    /// A new member; `user_name_key` must be free among those not deleted.
    MemberInsert(Member),
    /// Every column of a member. `expect` is the version that was read.
    MemberUpdate { member: Member, expect: Version },
    /// The folded addresses of a member apart from the work address, for look-ups; all of them.
    MemberEmailsSet { member_id: MemberId, keys: Vec<String> },
    /// Writes nothing; fails unless the member is active in this epoch, and keeps it so until the commit.
    MemberExpect { member_id: MemberId, epoch: Epoch },
    /// By condition: copies every direct grant of the member to the case's removed grants and deletes
    /// it; revokes every token of the member; hands every account that they still own to the
    /// workspace Owners with [`OwnerFlag::Orphaned`], and forgets them as anyone's successor.
    MemberCutOff { member_id: MemberId, case_id: CaseId, at: Timestamp },

    /// A new team; `display_name_key` must be free.
    TeamInsert(Team),
    /// Every column of a team.
    TeamUpdate { team: Team, expect: Version },
    /// Bumps a team's version without expecting one, because its members changed.
    TeamTouch { team_id: TeamId, at: Timestamp },
    /// Removes a team with its memberships and grants.
    TeamDelete { team_id: TeamId, expect: Version },

    /// Puts a member into a team; there already is no failure and changes nothing. Both must exist.
    MembershipInsert(Membership),
    /// Access through the membership counts in this epoch; the row must exist.
    MembershipConfirm { team_id: TeamId, member_id: MemberId, epoch: Epoch },
    /// Takes a member out of a team; not there is no failure.
    MembershipDelete { team_id: TeamId, member_id: MemberId },
    /// Takes a member out of all teams and bumps the version of each.
    MembershipDeleteAll { member_id: MemberId, at: Timestamp },

    /// A new collection.
    CollectionInsert(Collection),
    /// Every column of a collection.
    CollectionUpdate { collection: Collection, expect: Version },
    /// Removes an empty collection with the grants on it.
    CollectionDelete { collection_id: CollectionId, expect: Version },

    /// A new account.
    AccountInsert(Account),
    /// Every column of an account.
    AccountUpdate { account: Account, expect: Version },
    /// Removes an account with its grants and exposures.
    AccountDelete { account_id: AccountId, expect: Version },
    /// Hands an account from one owner to another, if `from` still owns it; else changes nothing.
    AccountHandOver {
        account_id: AccountId,
        from: MemberId,
        to: Option<MemberId>,
        flag: Option<OwnerFlag>,
        at: Timestamp,
    },

    /// A new grant. Its subject and object must exist; pair it with [`Change::MemberExpect`] when
    /// the subject is a member.
    GrantInsert(Grant),
    /// Ends a grant; it must exist.
    GrantDelete { grant_id: GrantId },
    /// Sets a grant's end; it must exist.
    GrantSetEnd { grant_id: GrantId, ends_at: Option<Timestamp> },

    /// That a member knows a password; known already is no failure.
    ExposureInsert(Exposure),

    /// A new case; fails if there is one for this member and epoch.
    CaseInsert(OffboardingCase),
    /// One account of a case.
    CaseItemInsert(CaseItem),
    /// Moves a case from one state to another; fails if it is not in `from`.
    CaseSetState { case_id: CaseId, from: CaseState, to: CaseState },

    /// A new effect; a key that is taken is no failure and changes nothing.
    OutboxInsert(OutboxEvent),
    /// Moves the effects of a case from one state to another, by condition.
    OutboxSetStateOfCase { case_id: CaseId, from: EffectState, to: EffectState, at: Timestamp },
    /// Marks one effect; fails unless it is in `from`.
    OutboxSetState { id: OutboxId, from: EffectState, to: EffectState },

    /// A new token.
    TokenInsert(Token),
    /// Ends a token's validity at `valid_until`, if it is not already over sooner; it must exist.
    TokenRevoke { token_id: TokenId, valid_until: Timestamp, at: Timestamp },
}
