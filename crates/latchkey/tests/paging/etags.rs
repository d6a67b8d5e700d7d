//! Versions and conditions (RFC 7644 §3.14).

use latchkey_testkit::{Answer, Server, on_both};
use serde_json::{Value, json};

use crate::support::scim::{assert_refused, group_id, patch, read, user, user_id};
use crate::support::text;

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("an ETag: {answer:?}")).to_owned()
}

/// The opaque part, in quotes.
fn opaque(tag: &str) -> &str {
    tag.trim_start_matches("W/")
}

fn title(value: &str) -> Value {
    patch(json!({"op": "replace", "path": "title", "value": value}))
}

on_both! {
    async fn a_resources_version_is_its_etag_and_moves_with_each_change_alone(server: &Server) {
        let scim = server.workspace("versions").await.scim();
        let made = scim.post("/Users", &user("ida@corp.example", json!({}))).await.expect(201);
        let path = format!("/Users/{}", made.id());
        let mut last = tag(&made);
        assert!(last.starts_with("W/\"") && last.ends_with('"'), "weak ones: {last}");
        let got = scim.get(&path).await.expect(200);
        assert_eq!((tag(&got), text(&got.json(), "/meta/version").to_owned()), (last.clone(), last.clone()));
        for (value, changes) in [("a", true), ("a", false), ("b", true), ("b", false)] {
            let answer = scim.patch(&path, &title(value)).await.expect(200);
            assert_eq!(tag(&answer) != last, changes, "{value}");
            last = tag(&answer);
            assert_eq!(text(&answer.json(), "/meta/version"), last);
        }
        let stored = read(&scim, &path).await;
        let put = scim.put(&path, &stored).await.expect(200);
        assert_eq!(tag(&put), last, "a PUT of what is there changes nothing");
        assert_eq!(put.json()["meta"], stored["meta"]);
        assert!(text(&stored, "/meta/lastModified") >= text(&stored, "/meta/created"));
        assert_eq!(
            got.header("content-location").or(Some(text(&stored, "/meta/location"))),
            Some(text(&stored, "/meta/location"))
        );
    }

    async fn a_read_of_what_is_known_is_304_without_a_body(server: &Server) {
        let scim = server.workspace("not-modified").await.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let team = group_id(&scim, "Ops", &[&ida]).await;
        for path in [format!("/Users/{ida}"), format!("/Groups/{team}")] {
            let known = tag(&scim.get(&path).await.expect(200));
            for value in [
                known.as_str(),
                opaque(&known),
                "*",
                &format!("\"x\", {known}"),
                &format!("W/\"x\",{known} , \"y\""),
            ] {
                let answer = scim.send("GET", &path, &[("if-none-match", value)], "").await;
                assert_eq!(answer.status, 304, "{value}: {answer:?}");
                assert!(answer.body.is_empty(), "{answer:?}");
                assert_eq!(tag(&answer), known, "{value}");
            }
            for value in ["\"x\"", "W/\"0\"", "\"\""] {
                scim.send("GET", &path, &[("if-none-match", value)], "").await.expect(200);
            }
        }
        let answer = scim
            .send("GET", &format!("/Users/{}", crate::support::NEVER), &[("if-none-match", "*")], "")
            .await;
        assert_refused(&answer, 404, "");
    }

    async fn a_write_with_an_old_version_is_412_and_with_the_present_one_goes(server: &Server) {
        let scim = server.workspace("conditions").await.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let team = group_id(&scim, "Ops", &[]).await;
        let path = format!("/Users/{ida}");
        let old = tag(&scim.get(&path).await.expect(200));
        let new = tag(&scim.patch(&path, &title("new")).await.expect(200));
        let body = title("later").to_string();
        assert_refused(&scim.send("PATCH", &path, &[("if-match", &old)], body.clone()).await, 412, "");
        let whole = user("ida@corp.example", json!({"title": "put"})).to_string();
        assert_refused(&scim.send("PUT", &path, &[("if-match", &old)], whole.clone()).await, 412, "");
        assert_refused(&scim.send("DELETE", &path, &[("if-match", &old)], "").await, 412, "");
        assert_eq!(read(&scim, &path).await["title"], "new");
        let now = tag(&scim.send("PATCH", &path, &[("if-match", &new)], body.clone()).await.expect(200));
        let now = tag(&scim.send("PUT", &path, &[("if-match", opaque(&now))], whole).await.expect(200));
        let listed = format!("{old}, {now}");
        scim.send("PATCH", &path, &[("if-match", &listed)], body.clone()).await.expect(200);
        scim.send("PATCH", &path, &[("if-match", "*")], title("any").to_string()).await.expect(200);
        scim.send("DELETE", &path, &[("if-match", "*")], "").await.expect(204);
        let group = format!("/Groups/{team}");
        let old = tag(&scim.get(&group).await.expect(200));
        let rename = patch(json!({"op": "replace", "path": "displayName", "value": "Care"}));
        scim.send("PATCH", &group, &[("if-match", &old)], rename.to_string()).await.expect(204);
        assert_refused(&scim.send("PATCH", &group, &[("if-match", &old)], rename.to_string()).await, 412, "");
        assert_refused(&scim.send("DELETE", &group, &[("if-match", &old)], "").await, 412, "");
    }

    async fn of_writers_with_one_version_exactly_one_wins(server: &Server) {
        let scim = server.workspace("lost-update").await.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let path = format!("/Users/{ida}");
        for round in 0..5 {
            let known = tag(&scim.get(&path).await.expect(200));
            let writes: Vec<_> = (0..8)
                .map(|writer| {
                    let (scim, path, known) = (scim.clone(), path.clone(), known.clone());
                    let body = title(&format!("{round} by {writer}")).to_string();
                    tokio::spawn(async move {
                        scim.send("PATCH", &path, &[("if-match", &known)], body).await.status
                    })
                })
                .collect();
            let mut statuses = Vec::new();
            for write in writes {
                statuses.push(write.await.expect("a request does not panic"));
            }
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "round {round}");
        }
    }

    async fn a_change_of_members_moves_the_groups_version_and_not_the_users(server: &Server) {
        let scim = server.workspace("membership-version").await.scim();
        let ida = user_id(&scim, "ida@corp.example").await;
        let team = group_id(&scim, "Ops", &[]).await;
        let meta = async |path: String| read(&scim, &path).await["meta"].clone();
        let (user_before, group_before) =
            (meta(format!("/Users/{ida}")).await, meta(format!("/Groups/{team}")).await);
        let add = patch(json!({"op": "add", "path": "members", "value": [{"value": ida}]}));
        scim.patch(&format!("/Groups/{team}"), &add).await.expect(204);
        assert_eq!(meta(format!("/Users/{ida}")).await, user_before, "a reflection is no change");
        let group_after = meta(format!("/Groups/{team}")).await;
        assert_ne!(group_after["version"], group_before["version"]);
        assert!(text(&group_after, "/lastModified") >= text(&group_before, "/lastModified"));
        scim.delete(&format!("/Users/{ida}")).await.expect(204);
        assert_ne!(
            meta(format!("/Groups/{team}")).await["version"],
            group_after["version"],
            "who is deleted leaves"
        );
    }
}
