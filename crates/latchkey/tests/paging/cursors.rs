//! Paging by cursor (RFC 9865).

use std::collections::BTreeSet;

use latchkey_testkit::{Client, Server, on_both};
use serde_json::{Value, json};

use crate::index::{CROWD, crowd};
use crate::support::scim::{SEARCH, assert_list, assert_refused, ids, patch, read, user_id};
use crate::support::{enc, text};

async fn first(scim: &Client, query: &str) -> Value {
    let found = read(scim, &format!("/Users?cursor=&{query}")).await;
    assert_list(&found);
    found
}

async fn next(scim: &Client, query: &str, page: &Value) -> Option<Value> {
    let cursor = page.get("nextCursor")?.as_str().expect("a cursor is text");
    assert!(!cursor.is_empty(), "{page}");
    let found = read(scim, &format!("/Users?cursor={}&{query}", enc(cursor))).await;
    assert_list(&found);
    Some(found)
}

/// Walks to the end and gives the ids in order.
async fn walk(scim: &Client, query: &str) -> Vec<String> {
    let mut page = first(scim, query).await;
    let mut seen = ids(&page);
    while let Some(found) = next(scim, query, &page).await {
        seen.extend(ids(&found));
        page = found;
        assert!(seen.len() < 10_000, "the walk never ends");
    }
    seen
}

on_both! {
    async fn a_walk_by_cursor_sees_everybody_once(server: &Server) {
        let scim = server.workspace("walk").await.scim();
        let people = crowd(&scim, 23).await;
        let whole = walk(&scim, "count=1000").await;
        assert_eq!(
            whole.len(),
            people.len() + usize::from(whole.len() > people.len()),
            "and perhaps the owner"
        );
        for count in [1, 2, 5, 23, 24, 25] {
            assert_eq!(walk(&scim, &format!("count={count}")).await, whole, "by {count}");
        }
        let filter = format!("filter={}", enc(CROWD));
        for query in [
            filter.clone(),
            format!("{filter}&attributes=userName"),
            format!("{filter}&excludedAttributes=emails"),
        ] {
            let seen = walk(&scim, &format!("{query}&count=4")).await;
            assert_eq!(seen.iter().collect::<BTreeSet<_>>(), people.iter().collect(), "{query}");
            assert_eq!(seen.len(), people.len(), "{query}");
        }
        let nobody = first(&scim, &format!("filter={}&count=4", enc("userName eq \"nobody\""))).await;
        assert_eq!(nobody.get("nextCursor"), None, "{nobody}");
        let exact = first(&scim, &format!("{filter}&count={}", people.len())).await;
        assert_eq!(exact.get("nextCursor"), None, "the last page says so: {exact}");
    }

    async fn a_walk_keeps_the_order_of_its_sort_through_ties(server: &Server) {
        let scim = server.workspace("sorted-walk").await.scim();
        for at in 0..20 {
            let body = crate::support::scim::user(
                &format!("p{at:03}@corp.example"),
                json!({"title": if at % 3 == 0 { Value::Null } else { json!(format!("T{}", at % 2)) }}),
            );
            crate::support::scim::create(&scim, "/Users", &body).await;
        }
        let filter = enc(CROWD);
        for sort in [
            "sortBy=userName",
            "sortBy=userName&sortOrder=descending",
            "sortBy=title",
            "sortBy=title&sortOrder=descending",
            "sortBy=meta.lastModified",
            "sortBy=name.familyName",
        ] {
            let query = format!("filter={filter}&{sort}");
            let whole = ids(&read(&scim, &format!("/Users?{query}&count=1000")).await);
            assert_eq!(whole.len(), 20, "{sort}");
            for count in [1, 3, 7] {
                assert_eq!(walk(&scim, &format!("{query}&count={count}")).await, whole, "{sort} by {count}");
            }
        }
    }

    async fn who_is_there_all_the_time_is_seen_once_while_others_come_and_go(server: &Server) {
        let scim = server.workspace("busy-walk").await.scim();
        for sort in ["", "&sortBy=userName", "&sortBy=userName&sortOrder=descending"] {
            let mut people = crowd(&scim, 24).await;
            let query = format!("filter={}&count=4{sort}", enc(CROWD));
            let mut page = first(&scim, &query).await;
            let (mut seen, mut came, mut gone, mut round) = (ids(&page), Vec::new(), BTreeSet::new(), 0);
            loop {
                round += 1;
                // One goes whom the walk has seen, one whom it has not; one comes; one changes.
                let behind = seen.iter().find(|id| people.contains(id)).cloned();
                let ahead = people.iter().rev().find(|id| !seen.contains(id)).cloned();
                for id in [behind, ahead].into_iter().flatten().filter(|_| round <= 4) {
                    scim.delete(&format!("/Users/{id}")).await.expect(204);
                    people.retain(|one| *one != id);
                    gone.insert(id);
                }
                came.push(user_id(&scim, &format!("p0{round:02}x{}@corp.example", sort.len())).await);
                let change =
                    patch(json!({"op": "replace", "path": "nickName", "value": format!("n{round}")}));
                scim.patch(&format!("/Users/{}", people[round % people.len()]), &change).await.expect(200);
                match next(&scim, &query, &page).await {
                    Some(found) => {
                        seen.extend(ids(&found));
                        page = found;
                    }
                    None => break,
                }
                assert!(round < 100, "the walk never ends");
            }
            let unique: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(unique.len(), seen.len(), "{sort}: nobody twice");
            let missing: Vec<&String> = people.iter().filter(|id| !unique.contains(id)).collect();
            assert!(missing.is_empty(), "{sort}: {missing:?} were there all the time");
            for id in people.iter().chain(&came) {
                scim.delete(&format!("/Users/{id}")).await.expect(204);
            }
        }
    }

    async fn a_cursor_is_good_for_its_own_query_and_workspace_alone(server: &Server) {
        let scim = server.workspace("own").await.scim();
        let other = server.workspace("other").await.scim();
        for client in [&scim, &other] {
            crowd(client, 6).await;
        }
        let filter = enc(CROWD);
        let page = first(&scim, &format!("filter={filter}&count=2")).await;
        let cursor = text(&page, "/nextCursor").to_owned();
        for (client, query) in [
            (&scim, format!("/Users?cursor={cursor}&count=2")),
            (&scim, format!("/Users?cursor={cursor}&count=2&filter={}", enc("userName sw \"q\""))),
            (&scim, format!("/Users?cursor={cursor}&count=2&filter={filter}&sortBy=userName")),
            (&scim, format!("/Groups?cursor={cursor}&count=2")),
            (&other, format!("/Users?cursor={cursor}&count=2&filter={filter}")),
        ] {
            assert_refused(&client.get(&query).await, 400, "invalidCursor");
        }
        for at in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("a cursor is ASCII");
            let answer = scim.get(&format!("/Users?cursor={}&count=2&filter={filter}", enc(&altered))).await;
            assert_refused(&answer, 400, "invalidCursor");
        }
        for cut in [&cursor[1..], &cursor[..cursor.len() - 1], &format!("{cursor}{cursor}")] {
            let answer = scim.get(&format!("/Users?cursor={}&count=2&filter={filter}", enc(cut))).await;
            assert_refused(&answer, 400, "invalidCursor");
        }
        let page = read(&scim, &format!("/Users?cursor={}&count=3&filter={filter}", enc(&cursor))).await;
        assert!(!ids(&page).is_empty(), "after all that it still is good, and for another count: {page}");
    }

    async fn a_search_pages_by_cursor_too(server: &Server) {
        let scim = server.workspace("search-walk").await.scim();
        let people = crowd(&scim, 7).await;
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        loop {
            let body = json!({"schemas": [SEARCH], "filter": CROWD, "count": 3, "cursor": cursor});
            let page = scim.post("/Users/.search", &body).await.expect(200).json();
            assert_list(&page);
            seen.extend(ids(&page));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen.len(), people.len());
        assert_eq!(seen.iter().collect::<BTreeSet<_>>(), people.iter().collect());
    }
}
