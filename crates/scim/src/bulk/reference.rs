//! `bulkId:…`: the id that another operation of the request will get (RFC 7644 §3.7.2).
//!
//! A reference is a whole string anywhere in `data`, the end of a `$ref`, or a quoted string in the `path` of
//! a PATCH operation, as in `members[value eq "bulkId:u1"]`.

use std::collections::BTreeSet;

use crate::json::{Json, Object};
use crate::name::same;

const PREFIX: &str = "bulkId:";

/// The operation that the text refers to, if it is a reference.
pub(super) fn named(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)
}

/// Adds the names of all operations that `data` refers to.
pub(super) fn collect(data: &Json, names: &mut BTreeSet<String>) {
    rewrite(None, data, &mut |name| {
        names.insert(name.to_owned());
        None
    });
}

/// The data with every reference that `id_of` knows replaced.
pub(super) fn substitute(data: &Json, id_of: &dyn Fn(&str) -> Option<String>) -> Json {
    rewrite(None, data, &mut |name| id_of(name))
}

/// Takes out the attributes, or values of attributes, that refer to operations in `open`, and
/// gives them back with their paths, so that they can be added later.
pub(super) fn split(data: &Json, open: &BTreeSet<String>) -> (Json, Vec<(String, Json)>) {
    let mut later = Vec::new();
    let Json::Object(members) = data else { return (data.clone(), later) };
    let mut now = Object::default();
    for (name, value) in members.iter() {
        match value {
            // An extension: its attributes are taken apart one by one.
            Json::Object(attributes) if name.contains(':') => {
                let mut kept = Object::default();
                for (attribute, value) in attributes.iter() {
                    if let Some(value) = split_value(format!("{name}:{attribute}"), value, open, &mut later) {
                        kept.set(attribute, value);
                    }
                }
                now.set(name, Json::Object(kept));
            }
            value => {
                if let Some(value) = split_value(name.to_owned(), value, open, &mut later) {
                    now.set(name, value);
                }
            }
        }
    }
    (Json::Object(now), later)
}

/// What of an attribute's value stays for now.
fn split_value(
    path: String,
    value: &Json,
    open: &BTreeSet<String>,
    later: &mut Vec<(String, Json)>,
) -> Option<Json> {
    let is_open = |value: &Json| {
        let mut names = BTreeSet::new();
        collect(value, &mut names);
        !names.is_disjoint(open)
    };
    match value {
        Json::Array(values) => {
            let (open, kept): (Vec<&Json>, Vec<&Json>) = values.iter().partition(|value| is_open(value));
            if !open.is_empty() {
                later.push((path, Json::Array(open.into_iter().cloned().collect())));
            }
            Some(Json::Array(kept.into_iter().cloned().collect()))
        }
        value if is_open(value) => {
            later.push((path, value.clone()));
            None
        }
        value => Some(value.clone()),
    }
}

fn rewrite(name: Option<&str>, json: &Json, id_of: &mut dyn FnMut(&str) -> Option<String>) -> Json {
    match json {
        Json::String(text) => Json::String(rewrite_text(name, text, id_of)),
        Json::Array(values) => Json::Array(values.iter().map(|value| rewrite(name, value, id_of)).collect()),
        Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| (name.to_owned(), rewrite(Some(name), value, id_of)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn rewrite_text(name: Option<&str>, text: &str, id_of: &mut dyn FnMut(&str) -> Option<String>) -> String {
    let whole = |text: &str, id_of: &mut dyn FnMut(&str) -> Option<String>| {
        named(text).and_then(id_of).unwrap_or_else(|| text.to_owned())
    };
    if name.is_some_and(|name| same(name, "path")) {
        // Quotes part the text; every second piece stands within them.
        let pieces = text.split('"').enumerate();
        let pieces: Vec<String> = pieces
            .map(|(at, piece)| if at % 2 == 1 { whole(piece, id_of) } else { piece.to_owned() })
            .collect();
        return pieces.join("\"");
    }
    match text.rsplit_once('/') {
        Some((base, last)) if name.is_some_and(|name| same(name, "$ref")) => {
            format!("{base}/{}", whole(last, id_of))
        }
        _ => whole(text, id_of),
    }
}
