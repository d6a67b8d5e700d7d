//! What a service refuses or fails with; each edge maps it once.

use latchkey_access::refusal::Refusal;
use latchkey_store::{CommitError, Conflict, StoreError};

/// Why a service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SCIM says no; status, keyword and sentence are its own.
    #[error(transparent)]
    Scim(#[from] latchkey_scim::Error),
    /// A rule says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No such thing here; the same for what is in another workspace (A7).
    #[error("there is no such {what}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// The thing moved while we decided, again and again.
    #[error("somebody else is changing this at the same time; try again")]
    Contended,
    /// What was asked clashes with what is there.
    #[error("{0}")]
    Clash(String),
    /// What was asked makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The queue for writing is full; nothing was done.
    #[error("too many changes are waiting to be written; try again in a moment")]
    Busy,
    /// The database failed; whether a change was made is unknown only if `commit` was under way.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// The keys of secrets cannot be used: what is sealed stays sealed.
    #[error("the key source cannot be used")]
    Keys(#[source] Box<latchkey_vault::KeyError>),
    /// A stored secret does not open where it stands. The alarm has been raised, and no value left.
    #[error("a stored secret was altered or moved, and was not opened")]
    Tampered {
        /// How it was found.
        #[source]
        source: latchkey_vault::OpenError,
    },
    /// A stored thing does not read: a defect or a damaged database.
    #[error("a stored {what} does not read")]
    Damaged {
        /// The kind of thing.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<latchkey_vault::KeyError> for Error {
    fn from(error: latchkey_vault::KeyError) -> Self {
        Self::Keys(Box::new(error))
    }
}

impl Error {
    /// Whether the same request may well succeed in a moment: nothing is wrong with it.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Contended
                | Self::Busy
                | Self::Store(StoreError::Unavailable(_) | StoreError::Busy | StoreError::Closed)
        )
    }

    /// A stored thing does not read.
    pub(crate) fn damaged(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Damaged { what, source: source.into() }
    }
}

/// What became of one attempt to commit.
pub(crate) enum Attempt {
    /// It rested on something that has moved: load and decide again.
    Again,
    /// It cannot be.
    Failed(Error),
}

impl Attempt {
    /// Sorts a commit's failure: what moved is tried again, what is taken is for `taken` to word.
    pub(crate) fn from_commit(error: CommitError, taken: impl FnOnce(&Conflict) -> Option<Error>) -> Self {
        match error {
            CommitError::Busy => Self::Failed(Error::Busy),
            CommitError::Store(error) => Self::Failed(Error::Store(error)),
            CommitError::Conflict(conflict) => taken(&conflict).map_or(Self::Again, Self::Failed),
        }
    }
}

/// An error and all its causes in one line, for the log.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        next = cause.source();
    }
    chain
}
