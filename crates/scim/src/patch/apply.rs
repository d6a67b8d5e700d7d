//! The strict core: typed operations on a copy of a resource (RFC 7644 §3.5.2.1–3).

use super::entry::{Index, is_hollow, merge, settle_primary};
use super::operation::{Action, Operation, Selection, Verb};
use super::parse::PatchRequest;
use crate::filter::value_matches;
use crate::json::Json;
use crate::name::same;
use crate::resource::{Note, check_required};
use crate::schema::{Mutability, ResourceType};
use crate::{Complex, Error, Resource, ScimType, Target, Value};

/// What came of a PATCH.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The resource afterwards; equal to the one before when nothing changed.
    pub resource: Resource,
    /// What was ignored or understood otherwise.
    pub notes: Vec<Note>,
}

/// Carries out a PATCH on a copy: all of it, in order, or nothing.
///
/// `id` is compared with what a client repeats of it, so it should stand in `current`.
///
/// # Errors
/// 400 with the operation's number: `noTarget`, `mutability` or `invalidValue`; 400 `invalidValue`
/// when something required is missing in the end.
pub fn apply(
    ty: &'static ResourceType,
    current: &Resource,
    request: &PatchRequest,
) -> Result<Patched, Error> {
    let mut copy = Copy {
        resource: current.clone(),
        notes: request.notes.clone(),
        most: request.list_values,
        looks_left: VALUES_LOOKED_AT,
    };
    for operation in &request.operations {
        copy.carry_out(ty, operation).map_err(|error| operation.blame(error))?;
    }
    let Copy { resource, notes, .. } = copy;
    check_required(ty, &resource)?;
    // The order of attributes says nothing, so what differs in it only is no change.
    let resource = if resource.same_as(current) { current.clone() } else { resource };
    Ok(Patched { resource, notes })
}

/// How many values of lists one request may go through: each operation on a list looks at all of
/// it, and many operations on a long list would keep a processor busy for seconds.
const VALUES_LOOKED_AT: usize = 4_000_000;

struct Copy {
    resource: Resource,
    notes: Vec<Note>,
    /// How many values an attribute may have.
    most: usize,
    /// How many values may still be looked at.
    looks_left: usize,
}

impl Copy {
    fn carry_out(&mut self, ty: &'static ResourceType, operation: &Operation) -> Result<(), Error> {
        let target = operation.target;
        if let Action::Echo(json) = &operation.action {
            return self.compare_echo(ty, target, json);
        }
        if target.attribute.multi_valued {
            let mut values = self.take_list(target);
            self.looks_left = self.looks_left.checked_sub(values.len()).ok_or_else(|| {
                let detail =
                    format!("{target} has too many values for so many operations; send fewer at once");
                Error::new(413, None, detail)
            })?;
            change_list(&mut values, operation)?;
            if values.len() > self.most {
                let detail = format!("{target} would have more than {} values", self.most);
                return Err(Error::invalid_value(detail));
            }
            self.put_list(target, values);
            return Ok(());
        }
        change_single(self.attributes(target), operation)?;
        self.drop_empty_extensions();
        Ok(())
    }

    /// The attributes that the target's stands among.
    fn attributes(&mut self, target: Target) -> &mut Complex {
        let Some(urn) = target.extension else { return &mut self.resource.core };
        let extensions = &mut self.resource.extensions;
        let at = extensions.iter().position(|(u, _)| same(u, urn)).unwrap_or_else(|| {
            extensions.push((urn.to_owned(), Complex::new()));
            extensions.len() - 1
        });
        &mut extensions[at].1
    }

    /// The values of a list, out of the resource; its place among the attributes stays.
    fn take_list(&mut self, target: Target) -> Vec<Value> {
        match self.attributes(target).get_mut(target.attribute.name) {
            None => Vec::new(),
            Some(Value::List(values)) => std::mem::take(values),
            Some(one) => vec![std::mem::replace(one, Value::List(Vec::new()))],
        }
    }

    fn put_list(&mut self, target: Target, values: Vec<Value>) {
        let attributes = self.attributes(target);
        if values.is_empty() {
            attributes.remove(target.attribute.name);
        } else {
            attributes.set(target.attribute.name, Value::List(values));
        }
        self.drop_empty_extensions();
    }

    /// An extension without attributes is not in `schemas`, so it is not in the resource.
    fn drop_empty_extensions(&mut self) {
        self.resource.extensions.retain(|(_, attributes)| !attributes.is_empty());
    }

    fn compare_echo(&mut self, ty: &ResourceType, target: Target, json: &Json) -> Result<(), Error> {
        let stored = target.value(&self.resource);
        // What the server adds to every answer is not always at hand here, and sending it back
        // changes nothing.
        let derived = same(target.attribute.name, "meta") || same(target.attribute.name, "id");
        let repeats = match stored {
            Some(stored) => json.is_null() || echoes(stored, json),
            None => json.is_null() || json.as_array().is_some_and(<[_]>::is_empty) || derived,
        };
        if !repeats {
            let detail = format!("{target} is readOnly, and differs from that of the {}", ty.name);
            return Err(Error::bad(ScimType::Mutability, detail));
        }
        self.notes.push(Note::new(format!("{target} is readOnly; what was sent of it was ignored")));
        Ok(())
    }
}

/// Whether the JSON says nothing but what is stored. It may say less.
fn echoes(stored: &Value, json: &Json) -> bool {
    match (stored, json) {
        (Value::String(stored), Json::String(sent)) => stored == sent,
        (Value::Bool(stored), Json::Bool(sent)) => stored == sent,
        (Value::Integer(stored), Json::Number(sent)) => Some(*stored) == sent.as_i64(),
        (Value::Decimal(stored), Json::Number(sent)) => Some(*stored) == sent.as_f64(),
        (Value::Complex(stored), Json::Object(sent)) => sent
            .iter()
            .all(|(name, json)| json.is_null() || stored.get(name).is_none_or(|stored| echoes(stored, json))),
        (Value::List(stored), Json::Array(sent)) => {
            stored.len() == sent.len() && stored.iter().zip(sent).all(|(stored, json)| echoes(stored, json))
        }
        _ => false,
    }
}

fn change_single(attributes: &mut Complex, operation: &Operation) -> Result<(), Error> {
    let target = operation.target;
    let name = target.attribute.name;
    match (&operation.action, target.sub) {
        (Action::Write(value), None) => {
            keep_immutable(target, attributes.get(name), Some(value))?;
            attributes.set(name, value.clone());
        }
        (Action::Write(value), Some(_)) => match attributes.get_mut(name) {
            Some(Value::Complex(complex)) => write_part(complex, target, value)?,
            _ => {
                let mut complex = Complex::new();
                write_part(&mut complex, target, value)?;
                attributes.set(name, Value::Complex(complex));
            }
        },
        (Action::Unset, None) => {
            keep_immutable(target, attributes.get(name), None)?;
            attributes.remove(name);
        }
        (Action::Unset, Some(_)) => {
            if let Some(Value::Complex(complex)) = attributes.get_mut(name) {
                unset_part(complex, target)?;
                if complex.is_empty() {
                    attributes.remove(name);
                }
            }
        }
        (Action::Withdraw(_) | Action::Echo(_), _) => {}
    }
    Ok(())
}

fn change_list(values: &mut Vec<Value>, operation: &Operation) -> Result<(), Error> {
    let target = operation.target;
    match (&operation.selection, &operation.action) {
        (_, Action::Echo(_)) => Ok(()),
        (None, Action::Write(Value::List(given))) if target.sub.is_none() => {
            let added = match operation.verb {
                Verb::Add => add_all(values, target, given),
                Verb::Replace | Verb::Remove => {
                    values.clone_from(given);
                    Vec::new()
                }
            };
            settle_primary(values, &added);
            Ok(())
        }
        (None, Action::Unset) if target.sub.is_none() => {
            values.clear();
            Ok(())
        }
        (_, Action::Withdraw(given)) => {
            withdraw(values, target, given);
            Ok(())
        }
        (None, Action::Write(value)) => write_every(values, target, value),
        (None, Action::Unset) => {
            let all = (0..values.len()).collect();
            remove_from(values, target, all)
        }
        (Some(selection), Action::Write(value)) => write_selected(values, operation, selection, value),
        (Some(selection), Action::Unset) => {
            let selected = selected(values, selection);
            remove_from(values, target, selected)
        }
    }
}

/// Appends what isn't there, and merges what is; gives back where both stand.
fn add_all(values: &mut Vec<Value>, target: Target, given: &[Value]) -> Vec<usize> {
    let mut index = Index::of(target.attribute, values);
    let mut touched = Vec::with_capacity(given.len());
    for value in given {
        let at = index.same_as(target.attribute, values, value).next();
        touched.push(match at {
            Some(at) => {
                merge(&mut values[at], value.clone());
                at
            }
            None => {
                index.insert(target.attribute, value, values.len());
                values.push(value.clone());
                values.len() - 1
            }
        });
    }
    touched
}

fn withdraw(values: &mut Vec<Value>, target: Target, given: &[Value]) {
    let index = Index::of(target.attribute, values);
    let mut goes = vec![false; values.len()];
    for value in given {
        for at in index.same_as(target.attribute, values, value) {
            goes[at] = true;
        }
    }
    let mut goes = goes.into_iter();
    values.retain(|_| !goes.next().unwrap_or(false));
}

fn selected(values: &[Value], selection: &Selection) -> Vec<usize> {
    let matching = values.iter().enumerate().filter(|(_, value)| value_matches(&selection.filter, value));
    matching.map(|(at, _)| at).collect()
}

/// A sub-attribute of a list without a filter: plain for one value, a riddle for several.
fn write_every(values: &mut Vec<Value>, target: Target, value: &Value) -> Result<(), Error> {
    if values.is_empty() {
        values.push(Value::Complex(Complex::new()));
    }
    let [Value::Complex(one)] = values.as_mut_slice() else {
        let name = target.attribute.name;
        let detail = format!("{target}: there are several {name}; say which, as {name}[type eq \"work\"]");
        return Err(Error::bad(ScimType::NoTarget, detail));
    };
    write_part(one, target, value)
}

fn write_selected(
    values: &mut Vec<Value>,
    operation: &Operation,
    selection: &Selection,
    value: &Value,
) -> Result<(), Error> {
    let target = operation.target;
    let touched = selected(values, selection);
    if touched.is_empty() {
        let made = made_from(selection, target, value)?;
        let at = values.len();
        values.push(made);
        settle_primary(values, &[at]);
        return Ok(());
    }
    for at in &touched {
        let entry = &mut values[*at];
        match (target.sub, entry) {
            (Some(_), Value::Complex(complex)) => write_part(complex, target, value)?,
            (None, entry) => {
                let next = match operation.verb {
                    Verb::Add => entry.clone(),
                    Verb::Replace | Verb::Remove => {
                        Value::Complex(selection.template.clone().unwrap_or_default())
                    }
                };
                let next = over(next, value);
                keep_immutable_parts(target, entry, &next)?;
                *entry = next;
            }
            (Some(_), _) => {}
        }
    }
    settle_primary(values, &touched);
    Ok(())
}

fn over(mut base: Value, value: &Value) -> Value {
    merge(&mut base, value.clone());
    base
}

/// The value that a filter describes, with what is written to it. RFC 7644 §3.5.2.3 has
/// `noTarget` here; Entra counts on the value being made.
fn made_from(selection: &Selection, target: Target, value: &Value) -> Result<Value, Error> {
    let no_target = |why: &str| {
        Error::bad(ScimType::NoTarget, format!("{target}: no value matches the filter, and {why}"))
    };
    let template = selection.template.clone().ok_or_else(|| {
        no_target("none can be made from it; that takes sub-attributes with eq, joined by and")
    })?;
    let made = match target.sub {
        None => over(Value::Complex(template), value),
        Some(sub) => {
            let mut made = template;
            made.set(sub.name, value.clone());
            Value::Complex(made)
        }
    };
    // Writing what the filter asks for otherwise would make a value that its own path can't find.
    if !value_matches(&selection.filter, &made) {
        return Err(no_target("one made with the given value would not match either"));
    }
    Ok(made)
}

/// Takes the selected values out, or the sub-attribute of each. An entry that is left with labels
/// only goes with it.
fn remove_from(values: &mut Vec<Value>, target: Target, selected: Vec<usize>) -> Result<(), Error> {
    let mut goes = vec![false; values.len()];
    for at in selected {
        goes[at] = match (target.sub, &mut values[at]) {
            (None, _) => true,
            (Some(_), Value::Complex(complex)) => unset_part(complex, target)? && is_hollow(complex),
            (Some(_), _) => false,
        };
    }
    let mut goes = goes.into_iter();
    values.retain(|_| !goes.next().unwrap_or(false));
    Ok(())
}

fn write_part(complex: &mut Complex, target: Target, value: &Value) -> Result<(), Error> {
    let Some(sub) = target.sub else { return Ok(()) };
    keep_immutable(target, complex.get(sub.name), Some(value))?;
    // A reference to somebody else than `value` would be wrong from then on.
    let moves = !target.attribute.multi_valued && same(sub.name, "value");
    if moves && complex.get(sub.name).is_some_and(|before| before != value) {
        complex.remove("$ref");
    }
    complex.set(sub.name, value.clone());
    Ok(())
}

/// Whether the part was there.
fn unset_part(complex: &mut Complex, target: Target) -> Result<bool, Error> {
    let Some(sub) = target.sub else { return Ok(false) };
    keep_immutable(target, complex.get(sub.name), None)?;
    Ok(complex.remove(sub.name).is_some())
}

/// An immutable attribute is written once and never changed (RFC 7643 §7).
fn keep_immutable(target: Target, before: Option<&Value>, after: Option<&Value>) -> Result<(), Error> {
    if target.leaf().mutability == Mutability::Immutable && before.is_some() && before != after {
        let detail = format!("{target} is immutable: remove the value and add another");
        return Err(Error::bad(ScimType::Mutability, detail));
    }
    Ok(())
}

fn keep_immutable_parts(target: Target, before: &Value, after: &Value) -> Result<(), Error> {
    for sub in target.attribute.sub_attributes {
        let part = |value: &Value| value.as_complex().and_then(|complex| complex.get(sub.name)).cloned();
        keep_immutable(target.with_sub(sub), part(before).as_ref(), part(after).as_ref())?;
    }
    Ok(())
}
