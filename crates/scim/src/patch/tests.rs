use proptest::prelude::*;
use serde_json::{Value as Plain, json};

use super::dialect::{QUIRKS, Reading};
use super::{MembersChange, PatchRequest, apply, members_of_body};
use crate::json::Json;
use crate::resource::from_client;
use crate::schema::{GROUP_TYPE, ResourceType, USER_TYPE};
use crate::{Error, Limits, Resource, ScimType, Value};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A resource from its attributes, as a POST would make it; `id` is U1.
fn resource(ty: &'static ResourceType, attributes: Plain) -> Resource {
    let mut body = attributes;
    body["schemas"] = json!([ty.schema.id]);
    let mut resource = from_client(ty, &Json::from(body), &Limits::default()).unwrap().resource;
    resource.core.set("id", Value::String("U1".into()));
    resource
}

fn user(attributes: Plain) -> Resource {
    let mut attributes = attributes;
    attributes["userName"] = json!("ida");
    resource(&USER_TYPE, attributes)
}

fn request(ty: &'static ResourceType, operations: &Plain) -> Result<PatchRequest, Error> {
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    PatchRequest::parse(&Json::from(body), ty, &Limits::default())
}

fn patch(before: &Resource, operations: &Plain) -> Result<Resource, Error> {
    apply(&USER_TYPE, before, &request(&USER_TYPE, operations)?).map(|patched| patched.resource)
}

/// The attributes of a resource as plain JSON, without those that every user of these tests has.
fn plain(resource: &Resource) -> Plain {
    let mut plain: Plain = serde_json::from_str(&resource.to_stored()).unwrap();
    let object = plain.as_object_mut().unwrap();
    object.remove("id");
    object.remove("userName");
    plain
}

#[track_caller]
fn becomes(before: Plain, operations: Plain, after: Plain) {
    let patched = patch(&user(before.clone()), &operations);
    let patched = patched.unwrap_or_else(|error| panic!("{before} by {operations}: {error}"));
    assert_eq!(plain(&patched), after, "{before} by {operations}");
}

#[track_caller]
fn refused(before: Plain, operations: Plain, kind: ScimType, words: &str) {
    let error = match patch(&user(before.clone()), &operations) {
        Err(error) => error,
        Ok(patched) => panic!("{before} by {operations} became {}", plain(&patched)),
    };
    assert_eq!((error.status, error.scim_type), (400, Some(kind)), "{operations}: {error}");
    assert!(error.detail.contains(words), "{operations}: {error}");
}

fn mails() -> Plain {
    json!({ "emails": [
        { "type": "work", "value": "w@x", "primary": true },
        { "type": "home", "value": "h@x" },
    ]})
}

#[test]
fn single_values_are_set_and_unset() {
    becomes(json!({}), json!([{ "op": "add", "path": "title", "value": "A" }]), json!({ "title": "A" }));
    becomes(
        json!({ "title": "A" }),
        json!([{ "op": "replace", "path": "TITLE", "value": "B" }]),
        json!({ "title": "B" }),
    );
    becomes(json!({}), json!([{ "op": "replace", "path": "title", "value": "B" }]), json!({ "title": "B" }));
    for clearing in [
        json!([{ "op": "remove", "path": "title" }]),
        json!([{ "op": "remove", "path": "title", "value": "whatever" }]),
        json!([{ "op": "replace", "path": "title", "value": null }]),
        json!([{ "op": "replace", "path": "title", "value": [] }]),
        json!([{ "op": "replace", "value": { "title": null } }]),
    ] {
        becomes(json!({ "title": "A" }), clearing, json!({}));
    }
    becomes(json!({}), json!([{ "op": "remove", "path": "title" }]), json!({}));
}

#[test]
fn parts_of_a_complex_value_leave_the_others() {
    let before = json!({ "name": { "givenName": "Ida", "familyName": "Holm" } });
    let after = json!({ "name": { "givenName": "Ada", "familyName": "Holm" } });
    for operations in [
        json!([{ "op": "replace", "path": "name.givenName", "value": "Ada" }]),
        json!([{ "op": "add", "path": "name", "value": { "givenName": "Ada" } }]),
        json!([{ "op": "replace", "path": "name", "value": { "givenName": "Ada" } }]),
        json!([{ "op": "replace", "value": { "name": { "GIVENNAME": "Ada" } } }]),
        json!([{ "op": "replace", "value": { "name.givenName": "Ada" } }]),
        json!([{ "op": "replace", "value": { format!("{USER}:name.givenName"): "Ada" } }]),
        json!([{ "op": "replace", "value": { USER: { "name": { "givenName": "Ada" } } } }]),
        json!([{ "op": "replace", "path": USER, "value": { "name.givenName": "Ada" } }]),
    ] {
        becomes(before.clone(), operations, after.clone());
    }
    becomes(
        before.clone(),
        json!([{ "op": "replace", "path": "name", "value": { "givenName": null } }]),
        json!({ "name": { "familyName": "Holm" } }),
    );
    becomes(
        before.clone(),
        json!([{ "op": "remove", "path": "name.givenName" }, { "op": "remove", "path": "name.familyName" }]),
        json!({}),
    );
    becomes(before, json!([{ "op": "remove", "path": "name" }]), json!({}));
}

#[test]
fn values_are_added_to_a_list_once() {
    becomes(
        mails(),
        json!([{ "op": "add", "path": "emails", "value": [{ "type": "other", "value": "o@x" }] }]),
        json!({ "emails": [
            { "type": "work", "value": "w@x", "primary": true },
            { "type": "home", "value": "h@x" },
            { "type": "other", "value": "o@x" },
        ]}),
    );
    for same in [
        json!([{ "type": "work", "value": "w@x" }]),
        json!([{ "value": "w@x", "type": "work", "primary": true }]),
        json!({ "value": "w@x" }),
        json!("h@x"),
        json!([]),
        json!(null),
    ] {
        becomes(mails(), json!([{ "op": "add", "path": "emails", "value": same }]), mails());
    }
    // the client's spelling is what it reads back
    becomes(
        json!({ "emails": [{ "value": "a@x" }] }),
        json!([{ "op": "add", "path": "emails", "value": { "value": "A@x" } }]),
        json!({ "emails": [{ "value": "A@x" }] }),
    );
    // the same address for another purpose is another value
    becomes(
        json!({ "emails": [{ "type": "work", "value": "a@x" }] }),
        json!([{ "op": "add", "path": "emails", "value": [{ "type": "home", "value": "a@x" }] }]),
        json!({ "emails": [{ "type": "work", "value": "a@x" }, { "type": "home", "value": "a@x" }] }),
    );
    becomes(
        json!({ "addresses": [{ "locality": "Oslo", "type": "work" }] }),
        json!([{ "op": "add", "path": "addresses", "value": [{ "type": "work", "locality": "oslo" }] }]),
        json!({ "addresses": [{ "locality": "oslo", "type": "work" }] }),
    );
}

#[test]
fn lists_are_replaced_and_removed_whole() {
    let list = json!([{ "type": "other", "value": "o@x" }]);
    for operations in [
        json!([{ "op": "replace", "path": "emails", "value": list }]),
        json!([{ "op": "replace", "value": { "emails": list } }]),
        json!([{ "op": "replace", "path": "emails", "value": list[0] }]),
    ] {
        becomes(mails(), operations, json!({ "emails": list }));
    }
    for operations in [
        json!([{ "op": "remove", "path": "emails" }]),
        json!([{ "op": "remove", "path": "emails", "value": null }]),
        json!([{ "op": "replace", "path": "emails", "value": [] }]),
        json!([{ "op": "replace", "value": { "emails": null } }]),
    ] {
        becomes(mails(), operations, json!({}));
    }
}

#[test]
fn remove_with_values_takes_those_and_no_more() {
    let left = json!({ "emails": [{ "type": "home", "value": "h@x" }] });
    for value in
        [json!([{ "value": "W@X" }]), json!({ "type": "work", "value": "w@x" }), json!("w@x"), json!(["w@x"])]
    {
        becomes(mails(), json!([{ "op": "remove", "path": "emails", "value": value }]), left.clone());
    }
    for value in [json!([{ "value": "nobody@x" }]), json!([{ "type": "home", "value": "w@x" }]), json!([])] {
        becomes(mails(), json!([{ "op": "remove", "path": "emails", "value": value }]), mails());
    }
}

#[test]
fn a_filter_selects_what_is_changed() {
    let work = |value: &str| {
        json!({ "emails": [
            { "type": "work", "value": value, "primary": true },
            { "type": "home", "value": "h@x" },
        ]})
    };
    for verb in ["add", "replace"] {
        becomes(
            mails(),
            json!([{ "op": verb, "path": "emails[type eq \"work\"].value", "value": "n@x" }]),
            work("n@x"),
        );
        becomes(
            mails(),
            json!([{ "op": verb, "value": { "emails[type eq \"WORK\"].value": "n@x" } }]),
            work("n@x"),
        );
    }
    becomes(
        mails(),
        json!([{ "op": "add", "path": "emails[type eq \"work\"]", "value": { "value": "n@x" } }]),
        work("n@x"),
    );
    becomes(
        mails(),
        json!([{ "op": "replace", "path": "emails[type eq \"work\"]", "value": { "type": "work", "value": "n@x" } }]),
        json!({ "emails": [{ "type": "work", "value": "n@x" }, { "type": "home", "value": "h@x" }] }),
    );
    becomes(
        mails(),
        json!([{ "op": "replace", "path": "emails[type eq \"work\"]", "value": [{ "value": "n@x" }] }]),
        json!({ "emails": [{ "type": "work", "value": "n@x" }, { "type": "home", "value": "h@x" }] }),
    );
    becomes(
        mails(),
        json!([{ "op": "remove", "path": "emails[type eq \"work\" or value sw \"zz\"]" }]),
        json!({ "emails": [{ "type": "home", "value": "h@x" }] }),
    );
    becomes(
        mails(),
        json!([{ "op": "remove", "path": "emails[type eq \"work\"].primary" }]),
        json!({ "emails": [{ "type": "work", "value": "w@x" }, { "type": "home", "value": "h@x" }] }),
    );
    // of what is left, nothing says anything
    becomes(
        mails(),
        json!([{ "op": "remove", "path": "emails[type eq \"work\"].value" }]),
        json!({ "emails": [{ "type": "home", "value": "h@x" }] }),
    );
    becomes(mails(), json!([{ "op": "remove", "path": "emails[type eq \"pager\"]" }]), mails());
    becomes(
        mails(),
        json!([{ "op": "replace", "path": "emails[type eq \"pager\"].value", "value": null }]),
        mails(),
    );
}

#[test]
fn what_the_filter_asks_for_is_made_where_nothing_matches() {
    becomes(
        json!({}),
        json!([
            { "op": "Add", "path": "addresses[type eq \"work\"].streetAddress", "value": "Main 1" },
            { "op": "Add", "path": "Addresses[Type eq \"work\"].Locality", "value": "Oslo" },
            { "op": "Replace", "path": "addresses[type eq \"other\"].formatted", "value": "Box 2" },
        ]),
        json!({ "addresses": [
            { "type": "work", "streetAddress": "Main 1", "locality": "Oslo" },
            { "type": "other", "formatted": "Box 2" },
        ]}),
    );
    becomes(
        json!({}),
        json!([
            { "op": "add", "path": "roles[primary eq \"True\"].value", "value": "Editor" },
            { "op": "add", "path": "roles[primary eq \"True\"].value", "value": "Owner" },
        ]),
        json!({ "roles": [{ "primary": true, "value": "Owner" }] }),
    );
    becomes(
        json!({}),
        json!([{ "op": "add", "path": "emails[type eq \"work\" and primary eq true]", "value": { "value": "w@x" } }]),
        json!({ "emails": [{ "type": "work", "primary": true, "value": "w@x" }] }),
    );
    for filter in
        ["type ne \"work\"", "type eq \"a\" or type eq \"b\"", "not (type eq \"work\")", "value sw \"x\""]
    {
        let path = format!("emails[{filter}].display");
        refused(
            json!({}),
            json!([{ "op": "replace", "path": path, "value": "n" }]),
            ScimType::NoTarget,
            "operation 1: emails.display: no value matches the filter",
        );
    }
    refused(
        mails(),
        json!([{ "op": "replace", "path": "emails[value eq \"old@x\"].value", "value": "new@x" }]),
        ScimType::NoTarget,
        "would not match either",
    );
}

#[test]
fn one_value_is_primary_and_it_is_the_last_made_so() {
    let primaries = |operations: Plain| -> Vec<bool> {
        let after = plain(&patch(&user(mails()), &operations).unwrap());
        after["emails"].as_array().unwrap().iter().map(|e| e["primary"] == json!(true)).collect()
    };
    assert_eq!(
        primaries(json!([{ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True" }])),
        [false, true]
    );
    assert_eq!(
        primaries(json!([{ "op": "add", "path": "emails", "value": { "value": "o@x", "primary": true } }])),
        [false, false, true]
    );
    assert_eq!(
        primaries(
            json!([{ "op": "add", "path": "emails[type eq \"other\"]", "value": { "value": "o@x", "primary": true } }])
        ),
        [false, false, true]
    );
    assert_eq!(
        primaries(json!([{ "op": "replace", "path": "emails[value pr].primary", "value": true }])),
        [false, true]
    );
    assert_eq!(primaries(json!([{ "op": "add", "path": "title", "value": "x" }])), [true, false]);
    refused(
        json!({}),
        json!([{ "op": "add", "path": "emails", "value": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }]),
        ScimType::InvalidValue,
        "primary",
    );
}

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
fn nothing_lets_an_inactive_person_in_but_active_true() {
    for operations in [
        json!([{ "op": "remove", "path": "active" }]),
        json!([{ "op": "replace", "path": "active", "value": null }]),
        json!([{ "op": "replace", "value": { "active": null } }]),
    ] {
        becomes(json!({ "active": false }), operations, json!({ "active": false }));
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

#[test]
fn a_list_can_not_grow_without_end() {
    let limits = Limits { list_values: 2, ..Limits::default() };
    let body = json!({ "Operations": [{ "op": "add", "path": "emails", "value": "n@x" }] });
    let request = PatchRequest::parse(&Json::from(body), &USER_TYPE, &limits).unwrap();
    let error = apply(&USER_TYPE, &user(mails()), &request).unwrap_err();
    assert!(error.detail.contains("more than 2 values"), "{error}");
}

#[test]
fn one_failing_operation_undoes_all_and_order_counts() {
    refused(
        mails(),
        json!([{ "op": "remove", "path": "emails" }, { "op": "replace", "path": "emails[value pr].display", "value": "x" }]),
        ScimType::NoTarget,
        "operation 2",
    );
    becomes(
        json!({}),
        json!([{ "op": "add", "path": "title", "value": "A" }, { "op": "remove", "path": "title" }]),
        json!({}),
    );
    becomes(
        json!({}),
        json!([{ "op": "remove", "path": "title" }, { "op": "add", "path": "title", "value": "A" }]),
        json!({ "title": "A" }),
    );
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

fn members(operations: Plain) -> Result<(bool, Vec<MembersChange>), Error> {
    let (rest, changes) = request(&GROUP_TYPE, &operations)?.split_members()?;
    Ok((rest.is_empty(), changes))
}

#[test]
fn members_are_split_off_in_order() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    for (operation, expected) in [
        (
            json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
            MembersChange::Add(ids(&["a"])),
        ),
        (json!({ "op": "add", "path": "members", "value": "a" }), MembersChange::Add(ids(&["a"]))),
        (
            json!({ "op": "add", "path": "members", "value": ["a", { "value": "b", "type": "User" }, "a"] }),
            MembersChange::Add(ids(&["a", "b"])),
        ),
        (
            json!({ "op": "add", "value": { "members": [{ "value": "a", "displayName": "Ida" }] } }),
            MembersChange::Add(ids(&["a"])),
        ),
        (
            json!({ "op": "Remove", "path": "members", "value": [{ "value": "a" }] }),
            MembersChange::Remove(ids(&["a"])),
        ),
        (json!({ "op": "remove", "path": "members[value eq \"a\"]" }), MembersChange::Remove(ids(&["a"]))),
        (
            json!({ "op": "remove", "path": "members[value eq \"a\"]", "value": [{ "value": "b" }] }),
            MembersChange::Remove(ids(&["a"])),
        ),
        (
            json!({ "op": "remove", "path": "MEMBERS[VALUE EQ \"a\" or (value eq \"b\" or value eq \"c\")]" }),
            MembersChange::Remove(ids(&["a", "b", "c"])),
        ),
        (
            json!({ "op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"A\"]" }),
            MembersChange::Remove(ids(&["A"])),
        ),
        (json!({ "op": "remove", "path": "members" }), MembersChange::RemoveAll),
        (json!({ "op": "replace", "path": "members", "value": [] }), MembersChange::RemoveAll),
        (json!({ "op": "replace", "value": { "members": [] } }), MembersChange::RemoveAll),
        (
            json!({ "op": "replace", "path": "members", "value": [{ "value": "a", "display": "x" }] }),
            MembersChange::ReplaceAll(ids(&["a"])),
        ),
    ] {
        assert_eq!(members(json!([operation])).unwrap(), (true, vec![expected]), "{operation}");
    }
    let (rest_is_empty, changes) = members(json!([
        { "op": "remove", "path": "members[value eq \"a\"]" },
        { "op": "replace", "value": { "id": "G1", "displayName": "Ops" } },
        { "op": "add", "path": "members", "value": [{ "value": "b" }] },
    ]))
    .unwrap();
    assert!(!rest_is_empty);
    assert_eq!(changes, [MembersChange::Remove(ids(&["a"])), MembersChange::Add(ids(&["b"]))]);
    // neither no values nor a rename is "all"
    for nothing in [
        json!([{ "op": "remove", "path": "members", "value": [] }]),
        json!([{ "op": "add", "path": "members", "value": [] }]),
        json!([{ "op": "replace", "value": { "displayName": "Ops" } }]),
    ] {
        assert_eq!(members(nothing.clone()).unwrap().1, [], "{nothing}");
    }
}

#[test]
fn members_are_not_edited_or_searched() {
    for (operation, kind) in [
        (
            json!({ "op": "replace", "path": "members[value eq \"a\"].value", "value": "b" }),
            ScimType::Mutability,
        ),
        (
            json!({ "op": "replace", "path": "members[value eq \"a\"]", "value": { "value": "b" } }),
            ScimType::Mutability,
        ),
        (json!({ "op": "remove", "path": "members[value eq \"a\"].type" }), ScimType::Mutability),
        (json!({ "op": "add", "path": "members.value", "value": "a" }), ScimType::Mutability),
        (
            json!({ "op": "replace", "path": "members[value eq \"a\"].display", "value": "b" }),
            ScimType::Mutability,
        ),
        (json!({ "op": "remove", "path": "members[type eq \"User\"]" }), ScimType::InvalidFilter),
        (
            json!({ "op": "remove", "path": "members[value eq \"a\" and type eq \"User\"]" }),
            ScimType::InvalidFilter,
        ),
        (json!({ "op": "remove", "path": "members[value sw \"a\"]" }), ScimType::InvalidFilter),
        (json!({ "op": "remove", "path": "members[not (value eq \"a\")]" }), ScimType::InvalidFilter),
        (json!({ "op": "remove", "path": "members[value eq null]" }), ScimType::InvalidFilter),
        (json!({ "op": "add", "path": "members", "value": [{ "display": "Ida" }] }), ScimType::InvalidValue),
        (
            json!({ "op": "replace", "path": "members", "value": [{ "display": "Ida" }] }),
            ScimType::InvalidValue,
        ),
        (
            json!({ "op": "replace", "path": "members", "value": [{ "value": "a" }, { "value": null }] }),
            ScimType::InvalidValue,
        ),
        (json!({ "op": "replace", "value": { "members": [{}] } }), ScimType::InvalidValue),
        (json!({ "op": "replace", "value": { "members": { "id": "a" } } }), ScimType::InvalidValue),
        (
            json!({ "op": "remove", "path": "members", "value": [{ "display": "Ida" }] }),
            ScimType::InvalidValue,
        ),
        (json!({ "op": "add", "path": "members", "value": [""] }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": "members", "value": "" }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": "members", "value": [null] }), ScimType::InvalidValue),
        (json!({ "op": "add", "path": "members", "value": [{ "value": 5 }] }), ScimType::InvalidValue),
        (json!({ "op": "add", "path": "members", "value": [{ "type": "User" }] }), ScimType::InvalidValue),
    ] {
        let error = members(json!([operation])).map(|found| panic!("{operation}: {found:?}")).unwrap_err();
        assert_eq!(error.scim_type, Some(kind), "{operation}: {error}");
        assert!(error.detail.starts_with("operation 1: "), "{error}");
    }
}

#[test]
fn members_of_a_body_are_ids() {
    let read = |body: Plain| members_of_body(&Json::from(body));
    assert_eq!(read(json!({ "displayName": "x" })).unwrap(), None);
    for none in [json!({ "members": null }), json!({ "members": [] })] {
        assert_eq!(read(none).unwrap(), Some(Vec::new()));
    }
    for (body, ids) in [
        (json!({ "Members": [{ "value": "a", "display": null }, "b", { "value": "a" }] }), vec!["a", "b"]),
        (json!({ "members": { "value": "a" } }), vec!["a"]),
        (json!({ "members": "a" }), vec!["a"]),
    ] {
        assert_eq!(read(body).unwrap().unwrap(), ids);
    }
    for wrong in [
        json!({ "members": [{}] }),
        json!({ "members": [5] }),
        json!({ "members": [null] }),
        json!({ "members": [{ "value": "" }] }),
    ] {
        assert_eq!(read(wrong).unwrap_err().scim_type, Some(ScimType::InvalidValue));
    }
}

#[test]
fn a_hundred_thousand_members_are_read_in_one_pass() {
    let limits = Limits { list_values: 100_000, ..Limits::default() };
    let values: Vec<_> = (0..100_000).map(|n| json!({ "value": n.to_string() })).collect();
    let body = Json::from(json!({ "Operations": [{ "op": "add", "path": "members", "value": values }] }));
    let (_, changes) = PatchRequest::parse(&body, &GROUP_TYPE, &limits).unwrap().split_members().unwrap();
    assert!(matches!(changes.as_slice(), [MembersChange::Add(ids)] if ids.len() == 100_000));
}

fn a_value() -> impl Strategy<Value = Plain> {
    let simple = prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        "[a-c]{0,3}".prop_map(|s| json!(s)),
        Just(json!("True")),
        Just(json!("{\"value\":\"x\"}")),
    ];
    let name = prop::sample::select(vec![
        "value",
        "type",
        "primary",
        "givenName",
        "name",
        "emails",
        "$ref",
        "active",
        "id",
        "members",
        "members.value",
        "emails[type eq \"work\"].value",
        "name.givenName",
        ENTERPRISE,
        "manager",
        USER,
        "schemas",
        "meta",
        "groups",
        "password",
        "addresses",
        "locality",
        "roles",
        "x509Certificates",
    ]);
    simple.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|v| json!(v)),
            prop::collection::btree_map(name.clone(), inner, 0..4).prop_map(|m| json!(m)),
        ]
    })
}

fn an_operation() -> impl Strategy<Value = Plain> {
    let path = prop::sample::select(vec![
        "title",
        "name",
        "name.givenName",
        "emails",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[primary eq true].value",
        "emails[value pr].primary",
        "emails.value",
        "active",
        "roles",
        "roles[primary eq \"True\"].value",
        "addresses[type eq \"work\"].locality",
        "members",
        "members[value eq \"a\"]",
        "id",
        "schemas",
        ENTERPRISE,
        USER,
        "x509Certificates",
        "photos",
        "userName",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "",
        "a b",
        "meta.created",
    ]);
    let verb = prop::sample::select(vec!["add", "Replace", "remove"]);
    (verb, prop::option::of(path), prop::option::of(a_value())).prop_map(|(op, path, value)| {
        let mut operation = json!({ "op": op });
        if let Some(path) = path {
            operation["path"] = json!(path);
        }
        if let Some(value) = value {
            operation["value"] = value;
        }
        operation
    })
}

fn a_user() -> impl Strategy<Value = Resource> {
    let kinds = ["work", "home", "other"];
    let mail = (prop::sample::select(kinds.to_vec()), "[a-c]{1,2}")
        .prop_map(|(t, v)| json!({ "type": t, "value": v }));
    (prop::collection::vec(mail, 0..4), prop::option::of("[a-z]{1,4}"), any::<bool>()).prop_map(
        |(mails, title, named)| {
            let mut attributes = json!({ "emails": mails, "active": true });
            if let Some(title) = title {
                attributes["title"] = json!(title);
            }
            if named {
                attributes["name"] = json!({ "givenName": "Ida", "familyName": "Holm" });
            }
            user(attributes)
        },
    )
}

proptest! {
    #[test]
    fn no_json_breaks_the_reader(value in a_value(), operations in prop::collection::vec(an_operation(), 0..5)) {
        for ty in [&USER_TYPE, &GROUP_TYPE] {
            let _ = PatchRequest::parse(&Json::from(value.clone()), ty, &Limits::default());
            let _ = members_of_body(&Json::from(value.clone()));
            if let Ok(request) = request(ty, &json!(operations)) {
                let group = resource(&GROUP_TYPE, json!({ "displayName": "Ops" }));
                let _ = apply(ty, &if ty.name == "User" { user(mails()) } else { group }, &request);
                let _ = request.split_members();
            }
        }
    }

    /// What comes out has what a resource must have: types, one primary at most, no empty lists, and a
    /// text that reads as itself.
    #[test]
    fn what_comes_out_is_a_resource(before in a_user(), operations in prop::collection::vec(an_operation(), 1..5)) {
        if let Ok(after) = patch(&before, &json!(operations)) {
            let stored = after.to_stored();
            prop_assert_eq!(&Resource::from_stored(&USER_TYPE, &stored).unwrap(), &after);
            for (_, value) in after.core.iter() {
                if let Value::List(values) = value {
                    prop_assert!(!values.is_empty());
                    prop_assert!(values.iter().filter(|v| super::entry::is_primary(v)).count() <= 1, "{}", stored);
                }
            }
            prop_assert!(after.core.get("active").is_some());
            prop_assert!(after.core.get("password").is_none());
            prop_assert!(after.extensions.iter().all(|(_, attributes)| !attributes.is_empty()));
        }
    }

    #[test]
    fn replacing_twice_is_replacing_once(before in a_user(), mut operation in an_operation()) {
        operation["op"] = json!("replace");
        if let Ok(once) = patch(&before, &json!([operation])) {
            match patch(&once, &json!([operation])) {
                Ok(twice) => {
                    prop_assert_eq!(&twice, &once, "{}", operation);
                    prop_assert_eq!(&patch(&before, &json!([operation, operation])).unwrap(), &once, "{}", operation);
                }
                // A work address that was replaced by a home address is no work address any more.
                Err(error) => prop_assert_eq!(error.scim_type, Some(ScimType::NoTarget), "{}", operation),
            }
        }
    }

    #[test]
    fn adding_twice_is_adding_once(before in a_user(), mut operation in an_operation()) {
        operation["op"] = json!("add");
        if let Ok(once) = patch(&before, &json!([operation])) {
            prop_assert_eq!(&patch(&once, &json!([operation])).unwrap(), &once, "{}", operation);
        }
    }

    #[test]
    fn what_is_added_and_removed_again_was_never_there(before in a_user(), address in "[d-f]{1,3}") {
        let value = json!([{ "type": "work", "value": address }]);
        let after = patch(&before, &json!([
            { "op": "add", "path": "emails", "value": value },
            { "op": "remove", "path": "emails", "value": value },
        ])).unwrap();
        prop_assert_eq!(&after, &before);
        let after = patch(&before, &json!([
            { "op": "add", "path": "emails[type eq \"pager\"].value", "value": address },
            { "op": "remove", "path": "emails[type eq \"pager\"].value" },
        ])).unwrap();
        prop_assert_eq!(&after, &before);
    }

    #[test]
    fn a_failing_operation_fails_the_request(before in a_user(), operations in prop::collection::vec(an_operation(), 0..4)) {
        let mut operations = operations;
        operations.push(json!({ "op": "remove", "path": "userName" }));
        prop_assert!(patch(&before, &json!(operations)).is_err());
    }

    #[test]
    fn one_request_is_its_operations_one_by_one(before in a_user(), operations in prop::collection::vec(an_operation(), 1..5)) {
        let together = patch(&before, &json!(operations)).ok();
        let apart = operations.iter().try_fold(before.clone(), |now, operation| patch(&now, &json!([operation])));
        if let (Some(together), Ok(apart)) = (together, apart) {
            prop_assert!(together.same_as(&apart), "{} and {}", plain(&together), plain(&apart));
        }
    }

    #[test]
    fn a_value_without_path_is_one_operation_for_each_key(
        before in a_user(),
        verb in prop::sample::select(vec!["add", "replace"]),
        title in "[a-z]{1,3}",
        mails in prop::collection::vec("[a-c]{1,2}", 0..3),
        given in prop::option::of("[a-z]{1,3}"),
        manager in "[A-Z]{1,2}",
    ) {
        let mails: Vec<_> = mails.iter().map(|m| json!({ "value": m })).collect();
        let manager_path = format!("{ENTERPRISE}:manager");
        let pathless = json!([{ "op": verb, "value": {
            "title": title, "emails": mails, "name.givenName": given, ENTERPRISE: { "manager": manager },
        }}]);
        let pathful = json!([
            { "op": verb, "path": "title", "value": title },
            { "op": verb, "path": "emails", "value": mails },
            { "op": verb, "path": "name.givenName", "value": given },
            { "op": verb, "path": manager_path, "value": manager },
        ]);
        let pathless = patch(&before, &pathless).unwrap();
        let pathful = patch(&before, &pathful).unwrap();
        prop_assert!(pathless.same_as(&pathful), "{} and {}", plain(&pathless), plain(&pathful));
    }
}
