//! How objects are found at the target.

use latchkey_scim::schema::ENTERPRISE_USER;

use super::{Findings, noun};
use crate::entry::Kind;
use crate::mapping::{Apply, AttributeMapping, ObjectMapping, Source};
use crate::target_schema::{self, Type};

/// What RFC 7643 has as unique, or as good as that.
const UNIQUE: &[(Kind, &str)] = &[
    (Kind::User, "username"),
    (Kind::User, "externalid"),
    (Kind::User, "emails"),
    (Kind::User, "employeenumber"),
    (Kind::Group, "displayname"),
    (Kind::Group, "externalid"),
];

pub(super) fn errors(mapping: &ObjectMapping, found: &mut Findings) {
    let matching = mapping.matching();
    if matching.is_empty() {
        found.say(
            "matching",
            "no attribute is marked for matching, so nobody can be found at the target; mark one, as userName",
        );
    }
    for one in &matching {
        let attribute = target_schema::attribute(mapping.kind, &one.target);
        let no_text = attribute.multivalued || matches!(attribute.kind, Type::Boolean | Type::Reference);
        if no_text || matches!(one.source, Source::Reference(_)) {
            found.say(
                &one.target,
                "it is matched by, but it is no single text that a search could compare; match by userName, externalId or a mail address",
            );
        } else if matches!(one.source, Source::Constant(_) | Source::Nothing) {
            found.say(
                &one.target,
                format!(
                    "it is matched by, and is the same for every {0}: all of them would be taken for one {0} of the target; match by an attribute that tells them apart",
                    noun(mapping.kind)
                ),
            );
        }
    }
    for one in &mapping.attributes {
        let unique_value = function(one) == Some("SelectUniqueValue");
        if unique_value && (one.matching.is_some() || one.apply != Apply::OnCreate) {
            found.say(
                &one.target,
                "SelectUniqueValue may not be matched by and is applied on creation only; set it so",
            );
        }
    }
}

pub(super) fn warnings(mapping: &ObjectMapping, found: &mut Findings) {
    let matching = mapping.matching();
    for pair in matching.windows(2).filter(|pair| pair[0].matching == pair[1].matching) {
        let rank = pair[0].matching.unwrap_or_default();
        found.say(
            &pair[1].target,
            format!("{} is matched by with rank {rank} too; give them ranks of their own, since the first that finds somebody decides", pair[0].target),
        );
    }
    for one in matching {
        let name = one.target.attribute.to_ascii_lowercase();
        // What an attribute of the target's own is, only the target knows.
        let own = one.target.urn.as_ref().is_some_and(|urn| !urn.eq_ignore_ascii_case(ENTERPRISE_USER.id));
        if !own && !UNIQUE.contains(&(mapping.kind, name.as_str())) {
            found.say(
                &one.target,
                format!(
                    "it is matched by, and two of the target may have the same value: then nothing is done with the {}; match by an attribute that is unique there",
                    noun(mapping.kind)
                ),
            );
        }
        if one.apply == Apply::OnCreate {
            found.say(
                &one.target,
                "it is matched by but never updated, so after a rename the object is not found again if its link is lost",
            );
        }
        if let Source::Expression(program) = &one.source
            && ["Guid(", "RandomString(", "Now("].iter().any(|call| program.text().contains(call))
        {
            found.say(
                &one.target,
                "it is matched by, and has another value at each evaluation, so nobody is ever found; match by an attribute of the source",
            );
        }
    }
}

fn function(mapping: &AttributeMapping) -> Option<&'static str> {
    match &mapping.source {
        Source::Expression(program) => program.function().map(|function| function.name),
        _ => None,
    }
}
