//! The drill: data is made over the API, a backup is taken while others write, and everything is
//! found on the other side, on both databases.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use latchkey_testkit::postgres::Database;
use latchkey_testkit::{Client, Server, on_both};
use serde_json::{Value, json};

use crate::support::scim::{create, user};
use crate::support::{api, list, text};
use crate::{BINARY, folder_with_keys, run, utf8};

/// What is compared: what the API answers to these, but for what goes on by itself.
async fn state(api: &Client, secret: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/members?limit=200", "/teams", "/accounts", "/collections", "/scim-tokens"] {
        let mut answer = api.get(path).await.expect(200).json();
        // A token's last use is the backup's neighbour's.
        list(&answer.clone(), "/items").iter().enumerate().for_each(|(at, _)| {
            if let Some(item) = answer["items"][at].as_object_mut() {
                item.remove("last_used_at");
                item.remove("use");
                item.remove("last_use");
            }
        });
        all.push(answer);
    }
    let shown = api.post(&format!("{secret}/reveal"), &json!({})).await.expect(200).json();
    assert_eq!(text(&shown, "/value"), "correct horse");
    all
}

async fn check(server: &Server, token: &Client, before: &[Value], secret: &str) {
    let after = state(token, secret).await;
    let names = |value: &Value| -> BTreeSet<String> {
        list(value, "/items").iter().map(|item| text(item, "/id").to_owned()).collect()
    };
    // Members were being added while the backup was taken; all of before are there.
    assert!(names(&after[0]).is_superset(&names(&before[0])), "members");
    assert_eq!(after[1..4], before[1..4]);
    assert_eq!(names(&after[4]), names(&before[4]));
    server.cli(&["audit", "verify"]).await.success();
    server.cli(&["doctor"]).await.success();
}

on_both! {
    async fn a_backup_under_load_restores_on_either_database_with_all_that_it_had(server: &Server) {
        let workspace = server.workspace("Acme").await;
        let (scim, token) = (workspace.scim(), workspace.api());
        let ana = create(&scim, "/Users", &user("ana@acme.example", json!({}))).await;
        let team = api::make(&token, "/teams", json!({ "display_name": "Ops" })).await;
        token.put(&format!("/teams/{team}/members/{}", text(&ana, "/id")), &json!({})).await;
        let account = api::account(&token, "Mail", "privileged").await;
        api::grant_member(&token, text(&ana, "/id"), &account).await;
        let secret = api::secret(&token, &account, json!({ "kind": "password", "value": "correct horse" })).await;
        let secret = format!("/accounts/{account}/secrets/{secret}");
        let before = state(&token, &secret).await;

        let going = Arc::new(AtomicBool::new(true));
        let load = {
            let (scim, going) = (scim.clone(), Arc::clone(&going));
            tokio::spawn(async move {
                let mut count = 0;
                while going.load(Ordering::Relaxed) {
                    create(&scim, "/Users", &user(&format!("load{count}@acme.example"), json!({}))).await;
                    count += 1;
                }
                count
            })
        };
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("acme.lkb");
        // Each reads what the others write.
        for _ in 0..2 {
            let _ = std::fs::remove_file(&file);
            let taken = server.cli(&["backup", "--out", utf8(&file), "--json"]).await;
            assert!(taken.success().json()["rows"].as_u64() > Some(20), "{taken:?}");
        }
        going.store(false, Ordering::Relaxed);
        assert!(load.await.unwrap() > 0, "there was load");
        {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        }
        let bytes = std::fs::read(&file).unwrap();
        for plain in [&b"correct horse"[..], b"ana@acme", b"Mail"] {
            assert!(!bytes.windows(plain.len()).any(|part| part == plain), "all of it is sealed");
        }

        let folder = folder_with_keys(server.data());
        let (sound, said) = run(&["restore", utf8(&file), "--data", utf8(folder.path()), "--verify-only"]);
        assert!(sound, "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a drill leaves nothing");
        let (done, said) = run(&["restore", utf8(&file), "--data", utf8(folder.path())]);
        assert!(done && said.contains("audit log whole"), "{said}");
        let restored = Server::start_on_data(folder, None, BINARY).await;
        let there = restored.client().with_prefix("/v1/api").with_token(&workspace.api_token);
        check(&restored, &there, &before, &secret).await;

        let folder = folder_with_keys(server.data());
        let database = Database::create().await;
        let (done, said) =
            run(&["restore", utf8(&file), "--data", utf8(folder.path()), "--database-url", database.url()]);
        assert!(done && said.contains("audit log whole"), "{said}");
        let (again, said) =
            run(&["restore", utf8(&file), "--data", utf8(folder.path()), "--database-url", database.url()]);
        assert!(!again && said.contains("not empty"), "{said}");
        let restored = Server::start_on_data(folder, Some(database), BINARY).await;
        let there = restored.client().with_prefix("/v1/api").with_token(&workspace.api_token);
        check(&restored, &there, &before, &secret).await;
        // And it goes on from there: the directory's token works, and what it writes is kept.
        let scim = restored.client().with_prefix("/v1/scim/v2").with_token(&workspace.scim_token);
        create(&scim.with_media_type("application/scim+json"), "/Users", &user("new@acme.example", json!({}))).await;
    }
}
