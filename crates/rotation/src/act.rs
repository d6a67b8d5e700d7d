//! What is to be done next, and what came of it.

use latchkey_kernel::Timestamp;

use crate::failure::Failure;
use crate::verdict::Verdict;
use latchkey_kernel::words;

/// What is to be done next for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Make a new secret and store it as pending, together with the job (V2). If a pending one is
    /// there from before, that one.
    Stage {
        /// How many values the target has refused: rules are tightened by each.
        refused: u32,
    },
    /// Send the change to the target.
    Change {
        /// The version that is to work.
        new: i64,
        /// The version that works now.
        old: Option<i64>,
    },
    /// Log in afresh with this version.
    Login {
        /// Which.
        version: i64,
    },
    /// Make the new version the account's, in one transaction with the job.
    Commit {
        /// Which.
        version: i64,
    },
    /// End the sessions that the old secret opened.
    EndSessions,
    /// Ask a person.
    OpenTask(TaskKind),
    /// Nothing before this time.
    Wait(Timestamp),
    /// Nothing, until a person or another worker does something.
    Nothing,
}

impl Act {
    /// The word for the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stage { .. } => "stage",
            Self::Change { .. } => "change",
            Self::Login { .. } => "login",
            Self::Commit { .. } => "commit",
            Self::EndSessions => "end_sessions",
            Self::OpenTask(_) => "open_task",
            Self::Wait(_) => "wait",
            Self::Nothing => "nothing",
        }
    }

    /// Whether it goes to the target.
    pub const fn is_at_target(self) -> bool {
        matches!(self, Self::Change { .. } | Self::Login { .. } | Self::EndSessions)
    }
}

words! {
    /// What a person is asked for.
    TaskKind {
        /// Change the password by hand to the one that is ready.
        ChangeByHand = "change_by_hand",
        /// It takes too long; tries go on meanwhile.
        TakesLong = "takes_long",
        /// The target wants a person, or refuses every value that is made.
        NeedsPerson = "needs_person",
        /// None of the passwords that the vault holds was seen to work.
        Diverged = "diverged",
        /// The new password works, and so does the old one.
        OldStillWorks = "old_still_works",
        /// The stored password does not work any more.
        Drift = "drift",
    }
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActOutcome {
    /// The new secret is stored.
    Staged {
        /// As this version.
        version: i64,
    },
    /// What the target said to the change.
    Changed(Result<(), Failure>),
    /// What a login came to. `Err` says nothing about the secret; with an unknown outcome the target
    /// may have counted it as a failed login.
    LoggedIn {
        /// With which version.
        version: i64,
        /// What came of it.
        verdict: Result<Verdict, Failure>,
    },
    /// The new version is the account's.
    Committed,
    /// How many sessions were ended, where the target says.
    SessionsEnded(Result<Option<u64>, Failure>),
    /// A person has the task.
    TaskOpened(TaskKind),
}

/// What else follows from an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// No job of this connector can succeed until a person has put its credential right.
    PauseConnector {
        /// Why.
        message: String,
    },
    /// The task that was open is moot.
    CloseTask,
}
