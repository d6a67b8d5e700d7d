//! Rows 14 to 22, 42, 43, 46 and 47: the values that Entra sends for users.

use serde_json::{Value, json};

use crate::row::row;
use crate::support::scim::{
    ENTERPRISE, USER, assert_error, assert_refused, create, found_ids, of_type, patch, user,
};
use crate::support::{NEVER, list, text};

pub(crate) fn rows() -> crate::Rows {
    vec![
        row!(14, "`roles[primary eq \"True\"].value` makes and replaces the primary role", |case| {
            let id = case.user("ida", json!({})).await;
            let path = "roles[primary eq \"True\"].value";
            let stored = case.patch_user(&id, json!({"op": "Add", "path": path, "value": "Editor"})).await;
            assert_eq!(stored["roles"], json!([{"primary": true, "value": "Editor"}]));
            for (op, value) in [("Replace", "Reader"), ("Add", "Writer")] {
                let stored = case.patch_user(&id, json!({"op": op, "path": path, "value": value})).await;
                assert_eq!(stored["roles"], json!([{"primary": true, "value": value}]));
            }
        }),
        row!(15, "a role as JSON text is kept, or read for its value", |case| {
            let id = case.user("ida", json!({})).await;
            let role =
                r#"{"id":"8b292bda-0000-4000-8000-000000000001","value":"Admin","displayName":"Admin"}"#;
            let stored = case
                .patch_user(&id, json!([{"op": "Add", "path": "roles", "value": [{"value": role}]}]))
                .await;
            let kept = text(&stored, "/roles/0/value");
            assert!(kept == role || kept == "Admin", "{stored}");
            assert_eq!(list(&stored, "/roles").len(), 1);
        }),
        row!(16, "an empty list of roles in a create is no roles", |case| {
            let id = case.user("ida", json!({"roles": []})).await;
            let stored = case.read_user(&id).await;
            assert_eq!(stored.get("roles"), None, "{stored}");
        }),
        row!(17, "`meta` in a create is ignored, for users and groups", |case| {
            let meta =
                json!({"resourceType": "User", "created": "1999-01-01T00:00:00Z", "version": "W/\"x\""});
            let id = case.user("ida", json!({"meta": meta})).await;
            let stored = case.read_user(&id).await;
            assert_eq!(text(&stored, "/meta/resourceType"), "User");
            assert_ne!(text(&stored, "/meta/created"), "1999-01-01T00:00:00Z");
            assert_ne!(text(&stored, "/meta/version"), "W/\"x\"");
            let mut body = crate::support::scim::group(&case.name("team"), &[]);
            body["meta"] = json!({"resourceType": "Group"});
            let made = create(&case.scim, "/Groups", &body).await;
            assert_eq!(text(&made, "/meta/resourceType"), "Group");
            assert!(text(&made, "/meta/location").ends_with(&format!("/Groups/{}", text(&made, "/id"))));
        }),
        row!(19, "a manager as a bare id sets `manager.value`", |case| {
            let boss = case.user("boss", json!({})).await;
            let id = case.user("ida", json!({})).await;
            let path = format!("{ENTERPRISE}:manager");
            let stored = case.patch_user(&id, json!({"op": "Add", "path": path, "value": boss})).await;
            assert_eq!(stored[ENTERPRISE]["manager"]["value"], json!(boss), "{stored}");
            assert!(list(&stored, "/schemas").contains(&json!(ENTERPRISE)));
        }),
        row!(20, "in a create the same", |case| {
            let boss = case.user("boss", json!({})).await;
            let schemas = json!([USER, ENTERPRISE]);
            let extra = json!({"schemas": schemas, ENTERPRISE: {"manager": boss, "department": "Care"}});
            let id = case.user("ida", extra).await;
            let stored = case.read_user(&id).await;
            assert_eq!(stored[ENTERPRISE]["manager"]["value"], json!(boss), "{stored}");
            assert_eq!(stored[ENTERPRISE]["department"], "Care");
        }),
        row!(21, "a manager is unset by Remove, and by Replace with an empty text", |case| {
            let boss = case.user("boss", json!({})).await;
            let path = format!("{ENTERPRISE}:manager");
            for (at, operation) in [
                json!({"op": "Remove", "path": path}),
                json!({"op": "Replace", "path": path, "value": ""}),
                json!({"op": "Replace", "path": path, "value": {"value": ""}}),
                json!({"op": "Replace", "path": path, "value": null}),
            ]
            .into_iter()
            .enumerate()
            {
                let manager = json!({ENTERPRISE: {"manager": {"value": boss}}});
                let id = case.user(&format!("ida{at}"), manager).await;
                let stored = case.patch_user(&id, operation.clone()).await;
                assert_eq!(stored.get(ENTERPRISE), None, "{operation}: {stored}");
                assert_eq!(stored["schemas"], json!([USER]), "the last attribute takes its schema along");
            }
        }),
        row!(22, "a manager who isn't there yet is refused clearly or kept, and never a fault", |case| {
            let id = case.user("ida", json!({})).await;
            let path = format!("{ENTERPRISE}:manager");
            let operation = json!({"op": "Add", "path": path, "value": NEVER});
            let answer = case.scim.patch(&format!("/Users/{id}"), &patch(operation)).await;
            let stored = case.read_user(&id).await;
            if answer.status == 400 {
                let (_, detail) = assert_error(&answer);
                assert!(detail.contains("manager"), "{detail}");
                assert_eq!(stored.get(ENTERPRISE), None, "{stored}");
            } else {
                assert!(matches!(answer.status, 200 | 204), "{answer:?}");
                assert_eq!(stored[ENTERPRISE]["manager"]["value"], json!(NEVER), "{stored}");
            }
        }),
        row!(
            22,
            "a group's member who isn't there yet is refused by name, and taken in a later cycle",
            |case| {
                let group = case.group("team", &[]).await;
                let operation = |id: &str| json!({"op": "Add", "path": "members", "value": [{"value": id}]});
                let detail = case.refuse(&format!("/Groups/{group}"), operation(NEVER), "invalidValue").await;
                assert!(detail.contains(NEVER), "the service's log must say who: {detail}");
                let id = case.user("late", json!({})).await;
                case.patch_group(&group, operation(&id)).await;
                assert!(case.members(&group).await.contains(&id));
            }
        ),
        row!(42, "values come back as sent", |case| {
            let name = format!("Ida.HOLM+x.{}", case.name("Mixed"));
            let extra = json!({
                "phoneNumbers": [{"type": "mobile", "value": "55555555555"}],
                "displayName": " Ida  Ho\u{308}lm ",
                "title": "Læge / \"chief\" \\ \u{1F9EA}",
                "locale": "da-dk",
                "emails": [{"type": "work", "value": name, "primary": true}],
                "externalId": "0007",
            });
            let sent = user(&name, extra);
            let made = create(&case.scim, "/Users", &sent).await;
            let stored = case.read_user(text(&made, "/id")).await;
            for key in ["userName", "phoneNumbers", "displayName", "title", "locale", "emails", "externalId"]
            {
                assert_eq!(stored[key], sent[key], "{key}");
            }
        }),
        row!(43, "two work addresses are refused, or the first answers for the type", |case| {
            let emails = json!([
                {"type": "work", "value": "one@corp.example"}, {"type": "work", "value": "two@corp.example"},
            ]);
            let answer = case.scim.post("/Users", &user(&case.name("ida"), json!({"emails": emails}))).await;
            if answer.status == 400 {
                assert_refused(&answer, 400, "invalidValue");
                return;
            }
            let id = text(&answer.expect(201).json(), "/id").to_owned();
            let path = "emails[type eq \"work\"].value";
            let replace = json!({"op": "Replace", "path": path, "value": "new@corp.example"});
            let stored = case.patch_user(&id, replace.clone()).await;
            let work = of_type(&stored, "emails", "work");
            assert!((1..=2).contains(&work.len()), "never a third: {stored}");
            assert_eq!(work[0]["value"], "new@corp.example", "{stored}");
            assert_eq!(case.patch_user(&id, replace).await, stored, "and it does not patch for ever");
        }),
        row!(46, "the list of one value of the 2018 job is unwrapped or refused, never stored", |case| {
            let id = case.user("ida", json!({"displayName": "Old"})).await;
            let path = format!("/Users/{id}");
            let value = json!([{"$ref": null, "value": "Ida"}]);
            let operation = json!({"op": "Replace", "path": "displayName", "value": value});
            let answer = case.scim.patch(&path, &patch(operation)).await;
            let wanted = if answer.status == 400 { "Old" } else { "Ida" };
            assert!(matches!(answer.status, 200 | 204 | 400), "{answer:?}");
            assert_eq!(case.read_user(&id).await["displayName"], json!(wanted));
            let operation =
                json!({"op": "Replace", "path": format!("{ENTERPRISE}.department"), "value": "Care"});
            let answer = case.scim.patch(&path, &patch(operation)).await;
            let stored = case.read_user(&id).await;
            if answer.status == 400 {
                assert_refused(&answer, 400, "invalidPath");
                assert_eq!(stored.get(ENTERPRISE), None, "{stored}");
            } else {
                assert_eq!(stored[ENTERPRISE]["department"], "Care", "{answer:?}");
            }
        }),
        row!(46, "`active` as the 2018 job sends it disables, or is refused", |case| {
            let id = case.user("ida", json!({})).await;
            let operation = json!({"op": "replace", "path": "active", "value": [{"value": "False"}]});
            let answer = case.scim.patch(&format!("/Users/{id}"), &patch(operation)).await;
            assert!(matches!(answer.status, 200 | 204), "{answer:?}");
            assert_eq!(case.read_user(&id).await["active"], json!(false));
        }),
        row!(
            47,
            "the validator's values of entries that don't exist yet all land in one entry a type",
            |case| {
                let id = case.user("ida", json!({"emails": []})).await;
                let op = |op: &str, path: &str, value: Value| json!({"op": op, "path": path, "value": value});
                let stored = case
                    .patch_user(
                        &id,
                        json!([
                            op("add", "emails[type eq \"home\"].value", json!("h@home.example")),
                            op("add", "emails[type eq \"home\"].display", json!("Home")),
                            op("add", "emails[type eq \"home\"].primary", json!("True")),
                            op("replace", "emails[type eq \"other\"].value", json!("o@corp.example")),
                            op("replace", "emails[type eq \"other\"].display", json!("Other")),
                            op("replace", "emails[type eq \"other\"].primary", json!(true)),
                            op("replace", "phoneNumbers[type eq \"fax\"].value", json!("1")),
                            op("replace", "phoneNumbers[type eq \"fax\"].primary", json!("true")),
                            op("add", "roles[primary eq \"True\"].display", json!("Chief")),
                            op("add", "roles[primary eq \"True\"].value", json!("chief")),
                        ]),
                    )
                    .await;
                let (home, other) = (of_type(&stored, "emails", "home"), of_type(&stored, "emails", "other"));
                assert_eq!((home.len(), other.len()), (1, 1), "{stored}");
                assert_eq!(
                    (&home[0]["value"], &home[0]["display"]),
                    (&json!("h@home.example"), &json!("Home"))
                );
                assert_eq!(
                    (&other[0]["value"], &other[0]["display"]),
                    (&json!("o@corp.example"), &json!("Other"))
                );
                assert_eq!(other[0]["primary"], json!(true), "the last primary wins: {stored}");
                assert_ne!(home[0]["primary"], json!(true), "the last primary wins: {stored}");
                assert_eq!(stored["phoneNumbers"], json!([{"type": "fax", "value": "1", "primary": true}]));
                assert_eq!(stored["roles"], json!([{"primary": true, "display": "Chief", "value": "chief"}]));
                let name = text(&stored, "/userName");
                assert_eq!(found_ids(&case.scim, "/Users", &format!("userName eq \"{name}\"")).await, [id]);
            }
        ),
    ]
}
