//! Coming back, case by case: after each sequence, what the member may use, and what the
//! directory reads of their groups.

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::scene::Scene;
use crate::support::api;
use crate::support::scim::{create, found_ids, patch, set, user};
use crate::support::{list, text};

on_both! {
    async fn r1_disabled_and_enabled_is_in_without_access_and_a_review_is_open(server: &Server) {
        let scene = Scene::new(server, "r1").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let (direct, shared) = (
            api::account(&scene.api, "Bank", "standard").await,
            api::account(&scene.api, "Ads", "standard").await,
        );
        api::grant_member(&scene.api, &ida, &direct).await;
        api::grant_team(&scene.api, &team, &shared).await;
        assert_eq!(scene.access(&ida).await, set(&[&direct, &shared]));
        let before = scene.member(&ida).await["access_epoch"].as_i64();
        scene.disable(&ida).await;
        scene.enable(&ida).await;
        api::assert_no_access(&scene.api, &ida, &[&direct, &shared]).await;
        assert!(scene.is_waiting_for_review(&ida).await);
        assert!(scene.listed(&team, &ida).await, "the directory's word stands");
        assert_eq!(scene.member(&ida).await["state"], "active");
        assert_eq!(scene.member(&ida).await["access_epoch"].as_i64(), before.map(|epoch| epoch + 1));
        let why = api::denials(&scene.api, &ida, &shared).await;
        assert!(why.contains("membership_not_confirmed"), "dormant, and said so: {why:?}");
        let grants = api::all(&scene.api, &format!("/grants?member={ida}")).await;
        assert!(grants.is_empty(), "direct grants are gone for good: {grants:?}");
    }

    async fn r2_the_review_confirms_one_team_and_the_other_stays_dormant(server: &Server) {
        let scene = Scene::new(server, "r2").await;
        let ida = scene.person("ida").await;
        let (a, b) = (scene.group("A", &[&ida]).await, scene.group("B", &[&ida]).await);
        let (of_a, of_b) = (
            api::account(&scene.api, "Of A", "standard").await,
            api::account(&scene.api, "Of B", "standard").await,
        );
        api::grant_team(&scene.api, &a, &of_a).await;
        api::grant_team(&scene.api, &b, &of_b).await;
        scene.disable(&ida).await;
        scene.enable(&ida).await;
        let review = scene.api.get(&format!("/members/{ida}/review")).await.expect(200).json();
        assert_eq!(list(&review, "/teams").len(), 2, "{review}");
        let answer = scene.review(&ida, json!({"grants": [], "teams": [a], "reason": "her team"})).await;
        assert!(answer.status < 300, "{answer:?}");
        assert_eq!(scene.access(&ida).await, set(&[&of_a]));
        assert!(scene.listed(&a, &ida).await && scene.listed(&b, &ida).await);
        assert!(!scene.is_waiting_for_review(&ida).await);
        let again = scene.review(&ida, json!({"grants": "all", "teams": "all", "reason": "again"})).await;
        assert!((400..500).contains(&again.status), "a closed review gives nothing more: {again:?}");
        assert_eq!(scene.access(&ida).await, set(&[&of_a]));
    }

    async fn r3_removed_from_the_group_while_out_nothing_is_dormant(server: &Server) {
        let scene = Scene::new(server, "r3").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let shared = api::account(&scene.api, "Ads", "standard").await;
        api::grant_team(&scene.api, &team, &shared).await;
        scene.disable(&ida).await;
        scene.remove(&team, &ida).await;
        scene.enable(&ida).await;
        api::assert_no_access(&scene.api, &ida, &[&shared]).await;
        assert!(!scene.listed(&team, &ida).await);
        assert!(
            api::all(&scene.api, &format!("/members/{ida}/access")).await.is_empty(),
            "nothing leads there"
        );
        let answer = scene.review(&ida, json!({"grants": "all", "teams": "all", "reason": "back"})).await;
        assert!(answer.status < 500, "{answer:?}");
        assert!(scene.access(&ida).await.is_empty(), "a review gives no team that the directory took");
    }

    async fn r4_restored_and_then_added_again_is_dormant(server: &Server) {
        let scene = Scene::new(server, "r4").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let shared = api::account(&scene.api, "Ads", "standard").await;
        api::grant_team(&scene.api, &team, &shared).await;
        scene.disable(&ida).await;
        scene.enable(&ida).await;
        scene.add(&team, &ida).await;
        api::assert_no_access(&scene.api, &ida, &[&shared]).await;
        // Neither does taking out and putting in again wake it.
        scene.remove(&team, &ida).await;
        scene.add(&team, &ida).await;
        api::assert_no_access(&scene.api, &ida, &[&shared]).await;
        assert!(scene.listed(&team, &ida).await);
    }

    async fn r5_deleted_and_made_again_as_the_same_person_continues_where_they_left(server: &Server) {
        let scene = Scene::new(server, "r5").await;
        let body = user("ida@corp.example", json!({"externalId": "object-1"}));
        let old = text(&create(&scene.scim, "/Users", &body).await, "/id").to_owned();
        let team = scene.group("A", &[&old]).await;
        let shared = api::account(&scene.api, "Ads", "standard").await;
        api::grant_team(&scene.api, &team, &shared).await;
        scene.disable(&old).await;
        scene.scim.delete(&format!("/Users/{old}")).await.expect(204);
        let new = text(&create(&scene.scim, "/Users", &body).await, "/id").to_owned();
        assert_ne!(old, new, "an id is never used again");
        assert!(!scene.listed(&team, &new).await);
        scene.add(&team, &new).await;
        api::assert_no_access(&scene.api, &new, &[&shared]).await;
        let member = scene.member(&new).await;
        assert!(member["access_epoch"].as_i64() > Some(1), "the epoch continues: {member}");
        assert!(scene.listed(&team, &new).await);
        assert!(scene.is_waiting_for_review(&new).await);
        let answer =
            scene.review(&new, json!({"grants": "all", "teams": "all", "reason": "hired again"})).await;
        assert!(answer.status < 300, "{answer:?}");
        assert_eq!(scene.access(&new).await, set(&[&shared]));
    }

    async fn r6_another_person_under_an_old_name_inherits_nothing(server: &Server) {
        let scene = Scene::new(server, "r6").await;
        let body = |object: &str| user("ida@corp.example", json!({"externalId": object}));
        let old = text(&create(&scene.scim, "/Users", &body("object-1")).await, "/id").to_owned();
        let bank = api::account(&scene.api, "Bank", "standard").await;
        let shared = api::account(&scene.api, "Ads", "standard").await;
        let team = scene.group("A", &[&old]).await;
        api::grant_member(&scene.api, &old, &bank).await;
        api::grant_team(&scene.api, &team, &shared).await;
        scene.scim.delete(&format!("/Users/{old}")).await.expect(204);
        let new = text(&create(&scene.scim, "/Users", &body("object-2")).await, "/id").to_owned();
        assert_eq!(scene.member(&new).await["access_epoch"], json!(1));
        assert!(scene.access(&new).await.is_empty());
        assert!(!scene.is_waiting_for_review(&new).await, "a first provision is no return");
        scene.add(&team, &new).await;
        assert_eq!(scene.access(&new).await, set(&[&shared]), "and a team counts at once");
        let filter = "userName eq \"ida@corp.example\"";
        assert_eq!(found_ids(&scene.scim, "/Users", filter).await, [new]);
    }

    async fn r7_a_mistake_is_undone_with_a_reason_and_its_rotations_are_called_off(server: &Server) {
        let scene = Scene::new(server, "r7").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let (bank, ads) = (
            api::account(&scene.api, "Bank", "privileged").await,
            api::account(&scene.api, "Ads", "privileged").await,
        );
        api::grant_member(&scene.api, &ida, &bank).await;
        api::grant_team(&scene.api, &team, &ads).await;
        scene.disable(&ida).await;
        let case = api::case_of(&scene.api, &ida).await;
        assert_eq!(api::rotations(&scene.api, &case, "ready").await.len(), 2);
        scene.enable(&ida).await;
        let path = format!("/offboardings/{}/cancel-rotations", text(&case, "/id"));
        let answer = scene.api.post(&path, &json!({"reason": "wrong person"})).await;
        assert!(answer.status < 300, "{answer:?}");
        let answer =
            scene.review(&ida, json!({"grants": "all", "teams": "all", "reason": "wrong person"})).await;
        assert!(answer.status < 300, "{answer:?}");
        assert_eq!(scene.access(&ida).await, set(&[&bank, &ads]));
        assert!(api::rotations(&scene.api, &case, "ready").await.is_empty());
        assert_eq!(api::rotations(&scene.api, &case, "cancelled").await.len(), 2);
        assert!(scene.listed(&team, &ida).await);
        let grants = api::all(&scene.api, &format!("/grants?member={ida}")).await;
        assert_eq!(text(&grants[0], "/reason"), "wrong person", "{grants:?}");
        let audit = api::audit_of(&scene.api, &ida).await;
        assert!(audit.iter().any(|record| record.to_string().contains("wrong person")), "{audit:?}");
        let twice = scene.api.post(&path, &json!({"reason": "again"})).await;
        assert!((400..500).contains(&twice.status), "{twice:?}");
    }

    async fn an_offboarding_is_undone_by_chosen_grants_and_the_rest_later(server: &Server) {
        let scene = Scene::new(server, "undo").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let (bank, ads, blog) = (
            api::account(&scene.api, "Bank", "privileged").await,
            api::account(&scene.api, "Ads", "privileged").await,
            api::account(&scene.api, "Blog", "standard").await,
        );
        api::grant_member(&scene.api, &ida, &bank).await;
        api::grant_member(&scene.api, &ida, &blog).await;
        api::grant_team(&scene.api, &team, &ads).await;
        scene.disable(&ida).await;
        let case = api::case_of(&scene.api, &ida).await;
        scene.enable(&ida).await;
        let review = scene.api.get(&format!("/members/{ida}/review")).await.expect(200).json();
        assert!(text(&review, "/undo_until") > text(&review, "/left_at"), "{review}");
        let removed = list(&review, "/grants");
        let of_blog = removed.iter().find(|grant| text(grant, "/account_id") == blog).expect("it is offered");
        let path = format!("/members/{ida}/undo-offboarding");
        let chosen = json!({"reason": "wrong person", "grants": [text(of_blog, "/id")]});
        scene.api.post(&path, &chosen).await.expect(200);
        assert_eq!(scene.access(&ida).await, set(&[&blog]));
        assert_eq!(api::rotations(&scene.api, &case, "ready").await.len(), 2, "what she knew still changes");
        assert!(!scene.is_waiting_for_review(&ida).await);
        let unknown = json!({"reason": "x", "grants": [crate::support::NEVER]});
        assert_eq!(scene.api.post(&path, &unknown).await.status, 409);
        let rest = json!({"reason": "wrong person", "grants": "all", "teams": "all"});
        scene.api.post(&path, &rest).await.expect(200);
        assert_eq!(scene.access(&ida).await, set(&[&bank, &ads, &blog]));
        let grants = api::all(&scene.api, &format!("/grants?member={ida}")).await;
        assert_eq!(grants.len(), 2, "none is given twice: {grants:?}");
        assert!(api::rotations(&scene.api, &case, "ready").await.is_empty(), "all of it was a mistake");
        let audit = api::audit_of(&scene.api, text(&case, "/id")).await;
        let undone = audit.iter().filter(|record| record["action"] == "offboarding.undone").count();
        assert_eq!(undone, 2, "{audit:?}");
    }

    async fn r8_two_disables_at_once_are_one_leaving(server: &Server) {
        let scene = Scene::new(server, "r8").await;
        for round in 0..4 {
            let ida = scene.person(&format!("ida{round}")).await;
            let bank = api::account(&scene.api, &format!("Bank {round}"), "privileged").await;
            api::grant_member(&scene.api, &ida, &bank).await;
            let body = patch(json!({"op": "Replace", "path": "active", "value": "False"}));
            let writes: Vec<_> = (0..8)
                .map(|_| {
                    let (scim, path, body) = (scene.scim.clone(), format!("/Users/{ida}"), body.clone());
                    tokio::spawn(async move { scim.patch(&path, &body).await })
                })
                .collect();
            for write in writes {
                let answer = write.await.expect("a request does not panic");
                assert!(matches!(answer.status, 200 | 204), "{answer:?}");
            }
            let case = api::case_of(&scene.api, &ida).await;
            assert_eq!(api::rotations(&scene.api, &case, "ready").await, [bank]);
            let out: Vec<_> = api::audit_of(&scene.api, &ida)
                .await
                .into_iter()
                .filter(|record| record["action"] == "member.disabled")
                .collect();
            assert_eq!(out.len(), 1, "one record of one leaving: {out:?}");
            // And once more, later, is no event at all.
            let now = async || (scene.member(&ida).await, api::audit_of_requests(&scene.api).await.len());
            let before = now().await;
            scene.disable(&ida).await;
            assert_eq!(now().await, before);
        }
    }

    async fn r9_added_to_a_group_while_out_is_listed_without_access(server: &Server) {
        let scene = Scene::new(server, "r9").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[]).await;
        let shared = api::account(&scene.api, "Ads", "standard").await;
        api::grant_team(&scene.api, &team, &shared).await;
        scene.disable(&ida).await;
        scene.add(&team, &ida).await;
        assert!(scene.listed(&team, &ida).await);
        api::assert_no_access(&scene.api, &ida, &[&shared]).await;
        scene.enable(&ida).await;
        api::assert_no_access(&scene.api, &ida, &[&shared]).await;
    }

    async fn r10_where_the_directory_is_trusted_teams_count_again_and_direct_grants_do_not(server: &Server) {
        let scene = Scene::new(server, "r10").await;
        scene.set_policy(json!({"reactivation": "restore"})).await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let (bank, ads) = (
            api::account(&scene.api, "Bank", "standard").await,
            api::account(&scene.api, "Ads", "standard").await,
        );
        api::grant_member(&scene.api, &ida, &bank).await;
        api::grant_team(&scene.api, &team, &ads).await;
        scene.disable(&ida).await;
        api::assert_no_access(&scene.api, &ida, &[&bank, &ads]).await;
        scene.enable(&ida).await;
        assert_eq!(scene.access(&ida).await, set(&[&ads]));
        assert!(scene.listed(&team, &ida).await);
    }

    async fn r11_nothing_is_granted_to_who_is_out(server: &Server) {
        let scene = Scene::new(server, "r11").await;
        let ida = scene.person("ida").await;
        let bank = api::account(&scene.api, "Bank", "standard").await;
        scene.disable(&ida).await;
        let body = json!({"member_id": ida, "account_id": bank, "permission": "use"});
        api::assert_problem(&scene.api.post("/grants", &body).await, 409);
        scene.enable(&ida).await;
        assert!(scene.access(&ida).await.is_empty());
        scene.api.post("/grants", &body).await.expect(201);
        assert_eq!(scene.access(&ida).await, set(&[&bank]), "given anew, it counts");
    }

    async fn r12_a_put_without_active_changes_no_state(server: &Server) {
        let scene = Scene::new(server, "r12").await;
        let ida = scene.person("ida").await;
        let bank = api::account(&scene.api, "Bank", "standard").await;
        api::grant_member(&scene.api, &ida, &bank).await;
        let mut body = user("ida@corp.example", json!({"title": "Nurse"}));
        body.as_object_mut().map(|body| body.remove("active"));
        scene.scim.put(&format!("/Users/{ida}"), &body).await.expect(200);
        assert_eq!(scene.access(&ida).await, set(&[&bank]));
        scene.disable(&ida).await;
        body["title"] = json!("Chief");
        let put = scene.scim.put(&format!("/Users/{ida}"), &body).await.expect(200).json();
        assert_eq!(put["active"], json!(false));
        assert_eq!(scene.member(&ida).await["state"], "inactive");
        assert_eq!(api::cases_of(&scene.api, &ida).await.len(), 1);
    }
}
