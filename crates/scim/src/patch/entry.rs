//! The values of a list: which are one and the same, and which is primary.

use std::collections::HashMap;

use crate::filter::fold;
use crate::schema::Attribute;
use crate::{Complex, Value};

/// The parts that say what an entry is for, and nothing of what it is.
const LABELS: [&str; 2] = ["type", "primary"];

/// The entries of a list by what makes them the same.
pub(super) struct Index {
    by_key: HashMap<String, Vec<usize>>,
}

impl Index {
    pub(super) fn of(attribute: &'static Attribute, values: &[Value]) -> Self {
        let mut index = Self { by_key: HashMap::with_capacity(values.len()) };
        for (position, value) in values.iter().enumerate() {
            index.insert(attribute, value, position);
        }
        index
    }

    pub(super) fn insert(&mut self, attribute: &'static Attribute, value: &Value, position: usize) {
        self.by_key.entry(key(attribute, value)).or_default().push(position);
    }

    /// Where the entries stand that are the same as this one: equal in `value`, and in `type` if
    /// it says one. A work address and a home address of one spelling are two.
    pub(super) fn same_as<'a>(
        &'a self,
        attribute: &'static Attribute,
        values: &'a [Value],
        value: &'a Value,
    ) -> impl Iterator<Item = usize> + 'a {
        let wanted = label(attribute, value);
        let found = self.by_key.get(&key(attribute, value)).map(Vec::as_slice).unwrap_or_default();
        found
            .iter()
            .copied()
            .filter(move |at| wanted.is_none() || values.get(*at).and_then(|v| label(attribute, v)) == wanted)
    }
}

/// The text of an entry's `value`, or of all of it where it has none.
fn key(attribute: &'static Attribute, value: &Value) -> String {
    let Value::Complex(complex) = value else { return text(attribute, value) };
    if let (Some(sub), Some(inner)) = (attribute.sub("value"), complex.get("value")) {
        return format!("v{}", text(sub, inner));
    }
    let mut parts: Vec<String> = complex
        .iter()
        .filter_map(|(name, inner)| Some((attribute.sub(name.as_str())?, inner)))
        .map(|(sub, inner)| format!("{}={:?}", sub.name, text(sub, inner)))
        .collect();
    parts.sort_unstable();
    format!("p{}", parts.join(","))
}

fn label(attribute: &'static Attribute, value: &Value) -> Option<String> {
    Some(text(attribute.sub("type")?, value.as_complex()?.get("type")?))
}

fn text(attribute: &Attribute, value: &Value) -> String {
    match value {
        Value::String(text) if attribute.case_exact => text.clone(),
        Value::String(text) => fold(text).into_owned(),
        other => format!("{other:?}"),
    }
}

/// Puts the parts of `given` over those of `entry`.
pub(super) fn merge(entry: &mut Value, given: Value) {
    match (entry, given) {
        (Value::Complex(entry), Value::Complex(given)) => {
            for (name, value) in given.iter() {
                entry.set(name.as_str(), value.clone());
            }
        }
        (entry, given) => *entry = given,
    }
}

/// Whether nothing is left of an entry but labels.
pub(super) fn is_hollow(complex: &Complex) -> bool {
    complex.iter().all(|(name, _)| LABELS.iter().any(|label| *name == *label))
}

/// Whether an entry is the primary one.
pub(super) fn is_primary(value: &Value) -> bool {
    value.as_complex().and_then(|complex| complex.get("primary")).and_then(Value::as_bool) == Some(true)
}

/// Leaves one primary entry: the last of those that an operation touched, if it is one
/// (RFC 7644 §3.5.2).
pub(super) fn settle_primary(values: &mut [Value], touched: &[usize]) {
    let Some(chosen) = touched.iter().copied().rfind(|at| values.get(*at).is_some_and(is_primary)) else {
        return;
    };
    for (at, value) in values.iter_mut().enumerate() {
        if at != chosen
            && is_primary(value)
            && let Value::Complex(complex) = value
        {
            complex.set("primary", Value::Bool(false));
        }
    }
}
