//! The core Group (RFC 7643 §4.2).

use super::shape::{list, reference, text};
use super::{Attribute, Mutability, Returned, Schema};

/// RFC 7643 §4.2.
pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A set of users.",
    attributes: &[
        // The text of §4.2 says REQUIRED, the JSON of §8.7.1 says false; a group without a name
        // is of no use to anybody.
        Attribute { required: true, ..text("displayName", "The name of the group.") },
        list(
            "members",
            "The members of the group. One is added or removed, never edited.",
            &[
                Attribute {
                    mutability: Mutability::Immutable,
                    case_exact: true,
                    ..text("value", "The member's id.")
                },
                Attribute {
                    mutability: Mutability::Immutable,
                    reference_types: &["User", "Group"],
                    ..reference("$ref", "The member's address.")
                },
                Attribute {
                    mutability: Mutability::Immutable,
                    canonical_values: &["User", "Group"],
                    ..text("type", "What the member is.")
                },
                Attribute {
                    mutability: Mutability::ReadOnly,
                    // RFC 7643 §8.7.1 has no such sub-attribute: who wants it asks for it.
                    returned: Returned::Request,
                    ..text("display", "The member's name.")
                },
            ],
        ),
    ],
};
