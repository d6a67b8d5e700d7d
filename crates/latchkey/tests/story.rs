//! The founding story, over HTTP: a directory provisions people and a group, access is given by
//! team and directly, somebody is disabled and is out by every path with rotations planned, is
//! deleted; another comes back, is active with no access, and the review gives it back.

mod support;

use std::collections::BTreeSet;

use latchkey_practice::{Options, Service, recipes};
use latchkey_testkit::{Client, Server, on_both};
use serde_json::{Value, json};

use support::scim::{
    ENTERPRISE, GROUP, USER, assert_refused, create, find, found_ids, members, of_type, patch, read, set,
};
use support::{api, list, text};

/// A person as Entra's default mapping sends one, with the attributes that the design lists.
fn person(given: &str, family: &str, object_id: &str) -> Value {
    let mail = format!("{}.{}@corp.example", given.to_lowercase(), family.to_lowercase());
    json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": object_id,
        "userName": mail,
        "active": true,
        "displayName": format!("{given} {family}"),
        "emails": [{"primary": true, "type": "work", "value": mail}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": format!("{given} {family}"), "familyName": family, "givenName": given},
        "roles": [],
    })
}

/// Looks somebody up as Entra does before it creates them, and creates them.
async fn provision(scim: &Client, body: &Value) -> String {
    let filter = format!("userName eq \"{}\"", text(body, "/userName"));
    assert_eq!(find(scim, "/Users", &filter).await["totalResults"], json!(0));
    let made = create(scim, "/Users", body).await;
    assert_eq!(found_ids(scim, "/Users", &filter).await, [text(&made, "/id")]);
    text(&made, "/id").to_owned()
}

async fn patch_user(scim: &Client, id: &str, operations: Value) {
    let answer = scim.patch(&format!("/Users/{id}"), &patch(operations)).await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
}

async fn patch_group(scim: &Client, id: &str, operations: Value) {
    scim.patch(&format!("/Groups/{id}"), &patch(operations)).await.expect(204);
}

/// The ways in which the API tells who may use an account agree that `member` may use these.
async fn assert_access(api: &Client, member: &str, accounts: &[&str], all: &[&str]) {
    let wanted = set(accounts);
    assert_eq!(api::access(api, member).await, wanted, "what {member} may use");
    for account in all {
        let may = wanted.contains(*account);
        assert_eq!(api::allowed(api, member, account).await, may, "explain {member} and {account}");
        assert_eq!(api::who(api, account).await.contains(member), may, "who may use {account}");
    }
}

on_both! {
    async fn from_directory_to_locked_out(server: &Server) {
        let workspace = server.workspace("Corp").await;
        let (scim, api) = (workspace.scim(), workspace.api());

        // The connection is tested, then people come, then the group, then its members.
        let test = find(&scim, "/Users", "userName eq \"3d9b5c2e-0000-4a57-8d3c-ffeeddccbbaa\"").await;
        assert_eq!(test["totalResults"], json!(0));
        let ida = provision(&scim, &person("Ida", "Holm", "a1f0c0de-0000-4000-8000-000000000001")).await;
        let bo = provision(&scim, &person("Bo", "Lind", "a1f0c0de-0000-4000-8000-000000000002")).await;
        let eva = provision(&scim, &person("Eva", "Krog", "a1f0c0de-0000-4000-8000-000000000003")).await;
        let body = json!({
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "b2f0c0de-0000-4000-8000-000000000001", "displayName": "Marketing",
            "meta": {"resourceType": "Group"},
        });
        let team = text(&create(&scim, "/Groups", &body).await, "/id").to_owned();
        let adds =
            [&ida, &bo, &eva].map(|id| json!({"op": "Add", "path": "members", "value": [{"value": id}]}));
        patch_group(&scim, &team, json!(adds)).await;
        assert_eq!(members(&scim, &team).await, set(&[&ida, &bo, &eva]));

        // What was sent is what is there, to the directory and to the workspace.
        let stored = read(&scim, &format!("/Users/{ida}")).await;
        assert_eq!(stored["userName"], "ida.holm@corp.example");
        assert_eq!(of_type(&stored, "emails", "work")[0]["value"], "ida.holm@corp.example");
        assert_eq!(stored["active"], json!(true));
        assert_eq!(
            (&stored["name"]["givenName"], &stored["name"]["familyName"]),
            (&json!("Ida"), &json!("Holm"))
        );
        assert_eq!(stored["externalId"], "a1f0c0de-0000-4000-8000-000000000001");
        assert_eq!(text(&stored, "/groups/0/value"), team);
        let group = read(&scim, &format!("/Groups/{team}?excludedAttributes=members")).await;
        assert_eq!(
            (&group["displayName"], text(&group, "/externalId")),
            (&json!("Marketing"), "b2f0c0de-0000-4000-8000-000000000001")
        );
        let people: BTreeSet<String> =
            api::all(&api, "/members").await.iter().map(|member| text(member, "/id").to_owned()).collect();
        assert_eq!(people, set(&[&ida, &bo, &eva, &workspace.owner_id]), "users are members");
        let teams = api::all(&api, "/teams").await;
        assert_eq!(teams.iter().map(|team| text(team, "/id")).collect::<Vec<_>>(), [team.as_str()]);

        // They are given access: by the team, through a folder, and directly.
        let ads = api::account(&api, "Ads manager", "privileged").await;
        let blog = api::account(&api, "Blog", "standard").await;
        let bank = api::account(&api, "Bank", "critical").await;
        let folder = api::make(&api, "/collections", json!({"name": "Social"})).await;
        let photos = api::make(
            &api,
            "/accounts",
            json!({
                "name": "Photos", "app": "Example", "sensitivity": "privileged", "collection_id": folder,
            }),
        )
        .await;
        let all = [ads.as_str(), &blog, &bank, &photos];
        api::grant_team(&api, &team, &ads).await;
        api::make(&api, "/grants", json!({"team_id": team, "collection_id": folder, "permission": "view"}))
            .await;
        api::grant_member(&api, &ida, &bank).await;
        api::grant_member(&api, &bo, &blog).await;
        assert_access(&api, &ida, &[&ads, &photos, &bank], &all).await;
        assert_access(&api, &bo, &[&ads, &photos, &blog], &all).await;
        assert_access(&api, &eva, &[&ads, &photos], &all).await;

        // An attribute changes in the directory, and access does not.
        patch_user(
            &scim,
            &ida,
            json!([
                {"op": "Replace", "path": "name.familyName", "value": "Holm-Krog"},
                {"op": "Replace", "path": "displayName", "value": "Ida Holm-Krog"},
                {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Growth"},
            ]),
        )
        .await;
        let stored = read(&scim, &format!("/Users/{ida}")).await;
        assert_eq!(
            (&stored["name"]["familyName"], &stored[ENTERPRISE]["department"]),
            (&json!("Holm-Krog"), &json!("Growth"))
        );
        assert_eq!(
            api.get(&format!("/members/{ida}")).await.expect(200).json()["display_name"],
            "Ida Holm-Krog"
        );
        assert_access(&api, &ida, &[&ads, &photos, &bank], &all).await;

        // Ida has a token of her own when she is disabled.
        let own = server
            .cli(&[
                "admin",
                "api-token",
                "create",
                "--workspace",
                "Corp",
                "--member",
                "ida.holm@corp.example",
                "--scope",
                "self:read",
            ])
            .await;
        let own = own.success().stdout.trim().to_owned();
        let as_ida = api.clone().with_token(&own);
        as_ida.get("/me").await.expect(200);

        patch_user(&scim, &ida, json!({"op": "Replace", "path": "active", "value": "False"})).await;

        // Out, by every path, and at once.
        assert_access(&api, &ida, &[], &all).await;
        as_ida.get("/me").await.expect(401);
        assert!(api::all(&api, &format!("/grants?member={ida}")).await.is_empty(), "no direct grant is left");
        assert_eq!(read(&scim, &format!("/Users/{ida}")).await["active"], json!(false));
        assert!(members(&scim, &team).await.contains(&ida), "the directory still says so");
        assert_access(&api, &bo, &[&ads, &photos, &blog], &all).await;

        // Rotations are planned for what she could use, the critical one first; nothing else.
        let case = api::case_of(&api, &ida).await;
        assert_eq!(
            (&case["trigger"], &case["state"]),
            (&json!("directory_disabled"), &json!("open")),
            "{case}"
        );
        let mut planned = vec![ads.clone(), photos.clone(), bank.clone()];
        planned.sort();
        assert_eq!(api::rotations(&api, &case, "ready").await, planned);
        let decided: Vec<String> =
            api::decided(&case, "rotate").into_iter().map(|(account, _)| account).collect();
        assert_eq!(decided, planned, "{case}");
        let first = api::all(&api, "/outbox?kind=rotation&state=ready").await;
        let first = first
            .iter()
            .filter(|event| event["case_id"] == case["id"])
            .min_by_key(|event| event["priority"].as_i64());
        assert_eq!(
            first.map(|event| text(event, "/payload/account_id")),
            Some(bank.as_str()),
            "critical is first"
        );
        assert_eq!(list(&case, "/removed_grants").len(), 1, "{case}");
        let timeline = list(&case, "/timeline");
        assert!(timeline.len() >= 2, "{case}");
        assert!(timeline.iter().all(|entry| text(entry, "/at").contains('.')), "with milliseconds: {case}");
        let audit = api::audit_of(&api, &ida).await;
        let last = audit.iter().map(|record| text(record, "/request_id")).next_back().unwrap_or_default();
        assert!(
            !last.is_empty()
                && audit.iter().all(|record| text(record, "/actor").starts_with("directory")
                    || text(record, "/actor").starts_with("member")
                    || text(record, "/actor") == "operator"),
            "{audit:?}"
        );

        // Later she is deleted for good: gone to SCIM, still in the evidence, and nothing planned twice.
        scim.delete(&format!("/Users/{ida}")).await.expect(204);
        assert_refused(&scim.get(&format!("/Users/{ida}")).await, 404, "");
        assert_eq!(members(&scim, &team).await, set(&[&bo, &eva]));
        assert!(found_ids(&scim, "/Users", "userName eq \"ida.holm@corp.example\"").await.is_empty());
        let events = api::all(&api, "/outbox?kind=rotation").await;
        assert_eq!(events.len(), 3, "one leaving, one rotation an account: {events:?}");

        // Bo is disabled and comes back: active, in the team to SCIM, with no access, and a review waits.
        patch_user(&scim, &bo, json!({"op": "Replace", "path": "active", "value": "False"})).await;
        assert_access(&api, &bo, &[], &all).await;
        patch_user(&scim, &bo, json!({"op": "Replace", "path": "active", "value": "True"})).await;
        assert_eq!(read(&scim, &format!("/Users/{bo}")).await["active"], json!(true));
        assert_eq!(api.get(&format!("/members/{bo}")).await.expect(200).json()["state"], "active");
        assert_access(&api, &bo, &[], &all).await;
        assert_eq!(members(&scim, &team).await, set(&[&bo, &eva]));
        assert_eq!(text(&read(&scim, &format!("/Users/{bo}")).await, "/groups/0/value"), team);
        let reviews = api::all(&api, "/reviews").await;
        assert_eq!(
            reviews.iter().map(|review| text(review, "/member_id")).collect::<Vec<_>>(),
            [bo.as_str()]
        );
        let review = api.get(&format!("/members/{bo}/review")).await.expect(200).json();
        assert_eq!(list(&review, "/grants").len(), 1, "what he had: {review}");
        assert_eq!(text(&review, "/grants/0/account_id"), blog, "{review}");
        assert_eq!(list(&review, "/teams").len(), 1, "{review}");
        assert_eq!(text(&review, "/teams/0/team_id"), team, "{review}");

        // One call gives it back.
        let given = api
            .post(
                &format!("/members/{bo}/review"),
                &json!({"grants": "all", "teams": "all", "reason": "back from leave"}),
            )
            .await;
        assert!(matches!(given.status, 200 | 201 | 204), "{given:?}");
        assert_access(&api, &bo, &[&ads, &photos, &blog], &all).await;
        assert!(api::all(&api, "/reviews").await.is_empty());

        // And all of it is in the audit log, whole.
        server.cli(&["audit", "verify", "--workspace", "Corp"]).await.success();
        let said = api.get("/audit/verify").await.expect(200).json();
        assert_eq!(said["ok"], json!(true), "{said}");
    }
}

on_both! {
    async fn what_a_leaver_knew_stops_working_at_the_system_that_it_opened(server: &Server) {
        let service = Service::start(Options::default()).await.expect("a port is free");
        let workspace = server.workspace("Corp").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let eva = provision(&scim, &person("Eva", "Krog", "a1f0c0de-0000-4000-8000-000000000003")).await;

        // A shared login at a real service: its password is in the vault, and works.
        let connector = json!({
            "name": "Shop", "kind": "http", "admin": service.admin_token(),
            "config": {"recipe": recipes::ADMIN, "hosts": [service.address().to_string()],
                       "network": {"plain_http_on_loopback": true, "allow": ["127.0.0.0/8"]}},
        });
        let connector = api::make(&api, "/connectors", connector).await;
        let body = json!({"name": "Shop", "app": "Shop", "username": "shop", "sensitivity": "privileged"});
        let account = api::make(&api, "/accounts", body).await;
        let old = "First-Passw0rd-of-the-shop";
        service.add_user("shop", old, None);
        let secret = json!({"kind": "password", "label": "Password", "value": old});
        let secret = api::secret(&api, &account, secret).await;
        let how = json!({"connector_id": connector});
        api.put(&format!("/accounts/{account}/rotation"), &how).await.expect(200);
        api::grant_member(&api, &eva, &account).await;
        service.open_session("shop");

        patch_user(&scim, &eva, json!({"op": "Replace", "path": "active", "value": "False"})).await;
        assert_access(&api, &eva, &[], &[&account]).await;

        let closed = api::closed_case_of(&api, &eva).await;
        assert_eq!(closed["state"], "complete", "{closed}\n{}", server.log());
        let value = api.post(&format!("/accounts/{account}/secrets/{secret}/reveal"), &json!({})).await;
        let value = value.expect(200).json();
        let new = text(&value, "/value");
        assert!(!service.accepts("shop", old) && service.accepts("shop", new), "{closed}");
        assert_eq!(service.sessions("shop"), 0, "what somebody had left open is closed");

        // The report says so, and is signed.
        let report = api.get(&format!("/offboardings/{}/report", text(&closed, "/id"))).await;
        let report = report.expect(200).json();
        assert!(text(&report, "/report/summary").contains("changed and checked"), "{report}");
        let change = &report["report"]["accounts"][0]["change"];
        assert!(change["verified_at"].is_string() && change["old_refused_at"].is_string(), "{report}");
        assert!(!text(&report, "/signature/value").is_empty(), "{report}");
    }
}
