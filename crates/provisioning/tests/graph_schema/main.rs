//! Microsoft Graph's synchronization schema, in and out. `entra.json` is made as Entra ID's portal
//! downloads the schema of an application of one's own, with values of our own.

use latchkey_expr::FUNCTIONS;
use latchkey_provisioning::graph_schema::{Imported, export, import};
use latchkey_provisioning::jobfile;
use latchkey_provisioning::mapping::Reference;
use latchkey_provisioning::{Apply, AttributeMapping, Flow, ObjectMapping, Source, defaults};
use serde_json::{Value as Json, json};

const ENTRA: &str = include_str!("entra.json");
/// Where the people's mapping stands in it.
const USERS: &str = "/synchronizationRules/0/objectMappings/1";

fn entra() -> Json {
    serde_json::from_str(ENTRA).expect("it is JSON")
}

fn with(pointer: &str, value: Json) -> Json {
    let mut schema = entra();
    let (parent, key) = pointer.rsplit_once('/').expect("it has a parent");
    match schema.pointer_mut(parent).unwrap_or_else(|| panic!("there is {parent}")) {
        Json::Object(object) => _ = object.insert(key.to_owned(), value),
        Json::Array(list) => list[key.parse::<usize>().expect("an index")] = value,
        other => panic!("{other} has no members"),
    }
    schema
}

fn read(schema: &Json) -> Imported {
    import(schema).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// All that a mapping means, as text.
fn meaning(mapping: Option<&ObjectMapping>) -> String {
    let mapping = mapping.expect("it is mapped");
    let attributes = mapping.attributes.iter().map(|one| {
        let source = match &one.source {
            Source::Expression(program) => program.text().to_owned(),
            other => format!("{other:?}"),
        };
        let AttributeMapping { target, default, matching, apply, clears, .. } = one;
        format!("{target} <- {source} {default:?} {matching:?} {apply:?} {clears}")
    });
    let attributes: Vec<String> = attributes.collect();
    format!(
        "{:?} {} {:?} {:?}\n{}",
        mapping.kind,
        mapping.enabled,
        mapping.flow,
        mapping.scope,
        attributes.join("\n")
    )
}

#[test]
fn entras_own_defaults_are_ours() {
    let imported = read(&entra());
    let as_entra = |mut mapping: ObjectMapping| {
        mapping.attributes.iter_mut().for_each(|one| one.clears = false);
        mapping
    };
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(meaning(imported.users.as_ref())), sorted(meaning(Some(&as_entra(defaults::users())))));
    assert_eq!(
        sorted(meaning(imported.groups.as_ref())),
        sorted(meaning(Some(&as_entra(defaults::groups()))))
    );
    // The one thing that differs is said once for people and once for groups.
    let places: Vec<&str> = imported.warnings.iter().map(|note| note.place.as_str()).collect();
    let place = |at: usize| format!("synchronizationRules[0].objectMappings[{at}].attributeMappings");
    assert_eq!(places, [place(0), place(1)], "{:#?}", imported.warnings);
}

#[test]
fn what_is_read_and_written_back_is_what_it_was() {
    let imported = read(&entra());
    let exported = export(imported.users.as_ref(), imported.groups.as_ref(), Some(&entra()));
    assert_eq!(exported.schema, entra());
    assert_eq!(exported.warnings, []);
}

#[test]
fn what_is_written_without_the_original_means_the_same_when_it_is_read() {
    let scope = json!({ "groups": [
        { "name": "Lisbon \"engineers\"", "clauses": [
            { "sourceOperandName": "city", "operatorName": "EQUALS", "targetOperand": { "values": ["Lisbon"] } },
            { "sourceOperandName": "department", "operatorName": "REGEX MATCH", "targetOperand": { "values": ["^Eng.*"] } },
        ] },
        { "name": "no mail", "clauses": [{ "sourceOperandName": "mail", "operatorName": "IS NULL", "targetOperand": { "values": [] } }] },
    ] });
    let mut schema = with(&format!("{USERS}/scope"), scope);
    let set = |schema: &mut Json, at: usize, key: &str, value: Json| {
        schema.pointer_mut(&format!("{USERS}/attributeMappings/{at}")).expect("it is there")[key] = value;
    };
    set(&mut schema, 2, "flowType", json!("ObjectAddOnly"));
    set(&mut schema, 3, "flowType", json!("MultiValueAddOnly"));
    set(&mut schema, 4, "flowType", json!("AttributeAddOnly"));
    set(&mut schema, 4, "matchingPriority", json!(2));
    set(&mut schema, 5, "source", Json::Null);
    set(&mut schema, 5, "defaultValue", json!("en"));
    set(
        &mut schema,
        6,
        "source",
        json!({ "type": "Constant", "name": "a \"b\" \\", "expression": "\"a \\\"b\\\" \\\\\"" }),
    );
    set(&mut schema, 7, "flowNullValues", json!(true));
    schema.pointer_mut(USERS).expect("it is there")["flowTypes"] = json!("Add, Update");
    schema.pointer_mut(USERS).expect("it is there")["enabled"] = json!(false);
    let imported = read(&schema);
    let users = imported.users.as_ref().expect("people are mapped");
    assert_eq!(users.flow, Flow { create: true, update: true, delete: false });
    let applies: Vec<Apply> = users.attributes[2..5].iter().map(|one| one.apply).collect();
    assert_eq!(applies, [Apply::OnCreate, Apply::AddOnly, Apply::WhileEmpty]);
    assert!(matches!(&users.attributes[6].source, Source::Constant(text) if text == "a \"b\" \\"));
    assert!(matches!(users.attributes[21].source, Source::Reference(Reference::Manager)));

    // As a job file has it, too; one that is off is no mapping there.
    let mut on = read(&schema);
    on.users.iter_mut().for_each(|users| users.enabled = true);
    let sections = [&on.users, &on.groups].into_iter().flatten().map(jobfile::section);
    let text = format!(
        "[job]\nname = \"x\"\n[source]\nkind = \"embedded\"\n[target]\n{}",
        sections.collect::<String>()
    );
    let job = jobfile::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
    assert_eq!(meaning(job.users.as_ref()), meaning(on.users.as_ref()));
    assert_eq!(meaning(job.groups.as_ref()), meaning(on.groups.as_ref()));

    let exported = export(imported.users.as_ref(), imported.groups.as_ref(), None);
    let again = read(&exported.schema);
    assert_eq!(meaning(again.users.as_ref()), meaning(imported.users.as_ref()));
    assert_eq!(meaning(again.groups.as_ref()), meaning(imported.groups.as_ref()));
    let kept = export(imported.users.as_ref(), imported.groups.as_ref(), Some(&schema));
    assert_eq!(kept.schema, schema);
}

#[test]
fn a_change_changes_what_it_is_about_and_nothing_else() {
    let mut imported = read(&entra());
    let users = imported.users.as_mut().expect("people are mapped");
    users.attributes.retain(|one| one.target.to_string() != "preferredLanguage");
    users.attributes[0].default = Some("nobody".to_owned());
    let exported = export(imported.users.as_ref(), imported.groups.as_ref(), Some(&entra())).schema;
    let mut expected = entra();
    let mappings = expected.pointer_mut(&format!("{USERS}/attributeMappings")).expect("it is there");
    mappings[0]["defaultValue"] = json!("nobody");
    mappings.as_array_mut().expect("it is a list").remove(5);
    assert_eq!(exported, expected);

    let without_groups = export(imported.users.as_ref(), None, Some(&entra())).schema;
    assert_eq!(
        without_groups.pointer("/synchronizationRules/0/objectMappings/0/enabled"),
        Some(&json!(false))
    );
}

#[test]
fn what_cannot_be_kept_is_said_with_its_place_and_survives_in_the_file() {
    let mapping = |at: usize, key: &str| format!("{USERS}/attributeMappings/{at}/{key}");
    let place = |at: usize, key: &str| {
        format!("synchronizationRules[0].objectMappings[1].attributeMappings[{at}].{key}")
    };
    let constant =
        json!({ "type": "Function", "name": "Fancy", "expression": "Fancy([x])", "parameters": [] });
    let filter = json!({ "groups": [], "inputFilterGroups": [{ "name": "early", "clauses": [
        { "sourceOperandName": "city", "operatorName": "EQUALS", "targetOperand": { "values": ["Lisbon"] } } ] }] });
    for (pointer, value, place, words) in [
        (mapping(2, "source"), constant, place(2, "source.expression"), "there is no function Fancy"),
        (mapping(2, "targetAttributeName"), json!("a.b.c.d"), place(2, "targetAttributeName"), "left out"),
        (mapping(2, "source"), Json::Null, place(2, "source"), "neither a source nor a default"),
        (mapping(2, "flowType"), json!("ValueAddOnly"), place(2, "flowType"), "none is taken away"),
        (mapping(2, "flowBehavior"), json!("FlowAlways"), place(2, "flowBehavior"), "as FlowWhenChanged"),
        (
            mapping(21, "exportMissingReferences"),
            json!(true),
            place(21, "exportMissingReferences"),
            "both ends",
        ),
        (
            format!("{USERS}/scope"),
            filter,
            "synchronizationRules[0].objectMappings[1].scope.inputFilterGroups".to_owned(),
            "is disabled",
        ),
        (
            format!("{USERS}/sourceObjectName"),
            json!("Device"),
            "synchronizationRules[0].objectMappings[1].sourceObjectName".to_owned(),
            "the kind Device",
        ),
        (
            format!("{USERS}/sourceObjectName"),
            json!("Group"),
            "synchronizationRules[0].objectMappings[1].sourceObjectName".to_owned(),
            "already",
        ),
        (
            "/directories/1/objects/0/attributes/2/type".to_owned(),
            json!("String"),
            place(1, "targetAttributeName"),
            "declared as String, and is sent as Boolean",
        ),
    ] {
        let schema = with(&pointer, value);
        let imported = read(&schema);
        let said = imported.warnings.iter().find(|note| note.place == place);
        let said = said.unwrap_or_else(|| panic!("{place}: {:#?}", imported.warnings));
        assert!(said.message.contains(words), "{said}");
        let exported = export(imported.users.as_ref(), imported.groups.as_ref(), Some(&schema));
        assert_eq!(exported.schema, schema, "{pointer}");
    }
}

#[test]
fn a_filter_that_entra_looks_at_first_still_keeps_people_out() {
    let clause = |value: &str| {
        json!([{ "name": value, "clauses": [
            { "sourceOperandName": "city", "operatorName": "Includes", "targetOperand": { "values": [value] } } ] }])
    };
    let schema = with(
        &format!("{USERS}/scope"),
        json!({ "groups": clause("Lis"), "inputFilterGroups": clause("bon") }),
    );
    let scope = read(&schema).users.expect("people are mapped").scope;
    for (city, passes) in [("Lisbon", true), ("Lisse", false), ("Eisbon", false)] {
        let person = json!({ "city": city });
        assert_eq!(scope.evaluate(person.as_object().expect("an object")).0, passes, "{city}");
    }
}

#[test]
fn every_wrong_field_is_named_with_its_place_and_what_is_allowed() {
    let clause = |clause: Json| json!({ "groups": [{ "name": "g", "clauses": [clause] }] });
    let operand = |operator: &str, values: Json| {
        clause(
            json!({ "sourceOperandName": "city", "operatorName": operator, "targetOperand": { "values": values } }),
        )
    };
    for (pointer, key, value, words) in [
        ("", "/synchronizationRules", json!({}), "found an object, but a list is needed"),
        ("", "/synchronizationRules/0", json!(3), "found the number 3, but an object is needed"),
        ("", "/synchronizationRules/0/priority", json!("first"), "a whole number from 0"),
        ("", "/synchronizationRules/0/objectMappings", json!("none"), "a list is needed"),
        ("", "/directories", json!(true), "found true, but a list is needed"),
        (USERS, "/sourceObjectName", json!(""), "missing or empty"),
        (USERS, "/sourceObjectName", json!(1), "a text is needed"),
        (USERS, "/enabled", json!("yes"), "true or false is needed"),
        (USERS, "/flowTypes", json!("Add, Remove"), "found \"Remove\", but Add, Update, Delete and None"),
        (USERS, "/scope", json!([]), "found a list, but an object"),
        (USERS, "/attributeMappings/0", json!(null), "found null, but an object"),
        (USERS, "/attributeMappings/0/targetAttributeName", json!(null), "as userName"),
        (USERS, "/attributeMappings/0/matchingPriority", json!(-1), "from 0 to 99"),
        (USERS, "/attributeMappings/0/flowType", json!("Sometimes"), "one of Always, ObjectAddOnly"),
        (USERS, "/attributeMappings/0/flowBehavior", json!("x"), "one of FlowWhenChanged, FlowAlways"),
        (USERS, "/attributeMappings/0/defaultValue", json!(7), "a text is needed"),
        (USERS, "/attributeMappings/0/exportMissingReferences", json!(0), "true or false"),
        (USERS, "/attributeMappings/0/flowNullValues", json!(0), "true or false"),
        (USERS, "/attributeMappings/0/source", json!("mail"), "an object is needed"),
        (USERS, "/attributeMappings/0/source/type", json!("Other"), "one of Attribute, Constant, Function"),
        (USERS, "/attributeMappings/0/source/type", json!(null), "it is missing"),
        (USERS, "/attributeMappings/0/source/name", json!(null), "the source's attribute"),
        (USERS, "/attributeMappings/1/source/expression", json!(7), "a text is needed"),
    ] {
        let at = format!("{pointer}{key}");
        refused(&with(&at, value), &at, words);
    }
    for (scope, place, words) in [
        (operand("Present", json!([])), "/operatorName", "is no operator; there are EQUALS"),
        (operand("EQUALS", json!([])), "/targetOperand/values", "needs a value"),
        (operand("EQUALS", json!(["a", "b"])), "/targetOperand/values", "found 2 values, but one is allowed"),
        (operand("EQUALS", json!([7])), "/targetOperand/values/0", "a text is needed"),
        (operand("REGEX MATCH", json!(["("])), "/targetOperand/values", "REGEX MATCH"),
        (operand("Greater_Than", json!(["x"])), "/targetOperand/values", "whole numbers"),
        (clause(json!({ "operatorName": "IS NULL" })), "/sourceOperandName", "as"),
        (clause(json!({ "sourceOperandName": "city" })), "/operatorName", "as EQUALS"),
        (clause(json!("x")), "", "an object is needed"),
    ] {
        let schema = with(&format!("{USERS}/scope"), scope);
        refused(&schema, &format!("{USERS}/scope/groups/0/clauses/0{place}"), words);
    }
    let empty = with(&format!("{USERS}/scope"), json!({ "groups": [{ "name": "all", "clauses": [] }] }));
    refused(&empty, &format!("{USERS}/scope/groups/0/clauses"), "it is empty");
    let no_list = with(&format!("{USERS}/scope"), json!({ "groups": {} }));
    refused(&no_list, &format!("{USERS}/scope/groups"), "a list is needed");
    refused(&json!([]), "", "found a list, but an object is needed");
    refused(&json!({}), "/synchronizationRules", "no synchronizationSchema");
}

/// The schema is refused, and of this place is said what is allowed.
fn refused(schema: &Json, pointer: &str, words: &str) {
    let mut place = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(at) => place.push_str(&format!("[{at}]")),
            Err(_) if place.is_empty() => place.push_str(part),
            Err(_) => place.push_str(&format!(".{part}")),
        }
    }
    let Err(faults) = import(schema) else { panic!("{place} is not refused") };
    let said = faults.iter().any(|note| note.place == place && note.message.contains(words));
    assert!(said, "{place}: {faults:#?}");
}

#[test]
fn an_expression_survives_as_its_tree_alone() {
    for function in FUNCTIONS {
        for example in function.examples {
            let Ok(program) = latchkey_expr::Program::compile(example.text) else { continue };
            let mut users = defaults::latchkey_users();
            users.attributes[0].source = Source::Expression(Box::new(program));
            let mut schema = export(Some(&users), None, None).schema;
            let source = schema
                .pointer_mut("/synchronizationRules/0/objectMappings/0/attributeMappings/0/source")
                .expect("it is there");
            let whole = source.clone();
            source.as_object_mut().expect("it is an object").remove("expression");
            let again = read(&schema).users.expect("people are mapped");
            let Source::Expression(program) = &again.attributes[0].source else {
                panic!("it is an expression")
            };
            let mut third = export(Some(&again), None, None).schema;
            let third = third
                .pointer_mut("/synchronizationRules/0/objectMappings/0/attributeMappings/0/source")
                .expect("it is there");
            assert_eq!(
                third["parameters"],
                whole["parameters"],
                "{} became {}",
                example.text,
                program.text()
            );
        }
    }
}
