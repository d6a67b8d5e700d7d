//! `latchkey import` and `latchkey export`, and the same over the API.

use std::os::unix::fs::MetadataExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::support::{list, text};
use crate::utf8;

const FILE: &str =
    "name,url,username,password,note\nMail,https://mail.example,kim,canary-pw-1,a note\nbad,row\n";

on_both! {
    async fn what_another_program_exported_is_imported_once_and_leaves_only_by_the_policy(server: &Server) {
        let workspace = server.workspace("Acme").await;
        let folder = tempfile::tempdir().unwrap();
        let (file, out) = (folder.path().join("chrome.csv"), folder.path().join("out.json"));
        std::fs::write(&file, FILE).unwrap();
        let owner = workspace.owner_email.as_str();
        let import = ["import", utf8(&file), "--workspace", "Acme", "--owner", owner, "--json"];
        let preview = server.cli(&[&import[..], &["--preview"]].concat()).await.success().json();
        assert_eq!((text(&preview, "/format"), preview["new"].as_u64()), ("chrome-csv", Some(1)));
        assert_eq!(text(&preview, "/errors/0/at"), "line 3");
        let done = server.cli(&import).await;
        assert_eq!(done.success().json()["made"], 1);
        assert!(!format!("{done:?}").contains("canary"), "no value is shown");
        let again = server.cli(&import).await.success().json();
        assert_eq!((again["made"].as_u64(), again["there"].as_u64()), (Some(0), Some(1)));

        let export = ["export", "--workspace", "Acme", "--member", owner, "--out", utf8(&out)];
        let refused = server.cli(&export).await;
        assert!(refused.status != 0 && refused.stderr.contains("export"), "{refused:?}");
        assert!(!out.exists(), "nothing is left of it");
        let api = workspace.api();
        api.patch("/workspace", &json!({ "policy": { "owners_export": true } })).await.expect(200);
        let said = server.cli(&export).await;
        assert!(said.success().stderr.contains("in the clear"), "{said:?}");
        assert_eq!(std::fs::metadata(&out).unwrap().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&out).unwrap().contains("canary-pw-1"));
        assert_ne!(server.cli(&export).await.status, 0, "no file is written over");

        let exported = api.post("/exports", &json!({ "format": "csv" })).await.expect(200);
        assert_eq!(exported.headers["cache-control"], "no-store");
        assert!(text(&exported.json(), "/content").contains("canary-pw-1"));
        let body = json!({ "file_base64": STANDARD.encode(FILE), "owner_id": workspace.owner_id });
        let preview = api.post("/imports/preview", &body).await.expect(200).json();
        assert_eq!(text(&preview, "/items/0/outcome"), "there");
        let report = api.post("/imports", &body).await.expect(200).json();
        assert_eq!((list(&report, "/items").len(), list(&report, "/errors").len()), (1, 1));
        let bad = json!({ "file_base64": STANDARD.encode("canary-text"), "owner_id": workspace.owner_id });
        let refused = api.post("/imports", &bad).await.expect(400);
        assert!(!String::from_utf8_lossy(&refused.body).contains("canary"));
    }
}
