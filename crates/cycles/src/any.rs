//! One face for every source of a job: directories elsewhere, and Latchkey's own.

use latchkey_directory::AnySource;
use latchkey_provisioning::feed::{Change, SourceError, Watermark};
use latchkey_provisioning::{EntryId, Kind};

use crate::embedded::{Embedded, EmbeddedReading};
use crate::source::{Reading, Source};

/// Where a job reads.
#[derive(Debug)]
pub enum JobSource {
    /// A directory elsewhere.
    Elsewhere(Box<AnySource>),
    /// Latchkey's own.
    Embedded(Embedded),
}

/// A pass over any source.
#[derive(Debug)]
pub enum JobReading {
    /// Of a directory elsewhere.
    Elsewhere(Box<latchkey_directory::Reading>),
    /// Of Latchkey's own.
    Embedded(Box<EmbeddedReading>),
}

impl JobSource {
    /// Objects that are called just so.
    ///
    /// # Errors
    /// Why the source could not be read.
    pub async fn search(&self, kind: Kind, text: &str) -> Result<Vec<Change>, SourceError> {
        match self {
            Self::Elsewhere(source) => source.search(kind, text).await,
            Self::Embedded(source) => source.search(kind, text).await,
        }
    }

    /// Looks whether the source can be read, and says what is there.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn test(&self) -> Result<String, SourceError> {
        match self {
            Self::Elsewhere(source) => source.test().await,
            Self::Embedded(source) => source.test().await,
        }
    }

    /// Returns once there is something new since a watermark; never where a source has no cheap way to see that.
    ///
    /// # Errors
    /// Why the source cannot be watched.
    pub async fn changed(&self, since: &Watermark) -> Result<(), SourceError> {
        match self {
            Self::Elsewhere(source) => source.changed(since).await,
            Self::Embedded(source) => source.changed(since).await,
        }
    }
}

impl Source for JobSource {
    type Reading = JobReading;

    async fn read(&self, since: Option<&Watermark>) -> Result<JobReading, SourceError> {
        match self {
            Self::Elsewhere(source) => source.read(since).await.map(|it| JobReading::Elsewhere(Box::new(it))),
            Self::Embedded(source) => source.read(since).await.map(|it| JobReading::Embedded(Box::new(it))),
        }
    }

    async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        match self {
            Self::Elsewhere(source) => source.fetch(kind, ids).await,
            Self::Embedded(source) => source.fetch(kind, ids).await,
        }
    }
}

impl Reading for JobReading {
    fn is_full(&self) -> bool {
        match self {
            Self::Elsewhere(reading) => reading.is_full(),
            Self::Embedded(reading) => reading.is_full(),
        }
    }

    fn expected(&self) -> Option<u64> {
        match self {
            Self::Elsewhere(reading) => reading.expected(),
            Self::Embedded(reading) => reading.expected(),
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        match self {
            Self::Elsewhere(reading) => reading.next().await,
            Self::Embedded(reading) => reading.next().await,
        }
    }

    fn watermark(self) -> Watermark {
        match self {
            Self::Elsewhere(reading) => reading.watermark(),
            Self::Embedded(reading) => reading.watermark(),
        }
    }
}

impl Source for Embedded {
    type Reading = EmbeddedReading;

    async fn read(&self, since: Option<&Watermark>) -> Result<EmbeddedReading, SourceError> {
        Self::read(self, since).await
    }

    async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        Self::fetch(self, kind, ids).await
    }
}

impl Reading for EmbeddedReading {
    fn is_full(&self) -> bool {
        Self::is_full(self)
    }

    fn expected(&self) -> Option<u64> {
        Self::expected(self)
    }

    async fn next(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        Self::next(self).await
    }

    fn watermark(self) -> Watermark {
        Self::watermark(self)
    }
}
