//! `latchkey demo` from outside: the story's facts in its `--json` output, and people files that
//! can't be used.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Plays the demo to its end in a data folder of its own.
fn demo(data: &Path, extra: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(extra)
        .env_remove("LATCHKEY_DATA")
        .env_remove("LATCHKEY_LISTEN")
        .env_remove("DATABASE_URL")
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The stages that a demo with `--json` told, by name.
#[track_caller]
fn stages(output: &Output) -> BTreeMap<String, Value> {
    assert!(
        output.status.success(),
        "exit {:?}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
        .lines()
        .map(|line| {
            let stage: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            (
                stage["stage"].as_str().unwrap_or_else(|| panic!("a stage has a name: {line}")).to_owned(),
                stage,
            )
        })
        .collect()
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("a list: {list}"));
    let mut names: Vec<String> = items
        .iter()
        .map(|item| item[field].as_str().unwrap_or_else(|| panic!("{field}: {item}")).to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn the_demo_tells_the_whole_story_of_the_sample_company() {
    let data = tempfile::tempdir().unwrap();
    let stages = stages(&demo(data.path(), &["--json"]));
    let order = [
        "access",
        "accounts",
        "directory",
        "members",
        "offboarding",
        "passwords",
        "ready",
        "report",
        "return",
    ];
    assert_eq!(stages.keys().collect::<Vec<_>>(), order);

    let sent = &stages["directory"];
    for (fact, expected) in [
        ("people_sent", 501),
        ("people_skipped", 3),
        ("people_found", 0),
        ("managers_set", 500),
        ("groups_sent", 12),
        ("memberships_sent", 553),
    ] {
        assert_eq!(sent[fact], expected, "{fact}: {sent}");
    }

    let members = &stages["members"];
    assert_eq!(members["active"], 502, "the people sent, and the Owner: {members}");
    let teams = members["teams"].as_array().unwrap();
    assert_eq!(teams.len(), 12);
    assert!(
        teams.contains(&json!({"name": "Stores north", "members": 110})),
        "two of 112 are disabled: {members}"
    );

    let access = &stages["access"];
    assert_eq!(access["name"], "Chiara Romano");
    let accounts = access["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 11, "{access}");
    let ad_account = accounts.iter().find(|account| account["account"] == "Ad account").unwrap();
    assert_eq!(ad_account["permission"], "view", "the higher of two ways: {ad_account}");
    let why = ad_account["why"].as_array().unwrap();
    assert_eq!(why.len(), 2, "a grant above and one on the collection itself: {ad_account}");
    assert!(
        why.iter().any(|way| {
            let way = way.as_str().unwrap();
            way.contains("Brand and social") && way.contains("Social media")
        }),
        "{ad_account}"
    );

    let left = &stages["offboarding"];
    assert_eq!((&left["accounts_before"], &left["accounts_after"]), (&json!(11), &json!(0)), "{left}");
    assert_eq!(left["removed_grants"], 2, "{left}");
    assert_eq!(
        names(&left["rotations"], "account"),
        [
            "Ad account",
            "Bank portal",
            "Domain registrar",
            "Guest Wi-Fi console",
            "Instagram",
            "Newsletter",
            "Web shop admin"
        ],
        "what is privileged and in reach, and what they know: {left}"
    );
    assert!(
        left["rotations"].as_array().unwrap().iter().all(|rotation| rotation["rule"].is_string()),
        "{left}"
    );
    assert_eq!(
        names(&left["kept"], "account"),
        ["LinkedIn page", "Parcel portal", "Photo library", "Press wire", "TikTok"],
        "{left}"
    );
    let denied = left["first_denied_ms"].as_i64().unwrap();
    assert!((0..1_000).contains(&denied), "out within a second: {left}");
    let events = names(&left["timeline"], "event");
    for event in
        ["sent", "access_cut", "grants_removed", "team_access_ended", "rotations_planned", "answered"]
    {
        assert!(events.iter().any(|known| known == event), "{event}: {left}");
    }
    let handed_over =
        left["timeline"].as_array().unwrap().iter().find(|moment| moment["event"] == "accounts_handed_over");
    assert_eq!(handed_over.unwrap()["text"], "Press wire handed over to Żaneta Jabłońska");

    let changed = &stages["passwords"];
    assert_eq!(changed["state"], "complete", "{changed}");
    assert!(changed["time_to_safe_ms"].as_u64().is_some_and(|ms| ms < 60_000), "{changed}");
    assert_eq!(names(&changed["passwords"], "account"), names(&left["rotations"], "account"), "{changed}");
    for password in changed["passwords"].as_array().unwrap() {
        assert_eq!(password["state"], "done", "{password}");
        assert!(password["verified_at"].is_string() && password["old_refused_at"].is_string(), "{password}");
        assert_eq!(
            (&password["old_refused"], &password["new_works"]),
            (&json!(true), &json!(true)),
            "tried from outside: {password}"
        );
    }
    let moments = names(&changed["timeline"], "event");
    let count = |event: &str| moments.iter().filter(|known| *known == event).count();
    assert_eq!(
        (count("password_changed"), count("old_refused"), count("safe")),
        (7, 7, 1),
        "the timeline shows each password changed and its old one refused: {changed}"
    );

    let report = &stages["report"];
    let summary = report["summary"].as_str().unwrap();
    assert!(summary.contains("All 7 passwords") && summary.contains("no exceptions"), "{summary}");
    let signed = Path::new(report["json"].as_str().unwrap());
    assert!(signed.starts_with(data.path()), "{report}");
    let page = std::fs::read_to_string(report["html"].as_str().unwrap()).unwrap();
    assert!(page.contains("Chiara Romano") && page.contains("Domain registrar"), "{page}");
    let verified = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["--json", "offboarding", "verify"])
        .arg(signed)
        .output()
        .expect("the binary runs");
    let verdict: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(verdict["genuine"], true, "{verdict}");

    let back = &stages["return"];
    assert_eq!((&back["state"], &back["accounts_after"]), (&json!("active"), &json!(0)), "{back}");
    assert_eq!(
        back["teams_listing_them"],
        json!(["Brand and social", "Marketing", "Web shop", "Customer support"]),
        "what the directory wrote it reads back: {back}"
    );
    assert_eq!(back["review"], json!({"grants": 2, "teams": 4}), "{back}");
}

#[test]
fn a_company_of_ones_own_is_sent_instead_and_again_into_the_same_folder() {
    let data = tempfile::tempdir().unwrap();
    let people = data.path().join("people.json");
    let company = json!([
        {"user_name": "ida@corp.example", "given_name": "Ida", "family_name": "Holm", "groups": ["Sales"],
         "manager": "bo@corp.example"},
        {"user_name": "bo@corp.example", "display_name": "Bo"},
    ]);
    std::fs::write(&people, company.to_string()).unwrap();
    let args = ["--json", "--people", people.to_str().unwrap()];
    let first = stages(&demo(&data.path().join("data"), &args));
    assert_eq!(first["directory"]["people_sent"], 2);
    assert_eq!(first["offboarding"]["name"], "Ida Holm");
    assert_eq!(first["return"]["teams_listing_them"], json!(["Sales"]));
    let second = stages(&demo(&data.path().join("data"), &args));
    assert_eq!(second["return"]["accounts_after"], 0);
    for run in [&first, &second] {
        assert_eq!(run["passwords"]["state"], "complete", "{}", run["passwords"]);
    }
}

#[test]
fn people_read_the_demo_as_text_without_colours_where_none_are_wanted() {
    let data = tempfile::tempdir().unwrap();
    let output = demo(data.path(), &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for part in [
        "1  The directory sends its people",
        "Chiara Romano",
        "nothing came back",
        " ms  ",
        "Bank portal: changed at the service, the new password lets in",
        "Bank portal: the old password is refused",
        "7 of 7 old passwords refused",
    ] {
        assert!(told.contains(part), "{part} is told:\n{told}");
    }
    assert!(!told.contains("Demo-") && !text(&output.stderr).contains("Demo-"), "no password is told");
    assert!(!told.contains('\u{1b}') && !text(&output.stderr).contains('\u{1b}'), "no terminal, no colours");
}

#[test]
fn a_bad_people_file_ends_the_demo_with_every_row_and_column_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people.csv");
    std::fs::write(
        &people,
        "userName,mail,manager\nida@corp.example,ida,\n,bo@corp.example,cy@corp.example\n",
    )
    .unwrap();
    let data = folder.path().join("data");
    let output = demo(&data, &["--json", "--people", people.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for problem in [
        "row 2, column `mail`: ",
        "row 3, column `userName`: ",
        "row 3, column `manager`: ",
        "nothing was sent",
    ] {
        assert!(said.contains(problem), "{problem} is said:\n{said}");
    }
    assert_eq!(text(&output.stdout), "");
    assert!(!data.exists(), "no data folder is made");
}
