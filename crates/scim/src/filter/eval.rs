//! Whether a resource matches.

use std::cmp::Ordering;

use super::ast::Op;
use super::fold::fold;
use super::resolve::{Check, Resolved, Target, Typed};
use crate::resource::instant;
use crate::{Resource, Value};

/// Whether the resource matches the filter.
pub fn matches(filter: &Resolved, resource: &Resource) -> bool {
    holds(filter, Scope::Resource(resource))
}

/// Whether one value of a complex attribute matches what stood in brackets behind the attribute.
pub(crate) fn value_matches(filter: &Resolved, value: &Value) -> bool {
    holds(filter, Scope::Value(value))
}

#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a Resource),
    /// Within brackets: one value.
    Value(&'a Value),
}

fn holds(filter: &Resolved, scope: Scope<'_>) -> bool {
    match filter {
        Resolved::And(terms) => terms.iter().all(|term| holds(term, scope)),
        Resolved::Or(terms) => terms.iter().any(|term| holds(term, scope)),
        Resolved::Not(inner) => !holds(inner, scope),
        Resolved::Constant(answer) => *answer,
        Resolved::HasExtension(urn) => match scope {
            Scope::Resource(resource) => resource.extension(urn).is_some_and(|e| !e.is_empty()),
            Scope::Value(_) => false,
        },
        Resolved::Is(target, check) => is(target, check, scope),
        Resolved::Values(target, inner) => {
            values(target, scope).iter().any(|value| holds(inner, Scope::Value(value)))
        }
    }
}

/// The values of the target's attribute, or the one that is looked at.
fn values<'a>(target: &Target, scope: Scope<'a>) -> &'a [Value] {
    match scope {
        Scope::Resource(resource) => target.value(resource).map(Value::as_list).unwrap_or_default(),
        Scope::Value(value) => std::slice::from_ref(value),
    }
}

fn is(target: &Target, check: &Check, scope: Scope<'_>) -> bool {
    let values = values(target, scope);
    match target.sub {
        None => values.iter().any(|value| satisfies(value, check)),
        Some(sub) => values.iter().any(|value| {
            let found = value.as_complex().and_then(|complex| complex.get(sub.name));
            found.is_some_and(|found| found.as_list().iter().any(|value| satisfies(value, check)))
        }),
    }
}

fn satisfies(value: &Value, check: &Check) -> bool {
    match check {
        Check::Present => present(value),
        Check::Compare(op, literal) => compares(*op, value, literal),
    }
}

/// RFC 7644 §3.4.2.2: not empty, and for a complex value one sub-attribute that isn't.
fn present(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Complex(complex) => complex.iter().any(|(_, value)| present(value)),
        Value::List(values) => values.iter().any(present),
        Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) => true,
    }
}

fn compares(op: Op, value: &Value, literal: &Typed) -> bool {
    match (value, literal) {
        (Value::String(text), Typed::Exact(wanted)) => text_compares(op, text, wanted),
        (Value::String(text), Typed::Folded(wanted)) => text_compares(op, &fold(text), wanted),
        (Value::String(text), Typed::Instant(wanted)) => {
            instant(text).is_some_and(|time| ordered(op, time.cmp(wanted)))
        }
        (Value::Bool(b), Typed::Bool(wanted)) => ordered(op, b.cmp(wanted)),
        (Value::Integer(n), Typed::Integer(wanted)) => ordered(op, n.cmp(wanted)),
        _ => match (as_f64(value), literal) {
            (Some(n), Typed::Decimal(wanted)) => n.partial_cmp(wanted).is_some_and(|o| ordered(op, o)),
            (Some(n), Typed::Integer(wanted)) => {
                n.partial_cmp(&(*wanted as f64)).is_some_and(|o| ordered(op, o))
            }
            _ => false,
        },
    }
}

fn as_f64(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Decimal(n) => Some(*n),
        _ => None,
    }
}

/// Compares text that is folded already, or is compared with case.
pub(super) fn text_compares(op: Op, text: &str, wanted: &str) -> bool {
    match op {
        Op::Co => text.contains(wanted),
        Op::Sw => text.starts_with(wanted),
        Op::Ew => text.ends_with(wanted),
        _ => ordered(op, text.cmp(wanted)),
    }
}

fn ordered(op: Op, ordering: Ordering) -> bool {
    match op {
        Op::Eq => ordering.is_eq(),
        Op::Ne => ordering.is_ne(),
        Op::Gt => ordering.is_gt(),
        Op::Ge => ordering.is_ge(),
        Op::Lt => ordering.is_lt(),
        Op::Le => ordering.is_le(),
        Op::Co | Op::Sw | Op::Ew => false,
    }
}
