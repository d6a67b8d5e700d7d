//! The report of a leaver: over the API and at the command line, signed, and found out when altered.

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::support::api;
use crate::support::{list, text};

/// The accounts of a report with the rule that decided on each.
fn decided(report: &Value) -> Vec<(&str, &str, &str)> {
    let accounts = list(report, "/accounts").iter();
    accounts.map(|it| (text(it, "/name"), text(it, "/decision"), text(it, "/rule"))).collect()
}

on_both! {
    async fn a_report_says_what_was_and_what_became_of_it_and_is_signed(server: &Server) {
        let scene = Scene::new(server, "report").await;
        let ida = scene.person("ida").await;
        let bank = api::account(&scene.api, "Bank", "privileged").await;
        let press = api::account(&scene.api, "Press", "standard").await;
        let team = scene.group("Finance", &[&ida]).await;
        api::grant_team(&scene.api, &team, &bank).await;
        api::grant_member(&scene.api, &ida, &press).await;

        let never = server.cli(&["offboarding", "report", "ida@corp.example", "--workspace", "report"]).await;
        assert_eq!(never.status, 1);
        assert!(never.stderr.contains("has no offboarding to report; --foresee"), "{}", never.stderr);
        let foreseen = scene.api.get(&format!("/members/{ida}/offboarding-report")).await.expect(200).json();
        assert_eq!(foreseen["report"]["header"]["case"], Value::Null);
        let summary = text(&foreseen, "/report/summary");
        assert!(summary.ends_with("access to 2 accounts would end at once, and one password would have to change."), "{summary}");

        scene.disable(&ida).await;
        api::until_tasks(&scene.api, 1).await;
        let case = api::case_of(&scene.api, &ida).await;
        let path = format!("/offboardings/{}/report", text(&case, "/id"));
        let signed = scene.api.get(&path).await.expect(200).json();
        let report = &signed["report"];
        assert_eq!(report["header"]["member"], ida.as_str());
        assert_eq!(report["removed"]["direct_grants"], 1);
        assert_eq!(report["removed"]["teams"], json!(["Finance"]));
        let mut found = decided(report);
        found.sort_unstable();
        let standard = found[1];
        assert_eq!((found[0].0, found[0].1), ("Bank", "rotate"));
        assert_eq!((standard.0, standard.1), ("Press", "keep"));
        let tasks: Vec<_> = list(report, "/tasks").iter().map(|it| (text(it, "/account"), text(it, "/state"))).collect();
        assert_eq!(tasks, [("Bank", "open")]);
        assert_eq!(report["clock"]["safe_at"], Value::Null, "a password is still to be changed");
        assert!(text(report, "/summary").contains("0 of 1 passwords were changed and checked"), "{report}");

        let html = scene.api.get(&format!("{path}?format=html")).await.expect(200);
        assert!(html.header("content-type").is_some_and(|it| it.starts_with("text/html")));
        assert!(html.text().contains("Passwords to change") && html.text().contains("Bank"));
        scene.api.get(&format!("{path}?format=pdf")).await.expect(400);

        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (out, page) = (file("report.json"), file("report.html"));
        let told = server
            .cli(&["offboarding", "report", "ida@corp.example", "--workspace", "report", "--out", &out, "--html", &page])
            .await;
        assert!(told.success().stdout.contains("Bank:"), "{}", told.stdout);
        assert!(std::fs::read_to_string(&page).expect("the page").starts_with("<!doctype html>"));

        let verified = server.cli(&["--json", "offboarding", "verify", &out]).await;
        let key = text(&verified.success().json(), "/key").to_owned();
        server.cli(&["offboarding", "verify", &out, "--key", &key]).await.success();
        let other = server.cli(&["offboarding", "verify", &out, "--key", "00 11"]).await;
        assert!(other.status == 1 && other.stdout.contains("signed with another key"), "{}", other.stdout);
        let altered = std::fs::read_to_string(&out).expect("the report").replace("\"rotate\"", "\"keep\"");
        std::fs::write(&out, altered).expect("it can be written");
        let altered = server.cli(&["offboarding", "verify", &out]).await;
        assert!(altered.status == 1 && altered.stdout.contains("altered after it was signed"), "{}", altered.stdout);
        std::fs::write(&out, "{}").expect("it can be written");
        assert_eq!(server.cli(&["offboarding", "verify", &out]).await.status, 1);
    }
}
