//! Rows 70 to 85: other clients. Rows 79 and 80 are about servers that we would be a client of;
//! here they show the same honesty from our side.

use serde_json::{Value, json};

use crate::row::{Case, row};
use crate::support::scim::{
    SEARCH, USER, assert_error, assert_list, assert_refused, create, found_ids, group, ids, patch, read, set,
    user,
};
use crate::support::{NEVER, enc, list, text};

pub(crate) fn rows() -> crate::Rows {
    vec![
        row!(70, "OneLogin's lower-case operations", |case| {
            let id = case.user("ida", json!({"title": "Nurse"})).await;
            let stored =
                case.patch_user(&id, json!([{"op": "replace", "path": "title", "value": "Chief"}])).await;
            assert_eq!(stored["title"], "Chief");
            let team = case.group("team", &[]).await;
            case.patch_group(&team, json!([{"op": "add", "path": "members", "value": [{"value": id}]}]))
                .await;
            assert_eq!(case.members(&team).await, set(&[&id]));
        }),
        row!(71, "OneLogin's template: empty texts are unassigned, missing `schemas` is told", |case| {
            let name = case.name("ida");
            let body = json!({
                "schemas": [USER, "urn:ietf:params:scim:schemas:extension:onelogin:2.0:User"],
                "userName": name, "displayName": "", "title": "", "externalId": "",
                "name": {"givenName": "Ida", "familyName": "", "formatted": ""},
                "urn:ietf:params:scim:schemas:extension:onelogin:2.0:User": {"department": ""},
            });
            let made = create(&case.scim, "/Users", &body).await;
            let stored = case.read_user(text(&made, "/id")).await;
            for pointer in ["/displayName", "/title", "/name/familyName", "/name/formatted"] {
                assert_eq!(text(&stored, pointer), "", "{pointer}: {stored}");
            }
            assert_eq!(text(&stored, "/name/givenName"), "Ida");
            assert!(!stored.to_string().contains("onelogin"), "{stored}");
            let mut bare = user(&case.name("bo"), json!({}));
            bare.as_object_mut().map(|body| body.remove("schemas"));
            let answer = case.scim.post("/Users", &bare).await;
            assert_eq!(answer.status, 400, "{answer:?}");
            let (scim_type, detail) = assert_error(&answer);
            assert!(["invalidValue", "invalidSyntax"].contains(&scim_type.as_str()), "{scim_type}");
            assert!(detail.contains("schemas"), "{detail}");
        }),
        row!(72, "JumpCloud's activation test", |case| {
            let name = case.name("test");
            let by_name = format!("userName eq \"{name}\"");
            assert!(found_ids(&case.scim, "/Users", &by_name).await.is_empty());
            let id = case.user("test", json!({})).await;
            assert_eq!(found_ids(&case.scim, "/Users", &by_name).await, [id.as_str()]);
            let stored = case.put_user(&id, &user(&name, json!({"title": "Changed"}))).await;
            assert_eq!(stored["title"], "Changed");
            let team = case.group("team", &[&id]).await;
            let renamed = case.name("renamed");
            case.scim.put(&format!("/Groups/{team}"), &group(&renamed, &[&id])).await.expect(200);
            assert_eq!(case.read_group(&team).await["displayName"], json!(renamed));
            let stored = case.put_user(&id, &user(&name, json!({"active": false}))).await;
            assert_eq!(stored["active"], json!(false));
            case.scim.delete(&format!("/Groups/{team}")).await.expect(204);
            case.scim.delete(&format!("/Users/{id}")).await.expect(204);
            assert!(found_ids(&case.scim, "/Users", &by_name).await.is_empty());
        }),
        row!(73, "SailPoint disables and enables by add", |case| {
            let id = case.user("ida", json!({})).await;
            for active in [false, true] {
                let stored = case.patch_user(&id, json!({"op": "add", "value": {"active": active}})).await;
                assert_eq!(stored["active"], json!(active));
            }
        }),
        row!(74, "SailPoint aggregates everything, with exact totals, and reads the schemas", |case| {
            let mut users = Vec::new();
            for at in 0..7 {
                users.push(case.user(&format!("u{at}"), json!({})).await);
            }
            for (at, user) in users.iter().take(3).enumerate() {
                case.group(&format!("team{at}"), &[user]).await;
            }
            for (path, least) in [("/Users", 7), ("/Groups", 3)] {
                let first = crate::support::state::everything(&case.scim, path).await;
                assert!(first.len() >= least, "{path}");
                assert_eq!(crate::support::state::everything(&case.scim, path).await, first, "{path}");
            }
            let schema = read(&case.scim, &format!("/Schemas/{USER}")).await;
            let names: Vec<&str> = list(&schema, "/attributes").iter().map(|a| text(a, "/name")).collect();
            for name in [
                "userName",
                "name",
                "displayName",
                "nickName",
                "profileUrl",
                "title",
                "userType",
                "preferredLanguage",
                "locale",
                "timezone",
                "active",
                "password",
                "emails",
                "phoneNumbers",
                "ims",
                "photos",
                "addresses",
                "groups",
                "entitlements",
                "roles",
                "x509Certificates",
            ] {
                assert!(names.contains(&name), "{name} is missing: {names:?}");
            }
        })
        .alone(),
        row!(75, "Ping writes by PUT or PATCH and reads by GET or POST", |case| {
            let id = case.user("ida", json!({})).await;
            let stored = case.put_user(&id, &user(&case.name("ida"), json!({"title": "by put"}))).await;
            assert_eq!(stored["title"], "by put");
            let stored =
                case.patch_user(&id, json!({"op": "replace", "path": "title", "value": "by patch"})).await;
            assert_eq!(stored["title"], "by patch");
            let filter = format!("userName eq \"{}\"", case.name("ida"));
            assert_eq!(found_ids(&case.scim, "/Users", &filter).await, [id.as_str()]);
            let body = json!({"schemas": [SEARCH], "filter": filter, "startIndex": 1, "count": 10});
            let found = case.scim.post("/Users/.search", &body).await.expect(200).json();
            assert_list(&found);
            assert_eq!(ids(&found), [id.as_str()]);
            let found = case.scim.post("/.search", &body).await.expect(200).json();
            assert_list(&found);
            assert_eq!(ids(&found), [id]);
        }),
        row!(76, "Ping provisions users who are disabled", |case| {
            let filter = format!("userName eq \"{}\"", case.name("ida"));
            assert!(found_ids(&case.scim, "/Users", &filter).await.is_empty());
            let id = case.user("ida", json!({"active": false})).await;
            assert_eq!(case.read_user(&id).await["active"], json!(false));
            assert_eq!(found_ids(&case.scim, "/Users", &filter).await, [id]);
        }),
        row!(77, "Rippling sends a list or one object as members", |case| {
            let team = case.group("team", &[]).await;
            let (ida, bo) = (case.user("ida", json!({})).await, case.user("bo", json!({})).await);
            case.patch_group(&team, json!({"op": "add", "path": "members", "value": {"value": ida}})).await;
            case.patch_group(&team, json!({"op": "add", "path": "members", "value": [{"value": bo}]})).await;
            assert_eq!(case.members(&team).await, set(&[&ida, &bo]));
            case.patch_group(&team, json!({"op": "remove", "path": "members", "value": {"value": ida}}))
                .await;
            assert_eq!(case.members(&team).await, set(&[&bo]));
        }),
        row!(78, "Google suspends, and who is suspended is kept", |case| {
            let id = case.user("ida", json!({})).await;
            case.patch_user(&id, json!({"op": "replace", "path": "active", "value": false})).await;
            let filter = format!("userName eq \"{}\"", case.name("ida"));
            assert_eq!(found_ids(&case.scim, "/Users", &filter).await, [id.as_str()]);
            assert_eq!(case.read_user(&id).await["active"], json!(false));
        }),
        row!(79, "what ServiceProviderConfig announces works, and a 404 is a resource's alone", |case| {
            let config = read(&case.scim, "/ServiceProviderConfig").await;
            assert_eq!(config["patch"]["supported"], json!(true), "{config}");
            assert_eq!(config["etag"]["supported"], json!(true), "{config}");
            let id = case.user("ida", json!({})).await;
            let one = case.scim.get(&format!("/Users/{id}")).await.expect(200);
            let tag = one.headers.get("etag").expect("an ETag, as announced");
            assert_eq!(tag.to_str().expect("text"), text(&one.json(), "/meta/version"));
            case.put_user(&id, &user(&case.name("ida"), json!({}))).await;
            let answer = case.scim.put(&format!("/Users/{NEVER}"), &user(&case.name("bo"), json!({}))).await;
            assert_refused(&answer, 404, "");
            assert_eq!(config["pagination"]["index"], json!(true), "{config}");
            assert_eq!(read(&case.scim, "/Users?startIndex=1&count=1").await["itemsPerPage"], json!(1));
        }),
        row!(80, "more than 100 members in one request are taken, and read back", |case| {
            let mut users = Vec::new();
            for at in 0..120 {
                users.push(case.user(&format!("u{at}"), json!({})).await);
            }
            let team = case.group("team", &[]).await;
            let members: Vec<Value> = users.iter().map(|id| json!({"value": id})).collect();
            case.patch_group(&team, json!({"op": "add", "path": "members", "value": members})).await;
            assert_eq!(case.members(&team).await, users.iter().cloned().collect());
            let less: Vec<Value> = members.iter().skip(60).cloned().collect();
            case.patch_group(&team, json!({"op": "replace", "path": "members", "value": less})).await;
            assert_eq!(case.members(&team).await, users[60..].iter().cloned().collect());
        }),
        row!(81, "authentik reads ServiceProviderConfig first, and puts `id` into values", |case| {
            let config = read(&case.scim, "/ServiceProviderConfig").await;
            for key in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
                assert!(config[key]["supported"].is_boolean(), "{key}: {config}");
            }
            assert!(config["bulk"]["maxOperations"].is_u64() && config["bulk"]["maxPayloadSize"].is_u64());
            assert!(config["filter"]["maxResults"].is_u64(), "{config}");
            assert!(!list(&config, "/authenticationSchemes").is_empty(), "{config}");
            let (team, ids) = case.team_of(&["ida"]).await;
            let name = case.name("renamed");
            let value = json!({"id": team, "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": name, "externalId": "pk-1"});
            case.patch_group(&team, json!({"op": "replace", "value": value})).await;
            let stored = case.read_group(&team).await;
            assert_eq!((&stored["displayName"], &stored["externalId"]), (&json!(name), &json!("pk-1")));
            assert_eq!(case.members(&team).await, set(&[&ids[0]]));
        }),
        row!(82, "a PUT with a part of `name` clears the rest", |case| {
            let id = case.user("ida", json!({"title": "Nurse"})).await;
            let stored =
                case.put_user(&id, &user(&case.name("ida"), json!({"name": {"givenName": "Ida"}}))).await;
            assert_eq!(stored["name"], json!({"givenName": "Ida"}));
            assert_eq!(stored.get("title"), None, "the whole resource counts: {stored}");
        }),
        row!(83, "two primary addresses are treated alike in POST, PUT and PATCH", |case| {
            let emails = json!([
                {"type": "work", "value": "w@corp.example", "primary": true},
                {"type": "home", "value": "h@corp.example", "primary": true},
            ]);
            let id = case.user("ida", json!({})).await;
            let path = format!("/Users/{id}");
            let posted = case.scim.post("/Users", &user(&case.name("bo"), json!({"emails": emails}))).await;
            let put = case.scim.put(&path, &user(&case.name("ida"), json!({"emails": emails}))).await;
            let replace = json!({"op": "replace", "path": "emails", "value": emails});
            let patched = case.scim.patch(&path, &patch(replace)).await;
            if posted.status == 400 {
                for answer in [&posted, &put, &patched] {
                    assert_refused(answer, 400, "invalidValue");
                }
                return;
            }
            let other = posted.id();
            for (answer, id) in [(posted, other), (put, id.clone()), (patched, id)] {
                assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
                assert_one_primary_the_last(case, &id).await;
            }
        }),
        row!(84, "membership PATCHes at the same time lose nobody", |case| {
            let team = case.group("team", &[]).await;
            let mut users = Vec::new();
            for at in 0..16 {
                users.push(case.user(&format!("u{at}"), json!({})).await);
            }
            let writes = users.iter().map(|id| {
                let (scim, path) = (case.scim.clone(), format!("/Groups/{team}"));
                let body = patch(json!({"op": "Add", "path": "members", "value": [{"value": id}]}));
                tokio::spawn(async move { scim.patch(&path, &body).await })
            });
            let writes: Vec<_> = writes.collect();
            for write in writes {
                let answer = write.await.expect("a request does not panic");
                assert_eq!(answer.status, 204, "{answer:?}");
            }
            assert_eq!(case.members(&team).await, users.into_iter().collect());
        }),
        row!(85, "a filter that isn't understood is never an empty 200", |case| {
            for filter in
                ["shoeSize eq 44", "userName like \"ida\"", "userName", "userName eq", "meta.nothing pr"]
            {
                let answer = case.scim.get(&format!("/Users?filter={}", enc(filter))).await;
                assert_refused(&answer, 400, "invalidFilter");
            }
        }),
    ]
}

async fn assert_one_primary_the_last(case: &Case, id: &str) {
    let stored = case.read_user(id).await;
    let primary: Vec<&str> = list(&stored, "/emails")
        .iter()
        .filter(|email| email["primary"] == json!(true))
        .map(|email| text(email, "/type"))
        .collect();
    assert_eq!(primary, ["home"], "{stored}");
}
