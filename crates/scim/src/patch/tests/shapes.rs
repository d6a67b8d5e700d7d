use serde_json::{Value as Plain, json};

use super::{ENTERPRISE, PATCH_OP, USER, becomes, mails, patch, refused, request, user};
use crate::json::Json;
use crate::patch::PatchRequest;
use crate::patch::dialect::{QUIRKS, Reading};
use crate::schema::{GROUP_TYPE, USER_TYPE};
use crate::{Limits, ScimType};

#[test]
fn extensions_come_and_go_with_their_attributes() {
    let department = json!({ ENTERPRISE: { "department": "Ops" } });
    for operations in [
        json!([{ "op": "add", "path": format!("{ENTERPRISE}:department"), "value": "Ops" }]),
        json!([{ "op": "add", "path": format!("{ENTERPRISE}.department"), "value": "Ops" }]),
        json!([{ "op": "add", "value": { ENTERPRISE: { "department": "Ops" } } }]),
        json!([{ "op": "add", "value": { format!("{ENTERPRISE}:department"): "Ops" } }]),
        json!([{ "op": "replace", "path": ENTERPRISE, "value": { "department": "Ops" } }]),
        json!([{ "op": "replace", "value": { ENTERPRISE.to_uppercase(): { "DEPARTMENT": "Ops" } } }]),
    ] {
        becomes(json!({}), operations, department.clone());
    }
    for operations in [
        json!([{ "op": "remove", "path": format!("{ENTERPRISE}:department") }]),
        json!([{ "op": "remove", "path": ENTERPRISE }]),
        json!([{ "op": "replace", "value": { ENTERPRISE: null } }]),
        json!([{ "op": "replace", "value": { ENTERPRISE: { "department": null } } }]),
    ] {
        becomes(department.clone(), operations, json!({}));
    }
    becomes(
        json!({ ENTERPRISE: { "department": "Ops", "division": "D" } }),
        json!([{ "op": "replace", "value": { ENTERPRISE: { "department": "Dev" } } }]),
        json!({ ENTERPRISE: { "department": "Dev", "division": "D" } }),
    );
}

#[test]
fn managers_are_understood_in_each_shape() {
    let path = format!("{ENTERPRISE}:manager");
    let manager = |id: &str| json!({ ENTERPRISE: { "manager": { "value": id } } });
    for value in [
        json!("M2"),
        json!({ "value": "M2" }),
        json!([{ "value": "M2" }]),
        json!({ "value": "M2", "displayName": "x" }),
    ] {
        for verb in ["Add", "Replace"] {
            becomes(manager("M1"), json!([{ "op": verb, "path": path, "value": value }]), manager("M2"));
            becomes(json!({}), json!([{ "op": verb, "path": path, "value": value }]), manager("M2"));
        }
    }
    becomes(
        manager("M1"),
        json!([{ "op": "add", "path": format!("{path}.value"), "value": "M2" }]),
        manager("M2"),
    );
    becomes(json!({}), json!([{ "op": "add", "value": { ENTERPRISE: { "manager": "M2" } } }]), manager("M2"));
    for value in [json!(""), json!(null)] {
        becomes(manager("M1"), json!([{ "op": "replace", "path": path, "value": value }]), json!({}));
    }
    becomes(manager("M1"), json!([{ "op": "remove", "path": path }]), json!({}));
    // a reference to the one before would be wrong
    let referred = json!({ ENTERPRISE: { "manager": { "value": "M1", "$ref": "../Users/M1" } } });
    becomes(referred.clone(), json!([{ "op": "replace", "path": path, "value": "M2" }]), manager("M2"));
    becomes(referred.clone(), json!([{ "op": "replace", "path": path, "value": "M1" }]), referred.clone());
    becomes(
        referred,
        json!([{ "op": "replace", "path": path, "value": { "$ref": "../Users/M2", "value": "M2" } }]),
        json!({ ENTERPRISE: { "manager": { "value": "M2", "$ref": "../Users/M2" } } }),
    );
    refused(
        json!({}),
        json!([{ "op": "replace", "path": format!("{path}.displayName"), "value": "x" }]),
        ScimType::Mutability,
        "manager.displayName is readOnly",
    );
}

#[test]
fn booleans_are_booleans_in_any_spelling() {
    for word in [json!("False"), json!("false"), json!("FALSE"), json!(false), json!([{ "value": "False" }])]
    {
        becomes(
            json!({ "active": true }),
            json!([{ "op": "Replace", "path": "active", "value": word }]),
            json!({ "active": false }),
        );
        becomes(
            json!({ "active": true }),
            json!([{ "op": "add", "value": { "active": word } }]),
            json!({ "active": false }),
        );
    }
    for word in [json!("no"), json!(0), json!({ "x": 1 }), json!([true, false])] {
        refused(
            json!({}),
            json!([{ "op": "replace", "path": "active", "value": word }]),
            ScimType::InvalidValue,
            "active",
        );
    }
    // text stays text
    becomes(
        json!({}),
        json!([{ "op": "replace", "path": "title", "value": "True" }]),
        json!({ "title": "True" }),
    );
}

#[test]
fn active_can_be_unassigned_which_says_nothing_of_whether_somebody_is_in() {
    for operations in [
        json!([{ "op": "remove", "path": "active" }]),
        json!([{ "op": "replace", "path": "active", "value": null }]),
        json!([{ "op": "replace", "value": { "active": null } }]),
    ] {
        becomes(json!({ "active": false }), operations, json!({}));
    }
}

#[test]
fn roles_written_as_json_text_are_read() {
    let text = "{\"id\":\"7\",\"value\":\"Admin\",\"displayName\":\"Administrator\"}";
    for value in [json!([{ "value": text }]), json!({ "value": text }), json!(text), json!([text])] {
        becomes(
            json!({}),
            json!([{ "op": "Add", "path": "roles", "value": value }]),
            json!({ "roles": [{ "value": "Admin", "display": "Administrator" }] }),
        );
    }
    becomes(
        json!({}),
        json!([{ "op": "Add", "path": "roles[primary eq \"True\"].value", "value": text }]),
        json!({ "roles": [{ "primary": true, "value": "Admin" }] }),
    );
    for odd in ["{", "{}", "{\"value\":1}", "{\"value\":\"\"}", "[1]"] {
        becomes(
            json!({}),
            json!([{ "op": "Add", "path": "roles", "value": odd }]),
            json!({ "roles": [{ "value": odd }] }),
        );
    }
}

#[test]
fn what_only_the_server_sets_may_be_repeated_and_not_changed() {
    for value in [
        json!({ "id": "U1", "title": "A" }),
        json!({ "id": null, "title": "A" }),
        json!({ "schemas": [USER, ENTERPRISE], "title": "A", "meta": { "resourceType": "User" } }),
        json!({ "groups": [], "title": "A" }),
        json!({ "shoeSize": 43, "title": "A", "urn:x:y:1.0:Z": { "a": 1 }, "a b": 1, "name.first": "x" }),
        json!({ "password": "s3cret", "title": "A" }),
    ] {
        becomes(json!({}), json!([{ "op": "replace", "value": value }]), json!({ "title": "A" }));
    }
    for value in
        [json!({ "id": "U2" }), json!({ "groups": [{ "value": "G1" }] }), json!({ "schemas": ["urn:x:y"] })]
    {
        refused(json!({}), json!([{ "op": "replace", "value": value }]), ScimType::Mutability, "operation 1");
    }
    for path in ["id", "meta", "meta.version", "groups", "groups[value eq \"G1\"]"] {
        refused(json!({}), json!([{ "op": "remove", "path": path }]), ScimType::Mutability, "readOnly");
        refused(
            json!({}),
            json!([{ "op": "replace", "path": path, "value": "U9" }]),
            ScimType::Mutability,
            "readOnly",
        );
    }
    refused(json!({}), json!([{ "op": "remove", "path": "schemas" }]), ScimType::Mutability, "schemas");
    refused(json!({}), json!([{ "op": "remove", "path": "userName" }]), ScimType::Mutability, "required");
    for value in [json!(null), json!(""), json!(" ")] {
        refused(
            json!({}),
            json!([{ "op": "replace", "path": "userName", "value": value }]),
            ScimType::InvalidValue,
            "userName",
        );
    }
}

#[test]
fn a_wrong_operation_is_named_with_what_is_wrong() {
    let one = |op: Plain| json!([{ "op": "add", "path": "title", "value": "A" }, op]);
    for (operation, kind, words) in [
        (json!({ "op": "remove" }), ScimType::NoTarget, "remove needs a path"),
        (json!({ "op": "remove", "path": "" }), ScimType::NoTarget, "remove needs a path"),
        (json!({ "op": "remove", "value": { "members": [] } }), ScimType::NoTarget, "remove needs a path"),
        (json!({ "op": "move", "path": "title" }), ScimType::InvalidSyntax, "\"move\" is not known"),
        (json!({ "path": "title" }), ScimType::InvalidSyntax, "\"op\" is missing"),
        (json!("replace"), ScimType::InvalidSyntax, "an operation is an object"),
        (json!({ "op": "add", "path": "title" }), ScimType::InvalidSyntax, "add needs a value"),
        (json!({ "op": "replace", "path": "title" }), ScimType::InvalidSyntax, "replace needs a value"),
        (json!({ "op": "replace" }), ScimType::InvalidSyntax, "replace needs a value"),
        (json!({ "op": "replace", "value": "x" }), ScimType::InvalidValue, "value is an object"),
        (json!({ "op": "replace", "path": 5, "value": "x" }), ScimType::InvalidPath, "a path is a string"),
        (
            json!({ "op": "replace", "path": "shoeSize", "value": "x" }),
            ScimType::InvalidPath,
            "no attribute \"shoeSize\"",
        ),
        (json!({ "op": "replace", "path": "a b", "value": "x" }), ScimType::InvalidPath, "column 3"),
        (
            json!({ "op": "replace", "path": "emails[type is \"x\"]", "value": "x" }),
            ScimType::InvalidFilter,
            "write eq",
        ),
        (
            json!({ "op": "replace", "path": "emails[kind eq \"x\"]", "value": "x" }),
            ScimType::InvalidFilter,
            "no sub-attribute \"kind\"",
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"x\"].kind", "value": "x" }),
            ScimType::InvalidPath,
            "no sub-attribute \"kind\"",
        ),
        (
            json!({ "op": "replace", "path": "name[givenName pr].givenName", "value": "x" }),
            ScimType::InvalidPath,
            "one value",
        ),
        (
            json!({ "op": "replace", "path": "title[value pr]", "value": "x" }),
            ScimType::InvalidPath,
            "one value",
        ),
        (json!({ "op": "replace", "value": { "emails[type": "x" } }), ScimType::InvalidFilter, "expected"),
        (json!({ "op": "replace", "path": "title", "value": 5 }), ScimType::InvalidValue, "title"),
        (json!({ "op": "replace", "path": "name", "value": 5 }), ScimType::InvalidValue, "name"),
        (json!({ "op": "replace", "path": "name", "value": "Ida" }), ScimType::InvalidValue, "name"),
        (
            json!({ "op": "replace", "path": ENTERPRISE, "value": 5 }),
            ScimType::InvalidValue,
            "expected an object",
        ),
        (json!({ "op": "remove", "path": USER }), ScimType::NoTarget, "base schema"),
        (
            json!({ "op": "replace", "path": "emails[type eq \"x\"]", "value": [1, 2] }),
            ScimType::InvalidValue,
            "one value",
        ),
        (json!({ "op": "replace", "path": "emails.value", "value": "x" }), ScimType::NoTarget, "say which"),
    ] {
        refused(mails(), one(operation.clone()), kind, "operation 2: ");
        refused(mails(), one(operation), kind, words);
    }
}

#[test]
fn the_body_has_its_shape() {
    let parse = |body: Plain| PatchRequest::parse(&Json::from(body), &USER_TYPE, &Limits::default());
    let operations = json!([{ "op": "add", "path": "title", "value": "A" }]);
    assert!(parse(json!({ "Operations": operations })).is_ok());
    assert!(parse(json!({ "operations": operations[0], "SCHEMAS": PATCH_OP.to_uppercase() })).is_ok());
    for body in [
        json!([]),
        json!({}),
        json!({ "Operations": [] }),
        json!({ "Operations": null }),
        json!({ "schemas": [USER], "Operations": operations }),
        json!({ "schemas": [], "Operations": operations }),
    ] {
        assert_eq!(parse(body.clone()).unwrap_err().scim_type, Some(ScimType::InvalidSyntax), "{body}");
    }
    let many: Vec<_> = (0..=Limits::default().operations).map(|_| operations[0].clone()).collect();
    assert_eq!(parse(json!({ "Operations": many })).unwrap_err().status, 413);
    // neither do keys get around it
    let limits = Limits { operations: 3, ..Limits::default() };
    let body = json!({ "Operations": [{ "op": "add", "value": { "name": { "givenName": "a", "familyName": "b" },
        "title": "c", "nickName": "d" } }] });
    assert_eq!(PatchRequest::parse(&Json::from(body), &USER_TYPE, &limits).unwrap_err().status, 413);
}

/// Each row of the dialect, played on a user or a group that it fits.
#[test]
fn every_shape_of_the_dialect_is_accepted() {
    for quirk in QUIRKS {
        assert!(!quirk.numbers.is_empty() && !quirk.source.is_empty() && !quirk.clients.is_empty());
        let operation: Plain = serde_json::from_str(quirk.shape).unwrap();
        let operations = json!([operation]);
        let group = quirk.shape.contains("members") || quirk.shape.contains("G1");
        if group {
            let (rest, members) =
                request(&GROUP_TYPE, &operations).and_then(PatchRequest::split_members).unwrap();
            assert!(!members.is_empty() || !rest.is_empty(), "{}", quirk.shape);
        } else {
            let patched = patch(&user(json!({ "active": true })), &operations);
            assert!(patched.is_ok(), "{}: {patched:?}", quirk.shape);
        }
    }
    assert!(QUIRKS.iter().any(|q| matches!(q.reading, Reading::Verb(_))));
    assert!(QUIRKS.iter().any(|q| matches!(q.reading, Reading::Value(_))));
}

#[test]
fn a_value_means_the_same_in_a_post_and_in_a_patch() {
    for (name, value) in [
        ("roles", json!([{ "value": "{\"id\":\"7\",\"value\":\"Admin\",\"displayName\":\"Admin\"}" }])),
        ("roles", json!("Admin")),
        ("active", json!("False")),
        ("emails", json!({ "value": "a@x" })),
        ("emails", json!([])),
        ("name", json!({ "givenName": "Ida", "middleName": null })),
        (ENTERPRISE, json!({ "manager": "M1" })),
        (ENTERPRISE, json!({ "manager": "" })),
    ] {
        let posted = user(json!({ name: value }));
        for verb in ["add", "replace"] {
            let patched =
                patch(&user(json!({})), &json!([{ "op": verb, "value": { name: value } }])).unwrap();
            assert!(patched.same_as(&posted), "{name}: {value}");
        }
    }
}
