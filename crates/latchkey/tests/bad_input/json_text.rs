//! Bodies that are no JSON, or JSON that says two things at once.

use crate::table::{Bad, bad};

/// A body that would be a user but for `tail`, which stands where its last member would.
fn user_with(tail: &str) -> String {
    format!(r#"{{"schemas":["<User>"],"userName":"new@corp.example",{tail}}}"#)
}

pub(crate) fn rows() -> Vec<Bad> {
    let mut rows: Vec<Bad> = [
        ("an empty body", String::new(), "body"),
        ("only spaces", "  \n ".to_owned(), "line|body"),
        ("an open object", "{".to_owned(), "line"),
        ("a list", "[]".to_owned(), "object"),
        ("a text", "\"userName\"".to_owned(), "object"),
        ("null", "null".to_owned(), "object"),
        ("a number", "42".to_owned(), "object"),
        ("a text that does not end", user_with("\"title\":\"Nur"), "line"),
        ("a trailing comma", user_with("\"title\":\"Nurse\","), "line"),
        ("single quotes", "{'userName':'x'}".to_owned(), "line"),
        ("a name without quotes", "{userName:\"x\"}".to_owned(), "line"),
        ("a comment", user_with("/* Nurse */ \"title\":\"x\""), "line"),
        ("a second value after the first", "{} {}".to_owned(), "line"),
        ("rubbish after the object", user_with("\"title\":\"x\"") + "]", "line"),
        ("a name without a value", user_with("\"title\":"), "line"),
        ("a member without a colon", user_with("\"title\" \"x\""), "line"),
        ("NaN", user_with("\"title\":NaN"), "line"),
        ("Infinity", user_with("\"title\":Infinity"), "line"),
        ("True with a capital, unquoted", user_with("\"active\":True"), "line"),
        ("a number with a leading zero", user_with("\"x\":01"), "line"),
        ("a number with a plus", user_with("\"x\":+1"), "line"),
        ("a number in hexadecimal", user_with("\"x\":0x1F"), "line"),
        ("a number that ends in its point", user_with("\"x\":1."), "line"),
        ("a number without digits", user_with("\"x\":-"), "line"),
        ("a line break inside a text", user_with("\"title\":\"a\nb\""), "line"),
        ("a NUL inside a text", user_with("\"title\":\"a\0b\""), "line"),
        ("an escape that JSON has not", user_with(r#""title":"\x41""#), "line"),
        ("an escape that is too short", user_with(r#""title":"\u12""#), "line"),
        ("a lone high surrogate", user_with(r#""title":"\ud800""#), "surrogate"),
        ("a lone high surrogate before text", user_with(r#""title":"\ud83dab""#), "surrogate"),
        ("a lone low surrogate", user_with(r#""title":"\udc00""#), "surrogate"),
        ("surrogates in the wrong order", user_with(r#""title":"\udc00\ud800""#), "surrogate"),
        ("a lone surrogate in a name", user_with(r#""ti\ud800tle":"x""#), "surrogate"),
        ("a name twice", user_with(r#""title":"a","title":"b""#), "title"),
        ("userName twice", user_with(r#""userName":"other@corp.example""#), "userName"),
        ("a name twice, differing in case", user_with(r#""USERNAME":"other@corp.example""#), "userName"),
        ("a name twice, once escaped", user_with(r#""title":"a","\u0074itle":"b""#), "title"),
        (
            "a name twice in an inner object",
            user_with(r#""name":{"givenName":"a","GivenName":"b"}"#),
            "givenName",
        ),
        ("active both ways", user_with(r#""active":false,"Active":true"#), "active"),
        (
            "an extension twice",
            user_with(r#""<Enterprise>":{},"<Enterprise>":{"department":"x"}"#),
            "enterprise",
        ),
        (
            "lists nested 200 deep",
            user_with(&format!("\"x\":{}{}", "[".repeat(200), "]".repeat(200))),
            "deep|nest",
        ),
        ("lists nested 50,000 deep", "[".repeat(50_000), "deep|nest"),
        ("objects nested 20,000 deep", "{\"a\":".repeat(20_000), "deep|nest"),
    ]
    .into_iter()
    .map(|(name, body, words)| bad(name).post("/Users", body).refused("invalidSyntax", words))
    .collect();
    for (name, bytes) in [
        ("a byte that UTF-8 has not", &b"\xff"[..]),
        ("a slash encoded too long", b"\xc0\xaf"),
        ("a character that breaks off", b"\xe2\x82"),
        ("a surrogate in UTF-8", b"\xed\xa0\x80"),
        ("beyond the last character", b"\xf5\x80\x80\x80"),
        ("Latin-1", b"Ren\xe9e"),
    ] {
        let mut body = user_with("\"title\":\"").into_bytes();
        body.truncate(body.len() - 1);
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\"}");
        rows.push(bad(name).post("/Users", body).refused("invalidSyntax", "UTF-8"));
    }
    let utf16: Vec<u8> = user_with("\"title\":\"x\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
    rows.push(bad("UTF-16").post("/Users", utf16).refused("invalidSyntax", "line|UTF-8"));
    for (name, number) in [
        ("a number beyond every double", "1e999".to_owned()),
        ("a number of 5,000 digits", "9".repeat(5_000)),
    ] {
        let body = user_with(&format!("\"title\":{number}"));
        rows.push(bad(name).post("/Users", body).refused("invalidSyntax|invalidValue", "number|range|title"));
    }
    for (name, method, path) in [
        ("no JSON in a PUT", "PUT", "/Users/<ida>"),
        ("no JSON in a PATCH of a user", "PATCH", "/Users/<ida>"),
        ("no JSON in a PATCH of a group", "PATCH", "/Groups/<team>"),
        ("no JSON in a new group", "POST", "/Groups"),
        ("no JSON in a search", "POST", "/Users/.search"),
        ("no JSON in a search of everything", "POST", "/.search"),
        ("no JSON in a bulk", "POST", "/Bulk"),
    ] {
        rows.push(bad(name).send(method, path, "{\"schemas\": [").refused("invalidSyntax", "line"));
    }
    rows
}
