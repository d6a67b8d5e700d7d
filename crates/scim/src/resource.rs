//! A resource: core attributes, and one set of attributes per schema extension (RFC 7643 §3).

use crate::{Complex, Value};

/// One resource as an attribute tree.
///
/// `schemas` is not stored: it is the base schema plus each extension that has an attribute
/// (RFC 7643 §3), so it can never disagree with the content. The common attributes (`id`,
/// `externalId`, `meta`) stand in [`Resource::core`] when they are assigned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resource {
    /// The attributes of the base schema, and the common ones.
    pub core: Complex,
    /// The attributes of each extension, by the extension's URN; never an empty set.
    pub extensions: Vec<(String, Complex)>,
}

impl Resource {
    /// The attributes of this extension.
    pub fn extension(&self, urn: &str) -> Option<&Complex> {
        self.extensions.iter().find(|(u, _)| u.eq_ignore_ascii_case(urn)).map(|(_, c)| c)
    }

    /// The text of a single-valued core attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.core.get(name).and_then(Value::as_str)
    }
}
