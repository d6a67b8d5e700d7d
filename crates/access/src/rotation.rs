//! Rotations as they are stored: connectors, what holds for an account, jobs with their history, and
//! the tasks of people. What a job goes through is the `rotation` room's; here it is a row.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{
    AccountId, CaseId, ConnectorId, DependentId, MemberId, RotationId, TaskId, WorkspaceId,
};
use serde_json::Value;

use crate::member::{Version, words};

/// How secrets are changed at one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: ConnectorId,
    /// What people call it.
    pub name: String,
    /// The kind of target, as the `rotators` room knows it.
    pub kind: String,
    /// The host that it goes to; those of one host rest together when it fails.
    pub host: String,
    /// Everything but secrets.
    pub config: Value,
    /// What its rotations are held to besides the kind's own, as a lock-out budget.
    pub limits: Value,
    /// The sealed credential that changes others' secrets.
    pub sealed_admin: Option<Vec<u8>>,
    /// The workspace key that it is sealed under.
    pub admin_key: Option<i64>,
    /// How many rotations it performs at once.
    pub at_once: i64,
    /// Why nothing goes through it until a person puts it right.
    pub paused: Option<String>,
    /// Bumped by each change.
    pub version: Version,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

words! {
    /// How an account's password is changed.
    RotationMode {
        /// By its connector, when something asks for it.
        Automatic = "automatic",
        /// By its connector, after a person has said so.
        OnApproval = "on_approval",
        /// By a person.
        ByHand = "by_hand",
    }
}

/// What holds for the rotations of one account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRotation {
    /// The account.
    pub account_id: AccountId,
    /// The connector; without one a person changes it.
    pub connector_id: Option<ConnectorId>,
    /// How.
    pub mode: RotationMode,
    /// The login name at the target, where it differs from the account's.
    pub login: Option<String>,
    /// When it is changed and tried without being asked for.
    pub schedule: Value,
    /// When the next scheduled change is due.
    pub rotates_at: Option<Timestamp>,
    /// When the stored password is tried next.
    pub verifies_at: Option<Timestamp>,
    /// Bumped by each change.
    pub version: Version,
}

/// One rotation.
#[derive(Debug, Clone, PartialEq)]
pub struct RotationRow {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: RotationId,
    /// Whose password.
    pub account_id: AccountId,
    /// The connector that it goes through.
    pub connector_id: Option<ConnectorId>,
    /// The offboarding case that asked for it.
    pub case_id: Option<CaseId>,
    /// Why, as the `rotation` room words it.
    pub reason: String,
    /// The same for the same cause, and taken once (A5).
    pub cause: String,
    /// Smaller is sooner.
    pub priority: i64,
    /// Where it stands, as the `rotation` room words it.
    pub state: String,
    /// Whether nothing follows any more; an account has at most one of which something does (V4).
    pub over: bool,
    /// Not to be taken up before; `None` waits for a person.
    pub run_after: Option<Timestamp>,
    /// The whole job.
    pub body: Value,
    /// Bumped by each change, by the taking up of a worker too: what a worker writes expects it, so
    /// that who has lost the job to another writes nothing.
    pub version: Version,
    /// When it was asked for.
    pub planned_at: Timestamp,
    /// When nothing was left to do.
    pub ended_at: Option<Timestamp>,
}

/// One act of a rotation, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationStep {
    /// The rotation.
    pub rotation_id: RotationId,
    /// Which, from 1; the version of the row that it was written with.
    pub number: i64,
    /// When it was over.
    pub at: Timestamp,
    /// As `change`.
    pub act: String,
    /// As `works`, or what went wrong, without secrets.
    pub outcome: String,
    /// The state that followed.
    pub state: String,
    /// How long the act took.
    pub micros: i64,
}

/// What a failing step looked like: a picture of the page, every field of it blanked before it was
/// taken, and sealed, since a page shows more than its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationPicture {
    /// The rotation.
    pub rotation_id: RotationId,
    /// The number of the step that failed.
    pub number: i64,
    /// When it was taken.
    pub at: Timestamp,
    /// As `image/png`.
    pub media_type: String,
    /// The workspace key that it is sealed under.
    pub key_number: i64,
    /// The sealed file.
    pub sealed: Vec<u8>,
}

words! {
    /// Where a person's task stands.
    TaskState {
        /// To be done.
        Open = "open",
        /// Done.
        Done = "done",
        /// Nobody needs it any more.
        Moot = "moot",
    }
}

/// Something that a person has to do for a rotation.
#[derive(Debug, Clone, PartialEq)]
pub struct ManualTask {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: TaskId,
    /// The account that it is about.
    pub account_id: AccountId,
    /// The rotation that waits for it.
    pub rotation_id: RotationId,
    /// What is asked, as the `rotation` room words it.
    pub kind: String,
    /// Where it stands.
    pub state: TaskState,
    /// What is to be done, step by step, and which versions of the secret are in the vault.
    pub checklist: Value,
    /// Who takes care of it.
    pub assignee_id: Option<MemberId>,
    /// Who said what.
    pub evidence: Value,
    /// How many percent of its time were gone at the last reminder.
    pub reminded: i64,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub due_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Bumped by each change.
    pub version: Version,
}

impl ManualTask {
    /// What a task is called that its rotation does not wait for: telling a dependent.
    pub const UPDATE_DEPENDENT: &'static str = "update_dependent";

    /// Whether it is open, and the rotation waits for it or goes on beside it; there is at most one.
    pub fn waits_for_its_rotation(&self) -> bool {
        self.state == TaskState::Open && self.kind != Self::UPDATE_DEPENDENT
    }
}

/// Something besides the account that has to learn a new password, as a service's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// Its id.
    pub id: DependentId,
    /// The account whose password it uses.
    pub account_id: AccountId,
    /// What people call it.
    pub name: String,
    /// How it is told: the steps for a person.
    pub instructions: String,
    /// Another account that has the same password and is changed along with this one.
    pub other_account_id: Option<AccountId>,
}
