//! Users and groups that are none: values missing, of the wrong type, unknown or taken.

use crate::table::{Bad, bad};

/// Bad values in a user's create: the member, and the word that the detail must have.
const USER_VALUES: &[(&str, &str, &str)] = &[
    ("active as a number", r#""active":1"#, "active"),
    ("active as another word", r#""active":"Nope""#, "active"),
    ("active as an object", r#""active":{}"#, "active"),
    ("active as a list of two", r#""active":[true,false]"#, "active"),
    ("name as text", r#""name":"Ida Holm""#, "name"),
    ("name as a number", r#""name":7"#, "name"),
    ("name as a list of two", r#""name":[{"givenName":"a"},{"givenName":"b"}]"#, "name"),
    ("givenName as a number", r#""name":{"givenName":7}"#, "givenName"),
    ("givenName as an object", r#""name":{"givenName":{"x":"y"}}"#, "givenName"),
    ("displayName as a number", r#""displayName":7"#, "displayName"),
    ("displayName as an object", r#""displayName":{"x":"y"}"#, "displayName"),
    ("title as a boolean", r#""title":true"#, "title"),
    ("nickName as a list of two", r#""nickName":["a","b"]"#, "nickName"),
    ("profileUrl as a number", r#""profileUrl":7"#, "profileUrl"),
    ("externalId as a number", r#""externalId":7"#, "externalId"),
    ("externalId as an object", r#""externalId":{"value":"x","other":"y"}"#, "externalId"),
    ("emails as a number", r#""emails":7"#, "emails"),
    ("emails as a boolean", r#""emails":true"#, "emails"),
    ("emails as a list of numbers", r#""emails":[7]"#, "emails"),
    ("an address inside a list inside the list", r#""emails":[[{"value":"a@corp.example"}]]"#, "emails"),
    ("an address as an object", r#""emails":[{"value":{"x":"y"}}]"#, "emails"),
    ("an address as a number", r#""emails":[{"value":7}]"#, "emails"),
    ("an address's type as a number", r#""emails":[{"value":"a@corp.example","type":7}]"#, "type"),
    ("primary as another word", r#""emails":[{"value":"a@corp.example","primary":"Maybe"}]"#, "primary"),
    ("primary as a number", r#""emails":[{"value":"a@corp.example","primary":1}]"#, "primary"),
    ("addresses' street as a list of two", r#""addresses":[{"streetAddress":["a","b"]}]"#, "streetAddress"),
    (
        "a certificate that is not base64",
        r#""x509Certificates":[{"value":"not base64!"}]"#,
        "x509Certificates",
    ),
    ("the extension as text", r#""<Enterprise>":"Care""#, "enterprise"),
    ("the extension as a list of two", r#""<Enterprise>":[{},{}]"#, "enterprise"),
    ("department as an object", r#""<Enterprise>":{"department":{"x":"y"}}"#, "department"),
    ("employeeNumber as a number", r#""<Enterprise>":{"employeeNumber":7}"#, "employeeNumber"),
    ("manager as a number", r#""<Enterprise>":{"manager":7}"#, "manager"),
    ("manager as a list of two", r#""<Enterprise>":{"manager":["<ida>","<bo>"]}"#, "manager"),
    ("a NUL in a value", r#""title":"a\u0000b""#, "title|NUL|control|U+0000|\\u0000"),
    (
        "a NUL in a name that is kept",
        r#""name":{"familyName":"\u0000"}"#,
        "familyName|NUL|control|U+0000|\\u0000",
    ),
];

pub(crate) fn rows() -> Vec<Bad> {
    let mut rows: Vec<Bad> = USER_VALUES
        .iter()
        .map(|(name, member, word)| {
            let body =
                format!(r#"{{"schemas":["<User>","<Enterprise>"],"userName":"new@corp.example",{member}}}"#);
            bad(*name).post("/Users", body).refused("invalidValue", word)
        })
        .collect();
    for (name, member) in [
        ("no userName", r#""displayName":"x""#),
        ("userName null", r#""userName":null"#),
        ("userName empty", r#""userName":"""#),
        ("userName as a number", r#""userName":7"#),
        ("userName as a boolean", r#""userName":true"#),
        ("userName as an object", r#""userName":{"x":"y"}"#),
        ("userName as a list of two", r#""userName":["a","b"]"#),
        ("a NUL in userName", r#""userName":"a\u0000b""#),
    ] {
        let body = format!(r#"{{"schemas":["<User>"],{member}}}"#);
        rows.push(bad(name).post("/Users", body.clone()).refused("invalidValue", "userName"));
        rows.push(
            bad(format!("{name}, in a PUT")).put("/Users/<ida>", body).refused("invalidValue", "userName"),
        );
    }
    for (name, schemas) in [
        ("schemas empty", "[]"),
        ("schemas null", "null"),
        ("a user with a group's schema", r#"["<Group>"]"#),
        ("a user with its extension's schema alone", r#"["<Enterprise>"]"#),
        ("a user with an unknown schema alone", r#"["urn:example:Nothing"]"#),
        ("a user with a message's schema", r#"["<PatchOp>"]"#),
        ("schemas as a number", "7"),
        ("schemas as a list of numbers", "[7]"),
        ("schemas as an object", r#"{"<User>":true}"#),
    ] {
        let body = format!(r#"{{"schemas":{schemas},"userName":"new@corp.example"}}"#);
        rows.push(bad(name).post("/Users", body.clone()).refused("invalidValue|invalidSyntax", "schemas"));
        let put = bad(format!("{name}, in a PUT"));
        rows.push(put.put("/Users/<ida>", body).refused("invalidValue|invalidSyntax", "schemas"));
    }
    for (name, member, word) in [
        ("a group without displayName", r#""externalId":"x""#, "displayName"),
        ("a group with displayName null", r#""displayName":null"#, "displayName"),
        ("a group with displayName empty", r#""displayName":"""#, "displayName"),
        ("a group with displayName as a number", r#""displayName":7"#, "displayName"),
        ("a group with a NUL in displayName", r#""displayName":"a\u0000""#, "displayName"),
        ("members as a number", r#""displayName":"New","members":7"#, "members"),
        ("members as a boolean", r#""displayName":"New","members":false"#, "members"),
        ("a member as a number", r#""displayName":"New","members":[7]"#, "members"),
        ("a member without a value", r#""displayName":"New","members":[{"display":"Ida"}]"#, "members"),
        ("a member's value as a number", r#""displayName":"New","members":[{"value":7}]"#, "members"),
        ("a member's value empty", r#""displayName":"New","members":[{"value":""}]"#, "members"),
        ("a member who never was", r#""displayName":"New","members":[{"value":"<never>"}]"#, "01890000"),
        (
            "a member by user name",
            r#""displayName":"New","members":[{"value":"ida@corp.example"}]"#,
            "ida@corp.example",
        ),
        (
            "a group as a member",
            r#""displayName":"New","members":[{"value":"<team>","type":"Group"}]"#,
            "members",
        ),
        (
            "one stranger among members",
            r#""displayName":"New","members":[{"value":"<ida>"},{"value":"<never>"}]"#,
            "01890000",
        ),
    ] {
        let body = format!(r#"{{"schemas":["<Group>"],{member}}}"#);
        rows.push(bad(name).post("/Groups", body.clone()).refused("invalidValue", word));
        rows.push(bad(format!("{name}, in a PUT")).put("/Groups/<team>", body).refused("invalidValue", word));
    }
    let user = |name: &str| format!(r#"{{"schemas":["<User>"],"userName":"{name}"}}"#);
    let group = |name: &str| format!(r#"{{"schemas":["<Group>"],"displayName":"{name}"}}"#);
    rows.extend([
        bad("userName taken").post("/Users", user("ida@corp.example")).is(&[409], "uniqueness", "userName"),
        bad("userName taken in another case").post("/Users", user("IDA@Corp.Example")).is(
            &[409],
            "uniqueness",
            "userName",
        ),
        bad("userName taken, in a PUT").put("/Users/<ida>", user("Bo@corp.example")).is(
            &[409],
            "uniqueness",
            "userName",
        ),
        bad("displayName taken").post("/Groups", group("Ops")).is(&[409], "uniqueness", "displayName"),
        bad("displayName taken in another case").post("/Groups", group("oPS")).is(
            &[409],
            "uniqueness",
            "displayName",
        ),
        bad("displayName taken, in a PUT").put("/Groups/<team>", group("Care")).is(
            &[409],
            "uniqueness",
            "displayName",
        ),
        bad("a PUT of a user who never was").put("/Users/<never>", user("new@corp.example")).is(
            &[404],
            "",
            "",
        ),
        bad("a PUT of a group that never was").put("/Groups/<never>", group("New")).is(&[404], "", ""),
        bad("a PUT of a user under a group's id").put("/Users/<team>", user("new@corp.example")).is(
            &[404],
            "",
            "",
        ),
        bad("a PUT under no id").put("/Users/not-an-id", user("new@corp.example")).is(&[404], "", ""),
    ]);
    rows
}
