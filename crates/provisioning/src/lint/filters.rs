//! Filters that let in others than were meant.

use super::Findings;
use crate::mapping::{ObjectMapping, SOFT_DELETED};
use crate::scope::Operator;

/// What the engine computes or resolves, and filters therefore do not see.
const UNSEEN: &[&str] = &[SOFT_DELETED, "manager", "members", "appRoleAssignments"];

pub(super) fn warnings(mapping: &ObjectMapping, found: &mut Findings) {
    for group in &mapping.scope.groups {
        for clause in &group.clauses {
            let about = format!("scope {:?}", group.title);
            let (attribute, value) = (clause.attribute(), clause.value());
            if UNSEEN.contains(&attribute) {
                found.say(
                    &about,
                    format!("{attribute} is not seen by filters, so {clause} never holds; take it out"),
                );
            }
            let pattern = matches!(clause.operator(), Operator::RegexMatch | Operator::NotRegexMatch);
            if pattern && !value.starts_with('^') && !value.ends_with('$') {
                found.say(
                    about,
                    format!("the pattern {value} is found anywhere within {attribute}; write ^{value}$ if the whole value is meant"),
                );
            }
        }
    }
}
