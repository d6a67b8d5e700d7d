use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::Value as Plain;

use super::Service;
use crate::Limits;
use crate::schema::SCHEMAS;

static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits {
    page_default: 100,
    page_max: 1000,
    bulk_operations: 500,
    bulk_bytes: 1_048_576,
    ..Limits::default()
});

fn service() -> Service<'static> {
    Service {
        base: "https://x.example/v1/scim/v2",
        limits: &LIMITS,
        documentation: Some("https://x.example/docs"),
        cursor_timeout: Some(3600),
    }
}

fn read(document: &str) -> Plain {
    serde_json::from_str(document).unwrap()
}

/// One line for each attribute of a Schema document: what differs from RFC 7643 §2.2.
fn describe(path: &str, attribute: &Plain, out: &mut String) {
    let text = |name: &str| attribute[name].as_str().unwrap_or_default().to_owned();
    let list = |name: &str| {
        let values = attribute[name].as_array().map(Vec::as_slice).unwrap_or_default();
        values.iter().map(|value| value.as_str().unwrap()).collect::<Vec<_>>().join(",")
    };
    let multi = if attribute["multiValued"] == true { "[]" } else { "" };
    let path = format!("{path}.{}{multi}", text("name"));
    write!(out, "{path} {}", text("type")).unwrap();
    for (name, default) in [("required", false), ("caseExact", false)] {
        if attribute.get(name).is_some_and(|value| *value != default) {
            write!(out, " {name}").unwrap();
        }
    }
    if text("mutability") != "readWrite" {
        write!(out, " {}", text("mutability")).unwrap();
    }
    if text("returned") != "default" {
        write!(out, " returned={}", text("returned")).unwrap();
    }
    if !["none", ""].contains(&text("uniqueness").as_str()) {
        write!(out, " unique={}", text("uniqueness")).unwrap();
    }
    if !list("canonicalValues").is_empty() {
        write!(out, " of={}", list("canonicalValues")).unwrap();
    }
    if !list("referenceTypes").is_empty() {
        write!(out, " to={}", list("referenceTypes")).unwrap();
    }
    out.push('\n');
    for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
        describe(&path, sub, out);
    }
}

#[test]
fn the_schemas_are_those_of_rfc_7643() {
    let mut described = String::new();
    for schema in read(&service().schemas())["Resources"].as_array().unwrap() {
        for attribute in schema["attributes"].as_array().unwrap() {
            describe(schema["name"].as_str().unwrap(), attribute, &mut described);
        }
    }
    let golden = include_str!("../../testdata/rfc7643-attributes.txt");
    let golden: Vec<&str> =
        golden.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(described.lines().collect::<Vec<_>>(), golden);
}

#[test]
fn the_service_announces_what_is_in_force() {
    insta::assert_json_snapshot!("service_provider_config", read(&service().service_provider_config()));
    let bare = Service { documentation: None, cursor_timeout: None, ..service() };
    let bare = read(&bare.service_provider_config());
    assert!(bare.get("documentationUri").is_none() && bare["pagination"].get("cursorTimeout").is_none());
}

#[test]
fn resource_types_name_their_schemas() {
    insta::assert_json_snapshot!("resource_types", read(&service().resource_types()));
}

#[test]
fn schemas_are_complete() {
    insta::assert_json_snapshot!("schemas", read(&service().schemas()));
}

#[test]
fn one_document_is_the_one_in_the_list() {
    let types = read(&service().resource_types());
    for ty in types["Resources"].as_array().unwrap() {
        assert_eq!(&read(&service().resource_type(ty["id"].as_str().unwrap()).unwrap()), ty);
    }
    let schemas = read(&service().schemas());
    assert_eq!(schemas["totalResults"], SCHEMAS.len());
    for schema in schemas["Resources"].as_array().unwrap() {
        assert_eq!(&read(&service().schema(&schema["id"].as_str().unwrap().to_uppercase()).unwrap()), schema);
    }
    assert_eq!(service().resource_type("Hat"), None);
    assert_eq!(service().schema("urn:hat"), None);
}

/// Entra's gallery reads `/Schemas` and fails on nulls (quirk 44).
#[test]
fn nothing_is_null_or_empty() {
    fn check(path: &str, value: &Plain) {
        match value {
            Plain::Null => panic!("{path} is null"),
            Plain::String(text) => assert!(!text.is_empty(), "{path} is empty"),
            Plain::Array(values) => {
                assert!(!values.is_empty(), "{path} is empty");
                values.iter().for_each(|value| check(path, value));
            }
            Plain::Object(members) => {
                members.iter().for_each(|(name, value)| check(&format!("{path}.{name}"), value));
            }
            Plain::Bool(_) | Plain::Number(_) => {}
        }
    }
    for document in [service().service_provider_config(), service().resource_types(), service().schemas()] {
        check("", &read(&document));
    }
}
