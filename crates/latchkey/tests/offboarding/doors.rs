//! A leaver's doors: tokens are dead at once, everywhere; and what a directory keeps is kept by it.

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::scene::Scene;
use crate::support::api;
use crate::support::scim::{assert_error, assert_refused, group, members, patch, set};
use crate::support::text;

on_both! {
    async fn a_leavers_tokens_are_dead_at_once_and_stay_dead(server: &Server) {
        let scene = Scene::new(server, "tokens").await;
        let ida = scene.person("ida").await;
        scene.set_role(&ida, "admin").await;
        let first = scene.token_of(server, "ida@corp.example").await;
        let second = scene.token_of(server, "ida@corp.example").await;
        for client in [&first, &second] {
            client.get("/me").await.expect(200);
        }
        scene.disable(&ida).await;
        for client in [&first, &second] {
            let answer = client.get("/me").await.expect(401);
            assert!(
                answer.header("www-authenticate").is_some_and(|text| text.starts_with("Bearer")),
                "{answer:?}"
            );
            client.get("/members").await.expect(401);
            client.post("/teams", &json!({"display_name": "Late"})).await.expect(401);
        }
        scene.enable(&ida).await;
        for client in [&first, &second] {
            client.get("/me").await.expect(401);
        }
        let fresh = scene.token_of(server, "ida@corp.example").await;
        let me = fresh.get("/me").await.expect(200).json();
        assert_eq!(me["role"], "user", "a role is given anew, too: {me}");
        let tokens = api::all(&scene.api, "/api-tokens").await;
        let ended =
            tokens.iter().filter(|token| token["member_id"] == ida && !token["revoked_at"].is_null()).count();
        assert_eq!(ended, 2, "revoked, and seen to be: {tokens:?}");
    }

    async fn a_token_in_use_while_its_member_leaves_never_works_after_the_answer(server: &Server) {
        let scene = Scene::new(server, "in-use").await;
        for round in 0..5 {
            let name = format!("ida{round}");
            let ida = scene.person(&name).await;
            let client = scene.token_of(server, &format!("{name}@corp.example")).await;
            client.get("/me").await.expect(200);
            let asking = {
                let client = client.clone();
                tokio::spawn(async move { while client.get("/me").await.status == 200 {} })
            };
            scene.disable(&ida).await;
            client.get("/me").await.expect(401);
            asking.await.expect("the asking ends");
        }
    }

    async fn an_admin_takes_somebody_out_and_lets_them_in_again(server: &Server) {
        let scene = Scene::new(server, "admin").await;
        let made = scene
            .api
            .post("/members", &json!({"user_name": "local@corp.example", "display_name": "Local"}))
            .await;
        let id = made.expect(201).id();
        let bank = api::account(&scene.api, "Bank", "privileged").await;
        api::grant_member(&scene.api, &id, &bank).await;
        let client = scene.token_of(server, "local@corp.example").await;
        let answer = scene.api.post(&format!("/members/{id}/deactivate"), &json!({})).await;
        assert!(answer.status < 300, "{answer:?}");
        client.get("/me").await.expect(401);
        api::assert_no_access(&scene.api, &id, &[&bank]).await;
        let case = api::case_of(&scene.api, &id).await;
        assert_eq!(case["trigger"], "admin");
        assert_eq!(api::rotations(&scene.api, &case, "ready").await, [bank.as_str()]);
        let answer = scene.api.post(&format!("/members/{id}/reactivate"), &json!({})).await;
        assert!(answer.status < 300, "{answer:?}");
        api::assert_no_access(&scene.api, &id, &[&bank]).await;
        assert!(scene.is_waiting_for_review(&id).await);
    }

    async fn a_directorys_team_is_not_edited_here_nor_a_local_one_by_the_directory(server: &Server) {
        let scene = Scene::new(server, "origin").await;
        let (ida, bo) = (scene.person("ida").await, scene.person("bo").await);
        let pushed = scene.group("Pushed", &[&ida]).await;
        let put = scene.api.send("PUT", &format!("/teams/{pushed}/members/{bo}"), &[], "").await;
        assert!((400..500).contains(&put.status), "{put:?}");
        let renamed = scene.api.patch(&format!("/teams/{pushed}"), &json!({"display_name": "Mine"})).await;
        assert!((400..500).contains(&renamed.status), "{renamed:?}");
        let deleted = scene.api.delete(&format!("/teams/{pushed}")).await;
        assert!((400..500).contains(&deleted.status), "{deleted:?}");
        assert_eq!(members(&scene.scim, &pushed).await, set(&[&ida]));
        let local = api::make(&scene.api, "/teams", json!({"display_name": "Local"})).await;
        let put = scene.api.send("PUT", &format!("/teams/{local}/members/{bo}"), &[], "").await;
        assert!(put.status < 300, "{put:?}");
        assert_refused(&scene.scim.post("/Groups", &group("local", &[])).await, 409, "uniqueness");
        let body = patch(json!({"op": "Add", "path": "members", "value": [{"value": ida}]}));
        let answer = scene.scim.patch(&format!("/Groups/{local}"), &body).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert_error(&answer);
        let in_team: Vec<String> = api::all(&scene.api, &format!("/teams/{local}/members"))
            .await
            .iter()
            .map(|member| text(member, "/id").to_owned() + text(member, "/member_id"))
            .collect();
        assert_eq!(in_team, [bo]);
    }
}
