//! Several questions under way at once, their answers in order.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use latchkey_provisioning::feed::SourceError;

/// A question that can be asked on any thread.
pub(crate) type Question<'q, T> = BoxFuture<'q, Result<T, SourceError>>;

/// Asks all, so many at once; the first error ends it.
pub(crate) async fn ask<T>(questions: Vec<Question<'_, T>>, at_once: usize) -> Result<Vec<T>, SourceError> {
    stream::iter(questions).buffered(at_once).try_collect().await
}
