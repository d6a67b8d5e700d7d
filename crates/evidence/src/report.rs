//! What a report says.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CaseId, MemberId, RequestId};
use serde::{Deserialize, Serialize};

/// The whole report, in the order in which it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Who, where and why.
    pub header: Header,
    /// When.
    pub clock: Clock,
    /// What was removed at that moment.
    pub removed: Removed,
    /// Each account that they could reach, or whose present secret they had seen.
    pub accounts: Vec<Account>,
    /// Who took over what they owned.
    pub ownership: Vec<Ownership>,
    /// What waits for a person, or did.
    pub tasks: Vec<Task>,
    /// What does not hold, with its reason.
    pub exceptions: Vec<Exception>,
    /// How to check it.
    pub integrity: Integrity,
    /// The whole in a few sentences.
    pub summary: String,
}

/// Who, where and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The format of the report: 1.
    pub format: u32,
    /// The version of Latchkey that wrote it.
    pub software: String,
    /// The workspace's name.
    pub workspace: String,
    /// The case; none when it is only foreseen.
    pub case: Option<CaseId>,
    /// How the case stands, as `open`, `held`, `complete`.
    pub state: String,
    /// The person.
    pub member: MemberId,
    /// Their name.
    pub name: String,
    /// What they signed in as.
    pub user_name: String,
    /// The directory's id of them.
    pub external_id: Option<String>,
    /// What took them out, as `directory_disabled`.
    pub trigger: String,
    /// The request that did.
    pub request: Option<RequestId>,
    /// When this was written.
    pub written_at: Timestamp,
}

/// When things happened. What is absent did not happen (yet).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Access ended, everywhere at once.
    pub access_cut_at: Option<Timestamp>,
    /// The first password was changed and proved.
    pub first_verified_at: Option<Timestamp>,
    /// The last one was.
    pub last_verified_at: Option<Timestamp>,
    /// Nothing that they knew works any more.
    pub safe_at: Option<Timestamp>,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    /// Grants that were theirs alone.
    pub direct_grants: u64,
    /// Tokens of theirs.
    pub tokens: u64,
    /// Teams whose grants do not count for them any more.
    pub teams: Vec<String>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name at that time.
    pub name: String,
    /// As `privileged`.
    pub sensitivity: String,
    /// What they could do with it at most, as `use`; none when they could not any more.
    pub permission: Option<String>,
    /// By which ways.
    pub ways: Vec<Way>,
    /// What they had seen of it.
    pub knowledge: Vec<Knowledge>,
    /// Whether they knew the password that was current when they left.
    pub knew_current: bool,
    /// `rotate` or `keep`.
    pub decision: String,
    /// The rule that decided, as `privileged_and_could_use`.
    pub rule: String,
    /// What became of the password, where it was to be changed.
    pub change: Option<Change>,
}

/// How an account could be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// As `owner`, `grant`, `team`.
    pub by: String,
    /// What it allowed.
    pub permission: String,
    /// The team, where it was by one.
    pub team: Option<String>,
    /// Who had given it.
    pub granted_by: Option<String>,
}

/// That somebody came to know a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knowledge {
    /// As `reveal`, `fill`.
    pub kind: String,
    /// Which version of the secret.
    pub version: i64,
    /// When.
    pub at: Timestamp,
}

/// What became of a password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// As `done`, `planned`, `manual_task`.
    pub state: String,
    /// When a login with the new one worked, or a person vouched for it.
    pub verified_at: Option<Timestamp>,
    /// When the old one was seen to be refused.
    pub old_refused_at: Option<Timestamp>,
    /// When the vault made the new one current.
    pub committed_at: Option<Timestamp>,
    /// Sessions that were ended at the target, where it says.
    pub sessions_ended: Option<u64>,
    /// How often a change was sent.
    pub changes_sent: u32,
    /// Why it is not done, where it failed.
    pub failure: Option<String>,
}

/// That something was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The account.
    pub account: String,
    /// Who has it now; none stands for the workspace's Owners.
    pub to: Option<String>,
    /// Why they, as `successor`.
    pub rule: String,
}

/// Something for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The account.
    pub account: String,
    /// As `change_password`.
    pub kind: String,
    /// As `open`, `done`.
    pub state: String,
    /// Until when.
    pub due_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who takes care of it.
    pub assignee: Option<String>,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The account.
    pub account: String,
    /// What, and why.
    pub reason: String,
}

/// How to check a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integrity {
    /// The audit records that it rests on: the first and the last number in the chain.
    pub audit: Option<(i64, i64)>,
    /// The end of the audit chain when it was written, in hexadecimal.
    pub chain_head: Option<String>,
}

/// What would follow if somebody left now: the same report, of what has not happened.
pub type Foreseen = Report;
