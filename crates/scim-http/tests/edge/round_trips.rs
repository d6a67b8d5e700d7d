//! How often a request waits for PostgreSQL: once to read what a decision rests on, and once to commit.

use serde_json::{Value, json};

use crate::{Edge, patch, user};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What is asked, in order; a later one may rest on what an earlier one made. `{user}`, `{other}`
/// and `{group}` stand for ids.
fn requests(n: usize, user_id: &str, other: &str, group: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let members = json!([{"value": user_id}]);
    let named = |name: String| json!({"schemas": [GROUP], "displayName": name});
    let with = |name: String| json!({"schemas": [GROUP], "displayName": name, "members": members});
    let add = patch(json!([{"op": "add", "path": "members", "value": members}]));
    let remove = patch(json!([{"op": "remove", "path": format!("members[value eq \"{user_id}\"]")}]));
    let active = |on: bool| patch(json!([{"op": "replace", "path": "active", "value": on}]));
    let given = patch(json!([{"op": "replace", "path": "name.givenName", "value": format!("G{n}")}]));
    let renamed = patch(json!([{"op": "replace", "path": "displayName", "value": format!("R{n}")}]));
    let me = format!("/Users/{user_id}");
    let team = format!("/Groups/{group}");
    vec![
        ("POST", "/Users".to_owned(), Some(user(&format!("new{n}@corp.example")))),
        ("GET", me.clone(), None),
        ("GET", "/Users?filter=userName%20eq%20%22ida@corp.example%22".to_owned(), None),
        ("PUT", me.clone(), Some(user(&format!("ida{n}@corp.example")))),
        ("PATCH", me.clone(), given),
        ("PATCH", me.clone(), active(false)),
        ("PATCH", me.clone(), active(true)),
        ("PUT", me, Some(user("ida@corp.example"))),
        ("POST", "/Groups".to_owned(), Some(named(format!("Empty {n}")))),
        ("GET", team.clone(), None),
        ("GET", format!("{team}?excludedAttributes=members"), None),
        ("PATCH", team.clone(), add.clone()),
        ("PATCH", team.clone(), remove),
        ("PATCH", format!("{team}?attributes=members"), add),
        ("PATCH", team.clone(), renamed),
        ("PUT", team.clone(), Some(with(format!("Again {n}")))),
        ("DELETE", team, None),
        ("DELETE", format!("/Users/{other}"), None),
    ]
}

#[tokio::test]
async fn no_request_waits_for_postgres_more_than_twice() {
    let edge = Edge::on_postgres().await;
    let ida = edge.user("ida@corp.example").await;
    // The first time statements are prepared, and a login may grow old at any time: the least of
    // three is what a request costs.
    let mut least: Vec<(String, u64)> = Vec::new();
    for n in 0..3 {
        let other = edge.user(&format!("other{n}@corp.example")).await;
        let body = json!({"schemas": [GROUP], "displayName": format!("Sales {n}")});
        let made = edge.ask("POST", "/Groups", Some(body)).await.json();
        for (at, (method, path, body)) in
            requests(n, &ida, &other, made["id"].as_str().unwrap()).into_iter().enumerate()
        {
            let before = edge.engine.store().round_trips();
            let answer = edge.ask(method, &path, body).await;
            let trips = edge.engine.store().round_trips() - before;
            assert!(answer.status.is_success(), "{method} {path}: {}", answer.text);
            match least.get_mut(at) {
                Some((_, least)) => *least = trips.min(*least),
                None => least.push((format!("{at}: {method} {path}"), trips)),
            }
        }
    }
    assert!(
        least.iter().any(|(_, trips)| *trips == 1) && least.iter().all(|(_, trips)| *trips > 0),
        "{least:?}"
    );
    let more: Vec<_> = least.iter().filter(|(_, trips)| *trips > 2).collect();
    assert!(more.is_empty(), "{more:?}");
}
