//! Where a cycle reads.

use std::future::Future;

use latchkey_directory::AnySource;
use latchkey_provisioning::feed::{Change, SourceError, Watermark};
use latchkey_provisioning::{EntryId, Kind};

/// A directory of people and groups.
pub trait Source: Send + Sync {
    /// One pass over it.
    type Reading: Reading;

    /// Begins to read: what changed since the watermark, or everything.
    ///
    /// # Errors
    /// With kind `Expired` when the watermark is not known any more.
    fn read(
        &self,
        since: Option<&Watermark>,
    ) -> impl Future<Output = Result<Self::Reading, SourceError>> + Send;

    /// How these objects are now; one that is gone comes as a change that says so.
    ///
    /// # Errors
    /// When it cannot be read.
    fn fetch(
        &self,
        kind: Kind,
        ids: &[EntryId],
    ) -> impl Future<Output = Result<Vec<Change>, SourceError>> + Send;
}

/// One pass over a source.
pub trait Reading: Send {
    /// Whether objects that it does not tell of have left.
    fn is_full(&self) -> bool;

    /// How many objects are to come, where that is known.
    fn expected(&self) -> Option<u64>;

    /// The next page; `None` when everything was told.
    ///
    /// # Errors
    /// When the pass broke off; nobody's absence means anything then.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Change>>, SourceError>> + Send;

    /// Where the next pass goes on; asked for when everything was told.
    fn watermark(self) -> Watermark;
}

impl Source for AnySource {
    type Reading = latchkey_directory::Reading;

    async fn read(&self, since: Option<&Watermark>) -> Result<Self::Reading, SourceError> {
        Self::read(self, since).await
    }

    async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        Self::fetch(self, kind, ids).await
    }
}

impl Reading for latchkey_directory::Reading {
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
