//! The shape of each request, in each dialect.

use latchkey_provisioning::jobfile::Dialect::{self, Entra, EntraCompliant, Rfc};
use latchkey_provisioning::{Difference, Kind};
use latchkey_scim_client::dialect;
use serde_json::{Map, Value as Json, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn map(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

fn differs(path: &str, old: Option<Json>, new: Option<Json>) -> Difference {
    Difference { path: path.parse().expect("it is a path"), old, new, redacted: false }
}

/// The operations of a change to somebody who has a name, a department and a work address.
fn operations(dialect: Dialect, differences: &[Difference]) -> Json {
    let held = map(json!({
        "displayName": "Mira", "active": true, "name": { "familyName": "Moss" },
        "emails": [{ "type": "work", "value": "mira@quarry.example" }], ENTERPRISE: { "department": "Geology" },
    }));
    let mut body = dialect::change(Kind::User, dialect, differences, &held);
    assert_eq!(body["schemas"], json!([PATCH]));
    body["Operations"].take()
}

#[test]
fn disabling_and_enabling() {
    for (active, word) in [(false, "False"), (true, "True")] {
        let change = [differs("active", Some(json!(!active)), Some(json!(active)))];
        for words in [Rfc, EntraCompliant] {
            let expected = json!([{ "op": "replace", "path": "active", "value": active }]);
            assert_eq!(operations(words, &change), expected);
        }
        let expected = json!([{ "op": "Replace", "path": "active", "value": word }]);
        assert_eq!(operations(Entra, &change), expected);
    }
}

#[test]
fn several_attributes_of_one_person() {
    let change = [
        differs("displayName", Some(json!("Mira")), Some(json!("Mira Kefa"))),
        differs("name.familyName", Some(json!("Moss")), Some(json!("Kefa"))),
        differs(
            "emails[type eq \"work\"].value",
            Some(json!("mira@quarry.example")),
            Some(json!("mk@quarry.example")),
        ),
        differs("phoneNumbers[type eq \"mobile\"].value", None, Some(json!("+351 912345678"))),
        differs(&format!("{ENTERPRISE}:department"), Some(json!("Geology")), Some(json!("Drilling"))),
    ];
    let department = format!("{ENTERPRISE}:department");
    assert_eq!(
        operations(Entra, &change),
        json!([
            { "op": "Replace", "path": "displayName", "value": "Mira Kefa" },
            { "op": "Replace", "path": "name.familyName", "value": "Kefa" },
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "mk@quarry.example" },
            { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+351 912345678" },
            { "op": "Replace", "path": department, "value": "Drilling" },
        ])
    );
    assert_eq!(
        operations(EntraCompliant, &change),
        json!([
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "mk@quarry.example" },
            { "op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+351 912345678" },
            { "op": "replace", "value": {
                "displayName": "Mira Kefa", "name.familyName": "Kefa", department.clone(): "Drilling" } },
        ])
    );
    assert_eq!(
        operations(Rfc, &change),
        json!([
            { "op": "replace", "path": "displayName", "value": "Mira Kefa" },
            { "op": "replace", "path": "name.familyName", "value": "Kefa" },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "mk@quarry.example" },
            { "op": "replace", "path": department, "value": "Drilling" },
            { "op": "add", "path": "phoneNumbers", "value": [{ "type": "mobile", "value": "+351 912345678" }] },
        ])
    );
}

#[test]
fn what_a_filtered_path_would_not_reach_is_added_whole_and_once() {
    let change = [
        differs("addresses[type eq \"work\"].locality", None, Some(json!("Porto"))),
        differs("addresses[type eq \"work\"].country", None, Some(json!("PT"))),
    ];
    let expected = json!([{ "op": "add", "path": "addresses", "value": [{ "type": "work", "locality": "Porto", "country": "PT" }] }]);
    assert_eq!(operations(Rfc, &change), expected);
    assert_eq!(
        operations(Entra, &change),
        json!([
            { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Porto" },
            { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "PT" },
        ])
    );
}

#[test]
fn a_manager_is_an_object_to_the_standard_and_an_id_to_entra() {
    let path = format!("{ENTERPRISE}:manager");
    let change = [differs(&path, None, Some(json!("u-2")))];
    assert_eq!(operations(Rfc, &change), json!([{ "op": "add", "path": path, "value": { "value": "u-2" } }]));
    assert_eq!(operations(Entra, &change), json!([{ "op": "Add", "path": path, "value": "u-2" }]));
    assert_eq!(operations(EntraCompliant, &change), json!([{ "op": "add", "path": path, "value": "u-2" }]));
}

#[test]
fn what_is_cleared_is_removed() {
    let change = [differs("title", Some(json!("Miner")), None)];
    assert_eq!(operations(Rfc, &change), json!([{ "op": "remove", "path": "title" }]));
    assert_eq!(operations(Entra, &change), json!([{ "op": "Remove", "path": "title" }]));
    assert_eq!(operations(EntraCompliant, &change), json!([{ "op": "remove", "path": "title" }]));
}

#[test]
fn a_person_is_made_with_the_schemas_that_they_have_values_of() {
    let resource = || {
        map(json!({
            "userName": "mira@quarry.example", "active": true,
            "emails": [{ "type": "work", "value": "mira@quarry.example" }], ENTERPRISE: { "department": "Geology" },
        }))
    };
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let body = dialect::create(Kind::User, Rfc, resource());
    assert_eq!(body["schemas"], json!([core, ENTERPRISE]));
    assert_eq!(body["emails"], json!([{ "type": "work", "value": "mira@quarry.example", "primary": true }]));
    assert_eq!(body.get("meta"), None);
    let plain = dialect::create(Kind::User, Rfc, map(json!({ "userName": "m" })));
    assert_eq!(plain, json!({ "schemas": [core], "userName": "m" }));
    let entra = dialect::create(Kind::User, Entra, resource());
    assert_eq!(
        (&entra["schemas"], &entra["meta"]),
        (&json!([core, ENTERPRISE]), &json!({ "resourceType": "User" }))
    );
}

#[test]
fn a_group_is_made_without_members() {
    let resource = || map(json!({ "displayName": "Leads", "externalId": "8f2b" }));
    let core = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let expected = json!({ "schemas": [core], "displayName": "Leads", "externalId": "8f2b" });
    assert_eq!(dialect::create(Kind::Group, Rfc, resource()), expected);
    let entra = dialect::create(Kind::Group, EntraCompliant, resource());
    let schemas = json!([core, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]);
    assert_eq!((&entra["schemas"], &entra["meta"]), (&schemas, &json!({ "resourceType": "Group" })));
}

#[test]
fn members_are_added_and_removed_in_portions() {
    let ids: Vec<String> = ["u-1", "u-\"2"].map(str::to_owned).to_vec();
    let operations = |mut bodies: Vec<Json>| bodies.pop().map(|mut body| body["Operations"].take());
    let add = |dialect| operations(dialect::add_members(dialect, &ids)).expect("there is one");
    let remove = |dialect| operations(dialect::remove_members(dialect, &ids)).expect("there is one");
    let two = json!([{ "value": "u-1" }, { "value": "u-\"2" }]);
    assert_eq!(add(Rfc), json!([{ "op": "add", "path": "members", "value": two }]));
    assert_eq!(
        add(Entra),
        json!([{ "op": "Add", "path": "members", "value": [
            { "$ref": null, "value": "u-1" }, { "$ref": null, "value": "u-\"2" }] }])
    );
    assert_eq!(remove(Entra), json!([{ "op": "Remove", "path": "members", "value": two }]));
    for words in [Rfc, EntraCompliant] {
        let expected = json!([
            { "op": "remove", "path": "members[value eq \"u-1\"]" },
            { "op": "remove", "path": "members[value eq \"u-\\\"2\"]" },
        ]);
        assert_eq!(remove(words), expected);
    }
    let many: Vec<String> = (0..1_201).map(|n| n.to_string()).collect();
    let sizes: Vec<usize> = dialect::add_members(Rfc, &many)
        .iter()
        .map(|body| body["Operations"][0]["value"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sizes, [500, 500, 201]);
    assert!(dialect::remove_members(Rfc, &[]).is_empty());
}

#[test]
fn values_are_escaped_in_filters() {
    let path = "userName".parse().expect("it is a path");
    assert_eq!(dialect::filter(&path, "o\"k\\é"), r#"userName eq "o\"k\\é""#);
    let path = "emails[type eq \"work\"].value".parse().expect("it is a path");
    assert_eq!(dialect::filter(&path, "a@b"), r#"emails[type eq "work"].value eq "a@b""#);
}
