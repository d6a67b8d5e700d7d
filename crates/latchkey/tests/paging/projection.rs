//! `attributes` and `excludedAttributes`, on every verb that answers with a resource
//! (RFC 7644 §3.4.2.5, §3.9).

use std::collections::BTreeSet;

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::support::scim::{ENTERPRISE, SEARCH, group, patch, read, user};
use crate::support::{enc, list, text};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn names<'a>(keys: &[&'a str]) -> BTreeSet<&'a str> {
    keys.iter().copied().collect()
}

on_both! {
    async fn what_is_asked_for_comes_and_nothing_else_but_what_always_comes(server: &Server) {
        let scim = server.workspace("projection").await.scim();
        let full = json!({"title": "Nurse", "nickName": "Idi", ENTERPRISE: {"department": "Care", "division": "West"}});
        let made = scim.post("/Users", &user("ida@corp.example", full)).await.expect(201);
        let path = format!("/Users/{}", made.id());
        let get = async |query: &str| read(&scim, &format!("{path}?{query}")).await;
        for query in [
            "attributes=userName",
            "attributes=username",
            "attributes=userName,shoeSize",
            "attributes=%20userName%20",
            "attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName",
            "attributes=userName,userName",
        ] {
            assert_eq!(keys(&get(query).await), names(&["id", "schemas", "userName"]), "{query}");
        }
        let some = get("attributes=name.givenName,emails.value").await;
        assert_eq!(keys(&some), names(&["id", "schemas", "name", "emails"]));
        assert_eq!(
            (&some["name"], &some["emails"]),
            (&json!({"givenName": "Ida"}), &json!([{"value": "ida@corp.example"}]))
        );
        let department = format!("attributes={}", enc(&format!("{ENTERPRISE}:department")));
        assert_eq!(get(&department).await[ENTERPRISE], json!({"department": "Care"}));
        let whole = get(&format!("attributes={}", enc(ENTERPRISE))).await;
        assert_eq!(whole[ENTERPRISE], json!({"department": "Care", "division": "West"}), "{whole}");
        assert_eq!(keys(&get("attributes=password,shoeSize").await), names(&["id", "schemas"]));
        assert_eq!(keys(&get("attributes=meta.version").await["meta"]), names(&["version"]));

        let all = get("").await;
        let less = get("excludedAttributes=emails,name.familyName,id,schemas,shoeSize").await;
        let mut wanted = keys(&all);
        wanted.remove("emails");
        assert_eq!(keys(&less), wanted, "never less than id and schemas");
        assert_eq!(less["name"], json!({"givenName": "Ida"}));
        let less = get(&format!("excludedAttributes={}", enc(&format!("{ENTERPRISE}:division")))).await;
        assert_eq!(less[ENTERPRISE], json!({"department": "Care"}));
        let less = get("excludedAttributes=meta,groups").await;
        assert_eq!(less.get("meta"), None, "{less}");
        let both = scim.get(&format!("{path}?attributes=userName&excludedAttributes=userName")).await;
        assert!(matches!(both.status, 200 | 400), "{both:?}");
    }

    async fn writes_answer_in_the_projection_too(server: &Server) {
        let scim = server.workspace("written").await.scim();
        let wanted = names(&["id", "schemas", "userName"]);
        let body = user("ida@corp.example", json!({}));
        let made = scim.post("/Users?attributes=userName", &body).await.expect(201);
        assert_eq!(keys(&made.json()), wanted);
        assert!(made.header("location").is_some_and(|at| at.ends_with(&made.id())), "{made:?}");
        let path = format!("/Users/{}", made.id());
        let put = scim.put(&format!("{path}?attributes=userName"), &body).await.expect(200);
        assert_eq!(keys(&put.json()), wanted);
        let title = patch(json!({"op": "replace", "path": "title", "value": "x"}));
        let patched = scim.patch(&format!("{path}?attributes=userName"), &title).await.expect(200);
        assert_eq!(keys(&patched.json()), wanted);
        let patched =
            scim.patch(&format!("{path}?excludedAttributes=name,emails"), &title).await.expect(200).json();
        assert!(
            patched.get("name").is_none()
                && patched.get("emails").is_none()
                && patched.get("title").is_some()
        );
        let team =
            scim.post("/Groups?excludedAttributes=members", &group("Ops", &[&made.id()])).await.expect(201);
        assert_eq!(team.json().get("members"), None);
        let rename = patch(json!({"op": "replace", "path": "displayName", "value": "Care"}));
        let patched = scim
            .patch(&format!("/Groups/{}?attributes=displayName,members", team.id()), &rename)
            .await
            .expect(200)
            .json();
        assert_eq!(keys(&patched), names(&["id", "schemas", "displayName", "members"]));
        assert_eq!(text(&patched, "/members/0/value"), made.id());
        let stored = read(&scim, &path).await;
        assert_eq!(stored["emails"], body["emails"], "an answer's projection is not what is stored");
    }

    async fn lists_and_searches_are_projected_alike(server: &Server) {
        let scim = server.workspace("listed").await.scim();
        let id = crate::support::scim::user_id(&scim, "ida@corp.example").await;
        crate::support::scim::group_id(&scim, "Ops", &[&id]).await;
        let wanted = names(&["id", "schemas", "userName"]);
        let found = read(&scim, "/Users?attributes=userName").await;
        assert!(list(&found, "/Resources").iter().all(|user| keys(user) == wanted), "{found}");
        let body = json!({"schemas": [SEARCH], "attributes": ["userName"]});
        let found = scim.post("/Users/.search", &body).await.expect(200).json();
        assert!(list(&found, "/Resources").iter().all(|user| keys(user) == wanted), "{found}");
        let found = read(&scim, "/Groups").await;
        assert_eq!(text(&found, "/Resources/0/members/0/value"), id, "members come by default");
        let found = read(&scim, "/Groups?attributes=displayName").await;
        assert_eq!(keys(&found["Resources"][0]), names(&["id", "schemas", "displayName"]));
        let found = read(&scim, "/Users?excludedAttributes=groups").await;
        assert!(list(&found, "/Resources").iter().all(|user| user.get("groups").is_none()), "{found}");
    }
}
