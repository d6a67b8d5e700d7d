//! Collections: the folders that accounts lie in.

use latchkey_access::account::Collection;
use latchkey_access::collections as rules;
use latchkey_access::member::Version;
use latchkey_kernel::id::CollectionId;
use latchkey_store::Conflict;

use super::Session;
use crate::Error;
use crate::engine::only_moved;

/// What is to be changed of a collection; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CollectionPatch {
    /// Its name.
    pub name: Option<String>,
    /// The folder above; `Some(None)` moves it to the root.
    pub parent_id: Option<Option<CollectionId>>,
}

impl Session<'_> {
    /// A page of collections.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn collection_list(
        &self,
        after: Option<CollectionId>,
        limit: usize,
    ) -> Result<Vec<Collection>, Error> {
        Ok(self.engine.store().collection_page(self.workspace_id, after, limit).await?)
    }

    /// One collection.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn collection_get(&self, id: CollectionId) -> Result<Collection, Error> {
        let found = self.engine.store().collection_get(self.workspace_id, id).await?;
        found.ok_or(Error::NotFound { what: "collection" })
    }

    /// Makes a collection.
    ///
    /// # Errors
    /// When the folder above is not there or too deep.
    pub async fn collection_create(
        &self,
        name: &str,
        parent_id: Option<CollectionId>,
    ) -> Result<Collection, Error> {
        let now = self.engine.now();
        let collection = Collection {
            workspace_id: self.workspace_id,
            id: CollectionId::fresh(now, self.engine.entropy()),
            name: name.trim().to_owned(),
            parent_id,
            version: Version::FIRST,
            created_at: now,
        };
        self.engine
            .settle(async || {
                let above = self.line_up(parent_id).await?;
                let cause = self.cause();
                let changes = rules::create(collection.clone(), &above, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(collection.clone())
            })
            .await
    }

    /// Renames or moves a collection.
    ///
    /// # Errors
    /// When it would lie in itself or too deep.
    pub async fn collection_change(
        &self,
        id: CollectionId,
        patch: CollectionPatch,
    ) -> Result<Collection, Error> {
        self.engine
            .settle(async || {
                let before = self.collection_get(id).await?;
                let mut after = before.clone();
                if let Some(name) = &patch.name {
                    name.trim().clone_into(&mut after.name);
                }
                if let Some(parent) = patch.parent_id {
                    after.parent_id = parent;
                }
                let moved = after.parent_id != before.parent_id;
                let (above, height) = if moved {
                    let height = self.engine.store().collection_height(self.workspace_id, id).await?;
                    (self.line_up(after.parent_id).await?, height)
                } else {
                    (Vec::new(), 1)
                };
                let cause = self.cause();
                let changes = rules::update(&before, after, &above, height, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(self.collection_get(id).await?)
            })
            .await
    }

    /// Removes an empty collection, with the grants on it.
    ///
    /// # Errors
    /// When something lies in it.
    pub async fn collection_delete(&self, id: CollectionId) -> Result<(), Error> {
        self.engine
            .settle(async || {
                let collection = self.collection_get(id).await?;
                let cause = self.cause();
                let changes = rules::delete(&collection, &cause, self.ids(&cause));
                self.engine.commit(changes, in_use).await
            })
            .await
    }

    /// A folder and all above it, nearest first; none at the root.
    pub(super) async fn line_up(&self, id: Option<CollectionId>) -> Result<Vec<Collection>, Error> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let line = self.engine.store().collection_line(self.workspace_id, id).await?;
        if line.is_empty() { Err(Error::NotFound { what: "collection" }) } else { Ok(line) }
    }
}

fn in_use(conflict: &Conflict) -> Option<Error> {
    matches!(conflict, Conflict::InUse).then(|| {
        Error::Clash("a collection or an account still lies in this collection; move or remove it first".to_owned())
    })
}
