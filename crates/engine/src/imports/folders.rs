//! The folders of a file, found among the collections or made.

use std::collections::{BTreeSet, HashMap};

use latchkey_kernel::id::CollectionId;

use crate::{Caller, Engine, Error, collections};

/// The collections by their folded paths.
pub(super) struct Folders {
    there: HashMap<Vec<String>, CollectionId>,
    wanted: BTreeSet<Vec<String>>,
}

impl Folders {
    pub(super) async fn load(engine: &Engine, by: &Caller) -> Result<Self, Error> {
        let mut paths: Vec<_> = collections::paths(engine, by).await?.into_iter().collect();
        // Of two of one name, the one that was made first.
        paths.sort_by_key(|(id, _)| *id);
        let mut there = HashMap::new();
        for (id, path) in paths {
            there.entry(folded(&path)).or_insert(id);
        }
        Ok(Self { there, wanted: BTreeSet::new() })
    }

    /// Notes that something is to lie in this folder.
    pub(super) fn want(&mut self, folder: &[String]) {
        for length in 1..=folder.len() {
            if !self.there.contains_key(&folded(&folder[..length])) {
                self.wanted.insert(folder[..length].to_vec());
            }
        }
    }

    /// The folders that are wanted and not there, as paths.
    pub(super) fn missing(&self) -> Vec<String> {
        self.wanted.iter().map(|path| path.join("/")).collect()
    }

    /// The collection of this folder, which is made if it is not there.
    pub(super) async fn make(
        &mut self,
        engine: &Engine,
        by: &Caller,
        folder: &[String],
    ) -> Result<Option<CollectionId>, Error> {
        let mut parent = None;
        for length in 1..=folder.len() {
            let path = folded(&folder[..length]);
            parent = match self.there.get(&path) {
                Some(id) => Some(*id),
                None => {
                    let made = collections::create(engine, by, &folder[length - 1], parent).await?;
                    self.there.insert(path, made.id);
                    Some(made.id)
                }
            };
        }
        Ok(parent)
    }
}

fn folded(path: &[String]) -> Vec<String> {
    path.iter().map(|name| fold(name)).collect()
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}
