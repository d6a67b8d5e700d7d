//! One rotation of one account's secret, as it is stored.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, RotationId, WorkspaceId};
use serde::{Deserialize, Serialize};

use crate::act::TaskKind;
use crate::failure::{Class, Failure};
use crate::policy::Policy;
use crate::state::{Reason, State};
use crate::verdict::Verdict;

/// A login that was tried to find out which secret works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Which version of the secret.
    pub version: i64,
    /// What came of it.
    pub verdict: Verdict,
    /// When it was begun.
    pub at: Timestamp,
}

/// One rotation. Holds no secret, only the numbers of their versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id, and the idempotency key of all its requests.
    pub id: RotationId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Whose secret.
    pub account_id: AccountId,
    /// Why.
    pub reason: Reason,
    /// The same for the same cause: never twice for one (A5).
    pub cause: String,
    /// Smaller is sooner.
    pub priority: i64,
    /// Where it stands.
    pub state: State,
    /// What it is held to.
    pub policy: Policy,
    /// When it was asked for.
    pub planned_at: Timestamp,
    /// Not before.
    pub run_after: Timestamp,
    /// When a person is asked as well.
    pub deadline: Timestamp,
    /// The generation of the password that has to go; once the account is beyond it, nothing is left
    /// to do. `None` changes whatever there is.
    pub generation: Option<i64>,
    /// The version that is to work.
    pub staged: Option<i64>,
    /// The version that worked before, where the vault has one.
    pub old: Option<i64>,
    /// Versions that the target refused to take; kept until it is proven which one works.
    pub rejected: Vec<i64>,
    /// How often a change was sent.
    pub changes_sent: u32,
    /// How often of these with the version that is staged now.
    pub value_sent: u32,
    /// Failures in a row, for the pauses.
    pub failures: u32,
    /// How often the new secret was tried again since then, because the change may have been at work.
    #[serde(default)]
    pub late_tries: u32,
    /// When the last change was sent.
    pub sent_at: Option<Timestamp>,
    /// When the target said that it took it.
    #[serde(default)]
    pub taken_at: Option<Timestamp>,
    /// A login that was begun and whose outcome is not known yet; if we die, it counts as failed.
    pub login_begun: Option<Timestamp>,
    /// The last login of ours that the target may have counted as failed.
    pub failed_login_at: Option<Timestamp>,
    /// What was tried since the last change was sent.
    pub trials: Vec<Trial>,
    /// Whether the target was asked to set the new secret over one that we don't know.
    pub reset: bool,
    /// What a person is to be asked next.
    pub ask: Option<TaskKind>,
    /// Whether a person has a task.
    pub task_open: bool,
    /// Whether it was called off; then it ends as soon as it is known which secret works.
    pub called_off: bool,
    /// What the last change failed with.
    pub change_failed: Option<Failure>,
    /// What the last act failed with.
    pub last_failure: Option<Failure>,
    /// When a login with the new secret worked, or a person vouched for it.
    pub verified_at: Option<Timestamp>,
    /// When the new secret became the account's.
    pub committed_at: Option<Timestamp>,
    /// When the old secret was seen to be refused.
    pub old_refused_at: Option<Timestamp>,
    /// How many sessions were ended, where the target says.
    pub sessions_ended: Option<u64>,
    /// What does not hold although the new secret works, as sessions that could not be ended.
    pub exceptions: Vec<String>,
    /// When nothing was left to do.
    pub ended_at: Option<Timestamp>,
}

/// What a new job is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its id.
    pub id: RotationId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Whose secret.
    pub account_id: AccountId,
    /// Why.
    pub reason: Reason,
    /// The same for the same cause.
    pub cause: String,
    /// Smaller is sooner.
    pub priority: i64,
    /// What it is held to.
    pub policy: Policy,
    /// Whether it waits for a person's word.
    pub held: bool,
    /// Not before.
    pub run_after: Timestamp,
    /// The generation of the password that has to go, where it is a certain one.
    pub generation: Option<i64>,
    /// The version that works now, where the vault has one.
    pub old: Option<i64>,
    /// The last login of ours at this account that may have counted as failed.
    pub failed_login_at: Option<Timestamp>,
}

impl Job {
    /// A new job.
    pub fn plan(plan: Plan, now: Timestamp) -> Self {
        let from = now.max(plan.run_after);
        Self {
            id: plan.id,
            workspace_id: plan.workspace_id,
            account_id: plan.account_id,
            reason: plan.reason,
            cause: plan.cause,
            priority: plan.priority,
            state: if plan.held { State::Held } else { State::Planned },
            planned_at: now,
            run_after: plan.run_after,
            deadline: from.plus(plan.policy.patience),
            policy: plan.policy,
            generation: plan.generation,
            staged: None,
            old: plan.old,
            rejected: Vec::new(),
            changes_sent: 0,
            value_sent: 0,
            failures: 0,
            late_tries: 0,
            sent_at: None,
            taken_at: None,
            login_begun: None,
            failed_login_at: plan.failed_login_at,
            trials: Vec::new(),
            reset: false,
            ask: None,
            task_open: false,
            called_off: false,
            change_failed: None,
            last_failure: None,
            verified_at: None,
            committed_at: None,
            old_refused_at: None,
            sessions_ended: None,
            exceptions: Vec::new(),
            ended_at: None,
        }
    }

    /// When the next login that may fail is allowed.
    pub fn login_allowed_at(&self) -> Timestamp {
        let spent = self.failed_login_at.max(self.login_begun);
        spent.map_or(Timestamp::default(), |at| at.plus(self.policy.failed_login_every))
    }

    /// When only a person is left.
    pub fn gives_up_at(&self) -> Timestamp {
        self.deadline.plus(self.policy.gives_up_after.saturating_sub(self.policy.patience))
    }

    /// Versions that may be the one that works, in the order in which they are tried: the new one,
    /// the old one, and those that the target said it did not take.
    pub fn candidates(&self) -> impl Iterator<Item = i64> {
        self.staged.into_iter().chain(self.old).chain(self.rejected.iter().rev().copied())
    }

    /// Whether nothing was ever sent to the target.
    pub const fn is_untouched(&self) -> bool {
        self.changes_sent == 0
    }

    pub(crate) fn verdict_of(&self, version: i64) -> Option<Verdict> {
        self.trials.iter().find(|trial| trial.version == version).map(|trial| trial.verdict)
    }

    pub(crate) fn to(&mut self, state: State, now: Timestamp) {
        self.state = state;
        if state.is_over() {
            self.ended_at = Some(now);
            self.ask = None;
        }
    }

    pub(crate) fn fail(&mut self, failure: Failure, now: Timestamp, jitter: f64) {
        self.failures += 1;
        self.run_after = now.plus(crate::pause::after(&self.policy, self.failures, jitter));
        self.last_failure = Some(failure);
    }

    pub(crate) fn changed_class(&self) -> Option<Class> {
        self.change_failed.as_ref().map(|failure| failure.class)
    }
}
