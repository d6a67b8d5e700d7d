//! A change of state, decided but not yet made: rows to write, with what they rest on.
//!
//! A [`ChangeSet`] is committed whole or not at all. Each change expects exactly what its
//! decision rested on and no more; the store refuses the whole with a typed conflict when an
//! expectation fails, and the caller reloads and decides again.

use std::fmt::Display;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{
    AccountId, CaseId, CollectionId, GrantId, MemberId, OutboxId, SecretId, TeamId, TokenId, WorkspaceId,
};
use serde_json::Value;

use crate::account::{Account, Collection, OwnerFlag};
use crate::audit::AuditRecord;
use crate::context::{Cause, Ids};
use crate::embedded::EmbeddedChange;
use crate::exposure::{Exposure, ExposureEvent};
use crate::grant::Grant;
use crate::job_change::JobChange;
use crate::member::{Epoch, Member, Version};
use crate::offboarding::{CaseItem, CaseState, OffboardingCase};
use crate::outbox::{EffectState, OutboxEvent};
use crate::rotation_change::RotationChange;
use crate::secret::{BurnedCode, KeyRow, Secret, SecretVersion};
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

    /// Adds what another decided, to be made in the same transaction.
    pub fn append(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.audit.extend(other.audit);
    }

    /// Adds a record of what was decided.
    pub(crate) fn note(
        &mut self,
        (cause, ids): (&Cause, Ids<'_>),
        action: &'static str,
        (target_kind, target_id): (&'static str, &dyn Display),
        detail: Value,
    ) {
        self.audit.push(AuditRecord {
            id: ids.audit(),
            workspace_id: self.workspace_id,
            at: cause.now,
            actor: cause.actor,
            action,
            target_kind,
            target_id: target_id.to_string(),
            request_id: cause.request_id,
            detail,
        });
    }

    /// Whether every row and record is of its workspace. A store refuses a change set that isn't,
    /// before anything else: no defect of a rule writes across tenants (A7).
    pub fn stays_within(&self) -> bool {
        let rows = self.changes.iter().filter_map(Change::workspace_id);
        rows.chain(self.audit.iter().map(|record| record.workspace_id)).all(|id| id == self.workspace_id)
    }

    /// Whether committing it would write nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.audit.is_empty()
    }
}

/// One change.
///
/// Both databases do exactly this, and the model in this crate's tests is the reference:
/// - Changes are made in order, each on what those before it left. The first that fails fails
///   the whole, and nothing is kept.
/// - An id of another workspace is an id that isn't there, and a row of another workspace fails
///   the whole as missing ([`ChangeSet::stays_within`], A7).
/// - *Must exist*, *fails unless*: a conflict, after which the caller decides anew. An `…Update`,
///   `…Delete` or `…Touch` with `expect` fails as moved when no row has this id and this version,
///   whether it changed or went. A referenced row that isn't there fails as missing. A taken key
///   fails as taken. *No failure and changes nothing* is not a conflict.
/// - An `…Update` writes every column; the row given carries the new version.
/// - *By condition* is judged on the rows at the commit, not on those that were read.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are named after the columns that they write or expect")]
pub enum Change {
    /// A new workspace; its `name_key` must be free on the installation.
    WorkspaceInsert(Workspace),
    /// The workspace's state or policy, or only its version when the set of active Owners changes
    /// (so that two last Owners cannot leave past each other, A6).
    WorkspaceUpdate { workspace: Workspace, expect: Version },

    /// A new member; `user_name_key` must be free among those not deleted.
    MemberInsert(Member),
    /// Every column of a member. `expect` is the version that was read. `user_name_key` must be
    /// free among the others that are not deleted.
    MemberUpdate { member: Member, expect: Version },
    /// The folded addresses of a member apart from the work address, for look-ups; all of them.
    MemberEmailsSet { member_id: MemberId, keys: Vec<String> },
    /// Writes nothing; fails as moved unless the member is active in this epoch, and keeps it so
    /// until the commit (on PostgreSQL: a share lock on the row).
    MemberExpect { member_id: MemberId, epoch: Epoch },
    /// Writes nothing; fails as moved unless the member has just so many direct grants, owns just
    /// so many accounts, and has just so many exposures whose generation is the account's
    /// `secret_generation`. Comes after the [`Change::MemberUpdate`] of the same member, which has
    /// locked the row against [`Change::MemberExpect`]: so no grant, account or exposure slips in
    /// between an offboarding's reading and its commit without being in its case (A5).
    LeaverExpect { member_id: MemberId, direct_grants: u64, owned_accounts: u64, exposures: u64 },
    /// Writes nothing; fails as moved when more than `at_most` cases of the workspace were cut at
    /// `since` or later. Comes before the [`Change::CaseInsert`] of the leaver, and keeps others
    /// that expect the same waiting until the commit (on PostgreSQL: the workspace's row is
    /// locked), so that leavers at the same time cannot slip past the safeguard side by side (A5).
    WaveExpect { since: Timestamp, at_most: u64 },
    /// By condition: copies every direct grant of the member to the case's removed grants and deletes
    /// it; ends every token of the member that is not over at `at` (`valid_until` and `revoked_at`
    /// become `at`); hands every account that they still own to the workspace Owners (`owner_id`
    /// none) with [`OwnerFlag::Orphaned`]; empties `successor_id` where it names them. An account
    /// that this changes has its version bumped once for each of the two and `modified_at` set to `at`.
    MemberCutOff { member_id: MemberId, case_id: CaseId, at: Timestamp },

    /// A new team; `display_name_key` must be free.
    TeamInsert(Team),
    /// Every column of a team; `display_name_key` must be free among the others.
    TeamUpdate { team: Team, expect: Version },
    /// Bumps a team's version without expecting one and sets `modified_at`, because its members
    /// changed; it must exist.
    TeamTouch { team_id: TeamId, at: Timestamp },
    /// Removes a team with its memberships and grants.
    TeamDelete { team_id: TeamId, expect: Version },

    /// Puts a member into a team; there already is no failure and changes nothing, `confirmed`
    /// included. The team must exist, and the member, not deleted.
    MembershipInsert(Membership),
    /// Access through the membership counts in this epoch; the row must exist. Nothing else
    /// changes: to SCIM the team is as it was.
    MembershipConfirm { team_id: TeamId, member_id: MemberId, epoch: Epoch },
    /// By condition: the same for every team that the member is in.
    MembershipConfirmAll { member_id: MemberId, epoch: Epoch },
    /// Takes a member out of a team; not there is no failure.
    MembershipDelete { team_id: TeamId, member_id: MemberId },
    /// By condition: takes a member out of all teams, bumps the version of each and sets its `modified_at`.
    MembershipDeleteAll { member_id: MemberId, at: Timestamp },

    /// A new collection; its parent must exist.
    CollectionInsert(Collection),
    /// Every column of a collection; its parent must exist.
    CollectionUpdate { collection: Collection, expect: Version },
    /// Bumps the version of a collection because the tree below it changes shape, so that two
    /// moves cannot make a cycle or too deep a tree past each other.
    CollectionTouch { collection_id: CollectionId, expect: Version },
    /// Removes a collection with the grants on it; fails as in use while a collection or an
    /// account lies in it.
    CollectionDelete { collection_id: CollectionId, expect: Version },

    /// A new account; its collection, owner and successor must exist.
    AccountInsert(Account),
    /// Every column of an account; its collection, owner and successor must exist.
    AccountUpdate { account: Account, expect: Version },
    /// Removes an account with its grants, exposures and secrets; the ledger of exposures stays. Cases keep their items and removed grants.
    AccountDelete { account_id: AccountId, expect: Version },
    /// Hands an account from one owner to another if `from` still owns it: sets `owner_id` and
    /// `owner_flag`, bumps the version, sets `modified_at`. If not, changes nothing.
    AccountHandOver {
        account_id: AccountId,
        from: MemberId,
        to: Option<MemberId>,
        flag: Option<OwnerFlag>,
        at: Timestamp,
    },

    /// A new grant. Its subject and object must exist; it is paired with [`Change::MemberExpect`]
    /// or a [`Change::MemberUpdate`] when the subject is a member.
    GrantInsert(Grant),
    /// Ends a grant; it must exist.
    GrantDelete { grant_id: GrantId },
    /// Sets a grant's end; it must exist.
    GrantSetEnd { grant_id: GrantId, ends_at: Option<Timestamp> },

    /// That a member knows a password, by (account, member, generation); known already is no
    /// failure and changes nothing. The account and the member must exist.
    ExposureInsert(Exposure),
    /// By condition: whoever knows the password of the generation `from` knows that of `to` as
    /// well, in the same way, since `at`; known already changes nothing.
    ExposureCarry { account_id: AccountId, from: i64, to: i64, at: Timestamp },
    /// An entry of the ledger. It refers to nothing, so that it outlives what it tells of.
    ExposureEventInsert(ExposureEvent),

    /// A new secret; its account must exist. Fails as taken if it is a password and the account has one.
    SecretInsert(Secret),
    /// Removes a secret with its versions and the marks on its codes; it must exist.
    SecretDelete { secret_id: SecretId },
    /// A new version; its secret must exist. Fails as taken if there is one of this number or, but
    /// for `retired`, in this state; fails as moved unless the workspace has the key that it is
    /// sealed under and that key is not retired.
    SecretVersionInsert { version: SecretVersion, sealed: Vec<u8> },
    /// Writes nothing; fails as moved unless this version is the secret's current one, and keeps it
    /// so until the commit (on PostgreSQL: a share lock on the row).
    SecretExpect { secret_id: SecretId, version: i64 },
    /// Puts a version into use; fails as moved unless it is pending. The previous version becomes
    /// retired, the current one previous with `retired_at` at `at`, and this one current with its
    /// `verified_at`. If the secret is a password, the account's `secret_generation` becomes the
    /// version, its version is bumped and its `modified_at` set.
    SecretPromote {
        account_id: AccountId,
        secret_id: SecretId,
        version: i64,
        verified_at: Option<Timestamp>,
        at: Timestamp,
    },
    /// Retires a version that never came into use; fails as moved unless it is pending.
    SecretAbandon { secret_id: SecretId, version: i64, at: Timestamp },
    /// Replaces a version's ciphertext and the key that it is sealed under; fails as moved unless it
    /// is sealed under `from`, and as [`Change::SecretVersionInsert`] for the key `to`.
    SecretReseal { secret_id: SecretId, version: i64, from: i64, to: i64, sealed: Vec<u8> },
    /// Marks a recovery code as used; its version must exist. Fails as taken if it is marked already.
    CodeBurn(BurnedCode),

    /// A new workspace key; fails as taken if there is one of this number.
    KeyInsert(KeyRow),
    /// Replaces a key's wraps and what they are wrapped under; fails as moved unless it is wrapped
    /// under `expect` and not retired.
    KeyRewrap { key: KeyRow, expect: String },
    /// Retires a key and empties its wraps; fails as moved if a version or a
    /// connector's credential is sealed under it, if no
    /// other key of a higher number is there to seal, or if it is retired already. Keeps new versions under
    /// it waiting until the commit (on PostgreSQL: the key's row is locked).
    KeyRetire { number: i64, at: Timestamp },

    /// A new case; fails as taken if there is one for this member and epoch.
    CaseInsert(OffboardingCase),
    /// One account of a case.
    CaseItemInsert(CaseItem),
    /// Moves a case from one state to another; fails as moved if it is not in `from`.
    CaseSetState { case_id: CaseId, from: CaseState, to: CaseState },
    /// Closes a case with its final summary; fails as moved unless it is open, none of its rotations
    /// is under way, and none of its effects of the kind `rotation` is ready or held.
    CaseConclude { case_id: CaseId, to: CaseState, summary: Value },

    /// A new effect; a key that is taken is no failure and changes nothing.
    OutboxInsert(OutboxEvent),
    /// By condition: moves the effects of a case from one state to another; when they become
    /// ready they are due at `at`. Only those of the kind `rotation`: notices go out all the same.
    OutboxSetStateOfCase { case_id: CaseId, from: EffectState, to: EffectState, at: Timestamp },
    /// Marks one effect; fails as moved unless it is in `from`.
    OutboxSetState { id: OutboxId, from: EffectState, to: EffectState },

    /// What rotations, their connectors and the tasks of people change.
    Rotation(Box<RotationChange>),
    /// What changes in the workspace's own directory.
    Embedded(EmbeddedChange),
    /// What people change of provisioning jobs.
    Job(JobChange),

    /// A new token; its `hash` must be free on the installation.
    TokenInsert(Token),
    /// Ends a token's validity at `valid_until` unless it is over sooner (`valid_until` becomes the
    /// earlier of the two), and sets `revoked_at` to `at` if it is empty; it must exist.
    TokenRevoke { token_id: TokenId, valid_until: Timestamp, at: Timestamp },
}

impl Change {
    /// The workspace that the row names, where it carries one.
    const fn workspace_id(&self) -> Option<WorkspaceId> {
        match self {
            Self::WorkspaceInsert(workspace) | Self::WorkspaceUpdate { workspace, .. } => Some(workspace.id),
            Self::MemberInsert(member) | Self::MemberUpdate { member, .. } => Some(member.workspace_id),
            Self::TeamInsert(team) | Self::TeamUpdate { team, .. } => Some(team.workspace_id),
            Self::CollectionInsert(collection) | Self::CollectionUpdate { collection, .. } => {
                Some(collection.workspace_id)
            }
            Self::AccountInsert(account) | Self::AccountUpdate { account, .. } => Some(account.workspace_id),
            Self::GrantInsert(grant) => Some(grant.workspace_id),
            Self::CaseInsert(case) => Some(case.workspace_id),
            Self::OutboxInsert(event) => Some(event.workspace_id),
            Self::TokenInsert(token) => Some(token.workspace_id),
            Self::ExposureEventInsert(event) => Some(event.workspace_id),
            Self::Rotation(change) => change.workspace_id(),
            Self::Embedded(EmbeddedChange::Insert(object) | EmbeddedChange::Update { object, .. }) => {
                Some(object.workspace_id)
            }
            Self::SecretInsert(secret) => Some(secret.workspace_id),
            Self::KeyInsert(key) | Self::KeyRewrap { key, .. } => Some(key.workspace_id),
            _ => None,
        }
    }
}
