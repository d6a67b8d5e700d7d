//! The attributes that every resource has (RFC 7643 §3.1) and `schemas` (§3).

use super::shape::{complex, reference, text};
use super::{Attribute, Mutability, Returned, Type, Uniqueness};

/// `schemas`, `id`, `externalId` and `meta`. They belong to no schema (RFC 7643 §3.1), so they
/// are not in the discovery documents.
pub static COMMON: &[Attribute] = &[
    Attribute {
        multi_valued: true,
        required: true,
        returned: Returned::Always,
        ..reference("schemas", "The schemas whose attributes the resource carries.")
    },
    Attribute {
        case_exact: true,
        mutability: Mutability::ReadOnly,
        returned: Returned::Always,
        uniqueness: Uniqueness::Server,
        ..text("id", "The resource's identifier, given by the server.")
    },
    Attribute { case_exact: true, ..text("externalId", "The client's own identifier of the resource.") },
    Attribute {
        mutability: Mutability::ReadOnly,
        ..complex(
            "meta",
            "What the server knows of the resource itself.",
            &[
                Attribute {
                    case_exact: true,
                    mutability: Mutability::ReadOnly,
                    ..text("resourceType", "The name of the resource type.")
                },
                Attribute {
                    kind: Type::DateTime,
                    mutability: Mutability::ReadOnly,
                    ..text("created", "When the resource was made.")
                },
                Attribute {
                    kind: Type::DateTime,
                    mutability: Mutability::ReadOnly,
                    ..text("lastModified", "When the resource last changed.")
                },
                Attribute {
                    mutability: Mutability::ReadOnly,
                    ..reference("location", "The resource's address.")
                },
                Attribute {
                    case_exact: true,
                    mutability: Mutability::ReadOnly,
                    ..text("version", "The version, equal to the ETag header.")
                },
            ],
        )
    },
];
