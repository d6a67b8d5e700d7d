//! A cycle that was looked at before it runs: what it would do, and nothing else, is done.

use std::collections::{HashMap, HashSet};

use latchkey_provisioning::difference::ModifiedProperty;
use latchkey_provisioning::ledger::{Digest, ObjectKey};
use latchkey_provisioning::log::{Action, LogEntry, Status};
use serde::{Deserialize, Serialize};

/// What a person allowed: the changes of a preview, each with a digest of what it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Of this definition of the job.
    pub definition: Option<Digest>,
    /// Changes of objects.
    pub objects: HashMap<Text, HashSet<Digest>>,
    /// Members of groups: group and member, added or removed.
    pub members: HashSet<(Text, Text, bool)>,
}

/// A key as text, so that a plan is JSON.
type Text = String;

fn text(key: ObjectKey) -> Text {
    key.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of a change of one object.
pub(crate) fn digest(action: Action, modified: &[ModifiedProperty]) -> Digest {
    let mut parts = vec![action.as_str().as_bytes()];
    for one in modified {
        parts.push(one.display_name.as_bytes());
        for value in [&one.old_value, &one.new_value] {
            parts.push(value.as_ref().map_or(b"none", |_| b"some"));
            parts.push(value.as_deref().unwrap_or_default().as_bytes());
        }
    }
    Digest::of(parts)
}

impl Plan {
    /// What a preview's log tells.
    pub fn of(definition: Digest, log: &[LogEntry]) -> Self {
        let mut plan = Self { definition: Some(definition), ..Self::default() };
        for entry in log.iter().filter(|entry| matches!(entry.status, Status::Success | Status::Warning)) {
            if let Some(members) = &entry.detail.members {
                let change = |member: &ObjectKey, adds| (text(entry.key), text(*member), adds);
                plan.members.extend(members.added.iter().map(|member| change(member, true)));
                plan.members.extend(members.removed.iter().map(|member| change(member, false)));
            } else if entry.action != Action::Other {
                let found = digest(entry.action, &entry.detail.modified);
                plan.objects.entry(text(entry.key)).or_default().insert(found);
            }
        }
        plan
    }

    /// Whether just this change was allowed.
    pub(crate) fn allows(&self, key: ObjectKey, action: Action, modified: &[ModifiedProperty]) -> bool {
        self.objects.get(&text(key)).is_some_and(|known| known.contains(&digest(action, modified)))
    }

    /// Whether this member may be added or taken out.
    pub(crate) fn allows_member(&self, group: ObjectKey, member: ObjectKey, adds: bool) -> bool {
        self.members.contains(&(text(group), text(member), adds))
    }

    /// How many changes it has.
    pub fn len(&self) -> usize {
        self.objects.values().map(HashSet::len).sum::<usize>() + self.members.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
