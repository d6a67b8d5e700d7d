//! What cannot be reached, is refused or fails: the code, the words, and what is remembered.

use crate::claims;
use crate::company::Company;
use crate::place::{Place, Said};

/// A title that the target does not take, so often.
const REFUSED: &str = "long";
const REFUSED_TIMES: usize = 128 << 10;

/// The quarantine's words, once the cycle ended with 3.
fn quarantine(said: &Said) -> String {
    let finished = said.ends(3).finished();
    finished["quarantine"]["message"].as_str().unwrap_or_default().to_owned()
}

claims! {
    async fn an_object_that_fails_holds_up_nobody_and_is_tried_again() {
        let mut company = Company::of(4);
        company.person(4).title = REFUSED.repeat(REFUSED_TIMES);
        let place = Place::with(&company).await;
        let said = place.cycle(&company, 2).await;
        assert_eq!((said.count("failed"), said.count("created")), (1, 4));
        let failed = said.lines().into_iter().find(|line| line["status"] == "failure").expect("it is told");
        assert!(failed["message"].as_str().is_some_and(|words| words.contains("title")), "{failed}");
        assert_eq!(place.people().await.len(), 3);
        assert_eq!(place.groups().await["Everybody"], 3);
        let words = place.say(&["status", "provision.toml"]).await;
        assert!(words.ends(0).stdout.contains("failed and tried again: 1 objects"), "{words:?}");
        // Also when nothing else changed: it is still out of step.
        place.cycle(&company, 2).await;
        company.person(4).title = "Engineer".to_owned();
        assert_eq!(place.cycle(&company, 0).await.count("created"), 1);
        assert_eq!(place.groups().await["Everybody"], 4);
    }

    async fn two_objects_of_one_name_are_never_taken_for_one() {
        let mut company = Company::of(2);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        company.groups.insert(2, ("Everybody".to_owned(), vec![1]));
        let said = place.cycle(&company, 2).await;
        let failed = said.lines().into_iter().find(|line| line["status"] == "failure").expect("it is told");
        assert_eq!(failed["code"], "DuplicateSourceEntries");
        assert_eq!(place.groups().await, [("Everybody".to_owned(), 2)].into());
        company.groups.remove(&2);
        place.cycle(&company, 0).await;
        assert_eq!(place.groups().await, [("Everybody".to_owned(), 2)].into());
    }

    async fn a_wrong_token_is_quarantine_with_words_until_it_is_right() {
        let company = Company::of(2);
        let place = Place::with(&company).await;
        place.write("wrong.txt", "not-the-token\n");
        let said = place.json("run", &["--target-token-file", "wrong.txt"]).await;
        let words = quarantine(&said);
        assert!(words.contains("401") || words.contains("token"), "{words}");
        assert!(!said.stdout.contains("not-the-token"), "the token is told to nobody");
        let status = place.say(&["status", "provision.toml"]).await;
        assert!(status.ends(0).stdout.contains("in quarantine"), "{status:?}");
        let test = place.json("test-connection", &["--target-token-file", "wrong.txt"]).await;
        assert_eq!(test.ends(1).answer()["ok"], false);
        assert_eq!(place.json("test-connection", &[]).await.ends(0).answer()["ok"], true);
        let right = place.cycle(&company, 0).await;
        assert!(right.finished()["quarantine"].is_null());
        assert_eq!(place.people().await.len(), 2);
    }

    async fn a_wrong_base_url_is_quarantine_with_words() {
        let place = Place::with(&Company::of(2)).await;
        let url = format!("{}/v1/scim/v3", place.server.url());
        let words = quarantine(&place.json("run", &["--target-url", &url]).await);
        assert!(words.contains("404"), "{words}");
        let said = place.json("run", &["--target-url", "nowhere"]).await;
        said.ends(1).complains(&["the target's URL \"nowhere\" is none"]);
    }

    async fn nothing_listening_is_quarantine_and_after_it_the_job_goes_on() {
        let company = Company::of(2);
        let mut place = Place::with(&company).await;
        place.server.stop().await;
        let said = place.json("run", &[]).await;
        let words = quarantine(&said);
        assert!(words.contains("nobody answers at 127.0.0.1"), "{words}");
        assert_eq!(said.finished()["quarantine"]["reason"], "EncounteredQuarantineException");
        let test = place.say(&["test-connection", "provision.toml"]).await;
        assert!(test.ends(1).stdout.contains("FAIL target"), "{test:?}");
        place.server.restart().await;
        let url = place.workspace.scim_url();
        assert_eq!(place.json("run", &["--target-url", &url]).await.ends(0).count("created"), 3);
    }

    async fn secrets_that_cannot_be_read_are_named() {
        let place = Place::with(&Company::of(2)).await;
        let file = ["--target-token-file", "none.txt"];
        place.json("run", &file).await.ends(1).complains(&["cannot read the secret in none.txt"]);
        place.write("empty.txt", "\n");
        let file = ["--target-token-file", "empty.txt"];
        place.json("run", &file).await.ends(1).complains(&["empty.txt holds no secret"]);
        place.edit("token_file = \"token.txt\"", "token_env = \"NO_SUCH_VARIABLE\"");
        place.json("run", &[]).await.ends(1).complains(&["NO_SUCH_VARIABLE", "is not set"]);
        place.edit("token_env = \"NO_SUCH_VARIABLE\"\n", "");
        place.json("run", &[]).await.ends(1).complains(&["neither --target-token-file nor token_file"]);
        // A failure is one line of JSON, too.
        let said = place.json("run", &[]).await;
        let error: serde_json::Value = serde_json::from_str(said.stderr.trim()).expect("it is JSON");
        assert!(error["error"].is_string(), "{error}");
    }

    async fn a_source_that_cannot_be_read_disables_nobody() {
        let company = Company::of(4);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        for (text, words) in [
            ("id,userPrincipalName\n", "no people"),
            ("id;userPrincipalName\np1;a@b.example\n", "commas"),
            ("id,userPrincipalName,accountEnabled\np1,person1@corp.example,perhaps\n", "perhaps"),
        ] {
            place.write("people.csv", text);
            let found = quarantine(&place.json("run", &[]).await);
            assert!(found.contains(words), "{found}");
        }
        std::fs::remove_file(place.path("people.csv")).expect("it is there");
        let found = quarantine(&place.json("run", &[]).await);
        assert!(found.contains("people.csv"), "{found}");
        assert!(place.people().await.values().all(|(active, _)| *active));
        assert!(place.cycle(&company, 0).await.finished()["quarantine"].is_null());
    }
}
