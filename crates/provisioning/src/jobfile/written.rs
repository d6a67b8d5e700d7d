//! Mappings as a job file has them.

use std::fmt::Write as _;

use crate::entry::Kind;
use crate::mapping::{Apply, AttributeMapping, ObjectMapping, Reference, Source};
use crate::scope::Scope;

/// The section `[users]` or `[groups]` that says the same.
///
/// Ranks of matching that a file cannot say are numbered anew; their order stays.
pub fn section(mapping: &ObjectMapping) -> String {
    let key = match mapping.kind {
        Kind::User => "users",
        Kind::Group => "groups",
    };
    let mut text = format!("[{key}]\n");
    let flow = mapping.flow;
    let flags = [
        ("enabled", mapping.enabled),
        ("create", flow.create),
        ("update", flow.update),
        ("delete", flow.delete),
    ];
    for (flag, _) in flags.into_iter().filter(|(_, on)| !on) {
        _ = writeln!(text, "{flag} = false");
    }
    let mut ranks: Vec<u32> = mapping.attributes.iter().filter_map(|one| one.matching).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let rank = |rank: u32| match ranks.last() {
        Some(last) if *last > 9 => ranks.iter().position(|it| *it == rank).map_or(rank, |at| at as u32 + 1),
        _ => rank,
    };
    text.push_str("mapping = [\n");
    for one in &mapping.attributes {
        _ = writeln!(text, "    {{ {} }},", row(one, rank));
    }
    text.push_str("]\n");
    text.push_str(&scope(key, &mapping.scope));
    text
}

fn row(one: &AttributeMapping, rank: impl Fn(u32) -> u32) -> String {
    let mut fields = vec![("target", quoted(&one.target.to_string()))];
    match &one.source {
        Source::Direct(name) => fields.push(("source", quoted(name))),
        Source::Constant(value) => fields.push(("constant", quoted(value))),
        Source::Expression(program) => fields.push(("expression", quoted(program.text()))),
        Source::Reference(Reference::Manager) => fields.push(("reference", quoted("manager"))),
        Source::Reference(Reference::Members) => fields.push(("reference", quoted("members"))),
        Source::Nothing => {}
    }
    if let Some(default) = &one.default {
        fields.push(("default", quoted(default)));
    }
    if let Some(matching) = one.matching {
        fields.push(("match", rank(matching).to_string()));
    }
    let apply = match one.apply {
        Apply::Always => None,
        Apply::OnCreate => Some("on-create"),
        Apply::WhileEmpty => Some("while-empty"),
        Apply::AddOnly => Some("add-only"),
    };
    fields.extend(apply.map(|word| ("apply", quoted(word))));
    if !one.clears {
        fields.push(("clears", "false".to_owned()));
    }
    let fields: Vec<String> = fields.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    fields.join(", ")
}

fn scope(key: &str, scope: &Scope) -> String {
    let mut text = String::new();
    for group in &scope.groups {
        _ = writeln!(text, "\n[[{key}.scope]]\ntitle = {}\nclauses = [", quoted(&group.title));
        for clause in &group.clauses {
            let (attribute, operator) = (quoted(clause.attribute()), quoted(clause.operator().as_str()));
            let value = if clause.operator().is_unary() {
                String::new()
            } else {
                format!(", value = {}", quoted(clause.value()))
            };
            _ = writeln!(text, "    {{ attribute = {attribute}, operator = {operator}{value} }},");
        }
        text.push_str("]\n");
    }
    text
}

/// A text of TOML, in the quotes that leave it as it is where there are such.
pub fn quoted(text: &str) -> String {
    let plain = !text.contains('\'') && !text.chars().any(char::is_control);
    if plain && text.contains(['"', '\\']) {
        return format!("'{text}'");
    }
    // JSON escapes all that TOML does, but for DEL (TOML 1.0, "String").
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
