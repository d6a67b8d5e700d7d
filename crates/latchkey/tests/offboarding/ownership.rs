//! Every account keeps an owner (A4), and every workspace one in charge (A6).

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::support::api;
use crate::support::text;

async fn owned(scene: &Scene, name: &str, owner: &str, successor: Option<&str>) -> String {
    let mut body = json!({"name": name, "app": "Example", "sensitivity": "standard", "owner_id": owner});
    if let Some(successor) = successor {
        body["successor_id"] = json!(successor);
    }
    api::make(&scene.api, "/accounts", body).await
}

async fn owner_of(scene: &Scene, account: &str) -> (Value, Value) {
    let account = scene.api.get(&format!("/accounts/{account}")).await.expect(200).json();
    (account["owner_id"].clone(), account["owner_flag"].clone())
}

on_both! {
    async fn an_account_passes_to_its_heir_and_says_so(server: &Server) {
        let scene = Scene::new(server, "heirs").await;
        let (ida, bo, eva, kai) = (
            scene.person("ida").await,
            scene.person("bo").await,
            scene.person("eva").await,
            scene.person("kai").await,
        );
        let named = owned(&scene, "Named", &ida, Some(&bo)).await;
        let shared = owned(&scene, "Shared", &ida, None).await;
        api::make(
            &scene.api,
            "/grants",
            json!({"member_id": eva, "account_id": shared, "permission": "own"}),
        )
        .await;
        let alone = owned(&scene, "Alone", &ida, None).await;
        let gone = owned(&scene, "Heir is out", &ida, Some(&kai)).await;
        let other = owned(&scene, "Other", &bo, Some(&ida)).await;
        scene.disable(&kai).await;
        scene.disable(&ida).await;
        assert_eq!(owner_of(&scene, &named).await, (json!(bo), json!("inherited")));
        assert_eq!(owner_of(&scene, &shared).await, (json!(eva), json!("inherited")));
        for orphan in [&alone, &gone] {
            assert_eq!(
                owner_of(&scene, orphan).await,
                (Value::Null, json!("orphaned")),
                "the Owners have it"
            );
        }
        assert_eq!(owner_of(&scene, &other).await, (json!(bo), Value::Null));
        assert!(scene.access(&bo).await.contains(&named), "the heir may use it");
        api::assert_no_access(&scene.api, &ida, &[&named, &shared, &alone]).await;
        let listed: Vec<String> =
            api::all(&scene.api, "/accounts").await.iter().map(|a| text(a, "/id").to_owned()).collect();
        assert_eq!(listed.len(), 5, "{listed:?}");
        // Coming back takes nothing back.
        scene.enable(&ida).await;
        assert_eq!(owner_of(&scene, &named).await.0, json!(bo));
        // When the other leaves, the one who is back but was taken off the list does not get it.
        scene.disable(&bo).await;
        assert_ne!(owner_of(&scene, &other).await.0, json!(bo));
        // A person sets an owner, and the flag is gone.
        let answer = scene.api.patch(&format!("/accounts/{alone}"), &json!({"owner_id": eva})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(owner_of(&scene, &alone).await, (json!(eva), Value::Null));
    }

    async fn heirs_who_leave_together_leave_no_account_with_a_leaver(server: &Server) {
        let scene = Scene::new(server, "together").await;
        for round in 0..4 {
            let (ida, bo) =
                (scene.person(&format!("ida{round}")).await, scene.person(&format!("bo{round}")).await);
            let first = owned(&scene, &format!("First {round}"), &ida, Some(&bo)).await;
            let second = owned(&scene, &format!("Second {round}"), &bo, Some(&ida)).await;
            let (a, b) = tokio::join!(scene.disable(&ida), scene.disable(&bo));
            assert!(a.status < 300 && b.status < 300, "{a:?} {b:?}");
            for account in [&first, &second] {
                let (owner, flag) = owner_of(&scene, account).await;
                assert_eq!((owner, flag), (Value::Null, json!("orphaned")), "{account}");
            }
        }
    }

    async fn a_person_cannot_take_out_or_demote_the_last_owner(server: &Server) {
        let scene = Scene::new(server, "last-person").await;
        let owner = scene.workspace.owner_id.clone();
        let ida = scene.person("ida").await;
        let deactivate = format!("/members/{owner}/deactivate");
        api::assert_problem(&scene.api.post(&deactivate, &json!({})).await, 409);
        api::assert_problem(
            &scene.api.patch(&format!("/members/{owner}"), &json!({"role": "admin"})).await,
            409,
        );
        assert_eq!(scene.member(&owner).await["role"], "owner");
        scene.set_role(&ida, "owner").await;
        let answer = scene.api.patch(&format!("/members/{ida}"), &json!({"role": "admin"})).await;
        assert_eq!(answer.status, 200, "of two, one may go: {answer:?}");
        api::assert_problem(&scene.api.post(&deactivate, &json!({})).await, 409);
    }

    async fn when_the_directory_takes_the_last_owner_the_successor_follows(server: &Server) {
        let scene = Scene::new(server, "successor").await;
        let (ida, bo, eva) = (scene.person("ida").await, scene.person("bo").await, scene.person("eva").await);
        scene.set_role(&bo, "super_admin").await;
        scene.set_role(&ida, "owner").await;
        scene.set_policy(json!({"successor": eva})).await;
        let as_eva = scene.token_of(server, "eva@corp.example").await;
        // The first Owner, made on the host, steps down; the directory's becomes the last.
        let as_ida = scene.token_of(server, "ida@corp.example").await;
        let owner = &scene.workspace.owner_id;
        let answer = as_ida.post(&format!("/members/{owner}/deactivate"), &json!({})).await;
        assert!(answer.status < 300, "{answer:?}");
        scene.disable(&ida).await;
        let me = as_eva.get("/me").await.expect(200).json();
        assert_eq!(me["role"], "owner", "the designated successor was promoted: {me}");
        let eva_token = scene.token_of(server, "eva@corp.example").await;
        let members = api::all(&eva_token, "/members").await;
        let role = |id: &str| members.iter().find(|m| m["id"] == id).map(|m| m["role"].clone());
        assert_eq!((role(&eva), role(&bo)), (Some(json!("owner")), Some(json!("super_admin"))));
        assert_eq!(eva_token.get("/workspace").await.expect(200).json()["state"], "active");
        // She goes as well: the Super Admin follows.
        scene.disable(&eva).await;
        let bo_token = scene.token_of(server, "bo@corp.example").await;
        assert_eq!(bo_token.get("/me").await.expect(200).json()["role"], "owner");
        // And when nobody can follow, the workspace is ownerless, until the host helps.
        scene.scim.delete(&format!("/Users/{bo}")).await.expect(204);
        let said = server.cli(&["admin", "workspace", "list", "--json"]).await;
        assert!(said.success().stdout.contains("ownerless"), "{}", said.stdout);
        let kai = scene.person("kai").await;
        let recovered =
            server.cli(&["admin", "workspace", "recover", "successor", "--owner", "kai@corp.example"]).await;
        recovered.success();
        let kai_token = scene.token_of(server, "kai@corp.example").await;
        assert_eq!(kai_token.get("/me").await.expect(200).json()["role"], "owner");
        assert_eq!(text(&kai_token.get("/me").await.expect(200).json(), "/member_id"), kai);
        assert_eq!(kai_token.get("/workspace").await.expect(200).json()["state"], "active");
    }

    async fn two_last_owners_taken_at_once_do_not_leave_past_each_other(server: &Server) {
        let scene = Scene::new(server, "race").await;
        let (ida, bo, eva) = (scene.person("ida").await, scene.person("bo").await, scene.person("eva").await);
        for id in [&ida, &bo] {
            scene.set_role(id, "owner").await;
        }
        scene.set_role(&eva, "super_admin").await;
        let as_ida = scene.token_of(server, "ida@corp.example").await;
        let as_eva = scene.token_of(server, "eva@corp.example").await;
        let answer =
            as_ida.post(&format!("/members/{}/deactivate", scene.workspace.owner_id), &json!({})).await;
        assert!(answer.status < 300, "{answer:?}");
        let (a, b) = tokio::join!(scene.disable(&ida), scene.disable(&bo));
        assert!(a.status < 300 && b.status < 300, "{a:?} {b:?}");
        assert_eq!(as_eva.get("/me").await.expect(200).json()["role"], "owner", "the Super Admin follows");
    }
}
