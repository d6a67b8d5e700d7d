//! Collections: folders of accounts, in a tree.

use std::collections::HashMap;

use latchkey_access::authority::Action;
use latchkey_access::member::Version;
use latchkey_access::{Collection, collections as rules};
use latchkey_kernel::id::CollectionId;
use latchkey_store::Conflict;

use crate::engine::only_moved;
use crate::{Caller, Engine, Error};

/// Every collection of the workspace. A tree is read whole, as it is shown whole.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller) -> Result<Vec<Collection>, Error> {
    by.may(Action::ReadAccounts)?;
    all(engine, by).await
}

/// One collection.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: CollectionId) -> Result<Collection, Error> {
    by.may(Action::ReadAccounts)?;
    find(engine, by, id).await
}

/// Makes a collection.
///
/// # Errors
/// When the name is empty, the tree would be too deep, or the caller may not.
pub async fn create(
    engine: &Engine,
    by: &Caller,
    name: &str,
    parent_id: Option<CollectionId>,
) -> Result<Collection, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteAccounts)?;
            let above = Tree::load(engine, by).await?.from(parent_id)?;
            let collection = Collection {
                workspace_id: by.workspace_id(),
                id: CollectionId::fresh(cause.now, engine.entropy()),
                name: name.to_owned(),
                parent_id,
                version: Version::FIRST,
                created_at: cause.now,
            };
            let changes = rules::create(collection.clone(), &above, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(collection)
        })
        .await
}

/// Renames or moves a collection; `None` leaves as it is, and `Some(None)` moves to the root.
///
/// # Errors
/// When it would lie in itself or too deep, the name is empty, or the caller may not.
pub async fn update(
    engine: &Engine,
    by: &Caller,
    id: CollectionId,
    name: Option<&str>,
    parent_id: Option<Option<CollectionId>>,
) -> Result<Collection, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteAccounts)?;
            let tree = Tree::load(engine, by).await?;
            let before = tree.0.get(&id).cloned().ok_or(Error::NotFound { what: "collection" })?;
            let mut after = before.clone();
            if let Some(name) = name {
                name.clone_into(&mut after.name);
            }
            if let Some(parent) = parent_id {
                after.parent_id = parent;
            }
            let above = tree.from(after.parent_id)?;
            let changes = rules::update(&before, after, &above, tree.height(id), &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(find(engine, by, id).await?)
        })
        .await
}

/// Removes an empty collection with the grants on it.
///
/// # Errors
/// When something lies in it, there is none, or the caller may not.
pub async fn delete(engine: &Engine, by: &Caller, id: CollectionId) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteAccounts)?;
            let collection = find(engine, by, id).await?;
            let changes = rules::delete(&collection, &cause, engine.ids(&cause));
            engine.commit(changes, in_use).await
        })
        .await
}

pub(crate) async fn all(engine: &Engine, by: &Caller) -> Result<Vec<Collection>, Error> {
    const PAGE: usize = 1_000;
    let mut all: Vec<Collection> = Vec::new();
    loop {
        let after = all.last().map(|collection| collection.id);
        let page = engine.store().collection_page(by.workspace_id(), after, PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

pub(crate) async fn find(engine: &Engine, by: &Caller, id: CollectionId) -> Result<Collection, Error> {
    let found = engine.store().collection_get(by.workspace_id(), id).await?;
    found.ok_or(Error::NotFound { what: "collection" })
}

/// The names from the root down to each collection.
pub(crate) async fn paths(engine: &Engine, by: &Caller) -> Result<HashMap<CollectionId, Vec<String>>, Error> {
    let tree = Tree::load(engine, by).await?;
    let path = |id: &CollectionId| {
        let above = tree.from(Some(*id))?;
        Ok((*id, above.into_iter().rev().map(|collection| collection.name).collect()))
    };
    tree.0.keys().map(path).collect()
}

fn in_use(conflict: &Conflict) -> Option<Error> {
    matches!(conflict, Conflict::InUse { .. }).then(|| {
        Error::Clash("accounts or collections lie in this collection; move or remove them first".to_owned())
    })
}

struct Tree(HashMap<CollectionId, Collection>);

impl Tree {
    async fn load(engine: &Engine, by: &Caller) -> Result<Self, Error> {
        let all = all(engine, by).await?;
        Ok(Self(all.into_iter().map(|collection| (collection.id, collection)).collect()))
    }

    /// The collection and all above it, nearest first.
    fn from(&self, start: Option<CollectionId>) -> Result<Vec<Collection>, Error> {
        let mut above = Vec::new();
        let mut next = start;
        while let Some(id) = next {
            let collection = self.0.get(&id).ok_or(Error::NotFound { what: "collection" })?;
            next = collection.parent_id;
            above.push(collection.clone());
            // The rules keep the tree shallow and free of cycles; a damaged one must not hang us.
            if above.len() > Collection::MAX_DEPTH {
                break;
            }
        }
        Ok(above)
    }

    /// How many levels there are from a collection down, itself included.
    fn height(&self, id: CollectionId) -> usize {
        let mut level = vec![id];
        let mut height = 0;
        while !level.is_empty() && height <= Collection::MAX_DEPTH {
            height += 1;
            let lies_in = |c: &&Collection| c.parent_id.is_some_and(|parent| level.contains(&parent));
            level = self.0.values().filter(lies_in).map(|c| c.id).collect();
        }
        height
    }
}
