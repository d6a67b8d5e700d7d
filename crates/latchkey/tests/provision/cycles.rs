//! The first cycle, the next ones, and what they say.

use crate::claims;
use crate::company::Company;
use crate::place::Place;

async fn a_company_is_kept_in_step(place: Place, mut company: Company) {
    let first = place.cycle(&company, 0).await;
    assert_eq!(first.finished()["cycle"]["kind"], "initial");
    assert_eq!((first.count("created"), first.count("membersAdded"), first.count("managersSet")), (7, 6, 5));
    let events = first.lines();
    assert_eq!(events[0]["event"], "began");
    assert_eq!(events.iter().filter(|line| line["event"] == "object").count(), 7 + 5 + 1, "{events:#?}");
    assert_eq!(place.people().await.len(), 6);
    assert_eq!(place.groups().await, [("Everybody".to_owned(), 6)].into());

    // With nothing changed, nothing is sent: the target has seen no request (P5).
    let before = place.last_flight().await;
    let second = place.cycle(&company, 0).await;
    assert_eq!(second.finished()["cycle"]["kind"], "incremental");
    assert_eq!(second.count("requests"), 0);
    assert_eq!(place.last_flight().await, before);

    company.person(2).title = "Head of all".to_owned();
    company.person(3).enabled = false;
    company.remove(4);
    company.groups.insert(2, ("Leads".to_owned(), vec![1, 2]));
    let third = place.cycle(&company, 0).await;
    let counts = ["updated", "disabled", "deleted", "created", "membersAdded"].map(|what| third.count(what));
    assert_eq!(counts, [1, 1, 1, 1, 2]);
    let people = place.people().await;
    assert_eq!(people["person2@corp.example"], (true, "Head of all".to_owned()));
    assert!(!people["person3@corp.example"].0);
    assert!(!people.contains_key("person4@corp.example"));
    assert_eq!(place.groups().await["Leads"], 2);

    company.person(3).enabled = true;
    assert_eq!(place.cycle(&company, 0).await.count("updated"), 1);
    assert!(place.people().await["person3@corp.example"].0);
}

claims! {
    async fn a_company_is_kept_in_step_and_nothing_is_sent_when_nothing_changed() {
        let company = Company::of(6);
        a_company_is_kept_in_step(Place::with(&company).await, company).await;
    }

    async fn a_job_may_remember_in_postgres() {
        let company = Company::of(6);
        a_company_is_kept_in_step(Place::on_postgres(&company).await, company).await;
    }

    async fn words_are_for_people_and_say_how_it_ended() {
        let place = Place::with(&Company::of(3)).await;
        let said = place.say(&["run", "provision.toml"]).await;
        said.ends(0);
        assert!(said.stdout.starts_with("Initial cycle done in "), "{said:?}");
        assert!(said.stdout.contains("4 created, 3 members added, 2 managers set"), "{said:?}");
        let said = place.say(&["run", "provision.toml"]).await;
        assert!(said.stdout.contains("everything is in step"), "{said:?}");
    }

    async fn what_was_changed_by_hand_is_reported_and_repaired_when_asked() {
        let company = Company::of(3);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        let id = place.id_of("person2@corp.example").await;
        let patch = serde_json::json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "title", "value": "By hand" }],
        });
        place.scim().patch(&format!("/Users/{id}"), &patch).await;
        assert_eq!(place.cycle(&company, 0).await.count("requests"), 0, "a cycle goes by the source");
        let report = place.say(&["preview", "provision.toml", "--drift"]).await;
        report.ends(0);
        assert!(report.stdout.contains("title: By hand → Engineer"), "{report:?}");
        assert_eq!(place.people().await["person2@corp.example"].1, "By hand");
        let repair = place.json("run", &["--repair-drift"]).await;
        assert_eq!(repair.ends(0).count("updated"), 1);
        assert_eq!(place.people().await["person2@corp.example"].1, "Engineer");
    }
}
