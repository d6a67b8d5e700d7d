//! `attributeMapping.source`: where a value comes from, as text and as a tree.

use latchkey_expr::{FUNCTIONS, Function, Node, NodeKind, Program};
use serde_json::{Value as Json, json};

use super::reader::At;
use crate::entry::Kind;
use crate::mapping::{Reference, Source};
use crate::target_path::TargetPath;

#[derive(Clone, Copy)]
enum Type {
    Attribute,
    Constant,
    Function,
}

const TYPES: &[(&str, Type)] =
    &[("Attribute", Type::Attribute), ("Constant", Type::Constant), ("Function", Type::Function)];

/// How Graph calls the parameters of `Replace`.
const REPLACE: &[&str] = &[
    "source",
    "Find",
    "RegularExpression",
    "RegularExpressionGroupName",
    "Replacement",
    "ReplacementPropertyName",
    "Template",
];

/// Reads a source. `None` when it cannot be kept, which has been said then.
pub(super) fn read(mapping: &At<'_>, kind: Kind, target: &TargetPath) -> Option<Source> {
    let Some(source) = mapping.object("source") else { return Some(Source::Nothing) };
    match source.word("type", TYPES) {
        None if source.object.get("type").is_none_or(Json::is_null) => {
            source.fault("type", "it is missing: one of Attribute, Constant, Function");
            None
        }
        None => None,
        Some(Type::Attribute) => {
            let name = source.need("name", "the source's attribute")?;
            Some(
                reference(kind, name, target)
                    .map_or_else(|| Source::Direct(name.to_owned()), Source::Reference),
            )
        }
        Some(Type::Constant) => Some(Source::Constant(source.text("name").unwrap_or_default().to_owned())),
        Some(Type::Function) => {
            let text = text_of(&source)?;
            match Program::compile(&text) {
                Ok(program) => Some(Source::Expression(Box::new(program))),
                Err(error) => {
                    source.warn("expression", format!("{text} is left out: {error}"));
                    None
                }
            }
        }
    }
}

/// What refers to other objects is resolved by their links.
fn reference(kind: Kind, name: &str, target: &TargetPath) -> Option<Reference> {
    let is = |wanted: &str| name == wanted && target.attribute.eq_ignore_ascii_case(wanted);
    match kind {
        Kind::User if is("manager") => Some(Reference::Manager),
        Kind::Group if is("members") => Some(Reference::Members),
        Kind::User | Kind::Group => None,
    }
}

/// An expression's text from its tree, for files that have the tree alone.
fn text_of(source: &At<'_>) -> Option<String> {
    if let Some(text) = source.text("expression").filter(|text| !text.trim().is_empty()) {
        return Some(text.to_owned());
    }
    match source.word("type", TYPES)? {
        Type::Attribute => Some(format!("[{}]", source.need("name", "the source's attribute")?)),
        Type::Constant => Some(quoted(source.text("name").unwrap_or_default())),
        Type::Function => {
            let name = source.need("name", "the function's name")?;
            let mut given = Vec::new();
            for parameter in source.objects("parameters") {
                let text = match parameter.object("value") {
                    Some(value) => text_of(&value)?,
                    None => String::new(),
                };
                given.push((parameter.text("key").unwrap_or_default(), text));
            }
            let function = FUNCTIONS.iter().find(|function| function.name == name);
            Some(format!("{name}({})", in_order(function, given).join(", ")))
        }
    }
}

/// Parameters where their keys say, the repeated ones after them; as listed when the keys are others.
fn in_order(function: Option<&Function>, given: Vec<(&str, String)>) -> Vec<String> {
    let as_listed = |given: Vec<(&str, String)>| given.into_iter().map(|(_, text)| text).collect();
    let Some(function) = function else { return as_listed(given) };
    let fixed = function.params.len() - function.repeats;
    let place = |key: &str| (0..fixed).position(|at| key_of(function, at).eq_ignore_ascii_case(key));
    let places: Vec<Option<usize>> = given.iter().map(|(key, _)| place(key)).collect();
    let known = places.iter().take_while(|place| place.is_some()).count();
    let others = places.len() - known;
    if known == 0 || places[known..].iter().any(Option::is_some) || (others > 0 && function.repeats == 0) {
        return as_listed(given);
    }
    let last = places.iter().flatten().max().map_or(0, |most| most + 1);
    let mut texts = vec![String::new(); if others > 0 { fixed } else { last }];
    for (place, (_, text)) in places.into_iter().zip(given) {
        match place.and_then(|at| texts.get_mut(at)) {
            Some(slot) => *slot = text,
            None => texts.push(text),
        }
    }
    texts
}

/// How Graph calls a parameter.
fn key_of(function: &Function, at: usize) -> &'static str {
    let fixed = function.params.len() - function.repeats;
    let ours = |at: usize| function.params.get(at).map_or("", |param| param.name);
    match function.name {
        "Replace" => REPLACE.get(at).copied().unwrap_or_default(),
        "Switch" if at >= fixed => "switchValue",
        _ if at < function.params.len() || function.repeats == 0 => ours(at),
        _ => ours(fixed + (at - fixed) % function.repeats),
    }
}

/// A text as expressions have it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Writes a source.
pub(super) fn write(source: &Source) -> Json {
    let attribute = |name: &str| json!({ "type": "Attribute", "name": name, "expression": format!("[{name}]"), "parameters": [] });
    match source {
        Source::Nothing => Json::Null,
        Source::Direct(name) => attribute(name),
        Source::Reference(Reference::Manager) => attribute("manager"),
        Source::Reference(Reference::Members) => attribute("members"),
        Source::Constant(text) => constant(text, &quoted(text)),
        Source::Expression(program) => tree(program.text(), program.tree()),
    }
}

fn constant(name: &str, expression: &str) -> Json {
    json!({ "type": "Constant", "name": name, "expression": expression, "parameters": [] })
}

fn tree(text: &str, node: &Node) -> Json {
    let expression = text.get(node.span.start..node.span.end).unwrap_or_default();
    match &node.kind {
        NodeKind::Attribute { name } => {
            json!({ "type": "Attribute", "name": name, "expression": expression, "parameters": [] })
        }
        NodeKind::Text { text } => constant(text, expression),
        NodeKind::Number { number } => constant(&number.to_string(), &quoted(&number.to_string())),
        NodeKind::Word { .. } | NodeKind::Compare { .. } | NodeKind::Omitted => {
            constant(expression, expression)
        }
        NodeKind::Call { name, parameters } => {
            let function = FUNCTIONS.iter().find(|function| function.name == name);
            let given = parameters.iter().enumerate().filter(|(_, node)| node.kind != NodeKind::Omitted);
            let given: Vec<Json> = given
                .map(|(at, node)| {
                    let key = function.map_or("", |function| key_of(function, at));
                    json!({ "key": key, "value": tree(text, node) })
                })
                .collect();
            json!({ "type": "Function", "name": name, "expression": expression, "parameters": given })
        }
    }
}
