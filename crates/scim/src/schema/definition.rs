//! What a schema says of an attribute (RFC 7643 §2.2 and §7).

use crate::name::same;

/// A schema: a base schema of a resource or an extension.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The URN that names it.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// What it describes.
    pub description: &'static str,
    /// Its attributes, without the common ones (`id`, `externalId`, `meta`, `schemas`).
    pub attributes: &'static [Attribute],
}

/// One attribute or sub-attribute. The defaults of RFC 7643 §2.2 are [`Attribute::DEFAULT`].
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// The canonical spelling.
    pub name: &'static str,
    /// The data type.
    pub kind: Type,
    /// Whether it holds several values.
    pub multi_valued: bool,
    /// What it means, for people.
    pub description: &'static str,
    /// Whether it must be present.
    pub required: bool,
    /// Whether strings compare with case.
    pub case_exact: bool,
    /// Who may write it, and when.
    pub mutability: Mutability,
    /// When it is in an answer.
    pub returned: Returned,
    /// Within what it is unique.
    pub uniqueness: Uniqueness,
    /// Suggested values.
    pub canonical_values: &'static [&'static str],
    /// What a reference may point at.
    pub reference_types: &'static [&'static str],
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: &'static [Attribute],
}

impl Attribute {
    /// The characteristics of an attribute whose definition is silent (RFC 7643 §2.2).
    pub const DEFAULT: Self = Self {
        name: "",
        kind: Type::String,
        multi_valued: false,
        description: "",
        required: false,
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        canonical_values: &[],
        reference_types: &[],
        sub_attributes: &[],
    };

    /// The sub-attribute of this name.
    pub fn sub(&self, name: &str) -> Option<&'static Attribute> {
        self.sub_attributes.iter().find(|a| same(a.name, name))
    }
}

impl Schema {
    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|a| same(a.name, name))
    }
}

/// Data types (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// An xsd:dateTime.
    DateTime,
    /// Base64.
    Binary,
    /// A URI.
    Reference,
    /// Sub-attributes.
    Complex,
}

/// Who may write an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Only the server.
    ReadOnly,
    /// The client.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, and nobody reads it.
    WriteOnly,
}

/// When an attribute is in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// Even if excluded.
    Always,
    /// In no answer.
    Never,
    /// Unless left out.
    Default,
    /// Only when asked for.
    Request,
}

/// Within what a value is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Not at all.
    None,
    /// Within the tenant's endpoint.
    Server,
    /// Everywhere.
    Global,
}

/// A kind of resource and where it is served (RFC 7643 §6).
#[derive(Debug, Clone, Copy)]
pub struct ResourceType {
    /// `User` or `Group`.
    pub name: &'static str,
    /// Relative to the base, as `/Users`.
    pub endpoint: &'static str,
    /// What it is, for people.
    pub description: &'static str,
    /// The base schema.
    pub schema: &'static Schema,
    /// The extensions, none of which is required.
    pub extensions: &'static [&'static Schema],
}
