//! The other workspace's ids are ids that never were.

use std::collections::BTreeMap;

use latchkey_testkit::{Answer, Client, Server, on_both};
use serde_json::{Value, json};

use crate::routes::{self, Route};
use crate::support::cases::Failures;
use crate::support::scim::{BULK, ENTERPRISE, assert_error, find, group, patch, user};
use crate::support::state::State;
use crate::support::{NEVER, enc, list};
use crate::world::{World, masked};

/// A client for whole paths, with the token that the route takes.
fn client(server: &Server, route: &Route, world: &World) -> Client {
    let token = if route.auth == "scim" { &world.workspace.scim_token } else { &world.workspace.api_token };
    let media_type = if route.auth == "scim" { "application/scim+json" } else { "application/json" };
    server.client().with_token(token).with_media_type(media_type)
}

on_both! {
    async fn every_route_answers_for_the_others_ids_as_for_ids_that_never_were(server: &Server) {
        let (ours, theirs) = (World::new(server, "ours").await, World::new(server, "theirs").await);
        let foreign = theirs.ids().await;
        assert!(foreign.len() > 20, "{foreign:?}");
        let (before, content) = (State::of(&theirs.workspace).await, theirs.content().await);
        let mut failures = Failures::default();
        let mut tried = 0;
        for route in routes::all(server).await {
            let own = [ours.local_team.as_str(), &ours.user, &ours.account, &ours.secret];
            let cases: Vec<Vec<Vec<&str>>> = match route.parameters().len() {
                0 => continue,
                1 => foreign.iter().map(|(_, id)| vec![vec![id.as_str()], vec![NEVER]]).collect(),
                2 => foreign
                    .iter()
                    .flat_map(|(_, id)| {
                        let both = own.iter().flat_map(move |own| {
                            [
                                vec![vec![*own, id.as_str()], vec![*own, NEVER]],
                                vec![vec![id.as_str(), *own], vec![NEVER, *own]],
                            ]
                        });
                        both.chain([vec![vec![id.as_str(), id.as_str()], vec![NEVER, NEVER]]])
                    })
                    .collect(),
                more => panic!("{} has {more} parameters: teach this test about them", route.name()),
            };
            tried += cases.len();
            let client = client(server, &route, &ours);
            failures
                .play(route.name(), async {
                    // What is answered for an id that never was is asked once for each shape.
                    let mut nevers: BTreeMap<String, Answer> = BTreeMap::new();
                    for case in cases {
                        let body = route.body(&ours.user);
                        let at = route.at(&case[1]);
                        if !nevers.contains_key(&at) {
                            let never = client.send(&route.method, &at, &[], body.clone()).await;
                            assert_eq!(never.status, 404, "an id that never was: {never:?}");
                            nevers.insert(at.clone(), never);
                        }
                        let never = &nevers[&at];
                        let foreign = client.send(&route.method, &route.at(&case[0]), &[], body).await;
                        assert_eq!(
                            masked(&foreign),
                            masked(never),
                            "{foreign:?}\nand for an id that never was\n{never:?}"
                        );
                    }
                })
                .await;
        }
        assert!(tried > 500, "{tried} requests");
        failures
            .play("what the other workspace holds", async {
                State::of(&theirs.workspace).await.assert_same(&before, "trying its ids from here");
                for ((path, now), (_, then)) in theirs.content().await.iter().zip(&content) {
                    assert_eq!(now, then, "{path}");
                }
            })
            .await;
        failures.tell();
    }

    async fn no_list_shows_counts_or_finds_what_is_the_others(server: &Server) {
        let ours = World::new(server, "ours").await;
        let mut failures = Failures::default();
        let alone = counts(&ours).await;
        let theirs = World::new(server, "theirs").await;
        for at in 0..5 {
            crate::support::scim::user_id(&theirs.scim, &format!("theirs.more{at}@corp.example")).await;
        }
        assert_eq!(counts(&ours).await, alone, "what the other makes is not counted here");
        let foreign = theirs.ids().await;
        for route in routes::all(server)
            .await
            .iter()
            .filter(|route| route.method == "GET" && route.parameters().is_empty())
        {
            let client = client(server, route, &ours);
            failures
                .play(route.name(), async {
                    for query in ["", "?limit=100&count=1000", "?q=theirs", "?filter=userName%20pr"] {
                        let shown = client.get(&format!("{}{query}", route.path)).await.text();
                        assert!(!shown.contains("theirs"), "{query}: {shown}");
                        for (from, id) in &foreign {
                            assert!(!shown.contains(id), "{query} shows {id} of their {from}: {shown}");
                        }
                    }
                })
                .await;
        }
        let their = |name: &str| match name {
            "user" => &theirs.user,
            "team" => &theirs.team,
            "account" => &theirs.account,
            "collection" => &theirs.collection,
            _ => &theirs.returned,
        };
        for (path, id) in [
            ("/grants?member=", their("user")),
            ("/grants?team=", their("team")),
            ("/grants?account=", their("account")),
            ("/grants?collection=", their("collection")),
            ("/audit?target=", their("user")),
        ] {
            failures
                .play(path, async {
                    let (foreign, never) = (
                        ours.api.get(&format!("{path}{id}")).await,
                        ours.api.get(&format!("{path}{NEVER}")).await,
                    );
                    assert_eq!(masked(&foreign), masked(&never));
                    assert!(
                        foreign.status == 404 || list(&foreign.json(), "/items").is_empty(),
                        "{foreign:?}"
                    );
                })
                .await;
        }
        for (member, account) in
            [(&theirs.user, &theirs.account), (&ours.user, &theirs.account), (&theirs.user, &ours.account)]
        {
            let masks = |id: &String| {
                if *id == ours.user || *id == ours.account { id.clone() } else { NEVER.to_owned() }
            };
            let foreign = ours.api.get(&format!("/explain?member={member}&account={account}")).await;
            let never =
                ours.api.get(&format!("/explain?member={}&account={}", masks(member), masks(account))).await;
            assert_eq!(masked(&foreign), masked(&never), "{foreign:?} {never:?}");
        }
        for (path, filter) in [
            ("/Users", format!("id eq \"{}\"", theirs.user)),
            ("/Users", "userName eq \"theirs.ida@corp.example\"".to_owned()),
            ("/Users", format!("groups.value eq \"{}\"", theirs.team)),
            ("/Groups", format!("id eq \"{}\"", theirs.team)),
            ("/Groups", format!("members eq \"{}\"", theirs.user)),
            ("/Groups", format!("members.value eq \"{}\" or displayName co \"theirs\"", theirs.user)),
        ] {
            failures
                .play(filter.clone(), async {
                    assert_eq!(find(&ours.scim, path, &filter).await["totalResults"], json!(0));
                })
                .await;
        }
        failures.tell();
    }

    async fn the_others_people_and_things_cannot_be_named_in_a_body(server: &Server) {
        let (ours, theirs) = (World::new(server, "ours").await, World::new(server, "theirs").await);
        let (before, theirs_before) = (State::of(&ours.workspace).await, State::of(&theirs.workspace).await);
        let mut failures = Failures::default();
        for (name, client, method, path, body) in bodies(&ours, &theirs, false) {
            let never = bodies(&ours, &theirs, true)
                .into_iter()
                .find(|other| other.0 == name)
                .expect("the same table");
            failures
                .play(name, async {
                    let foreign = client.send(method, &path, &[], body.to_string()).await;
                    let never = client.send(method, &path, &[], never.4.to_string()).await;
                    if name.starts_with("bulk") {
                        let foreign = foreign.expect(200).json();
                        assert_eq!(foreign["Operations"][0]["status"], "400", "{foreign}");
                    } else if name.starts_with("manager") && never.status < 300 {
                        // A manager who is not known yet may be kept as the directory sent it; then
                        // the other workspace's is no more known than one who never was.
                        assert_eq!(foreign.status, never.status, "{foreign:?}");
                    } else {
                        assert!((400..500).contains(&foreign.status), "{foreign:?}");
                        assert_eq!(masked(&foreign), masked(&never), "{foreign:?}\n{never:?}");
                        if path.starts_with("/Users") || path.starts_with("/Groups") {
                            assert_eq!(assert_error(&foreign).0, "invalidValue", "{foreign:?}");
                        }
                    }
                })
                .await;
        }
        failures
            .play("nothing came of it", async {
                let after = State::of(&ours.workspace).await;
                assert_eq!(after.groups, before.groups);
                State::of(&theirs.workspace).await.assert_same(&theirs_before, "being named elsewhere");
            })
            .await;
        failures.tell();
    }

    async fn names_are_free_in_one_workspace_whatever_is_in_the_other(server: &Server) {
        let (ours, theirs) = (server.workspace("ours").await, server.workspace("theirs").await);
        let body = user("same@corp.example", json!({"externalId": "same"}));
        let first = ours.scim().post("/Users", &body).await.expect(201).id();
        let second = theirs.scim().post("/Users", &body).await.expect(201).id();
        assert_ne!(first, second);
        for workspace in [&ours, &theirs] {
            workspace.scim().post("/Groups", &group("Same", &[])).await.expect(201);
        }
        // Who was deleted there is no tombstone here.
        theirs.scim().delete(&format!("/Users/{second}")).await.expect(204);
        let member = ours.api().get(&format!("/members/{first}")).await.expect(200).json();
        assert_eq!((&member["state"], &member["access_epoch"]), (&json!("active"), &json!(1)));
    }
}

type Named<'a> = (&'static str, &'a Client, &'static str, String, Value);

/// Bodies that name something of theirs, or, for comparison, something that never was.
fn bodies<'a>(ours: &'a World, theirs: &World, never: bool) -> Vec<Named<'a>> {
    let of = |id: &String| if never { NEVER.to_owned() } else { id.clone() };
    let (user_id, team, account, collection) =
        (of(&theirs.user), of(&theirs.team), of(&theirs.account), of(&theirs.collection));
    let member = json!([{"value": user_id}]);
    let new = |name: &str, extra: Value| user(&format!("{name}.{never}@corp.example"), extra);
    let group_path = format!("/Groups/{}", ours.team);
    let (scim, api) = (&ours.scim, &ours.api);
    let manager = json!({ENTERPRISE: {"manager": {"value": user_id}}});
    let grant = |subject: &str, subject_id: &String, object: &str, object_id: &String| json!({subject: subject_id, object: object_id, "permission": "use"});
    let account_body =
        |key: &str, id: &String| json!({"name": "x", "app": "x", "sensitivity": "standard", key: id});
    let own_account = format!("/accounts/{}", ours.account);
    vec![
        ("member in a new group", scim, "POST", "/Groups".into(), group("New", &[&user_id])),
        ("member in a replaced group", scim, "PUT", group_path.clone(), group("ours pushed", &[&user_id])),
        (
            "member added",
            scim,
            "PATCH",
            group_path.clone(),
            patch(json!({"op": "Add", "path": "members", "value": member})),
        ),
        (
            "member as text",
            scim,
            "PATCH",
            group_path.clone(),
            patch(json!({"op": "Add", "path": "members", "value": user_id})),
        ),
        (
            "members replaced",
            scim,
            "PATCH",
            group_path,
            patch(json!({"op": "Replace", "value": {"members": member}})),
        ),
        ("team as a member", scim, "POST", "/Groups".into(), group("New", &[&team])),
        (
            "bulk with a member",
            scim,
            "POST",
            "/Bulk".into(),
            json!({"schemas": [BULK], "Operations": [
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("New", &[&user_id])}]}),
        ),
        ("manager of a new user", scim, "POST", "/Users".into(), new("a", manager)),
        (
            "manager patched",
            scim,
            "PATCH",
            format!("/Users/{}", ours.user),
            patch(json!({"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": user_id})),
        ),
        (
            "grant to a member",
            api,
            "POST",
            "/grants".into(),
            grant("member_id", &user_id, "account_id", &ours.account),
        ),
        (
            "grant to a team",
            api,
            "POST",
            "/grants".into(),
            grant("team_id", &team, "account_id", &ours.account),
        ),
        (
            "grant on an account",
            api,
            "POST",
            "/grants".into(),
            grant("member_id", &ours.user, "account_id", &account),
        ),
        (
            "grant on a collection",
            api,
            "POST",
            "/grants".into(),
            grant("member_id", &ours.user, "collection_id", &collection),
        ),
        ("owner of a new account", api, "POST", "/accounts".into(), account_body("owner_id", &user_id)),
        (
            "successor of a new account",
            api,
            "POST",
            "/accounts".into(),
            account_body("successor_id", &user_id),
        ),
        (
            "folder of a new account",
            api,
            "POST",
            "/accounts".into(),
            account_body("collection_id", &collection),
        ),
        ("owner", api, "PATCH", own_account.clone(), json!({"owner_id": user_id})),
        ("successor", api, "PATCH", own_account.clone(), json!({"successor_id": user_id})),
        ("folder", api, "PATCH", own_account.clone(), json!({"collection_id": collection})),
        ("exposure", api, "POST", format!("{own_account}/exposures"), json!({"member_id": user_id})),
        (
            "folder above a new folder",
            api,
            "POST",
            "/collections".into(),
            json!({"name": "x", "parent_id": collection}),
        ),
        (
            "folder above",
            api,
            "PATCH",
            format!("/collections/{}", ours.collection),
            json!({"parent_id": collection}),
        ),
        (
            "the workspace's successor",
            api,
            "PATCH",
            "/workspace".into(),
            json!({"policy": {"successor": user_id}}),
        ),
        (
            "a token for a member",
            api,
            "POST",
            "/api-tokens".into(),
            json!({"name": "x", "member_id": user_id, "scopes": ["self:read"]}),
        ),
        (
            "a review's grants",
            api,
            "POST",
            format!("/members/{}/review", ours.returned),
            json!({"grants": [of(&theirs.grant)], "teams": [], "reason": "x"}),
        ),
        (
            "a review's teams",
            api,
            "POST",
            format!("/members/{}/review", ours.returned),
            json!({"grants": [], "teams": [team], "reason": "x"}),
        ),
    ]
}

/// What a workspace can count of itself.
async fn counts(world: &World) -> Vec<Value> {
    let mut counts = Vec::new();
    for path in [
        "/Users?count=0",
        "/Groups?count=0",
        &format!("/Users?count=0&filter={}", enc("userName co \"corp\"")),
    ] {
        counts.push(world.scim.get(path).await.expect(200).json()["totalResults"].clone());
    }
    counts
}
