//! The facts that say whether an object belongs at the target.

use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Presence};
use crate::mapping::ObjectMapping;
use crate::scope::ClauseResult;

/// The five facts; logs and on-demand runs show them by these names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Facts {
    /// The source's object is enabled and not deleted.
    pub is_active: bool,
    /// It was given to the application, directly or by a group.
    pub assigned: bool,
    /// All together: it may be provisioned.
    pub is_effectively_entitled_for_provisioning: bool,
    /// The job takes all, or the scope's setting is met.
    pub is_in_provisioning_scope: bool,
    /// Each filter's outcome, by title and clause; empty without filters.
    pub scope_evaluation_result: Vec<ClauseResult>,
}

impl Facts {
    /// What the source's object counts as: what mappings see as `IsSoftDeleted`.
    pub const fn is_soft_deleted(&self) -> bool {
        !self.is_effectively_entitled_for_provisioning
    }

    /// Which fact keeps it out, and what to do about it; `None` when nothing does.
    pub fn obstacle(&self) -> Option<&'static str> {
        if !self.is_active {
            Some("it is disabled or deleted at the source; enable it there if it should be provisioned")
        } else if !self.assigned {
            Some(
                "it is not assigned to the application, directly or as a direct member of an assigned group; assign it, or let the job take all",
            )
        } else if !self.is_in_provisioning_scope {
            Some("it does not pass the scope's filters; see which clause failed")
        } else {
            None
        }
    }
}

/// The facts of one object. `sync_all` says that the job takes all objects, assigned or not.
pub fn facts(entry: &Entry, mapping: &ObjectMapping, sync_all: bool) -> Facts {
    let is_active = entry.enabled && entry.presence == Presence::Present;
    let assigned = sync_all || entry.assignments.iter().any(|assignment| assignment.entitles);
    let (passes, results) = mapping.scope.evaluate(&entry.attributes);
    Facts {
        is_active,
        assigned,
        is_effectively_entitled_for_provisioning: is_active && assigned && passes,
        is_in_provisioning_scope: passes,
        scope_evaluation_result: results,
    }
}
