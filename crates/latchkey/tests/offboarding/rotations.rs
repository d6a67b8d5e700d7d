//! Which passwords are changed when somebody leaves: what they could use, and what they know.

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::support::api;
use crate::support::{list, text};

/// An account with its policy.
async fn account(scene: &Scene, name: &str, sensitivity: &str, policy: &str) -> String {
    let body =
        json!({"name": name, "app": "Example", "sensitivity": sensitivity, "offboarding_rotation": policy});
    api::make(&scene.api, "/accounts", body).await
}

async fn expose(scene: &Scene, account: &str, member: &str) {
    let answer =
        scene.api.post(&format!("/accounts/{account}/exposures"), &json!({"member_id": member})).await;
    assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
}

on_both! {
    async fn each_account_is_decided_by_its_policy_its_weight_and_what_is_known(server: &Server) {
        let scene = Scene::new(server, "decide").await;
        let ida = scene.person("ida").await;
        // (policy, sensitivity, may use it, knows the password) and what follows.
        let rows = [
            ("auto", "standard", true, false, "keep"),
            ("auto", "standard", true, true, "rotate"),
            ("auto", "standard", false, true, "rotate"),
            ("auto", "standard", false, false, ""),
            ("auto", "privileged", true, false, "rotate"),
            ("auto", "privileged", false, true, "rotate"),
            ("auto", "privileged", false, false, ""),
            ("auto", "critical", true, false, "rotate"),
            ("auto", "critical", false, true, "rotate"),
            ("always", "standard", true, false, "rotate"),
            ("always", "standard", false, true, "rotate"),
            ("never", "critical", true, true, "keep"),
            ("never", "standard", false, true, "keep"),
        ];
        let mut accounts = Vec::new();
        for (at, (policy, sensitivity, usable, known, _)) in rows.iter().enumerate() {
            let id = account(&scene, &format!("Account {at}"), sensitivity, policy).await;
            if *usable {
                api::grant_member(&scene.api, &ida, &id).await;
            }
            if *known {
                expose(&scene, &id, &ida).await;
                expose(&scene, &id, &ida).await;
            }
            accounts.push(id);
        }
        let simulated =
            scene.api.get(&format!("/members/{ida}/simulate-offboarding")).await.expect(200).json();
        scene.disable(&ida).await;
        let case = api::case_of(&scene.api, &ida).await;
        let planned = api::rotations(&scene.api, &case, "ready").await;
        for ((policy, sensitivity, usable, known, wanted), id) in rows.iter().zip(&accounts) {
            let row = format!("{policy} {sensitivity}, usable: {usable}, known: {known}");
            let item = list(&case, "/items").iter().find(|item| item["account_id"] == *id);
            assert_eq!(item.map_or("", |item| text(item, "/decision")), *wanted, "{row}: {item:?}");
            assert_eq!(planned.contains(id), *wanted == "rotate", "{row}");
            assert!(item.is_none_or(|item| !text(item, "/rule").is_empty()), "{row}: {item:?}");
            let foreseen = list(&simulated, "/accounts").iter().find(|item| item["account_id"] == *id);
            let decision = |item: Option<&Value>| item.map(|item| item["decision"].clone());
            assert_eq!(decision(foreseen), decision(item), "what was foreseen is what follows: {row}");
        }
    }

    async fn what_was_seen_is_changed_even_where_the_grant_ended_before(server: &Server) {
        let scene = Scene::new(server, "ended").await;
        let (ida, bo) = (scene.person("ida").await, scene.person("bo").await);
        let seen = account(&scene, "Seen", "standard", "auto").await;
        let unseen = account(&scene, "Unseen", "privileged", "auto").await;
        for id in [&seen, &unseen] {
            let grant = api::grant_member(&scene.api, &ida, id).await;
            if *id == seen {
                expose(&scene, id, &ida).await;
            }
            let answer = scene.api.delete(&format!("/grants/{grant}")).await;
            assert!(answer.status < 300, "{answer:?}");
        }
        expose(&scene, &seen, &bo).await;
        assert!(scene.access(&ida).await.is_empty());
        scene.disable(&ida).await;
        let case = api::case_of(&scene.api, &ida).await;
        assert_eq!(api::rotations(&scene.api, &case, "ready").await, [seen.as_str()]);
        let exposures = api::all(&scene.api, &format!("/accounts/{seen}/exposures")).await;
        assert_eq!(exposures.len(), 2, "{exposures:?}");
    }

    async fn every_way_to_an_account_is_seen_and_rotates_it_once(server: &Server) {
        let scene = Scene::new(server, "ways").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let top = api::make(&scene.api, "/collections", json!({"name": "Top"})).await;
        let below = api::make(&scene.api, "/collections", json!({"name": "Below", "parent_id": top})).await;
        let lowest =
            api::make(&scene.api, "/collections", json!({"name": "Lowest", "parent_id": below})).await;
        let aside = api::make(&scene.api, "/collections", json!({"name": "Aside"})).await;
        let mut accounts = Vec::new();
        for (name, folder) in [
            ("direct", None),
            ("by team", None),
            ("in folder", Some(&top)),
            ("in subfolder", Some(&lowest)),
            ("in the team's folder", Some(&aside)),
            ("both ways", None),
            ("out of reach", None),
        ] {
            let mut body = json!({"name": name, "app": "Example", "sensitivity": "privileged"});
            if let Some(folder) = folder {
                body["collection_id"] = json!(folder);
            }
            accounts.push(api::make(&scene.api, "/accounts", body).await);
        }
        let [direct, by_team, in_folder, in_subfolder, in_teams, both, out] =
            accounts.try_into().expect("seven");
        api::grant_member(&scene.api, &ida, &direct).await;
        api::grant_team(&scene.api, &team, &by_team).await;
        api::make(
            &scene.api,
            "/grants",
            json!({"member_id": ida, "collection_id": top, "permission": "use"}),
        )
        .await;
        api::make(
            &scene.api,
            "/grants",
            json!({"team_id": team, "collection_id": aside, "permission": "use"}),
        )
        .await;
        api::grant_member(&scene.api, &ida, &both).await;
        api::grant_team(&scene.api, &team, &both).await;
        let mut reached = vec![direct, by_team, in_folder, in_subfolder, in_teams, both.clone()];
        assert_eq!(scene.access(&ida).await, reached.iter().cloned().collect());
        scene.disable(&ida).await;
        reached.sort();
        let case = api::case_of(&scene.api, &ida).await;
        assert_eq!(api::rotations(&scene.api, &case, "ready").await, reached, "each once, {out} not");
        api::assert_no_access(&scene.api, &ida, &[&both, &out]).await;
    }

    async fn each_leaving_is_its_own_cause_and_a_repeated_one_none(server: &Server) {
        let scene = Scene::new(server, "cause").await;
        let (ida, bo) = (scene.person("ida").await, scene.person("bo").await);
        let bank = account(&scene, "Bank", "privileged", "auto").await;
        for id in [&ida, &bo] {
            api::grant_member(&scene.api, id, &bank).await;
        }
        for _ in 0..3 {
            scene.disable(&ida).await;
        }
        scene.disable(&bo).await;
        scene.scim.delete(&format!("/Users/{ida}")).await.expect(204);
        let events = api::all(&scene.api, "/outbox?kind=rotation").await;
        assert_eq!(events.len(), 2, "one for each leaver: {events:?}");
        assert!(events.iter().all(|event| text(event, "/payload/account_id") == bank), "{events:?}");
        // Deleted straight from active is a leaving like a disable.
        let eva = scene.person("eva").await;
        api::grant_member(&scene.api, &eva, &bank).await;
        scene.scim.delete(&format!("/Users/{eva}")).await.expect(204);
        let case = api::case_of(&scene.api, &eva).await;
        assert_eq!(case["trigger"], "directory_deleted");
        assert_eq!(api::rotations(&scene.api, &case, "ready").await, [bank]);
    }

    async fn a_case_is_its_own_evidence(server: &Server) {
        let scene = Scene::new(server, "evidence").await;
        let ida = scene.person("ida").await;
        let bank = account(&scene, "Bank", "critical", "auto").await;
        let grant = api::make(
            &scene.api,
            "/grants",
            json!({
                "member_id": ida, "account_id": bank, "permission": "manage", "reason": "month's end",
            }),
        )
        .await;
        scene.disable(&ida).await;
        let case = api::case_of(&scene.api, &ida).await;
        let removed = &list(&case, "/removed_grants")[0];
        assert_eq!(
            (text(removed, "/id"), text(removed, "/permission")),
            (grant.as_str(), "manage"),
            "{case}"
        );
        let item = &list(&case, "/items")[0];
        assert_eq!(
            (text(item, "/account_name"), text(item, "/rule")),
            ("Bank", "privileged_and_could_use"),
            "{case}"
        );
        assert!(item["evidence"].to_string().contains(&grant), "how it could be reached: {item}");
        assert!(text(&case, "/cut_at").ends_with('Z') && text(&case, "/cut_at").contains('.'), "{case}");
        assert!(!text(&case, "/request_id").is_empty(), "the request that caused it: {case}");
        let rotation = &list(&case, "/rotations")[0];
        assert_eq!(
            (text(rotation, "/account_id"), text(rotation, "/state")),
            (bank.as_str(), "ready"),
            "{case}"
        );
        let listed = api::all(&scene.api, "/offboardings?state=open").await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert!(api::all(&scene.api, "/offboardings?state=held").await.is_empty());
        // What is removed later does not take the evidence along.
        let answer = scene.api.delete(&format!("/accounts/{bank}")).await;
        assert!(answer.status < 300, "{answer:?}");
        let kept = api::case_of(&scene.api, &ida).await;
        assert_eq!(text(&kept, "/items/0/account_name"), "Bank", "{kept}");
    }
}
