//! Rows 1 to 13: the operations that Entra sends for users.

use serde_json::json;

use crate::row::row;
use crate::support::scim::{ENTERPRISE, assert_refused, of_type, patch, user};
use crate::support::text;

pub(crate) fn rows() -> crate::Rows {
    vec![
        row!(1, "`op` is compared without case: Replace, Add, Remove", |case| {
            let id = case.user("ida", json!({"title": "Nurse"})).await;
            let stored = case
                .patch_user(
                    &id,
                    json!([
                        {"op": "Replace", "path": "displayName", "value": "Ida Holm"},
                        {"op": "Add", "path": "nickName", "value": "Idi"},
                        {"op": "Remove", "path": "title"},
                    ]),
                )
                .await;
            assert_eq!(stored["displayName"], "Ida Holm");
            assert_eq!(stored["nickName"], "Idi");
            assert_eq!(stored.get("title"), None, "{stored}");
        }),
        row!(2, "the lower case of `aadOptscim062020` alike", |case| {
            let id = case.user("ida", json!({"title": "Nurse"})).await;
            let stored = case
                .patch_user(
                    &id,
                    json!([
                        {"op": "replace", "path": "displayName", "value": "Ida Holm"},
                        {"op": "add", "path": "nickName", "value": "Idi"},
                        {"op": "remove", "path": "title"},
                    ]),
                )
                .await;
            assert_eq!(stored["displayName"], "Ida Holm");
            assert_eq!(stored["nickName"], "Idi");
            assert_eq!(stored.get("title"), None, "{stored}");
        }),
        row!(3, "`active` as the text False is the boolean false", |case| {
            for (at, word) in ["False", "false", "FALSE"].into_iter().enumerate() {
                let id = case.user(&format!("ida{at}"), json!({})).await;
                let stored =
                    case.patch_user(&id, json!({"op": "Replace", "path": "active", "value": word})).await;
                assert_eq!(stored["active"], json!(false), "{word}");
            }
        }),
        row!(3, "another word for `active` is refused, and text elsewhere stays text", |case| {
            let id = case.user("ida", json!({})).await;
            let path = format!("/Users/{id}");
            for word in ["Nope", "", "0", "Falsee"] {
                let operation = json!({"op": "Replace", "path": "active", "value": word});
                if word.is_empty() {
                    // An empty text may also be read as unset; what it must not do is disable.
                    let answer = case.scim.patch(&path, &patch(operation)).await;
                    assert!(answer.status < 500);
                    assert_eq!(case.read_user(&id).await["active"], json!(true));
                } else {
                    case.refuse(&path, operation, "invalidValue").await;
                }
            }
            let stored =
                case.patch_user(&id, json!({"op": "Replace", "path": "displayName", "value": "False"})).await;
            assert_eq!(stored["displayName"], json!("False"));
            assert_eq!(stored["active"], json!(true));
        }),
        row!(4, "restoring by the text True gives the same resource with its data", |case| {
            let id = case.user("ida", json!({"title": "Nurse", "nickName": "Idi"})).await;
            let before = case.read_user(&id).await;
            case.patch_user(&id, json!({"op": "Replace", "path": "active", "value": "False"})).await;
            let after =
                case.patch_user(&id, json!({"op": "Replace", "path": "active", "value": "True"})).await;
            assert_eq!(after["active"], json!(true));
            let without_meta = |mut user: serde_json::Value| {
                user.as_object_mut().map(|user| user.remove("meta"));
                user
            };
            assert_eq!(without_meta(after), without_meta(before));
        }),
        row!(5, "a create with `active` as text stores a boolean", |case| {
            for (word, active) in [("True", true), ("False", false)] {
                let id = case.user(word, json!({"active": word})).await;
                assert_eq!(case.read_user(&id).await["active"], json!(active), "{word}");
            }
        }),
        row!(6, "dotted keys without a path keep their siblings", |case| {
            let name = json!({"givenName": "Old", "familyName": "Older", "middleName": "M."});
            let id = case.user("ida", json!({"name": name})).await;
            let stored = case
                .patch_user(
                    &id,
                    json!({"op": "replace", "value": {
                        "displayName": "Ida", "name.givenName": "Ida", "name.familyName": "Holm",
                    }}),
                )
                .await;
            assert_eq!(stored["displayName"], "Ida");
            assert_eq!(stored["name"], json!({"givenName": "Ida", "familyName": "Holm", "middleName": "M."}));
            assert_eq!(stored.get("name.givenName"), None, "{stored}");
        }),
        row!(7, "the dot in a schema's 2.0 separates nothing", |case| {
            let id = case.user("ida", json!({ENTERPRISE: {"department": "Care"}})).await;
            let key = format!("{ENTERPRISE}:employeeNumber");
            let stored = case.patch_user(&id, json!({"op": "replace", "value": {key: "E7"}})).await;
            assert_eq!(stored[ENTERPRISE], json!({"department": "Care", "employeeNumber": "E7"}), "{stored}");
            assert!(stored["schemas"].as_array().is_some_and(|urns| urns.contains(&json!(ENTERPRISE))));
        }),
        row!(8, "operations without and with a path apply in order, all or none", |case| {
            let id = case.user("ida", json!({})).await;
            let stored = case
                .patch_user(
                    &id,
                    json!([
                        {"op": "replace", "value": {"displayName": "Ida", "name.givenName": "Ida-Maria"}},
                        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "im@corp.example"},
                        {"op": "replace", "value": {"displayName": "Ida-Maria"}},
                    ]),
                )
                .await;
            assert_eq!(stored["displayName"], "Ida-Maria", "the last one counts");
            assert_eq!(stored["name"]["givenName"], "Ida-Maria");
            assert_eq!(of_type(&stored, "emails", "work")[0]["value"], "im@corp.example");
            case.refuse(
                &format!("/Users/{id}"),
                json!([
                    {"op": "replace", "value": {"displayName": "Nobody"}},
                    {"op": "replace", "path": "emails[type eq \"work\"].value", "value": {"no": "text"}},
                ]),
                "invalidValue",
            )
            .await;
        }),
        row!(9, "Add through a filter that nothing matches makes the value from it", |case| {
            let id = case.user("ida", json!({"emails": []})).await;
            let path = "emails[type eq \"work\"].value";
            let stored =
                case.patch_user(&id, json!({"op": "Add", "path": path, "value": "ida@corp.example"})).await;
            assert_eq!(stored["emails"], json!([{"type": "work", "value": "ida@corp.example"}]));
        }),
        row!(10, "Replace too, where the filter says only what is equal", |case| {
            let id = case.user("ida", json!({"emails": []})).await;
            let path = "emails[type eq \"work\"].value";
            let stored = case
                .patch_user(&id, json!({"op": "Replace", "path": path, "value": "ida@corp.example"}))
                .await;
            assert_eq!(stored["emails"], json!([{"type": "work", "value": "ida@corp.example"}]));
            let path = "phoneNumbers[type eq \"work\" and primary eq true].value";
            let stored = case.patch_user(&id, json!({"op": "Replace", "path": path, "value": "123"})).await;
            assert_eq!(stored["phoneNumbers"], json!([{"type": "work", "primary": true, "value": "123"}]));
            for path in [
                "ims[type sw \"sky\"].value",
                "ims[not (type eq \"skype\")].value",
                "ims[type eq \"skype\" or type eq \"icq\"].value",
            ] {
                let operation = json!({"op": "Replace", "path": path, "value": "ida"});
                case.refuse(&format!("/Users/{id}"), operation, "noTarget").await;
            }
        }),
        row!(11, "Add to a value that is there changes it and makes no second one", |case| {
            let id = case.user("ida", json!({})).await;
            let path = "emails[type eq \"work\"].value";
            let stored =
                case.patch_user(&id, json!({"op": "Add", "path": path, "value": "new@corp.example"})).await;
            let work = of_type(&stored, "emails", "work");
            assert_eq!(work.len(), 1, "{stored}");
            assert_eq!(work[0]["value"], "new@corp.example");
            assert_eq!(work[0]["primary"], json!(true), "the rest of the value stays");
        }),
        row!(12, "several Adds through one filter make one address", |case| {
            let id = case.user("ida", json!({})).await;
            let add = |part: &str, value: &str| json!({"op": "Add", "path": format!("addresses[type eq \"work\"].{part}"), "value": value});
            let stored = case
                .patch_user(
                    &id,
                    json!([
                        add("streetAddress", "Torv 1"),
                        add("locality", "Aarhus"),
                        add("region", "Midtjylland"),
                        add("postalCode", "8000"),
                        add("country", "DK"),
                        add("formatted", "Torv 1, 8000 Aarhus"),
                    ]),
                )
                .await;
            let address = json!({
                "type": "work", "streetAddress": "Torv 1", "locality": "Aarhus", "region": "Midtjylland",
                "postalCode": "8000", "country": "DK", "formatted": "Torv 1, 8000 Aarhus",
            });
            assert_eq!(stored["addresses"], json!([address]));
        }),
        row!(13, "sub-attributes are named without case", |case| {
            let id = case.user("ida", json!({})).await;
            let stored = case
                .patch_user(
                    &id,
                    json!([
                        {"op": "Add", "path": "addresses[type eq \"other\"].Formatted", "value": "Box 7"},
                        {"op": "Add", "path": "emails[type eq \"other\"].Value", "value": "o@corp.example"},
                    ]),
                )
                .await;
            assert_eq!(of_type(&stored, "addresses", "other")[0]["formatted"], "Box 7", "{stored}");
            assert_eq!(of_type(&stored, "emails", "other")[0]["value"], "o@corp.example", "{stored}");
        }),
        row!(48, "names in lower case in bodies and paths", |case| {
            let body = user(&case.name("unused"), json!({}));
            let name = case.name("ida");
            let body = json!({
                "schemas": body["schemas"], "username": name, "displayname": "Ida",
                "name": {"givenname": "Ida", "FAMILYNAME": "Holm"},
                "emails": [{"TYPE": "work", "Value": name}],
            });
            let made = case.scim.post("/Users", &body).await.expect(201).json();
            let id = text(&made, "/id");
            let stored = case.read_user(id).await;
            assert_eq!(stored["userName"], json!(name), "{stored}");
            assert_eq!(stored["displayName"], "Ida");
            assert_eq!(stored["name"], json!({"givenName": "Ida", "familyName": "Holm"}));
            assert_eq!(stored["emails"], json!([{"type": "work", "value": name}]));
            let renamed = case.name("ida-maria");
            let stored = case
                .patch_user(
                    id,
                    json!([
                        {"op": "replace", "path": "username", "value": renamed},
                        {"op": "replace", "path": "NAME.givenname", "value": "Ida-Maria"},
                    ]),
                )
                .await;
            assert_eq!(stored["userName"], json!(renamed));
            assert_eq!(stored["name"], json!({"givenName": "Ida-Maria", "familyName": "Holm"}));
            let doubled = user(&case.name("two"), json!({"username": "other"}));
            assert_refused(&case.scim.post("/Users", &doubled).await, 400, "invalidSyntax");
        }),
    ]
}
