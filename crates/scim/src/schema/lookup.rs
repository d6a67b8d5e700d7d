//! From a name in a body, a path or a filter to what the schemas say of it.

use super::{Attribute, COMMON, ENTERPRISE_USER, GROUP, ResourceType, Schema, USER};
use crate::name::same;

/// Users, with the enterprise extension.
pub static USER_TYPE: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "A person. Making one makes a member of the workspace.",
    schema: &USER,
    extensions: &[&ENTERPRISE_USER],
};

/// Groups.
pub static GROUP_TYPE: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "A set of users. Making one makes a team of the workspace.",
    schema: &GROUP,
    extensions: &[],
};

/// All that is served.
pub static RESOURCE_TYPES: &[&ResourceType] = &[&USER_TYPE, &GROUP_TYPE];

/// The schemas that are served.
pub static SCHEMAS: &[&Schema] = &[&USER, &ENTERPRISE_USER, &GROUP];

/// The schema with this URN; URNs have no case (RFC 8141 §3, as clients spell them freely).
pub fn schema(urn: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().copied().find(|schema| same(schema.id, urn))
}

/// Splits `urn:…:2.0:User:attribute` into its schema and the rest.
///
/// URNs hold dots and colons themselves, so the text is cut behind the longest URN that it
/// starts with, never at a character. The rest is empty for a bare URN; `None` when no served
/// schema begins the text.
pub fn split_urn(text: &str) -> Option<(&'static Schema, &str)> {
    let matching = SCHEMAS.iter().copied().filter_map(|schema| {
        let head = text.get(..schema.id.len())?;
        let rest = &text[schema.id.len()..];
        let rest = if rest.is_empty() { rest } else { rest.strip_prefix(':')? };
        same(head, schema.id).then_some((schema, rest))
    });
    matching.max_by_key(|(schema, _)| schema.id.len())
}

impl ResourceType {
    /// The attribute of the base schema or the common one of this name.
    pub fn core_attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.schema.attribute(name).or_else(|| COMMON.iter().find(|a| same(a.name, name)))
    }

    /// The extension with this URN.
    pub fn extension(&self, urn: &str) -> Option<&'static Schema> {
        self.extensions.iter().copied().find(|schema| same(schema.id, urn))
    }

    /// The base schema or the extension with this URN.
    pub fn schema(&self, urn: &str) -> Option<&'static Schema> {
        if same(self.schema.id, urn) { Some(self.schema) } else { self.extension(urn) }
    }
}
