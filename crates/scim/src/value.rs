//! Attribute values as a tree (RFC 7643 §2).
//!
//! *Unassigned*, `null` and the empty list are one state (§2.5), so there is no null value:
//! what is unassigned is absent.

use crate::Name;

/// One attribute value. Dates, references and binary values are strings here; the schema tells
/// them apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Decimal(f64),
    /// Text, a date, a reference or base64.
    String(String),
    /// Sub-attributes.
    Complex(Complex),
    /// The values of a multi-valued attribute; never empty in a stored resource.
    List(Vec<Value>),
}

/// Attributes in the order in which they were given, names without case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Complex(Vec<(Name, Value)>);

impl Complex {
    /// No attributes.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value under this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// The value under this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// Sets a value, in place when the name is there.
    pub fn set(&mut self, name: &str, value: Value) {
        match self.get_mut(name) {
            Some(slot) => *slot = value,
            None => self.0.push((Name::new(name), value)),
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(n, _)| *n == name)?;
        Some(self.0.remove(at).1)
    }

    /// The attributes in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Value)> {
        self.0.iter().map(|(n, v)| (n, v))
    }

    /// Whether nothing is assigned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many attributes are assigned.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps the attributes that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&Name, &mut Value) -> bool) {
        self.0.retain_mut(|(n, v)| keep(n, v));
    }
}

impl Value {
    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The sub-attributes, if it is complex.
    pub const fn as_complex(&self) -> Option<&Complex> {
        match self {
            Self::Complex(c) => Some(c),
            _ => None,
        }
    }

    /// The values of a list; a single value counts as a list of one.
    pub fn as_list(&self) -> &[Value] {
        match self {
            Self::List(values) => values,
            one => std::slice::from_ref(one),
        }
    }
}
