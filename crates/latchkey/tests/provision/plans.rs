//! Previews, and a run that does just what was looked at.

use serde_json::Value as Json;

use crate::claims;
use crate::company::Company;
use crate::place::Place;

claims! {
    async fn a_preview_changes_nothing_and_a_run_of_it_does_just_that() {
        let mut company = Company::of(4);
        let place = Place::with(&company).await;
        let preview = place.json("preview", &["--out", "plan.json"]).await;
        let answer = preview.ends(0).answer();
        assert_eq!(answer["counts"]["created"], 5, "{answer}");
        assert_eq!(place.people().await.len(), 0);
        assert!(place.groups().await.is_empty());
        let status = place.json("status", &[]).await;
        assert_eq!(status.ends(0).answer()["status"], "not_run", "a preview is not remembered");

        // Whoever comes afterwards is not in it.
        company.people.insert(5, company.people[&4].clone());
        company.person(5).login = "person5@corp.example".to_owned();
        company.groups.get_mut(&1).expect("it is there").1.push(5);
        company.write(place.folder.path());
        let run = place.json("run", &["--plan", "plan.json"]).await;
        assert_eq!(run.ends(0).count("created"), 5);
        assert_eq!(place.people().await.len(), 4);
        assert_eq!(place.groups().await["Everybody"], 4);

        // The next cycle finds what the plan left out.
        assert_eq!(place.cycle(&company, 0).await.count("created"), 1);
        assert_eq!(place.people().await.len(), 5);
        assert_eq!(place.groups().await["Everybody"], 5);
    }

    async fn what_was_done_since_the_preview_is_not_done_again() {
        let mut company = Company::of(4);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        company.person(2).title = "Lead".to_owned();
        company.person(3).enabled = false;
        company.people.insert(5, company.people[&4].clone());
        company.person(5).login = "person5@corp.example".to_owned();
        company.groups.get_mut(&1).expect("it is there").1.push(5);
        company.write(place.folder.path());
        place.json("preview", &["--out", "plan.json"]).await.ends(0);
        place.json("on-demand", &["--user", "p5"]).await.ends(0);
        place.json("on-demand", &["--user", "p2"]).await.ends(0);
        let run = place.json("run", &["--plan", "plan.json"]).await;
        run.ends(0);
        assert_eq!([run.count("created"), run.count("updated"), run.count("disabled")], [0, 0, 1], "{run:?}");
        assert_eq!(place.cycle(&company, 0).await.count("created"), 0);
        assert_eq!(place.groups().await["Everybody"], 5);
        let people = place.people().await;
        assert_eq!(people["person2@corp.example"].1, "Lead");
        assert!(!people["person3@corp.example"].0);
        // All of it has been done: once more does nothing, and that is no failure.
        let run = place.json("run", &["--plan", "plan.json"]).await;
        assert_eq!(run.ends(0).count("requests"), 0);
    }

    async fn a_preview_of_another_job_file_is_refused() {
        let company = Company::of(2);
        let place = Place::with(&company).await;
        place.json("preview", &["--out", "plan.json"]).await.ends(0);
        place.edit("deletion_limit = 3", "deletion_limit = 4");
        let run = place.json("run", &["--plan", "plan.json"]).await;
        run.ends(1).complains(&["the job file was changed since the preview plan.json was made"]);
        place.write("plan.json", "{}");
        place.json("run", &["--plan", "plan.json"]).await.ends(1).complains(&["plan.json is no preview"]);
        place.json("run", &["--plan", "none.json"]).await.ends(1).complains(&["cannot read the preview none.json"]);
        assert_eq!(place.people().await.len(), 0);
    }

    async fn a_preview_that_breaks_off_says_so_and_ends_with_3() {
        let mut place = Place::with(&Company::of(2)).await;
        place.server.stop().await;
        let preview = place.json("preview", &["--out", "plan.json"]).await;
        let answer: Json = preview.ends(3).answer();
        assert!(answer["error"].as_str().is_some_and(|error| !error.is_empty()), "{answer}");
        let words = place.say(&["preview", "provision.toml"]).await;
        assert!(words.ends(3).stdout.contains("The preview broke off: "), "{words:?}");
        // Half a preview is none to run.
        let run = place.json("run", &["--plan", "plan.json"]).await;
        run.ends(1).complains(&["broke off"]);
    }

    async fn a_preview_shows_what_a_new_filter_would_do_and_who_would_leave() {
        let company = Company::of(3);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        let filter = "[[users.scope]]\ntitle = \"first\"\nclauses = [{ attribute = \"givenName\", operator = \"EQUALS\", value = \"Given1\" }]\n\n[groups]";
        place.edit("[groups]", filter);
        let preview = place.say(&["preview", "provision.toml"]).await;
        preview.ends(0);
        assert_eq!(preview.stdout.matches("disable person Given").count(), 2, "{preview:?}");
        assert!(preview.stdout.contains("does not hold"), "{preview:?}");
        assert!(place.people().await.values().all(|(active, _)| *active));
    }
}
