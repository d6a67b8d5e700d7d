//! Bad requests: each gets the SCIM error that RFC 7644 names for it, and changes nothing.

#[path = "../support/mod.rs"]
mod support;

mod bulk;
mod filters;
mod json_text;
mod patches;
mod protocol;
mod resources;
mod sizes;
mod table;

use std::time::{Duration, Instant};

use latchkey_testkit::{Server, on_both};

use support::cases::Failures;
use support::enc;
use support::scim::{assert_error, group_id, user_id};
use support::state::State;
use table::{Bad, Known};

fn tables() -> Vec<(&'static str, Vec<Bad>)> {
    vec![
        ("JSON", json_text::rows()),
        ("resources", resources::rows()),
        ("PATCH", patches::rows()),
        ("filters", filters::rows()),
        ("protocol", protocol::rows()),
        ("bulk", bulk::rows()),
        ("sizes", sizes::rows()),
    ]
}

#[test]
fn the_table_has_at_least_150_rows_and_no_name_twice() {
    let mut names: Vec<String> =
        tables().into_iter().flat_map(|(_, rows)| rows).map(|row| row.name).collect();
    assert!(names.len() >= 150, "{} rows", names.len());
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert!(twice.is_empty(), "two rows have one name: {twice:?}");
}

on_both! {
    async fn every_bad_request_gets_its_error_and_changes_nothing(server: &Server) {
        let workspace = server.workspace("bad-input").await;
        let scim = workspace.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let bo = user_id(&scim, "bo@corp.example").await;
        let team = group_id(&scim, "Ops", &[&ida]).await;
        group_id(&scim, "Care", &[&ida, &bo]).await;
        let known = Known { ida, bo, team };
        let before = State::of(&workspace).await;
        let mut failures = Failures::default();
        for (part, rows) in tables() {
            for row in rows {
                let name = format!("{part}: {}", row.name);
                failures
                    .play(name, async {
                        row.play(&scim, &known).await;
                        State::of(&workspace).await.assert_same(&before, &row.name);
                    })
                    .await;
            }
        }
        failures
            .play("the server's log", async {
                assert!(!server.log().contains("panicked"), "{}", server.log())
            })
            .await;
        failures.tell();
    }

    async fn bad_operations_in_a_bulk_are_refused_one_by_one(server: &Server) {
        let workspace = server.workspace("bad-bulk").await;
        let scim = workspace.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let bo = user_id(&scim, "bo@corp.example").await;
        let team = group_id(&scim, "Ops", &[&ida]).await;
        let known = Known { ida, bo, team };
        let before = State::of(&workspace).await;
        bulk::play_operations(&scim, &known).await;
        State::of(&workspace).await.assert_same(&before, "a bulk of bad operations");
    }

    async fn filters_that_would_blow_up_a_backtracking_matcher_answer_at_once(server: &Server) {
        let workspace = server.workspace("redos").await;
        let scim = workspace.scim();
        for at in 0..50 {
            user_id(&scim, &format!("{}{at}@corp.example", "a".repeat(200))).await;
        }
        let long = "a".repeat(3_000);
        let many: Vec<String> = (0..200).map(|at| format!("userName eq \"{at}\"")).collect();
        let mut failures = Failures::default();
        for filter in [
            format!("userName co \"{long}b\""),
            format!("userName co \"{}\"", "a*".repeat(500)),
            format!("displayName co \"{}!\"", "(a+)+".repeat(300)),
            format!("userName sw \"{}%_%_\"", "%".repeat(500)),
            format!("emails.value co \"{}\" and emails.value co \"{}\"", "aa".repeat(90), "ab".repeat(90)),
            many.join(" or "),
            format!("{}userName pr{}", "(".repeat(30), ")".repeat(30)),
        ] {
            let shown: String = filter.chars().take(60).collect();
            failures
                .play(shown, async {
                    let started = Instant::now();
                    let answer = scim.get(&format!("/Users?filter={}", enc(&filter))).await;
                    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
                    if answer.status == 400 {
                        assert_eq!(assert_error(&answer).0, "invalidFilter");
                    } else {
                        assert!(answer.expect(200).json()["totalResults"].is_u64());
                    }
                })
                .await;
        }
        failures.tell();
    }

    async fn wildcards_of_sql_are_plain_characters_in_filters(server: &Server) {
        let workspace = server.workspace("wildcards").await;
        let scim = workspace.scim();
        let plain = user_id(&scim, "abc@corp.example").await;
        let odd = user_id(&scim, "a%c_\\'\"@corp.example").await;
        for (filter, wanted) in [
            ("userName co \"%\"", vec![&odd]),
            ("userName co \"_\"", vec![&odd]),
            ("userName sw \"a_c\"", vec![]),
            ("userName sw \"a%c\"", vec![&odd]),
            ("userName co \"\\\\\"", vec![&odd]),
            ("userName co \"'\"", vec![&odd]),
            ("userName co \"\\\"\"", vec![&odd]),
            ("userName sw \"abc@\"", vec![&plain]),
            ("userName ew \"' or 1=1 --\"", vec![]),
        ] {
            let found = support::scim::found_ids(&scim, "/Users", filter).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter}");
        }
    }

    async fn abused_headers_never_break_the_server(server: &Server) {
        let workspace = server.workspace("headers").await;
        let scim = workspace.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let before = State::of(&workspace).await;
        let path = format!("/Users/{ida}");
        let huge = "x".repeat(16 * 1024);
        let tags = (0..2_000).map(|at| format!("\"{at}\"")).collect::<Vec<_>>().join(", ");
        let quiet = Duration::from_millis(300);
        for (headers, allowed) in [
            (vec![("x-filler", huge.as_str())], &[200, 400, 431][..]),
            (vec![("if-none-match", tags.as_str())], &[200, 304, 400, 431]),
            (vec![("if-none-match", "garbage, \"unclosed")], &[200, 304, 400]),
            (vec![("accept", "text/html")], &[200, 406]),
            (vec![("accept", ";;;q=,,/")], &[200, 400, 406]),
            (vec![("accept", "application/scim+json;q=0")], &[200, 406]),
            (vec![("accept-encoding", "br;q=9,,,gzip")], &[200, 400]),
            (vec![("x-request-id", "a b\tc{}<script>")], &[200, 400]),
            (vec![("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "gopher")], &[200]),
            (vec![("host", "evil.example")], &[200, 400]),
            (vec![("range", "bytes=0-1")], &[200]),
            (vec![("content-type", "text/plain")], &[200, 415]),
        ] {
            let answer = scim.send("GET", &path, &headers, "").await;
            assert!(allowed.contains(&answer.status), "{allowed:?}: {answer:?}");
            assert!(
                !answer.text().contains("evil.example"),
                "links come from the configured base: {answer:?}"
            );
            if answer.status >= 400 && answer.status != 431 {
                assert_error(&answer);
            }
        }
        for raw in [
            &b"GARBAGE\r\n\r\n"[..],
            b"GET /v1/scim/v2/Users HTTP/9.9\r\n\r\n",
            b"POST /v1/scim/v2/Users HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
            b"POST /v1/scim/v2/Users HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello",
            b"POST /v1/scim/v2/Users HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"GET /v1/scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
        ] {
            let answer = scim.raw(raw, quiet).await;
            let text = String::from_utf8_lossy(&answer);
            assert!(text.is_empty() || text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 505"), "{text}");
        }
        State::of(&workspace).await.assert_same(&before, "header abuse");
        assert!(!server.log().contains("panicked"), "{}", server.log());
    }
}
