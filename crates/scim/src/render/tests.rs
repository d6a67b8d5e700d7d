use proptest::prelude::*;
use serde_json::{Value as Plain, json};

use super::{Answer, Link, Meta};
use crate::projection::Projection;
use crate::schema::{ENTERPRISE_USER, GROUP_TYPE, RESOURCE_TYPES, ResourceType, Returned, USER_TYPE};

const STORED: &str = r#"{"userName":"ida","name":{"familyName":"Holm"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Ops"}}"#;
const META: Meta<'_> =
    Meta { created: "2026-01-01T00:00:00.000Z", last_modified: "2026-01-02T00:00:00.000Z", version: "3" };

fn answer<'a>(ty: &'static ResourceType, stored: &'a str, links: &'a [Link<'a>]) -> Answer<'a> {
    Answer { ty, stored, id: "u1", base: "https://x.example/v1/scim/v2", meta: META, links }
}

#[track_caller]
fn read(answer: Answer<'_>, projection: &Projection) -> Plain {
    serde_json::from_str(&answer.document(projection).unwrap()).unwrap()
}

#[test]
fn a_user_is_shown_whole() {
    let links = [Link { id: "g1", display: "Ops \"1\"" }];
    assert_eq!(
        answer(&USER_TYPE, STORED, &links).document(&Projection::ALL).unwrap(),
        concat!(
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"#,
            r#""id":"u1","userName":"ida","name":{"familyName":"Holm"},"#,
            r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Ops"},"#,
            r#""groups":[{"value":"g1","$ref":"https://x.example/v1/scim/v2/Groups/g1","display":"Ops \"1\"","type":"direct"}],"#,
            r#""meta":{"resourceType":"User","created":"2026-01-01T00:00:00.000Z","lastModified":"2026-01-02T00:00:00.000Z","#,
            r#""location":"https://x.example/v1/scim/v2/Users/u1","version":"W/\"3\""}}"#,
        )
    );
}

#[test]
fn a_group_is_shown_with_its_members_or_without() {
    let links = [Link { id: "u1", display: "Ida" }, Link { id: "u2", display: "Bo" }];
    let group = answer(&GROUP_TYPE, r#"{"displayName":"Ops"}"#, &links);
    let whole = read(group, &Projection::ALL);
    assert_eq!(
        whole["members"][1],
        json!({"value": "u2", "$ref": "https://x.example/v1/scim/v2/Users/u2", "type": "User"}),
        "the name only for who asks for it"
    );
    let asked = read(group, &Projection::parse(Some("members.display"), None));
    assert_eq!(asked["members"], json!([{"display": "Ida"}, {"display": "Bo"}]));
    assert_eq!(whole["meta"]["location"], "https://x.example/v1/scim/v2/Groups/u1");
    assert_eq!(read(group, &Projection::parse(None, Some("members")))["members"], Plain::Null);
    let values = read(group, &Projection::parse(Some("members.value,displayName"), None));
    assert_eq!(
        values,
        json!({"schemas": [GROUP_TYPE.schema.id], "id": "u1", "displayName": "Ops",
            "members": [{"value": "u1"}, {"value": "u2"}]})
    );
    let empty = read(answer(&GROUP_TYPE, "{}", &[]), &Projection::ALL);
    assert_eq!(empty.get("members"), None);
}

#[test]
fn a_projection_keeps_schemas_and_id_and_derives_the_former_from_what_is_shown() {
    let user = answer(&USER_TYPE, STORED, &[]);
    let only = read(user, &Projection::parse(Some("userName,meta.location"), None));
    assert_eq!(
        only,
        json!({"schemas": [USER_TYPE.schema.id], "id": "u1", "userName": "ida",
            "meta": {"location": user.location()}})
    );
    let without = read(user, &Projection::parse(None, Some("id,schemas,meta,name")));
    assert_eq!(
        without,
        json!({"schemas": [USER_TYPE.schema.id, ENTERPRISE_USER.id], "id": "u1", "userName": "ida",
            ENTERPRISE_USER.id: {"department": "Ops"}})
    );
}

#[test]
fn a_text_that_looks_like_an_extension_adds_no_schema() {
    let urn = ENTERPRISE_USER.id;
    for stored in [
        format!(r#"{{"title":",\"{urn}\":{{","name":{{"formatted":"x"}}}}"#),
        format!(r#"{{"title":"{urn}","name":{{"formatted":"{{\"{urn}\":{{}}"}}}}"#),
        format!(r#"{{"userName":"{urn}"}}"#),
    ] {
        let user = answer(&USER_TYPE, &stored, &[]);
        assert_eq!(read(user, &Projection::ALL)["schemas"], json!([USER_TYPE.schema.id]), "{stored}");
    }
    let alone = format!(r#"{{"{urn}":{{"department":"x"}}}}"#);
    assert_eq!(
        read(answer(&USER_TYPE, &alone, &[]), &Projection::ALL)["schemas"],
        json!([USER_TYPE.schema.id, urn])
    );
}

#[test]
fn a_damaged_text_fails_and_leaves_the_output_as_it_was() {
    for (stored, projection) in [("", Projection::ALL), ("{\"a\":", Projection::parse(Some("id"), None))] {
        let mut out = "before".to_owned();
        assert!(answer(&USER_TYPE, stored, &[]).write(&mut out, &projection).is_err());
        assert_eq!(out, "before");
    }
}

/// The splice shows the stored text as it is, so nothing in it may have to be hidden or asked for.
#[test]
fn nothing_that_is_stored_is_returned_only_sometimes() {
    for ty in RESOURCE_TYPES {
        let schemas = std::iter::once(&ty.schema).chain(ty.extensions);
        // A group's members are no part of the stored text.
        let stored = schemas.flat_map(|schema| schema.attributes).filter(|a| a.name != "members");
        for attribute in stored {
            let parts = attribute.sub_attributes.iter().chain(std::iter::once(attribute));
            for part in parts.filter(|part| part.name != "password") {
                assert!(matches!(part.returned, Returned::Default | Returned::Always), "{}", part.name);
            }
        }
    }
}

fn any_names() -> impl Strategy<Value = Option<String>> {
    let name = prop::sample::select(vec![
        "userName",
        "name",
        "name.familyName",
        "NAME.givenName",
        "id",
        "schemas",
        "meta",
        "meta.version",
        "groups",
        "groups.value",
        "nonsense",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName",
    ]);
    prop::option::of(prop::collection::vec(name, 0..4).prop_map(|names| names.join(",")))
}

/// Whether all of `part` is in `whole`.
fn is_part(part: &Plain, whole: &Plain) -> bool {
    match (part, whole) {
        (Plain::Object(part), Plain::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| is_part(value, whole)))
        }
        (Plain::Array(part), Plain::Array(whole)) => {
            part.iter().all(|value| whole.iter().any(|whole| is_part(value, whole)))
        }
        (part, whole) => part == whole,
    }
}

proptest! {
    #[test]
    fn a_projection_shows_a_part_of_the_whole_with_id_and_schemas(attributes in any_names(), excluded in any_names()) {
        let links = [Link { id: "g1", display: "Ops" }];
        let user = answer(&USER_TYPE, STORED, &links);
        let projection = Projection::parse(attributes.as_deref(), excluded.as_deref());
        let whole = read(user, &Projection::ALL);
        let shown = read(user, &projection);
        prop_assert!(is_part(&shown, &whole), "{}", shown);
        prop_assert_eq!(&shown["id"], "u1");
        prop_assert_eq!(&shown["schemas"][0], USER_TYPE.schema.id);
        for name in ["userName", "name", "groups", "meta"] {
            prop_assert!(shown.get(name).is_none() || projection.wants(name), "{}", name);
        }
    }

    #[test]
    fn what_attributes_shows_excluded_attributes_hides(name in prop::sample::select(vec!["userName", "name", "groups", "meta"])) {
        let links = [Link { id: "g1", display: "Ops" }];
        let user = answer(&USER_TYPE, STORED, &links);
        let only = read(user, &Projection::parse(Some(name), None));
        let without = read(user, &Projection::parse(None, Some(name)));
        let whole = read(user, &Projection::ALL);
        for (member, value) in whole.as_object().unwrap() {
            if member == "schemas" || member == "id" {
                continue;
            }
            prop_assert_eq!(only.get(member).is_some(), member == name);
            prop_assert_eq!(without.get(member), (member != name).then_some(value));
        }
    }

    #[test]
    fn the_splice_and_the_projection_agree(title in any::<String>(), department in prop::option::of(any::<String>())) {
        let mut resource = crate::Resource::default();
        resource.core.set("title", crate::Value::String(title));
        if let Some(department) = department {
            let mut extension = crate::Complex::new();
            extension.set("department", crate::Value::String(department));
            resource.extensions.push((ENTERPRISE_USER.id.to_owned(), extension));
        }
        let stored = resource.to_stored();
        let user = answer(&USER_TYPE, &stored, &[]);
        let by_projection = Projection::parse(None, Some("nonsense"));
        prop_assert!(by_projection.is_given());
        prop_assert_eq!(read(user, &Projection::ALL), read(user, &by_projection));
    }
}
