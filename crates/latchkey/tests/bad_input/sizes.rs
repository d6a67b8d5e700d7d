//! Requests that are too much.

use crate::table::{Bad, bad};

/// A value as large as the rows need it.
fn filler(bytes: usize) -> String {
    "x".repeat(bytes)
}

pub(crate) fn rows() -> Vec<Bad> {
    let operation = r#"{"op":"add","path":"members","value":[{"value":"<ida>"}]}"#;
    let operations = vec![operation; 10_000].join(",");
    let titles = vec![r#"{"op":"replace","path":"title","value":"x"}"#; 10_000].join(",");
    let emails = vec![r#"{"value":"a@corp.example"}"#; 30_000].join(",");
    let user = |tail: &str| format!(r#"{{"schemas":["<User>"],"userName":"new@corp.example",{tail}}}"#);
    let large = user(&format!(r#""title":"{}""#, filler(3 << 20)));
    vec![
        bad("a PATCH of 10,000 operations on a group")
            .patch("/Groups/<team>", &format!("[{operations}]"))
            .is(&[400, 413], "invalidValue|invalidSyntax|tooMany", "operations"),
        bad("a PATCH of 10,000 operations on a user").patch("/Users/<ida>", &format!("[{titles}]")).is(
            &[400, 413],
            "invalidValue|invalidSyntax|tooMany",
            "operations",
        ),
        bad("a user of 3 MiB").post("/Users", large.clone()).is(&[413], "", "bytes|large"),
        bad("a PUT of 3 MiB").put("/Users/<ida>", large.clone()).is(&[413], "", "bytes|large"),
        bad("a group of 3 MiB").post("/Groups", large.clone()).is(&[413], "", "bytes|large"),
        bad("a search of 3 MiB").post("/Users/.search", large.clone()).is(&[413], "", "bytes|large"),
        bad("a PATCH of 3 MiB").send("PATCH", "/Users/<ida>", large.clone()).is(&[413], "", "bytes|large"),
        bad("a bulk of 3 MiB").post("/Bulk", large).is(&[413], "", "bytes|large"),
        bad("a text of 500 KiB").post("/Users", user(&format!(r#""title":"{}""#, filler(500 << 10)))).is(
            &[400, 413],
            "invalidValue|invalidSyntax",
            "title|long|bytes",
        ),
        bad("a userName of 200 KiB")
            .post("/Users", format!(r#"{{"schemas":["<User>"],"userName":"{}"}}"#, filler(200 << 10)))
            .is(&[400, 413], "invalidValue|invalidSyntax", "userName|long|bytes"),
        bad("30,000 addresses").post("/Users", user(&format!(r#""emails":[{emails}]"#))).is(
            &[400, 413],
            "invalidValue|invalidSyntax|tooMany",
            "emails|values|list",
        ),
        bad("a PATCH path of 60 KiB")
            .patch("/Users/<ida>", &format!(r#"[{{"op":"remove","path":"{}"}}]"#, filler(60_000)))
            .refused("invalidPath", "long|path"),
    ]
}
