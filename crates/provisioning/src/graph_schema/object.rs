//! `objectMapping`: scope, flow and attributes of one kind of object, in both directions.

use serde_json::{Map, Value as Json, json};

use super::reader::{At, describe};
use super::value;
use crate::entry::Kind;
use crate::mapping::{Apply, AttributeMapping, Flow, ObjectMapping};
use crate::scope::{Clause, Group, Operator, Scope};
use crate::target_path::TargetPath;
use crate::target_schema::{self, Type};

/// Graph's flow types, and what they are here.
const FLOW_TYPES: &[(&str, Apply)] = &[
    ("Always", Apply::Always),
    ("ObjectAddOnly", Apply::OnCreate),
    ("MultiValueAddOnly", Apply::AddOnly),
    ("ValueAddOnly", Apply::AddOnly),
    ("AttributeAddOnly", Apply::WhileEmpty),
];

const FLOW_BEHAVIOURS: &[(&str, bool)] = &[("FlowWhenChanged", false), ("FlowAlways", true)];

/// Which kind of object a mapping is of; `None` is one that is not provisioned here.
pub(super) fn kind_of(mapping: &At<'_>) -> Option<Kind> {
    match mapping.text("sourceObjectName")?.to_ascii_lowercase().as_str() {
        "user" => Some(Kind::User),
        "group" => Some(Kind::Group),
        _ => None,
    }
}

pub(super) fn read(mapping: &At<'_>, kind: Kind, definitions: &[At<'_>]) -> ObjectMapping {
    let attributes: Vec<AttributeMapping> = mapping
        .objects("attributeMappings")
        .iter()
        .filter_map(|one| read_attribute(one, kind, definitions))
        .collect();
    if attributes.iter().any(|one| !one.clears) {
        mapping.warn(
            "attributeMappings",
            "a value that is gone at the source stays at the target, as in Entra ID; set clears to have it taken away",
        );
    }
    ObjectMapping {
        kind,
        enabled: mapping.flag("enabled", true),
        flow: read_flow(mapping),
        scope: read_scope(mapping),
        attributes,
    }
}

fn read_flow(mapping: &At<'_>) -> Flow {
    let Some(text) = mapping.text("flowTypes") else { return Flow::ALL };
    let mut flow = Flow { create: false, update: false, delete: false };
    for word in text.split(',').map(str::trim) {
        match word.to_ascii_lowercase().as_str() {
            "add" => flow.create = true,
            "update" => flow.update = true,
            "delete" => flow.delete = true,
            "none" | "" => {}
            _ => mapping
                .fault("flowTypes", format!("found {word:?}, but Add, Update, Delete and None are allowed")),
        }
    }
    flow
}

fn read_scope(mapping: &At<'_>) -> Scope {
    let Some(scope) = mapping.object("scope") else { return Scope::default() };
    let mut groups = read_groups(&scope, "groups");
    for (key, what) in
        [("inputFilterGroups", "ignores them"), ("categoryFilterGroups", "may treat them in another way")]
    {
        let further = read_groups(&scope, key);
        if further.is_empty() {
            continue;
        }
        scope.warn(
            key,
            format!(
                "it counts as part of the scope here: who passes no longer is disabled, while Entra ID {what}"
            ),
        );
        groups = if groups.is_empty() { further } else { both(&groups, &further) };
    }
    Scope { groups }
}

/// Groups that hold exactly when one of each list holds.
fn both(some: &[Group], others: &[Group]) -> Vec<Group> {
    let pairs = some.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    pairs
        .map(|(one, other)| Group {
            title: format!("{} and {}", one.title, other.title),
            clauses: one.clauses.iter().chain(&other.clauses).cloned().collect(),
        })
        .collect()
}

fn read_groups(scope: &At<'_>, key: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    for group in scope.objects(key) {
        let clauses: Vec<Clause> = group.objects("clauses").iter().filter_map(read_clause).collect();
        if group.values("clauses").is_empty() {
            // A group without clauses holds for everybody; a mistake, rather.
            group.fault("clauses", "it is empty: give at least one clause, or take the group out");
        }
        groups.push(Group { title: group.text("name").unwrap_or("scope").to_owned(), clauses });
    }
    groups
}

/// A clause that cannot be kept is a fault: without it, more people would pass than were meant.
fn read_clause(clause: &At<'_>) -> Option<Clause> {
    let attribute = clause.need("sourceOperandName", "the source's attribute, as city");
    let operator = clause.need("operatorName", "how it is tested, as EQUALS").and_then(|word| {
        Operator::parse(word).map_err(|error| clause.fault("operatorName", error.to_string())).ok()
    });
    let mut values = Vec::new();
    if let Some(operand) = clause.object("targetOperand") {
        for (at, value) in operand.values("values").iter().enumerate() {
            match value {
                Json::String(text) => values.push(text.as_str()),
                other => operand.fault(
                    &format!("values[{at}]"),
                    format!("found {}, but a text is needed", describe(other)),
                ),
            }
        }
    }
    if values.len() > 1 {
        clause.fault(
            "targetOperand.values",
            format!("found {} values, but one is allowed; write a group for each", values.len()),
        );
        return None;
    }
    let (attribute, operator) = attribute.zip(operator)?;
    let value = values.first().copied().filter(|_| !operator.is_unary());
    Clause::new(attribute, operator, value)
        .map_err(|error| clause.fault("targetOperand.values", error.to_string()))
        .ok()
}

fn read_attribute(mapping: &At<'_>, kind: Kind, definitions: &[At<'_>]) -> Option<AttributeMapping> {
    let target = mapping.need("targetAttributeName", "the target's attribute, as userName");
    let target = target.and_then(|text| {
        let path = text.parse::<TargetPath>();
        path.map_err(|error| mapping.warn("targetAttributeName", format!("the mapping is left out: {error}")))
            .ok()
    });
    let matching = mapping.number("matchingPriority", 0..=99).filter(|rank| *rank > 0);
    let apply = mapping.word("flowType", FLOW_TYPES).unwrap_or(Apply::Always);
    if mapping.text("flowType").is_some_and(|word| word.eq_ignore_ascii_case("ValueAddOnly")) {
        mapping.warn(
            "flowType",
            "ValueAddOnly is applied as MultiValueAddOnly: values are added, and none is taken away",
        );
    }
    if mapping.word("flowBehavior", FLOW_BEHAVIOURS) == Some(true) {
        mapping.warn(
            "flowBehavior",
            "FlowAlways is applied as FlowWhenChanged: what the target has already is not sent",
        );
    }
    if mapping.flag("exportMissingReferences", false) {
        mapping.warn(
            "exportMissingReferences",
            "a reference is sent when both ends are at the target, never before",
        );
    }
    let default = mapping.text("defaultValue").filter(|text| !text.is_empty()).map(str::to_owned);
    let clears = mapping.flag("flowNullValues", false);
    let target = target?;
    let source = value::read(mapping, kind, &target)?;
    if matches!(source, crate::mapping::Source::Nothing) && default.is_none() {
        mapping.warn(
            "source",
            "the mapping is left out: it has neither a source nor a default, so nothing would flow",
        );
        return None;
    }
    compare_types(mapping, kind, &target, definitions);
    let matching = matching.and_then(|rank| u32::try_from(rank).ok());
    Some(AttributeMapping { target, source, default, matching, apply, clears })
}

/// Says what is sent in another type than the file's directory declares.
fn compare_types(mapping: &At<'_>, kind: Kind, target: &TargetPath, definitions: &[At<'_>]) {
    let name = mapping.text("targetAttributeName").unwrap_or_default();
    let declared =
        definitions.iter().find(|one| one.text("name").is_some_and(|it| it.eq_ignore_ascii_case(name)));
    let Some(declared) = declared.and_then(|one| one.text("type")) else { return };
    let ours = target_schema::attribute(kind, target);
    let of_json = |word: &str| matches!(word, "Boolean" | "Integer");
    let name = match ours.kind {
        Type::Boolean => "Boolean",
        Type::Integer => "Integer",
        Type::String | Type::DateTime | Type::Binary | Type::Reference => "text",
    };
    if (of_json(declared) || of_json(name)) && declared != name {
        mapping.warn(
            "targetAttributeName",
            format!("it is declared as {declared}, and is sent as {name}, which is what SCIM has it as here"),
        );
    }
}

/// Writes the fields that are known here.
pub(super) fn write(mapping: &ObjectMapping) -> Map<String, Json> {
    let flow = mapping.flow;
    let words = [(flow.create, "Add"), (flow.update, "Update"), (flow.delete, "Delete")];
    let words: Vec<&str> = words.into_iter().filter(|(on, _)| *on).map(|(_, word)| word).collect();
    let mut object = Map::new();
    object.insert("enabled".to_owned(), json!(mapping.enabled));
    object.insert(
        "flowTypes".to_owned(),
        json!(if words.is_empty() { "None".to_owned() } else { words.join(", ") }),
    );
    object.insert("scope".to_owned(), write_scope(&mapping.scope));
    let attributes = mapping.attributes.iter().map(|one| Json::Object(write_attribute(one)));
    object.insert("attributeMappings".to_owned(), attributes.collect());
    object
}

fn write_scope(scope: &Scope) -> Json {
    if scope.groups.is_empty() {
        return Json::Null;
    }
    let clause = |clause: &Clause| {
        let values: Vec<&str> = if clause.operator().is_unary() { Vec::new() } else { vec![clause.value()] };
        json!({
            "sourceOperandName": clause.attribute(),
            "operatorName": clause.operator().as_str(),
            "targetOperand": { "values": values },
        })
    };
    let groups = scope.groups.iter().map(|group| {
        let clauses: Vec<Json> = group.clauses.iter().map(clause).collect();
        json!({ "name": group.title, "clauses": clauses })
    });
    json!({ "groups": groups.collect::<Vec<Json>>(), "inputFilterGroups": [], "categoryFilterGroups": [] })
}

pub(super) fn write_attribute(mapping: &AttributeMapping) -> Map<String, Json> {
    let flow =
        FLOW_TYPES.iter().find(|(_, apply)| *apply == mapping.apply).map_or("Always", |(word, _)| word);
    let mut object = Map::new();
    object.insert("targetAttributeName".to_owned(), json!(mapping.target.to_string()));
    object.insert("source".to_owned(), value::write(&mapping.source));
    object.insert("defaultValue".to_owned(), json!(mapping.default));
    object.insert("matchingPriority".to_owned(), json!(mapping.matching.unwrap_or(0)));
    object.insert("flowType".to_owned(), json!(flow));
    object.insert("flowBehavior".to_owned(), json!("FlowWhenChanged"));
    object.insert("exportMissingReferences".to_owned(), json!(false));
    if mapping.clears {
        object.insert("flowNullValues".to_owned(), json!(true));
    }
    object
}
