//! PATCH: bad requests, paths, targets and values.

use crate::table::{Bad, bad};

const SHAPES: &[(&str, &str, &str, &str)] = &[
    ("no operations", "[]", "invalidSyntax|invalidValue", "Operations"),
    ("operations as text", r#""replace""#, "invalidSyntax", "Operations"),
    ("operations null", "null", "invalidSyntax|invalidValue", "Operations"),
    ("an operation as a number", "[7]", "invalidSyntax", "Operation"),
    ("an operation as text", r#"["replace"]"#, "invalidSyntax", "Operation"),
    ("an operation without op", r#"[{"path":"title","value":"x"}]"#, "invalidSyntax|invalidValue", "op"),
    ("op as a number", r#"[{"op":1,"path":"title","value":"x"}]"#, "invalidSyntax|invalidValue", "op"),
    ("op null", r#"[{"op":null,"path":"title","value":"x"}]"#, "invalidSyntax|invalidValue", "op"),
    ("op empty", r#"[{"op":"","path":"title","value":"x"}]"#, "invalidSyntax|invalidValue", "op"),
    (
        "op of JSON Patch: move",
        r#"[{"op":"move","from":"title","path":"nickName"}]"#,
        "invalidSyntax|invalidValue",
        "move",
    ),
    (
        "op of JSON Patch: test",
        r#"[{"op":"test","path":"title","value":"x"}]"#,
        "invalidSyntax|invalidValue",
        "test",
    ),
    (
        "op with a space",
        r#"[{"op":"replace ","path":"title","value":"x"}]"#,
        "invalidSyntax|invalidValue",
        "op",
    ),
    ("add without a value", r#"[{"op":"add","path":"title"}]"#, "invalidSyntax|invalidValue", "value"),
    ("add with neither path nor value", r#"[{"op":"add"}]"#, "invalidSyntax|invalidValue|noTarget", "value"),
    ("a path as a number", r#"[{"op":"replace","path":7,"value":"x"}]"#, "invalidSyntax|invalidPath", "path"),
    (
        "a path as a list",
        r#"[{"op":"replace","path":["title"],"value":"x"}]"#,
        "invalidSyntax|invalidPath",
        "path",
    ),
    ("text without a path", r#"[{"op":"replace","value":"x"}]"#, "invalidSyntax|invalidValue", "value|path"),
    ("a number without a path", r#"[{"op":"add","value":7}]"#, "invalidSyntax|invalidValue", "value|path"),
    (
        "a list without a path",
        r#"[{"op":"add","value":[{"title":"x"}]}]"#,
        "invalidSyntax|invalidValue",
        "value|path",
    ),
    ("remove without a path", r#"[{"op":"remove"}]"#, "noTarget", "path"),
    (
        "remove without a path but with a value",
        r#"[{"op":"remove","value":{"title":"x"}}]"#,
        "noTarget",
        "path",
    ),
];

/// Paths that are none; sent with `replace` and with `remove`.
const PATHS: &[&str] = &[
    "emails[",
    "emails]",
    "emails[]",
    r#"emails[type eq \"work\""#,
    "emails[type eq",
    r#"emails[type \"work\"].value"#,
    r#"emails[type eq \"work\"]."#,
    r#"emails[type eq \"work\"]value"#,
    r#"emails[type eq \"work\"].value.more"#,
    r#"emails[type eq \"work\"][primary eq true]"#,
    r#"emails[type eq \"work\"].value eq \"x\""#,
    r#"emails[emails[type eq \"work\"]]"#,
    ".value",
    "emails.",
    "emails..value",
    "name.givenName.more",
    "display Name",
    "1title",
    "*",
    "$.title",
    "/title",
    "title,nickName",
    "title;",
    "shoeSize",
    "name.shoeSize",
    "emails.shoeSize",
    "title.shoeSize",
    "urn:example:Nothing:title",
    "<Enterprise>:shoeSize",
    "<Enterprise>:",
    "<User>:",
    ":title",
    "\\u0000",
];

const TARGETS: &[(&str, &str, &str, &str)] = &[
    ("id replaced", r#"[{"op":"replace","path":"id","value":"<never>"}]"#, "mutability", "id"),
    ("id removed", r#"[{"op":"remove","path":"id"}]"#, "mutability", "id"),
    ("another id without a path", r#"[{"op":"replace","value":{"id":"<never>"}}]"#, "mutability", "id"),
    (
        "meta.created replaced",
        r#"[{"op":"replace","path":"meta.created","value":"2020-01-01T00:00:00Z"}]"#,
        "mutability",
        "meta",
    ),
    ("meta removed", r#"[{"op":"remove","path":"meta"}]"#, "mutability", "meta"),
    (
        "groups added",
        r#"[{"op":"add","path":"groups","value":[{"value":"<team>"}]}]"#,
        "mutability",
        "groups",
    ),
    ("groups removed", r#"[{"op":"remove","path":"groups"}]"#, "mutability", "groups"),
    (
        "the manager's displayName",
        r#"[{"op":"replace","path":"<Enterprise>:manager.displayName","value":"x"}]"#,
        "mutability",
        "displayName",
    ),
    ("userName removed", r#"[{"op":"remove","path":"userName"}]"#, "mutability|invalidValue", "userName"),
    (
        "userName null",
        r#"[{"op":"replace","path":"userName","value":null}]"#,
        "mutability|invalidValue",
        "userName",
    ),
    (
        "userName empty",
        r#"[{"op":"replace","path":"userName","value":""}]"#,
        "mutability|invalidValue",
        "userName",
    ),
    ("userName a number", r#"[{"op":"replace","path":"userName","value":7}]"#, "invalidValue", "userName"),
    (
        "userName an object without a path",
        r#"[{"op":"replace","value":{"userName":{"x":"y"}}}]"#,
        "invalidValue",
        "userName",
    ),
    (
        "a filter on what has one value",
        r#"[{"op":"replace","path":"title[value eq \"x\"]","value":"y"}]"#,
        "invalidPath|invalidFilter|noTarget",
        "title",
    ),
    (
        "a filter with an unknown sub-attribute",
        r#"[{"op":"replace","path":"emails[shoeSize eq 44].value","value":"y"}]"#,
        "invalidPath|invalidFilter|noTarget",
        "shoeSize",
    ),
    (
        "a filter with an unknown operator",
        r#"[{"op":"replace","path":"emails[type like \"work\"].value","value":"y"}]"#,
        "invalidPath|invalidFilter",
        "like",
    ),
    (
        "a filter that matches nothing and builds nothing",
        r#"[{"op":"replace","path":"emails[type ne \"work\"].value","value":"y"}]"#,
        "noTarget",
        "emails",
    ),
    (
        "active as another word",
        r#"[{"op":"replace","path":"active","value":"Nope"}]"#,
        "invalidValue",
        "active",
    ),
    ("active as a number", r#"[{"op":"replace","path":"active","value":0}]"#, "invalidValue", "active"),
    (
        "active as another word without a path",
        r#"[{"op":"replace","value":{"active":"Off"}}]"#,
        "invalidValue",
        "active",
    ),
    (
        "an address as an object",
        r#"[{"op":"replace","path":"emails[type eq \"work\"].value","value":{"x":"y"}}]"#,
        "invalidValue",
        "emails",
    ),
    (
        "an address as a list of two",
        r#"[{"op":"add","path":"emails[type eq \"work\"].value","value":["a","b"]}]"#,
        "invalidValue",
        "emails",
    ),
    (
        "primary as another word",
        r#"[{"op":"add","path":"emails[type eq \"work\"].primary","value":"Maybe"}]"#,
        "invalidValue",
        "primary",
    ),
    ("name as text", r#"[{"op":"replace","path":"name","value":"Ida Holm"}]"#, "invalidValue", "name"),
    (
        "givenName as an object",
        r#"[{"op":"replace","path":"name.givenName","value":{"x":"y"}}]"#,
        "invalidValue",
        "givenName",
    ),
    (
        "a certificate that is not base64",
        r#"[{"op":"add","path":"x509Certificates","value":[{"value":"no!"}]}]"#,
        "invalidValue",
        "x509Certificates",
    ),
    (
        "a NUL in a value",
        r#"[{"op":"replace","path":"title","value":"a\u0000b"}]"#,
        "invalidValue",
        "title|NUL|control|U+0000",
    ),
    (
        "a good operation before a bad one",
        r#"[{"op":"replace","path":"title","value":"Chief"},{"op":"replace","path":"active","value":"Nope"}]"#,
        "invalidValue",
        "active",
    ),
    (
        "a bad path after good operations",
        r#"[{"op":"replace","value":{"active":false}},{"op":"add","path":"nickName","value":"x"},{"op":"remove","path":"shoeSize"}]"#,
        "invalidPath|noTarget",
        "shoeSize",
    ),
    (
        "disabled and then renamed to nothing",
        r#"[{"op":"replace","path":"active","value":"False"},{"op":"remove","path":"userName"}]"#,
        "mutability|invalidValue",
        "userName",
    ),
];

const GROUP_TARGETS: &[(&str, &str, &str, &str)] = &[
    (
        "a group's displayName removed",
        r#"[{"op":"remove","path":"displayName"}]"#,
        "mutability|invalidValue",
        "displayName",
    ),
    (
        "a group's displayName empty",
        r#"[{"op":"replace","path":"displayName","value":""}]"#,
        "mutability|invalidValue",
        "displayName",
    ),
    (
        "a group's displayName a number",
        r#"[{"op":"replace","path":"displayName","value":7}]"#,
        "invalidValue",
        "displayName",
    ),
    ("a group's id", r#"[{"op":"replace","path":"id","value":"<never>"}]"#, "mutability", "id"),
    (
        "a member who never was",
        r#"[{"op":"add","path":"members","value":[{"value":"<never>"}]}]"#,
        "invalidValue",
        "01890000",
    ),
    (
        "a member by name",
        r#"[{"op":"add","path":"members","value":[{"value":"ida"}]}]"#,
        "invalidValue",
        "ida",
    ),
    (
        "a group as a member",
        r#"[{"op":"add","path":"members","value":[{"value":"<team>"}]}]"#,
        "invalidValue",
        "members",
    ),
    ("a member as a number", r#"[{"op":"add","path":"members","value":[7]}]"#, "invalidValue", "members"),
    (
        "a member without a value",
        r#"[{"op":"add","path":"members","value":[{}]}]"#,
        "invalidValue",
        "members",
    ),
    (
        "members as a boolean",
        r#"[{"op":"replace","path":"members","value":true}]"#,
        "invalidValue",
        "members",
    ),
    (
        "a member's value edited",
        r#"[{"op":"replace","path":"members[value eq \"<ida>\"].value","value":"<bo>"}]"#,
        "mutability",
        "members",
    ),
    (
        "members through a filter that does not end",
        r#"[{"op":"remove","path":"members[value eq \"<ida>\""}]"#,
        // RFC 7644 table 9 names invalidFilter for the filter of a path.
        "invalidFilter|invalidPath",
        "bracket",
    ),
    (
        "members emptied and then a stranger",
        r#"[{"op":"remove","path":"members"},{"op":"add","path":"members","value":"<never>"}]"#,
        "invalidValue",
        "01890000",
    ),
    (
        "a stranger in a full list",
        r#"[{"op":"replace","path":"members","value":[{"value":"<bo>"},{"value":"<never>"}]}]"#,
        "invalidValue",
        "01890000",
    ),
    (
        "a user's attribute on a group",
        r#"[{"op":"replace","path":"userName","value":"x"}]"#,
        "invalidPath|noTarget",
        "userName",
    ),
];

pub(crate) fn rows() -> Vec<Bad> {
    let mut rows = Vec::new();
    for (name, operations, scim_types, word) in SHAPES {
        rows.push(bad(*name).patch("/Users/<ida>", operations).refused(scim_types, word));
    }
    for (name, operations, scim_types, word) in TARGETS {
        rows.push(
            bad(format!("patched: {name}")).patch("/Users/<ida>", operations).refused(scim_types, word),
        );
    }
    for (name, operations, scim_types, word) in GROUP_TARGETS {
        rows.push(
            bad(format!("patched: {name}")).patch("/Groups/<team>", operations).refused(scim_types, word),
        );
    }
    for path in PATHS {
        let row = |op: &str, value: &str| {
            let operations = format!(r#"[{{"op":"{op}","path":"{path}"{value}}}]"#);
            bad(format!("{op} of the path {path}"))
                .patch("/Users/<ida>", &operations)
                .refused("invalidPath|noTarget|invalidFilter", "")
        };
        rows.extend([row("replace", r#","value":"x""#), row("remove", "")]);
    }
    let taken = r#"[{"op":"replace","path":"userName","value":"BO@corp.example"}]"#;
    let title = r#"[{"op":"replace","path":"title","value":"x"}]"#;
    rows.extend([
        bad("no Operations at all")
            .send("PATCH", "/Users/<ida>", r#"{"schemas":["<PatchOp>"]}"#)
            .refused("invalidSyntax|invalidValue", "Operations"),
        bad("a PATCH that is a list").send("PATCH", "/Users/<ida>", "[]").refused("invalidSyntax", "object"),
        bad("patched: userName taken").patch("/Users/<ida>", taken).is(&[409], "uniqueness", "userName"),
        bad("patched: displayName taken")
            .patch("/Groups/<team>", r#"[{"op":"replace","value":{"displayName":"CARE"}}]"#)
            .is(&[409], "uniqueness", "displayName"),
        bad("a PATCH of a user who never was").patch("/Users/<never>", title).is(&[404], "", ""),
        bad("a PATCH of a group that never was").patch("/Groups/<never>", title).is(&[404], "", ""),
        bad("a PATCH under no id").patch("/Users/not-an-id", title).is(&[404], "", ""),
        bad("a PATCH of a group under a user's id").patch("/Groups/<ida>", title).is(&[404], "", ""),
    ]);
    rows
}
