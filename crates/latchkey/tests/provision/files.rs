//! Job files: made, looked at, refused, and taken over from Entra ID.

use serde_json::Value as Json;

use crate::claims;
use crate::company::Company;
use crate::place::Place;

const ENTRA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../provisioning/tests/graph_schema/entra.json");

claims! {
    async fn a_wrong_job_file_is_refused_by_every_command_before_anything_is_done() {
        let place = Place::with(&Company::of(1)).await;
        let whole = place.read("provision.toml");
        let before = place.last_flight().await;
        for (from, to, line, field, words) in [
            ("deletion_limit = 3", "deletion_limit = \"3\"", 3, "job.deletion_limit", "found the text \"3\", but a whole number"),
            ("kind = \"csv\"", "kind = \"excel\"", 6, "source.kind", "found \"excel\", but one of csv, json"),
            ("token_file = \"token.txt\"", "token = \"secret\"", 12, "target.token", "there is no such field here; there are ca_file"),
            ("source = \"jobTitle\"", "expression = \"Trim([jobTitle]\"", 17, "users.mapping[1].expression", "expected a comma or )"),
            ("target = \"title\"", "target = \"meta.version\"", 17, "users.mapping[1].target", "the target makes it itself"),
            ("[groups]", "[groups]\ndelete = \"no\"", 22, "groups.delete", "found the text \"no\", but true or false"),
            ("[job]", "[job", 1, "", "this is no TOML"),
        ] {
            assert!(whole.contains(from), "{from}");
            place.write("provision.toml", &whole.replacen(from, to, 1));
            let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
            let place_of = format!("provision.toml: line {line}: {field}");
            let lint = place.say(&["lint", "provision.toml"]).await;
            assert!(lint.ends(1).stdout.contains(&place_of) && lint.stdout.contains(words), "{lint:?}");
            for args in [&["run", "provision.toml"][..], &["preview", "provision.toml"], &["status", "provision.toml"], &["test-connection", "provision.toml"]] {
                place.say(args).await.ends(1).complains(&[&place_of, words]);
            }
        }
        assert_eq!(place.last_flight().await, before);
        assert!(!place.path("latchkey-data").exists(), "nothing is remembered of it");
        place.say(&["run", "none.toml"]).await.ends(1).complains(&["cannot read the job file none.toml"]);
    }

    async fn a_job_file_that_is_wrong_in_several_places_is_told_all_of_them_at_once() {
        let place = Place::with(&Company::of(1)).await;
        place.edit("deletion_limit = 3", "deletion_limit = -1");
        place.edit("kind = \"csv\"", "knid = \"csv\"");
        let lint = place.say(&["lint", "provision.toml", "--json"]).await.ends(1).answer();
        let lines: Vec<&Json> = lint["errors"].as_array().expect("a list").iter().map(|one| &one["line"]).collect();
        assert_eq!((&lint["ok"], lines), (&false.into(), vec![&Json::from(3), &Json::from(5)]), "{lint}");
    }

    async fn what_is_probably_regretted_is_a_warning_with_its_line() {
        let place = Place::with(&Company::of(1)).await;
        let clean = place.say(&["lint", "provision.toml"]).await;
        assert_eq!(clean.ends(0).stdout, "Nothing to say against it.\n");
        place.edit(
            "    { target = \"title\", source = \"jobTitle\" },\n",
            "    { target = \"userType\", expression = 'SingleAppRoleAssignment([appRoleAssignments])' },\n",
        );
        place.edit("mappings = \"latchkey\"", "mappings = \"latchkey\"\nupdate = false");
        let lint = place.say(&["lint", "provision.toml"]).await;
        lint.ends(0);
        assert!(lint.stdout.contains("warning provision.toml: line 1: job.scope: userType is filled from the roles"), "{lint:?}");
        assert!(lint.stdout.contains("line 16: users.update: "), "{lint:?}");
        let test = place.say(&["test-connection", "provision.toml"]).await;
        assert!(test.ends(0).stdout.contains("note line 16: users.update: "), "{test:?}");
    }

    async fn a_job_is_made_of_two_templates_and_nothing_is_written_over() {
        let place = Place::with(&Company::of(2)).await;
        let all = place.say(&["templates", "--json"]).await.ends(0).answer();
        let ids = |kind: &str| -> Vec<String> {
            let all = all.as_array().expect("a list").iter().filter(|one| one["kind"] == kind);
            all.map(|one| one["id"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let (sources, targets) = (ids("source"), ids("target"));
        assert!(sources.contains(&"csv-files".to_owned()) && targets.contains(&"latchkey".to_owned()), "{all}");
        let list = place.say(&["templates"]).await;
        assert!(sources.iter().chain(&targets).all(|id| list.stdout.contains(id)), "{list:?}");
        let one = place.say(&["templates", "slack"]).await;
        assert!(one.ends(0).stdout.contains("1. Have an owner of the organization") && one.stdout.contains("429"), "{one:?}");
        place.say(&["templates", "slak"]).await.ends(1).complains(&["there is no template \"slak\""]);

        let made = place.say(&["new", "--source", "csv-files", "--target", "latchkey"]).await;
        made.ends(1).complains(&["provision.toml is there already"]);
        let made = place.say(&["new", "--source", "csv-files", "--target", "latchkey", "--name", "Our \"staff\"", "--out", "new.toml"]).await;
        made.ends(0);
        let text = place.read("new.toml");
        assert!(text.contains("# 1. ") && text.contains("name = 'Our \"staff\"'"), "{text}");
        let lint = place.say(&["lint", "new.toml", "--json"]).await.ends(0).answer();
        assert_eq!(lint["warnings"], Json::Array(Vec::new()));
        // With the address and the token it runs as it is.
        let url = place.workspace.scim_url();
        let run = place.say(&["run", "new.toml", "--json", "--target-url", &url, "--target-token-file", "token.txt"]).await;
        assert_eq!(run.ends(0).count("created"), 3);

        let wrong = place.say(&["new", "--source", "slack", "--target", "latchkey", "--out", "x.toml"]).await;
        wrong.ends(1).complains(&["slack is no source; there are active-directory"]);
        let wrong = place.say(&["new", "--source", "ldap", "--target", "jira", "--out", "x.toml"]).await;
        wrong.ends(1).complains(&["there is no target \"jira\"; there are aws-iam"]);
        assert!(!place.path("x.toml").exists());
        let shown = place.say(&["new", "--source", "ldap", "--target", "slack", "--out", "-"]).await;
        assert!(shown.ends(0).stdout.contains("kind = \"ldap\"") && !place.path("-").exists(), "{shown:?}");
    }

    async fn a_schema_of_entra_id_becomes_a_job_and_is_given_back_unchanged() {
        let place = Place::with(&Company::of(2)).await;
        let args = ["schema", "import", ENTRA, "--source", "csv-files", "--target", "latchkey", "--out", "entra.toml"];
        let import = place.say(&args).await;
        import.ends(0).complains(&["warning: synchronizationRules[0].objectMappings[0].attributeMappings: "]);
        place.say(&args).await.ends(1).complains(&["entra.toml is there already"]);
        place.say(&["lint", "entra.toml"]).await.ends(0);
        let url = place.workspace.scim_url();
        let run = place.say(&["run", "entra.toml", "--json", "--target-url", &url, "--target-token-file", "token.txt"]).await;
        assert_eq!(run.ends(0).count("created"), 3);

        let export = place.say(&["schema", "export", "entra.toml", "--original", ENTRA]).await;
        let original = std::fs::read_to_string(ENTRA).expect("it is there");
        let original: Json = serde_json::from_str(&original).expect("it is JSON");
        let exported: Json = serde_json::from_str(&export.ends(0).stdout).expect("it is JSON");
        assert_eq!(exported, original);

        let export = place.say(&["schema", "export", "entra.toml", "--out", "back.json"]).await;
        export.ends(0);
        let answer = place.say(&["schema", "import", "back.json", "--out", "-", "--json"]).await.ends(0).answer();
        assert!(answer["text"].as_str().is_some_and(|text| text.contains("kind = \"graph\"")), "{answer}");
        assert_eq!(answer["warnings"].as_array().map_or(0, Vec::len), 2, "{answer}");
    }

    async fn a_schema_that_is_wrong_is_refused_with_every_place() {
        let place = Place::with(&Company::of(1)).await;
        let text = std::fs::read_to_string(ENTRA).expect("it is there");
        let text = text.replace("\"Add, Update, Delete\"", "\"Add, Change\"").replacen("\"Always\"", "\"Often\"", 1);
        place.write("wrong.json", &text);
        let import = place.say(&["schema", "import", "wrong.json", "--out", "x.toml"]).await;
        import.ends(1).complains(&["wrong.json: synchronizationRules[0].objectMappings[0].flowTypes", "Change", "Often", "flowType"]);
        place.write("wrong.json", "[1");
        place.say(&["schema", "import", "wrong.json", "--out", "x.toml"]).await.ends(1).complains(&["wrong.json is no JSON"]);
        place.write("wrong.json", "{}");
        place.say(&["schema", "import", "wrong.json", "--out", "x.toml"]).await.ends(1).complains(&["synchronizationRules"]);
        assert!(!place.path("x.toml").exists());
    }
}
