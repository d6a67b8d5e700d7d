//! Filters, paging and projection that make no sense.

use crate::support::enc;
use crate::table::{Bad, bad};

const FILTERS: &[(&str, &str)] = &[
    ("userName", ""),
    ("userName eq", ""),
    ("eq \"x\"", ""),
    ("\"x\" eq userName", ""),
    ("userName eq 'x'", ""),
    ("userName eq x", ""),
    ("userName = \"x\"", ""),
    ("userName == \"x\"", ""),
    ("userName like \"x\"", "like"),
    ("userName eq \"x", ""),
    ("userName eq \"x\" and", ""),
    ("and userName eq \"x\"", ""),
    ("userName eq \"x\" or or title pr", ""),
    ("userName eq \"x\" xor title pr", ""),
    ("userName eq \"x\" && title pr", ""),
    ("userName eq \"x\" title pr", ""),
    ("(userName eq \"x\"", ""),
    ("userName eq \"x\")", ""),
    ("()", ""),
    ("not", ""),
    ("not ()", ""),
    ("not userName eq \"x\"", ""),
    ("emails[type eq \"work\"", ""),
    ("emails[]", ""),
    ("emails[type eq \"work\"].", ""),
    ("emails[type eq \"work\"].value", ""),
    ("emails[emails[type eq \"x\"]]", ""),
    ("emails.", ""),
    (".userName eq \"x\"", ""),
    ("userName..x eq \"y\"", ""),
    ("name.givenName.more eq \"x\"", ""),
    ("shoeSize eq 44", "shoeSize"),
    ("name.shoeSize pr", "shoeSize"),
    ("emails[shoeSize eq 1]", "shoeSize"),
    ("userName eq \"x\" or shoeSize pr", "shoeSize"),
    ("urn:example:Nothing:title eq \"x\"", ""),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:shoeSize pr", "shoeSize"),
    ("urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq \"x\"", ""),
    ("userName[value eq \"x\"]", ""),
    ("active gt true", "active"),
    ("active le false", "active"),
    ("x509Certificates.value gt \"AAAA\"", ""),
    ("userName eq \"\\x\"", ""),
    ("userName eq \"\\ud800\"", ""),
    ("userName eq 01", ""),
    ("userName eq {}", ""),
    ("userName eq [\"x\"]", ""),
    ("userName eq \"a\" \"b\"", ""),
    ("userName pr \"x\"", ""),
    ("1userName eq \"x\"", ""),
    ("user-Name! eq \"x\"", ""),
    ("userName eq \"a\"; drop table members", ""),
    ("userName eq \"a\nb\"", ""),
    ("members eq \"x\"", ""),
    ("*", ""),
    ("true", ""),
];

pub(crate) fn rows() -> Vec<Bad> {
    let mut rows: Vec<Bad> = FILTERS
        .iter()
        .map(|(filter, word)| {
            bad(format!("the filter {filter}"))
                .get(format!("/Users?filter={}", enc(filter)))
                .refused("invalidFilter", word)
        })
        .collect();
    let by_search = |name: &str, path: &str, filter: &str| {
        let filter = serde_json::Value::from(filter);
        bad(name).post(path, format!(r#"{{"schemas":["<Search>"],"filter":{filter}}}"#))
    };
    let deep = |open: &str, close: &str, times: usize| {
        format!("{}userName pr{}", open.repeat(times), close.repeat(times))
    };
    rows.extend([
        by_search("the same in a search", "/Users/.search", "shoeSize eq 44")
            .refused("invalidFilter", "shoeSize"),
        by_search("rubbish in a search of everything", "/.search", "userName eq")
            .refused("invalidFilter", ""),
        bad("a bad filter for groups").get("/Groups?filter=displayName%20eq").refused("invalidFilter", ""),
        bad("a user's attribute for groups")
            .get(format!("/Groups?filter={}", enc("userName eq \"x\"")))
            .refused("invalidFilter", "userName"),
        by_search("300 parentheses", "/Users/.search", &deep("(", ")", 300))
            .refused("invalidFilter", "deep|nest"),
        by_search("7,000 parentheses", "/Users/.search", &deep("(", ")", 7_000)).refused("invalidFilter", ""),
        by_search("7,000 open parentheses", "/Users/.search", &"(".repeat(7_000))
            .refused("invalidFilter", ""),
        by_search("300 nots", "/Users/.search", &deep("not (", ")", 300))
            .refused("invalidFilter", "deep|nest"),
        by_search(
            "1,000 nots without parentheses",
            "/Users/.search",
            &format!("{}title pr", "not ".repeat(1_000)),
        )
        .refused("invalidFilter", ""),
        by_search("700 terms", "/Users/.search", &vec!["title pr"; 700].join(" and "))
            .refused("invalidFilter", ""),
        by_search("a filter of 60 KiB", "/Users/.search", &format!("title eq \"{}\"", "a".repeat(60_000)))
            .refused("invalidFilter", "long"),
        by_search(
            "brackets in brackets",
            "/Users/.search",
            &format!("{}title pr{}", "emails[".repeat(20), "]".repeat(20)),
        )
        .refused("invalidFilter", ""),
        bad("a filter as a number")
            .post("/Users/.search", r#"{"schemas":["<Search>"],"filter":7}"#)
            .refused("invalidSyntax|invalidValue|invalidFilter", "filter"),
        bad("a filter as an object")
            .post("/Users/.search", r#"{"schemas":["<Search>"],"filter":{}}"#)
            .refused("invalidSyntax|invalidValue|invalidFilter", "filter"),
        bad("attributes as a number")
            .post("/Users/.search", r#"{"schemas":["<Search>"],"attributes":7}"#)
            .refused("invalidSyntax|invalidValue", "attributes"),
        bad("count as an object")
            .post("/Users/.search", r#"{"schemas":["<Search>"],"count":{}}"#)
            .refused("invalidSyntax|invalidValue|invalidCount", "count"),
        bad("startIndex as a list")
            .post("/Users/.search", r#"{"schemas":["<Search>"],"startIndex":[1]}"#)
            .refused("invalidSyntax|invalidValue", "startIndex"),
        bad("a search that is a list").post("/Users/.search", "[]").refused("invalidSyntax", "object"),
        bad("bytes that are no UTF-8 in a filter")
            .get("/Users?filter=userName%20eq%20%22%ff%22")
            .refused("invalidFilter|invalidValue|invalidSyntax", ""),
        bad("half a percent-escape in a filter")
            .get("/Users?filter=userName%2")
            .refused("invalidFilter|invalidValue|invalidSyntax", ""),
        bad("startIndex as a word").get("/Users?startIndex=one").refused("invalidValue", "startIndex"),
        bad("startIndex as a fraction").get("/Users?startIndex=1.5").refused("invalidValue", "startIndex"),
        bad("count as a word").get("/Users?count=all").refused("invalidValue|invalidCount", "count"),
        bad("count as a fraction").get("/Groups?count=1.5").refused("invalidValue|invalidCount", "count"),
        bad("a cursor that is none").get("/Users?cursor=nonsense&count=2").refused("invalidCursor", "cursor"),
        bad("a cursor in base64 of rubbish")
            .get("/Users?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&count=2")
            .refused("invalidCursor", "cursor"),
        bad("a cursor of 6,000 characters")
            .get(format!("/Users?cursor={}&count=2", "A".repeat(6_000)))
            .refused("invalidCursor", "cursor"),
        bad("a cursor of odd characters")
            .get("/Users?cursor=%00%ff%22&count=2")
            .refused("invalidCursor|invalidValue", ""),
        bad("a cursor in a search")
            .post("/Users/.search", r#"{"schemas":["<Search>"],"cursor":"nonsense","count":2}"#)
            .refused("invalidCursor", "cursor"),
        bad("a filter on schemas").get(format!("/Schemas?filter={}", enc("id pr"))).is(&[403], "", "filter"),
        bad("a filter on resource types")
            .get(format!("/ResourceTypes?filter={}", enc("name eq \"User\"")))
            .is(&[403], "", "filter"),
    ]);
    for filter in
        ["password eq \"x\"", "password pr", "userName pr and password sw \"a\"", "PASSWORD co \"a\""]
    {
        let row = bad(format!("a secret in the filter {filter}"));
        rows.push(
            row.get(format!("/Users?filter={}", enc(filter))).refused("sensitive|invalidFilter", "password"),
        );
    }
    rows
}
