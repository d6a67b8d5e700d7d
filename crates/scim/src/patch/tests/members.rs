use serde_json::{Value as Plain, json};

use super::request;
use crate::json::Json;
use crate::patch::{MembersChange, PatchRequest, members_of_body};
use crate::schema::GROUP_TYPE;
use crate::{Error, Limits, ScimType};

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
