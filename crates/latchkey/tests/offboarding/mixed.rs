//! What went wrong at others: each is a test here.

use std::time::Duration;

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::scene::Scene;
use crate::support::scim::{members, patch, set};
use crate::support::{api, text};

on_both! {
    async fn access_that_comes_both_directly_and_by_a_team_ends_only_with_both(server: &Server) {
        let scene = Scene::new(server, "mixed").await;
        let ida = scene.person("ida").await;
        let team = scene.group("A", &[&ida]).await;
        let ads = api::account(&scene.api, "Ads", "standard").await;
        let direct = api::grant_member(&scene.api, &ida, &ads).await;
        let by_team = api::make(
            &scene.api,
            "/grants",
            json!({"team_id": team, "account_id": ads, "permission": "manage"}),
        )
        .await;
        let permission = async || {
            let items = api::all(&scene.api, &format!("/members/{ida}/access")).await;
            items
                .iter()
                .find(|item| item["account_id"] == ads)
                .map(|item| text(item, "/permission").to_owned())
        };
        assert_eq!(permission().await.as_deref(), Some("manage"), "the highest counts");
        // Roles change while both stand.
        scene.set_role(&ida, "admin").await;
        scene.set_role(&ida, "user").await;
        assert!(scene.api.delete(&format!("/grants/{by_team}")).await.status < 300);
        assert_eq!(permission().await.as_deref(), Some("use"));
        assert!(scene.api.delete(&format!("/grants/{direct}")).await.status < 300);
        assert!(scene.access(&ida).await.is_empty());
        api::grant_team(&scene.api, &team, &ads).await;
        assert_eq!(scene.access(&ida).await, set(&[&ads]));
        scene.remove(&team, &ida).await;
        assert!(scene.access(&ida).await.is_empty());
    }

    async fn a_grant_counts_from_its_start_to_its_end_whatever_any_scheduler_does(server: &Server) {
        let scene = Scene::new(server, "ends").await;
        let ida = scene.person("ida").await;
        let ads = api::account(&scene.api, "Ads", "standard").await;
        let now = text(&scene.member(&ida).await, "/created_at").to_owned();
        let year = |change: i64| {
            let year: i64 = now[..4].parse().expect("a year");
            format!("{}{}", year + change, &now[4..])
        };
        let past = json!({"member_id": ida, "account_id": ads, "permission": "use", "ends_at": year(-1)});
        let refused = scene.api.post("/grants", &past).await;
        assert!((400..500).contains(&refused.status), "{refused:?}");
        let later = json!({"member_id": ida, "account_id": ads, "permission": "use", "starts_at": year(1)});
        scene.api.post("/grants", &later).await.expect(201);
        assert!(scene.access(&ida).await.is_empty(), "not yet");
        assert!(api::denials(&scene.api, &ida, &ads).await.contains("not_started"));
        let until = json!({"member_id": ida, "account_id": ads, "permission": "use", "ends_at": year(1)});
        let id = scene.api.post("/grants", &until).await.expect(201).id();
        assert_eq!(scene.access(&ida).await, set(&[&ads]));
        // Its end is moved to in a moment, and then it is over without anybody's doing.
        let soon =
            std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970") + Duration::from_millis(1_500);
        let soon = rfc3339(soon);
        scene.api.patch(&format!("/grants/{id}"), &json!({"ends_at": soon})).await.expect(200);
        assert_eq!(scene.access(&ida).await, set(&[&ads]));
        tokio::time::sleep(Duration::from_millis(1_700)).await;
        assert!(scene.access(&ida).await.is_empty());
        assert!(!api::allowed(&scene.api, &ida, &ads).await);
    }

    async fn a_guest_is_given_no_more_than_use_by_any_way_of_asking(server: &Server) {
        let scene = Scene::new(server, "guest").await;
        let ida = scene.person("ida").await;
        scene.set_role(&ida, "guest").await;
        let ads = api::account(&scene.api, "Ads", "standard").await;
        let grant = json!({"member_id": ida, "account_id": ads, "permission": "own"});
        let answer = scene.api.post("/grants", &grant).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let answer = scene.api.patch(&format!("/accounts/{ads}"), &json!({"owner_id": ida})).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let made = json!({"name": "Hers", "app": "x", "sensitivity": "standard", "owner_id": ida});
        let answer = scene.api.post("/accounts", &made).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let as_guest = scene.token_of(server, "ida@corp.example").await;
        for path in ["/members", "/accounts", "/audit", "/scim-tokens", "/offboardings", "/flights"] {
            as_guest.get(path).await.expect(403);
        }
        let answer = as_guest
            .post("/grants", &json!({"member_id": ida, "account_id": ads, "permission": "use"}))
            .await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }

    async fn nobody_raises_themselves_or_touches_who_stands_above(server: &Server) {
        let scene = Scene::new(server, "roles").await;
        let (ida, bo) = (scene.person("ida").await, scene.person("bo").await);
        scene.set_role(&ida, "admin").await;
        let as_admin = scene.token_of(server, "ida@corp.example").await;
        for (id, role) in
            [(&ida, "owner"), (&ida, "super_admin"), (&bo, "owner"), (&scene.workspace.owner_id, "user")]
        {
            let answer = as_admin.patch(&format!("/members/{id}"), &json!({"role": role})).await;
            assert_eq!(answer.status, 403, "{id} to {role}: {answer:?}");
        }
        let answer =
            as_admin.post(&format!("/members/{}/deactivate", scene.workspace.owner_id), &json!({})).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }

    async fn a_group_swap_in_one_cycle_keeps_the_access_that_both_give(server: &Server) {
        let scene = Scene::new(server, "swap").await;
        let ida = scene.person("ida").await;
        let (old, new) = (scene.group("Old", &[&ida]).await, scene.group("New", &[]).await);
        let ads = api::account(&scene.api, "Ads", "privileged").await;
        api::grant_team(&scene.api, &old, &ads).await;
        api::grant_team(&scene.api, &new, &ads).await;
        scene.add(&new, &ida).await;
        scene.remove(&old, &ida).await;
        assert_eq!(scene.access(&ida).await, set(&[&ads]));
        assert!(api::all(&scene.api, "/offboardings").await.is_empty(), "a change of team is no leaving");
        scene.scim.delete(&format!("/Groups/{new}")).await.expect(204);
        assert!(scene.access(&ida).await.is_empty(), "a deleted team gives nothing");
    }

    async fn membership_patches_at_the_same_time_lose_nobody(server: &Server) {
        let scene = Scene::new(server, "concurrent").await;
        let mut people = Vec::new();
        for at in 0..24 {
            people.push(scene.person(&format!("p{at}")).await);
        }
        let (stay, come): (Vec<_>, Vec<_>) = people.iter().enumerate().partition(|(at, _)| at % 2 == 0);
        let first: Vec<&str> = stay.iter().map(|(_, id)| id.as_str()).collect();
        let team = scene.group("A", &first).await;
        // At once: twelve come, six of the first go, the group is renamed, somebody is disabled.
        let mut writes = Vec::new();
        let mut send = |path: String, operation: serde_json::Value| {
            let scim = scene.scim.clone();
            writes.push(tokio::spawn(async move { scim.patch(&path, &patch(operation)).await }));
        };
        for (_, id) in &come {
            send(
                format!("/Groups/{team}"),
                json!({"op": "Add", "path": "members", "value": [{"value": id}]}),
            );
        }
        for id in &first[..6] {
            send(
                format!("/Groups/{team}"),
                json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}),
            );
        }
        send(format!("/Groups/{team}"), json!({"op": "replace", "path": "displayName", "value": "B"}));
        send(format!("/Users/{}", first[11]), json!({"op": "replace", "path": "active", "value": false}));
        for write in writes {
            let answer = write.await.expect("a request does not panic");
            assert!(matches!(answer.status, 200 | 204), "{answer:?}");
        }
        let wanted: Vec<&str> =
            come.iter().map(|(_, id)| id.as_str()).chain(first[6..].iter().copied()).collect();
        assert_eq!(members(&scene.scim, &team).await, set(&wanted));
        let group = scene.scim.get(&format!("/Groups/{team}")).await.expect(200).json();
        assert_eq!(group["displayName"], "B");
    }

    async fn a_grant_decided_before_a_leaving_never_lands_after_it(server: &Server) {
        let scene = Scene::new(server, "late-grant").await;
        let ads = api::account(&scene.api, "Ads", "standard").await;
        for round in 0..8 {
            let ida = scene.person(&format!("ida{round}")).await;
            let body = json!({"member_id": ida, "account_id": ads, "permission": "use"});
            let grants: Vec<_> = (0..4)
                .map(|_| {
                    let (api, body) = (scene.api.clone(), body.clone());
                    tokio::spawn(async move { api.post("/grants", &body).await.status })
                })
                .collect();
            scene.disable(&ida).await;
            for grant in grants {
                let status = grant.await.expect("a request does not panic");
                assert!(matches!(status, 201 | 409), "{status}");
            }
            assert!(
                api::all(&scene.api, &format!("/grants?member={ida}")).await.is_empty(),
                "A2, in round {round}"
            );
            scene.enable(&ida).await;
            assert!(scene.access(&ida).await.is_empty(), "A3, in round {round}");
        }
    }
}

/// An instant as the API writes it.
fn rfc3339(since_1970: Duration) -> String {
    let (days, second) = (since_1970.as_secs() / 86_400, since_1970.as_secs() % 86_400);
    // Days to a civil date (Howard Hinnant's algorithm, for dates after 1970).
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        since_1970.subsec_millis()
    )
}
