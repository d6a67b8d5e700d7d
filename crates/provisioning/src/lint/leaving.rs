//! What happens to those who leave, and to those who change their name.

use super::{Findings, of_target, reads};
use crate::entry::Kind;
use crate::mapping::{ObjectMapping, SOFT_DELETED, Source};

pub(super) fn warnings(mapping: &ObjectMapping, found: &mut Findings) {
    match (mapping.kind, of_target(mapping, "active")) {
        (Kind::User, None) => found.say(
            "active",
            "active is not mapped: somebody who leaves the scope is deleted at the target instead of disabled; map it from IsSoftDeleted",
        ),
        (Kind::User, Some(one)) => {
            if reads(one, "accountEnabled") && !reads(one, SOFT_DELETED) {
                found.say(
                    "active",
                    "active follows accountEnabled alone: somebody who is unassigned or deleted stays active at the target; use Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
                );
            } else if !reads(one, SOFT_DELETED) {
                found.say(
                    "active",
                    "active does not depend on IsSoftDeleted, so nobody who leaves is disabled at the target",
                );
            } else if matches!(&one.source, Source::Direct(_)) {
                found.say(
                    "active",
                    "active is IsSoftDeleted itself, so those who leave are active and all others are not; use Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
                );
            }
        }
        (Kind::Group, _) => {}
    }
    if mapping.kind == Kind::User && !mapping.flow.update {
        found.say(
            "update",
            "the Update action is off, and disabling is an update: whoever leaves stays active at the target",
        );
    }
    let Some(one) = of_target(mapping, "externalId") else { return };
    match &one.source {
        Source::Direct(name) if name == "mailNickname" => found.say(
            "externalId",
            "mailNickname is neither always there nor unique; map objectId to externalId",
        ),
        Source::Direct(name) if ["userPrincipalName", "mail", "displayName"].contains(&name.as_str()) => found
            .say(
                "externalId",
                format!("{name} changes when somebody's name does, and externalId is to stay the same; map the source's id"),
            ),
        _ => {}
    }
}
