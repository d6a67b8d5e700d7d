//! Target paths: their forms, what they read and what they write.

use latchkey_provisioning::TargetPath;
use serde_json::{Map, Value as Json, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn map(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

#[test]
fn the_forms_are_read_and_written_back() {
    for text in [
        "userName",
        "name.familyName",
        "emails[type eq \"work\"].value",
        "addresses[type eq \"work\"].locality",
        "roles[primary eq \"True\"].value",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:extension:Quarry:2.0:User:shift",
    ] {
        assert_eq!(text.parse::<TargetPath>().unwrap().to_string(), text);
    }
    let core: TargetPath = "urn:ietf:params:scim:schemas:core:2.0:User:userName".parse().unwrap();
    assert_eq!(core.to_string(), "userName");
}

#[test]
fn what_is_no_path_says_why() {
    for (text, words) in [
        ("", "missing"),
        ("a b", "letters"),
        ("a.b.c", "one level"),
        ("emails[type eq \"work\"", "not closed"),
        ("emails[type ne \"work\"].value", "type eq"),
        ("emails[type eq work].value", "type eq"),
        ("emails[type eq \"work\"]value", "a dot"),
        ("urn:x", "names no attribute"),
        ("1a", "letters"),
    ] {
        let error = text.parse::<TargetPath>().unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for (path, value, resource) in [
        ("userName", json!("mira"), json!({"userName": "mira"})),
        ("name.familyName", json!("Moss"), json!({"name": {"familyName": "Moss"}})),
        (
            "emails[type eq \"work\"].value",
            json!("m@quarry.example"),
            json!({"emails": [{"type": "work", "value": "m@quarry.example"}]}),
        ),
        (
            "roles[primary eq \"True\"].value",
            json!("keeper"),
            json!({"roles": [{"primary": true, "value": "keeper"}]}),
        ),
    ] {
        let path: TargetPath = path.parse().unwrap();
        let mut made = Map::new();
        path.write(&mut made, value.clone());
        assert_eq!(Json::Object(made.clone()), resource);
        assert_eq!(path.read(&made), Some(&value));
    }
    let path: TargetPath = format!("{ENTERPRISE}:department").parse().unwrap();
    let mut made = Map::new();
    path.write(&mut made, json!("Geology"));
    assert_eq!(Json::Object(made), json!({ENTERPRISE: {"department": "Geology"}}));
}

#[test]
fn values_of_one_type_share_an_entry_and_others_stand_beside() {
    let mut made = Map::new();
    for (path, value) in [
        ("addresses[type eq \"work\"].locality", "Porto"),
        ("addresses[type eq \"work\"].country", "PT"),
        ("addresses[type eq \"home\"].country", "ES"),
    ] {
        path.parse::<TargetPath>().unwrap().write(&mut made, json!(value));
    }
    let expected = json!({"addresses": [
        {"type": "work", "locality": "Porto", "country": "PT"}, {"type": "home", "country": "ES"}]});
    assert_eq!(Json::Object(made), expected);
}

#[test]
fn names_are_read_without_case_and_absent_is_absent() {
    let resource =
        map(json!({"UserName": "m", "Emails": [{"Type": "Work", "VALUE": "x"}], "nickName": null}));
    let read = |path: &str| path.parse::<TargetPath>().unwrap().read(&resource).cloned();
    assert_eq!(read("userName"), Some(json!("m")));
    assert_eq!(read("emails[type eq \"work\"].value"), Some(json!("x")));
    assert_eq!(read("emails[type eq \"home\"].value"), None);
    assert_eq!(read("nickName"), None);
    assert_eq!(read("name.familyName"), None);
}
