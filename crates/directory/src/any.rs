//! One face for all sources.

use std::path::PathBuf;

use latchkey_provisioning::feed::{Change, SourceError, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::jobfile::Directory;
use latchkey_provisioning::{EntryId, Kind};
use secrecy::SecretString;

use crate::files::{self, Files};
use crate::graph::{self, Graph};
use crate::ldap::{self, Ldap};
use crate::scim::{self, Scim};

/// What a source is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The job's `[source]`.
    pub directory: Directory,
    /// The folder of the job file; relative paths begin here.
    pub base: PathBuf,
    /// Where the files are instead, if they are not where the job file says.
    pub source_dir: Option<PathBuf>,
    /// What is asked for.
    pub wanted: Wanted,
    /// Whether the job takes all objects, assigned or not.
    pub sync_all: bool,
    /// The secret that the source's own section names, read by the caller.
    pub secret: Option<SecretString>,
}

/// A source of any kind.
#[derive(Debug)]
pub enum AnySource {
    /// CSV or JSON files.
    Files(Files),
    /// A directory that speaks LDAP, or Active Directory.
    Ldap(Ldap),
    /// Microsoft Graph.
    Graph(Graph),
    /// Any SCIM 2.0 provider.
    Scim(Scim),
}

/// A reading of any source.
#[derive(Debug)]
pub enum Reading {
    /// Of files.
    Files(files::Reading),
    /// Of a directory that speaks LDAP.
    Ldap(Box<ldap::Reading>),
    /// Of Microsoft Graph.
    Graph(Box<graph::Reading>),
    /// Of a SCIM provider.
    Scim(Box<scim::Reading>),
}

impl AnySource {
    /// A source as the job file describes it. Nothing is connected to yet.
    ///
    /// # Errors
    /// When the description cannot work.
    pub fn open(options: Options) -> Result<Self, SourceError> {
        match &options.directory {
            Directory::Files { .. } => Files::open(&options).map(Self::Files),
            Directory::Ldap { .. } => Ldap::open(&options).map(Self::Ldap),
            Directory::Scim { .. } => Scim::open(&options).map(Self::Scim),
            Directory::Graph { .. } => Graph::open(&options).map(Self::Graph),
            Directory::Embedded { .. } => Err(SourceError::new(
                SourceErrorKind::Malformed,
                "the embedded directory is in Latchkey's own database and is not opened as a source from outside",
            )),
        }
    }

    /// Begins a reading: of what changed since a watermark where the source can tell, else of all.
    ///
    /// # Errors
    /// [`SourceErrorKind::Expired`] asks to begin anew without a watermark; all others say why
    /// there is no reading.
    pub async fn read(&self, since: Option<&Watermark>) -> Result<Reading, SourceError> {
        match self {
            Self::Graph(graph) => {
                let reading = Box::pin(graph.read(since)).await?;
                Ok(Reading::Graph(Box::new(reading)))
            }
            Self::Scim(scim) => {
                Box::pin(scim.read(since)).await.map(|reading| Reading::Scim(Box::new(reading)))
            }
            Self::Files(files) => files.read(since).await.map(Reading::Files),
            Self::Ldap(ldap) => {
                Box::pin(ldap.read(since)).await.map(|reading| Reading::Ldap(Box::new(reading)))
            }
        }
    }

    /// The present state of these objects; one that is gone comes as [`Change::Left`].
    ///
    /// # Errors
    /// Why the source could not be read.
    pub async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        match self {
            Self::Files(files) => files.fetch(kind, ids).await,
            Self::Graph(graph) => Box::pin(graph.fetch(kind, ids)).await,
            Self::Scim(scim) => Box::pin(scim.fetch(kind, ids)).await,
            Self::Ldap(ldap) => Box::pin(ldap.fetch(kind, ids)).await,
        }
    }

    /// Objects whose id, login name, mail or display name is exactly this, letter case aside.
    ///
    /// # Errors
    /// Why the source could not be read.
    pub async fn search(&self, kind: Kind, text: &str) -> Result<Vec<Change>, SourceError> {
        match self {
            Self::Files(files) => files.search(kind, text).await,
            Self::Graph(graph) => Box::pin(graph.search(kind, text)).await,
            Self::Scim(scim) => Box::pin(scim.search(kind, text)).await,
            Self::Ldap(ldap) => Box::pin(ldap.search(kind, text)).await,
        }
    }

    /// Looks whether the source can be read, and says what is there.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn test(&self) -> Result<String, SourceError> {
        match self {
            Self::Files(files) => files.test().await,
            Self::Graph(graph) => Box::pin(graph.test()).await,
            Self::Scim(scim) => Box::pin(scim.test()).await,
            Self::Ldap(ldap) => Box::pin(ldap.test()).await,
        }
    }

    /// Returns once there is something new since a watermark, within a second or so; never where a
    /// source has no cheap way to see that.
    ///
    /// # Errors
    /// Why the source cannot be watched.
    pub async fn changed(&self, since: &Watermark) -> Result<(), SourceError> {
        match self {
            Self::Files(files) => files.changed(since).await,
            // Nothing cheaper than a reading says so.
            Self::Graph(_) | Self::Scim(_) => std::future::pending().await,
            Self::Ldap(ldap) => Box::pin(ldap.changed(since)).await,
        }
    }
}

impl Reading {
    /// Whether objects that it does not tell of have left.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Files(reading) => reading.is_full(),
            Self::Graph(reading) => reading.is_full(),
            Self::Scim(reading) => reading.is_full(),
            Self::Ldap(reading) => reading.is_full(),
        }
    }

    /// How many objects are to come, where that is known.
    pub fn expected(&self) -> Option<u64> {
        match self {
            Self::Files(reading) => reading.expected(),
            Self::Graph(reading) => reading.expected(),
            Self::Scim(reading) => reading.expected(),
            Self::Ldap(reading) => reading.expected(),
        }
    }

    /// The next page, of at most 1,000 changes; `None` after the last.
    ///
    /// # Errors
    /// When the source broke off: then nothing may be concluded from what is absent.
    pub async fn next(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        match self {
            Self::Files(reading) => reading.next().await,
            Self::Graph(reading) => Box::pin(reading.next()).await,
            Self::Scim(reading) => Box::pin(reading.next()).await,
            Self::Ldap(reading) => Box::pin(reading.next()).await,
        }
    }

    /// Where the next reading goes on, once [`next`](Self::next) gave `None`. A reading that was
    /// left before has a watermark of which no source knows anything, so that all is read anew.
    pub fn watermark(self) -> Watermark {
        match self {
            Self::Files(reading) => reading.watermark(),
            Self::Graph(reading) => reading.watermark(),
            Self::Scim(reading) => reading.watermark(),
            Self::Ldap(reading) => reading.watermark(),
        }
    }
}

/// Of a reading whose next page was asked for and not waited for.
pub(crate) fn interrupted() -> SourceError {
    SourceError::new(SourceErrorKind::Unreachable, "the reading was interrupted in the middle; begin it anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send(_: impl Send) {}

    /// Cycles run on any thread; this compiles only while all futures may move.
    #[expect(dead_code, reason = "to be compiled, not run")]
    fn all_futures_may_move(source: &AnySource, reading: &mut Reading, since: &Watermark) {
        is_send(source.read(None));
        is_send(source.fetch(Kind::User, &[]));
        is_send(source.search(Kind::User, ""));
        is_send(source.test());
        is_send(source.changed(since));
        is_send(reading.next());
    }
}
