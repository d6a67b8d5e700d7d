//! Short ways to write down the usual attributes; what differs is set on top.

use super::{Attribute, Type};

/// A single string.
pub(super) const fn text(name: &'static str, description: &'static str) -> Attribute {
    Attribute { name, description, ..Attribute::DEFAULT }
}

/// A single URI; references compare with case (RFC 7643 §2.3.7).
pub(super) const fn reference(name: &'static str, description: &'static str) -> Attribute {
    Attribute { kind: Type::Reference, case_exact: true, ..text(name, description) }
}

/// A single complex value.
pub(super) const fn complex(
    name: &'static str,
    description: &'static str,
    sub_attributes: &'static [Attribute],
) -> Attribute {
    Attribute { kind: Type::Complex, sub_attributes, ..text(name, description) }
}

/// Several complex values.
pub(super) const fn list(
    name: &'static str,
    description: &'static str,
    sub_attributes: &'static [Attribute],
) -> Attribute {
    Attribute { multi_valued: true, ..complex(name, description, sub_attributes) }
}
