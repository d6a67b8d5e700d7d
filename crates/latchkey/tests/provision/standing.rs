//! Where a job stands, its log, and what a person tells it.

use serde_json::Value as Json;

use crate::claims;
use crate::company::Company;
use crate::place::Place;

/// Entries of the log, one a line.
async fn log(place: &Place, filters: &[&str]) -> Vec<Json> {
    let mut args = vec!["--format", "json"];
    args.extend(filters);
    let said = place.json("logs", &args).await;
    said.ends(0).lines()
}

fn texts<'l>(entries: &'l [Json], field: &str) -> Vec<&'l str> {
    entries.iter().map(|entry| entry[field].as_str().unwrap_or_default()).collect()
}

claims! {
    async fn status_is_told_before_the_first_cycle_and_after() {
        let company = Company::of(3);
        let place = Place::with(&company).await;
        let before = place.say(&["status", "provision.toml"]).await;
        assert!(before.ends(0).stdout.contains("has not run yet"), "{before:?}");
        place.json("logs", &[]).await.ends(1).complains(&["the job has not run yet, so it has no log"]);
        let cycle = place.cycle(&company, 0).await.finished()["cycle"]["id"].clone();
        let after = place.json("status", &[]).await.ends(0).answer();
        assert_eq!((&after["totals"]["users"], &after["totals"]["groups"]), (&3.into(), &1.into()), "{after}");
        assert_eq!((&after["running"], &after["cycles"][0]["id"]), (&false.into(), &cycle), "{after}");
        assert!(after["state"]["steady_last"].is_string(), "{after}");
        let words = place.say(&["status", "provision.toml"]).await;
        assert!(words.stdout.contains("Staff: active\n  at the target: 3 people"), "{words:?}");
    }

    async fn the_log_is_found_by_person_status_action_code_and_cycle() {
        let mut company = Company::of(5);
        company.person(4).enabled = false;
        company.person(5).title = "long".repeat(128 << 10);
        let place = Place::with(&company).await;
        let first = place.cycle(&company, 2).await.finished()["cycle"]["id"].clone();
        let first = first.as_str().expect("an id");
        company.person(2).title = "Lead".to_owned();
        company.person(3).enabled = false;
        place.cycle(&company, 2).await;

        let of_two = log(&place, &["--object", "PERSON2@CORP"]).await;
        assert_eq!(of_two.len(), 0, "a login that is no label is found by id");
        let of_two = log(&place, &["--object", "given2 MOSS"]).await;
        assert!(texts(&of_two, "label").iter().all(|label| *label == "Given2 Moss"), "{of_two:#?}");
        assert_eq!(texts(&of_two, "action"), ["update", "update", "create"], "newest first: {of_two:#?}");
        assert_eq!(of_two[0]["detail"]["modified"][0]["newValue"], "Lead", "{of_two:#?}");
        assert_eq!(log(&place, &["--object", "P2"]).await, of_two, "by id in any letter case");
        assert_eq!(log(&place, &["--object", "nobody"]).await.len(), 0);

        let failed = log(&place, &["--status", "failure"]).await;
        assert!(!failed.is_empty() && texts(&failed, "sourceId").iter().all(|id| *id == "user:p5"), "{failed:#?}");
        let code = failed[0]["code"].as_str().expect("a failure has a code");
        assert_eq!(log(&place, &["--code", code]).await, failed);
        assert_eq!(texts(&log(&place, &["--action", "disable"]).await, "label"), ["Given3 Moss"]);
        let skipped = log(&place, &["--status", "skipped"]).await;
        assert_eq!(texts(&skipped, "label"), ["Given4 Moss"], "{skipped:#?}");
        let some = log(&place, &[]).await;
        assert_eq!(log(&place, &["--all"]).await.len(), some.len() + skipped.len());
        assert_eq!(log(&place, &["--limit", "2"]).await.len(), 2);
        let of_first = log(&place, &["--cycle", first, "--action", "create", "--status", "success"]).await;
        assert_eq!(of_first.len(), 4, "three people and a group: {of_first:#?}");
        assert!(texts(&of_first, "cycle").iter().all(|cycle| *cycle == first));

        for (filter, word) in [("--status", "fine"), ("--action", "rename"), ("--cycle", "last")] {
            let said = place.json("logs", &[filter, word]).await;
            said.ends(1).complains(&[&format!("\"{word}\" is no"), if filter == "--cycle" { "id" } else { "there are" }]);
        }
    }

    async fn the_log_is_words_json_or_a_table() {
        let company = Company::of(2);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        let words = place.say(&["logs", "provision.toml"]).await;
        assert!(words.ends(0).stdout.contains("create person Given1 Moss: success: it was created"), "{words:?}");
        let table = place.say(&["logs", "provision.toml", "--format", "csv"]).await;
        let mut rows = csv::Reader::from_reader(table.ends(0).stdout.as_bytes());
        let head: Vec<String> = rows.headers().expect("a head").iter().map(str::to_owned).collect();
        assert_eq!(head[..4], ["time", "cycle", "kind", "object"]);
        let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), log(&place, &[]).await.len());
        assert!(rows.iter().any(|row| &row[3] == "Everybody" && &row[6] == "create"), "{rows:?}");
        let list = place.json("logs", &[]).await.ends(0).answer();
        assert_eq!(list.as_array().map_or(0, Vec::len), rows.len());
    }

    async fn a_job_forgets_what_it_is_told_to_and_makes_nobody_twice() {
        let mut company = Company::of(4);
        company.person(4).title = "long".repeat(128 << 10);
        let place = Place::with(&company).await;
        place.cycle(&company, 2).await;
        let second = place.cycle(&company, 2).await;
        assert_eq!(second.finished()["cycle"]["kind"], "incremental");
        for reset in ["watermark", "links", "full", "watermark,escrows"] {
            place.json("restart", &["--reset", reset]).await.ends(0);
            let next = place.cycle(&company, 2).await;
            assert_eq!(next.finished()["cycle"]["kind"], "initial", "{reset}");
            assert_eq!((next.count("created"), next.count("failed")), (0, 1), "{reset}: {next:?}");
            assert_eq!(place.people().await.len(), 3, "{reset}");
        }
        // What failed is tried again at once.
        company.person(4).title = "Engineer".to_owned();
        place.json("restart", &["--reset", "escrows"]).await.ends(0);
        assert_eq!(place.cycle(&company, 0).await.count("created"), 1);
        assert_eq!(place.groups().await, [("Everybody".to_owned(), 4)].into());

        company.person(2).title = "Lead".to_owned();
        company.write(place.folder.path());
        place.json("run", &["--target-url", "http://127.0.0.1:9/scim"]).await.ends(3);
        place.json("restart", &["--reset", "quarantine"]).await.ends(0);
        let status = place.json("status", &[]).await.ends(0).answer();
        assert!(status["state"]["quarantine"].is_null(), "{status}");
        place.json("restart", &["--reset", "everything"]).await.ends(2).complains(&["watermark", "full"]);
        place.json("restart", &[]).await.ends(0);
        assert_eq!(place.cycle(&company, 0).await.count("created"), 0);
    }

    async fn a_paused_job_runs_only_when_told_to() {
        let company = Company::of(2);
        let place = Place::with(&company).await;
        place.json("pause", &[]).await.ends(0);
        let status = place.say(&["status", "provision.toml"]).await;
        assert!(status.ends(0).stdout.contains("Staff: paused"), "{status:?}");
        let watch = place.say(&["watch", "provision.toml"]).await;
        watch.ends(1).complains(&["the job is paused", "latchkey provision start"]);
        assert_eq!(place.people().await.len(), 0);
        let run = place.say(&["run", "provision.toml"]).await;
        run.ends(0).complains(&["The job is paused; this one cycle runs"]);
        assert_eq!(place.people().await.len(), 2);
        place.json("start", &[]).await.ends(0);
        let status = place.say(&["status", "provision.toml"]).await;
        assert!(status.ends(0).stdout.contains("Staff: active"), "{status:?}");
    }
}
