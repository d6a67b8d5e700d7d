//! What is wrong with a backup or its keys is told, and then nothing is restored.

use std::path::Path;

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::support::api;
use crate::{folder_with_keys, run, utf8};

fn refused(file: &Path, data: &Path, more: &[&str], because: &str) {
    let (done, said) = run(&[&["restore", utf8(file), "--data", utf8(data)], more].concat());
    assert!(!done && said.contains(because), "{because}: {said}");
    let left =
        data.read_dir().map(|entries| entries.flatten().map(|one| one.file_name()).collect::<Vec<_>>());
    assert!(left.unwrap_or_default().iter().all(|name| name == "keys"), "nothing is restored");
}

on_both! {
    async fn a_backup_that_is_altered_cut_or_not_ours_restores_nothing(server: &Server) {
        let workspace = server.workspace("Acme").await;
        let account = api::account(&workspace.api(), "Mail", "standard").await;
        api::secret(&workspace.api(), &account, json!({ "kind": "password", "value": "correct horse" })).await;
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("acme.lkb");
        server.cli(&["backup", "--out", utf8(&file)]).await.success();
        assert_ne!(server.cli(&["backup", "--out", utf8(&file)]).await.status, 0, "a backup is never written over");
        let whole = std::fs::read(&file).unwrap();
        let bad = out.path().join("bad.lkb");
        let folder = folder_with_keys(server.data());
        let put = |bytes: &[u8]| std::fs::write(&bad, bytes).unwrap();

        let mut altered = whole.clone();
        let at = altered.len() - 100;
        altered[at] ^= 1;
        put(&altered);
        refused(&bad, folder.path(), &[], "altered or damaged");
        // The head is in the clear, and bound to what follows.
        let text = whole.windows(9).position(|part| part == b"\"program\"").unwrap();
        let mut altered = whole.clone();
        altered[text + 11] = b'9';
        put(&altered);
        refused(&bad, folder.path(), &[], "altered or damaged");
        for length in [whole.len() - 1, whole.len() / 2, 60] {
            put(&whole[..length]);
            refused(&bad, folder.path(), &[], "ends in the middle");
        }
        put(&[&whole[..], b"x"].concat());
        refused(&bad, folder.path(), &[], "added to the end");
        put(b"a text");
        refused(&bad, folder.path(), &[], "is no backup of Latchkey");

        // No keys, another installation's, and a wrong kit.
        let empty = tempfile::tempdir().unwrap();
        refused(&file, empty.path(), &[], "there are no keys in");
        let other = tempfile::tempdir().unwrap();
        let (made, said) =
            run(&["admin", "workspace", "create", "Other", "--owner", "o@other.example", "--data", utf8(other.path())]);
        assert!(made, "{said}");
        let other = folder_with_keys(other.path());
        refused(&file, other.path(), &[], "the key of this backup does not open");
        let kit = other.path().join("keys").join("recovery-kit.txt");
        refused(&file, empty.path(), &["--recovery-kit", utf8(&kit)], "look for the kit with that number");
    }

    async fn the_recovery_kit_and_a_backup_bring_everything_back_when_the_keys_are_lost(server: &Server) {
        let workspace = server.workspace("Acme").await;
        let account = api::account(&workspace.api(), "Mail", "standard").await;
        api::secret(&workspace.api(), &account, json!({ "kind": "password", "value": "correct horse" })).await;
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("acme.lkb");
        server.cli(&["backup", "--out", utf8(&file)]).await.success();
        let kit = server.data().join("keys").join("recovery-kit.txt");
        let empty = tempfile::tempdir().unwrap();
        let data = empty.path().join("new");
        let (done, said) =
            run(&["restore", utf8(&file), "--data", utf8(&data), "--recovery-kit", utf8(&kit)]);
        assert!(done && said.contains("1 stored values open"), "{said}");
        assert!(!said.contains("DO NOT"), "{said}");
        let (sound, said) = run(&["doctor", "--data", utf8(&data)]);
        assert!(sound, "{said}");
    }
}
