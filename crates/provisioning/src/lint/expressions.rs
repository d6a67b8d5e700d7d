//! Expressions that mean something else than they look like.

use latchkey_expr::{Node, NodeKind, Operator};

use super::{Findings, reads};
use crate::entry::Kind;
use crate::mapping::{Apply, AttributeMapping, ObjectMapping, SOFT_DELETED, Source};
use crate::target_schema::{self, Type};

/// Attributes that are true or false, which expressions see as the texts True and False.
const BOOLEAN: &[&str] = &[SOFT_DELETED, "accountEnabled"];

pub(super) fn warnings(mapping: &ObjectMapping, found: &mut Findings) {
    for one in &mapping.attributes {
        let reference = target_schema::attribute(mapping.kind, &one.target).kind == Type::Reference;
        let name = if mapping.kind == Kind::User { "manager" } else { "members" };
        if !reference && reads(one, name) && !matches!(one.source, Source::Reference(_)) {
            found.say(
                &one.target,
                format!("{name} is a reference, and expressions see at most the id that the source has; map {name} with reference = \"{name}\""),
            );
        }
        let Source::Expression(program) = &one.source else { continue };
        of_call(one, program.tree(), found);
        let mut nodes = Vec::new();
        collect(program.tree(), false, &mut nodes);
        for (node, in_difference) in nodes {
            of_node(one, node, in_difference, found);
        }
    }
}

/// Whether a mapping's expression calls this function anywhere.
pub(super) fn calls(one: &AttributeMapping, function: &str) -> bool {
    let Source::Expression(program) = &one.source else { return false };
    let mut nodes = Vec::new();
    collect(program.tree(), false, &mut nodes);
    nodes.iter().any(|(node, _)| matches!(&node.kind, NodeKind::Call { name, .. } if name == function))
}

/// What concerns the function at the root.
fn of_call(one: &AttributeMapping, root: &Node, found: &mut Findings) {
    let NodeKind::Call { name, parameters } = &root.kind else { return };
    if name == "Switch" && switch_gives_nothing(parameters) {
        let clears = if one.clears { ", and the target's value is taken away" } else { "" };
        found.say(
            &one.target,
            format!("for every value that Switch does not list, there is none{clears}; give a default as its second parameter"),
        );
    }
    if name == "AppRoleAssignmentsComplex" {
        found.say(
            &one.target,
            "roles are added only, so one that is taken away at the source stays at the target; use AssertiveAppRoleAssignmentsComplex",
        );
    }
}

/// No default, no key for what is empty, and the source is more than true or false.
fn switch_gives_nothing(parameters: &[Node]) -> bool {
    let Some((source, rest)) = parameters.split_first() else { return false };
    let boolean = matches!(&source.kind, NodeKind::Attribute { name } if BOOLEAN.contains(&name.as_str()));
    let default = rest.first().is_some_and(|node| node.kind != NodeKind::Omitted);
    let keys = rest.iter().skip(1).step_by(2);
    let whole = boolean && keys.clone().filter(|key| is_text(key, &["True", "False"])).count() >= 2;
    !default && !whole
}

fn is_text(node: &Node, texts: &[&str]) -> bool {
    matches!(&node.kind, NodeKind::Text { text } if texts.contains(&text.as_str()))
}

fn of_node(one: &AttributeMapping, node: &Node, in_difference: bool, found: &mut Findings) {
    match &node.kind {
        NodeKind::Call { name, .. } if one.apply == Apply::Always && ["Guid", "RandomString"].contains(&name.as_str()) => {
            found.say(
                &one.target,
                "a random value that is applied always changes at each cycle; apply it on creation only",
            );
        }
        NodeKind::Call { name, .. } if one.apply == Apply::Always && name == "Now" && !in_difference => found.say(
            &one.target,
            "the time of day is another at each cycle, so everybody is written each time; apply it on creation only",
        ),
        NodeKind::Call { name, parameters } if name == "Switch" => {
            let source = parameters.first().map(|node| &node.kind);
            if let Some(NodeKind::Call { name, .. }) = source
                && ["IsNull", "IsNullOrEmpty", "IsNullorEmpty", "IsPresent", "IsString", "IsNothing"].contains(&name.as_str())
            {
                found.say(
                    &one.target,
                    format!("{name} as the source of Switch is not supported by Entra ID; use IIF({name}(…), …, …)"),
                );
            }
            if let Some(NodeKind::Attribute { name }) = source {
                for key in parameters.iter().skip(2).step_by(2) {
                    of_boolean(one, name, key, found);
                }
            }
        }
        NodeKind::Compare { operator, left, right } => {
            for (side, other) in [(left, right), (right, left)] {
                let NodeKind::Attribute { name } = &side.kind else { continue };
                if *operator == Operator::Equal && is_text(other, &[""]) {
                    found.say(
                        &one.target,
                        format!("[{name}] = \"\" never holds for somebody who has no {name}; use IsNullOrEmpty([{name}])"),
                    );
                }
                of_boolean(one, name, other, found);
            }
        }
        _ => {}
    }
}

/// Texts are compared with case.
fn of_boolean(one: &AttributeMapping, attribute: &str, other: &Node, found: &mut Findings) {
    let NodeKind::Text { text } = &other.kind else { return };
    let exact = ["True", "False"].iter().find(|word| word.eq_ignore_ascii_case(text));
    if let Some(exact) = exact.filter(|exact| BOOLEAN.contains(&attribute) && **exact != text.as_str()) {
        found.say(
            &one.target,
            format!("{attribute} is never {text:?}, because texts are compared with case; write {exact:?}"),
        );
    }
}

/// All nodes, each with whether it is within a `DateDiff`, whose result stands still for a day.
fn collect<'n>(node: &'n Node, in_difference: bool, into: &mut Vec<(&'n Node, bool)>) {
    into.push((node, in_difference));
    match &node.kind {
        NodeKind::Call { name, parameters } => {
            let inside = in_difference || name == "DateDiff";
            parameters.iter().for_each(|node| collect(node, inside, into));
        }
        NodeKind::Compare { left, right, .. } => {
            collect(left, in_difference, into);
            collect(right, in_difference, into);
        }
        _ => {}
    }
}
