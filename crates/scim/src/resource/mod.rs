//! A resource: core attributes, and one set of attributes per schema extension (RFC 7643 §3).

mod accept;
mod format;
mod note;
mod stored;
#[cfg(test)]
mod tests;
mod value;

pub use accept::{Accepted, check_required, from_client};
pub use format::instant;
pub use note::Note;
pub use stored::StoredError;
pub(crate) use stored::{write_member, write_string};
pub use value::{Acceptor, At};

use crate::name::same;
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
        self.extensions.iter().find(|(u, _)| same(u, urn)).map(|(_, c)| c)
    }

    /// The text of a single-valued core attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.core.get(name).and_then(Value::as_str)
    }

    /// Whether both assign the same: the order of attributes says nothing, that of the values of
    /// a list does.
    pub fn same_as(&self, other: &Self) -> bool {
        same_attributes(&self.core, &other.core)
            && self.extensions.len() == other.extensions.len()
            && self.extensions.iter().all(|(urn, attributes)| {
                other.extension(urn).is_some_and(|theirs| same_attributes(attributes, theirs))
            })
    }
}

fn same_attributes(a: &Complex, b: &Complex) -> bool {
    a.len() == b.len()
        && a.iter().all(|(name, value)| b.get(name.as_str()).is_some_and(|theirs| same_value(value, theirs)))
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Complex(a), Value::Complex(b)) => same_attributes(a, b),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b))
        }
        (a, b) => a == b,
    }
}
