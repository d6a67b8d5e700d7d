//! From the source's object, what is linked to it and what the target holds, to what is to be done.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::desired::Desired;
use crate::difference::{Difference, difference};
use crate::entry::{Entry, Presence};
use crate::facts::Facts;
use crate::mapping::ObjectMapping;

/// That an object of the source is one of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The object's id at the target.
    pub target_id: String,
    /// Whether the job still answers for it. After it left the scope and was disabled, it does not:
    /// a later deletion at the source deletes nothing.
    pub managed: bool,
    /// What was sent last: [`Desired::fingerprint`]; none when that is not known.
    pub fingerprint: Option<[u8; 32]>,
}

/// What of a job's settings decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Objects that leave the scope are left as they are.
    pub skip_out_of_scope_deletions: bool,
    /// Read and compare even what was sent last, to find what was changed by hand at the target.
    pub check_drift: bool,
}

/// What the target is known to hold.
#[derive(Debug, Clone, Copy)]
pub enum Target<'t> {
    /// Nothing has been asked yet.
    Unknown,
    /// No object matches.
    None,
    /// This one, by its link or by matching.
    One(&'t str, &'t Map<String, Json>),
    /// So many match.
    Several(usize),
    /// The linked object is gone.
    Gone,
}

/// What is to be done next with an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing, for a reason.
    Skip(SkipReason),
    /// Ask the target for objects that match, in the order of [`Desired::matching`].
    Match,
    /// Read the linked object.
    Read,
    /// Forget the link, whose object is gone, and match anew.
    Relink,
    /// Make it.
    Create,
    /// Change it.
    Update {
        /// The object's id at the target.
        target_id: String,
        /// What differs; never empty.
        differences: Vec<Difference>,
        /// Whether it is out afterwards: counts against the limit on deletions (P3).
        disables: bool,
        /// Whether the job answers for it afterwards.
        managed: bool,
    },
    /// Delete it. Counts against the limit on deletions (P3).
    Delete {
        /// The object's id at the target.
        target_id: String,
    },
    /// It cannot be told which object is meant.
    Ambiguous {
        /// How many match.
        count: usize,
    },
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SkipReason {
    /// It may not be provisioned, and never was.
    NotEffectivelyEntitled,
    /// Source and target are equal already.
    RedundantExport,
    /// No attribute for matching has a value.
    ImportSkipped,
    /// It has left, and the job was told to leave such as they are.
    OutOfScopeDeletionSkipped,
    /// It had left the scope before, so the job does not answer for it.
    NotManaged,
    /// The mapping may not create.
    CreateNotAllowed,
    /// The mapping may not update, and disabling is an update.
    UpdateNotAllowed,
    /// The mapping may not delete.
    DeleteNotAllowed,
}

impl SkipReason {
    /// What it means and what to do about it.
    pub const fn explain(self) -> &'static str {
        match self {
            Self::NotEffectivelyEntitled => {
                "it is not active, assigned and in scope all at once, and was never provisioned"
            }
            Self::RedundantExport => "source and target are equal already",
            Self::ImportSkipped => {
                "no attribute that it is matched by has a value; give it one at the source, or match by another attribute"
            }
            Self::OutOfScopeDeletionSkipped => {
                "it has left the scope, and the job is set to leave such objects as they are"
            }
            Self::NotManaged => {
                "it was disabled when it left the scope, and since then the job does not answer for it"
            }
            Self::CreateNotAllowed => "it would be made, but the mapping's Create action is off",
            Self::UpdateNotAllowed => {
                "it would be changed, but the mapping's Update action is off; disabling is an update too"
            }
            Self::DeleteNotAllowed => "it would be deleted, but the mapping's Delete action is off",
        }
    }
}

/// Decides what is next. `desired` was evaluated with [`Facts::is_soft_deleted`].
pub fn decide(
    entry: &Entry,
    mapping: &ObjectMapping,
    (facts, desired): (&Facts, &Desired),
    link: Option<&Link>,
    target: Target<'_>,
    settings: Settings,
) -> Decision {
    let Some(link) = link else { return unlinked(mapping, (facts, desired), target) };
    if matches!(target, Target::Gone) {
        return if facts.is_soft_deleted() {
            Decision::Skip(SkipReason::NotEffectivelyEntitled)
        } else {
            Decision::Relink
        };
    }
    if facts.is_soft_deleted() {
        if !link.managed {
            return Decision::Skip(SkipReason::NotManaged);
        }
        if settings.skip_out_of_scope_deletions && entry.presence == Presence::Present {
            return Decision::Skip(SkipReason::OutOfScopeDeletionSkipped);
        }
        // A group has nothing that says that it is out, so it goes.
        if entry.presence == Presence::Deleted || !mapping.can_disable() {
            return if mapping.flow.delete {
                Decision::Delete { target_id: link.target_id.clone() }
            } else {
                Decision::Skip(SkipReason::DeleteNotAllowed)
            };
        }
    }
    update(entry, mapping, (facts, desired), link, target, settings)
}

fn unlinked(mapping: &ObjectMapping, (facts, desired): (&Facts, &Desired), target: Target<'_>) -> Decision {
    if facts.is_soft_deleted() {
        return Decision::Skip(SkipReason::NotEffectivelyEntitled);
    }
    if desired.matching.is_empty() {
        return Decision::Skip(SkipReason::ImportSkipped);
    }
    match target {
        Target::Unknown => Decision::Match,
        Target::None | Target::Gone if mapping.flow.create => Decision::Create,
        Target::None | Target::Gone => Decision::Skip(SkipReason::CreateNotAllowed),
        Target::Several(count) => Decision::Ambiguous { count },
        Target::One(target_id, resource) => {
            let differences = difference(desired, resource);
            if differences.is_empty() {
                return Decision::Skip(SkipReason::RedundantExport);
            }
            if !mapping.flow.update {
                return Decision::Skip(SkipReason::UpdateNotAllowed);
            }
            Decision::Update { target_id: target_id.to_owned(), differences, disables: false, managed: true }
        }
    }
}

fn update(
    entry: &Entry,
    mapping: &ObjectMapping,
    (facts, desired): (&Facts, &Desired),
    link: &Link,
    target: Target<'_>,
    settings: Settings,
) -> Decision {
    let resource = match target {
        // What was sent last is what is wanted now: nothing has to be asked (P5).
        Target::Unknown if link.fingerprint == Some(desired.fingerprint()) && !settings.check_drift => {
            return Decision::Skip(SkipReason::RedundantExport);
        }
        Target::One(_, resource) => resource,
        Target::Unknown | Target::None | Target::Several(_) | Target::Gone => return Decision::Read,
    };
    let differences = difference(desired, resource);
    if differences.is_empty() {
        return Decision::Skip(SkipReason::RedundantExport);
    }
    if !mapping.flow.update {
        return Decision::Skip(SkipReason::UpdateNotAllowed);
    }
    // Who merely left the scope is not answered for any more; who is disabled or in the bin may
    // still be deleted for good.
    let managed = !facts.is_soft_deleted() || !facts.is_active || entry.presence != Presence::Present;
    let disables = facts.is_soft_deleted();
    Decision::Update { target_id: link.target_id.clone(), differences, disables, managed }
}
