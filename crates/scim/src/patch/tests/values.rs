use serde_json::{Value as Plain, json};

use super::{USER, becomes, mails, patch, plain, refused, user};
use crate::json::Json;
use crate::patch::{PatchRequest, apply};
use crate::schema::USER_TYPE;
use crate::{Limits, ScimType};

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

#[test]
fn what_changes_nothing_leaves_the_same_text() {
    let before =
        user(json!({ "title": "A", "nickName": "I", "name": { "givenName": "Ida", "familyName": "Holm" } }));
    for operations in [
        json!([{ "op": "remove", "path": "title" }, { "op": "add", "path": "title", "value": "A" }]),
        json!([{ "op": "remove", "path": "name.givenName" }, { "op": "add", "path": "name.givenName", "value": "Ida" }]),
        json!([{ "op": "replace", "value": { "nickName": "I", "title": "A" } }]),
        json!([{ "op": "remove", "path": "emails[type eq \"work\"]" }]),
    ] {
        assert_eq!(patch(&before, &operations).unwrap().to_stored(), before.to_stored(), "{operations}");
    }
}

#[test]
fn many_operations_on_a_long_list_are_refused() {
    let mails: Vec<_> = (0..10_000).map(|n| json!({ "value": n.to_string() })).collect();
    let one = json!({ "op": "replace", "path": "emails[type eq \"work\"].display", "value": "x" });
    let many: Vec<_> = std::iter::repeat_n(one, 500).collect();
    let error = patch(&user(json!({ "emails": mails })), &json!(many)).unwrap_err();
    assert_eq!(error.status, 413, "{error}");
}
