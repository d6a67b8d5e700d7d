//! A group's members: what was sent, what is wanted, and what therefore changes.

use std::collections::BTreeSet;

use crate::entry::EntryId;

/// What has to change in a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MembersChange {
    /// Target ids to add.
    pub add: Vec<String>,
    /// Target ids to remove.
    pub remove: Vec<String>,
    /// Members that are not at the target (yet); added when they are.
    pub pending: Vec<EntryId>,
}

/// Compares the members that a source's group has with those that were sent. `target_of` gives the
/// linked id of a member that is in scope.
pub fn members<'e>(
    wanted: impl IntoIterator<Item = &'e EntryId>,
    target_of: impl Fn(&EntryId) -> Option<String>,
    sent: &BTreeSet<String>,
) -> MembersChange {
    let mut change = MembersChange::default();
    let mut keep = BTreeSet::new();
    for member in wanted {
        match target_of(member) {
            Some(id) => {
                keep.insert(id);
            }
            None => change.pending.push(member.clone()),
        }
    }
    change.add = keep.difference(sent).cloned().collect();
    change.remove = sent.difference(&keep).cloned().collect();
    change
}
