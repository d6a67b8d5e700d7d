//! Rows 34 to 41, 44 and 50: how Entra looks things up, repeats itself, and reads refusals.

use serde_json::{Value, json};

use crate::row::row;
use crate::support::api;
use crate::support::scim::{
    assert_error, assert_media_type, assert_refused, find, found_ids, ids, patch, read, user,
};
use crate::support::{enc, list, text};

pub(crate) fn rows() -> crate::Rows {
    vec![
        row!(34, "`emails[type eq \"work\"].value eq` finds by the work address", |case| {
            let name = case.name("ida");
            let emails =
                json!([{"type": "work", "value": name}, {"type": "home", "value": format!("h.{name}")}]);
            let id = case.user("ida", json!({"emails": emails})).await;
            let by = |address: &str| format!("emails[type eq \"work\"].value eq \"{address}\"");
            assert_eq!(found_ids(&case.scim, "/Users", &by(&name)).await, [id.as_str()]);
            assert_eq!(found_ids(&case.scim, "/Users", &by(&name.to_uppercase())).await, [id]);
            let home = by(&format!("h.{name}"));
            assert!(found_ids(&case.scim, "/Users", &home).await.is_empty(), "both must hold for one value");
        }),
        row!(35, "`emails[type eq \"work\"] eq` means its value, or is refused as a filter", |case| {
            let id = case.user("ida", json!({})).await;
            let filter = enc(&format!("emails[type eq \"work\"] eq \"{}\"", case.name("ida")));
            let answer = case.scim.get(&format!("/Users?filter={filter}")).await;
            if answer.status == 400 {
                assert_refused(&answer, 400, "invalidFilter");
            } else {
                assert_eq!(ids(&answer.expect(200).json()), [id]);
            }
        }),
        row!(36, "`eq` and `and`, with each attribute's own case", |case| {
            let id = case.user("Ida", json!({"externalId": "aB-36", "displayName": "Ida 36"})).await;
            let group = case.group("Team", &[]).await;
            let (name, team) = (case.name("IDA").to_uppercase(), case.name("tEAM"));
            for filter in [
                format!("userName eq \"{name}\""),
                format!("username EQ \"{name}\" AND externalId eq \"aB-36\""),
                "externalId eq \"aB-36\"".to_owned(),
                "displayName eq \"iDA 36\" and active eq true".to_owned(),
            ] {
                assert_eq!(found_ids(&case.scim, "/Users", &filter).await, [id.as_str()], "{filter}");
            }
            assert_eq!(
                found_ids(&case.scim, "/Groups", &format!("displayName eq \"{team}\"")).await,
                [group]
            );
            for filter in ["externalId eq \"ab-36\"", "userName eq \"nobody\""] {
                let found = find(&case.scim, "/Users", filter).await;
                assert_eq!(
                    (&found["totalResults"], &found["Resources"]),
                    (&json!(0), &json!([])),
                    "{filter}"
                );
            }
        }),
        row!(37, "the connection test's look-up of a random name is an empty list", |case| {
            let guid = "5f1c2e3a-7d1b-4c39-9d0e-1a2b3c4d5e6f";
            for (path, attribute) in [("/Users", "userName"), ("/Groups", "displayName")] {
                let found = find(&case.scim, path, &format!("{attribute} eq \"{guid}\"")).await;
                assert_eq!((&found["totalResults"], &found["Resources"]), (&json!(0), &json!([])), "{path}");
            }
        }),
        row!(38, "the flag that sticks to the base URL is ignored", |case| {
            let id = case.user("ida", json!({})).await;
            let filter = enc(&format!("userName eq \"{}\"", case.name("ida")));
            let found = read(&case.scim, &format!("/Users?aadOptscim062020&filter={filter}")).await;
            assert_eq!(ids(&found), [id.as_str()]);
            read(&case.scim, &format!("/Users/{id}?aadOptscim062020")).await;
            let body = patch(json!({"op": "replace", "value": {"displayName": "Flagged"}}));
            let answer = case.scim.patch(&format!("/Users/{id}?aadOptscim062020"), &body).await;
            assert!(matches!(answer.status, 200 | 204), "{answer:?}");
            assert_eq!(case.read_user(&id).await["displayName"], "Flagged");
            case.scim.post("/Users?aadOptscim062020", &user(&case.name("bo"), json!({}))).await.expect(201);
            let before = case.scim.get(&format!("/?aadOptscim062020/Users&filter={filter}")).await;
            assert!(before.status < 500, "{before:?}");
            assert_media_type(&before);
        }),
        row!(39, "who is disabled stays readable, who is deleted does not", |case| {
            let id = case.user("ida", json!({})).await;
            let filter = format!("userName eq \"{}\"", case.name("ida"));
            case.patch_user(&id, json!({"op": "Replace", "path": "active", "value": "False"})).await;
            assert_eq!(case.read_user(&id).await["active"], json!(false));
            let found = find(&case.scim, "/Users", &filter).await;
            assert_eq!(found["Resources"][0]["active"], json!(false));
            case.scim.delete(&format!("/Users/{id}")).await.expect(204);
            assert_refused(&case.scim.get(&format!("/Users/{id}")).await, 404, "");
            assert!(found_ids(&case.scim, "/Users", &filter).await.is_empty());
            case.scim.post("/Users", &user(&case.name("ida"), json!({}))).await.expect(201);
        }),
        row!(40, "a delete is 204, and repeated 404", |case| {
            let id = case.user("ida", json!({})).await;
            case.patch_user(&id, json!({"op": "Replace", "path": "active", "value": "False"})).await;
            let path = format!("/Users/{id}");
            assert!(case.scim.delete(&path).await.expect(204).body.is_empty());
            for _ in 0..2 {
                assert_refused(&case.scim.delete(&path).await, 404, "");
            }
            let late = patch(json!({"op": "Replace", "path": "displayName", "value": "Late"}));
            assert_refused(&case.scim.patch(&path, &late).await, 404, "");
            assert_refused(&case.scim.put(&path, &user(&case.name("ida"), json!({}))).await, 404, "");
        }),
        row!(41, "replacing a value by itself is success and no event", |case| {
            let id = case.user("ida", json!({"displayName": "Ida", "title": "Nurse"})).await;
            let before = (case.read_user(&id).await, api::audit_of(&case.api, &id).await.len());
            for operation in [
                json!({"op": "Replace", "path": "displayName", "value": "Ida"}),
                json!({"op": "Replace", "path": "active", "value": "True"}),
                json!({"op": "Add", "path": "emails[type eq \"work\"].value", "value": case.name("ida")}),
                json!({"op": "replace", "value": {"title": "Nurse", "name.givenName": "Ida"}}),
                json!({"op": "Remove", "path": "nickName"}),
            ] {
                case.patch_user(&id, operation).await;
            }
            let after = (case.read_user(&id).await, api::audit_of(&case.api, &id).await.len());
            assert_eq!(after, before, "no new lastModified, no new version, no audit record");
        }),
        row!(44, "`/Schemas` has no nulls and whole characteristics in camelCase", |case| {
            let schemas = read(&case.scim, "/Schemas").await;
            assert!(!schemas.to_string().contains("null"), "{schemas}");
            for schema in list(&schemas, "/Resources") {
                for attribute in list(schema, "/attributes") {
                    check_attribute(attribute, true);
                }
            }
        }),
        row!(50, "a refusal tells an admin what to change, and 429 and rollover spare the job", |case| {
            let answer = case.scim.post("/Users", &user(&case.name("ida"), json!({"active": "Maybe"}))).await;
            let (scim_type, detail) = assert_error(&answer);
            assert_eq!(scim_type, "invalidValue");
            assert!(detail.contains("active") && detail.contains("Maybe"), "{detail}");
            // During the rollover of a token the old one stays valid.
            let made = case.api.post("/scim-tokens", &json!({"name": "rollover"})).await.expect(201).json();
            let old = text(&made, "/token").to_owned();
            let renewed = case
                .api
                .post(
                    &format!("/scim-tokens/{}/regenerate", text(&made, "/id")),
                    &json!({"grace_seconds": 600}),
                )
                .await;
            assert!(matches!(renewed.status, 200 | 201), "{renewed:?}");
            let new = text(&renewed.json(), "/token").to_owned();
            assert_ne!(old, new);
            for token in [old, new] {
                let header = format!("Bearer {token}");
                let answer = case.scim.send("GET", "/Users?count=0", &[("authorization", &header)], "").await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }),
    ]
}

/// What RFC 7643 §7 wants of an attribute's definition; sub-attributes are checked alike.
fn check_attribute(attribute: &Value, top: bool) {
    let one_of = |key: &str, words: &[&str]| {
        assert!(words.contains(&text(attribute, &format!("/{key}"))), "{key} of {attribute}");
    };
    let name = text(attribute, "/name");
    assert!(name == "$ref" || name.starts_with(|c: char| c.is_ascii_lowercase()), "{attribute}");
    one_of(
        "type",
        &["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"],
    );
    one_of("mutability", &["readOnly", "readWrite", "immutable", "writeOnly"]);
    one_of("returned", &["always", "never", "default", "request"]);
    assert!(attribute["multiValued"].is_boolean() && attribute["required"].is_boolean(), "{attribute}");
    assert!(!text(attribute, "/description").is_empty(), "{attribute}");
    if let Some(uniqueness) = attribute.get("uniqueness") {
        assert!(
            ["none", "server", "global"].contains(&uniqueness.as_str().unwrap_or_default()),
            "{attribute}"
        );
    }
    let is_complex = text(attribute, "/type") == "complex";
    assert_eq!(is_complex, !list(attribute, "/subAttributes").is_empty(), "{attribute}");
    assert!(top || !is_complex, "complex within complex: {attribute}");
    for sub in list(attribute, "/subAttributes") {
        check_attribute(sub, false);
    }
}
