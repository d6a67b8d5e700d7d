//! A leaver's password, from the directory's word to the closed case.

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::support::scim::{set_active, user_id};
use crate::support::{api, list, text};
use crate::target::{Held, Target};

on_both! {
    async fn a_disabled_persons_password_is_changed_refused_and_the_case_closes(server: &Server) {
        let target = Target::start().await;
        let workspace = server.workspace("leaver").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let connector = target.connector(&api, target.address().port()).await;
        let held = Held::make(&target, &workspace, &connector, "app_role").await;
        assert!(target.lets_in("app_role", &held.old).await);
        let ida = user_id(&scim, "ida@corp.example").await;
        api::grant_member(&api, &ida, &held.account).await;
        set_active(&scim, &ida, false).await;
        let case = api::closed_case_of(&api, &ida).await;
        assert_eq!(case["state"], "complete", "{case}");
        assert!(case["summary"]["time_to_safe_ms"].as_u64().is_some(), "{case}");
        let new = held.vaulted(server, &workspace).await;
        assert_ne!(new, held.old);
        assert!(target.lets_in("app_role", &new).await, "the new one works");
        assert!(!target.lets_in("app_role", &held.old).await, "the old one is refused");
        let rotation = &api::all(&api, &format!("/rotations?account_id={}", held.account)).await[0];
        assert!(!text(rotation, "/old_refused_at").is_empty(), "{rotation}");
        for (place, told) in [("the target's log", target.log()), ("our log", server.log())] {
            assert!(!told.contains(&new), "{place} holds the new password");
        }
        let steps = api.get(&format!("/rotations/{}", text(rotation, "/id"))).await.expect(200).json();
        let acts: Vec<_> = list(&steps, "/steps").iter().map(|step| text(step, "/act")).collect();
        assert_eq!(acts, ["stage", "change", "login", "commit", "end_sessions", "login"], "{steps}");
        // The commands of somebody with a shell on the host.
        let name = ["--workspace", "leaver", "--json"];
        let dry = server.cli(&[&["rotate", "app_role", "--dry-run"], &name[..]].concat()).await;
        assert_eq!(dry.success().json()["changed"], json!(false));
        assert!(target.lets_in("app_role", &new).await, "a dry run changes nothing");
        let rotated = server.cli(&[&["rotate", "app_role"], &name[..]].concat()).await;
        assert_eq!(rotated.success().json()["state"], json!("done"));
        let newest = held.vaulted(server, &workspace).await;
        assert!(newest != new && target.lets_in("app_role", &newest).await);
        let listed = server.cli(&[&["connector", "list"], &name[..]].concat()).await;
        assert_eq!(text(&listed.success().json(), "/0/kind"), "postgres");
    }
}
