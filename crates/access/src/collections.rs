//! Collections: a tree of at most [`Collection::MAX_DEPTH`] levels, without cycles.

use crate::account::Collection;
use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::refusal::Refusal;

/// Makes a collection. `above` is its parent and all above that, nearest first; empty at the root.
///
/// # Errors
/// When the name is empty or too long, or the tree would be too deep.
pub fn create(
    collection: Collection,
    above: &[Collection],
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Renames or moves a collection. `above` is the new parent and all above it, nearest first;
/// `height` the number of levels from the collection down, itself included (1 without any below).
/// Both matter only for a move.
///
/// # Errors
/// As [`create`], and when it would lie in itself.
pub fn update(
    before: &Collection,
    after: Collection,
    above: &[Collection],
    height: usize,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}

/// Removes an empty collection with the grants on it.
pub fn delete(collection: &Collection, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    unimplemented!()
}
