//! Rows 51 to 69: Okta.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::row::row;
use crate::support::scim::{
    GROUP, assert_error, assert_media_type, assert_refused, create, find, found_ids, group, ids, of_type,
    patch, read, set, user,
};
use crate::support::{NEVER, api, enc, list, text};

/// What a user's row shows apart from its version and times.
fn content(mut user: Value) -> Value {
    user.as_object_mut().map(|user| user.remove("meta"));
    user
}

pub(crate) fn rows() -> crate::Rows {
    vec![
        row!(51, "`active` without a path changes `active` alone, both ways", |case| {
            let id = case.user("ida", json!({"title": "Nurse", "phoneNumbers": [{"value": "1"}]})).await;
            let mut before = content(case.read_user(&id).await);
            for active in [false, true] {
                let stored =
                    case.patch_user(&id, json!({"op": "replace", "value": {"active": active}})).await;
                before["active"] = json!(active);
                assert_eq!(content(stored), before);
            }
        }),
        row!(52, "PUT of the echoed user takes the change and ignores what is readOnly", |case| {
            let (group, ids) = case.team_of(&["ida"]).await;
            let mut echo = case.read_user(&ids[0]).await;
            assert_eq!(list(&echo, "/groups").len(), 1, "{echo}");
            echo["title"] = json!("Chief");
            echo["groups"] = json!([{"value": NEVER, "display": "Nowhere"}]);
            echo["meta"]["version"] = json!("W/\"0\"");
            let stored = case.put_user(&ids[0], &echo).await;
            assert_eq!(stored["title"], "Chief");
            assert_eq!(text(&stored, "/groups/0/value"), group);
            assert_eq!(list(&stored, "/groups").len(), 1);
        }),
        row!(52, "a PUT without `active` keeps the present state", |case| {
            let id = case.user("ida", json!({})).await;
            for active in [true, false] {
                if !active {
                    case.patch_user(&id, json!({"op": "replace", "value": {"active": false}})).await;
                }
                let mut body = user(&case.name("ida"), json!({"title": format!("was {active}")}));
                body.as_object_mut().map(|body| body.remove("active"));
                let stored = case.put_user(&id, &body).await;
                assert_eq!(stored["active"], json!(active), "{stored}");
                assert_eq!(stored["title"], json!(format!("was {active}")));
            }
        }),
        row!(53, "deactivation by PUT is the same offboarding as by PATCH", |case| {
            let id = case.user("ida", json!({})).await;
            let account = api::account(&case.api, &case.name("ads"), "privileged").await;
            api::grant_member(&case.api, &id, &account).await;
            let mut body = case.read_user(&id).await;
            body["active"] = json!(false);
            let stored = case.put_user(&id, &body).await;
            assert_eq!(stored["active"], json!(false));
            api::assert_no_access(&case.api, &id, &[&account]).await;
            let offboarding = api::case_of(&case.api, &id).await;
            assert_eq!(api::decided(&offboarding, "rotate").len(), 1, "{offboarding}");
        }),
        row!(54, "a rename that names the group's id leaves its members alone", |case| {
            let (group, ids) = case.team_of(&["ida", "bo"]).await;
            let name = case.name("ops");
            case.patch_group(&group, json!({"op": "replace", "value": {"id": group, "displayName": name}}))
                .await;
            assert_eq!(case.read_group(&group).await["displayName"], json!(name));
            assert_eq!(case.members(&group).await, set(&[&ids[0], &ids[1]]));
            let other = json!({"op": "replace", "value": {"id": NEVER, "displayName": "Other"}});
            case.refuse(&format!("/Groups/{group}"), other, "mutability").await;
        }),
        row!(55, "`members` present and empty removes all", |case| {
            let (group, _) = case.team_of(&["ida", "bo"]).await;
            let value = json!({"id": group, "displayName": case.name("ops"), "members": []});
            case.patch_group(&group, json!({"op": "replace", "value": value})).await;
            assert!(case.members(&group).await.is_empty());
        }),
        row!(56, "Push now of an empty group empties it", |case| {
            let (group, _) = case.team_of(&["ida", "bo"]).await;
            case.patch_group(&group, json!({"op": "replace", "path": "members", "value": []})).await;
            assert!(case.members(&group).await.is_empty());
        }),
        row!(57, "a full list of members without a path replaces, and `display` is ignored", |case| {
            let (group, ids) = case.team_of(&["ida", "bo"]).await;
            let eva = case.user("eva", json!({"displayName": "Eva"})).await;
            let members = json!([
                {"value": ids[1], "display": "forged@corp.example"}, {"value": eva, "display": "x"},
            ]);
            case.patch_group(&group, json!({"op": "replace", "value": {"members": members}})).await;
            assert_eq!(case.members(&group).await, set(&[&ids[1], &eva]));
            assert!(!case.read_group(&group).await.to_string().contains("forged"));
        }),
        row!(58, "one PATCH removes one and adds several, in order, all or none", |case| {
            let (group, ids) = case.team_of(&["ida", "bo"]).await;
            let (eva, kai) = (case.user("eva", json!({})).await, case.user("kai", json!({})).await);
            let remove = json!({"op": "remove", "path": format!("members[value eq \"{}\"]", ids[0])});
            let add = |id: &str| json!({"op": "add", "path": "members", "value": [{"value": id}]});
            case.patch_group(&group, json!([remove, add(&eva), add(&kai)])).await;
            assert_eq!(case.members(&group).await, set(&[&ids[1], &eva, &kai]));
            let remove = json!({"op": "remove", "path": format!("members[value eq \"{eva}\"]")});
            let operations = json!([remove, add(&ids[0]), add(NEVER)]);
            case.refuse(&format!("/Groups/{group}"), operations, "invalidValue").await;
            case.patch_group(&group, json!([remove, add(&eva)])).await;
            assert!(case.members(&group).await.contains(&eva), "the later operation counts");
            case.patch_group(&group, json!([add(&eva), remove])).await;
            assert!(!case.members(&group).await.contains(&eva), "the later operation counts");
        }),
        row!(59, "`display: null` in a PUT of a group is absent", |case| {
            let (id, ids) = case.team_of(&["ida"]).await;
            let name = case.name("ops");
            let members = json!([{"value": ids[0], "display": null}]);
            let body = json!({"schemas": [GROUP], "displayName": name, "members": members});
            case.scim.put(&format!("/Groups/{id}"), &body).await.expect(200);
            let stored = case.read_group(&id).await;
            assert_eq!(stored["displayName"], json!(name));
            assert_eq!(case.members(&id).await, set(&[&ids[0]]));
            assert!(!stored.to_string().contains("null"), "{stored}");
        }),
        row!(60, "pages by numbers, in a stable order", |case| {
            let mut made = Vec::new();
            for who in ["zoe", "ida", "bo", "mia", "al"] {
                made.push(case.user(who, json!({})).await);
            }
            let page = read(&case.scim, "/Users?startIndex=1&count=2").await;
            for key in ["totalResults", "startIndex", "itemsPerPage"] {
                assert!(page[key].is_u64(), "{key} is a number: {page}");
            }
            assert_eq!((&page["startIndex"], &page["itemsPerPage"]), (&json!(1), &json!(2)));
            let total = page["totalResults"].as_u64().expect("checked above");
            for count in [1, 2, 100] {
                let mut seen = Vec::new();
                while (seen.len() as u64) < total {
                    let from = seen.len() + 1;
                    let page = read(&case.scim, &format!("/Users?startIndex={from}&count={count}")).await;
                    assert_eq!(page["totalResults"], json!(total));
                    let found = ids(&page);
                    assert!(!found.is_empty() && found.len() <= count, "{page}");
                    seen.extend(found);
                }
                assert!(
                    made.iter().all(|id| seen.iter().filter(|seen| *seen == id).count() == 1),
                    "{seen:?}"
                );
            }
        })
        .alone(),
        row!(61, "looked up before each create, in any case", |case| {
            let filter = |name: &str| format!("userName eq \"{name}\"");
            assert!(found_ids(&case.scim, "/Users", &filter(&case.name("ida"))).await.is_empty());
            let id = case.user("ida", json!({})).await;
            for name in [case.name("ida"), case.name("ida").to_uppercase()] {
                assert_eq!(found_ids(&case.scim, "/Users", &filter(&name)).await, [id.as_str()]);
            }
        }),
        row!(62, "a create of who is there is 409", |case| {
            case.user("ida", json!({})).await;
            for name in [case.name("ida"), case.name("ida").to_uppercase()] {
                let answer = case.scim.post("/Users", &user(&name, json!({"externalId": "other"}))).await;
                assert_refused(&answer, 409, "uniqueness");
            }
        }),
        row!(63, "`active: false` is the whole offboarding, as no DELETE will follow", |case| {
            let (team, ids) = case.team_of(&["ida"]).await;
            let direct = api::account(&case.api, &case.name("direct"), "privileged").await;
            let shared = api::account(&case.api, &case.name("shared"), "standard").await;
            api::grant_member(&case.api, &ids[0], &direct).await;
            api::grant_team(&case.api, &team, &shared).await;
            assert_eq!(api::access(&case.api, &ids[0]).await, set(&[&direct, &shared]));
            case.patch_user(&ids[0], json!({"op": "replace", "value": {"active": false}})).await;
            api::assert_no_access(&case.api, &ids[0], &[&direct, &shared]).await;
            assert!(api::all(&case.api, &format!("/grants?member={}", ids[0])).await.is_empty());
            let offboarding = api::case_of(&case.api, &ids[0]).await;
            assert_eq!(offboarding["trigger"], "directory_disabled");
            assert_eq!(case.members(&team).await, set(&[&ids[0]]), "the mirror stays");
        }),
        row!(64, "`groups` and `password` in a create: ignored and never shown", |case| {
            let secret = "Pa55-canary-64";
            let body = user(&case.name("ida"), json!({"groups": [], "password": secret}));
            let answer = case.scim.post("/Users", &body).await.expect(201);
            assert!(!answer.text().contains(secret) && !answer.text().contains("password"), "{answer:?}");
            let id = answer.id();
            for query in ["", "?attributes=password", "?attributes=userName,password"] {
                let shown = read(&case.scim, &format!("/Users/{id}{query}")).await.to_string();
                assert!(!shown.contains(secret) && !shown.contains("\"password\""), "{shown}");
            }
            let body = user(&case.name("bo"), json!({"groups": [{"value": NEVER}]}));
            let made = create(&case.scim, "/Users", &body).await;
            assert!(list(&made, "/groups").is_empty(), "{made}");
        }),
        row!(65, "password sync is as ServiceProviderConfig says, and never shown", |case| {
            let config = read(&case.scim, "/ServiceProviderConfig").await;
            let supported = config["changePassword"]["supported"].as_bool().expect("it says so");
            let id = case.user("ida", json!({})).await;
            let body = patch(json!({"op": "replace", "value": {"password": "Pa55-canary-65"}}));
            let answer = case.scim.patch(&format!("/Users/{id}"), &body).await;
            if answer.status == 400 {
                assert_refused(&answer, 400, "mutability");
                assert!(!supported, "announced, and refused: {config}");
            } else {
                assert!(matches!(answer.status, 200 | 204), "{answer:?}");
            }
            assert!(!answer.text().contains("canary"), "{answer:?}");
            assert!(!case.read_user(&id).await.to_string().contains("canary"));
        }),
        row!(66, "with a charset it is the same media type, and every error is SCIM", |case| {
            let typed = [("content-type", "application/scim+json; charset=utf-8")];
            let body = user(&case.name("ida"), json!({})).to_string();
            case.scim.send("POST", "/Users", &typed, body.clone()).await.expect(201);
            let answers = [
                case.scim.send("POST", "/Users", &typed, body.clone()).await,
                case.scim.send("POST", "/Users", &typed, "{").await,
                case.scim.send("POST", "/Users", &[("content-type", "text/plain")], body).await,
                case.scim.get("/Nowhere").await,
                case.scim.get(&format!("/Users/{NEVER}")).await,
                case.scim.delete("/Users").await,
                case.scim.delete("/ServiceProviderConfig").await,
                case.scim.send("GET", "/Users", &[("authorization", "")], "").await,
                case.scim.get("/Users?filter=nonsense").await,
            ];
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            answers.iter().for_each(|answer| {
                assert_error(answer);
            });
            assert_eq!(statuses, [409, 400, 415, 404, 404, 405, 405, 401, 400]);
        }),
        row!(67, "each listed user has its name, emails and active, within 600 ms", |case| {
            for at in 0..20 {
                case.user(&format!("u{at}"), json!({})).await;
            }
            let started = Instant::now();
            let page = case.scim.get("/Users?startIndex=1&count=100").await.expect(200);
            assert!(started.elapsed() < Duration::from_millis(600), "{:?}", started.elapsed());
            assert_media_type(&page);
            let page = page.json();
            let sent: Vec<_> = list(&page, "/Resources")
                .iter()
                .filter(|user| text(user, "/userName").starts_with('u'))
                .collect();
            assert_eq!(sent.len(), 20, "{page}");
            for user in sent {
                assert_eq!(user["name"], json!({"givenName": "Ida", "familyName": "Holm"}));
                assert_eq!(of_type(user, "emails", "work").len(), 1, "{user}");
                assert_eq!(user["active"], json!(true), "{user}");
            }
        })
        .alone(),
        row!(68, "every announced resource type has an endpoint and its schemas", |case| {
            let types = read(&case.scim, "/ResourceTypes").await;
            let schemas = read(&case.scim, "/Schemas").await;
            let known = ids(&schemas);
            assert!(list(&types, "/Resources").len() >= 2, "{types}");
            for kind in list(&types, "/Resources") {
                let found = read(&case.scim, &format!("{}?count=1", text(kind, "/endpoint"))).await;
                assert!(found["totalResults"].is_u64(), "{found}");
                assert!(known.contains(&text(kind, "/schema").to_owned()), "{kind}");
                for extension in list(kind, "/schemaExtensions") {
                    assert!(known.contains(&text(extension, "/schema").to_owned()), "{kind}");
                    assert!(extension["required"].is_boolean(), "{kind}");
                }
                let name = text(kind, "/name");
                assert_eq!(text(&read(&case.scim, &format!("/ResourceTypes/{name}")).await, "/name"), name);
            }
            for urn in known {
                let schema = read(&case.scim, &format!("/Schemas/{}", enc(&urn))).await;
                assert_eq!(text(&schema, "/id"), urn);
            }
        }),
        row!(69, "a PUT of a group with people who aren't in yet stores them or refuses", |case| {
            let waiting = case.user("waiting", json!({"active": false})).await;
            let id = case.group("team", &[]).await;
            let path = format!("/Groups/{id}");
            let name = case.name("team");
            case.scim.put(&path, &group(&name, &[&waiting])).await.expect(200);
            assert_eq!(case.members(&id).await, set(&[&waiting]));
            let answer = case.scim.put(&path, &group(&name, &[NEVER])).await;
            let detail = assert_refused(&answer, 400, "invalidValue");
            assert!(detail.contains(NEVER), "{detail}");
            assert_eq!(case.members(&id).await, set(&[&waiting]), "never 200 and nothing stored");
            let found = find(&case.scim, "/Groups", &format!("displayName eq \"{name}\"")).await;
            assert_eq!(ids(&found), [id]);
        }),
    ]
}
