//! The safeguard on mass removal: access is cut all the same, and rotations wait for a word.

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::scene::Scene;
use crate::support::api;
use crate::support::text;

on_both! {
    async fn a_wave_of_leavers_is_cut_at_once_and_its_rotations_wait(server: &Server) {
        let scene = Scene::new(server, "wave").await;
        scene.set_policy(json!({"safeguard": {"minimum": 3, "percent": 10}})).await;
        let bank = api::account(&scene.api, "Bank", "privileged").await;
        let root = api::account(&scene.api, "Root", "critical").await;
        let mut people = Vec::new();
        for at in 0..6 {
            let id = scene.person(&format!("p{at}")).await;
            api::grant_member(&scene.api, &id, &bank).await;
            api::grant_member(&scene.api, &id, &root).await;
            people.push(id);
        }
        for id in &people[..5] {
            scene.disable(id).await;
            api::assert_no_access(&scene.api, id, &[&bank, &root]).await;
        }
        for id in &people[..3] {
            let case = api::case_of(&scene.api, id).await;
            assert_eq!(case["state"], "open", "{case}");
            assert_eq!(api::rotations(&scene.api, &case, "ready").await.len(), 2);
        }
        for id in &people[3..5] {
            let case = api::case_of(&scene.api, id).await;
            assert_eq!(case["state"], "held", "{case}");
            assert_eq!(api::rotations(&scene.api, &case, "held").await, [bank.as_str()]);
            assert_eq!(
                api::rotations(&scene.api, &case, "ready").await,
                [root.as_str()],
                "critical does not wait"
            );
        }
        assert_eq!(api::all(&scene.api, "/offboardings?state=held").await.len(), 2);
        let notices = api::all(&scene.api, "/outbox?kind=notice").await;
        assert_eq!(
            notices.iter().filter(|n| n.to_string().contains("held")).count(),
            1,
            "one notice a wave: {notices:?}"
        );

        // A person lets one go, and calls the other off.
        let first = api::case_of(&scene.api, &people[3]).await;
        let release = format!("/offboardings/{}/release", text(&first, "/id"));
        let answer = scene.api.post(&release, &json!({})).await;
        assert!(answer.status < 300, "{answer:?}");
        let mut both = vec![bank.clone(), root.clone()];
        both.sort();
        assert_eq!(api::rotations(&scene.api, &first, "ready").await, both);
        assert_eq!(api::case_of(&scene.api, &people[3]).await["state"], "open");
        let again = scene.api.post(&release, &json!({})).await;
        assert!((400..500).contains(&again.status), "{again:?}");
        let second = api::case_of(&scene.api, &people[4]).await;
        let cancel = format!("/offboardings/{}/cancel-rotations", text(&second, "/id"));
        let answer = scene.api.post(&cancel, &json!({"reason": "the directory's filter was wrong"})).await;
        assert!(answer.status < 300, "{answer:?}");
        assert!(api::rotations(&scene.api, &second, "held").await.is_empty());
        api::assert_no_access(&scene.api, &people[4], &[&bank, &root]).await;
        assert_eq!(scene.access(&people[5]).await.len(), 2, "who stayed is untouched");
    }

    async fn leavers_at_the_same_time_do_not_slip_past_the_safeguard(server: &Server) {
        let scene = Scene::new(server, "at-once").await;
        scene.set_policy(json!({"safeguard": {"minimum": 2, "percent": 0}})).await;
        let bank = api::account(&scene.api, "Bank", "privileged").await;
        let mut people = Vec::new();
        for at in 0..12 {
            let id = scene.person(&format!("p{at}")).await;
            api::grant_member(&scene.api, &id, &bank).await;
            people.push(id);
        }
        let writes: Vec<_> = people
            .iter()
            .map(|id| {
                let (scim, id) = (scene.scim.clone(), id.clone());
                tokio::spawn(async move { crate::support::scim::set_active(&scim, &id, false).await })
            })
            .collect();
        for write in writes {
            write.await.expect("a disable succeeds");
        }
        for id in &people {
            api::assert_no_access(&scene.api, id, &[&bank]).await;
        }
        let held = api::all(&scene.api, "/offboardings?state=held").await.len();
        // Those under way together may not see each other; what must not be is that all pass.
        assert!(held >= 4, "{held} of 12 held with a safeguard of 2");
    }
}
