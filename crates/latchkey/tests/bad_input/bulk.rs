//! Bulk requests that are none, and operations in a bulk that are none.

use latchkey_testkit::Client;
use serde_json::{Value, json};

use crate::support::scim::{BULK, BULK_ANSWER, ERROR};
use crate::support::{list, text};
use crate::table::{Bad, Known, bad};

pub(crate) fn rows() -> Vec<Bad> {
    let one = r#"{"method":"POST","path":"/Users","bulkId":"x","data":{"schemas":["<User>"],"userName":"bulk@corp.example"}}"#;
    let many: Vec<String> =
        (0..5_000).map(|_| r#"{"method":"DELETE","path":"/Users/<ida>"}"#.to_owned()).collect();
    vec![
        bad("a bulk that is a list").post("/Bulk", format!("[{one}]")).refused("invalidSyntax", "object"),
        bad("a bulk without operations")
            .post("/Bulk", r#"{"schemas":["<Bulk>"]}"#)
            .refused("invalidSyntax|invalidValue", "Operations"),
        bad("a bulk with operations as text")
            .post("/Bulk", r#"{"schemas":["<Bulk>"],"Operations":"all"}"#)
            .refused("invalidSyntax|invalidValue", "Operations"),
        bad("a bulk with an operation as a number")
            .post("/Bulk", r#"{"schemas":["<Bulk>"],"Operations":[7]}"#)
            .refused("invalidSyntax|invalidValue", "Operation"),
        bad("a bulk with failOnErrors as text")
            .post("/Bulk", format!(r#"{{"schemas":["<Bulk>"],"failOnErrors":"some","Operations":[{one}]}}"#))
            .refused("invalidSyntax|invalidValue", "failOnErrors"),
        bad("a bulk of 5,000 operations")
            .post("/Bulk", format!(r#"{{"schemas":["<Bulk>"],"Operations":[{}]}}"#, many.join(",")))
            .is(&[413], "", "1000|1,000|operations|bytes"),
    ]
}

/// Operations that are refused each by itself: what is wrong, the operation, its status, its keyword.
fn operations(known: &Known) -> Vec<(&'static str, Value, &'static [u16], &'static str)> {
    let user = json!({"schemas": [crate::support::scim::USER], "userName": "bulk@corp.example"});
    let ida = format!("/Users/{}", known.ida);
    let title = json!({"schemas": [crate::support::scim::PATCH_OP],
        "Operations": [{"op": "replace", "path": "shoeSize", "value": 7}]});
    vec![
        (
            "no bulkId",
            json!({"method": "POST", "path": "/Users", "data": user}),
            &[400],
            "invalidSyntax|invalidValue",
        ),
        (
            "no method",
            json!({"path": "/Users", "bulkId": "a1", "data": user}),
            &[400],
            "invalidSyntax|invalidValue",
        ),
        ("another method", json!({"method": "GET", "path": ida}), &[400, 405], "invalidSyntax|invalidValue"),
        (
            "no path",
            json!({"method": "POST", "bulkId": "a2", "data": user}),
            &[400],
            "invalidSyntax|invalidValue|invalidPath",
        ),
        (
            "another path",
            json!({"method": "POST", "path": "/Nowhere", "bulkId": "a3", "data": user}),
            &[400, 404],
            "invalidSyntax|invalidValue|invalidPath",
        ),
        (
            "a bulk in a bulk",
            json!({"method": "POST", "path": "/Bulk", "bulkId": "a4", "data": {"schemas": [BULK], "Operations": []}}),
            &[400, 404, 405],
            "invalidSyntax|invalidValue|invalidPath",
        ),
        (
            "a whole URL",
            json!({"method": "DELETE", "path": "https://evil.example/Users/1"}),
            &[400, 404],
            "invalidSyntax|invalidValue|invalidPath",
        ),
        (
            "no data",
            json!({"method": "POST", "path": "/Users", "bulkId": "a5"}),
            &[400],
            "invalidSyntax|invalidValue",
        ),
        (
            "data as text",
            json!({"method": "POST", "path": "/Users", "bulkId": "a6", "data": "x"}),
            &[400],
            "invalidSyntax|invalidValue",
        ),
        (
            "no userName",
            json!({"method": "POST", "path": "/Users", "bulkId": "a7", "data": {"schemas": user["schemas"]}}),
            &[400],
            "invalidValue",
        ),
        (
            "taken",
            json!({"method": "POST", "path": "/Users", "bulkId": "a8", "data": {"schemas": user["schemas"], "userName": "BO@corp.example"}}),
            &[409],
            "uniqueness",
        ),
        (
            "a bad patch",
            json!({"method": "PATCH", "path": ida, "data": title}),
            &[400],
            "invalidPath|noTarget",
        ),
        ("an old version", json!({"method": "DELETE", "path": ida, "version": "W/\"99999\""}), &[412], ""),
        (
            "who never was",
            json!({"method": "DELETE", "path": format!("/Users/{}", crate::support::NEVER)}),
            &[404],
            "",
        ),
        (
            "a reference to nothing",
            json!({"method": "DELETE", "path": "/Users/bulkId:nobody"}),
            &[400, 404, 409],
            "invalidValue|invalidSyntax|invalidPath|uniqueness|",
        ),
    ]
}

/// Sends all of them in one bulk and reads each one's own error.
pub(crate) async fn play_operations(scim: &Client, known: &Known) {
    let rows = operations(known);
    let sent: Vec<&Value> = rows.iter().map(|row| &row.1).collect();
    let answer = scim.post("/Bulk", &json!({"schemas": [BULK], "Operations": sent})).await;
    if answer.status == 400 {
        // The shape of one operation may condemn the whole request; then each is sent alone.
        for row in &rows {
            let body = json!({"schemas": [BULK], "Operations": [row.1]});
            let answer = scim.post("/Bulk", &body).await;
            if answer.status == 400 {
                crate::support::scim::assert_error(&answer);
            } else {
                check(row, &answer.expect(200).json()["Operations"][0]);
            }
        }
        return;
    }
    let body = answer.expect(200).json();
    assert_eq!(body["schemas"], json!([BULK_ANSWER]), "{body}");
    let answers = list(&body, "/Operations");
    assert_eq!(answers.len(), rows.len(), "{body}");
    for (row, answer) in rows.iter().zip(answers) {
        check(row, answer);
    }
}

fn check((name, sent, statuses, keywords): &(&str, Value, &[u16], &str), answer: &Value) {
    let status: u16 = text(answer, "/status").parse().unwrap_or_else(|_| panic!("{name}: {answer}"));
    assert!(statuses.contains(&status), "{name}: {sent}\n{answer}");
    assert_eq!(answer["response"]["schemas"], json!([ERROR]), "{name}: {answer}");
    assert_eq!(answer["response"]["status"], json!(status.to_string()), "{name}: {answer}");
    assert!(!text(answer, "/response/detail").is_empty(), "{name}: {answer}");
    if status == 400 || status == 409 {
        let keyword = text(answer, "/response/scimType");
        assert!(keywords.split('|').any(|allowed| allowed == keyword), "{name}: {answer}");
    }
    if let Some(id) = sent.get("bulkId") {
        assert_eq!(&answer["bulkId"], id, "{name}: {answer}");
    }
    assert_eq!(answer.get("location").filter(|_| sent["method"] == "POST"), None, "{name}: {answer}");
}
