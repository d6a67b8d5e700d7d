use proptest::prelude::*;
use serde_json::json;

use super::{Resource, from_client};
use crate::json::Json;
use crate::limits::Limits;
use crate::schema::{GROUP_TYPE, ResourceType, USER_TYPE};
use crate::{Complex, Value};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// `rest` are the members beside `schemas` and `userName`.
#[track_caller]
fn check(rest: &str, stored: &str, notes: &[&str]) {
    let body = format!(
        r#"{{"schemas":["{USER}"],"userName":"ida"{}{rest}}}"#,
        if rest.is_empty() { "" } else { "," }
    );
    let body = Json::parse(body.as_bytes(), &Limits::default()).unwrap();
    let accepted = from_client(&USER_TYPE, &body, &Limits::default()).unwrap();
    let expected = format!(r#"{{"userName":"ida"{}{stored}}}"#, if stored.is_empty() { "" } else { "," });
    assert_eq!(accepted.resource.to_stored(), expected);
    let got: Vec<String> = accepted.notes.iter().map(ToString::to_string).collect();
    assert_eq!(got, notes);
}

#[track_caller]
fn check_refused(ty: &'static ResourceType, body: serde_json::Value, scim_type: &str, detail: &str) {
    let limits = Limits { list_values: 3, string_length: 100, ..Limits::default() };
    let error = from_client(ty, &Json::from(body), &limits).unwrap_err();
    let got = (error.status, error.scim_type.unwrap().as_str(), error.detail.as_str());
    assert_eq!(got, (400, scim_type, detail));
}

#[test]
fn what_a_client_may_set_is_kept_under_its_canonical_name() {
    check("", "", &[]);
    check(
        r#""NAME":{"GIVENNAME":"Ida","familyname":"Holm"},"externalid":"e1","Active":false"#,
        r#""name":{"givenName":"Ida","familyName":"Holm"},"externalId":"e1","active":false"#,
        &[],
    );
    check(
        r#""title":"","nickName":"a \"b\" \\ \n\u0001é""#,
        r#""title":"","nickName":"a \"b\" \\ \n\u0001é""#,
        &[],
    );
    check(
        r#""emails":[{"value":"a@x.example","type":"work","primary":true},{"value":"a@x.example","type":"home"}]"#,
        r#""emails":[{"value":"a@x.example","type":"work","primary":true},{"value":"a@x.example","type":"home"}]"#,
        &[],
    );
    check(
        r#""roles":[{"value":"{\"id\":\"1\",\"value\":\"Admin\"}"}]"#,
        r#""roles":[{"value":"Admin"}]"#,
        &["roles: a role written as JSON text is the role that the text names"],
    );
}

#[test]
fn null_the_empty_list_and_what_only_the_server_sets_are_not_kept() {
    check(
        r#""id":"x","meta":{"resourceType":"User"},"groups":[{"value":"g"}],"roles":[],"title":null,"emails":null"#,
        "",
        &[],
    );
    check(r#""name":{"givenName":null},"emails":[{}, null, {"type":null}],"addresses":[]"#, "", &[]);
    check(r#""name":"","profileUrl":"""#, "", &[]);
    check(&format!(r#""{ENTERPRISE}":{{"manager":""}}"#), "", &[]);
    check(&format!(r#""{ENTERPRISE}":null"#), "", &[]);
}

#[test]
fn an_extension_stands_last_under_its_urn() {
    check(
        &format!(
            r#""{}":{{"Department":"Ops","manager":{{"value":"m1","$ref":null,"displayName":"Mia"}}}},"title":"x""#,
            ENTERPRISE.to_uppercase()
        ),
        &format!(r#""title":"x","{ENTERPRISE}":{{"department":"Ops","manager":{{"value":"m1"}}}}"#),
        &[],
    );
}

#[test]
fn what_is_understood_otherwise_is_noted() {
    check(
        r#""active":"True","emails":{"value":"a@x.example","primary":"false"}"#,
        r#""active":true,"emails":[{"value":"a@x.example","primary":false}]"#,
        &[
            "active: a string was sent where a boolean belongs; taken as true",
            "emails.primary: a string was sent where a boolean belongs; taken as false",
            "emails: one value was sent where a list belongs; taken as a list of one",
        ],
    );
    check(
        &format!(r#""{ENTERPRISE}":{{"manager":"m1"}}"#),
        &format!(r#""{ENTERPRISE}":{{"manager":{{"value":"m1"}}}}"#),
        &[&format!("{ENTERPRISE}:manager: a string was sent where an object belongs; taken as its value")],
    );
    check(
        r#""phoneNumbers":[{"value":"1"},{"value":"2"},{"value":"1"}]"#,
        r#""phoneNumbers":[{"value":"1"},{"value":"2"}]"#,
        &["phoneNumbers: 1 repeated values were left out"],
    );
    check(
        r#""password":"secret","shoeSize":42,"hat":null,"name":{"nick":"x"}"#,
        "",
        &[
            "password: people sign in through their directory; it was dropped",
            "shoeSize: no schema of a User has this; it was not kept",
            "name.nick: no schema has this attribute; it was not kept",
        ],
    );
    let body = json!({"schemas": [GROUP, "urn:other"], "displayName": "Ops", "urn:other": {"a": 1}});
    let accepted = from_client(&GROUP_TYPE, &body.into(), &Limits::default()).unwrap();
    let mut notes: Vec<String> = accepted.notes.iter().map(ToString::to_string).collect();
    notes.sort();
    assert_eq!(
        notes,
        [
            "schemas: \"urn:other\" is not served for a Group; it was ignored",
            "urn:other: no schema of a Group has this; it was not kept",
        ]
    );
}

#[test]
fn members_of_a_group_are_checked_and_not_kept() {
    let body = json!({"schemas": [GROUP], "displayName": "Ops",
        "members": [{"value": "a", "display": null, "$ref": null}, "b"]});
    let accepted = from_client(&GROUP_TYPE, &body.into(), &Limits::default()).unwrap();
    assert_eq!(accepted.resource.to_stored(), r#"{"displayName":"Ops"}"#);
    let wrong = json!({"schemas": [GROUP], "displayName": "Ops", "members": [7]});
    check_refused(&GROUP_TYPE, wrong, "invalidValue", "members: expected an object, got a number");
}

#[test]
fn a_body_that_is_no_user_is_refused_with_what_to_send() {
    let send = format!("send \"schemas\": [{USER:?}]");
    let user = |rest: serde_json::Value| {
        let mut body = json!({"schemas": [USER], "userName": "ida"});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    let cases = [
        (json!({"userName": "ida"}), format!("schemas is missing; {send}")),
        (json!({"schemas": [], "userName": "ida"}), format!("schemas is empty; {send}")),
        (
            json!({"schemas": [1], "userName": "ida"}),
            format!("schemas holds something that is no string; {send}"),
        ),
        (
            json!({"schemas": [ENTERPRISE], "userName": "ida"}),
            format!("schemas does not name the schema of a User; {send}"),
        ),
        (json!({"schemas": USER}), "userName is required and must not be empty in a User".into()),
        (user(json!({"userName": " "})), "userName is required and must not be empty in a User".into()),
        (user(json!({"userName": null})), "userName is required and must not be empty in a User".into()),
        (user(json!({"userName": 7})), "userName: expected a string, got a number".into()),
        (user(json!({"userName": ["ida"]})), "userName: expected a string, got an array".into()),
        (user(json!({"active": "yes"})), "active: expected a boolean, got \"yes\"".into()),
        (user(json!({"active": 1})), "active: expected a boolean, got a number".into()),
        (user(json!({"name": true})), "name: expected an object, got a boolean".into()),
        (user(json!({"name": "Ida Holm"})), "name: expected an object, got a string".into()),
        (user(json!({"name": {"givenName": {}}})), "name.givenName: expected a string, got an object".into()),
        (user(json!({"profileUrl": "not a uri"})), "profileUrl: expected a URI, got another string".into()),
        (
            user(json!({"x509Certificates": [{"value": "%%"}]})),
            "x509Certificates.value: expected base64, got another string".into(),
        ),
        (
            user(json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": "True"}]})),
            "emails has 2 values with primary true; send at most one".into(),
        ),
        (user(json!({"emails": ["a", "b", "c", "d"]})), "emails has 4 values; at most 3 are taken".into()),
        (user(json!({"title": "x".repeat(101)})), "title is longer than 100 bytes".into()),
        (user(json!({"title": "a\0b"})), "title holds a NUL character; leave it out".into()),
        (
            user(json!({ENTERPRISE: "Ops"})),
            format!("{ENTERPRISE}: expected an object with attributes, got a string"),
        ),
        (
            user(json!({ENTERPRISE: {"department": 7}})),
            format!("{ENTERPRISE}:department: expected a string, got a number"),
        ),
    ];
    for (body, detail) in cases {
        check_refused(&USER_TYPE, body, "invalidValue", &detail);
    }
    check_refused(&USER_TYPE, json!([]), "invalidSyntax", "a User is a JSON object; the body is an array");
    let unnamed = json!({"schemas": [GROUP]});
    check_refused(
        &GROUP_TYPE,
        unnamed,
        "invalidValue",
        "displayName is required and must not be empty in a Group",
    );
}

#[test]
fn dates_and_base64_are_checked_as_rfc_7643_writes_them() {
    use super::format::{instant, is_base64};
    assert_eq!(instant("2008-01-23T04:56:22Z"), instant("2008-01-23T05:56:22+01:00"));
    assert_eq!(instant("2008-01-23T04:56:22"), instant("2008-01-23T04:56:22.000Z"));
    for wrong in ["", "2008-01-23", "2008-01-23 04:56:22Z", "2008-13-23T04:56:22Z", "yesterday"] {
        assert_eq!(instant(wrong), None, "{wrong}");
    }
    for right in ["", "QQ==", "QQ", "-_-_", "+/+/"] {
        assert!(is_base64(right), "{right}");
    }
    for wrong in ["Q", "QQ=A", "a b=", "+_"] {
        assert!(!is_base64(wrong), "{wrong}");
    }
}

#[test]
fn every_control_character_is_escaped() {
    let mut resource = Resource::default();
    let text: String = ('\0'..='\u{80}').collect();
    resource.core.set("title", Value::String(text.clone()));
    let stored: serde_json::Value = serde_json::from_str(&resource.to_stored()).unwrap();
    assert_eq!(stored["title"], text);
}

#[test]
fn two_resources_are_the_same_in_any_order_of_attributes_but_not_of_values() {
    let read = |text| Resource::from_stored(&USER_TYPE, text).unwrap();
    let a = read(
        r#"{"userName":"i","name":{"givenName":"a","familyName":"b"},"emails":[{"value":"1"},{"value":"2"}]}"#,
    );
    let b = read(
        r#"{"emails":[{"value":"1"},{"value":"2"}],"name":{"familyName":"b","givenName":"a"},"userName":"i"}"#,
    );
    let c = read(
        r#"{"emails":[{"value":"2"},{"value":"1"}],"name":{"familyName":"b","givenName":"a"},"userName":"i"}"#,
    );
    assert!(a.same_as(&b) && b.same_as(&a));
    assert!(!a.same_as(&c));
}

#[test]
fn a_damaged_text_does_not_read_and_is_not_quoted() {
    for text in
        ["", "[]", "{\"a\":null}", "{\"a\":1,\"A\":2}", "{\"a\":18446744073709551615}", "{\"secret\"}"]
    {
        let error = Resource::from_stored(&USER_TYPE, text).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Decimal),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Value::List),
            any_attributes(inner).prop_map(Value::Complex),
        ]
    })
}

fn any_attributes(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Complex> {
    prop::collection::vec(("[a-z$]{1,4}", value), 1..4).prop_map(|members| {
        let mut complex = Complex::new();
        members.iter().for_each(|(name, value)| complex.set(name, value.clone()));
        complex
    })
}

proptest! {
    #[test]
    fn what_is_stored_is_read_back(core in any_attributes(any_value()), extension in prop::option::of(any_attributes(any_value()))) {
        let extensions = extension.map(|e| (ENTERPRISE.to_owned(), e)).into_iter().collect();
        let resource = Resource { core, extensions };
        let text = resource.to_stored();
        prop_assert_eq!(&Resource::from_stored(&USER_TYPE, &text).unwrap(), &resource);
        prop_assert!(resource.same_as(&resource));
    }

    #[test]
    fn any_body_is_accepted_or_refused(rest in "[\\[\\]{}\",:a-z0-9]{0,60}") {
        let text = format!(r#"{{"schemas":["{USER}"],"userName":"i","emails":{rest}}}"#);
        if let Ok(body) = Json::parse(text.as_bytes(), &Limits::default()) {
            let _ = from_client(&USER_TYPE, &body, &Limits::default());
        }
    }
}
