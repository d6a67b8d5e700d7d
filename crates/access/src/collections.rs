//! Collections: a tree of at most [`Collection::MAX_DEPTH`] levels, without cycles.
//!
//! A change of the tree's shape touches every collection above it. Two such changes that could
//! make a cycle or too deep a tree past each other therefore touch a row in common, and the
//! second is decided anew.

use serde_json::{Value, json};

use crate::account::Collection;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::refusal::{NAME_MAX, Refusal, bounded};

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
    bounded("the collection's name", &collection.name, NAME_MAX)?;
    let mut changes = ChangeSet::new(collection.workspace_id);
    place(&mut changes, &collection, above, 1)?;
    changes.note((cause, ids), "collection.created", ("collection", &collection.id), described(&collection));
    changes.push(Change::CollectionInsert(collection));
    Ok(changes)
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
    let mut changes = ChangeSet::new(before.workspace_id);
    if (&after.name, after.parent_id) == (&before.name, before.parent_id) {
        return Ok(changes);
    }
    bounded("the collection's name", &after.name, NAME_MAX)?;
    let after = Collection {
        name: after.name,
        parent_id: after.parent_id,
        version: before.version.next(),
        ..before.clone()
    };
    if after.parent_id != before.parent_id {
        place(&mut changes, &after, above, height)?;
    }
    let detail = json!({ "before": described(before), "after": described(&after) });
    changes.push(Change::CollectionUpdate { collection: after, expect: before.version });
    changes.note((cause, ids), "collection.updated", ("collection", &before.id), detail);
    Ok(changes)
}

/// Removes an empty collection with the grants on it.
pub fn delete(collection: &Collection, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(collection.workspace_id);
    changes.push(Change::CollectionDelete { collection_id: collection.id, expect: collection.version });
    changes.note((cause, ids), "collection.removed", ("collection", &collection.id), described(collection));
    changes
}

fn place(
    changes: &mut ChangeSet,
    collection: &Collection,
    above: &[Collection],
    height: usize,
) -> Result<(), Refusal> {
    if above.iter().any(|row| row.id == collection.id) {
        return Err(Refusal::Cycle);
    }
    if above.len() + height > Collection::MAX_DEPTH {
        return Err(Refusal::TooDeep);
    }
    // From the root down, so that two decisions wait for each other in one order.
    for row in above.iter().rev() {
        changes.push(Change::CollectionTouch { collection_id: row.id, expect: row.version });
    }
    Ok(())
}

fn described(collection: &Collection) -> Value {
    json!({ "name": collection.name, "parent": collection.parent_id })
}
