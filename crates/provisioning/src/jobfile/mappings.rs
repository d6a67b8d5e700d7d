//! `[users]` and `[groups]`: scope and attribute mappings.

use latchkey_expr::Program;

use super::fields::Fields;
use crate::defaults;
use crate::entry::Kind;
use crate::mapping::{Apply, AttributeMapping, Flow, ObjectMapping, Reference, Source};
use crate::scope::{Clause, Group, Operator, Scope};
use crate::target_path::TargetPath;

#[derive(Clone, Copy)]
enum Start {
    Default,
    Latchkey,
    Nothing,
}

const STARTS: &[(&str, Start)] =
    &[("default", Start::Default), ("latchkey", Start::Latchkey), ("none", Start::Nothing)];

const APPLIES: &[(&str, Apply)] = &[
    ("always", Apply::Always),
    ("on-create", Apply::OnCreate),
    ("while-empty", Apply::WhileEmpty),
    ("add-only", Apply::AddOnly),
];

pub(super) fn read(fields: Fields<'_>, kind: Kind) -> Option<ObjectMapping> {
    let enabled = fields.flag("enabled", true);
    // Own mappings replace the default ones, unless the file says which to begin with.
    let start = match fields.word("mappings", STARTS) {
        Some(start) => start,
        None if fields.has("mapping") => Start::Nothing,
        None => Start::Default,
    };
    let mut mapping = match (kind, start) {
        (Kind::User, Start::Default) => defaults::users(),
        (Kind::User, Start::Latchkey) => defaults::latchkey_users(),
        (Kind::Group, Start::Default | Start::Latchkey) => defaults::groups(),
        (kind, Start::Nothing) => {
            ObjectMapping { kind, enabled, flow: Flow::ALL, scope: Scope::default(), attributes: Vec::new() }
        }
    };
    mapping.flow = Flow {
        create: fields.flag("create", true),
        update: fields.flag("update", true),
        delete: fields.flag("delete", true),
    };
    for one in fields.tables("mapping") {
        let Some(one) = attribute(one, kind) else { continue };
        // A row for an attribute that the start has takes its place.
        match mapping.attributes.iter_mut().find(|known| known.target == one.target) {
            Some(known) if !matches!(start, Start::Nothing) => *known = one,
            _ => mapping.attributes.push(one),
        }
    }
    for name in fields.texts("without") {
        let before = mapping.attributes.len();
        mapping.attributes.retain(|one| one.target.to_string() != name);
        if mapping.attributes.len() == before {
            fields.say("without", format!("{name:?} is not mapped, so it cannot be taken out"));
        }
    }
    mapping.scope.groups = fields.tables("scope").into_iter().filter_map(group).collect();
    fields.finish();
    enabled.then_some(mapping)
}

fn attribute(fields: Fields<'_>, kind: Kind) -> Option<AttributeMapping> {
    let target = fields.need_text("target", "the target's attribute, as userName").and_then(|text| {
        let path = text.parse::<TargetPath>();
        path.map_err(|error| fields.say("target", error.to_string())).ok()
    });
    let source = source(&fields, kind);
    let default = fields.text("default").map(str::to_owned);
    let matching = fields.number("match", 1..=9).and_then(|rank| u32::try_from(rank).ok());
    let apply = fields.word("apply", APPLIES).unwrap_or(Apply::Always);
    let clears = fields.flag("clears", true);
    if matches!(source, Some(Source::Nothing)) && default.is_none() {
        fields.say(
            "source",
            "it is missing: give one of source, constant, expression or reference, or at least a default",
        );
    }
    fields.finish();
    Some(AttributeMapping { target: target?, source: source?, default, matching, apply, clears })
}

fn source(fields: &Fields<'_>, kind: Kind) -> Option<Source> {
    let given = ["source", "constant", "expression", "reference"].map(|key| fields.has(key));
    let texts =
        (fields.text("source"), fields.text("constant"), fields.text("expression"), fields.text("reference"));
    if given.iter().filter(|given| **given).count() > 1 {
        fields.say("source", "only one of source, constant, expression and reference may be given");
        return None;
    }
    match texts {
        (Some(name), ..) => Some(Source::Direct(name.trim_matches(['[', ']']).to_owned())),
        (_, Some(value), ..) => Some(Source::Constant(value.to_owned())),
        (.., Some(text), None) => match Program::compile(text) {
            Ok(program) => Some(Source::Expression(Box::new(program))),
            Err(error) => {
                fields.say("expression", error.to_string());
                None
            }
        },
        (.., Some(word)) => match (word, kind) {
            ("manager", Kind::User) => Some(Source::Reference(Reference::Manager)),
            ("members", Kind::Group) => Some(Source::Reference(Reference::Members)),
            _ => {
                let allowed = if kind == Kind::User { "manager" } else { "members" };
                fields.say(
                    "reference",
                    format!("found {word:?}, but {allowed:?} is the one that there is here"),
                );
                None
            }
        },
        _ if given.contains(&true) => None,
        _ => Some(Source::Nothing),
    }
}

fn group(fields: Fields<'_>) -> Option<Group> {
    let title = fields.text("title").unwrap_or("scope").to_owned();
    let given = fields.tables("clauses");
    if given.is_empty() {
        fields.say("clauses", "it is missing: give at least one clause, as {attribute = \"city\", operator = \"EQUALS\", value = \"Lisbon\"}");
    }
    let count = given.len();
    let clauses: Vec<Clause> = given.into_iter().filter_map(clause).collect();
    fields.finish();
    // A group that lost a clause would let in more than was meant.
    (clauses.len() == count && count > 0).then_some(Group { title, clauses })
}

fn clause(fields: Fields<'_>) -> Option<Clause> {
    let attribute = fields.need_text("attribute", "the source's attribute, as city").map(str::to_owned);
    let operator = fields.need_text("operator", "how it is tested, as EQUALS").and_then(|word| {
        Operator::parse(word).map_err(|error| fields.say("operator", error.to_string())).ok()
    });
    let value = fields.text("value");
    let clause = attribute.zip(operator).and_then(|(attribute, operator)| {
        Clause::new(attribute, operator, value).map_err(|error| fields.say("value", error.to_string())).ok()
    });
    fields.finish();
    clause
}
