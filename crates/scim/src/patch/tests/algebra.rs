use proptest::prelude::*;
use serde_json::{Value as Plain, json};

use super::{ENTERPRISE, USER, mails, patch, plain, request, resource, user};
use crate::json::Json;
use crate::patch::{PatchRequest, apply, entry, members_of_body};
use crate::schema::{GROUP_TYPE, USER_TYPE};
use crate::{Limits, Resource, ScimType, Value};

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
                    prop_assert!(values.iter().filter(|v| entry::is_primary(v)).count() <= 1, "{}", stored);
                }
            }
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
