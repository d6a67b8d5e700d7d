//! Paging by index (RFC 7644 §3.4.2.4).

use latchkey_testkit::{Client, Server, on_both};
use serde_json::{Value, json};

use crate::support::scim::{SEARCH, assert_list, assert_refused, ids, read, user_id};
use crate::support::{enc, list};

pub(crate) async fn crowd(scim: &Client, count: usize) -> Vec<String> {
    let mut people = Vec::new();
    for at in 0..count {
        people.push(user_id(scim, &format!("p{at:03}@corp.example")).await);
    }
    people
}

/// The crowd alone: the workspace also has its owner.
pub(crate) const CROWD: &str = "userName sw \"p\" and userName ew \"@corp.example\"";

async fn page(scim: &Client, query: &str) -> Value {
    let found = read(scim, &format!("/Users?filter={}&{query}", enc(CROWD))).await;
    assert_list(&found);
    found
}

on_both! {
    async fn pages_join_to_the_whole_list_in_one_order_whatever_their_size(server: &Server) {
        let scim = server.workspace("pages").await.scim();
        let people = crowd(&scim, 23).await;
        let whole = ids(&page(&scim, "count=1000").await);
        assert_eq!(whole.len(), people.len());
        for count in [1, 2, 7, 22, 23, 24] {
            let mut joined = Vec::new();
            for start in (1..=people.len()).step_by(count) {
                let found = page(&scim, &format!("startIndex={start}&count={count}")).await;
                assert_eq!(found["totalResults"], json!(people.len()), "{found}");
                assert_eq!(found["startIndex"], json!(start), "{found}");
                assert_eq!(ids(&found).len(), count.min(people.len() + 1 - start), "{found}");
                joined.extend(ids(&found));
            }
            assert_eq!(joined, whole, "by {count}");
        }
    }

    async fn an_odd_index_or_count_means_what_the_standard_says(server: &Server) {
        let scim = server.workspace("odd").await.scim();
        crowd(&scim, 5).await;
        let whole = ids(&page(&scim, "").await);
        for query in ["startIndex=0", "startIndex=-7", "startIndex=1", "startindex=1", "STARTINDEX=1&COUNT=5"]
        {
            let found = page(&scim, query).await;
            assert_eq!(ids(&found), whole, "{query}");
            assert_eq!(found["startIndex"], json!(1), "{query}: below 1 means 1");
        }
        for query in ["count=0", "count=-3"] {
            let found = page(&scim, query).await;
            assert_eq!((&found["totalResults"], ids(&found).len()), (&json!(5), 0), "{query}");
        }
        for query in ["startIndex=6", "startIndex=1000000", "startIndex=9223372036854775807&count=9"] {
            let found = page(&scim, query).await;
            assert_eq!((&found["totalResults"], ids(&found).len()), (&json!(5), 0), "{query}: past the end");
        }
        let found = page(&scim, "count=2000000000").await;
        assert_eq!(ids(&found), whole, "fewer than asked is right");
    }

    async fn no_page_is_longer_than_announced(server: &Server) {
        let scim = server.workspace("long").await.scim();
        let config = read(&scim, "/ServiceProviderConfig").await;
        let longest = config["pagination"]["maxPageSize"].as_u64().expect("announced");
        let usual = config["pagination"]["defaultPageSize"].as_u64().expect("announced");
        assert!(usual <= longest && longest <= 10_000, "{config}");
        let people = usize::try_from(usual).expect("small") + 5;
        // A bulk makes them quickly.
        for part in (0..people).collect::<Vec<_>>().chunks(100) {
            let operations: Vec<Value> = part
                .iter()
                .map(|at| {
                    json!({"method": "POST", "path": "/Users", "bulkId": format!("b{at}"), "data":
                    {"schemas": [crate::support::scim::USER], "userName": format!("p{at:03}@corp.example")}})
                })
                .collect();
            let answer = scim
                .post("/Bulk", &json!({"schemas": [crate::support::scim::BULK], "Operations": operations}))
                .await;
            assert!(
                list(&answer.expect(200).json(), "/Operations").iter().all(|made| made["status"] == "201")
            );
        }
        let found = page(&scim, "").await;
        assert_eq!(ids(&found).len() as u64, usual.min(people as u64), "the default page");
        assert_eq!(found["totalResults"], json!(people));
    }

    async fn a_search_by_post_is_the_same_as_by_get(server: &Server) {
        let scim = server.workspace("search").await.scim();
        crowd(&scim, 9).await;
        let got =
            page(&scim, "startIndex=3&count=4&sortBy=userName&sortOrder=descending&attributes=userName")
                .await;
        let body = json!({
            "schemas": [SEARCH], "filter": CROWD, "startIndex": 3, "count": 4, "sortBy": "userName",
            "sortOrder": "descending", "attributes": ["userName"],
        });
        assert_eq!(scim.post("/Users/.search", &body).await.expect(200).json(), got);
        let body = json!({"schemas": [SEARCH], "filter": CROWD, "excludedAttributes": ["emails", "name"], "count": 1});
        let found = scim.post("/Users/.search", &body).await.expect(200).json();
        assert_list(&found);
        let one = &list(&found, "/Resources")[0];
        assert!(
            one.get("emails").is_none() && one.get("name").is_none() && one.get("userName").is_some(),
            "{one}"
        );
    }

    async fn a_search_of_everything_finds_users_and_groups(server: &Server) {
        let scim = server.workspace("root").await.scim();
        let people = crowd(&scim, 3).await;
        let group = crate::support::scim::group_id(&scim, "Ops", &[&people[0]]).await;
        let search = async |filter: &str| {
            let found = scim
                .post("/.search", &json!({"schemas": [SEARCH], "filter": filter, "count": 100}))
                .await
                .expect(200)
                .json();
            assert_list(&found);
            assert_eq!(found["totalResults"], json!(ids(&found).len()), "{found}");
            ids(&found)
        };
        assert_eq!(search("meta.resourceType eq \"Group\"").await, [group.as_str()]);
        assert_eq!(search("displayName eq \"ops\"").await, [group.as_str()], "users without one don't match");
        assert_eq!(search(CROWD).await.len(), 3, "a name that only users have");
        let everything = search("id pr").await;
        assert!(
            everything.contains(&group) && people.iter().all(|id| everything.contains(id)),
            "{everything:?}"
        );
    }

    async fn a_list_that_changes_keeps_its_order_for_those_who_stay(server: &Server) {
        let scim = server.workspace("changing").await.scim();
        let people = crowd(&scim, 12).await;
        let before = ids(&page(&scim, "").await);
        scim.delete(&format!("/Users/{}", before[4])).await.expect(204);
        let patch = crate::support::scim::patch(json!({"op": "replace", "path": "title", "value": "Chief"}));
        scim.patch(&format!("/Users/{}", before[7]), &patch).await.expect(200);
        let new = user_id(&scim, "p999@corp.example").await;
        let after = ids(&page(&scim, "").await);
        let mut wanted = before.clone();
        wanted.remove(4);
        wanted.push(new);
        assert_eq!(after, wanted, "a change moves nobody, a newcomer stands last");
        assert_eq!(page(&scim, "count=0").await["totalResults"], json!(people.len()));
    }

    async fn there_is_no_me_behind_a_directorys_token(server: &Server) {
        let scim = server.workspace("me").await.scim();
        for method in ["GET", "DELETE", "PATCH", "PUT", "POST"] {
            let body = if matches!(method, "GET" | "DELETE") { String::new() } else { json!({}).to_string() };
            let answer = scim.send(method, "/Me", &[], body).await;
            assert!(matches!(answer.status, 404 | 501), "{answer:?}");
            assert_refused(&answer, answer.status, "");
        }
    }
}
