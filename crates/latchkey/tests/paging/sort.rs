//! Sorting (RFC 7644 §3.4.2.3).

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::support::enc;
use crate::support::scim::{ENTERPRISE, create, group_id, ids, read, user};
use crate::support::{list, text};

on_both! {
    async fn a_list_is_sorted_by_any_attribute_with_its_own_case(server: &Server) {
        let scim = server.workspace("sort").await.scim();
        // name, title, emails with their primary, department, externalId
        let people = [
            ("pb@x.example", json!("nurse"), "zz@x.example", "Care", "b"),
            ("PA@x.example", json!("Nurse"), "aa@x.example", "care", "B"),
            ("pc@x.example", Value::Null, "mm@x.example", "Ads", "a"),
            ("pD@x.example", json!("Chief"), "bb@x.example", "Zoo", "C"),
        ];
        for (name, title, primary, department, external) in &people {
            let emails = json!([
                {"type": "home", "value": "0@x.example"}, {"type": "work", "value": primary, "primary": true},
            ]);
            let body = json!({"title": title, "emails": emails, "externalId": external, ENTERPRISE: {"department": department}});
            create(&scim, "/Users", &user(name, body)).await;
        }
        let sorted = async |by: &str, order: &str| {
            let query = format!("/Users?filter={}&sortBy={by}{order}", enc("userName sw \"p\""));
            let found = read(&scim, &query).await;
            list(&found, "/Resources")
                .iter()
                .map(|user| text(user, "/userName").chars().nth(1).expect("two letters").to_ascii_lowercase())
                .collect::<String>()
        };
        let department = format!("{ENTERPRISE}:department");
        for (by, ascending) in [
            ("userName", "abcd"),
            ("USERNAME", "abcd"),
            ("emails", "adcb"),
            ("emails.value", "adcb"),
            ("externalId", "adcb"),
            ("meta.created", "bacd"),
        ] {
            assert_eq!(sorted(by, "").await, ascending, "{by}");
            assert_eq!(sorted(by, "&sortOrder=ascending").await, ascending, "{by}");
            let descending: String = ascending.chars().rev().collect();
            assert_eq!(sorted(by, "&sortOrder=descending").await, descending, "{by}, descending");
        }
        let by_title = sorted("title", "").await;
        assert!(by_title.starts_with('d') && by_title.ends_with('c'), "who has none is last: {by_title}");
        let by_title = sorted("title", "&sortOrder=descending").await;
        assert!(
            by_title.starts_with('c') && by_title.ends_with('d'),
            "and first when descending: {by_title}"
        );
        let by_department = sorted(&department, "").await;
        assert!(by_department.starts_with('c') && by_department.ends_with('d'), "{by_department}");
    }

    async fn groups_are_sorted_too_and_sorted_before_they_are_paged(server: &Server) {
        let scim = server.workspace("sorted-groups").await.scim();
        let mut made = Vec::new();
        for name in ["delta", "Bravo", "alpha", "Charlie", "echo"] {
            made.push((name.to_lowercase(), group_id(&scim, name, &[]).await));
        }
        made.sort();
        let wanted: Vec<String> = made.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids(&read(&scim, "/Groups?sortBy=displayName").await), wanted);
        let mut joined = Vec::new();
        for start in [1, 3, 5] {
            let page = read(&scim, &format!("/Groups?sortBy=displayName&startIndex={start}&count=2")).await;
            assert_eq!(page["totalResults"], json!(5));
            joined.extend(ids(&page));
        }
        assert_eq!(joined, wanted);
    }
}
