//! Which attributes a mapping may ask for, and by which names.

use std::collections::HashSet;

/// How many changes a page may hold.
pub(crate) const PAGE: usize = 1_000;

/// Names that are always told: logs and on-demand runs call people by them.
const LABELS: &[&str] = &["displayName", "userPrincipalName", "userName", "mail"];

/// What is asked for of one kind of object.
#[derive(Debug, Clone)]
pub(crate) struct Selection(HashSet<String>);

impl Selection {
    pub(crate) fn of(wanted: Option<&Vec<String>>) -> Self {
        let labels = LABELS.iter().map(|name| (*name).to_owned());
        Self(wanted.into_iter().flatten().cloned().chain(labels).collect())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}
