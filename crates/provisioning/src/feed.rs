//! What a source tells: whole objects, page after page, and where the next cycle goes on.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::entry::{Entry, EntryId, Kind, Presence};

/// Where a source's next reading goes on. Only the source that made it knows what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watermark(pub String);

/// One thing that a source has to tell about an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It is there: all of it that is mapped, never what changed alone.
    Present {
        /// The object.
        entry: Box<Entry>,
        /// Of a group: who is in it. `None` when nothing is told about that, as for people.
        members: Option<Members>,
    },
    /// It is in the bin, or gone for good.
    Left {
        /// Its id.
        id: EntryId,
        /// What it was.
        kind: Kind,
        /// Never [`Presence::Present`].
        presence: Presence,
    },
}

/// Who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// These and nobody else.
    Whole(Vec<EntryId>),
    /// These came and went since the last reading.
    Delta {
        /// Who came.
        added: Vec<EntryId>,
        /// Who went.
        removed: Vec<EntryId>,
    },
}

impl Change {
    /// Whom it is about.
    pub const fn id(&self) -> &EntryId {
        match self {
            Self::Present { entry, .. } => &entry.id,
            Self::Left { id, .. } => id,
        }
    }

    /// What it is about.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Present { entry, .. } => entry.kind,
            Self::Left { kind, .. } => *kind,
        }
    }
}

/// The attributes that mappings, matching and filters need of a source, by its own names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of people; `None` when the job leaves them out.
    pub users: Option<Vec<String>>,
    /// Of groups; `None` when the job leaves them out.
    pub groups: Option<Vec<String>>,
}

/// Why a source could not be read. A cycle that meets one disables nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What kind of failure.
    pub kind: SourceErrorKind,
    /// What happened, to what, and what to do.
    pub message: String,
}

/// The kinds of failure of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// It does not answer, or broke off.
    Unreachable,
    /// It refuses the credential, or what the credential may see.
    Refused,
    /// It asks for time.
    Throttled(Option<Duration>),
    /// The watermark is not known any more: all has to be read anew.
    Expired,
    /// What it holds cannot be understood.
    Malformed,
}

impl SourceError {
    /// An error with its sentence.
    pub fn new(kind: SourceErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }
}
