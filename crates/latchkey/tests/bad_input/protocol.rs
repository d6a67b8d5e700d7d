//! Endpoints, methods, headers and tokens that are wrong.

use crate::table::{Bad, bad};

const USER: &str = r#"{"schemas":["<User>"],"userName":"new@corp.example"}"#;
const TITLE: &str = r#"[{"op":"replace","path":"title","value":"x"}]"#;

pub(crate) fn rows() -> Vec<Bad> {
    let mut rows: Vec<Bad> = [
        "/Nowhere",
        "/Users/<never>",
        "/Groups/<never>",
        "/Users/not-an-id",
        "/Users/<team>",
        "/Groups/<ida>",
        "/Users/<ida>/more",
        "/Users/00000000-0000-0000-0000-000000000000",
        "/Users/bulkId",
        "/Users/%00",
        "/Users/%ff%fe",
        "/Users/..%2FGroups",
        "/Users/<ida>%20",
        "/Users/%22%20or%201=1--",
        "/Schemas/urn:example:Nothing",
        "/ResourceTypes/Nothing",
        "/Roles",
    ]
    .iter()
    .map(|path| bad(format!("nothing at {path}")).get(*path).is(&[404], "", ""))
    .collect();
    rows.push(bad("an id of 4,000 characters").get(format!("/Users/{}", "a".repeat(4_000))).is(
        &[404, 414],
        "",
        "",
    ));
    rows.extend(
        [
            ("DELETE", "/Users/<never>"),
            ("DELETE", "/Groups/<never>"),
            ("DELETE", "/Users/not-an-id"),
            ("DELETE", "/Users/<team>"),
            ("DELETE", "/Groups/<ida>"),
        ]
        .map(|(method, path)| {
            bad(format!("{method} of nothing at {path}")).send(method, path, "").is(&[404], "", "")
        }),
    );
    rows.extend(
        [
            ("PUT", "/Users"),
            ("PATCH", "/Users"),
            ("DELETE", "/Users"),
            ("PUT", "/Groups"),
            ("DELETE", "/Groups"),
            ("POST", "/Users/<ida>"),
            ("POST", "/Groups/<team>"),
            ("GET", "/Bulk"),
            ("DELETE", "/Bulk"),
            ("POST", "/Schemas"),
            ("PUT", "/ServiceProviderConfig"),
            ("PATCH", "/ServiceProviderConfig"),
            ("DELETE", "/ResourceTypes"),
            ("POST", "/Schemas/<User>"),
            ("DELETE", "/ResourceTypes/User"),
        ]
        .map(|(method, path)| bad(format!("{method} {path}")).send(method, path, USER).is(&[405], "", "")),
    );
    rows.extend([
        bad("a method that nobody has").send("BREW", "/Users", "").is(&[405, 501], "", ""),
        bad("a method that nobody has, on one user").send("BREW", "/Users/<ida>", "").is(&[405, 501], "", ""),
        bad("TRACE").send("TRACE", "/Users", "").is(&[405, 501], "", ""),
    ]);
    for media_type in [
        "text/plain",
        "text/html",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/scim",
        "application/jsonp",
        "application/scim+json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "///",
        "json",
    ] {
        for (method, path) in [("POST", "/Users"), ("PATCH", "/Users/<ida>")] {
            rows.push(
                bad(format!("{method} of {media_type}"))
                    .send(method, path, USER)
                    .header("content-type", media_type)
                    .is(&[415], "", "application/scim+json"),
            );
        }
    }
    for tag in ["W/\"999999\"", "\"nope\"", "W/\"\"", "\"a\", \"b\"", "garbage", "W/garbage", "\"unclosed"] {
        let row = |name: &str| bad(format!("{name} with If-Match {tag}")).header("if-match", tag);
        rows.extend([
            row("PATCH of a user").patch("/Users/<ida>", TITLE).is(
                &[412, 400],
                "invalidValue|invalidSyntax",
                "",
            ),
            row("PUT of a user")
                .put("/Users/<ida>", r#"{"schemas":["<User>"],"userName":"ida@corp.example","title":"x"}"#)
                .is(&[412, 400], "invalidValue|invalidSyntax", ""),
            row("DELETE of a user").send("DELETE", "/Users/<ida>", "").is(
                &[412, 400],
                "invalidValue|invalidSyntax",
                "",
            ),
            row("PATCH of a group").patch("/Groups/<team>", r#"[{"op":"remove","path":"members"}]"#).is(
                &[412, 400],
                "invalidValue|invalidSyntax",
                "",
            ),
            row("DELETE of a group").send("DELETE", "/Groups/<team>", "").is(
                &[412, 400],
                "invalidValue|invalidSyntax",
                "",
            ),
        ]);
    }
    rows.push(bad("If-Match * where nothing is").patch("/Users/<never>", TITLE).header("if-match", "*").is(
        &[404, 412],
        "",
        "",
    ));
    for (name, authorization) in [
        ("an empty Bearer", "Bearer "),
        ("Bearer alone", "Bearer"),
        ("a token without a scheme", "lk_scim_0123456789"),
        ("Basic", "Basic aWRhOnNlY3JldA=="),
        ("a short token", "Bearer lk_scim_short"),
        ("a token of the right shape", "Bearer lk_scim_0000000000000000000000000000000000000000000000000"),
        ("a token with a space", "Bearer lk_scim_00000 00000"),
        ("two tokens in one", "Bearer lk_scim_a, Bearer lk_scim_b"),
        ("a token that is not ASCII", "Bearer lk_scim_æøå"),
        ("a token like SQL", "Bearer ' or 1=1 --"),
    ] {
        rows.push(
            bad(format!("let in by {name}")).post("/Users", USER).header("authorization", authorization).is(
                &[401],
                "",
                "token",
            ),
        );
    }
    rows.extend([
        bad("let in without a token").get("/Users").header("authorization", "").is(&[401], "", "token"),
        bad("a delete without a token").send("DELETE", "/Users/<ida>", "").header("authorization", "").is(
            &[401],
            "",
            "token",
        ),
        bad("a token of 8 KiB")
            .get("/Users")
            .header("authorization", format!("Bearer {}", "x".repeat(8_192)))
            .is(&[401], "", "token"),
        bad("a token in the URL alone").get("/Users?access_token=lk_scim_x").header("authorization", "").is(
            &[401],
            "",
            "token",
        ),
    ]);
    rows
}
