//! Too many leavers, the word that lets them go, and the way back.

use crate::claims;
use crate::company::Company;
use crate::place::Place;

claims! {
    async fn more_leavers_than_the_limit_wait_for_a_persons_word() {
        let mut company = Company::of(6);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        (2..=6).for_each(|id| company.remove(id));
        company.person(1).title = "Alone".to_owned();
        let held = place.cycle(&company, 3).await;
        assert_eq!((held.count("held"), held.count("deleted")), (5, 0));
        assert_eq!(held.finished()["quarantine"]["reason"], "TooManyDeletes");
        let people = place.people().await;
        assert!(people.len() == 6 && people.values().all(|(active, _)| *active));
        assert_eq!(people["person1@corp.example"].1, "Alone", "everything else is done");
        let status = place.json("status", &[]).await;
        assert_eq!(status.ends(0).answer()["totals"]["held"], 5);

        // Fewer than are held: none of them.
        let allowed = place.json("allow-deletes", &["--at-most", "4"]).await;
        assert_eq!((&allowed.ends(0).answer()["held"], &allowed.answer()["allowed"]), (&5.into(), &4.into()));
        assert_eq!(place.cycle(&company, 3).await.count("deleted"), 0);

        place.json("allow-deletes", &[]).await.ends(0);
        assert_eq!(place.cycle(&company, 0).await.count("deleted"), 5);
        assert_eq!(place.people().await.len(), 1);

        // It was allowed once.
        let status = place.json("status", &[]).await.ends(0).answer();
        assert!(status["state"]["approved"].is_null() && status["state"]["quarantine"].is_null(), "{status}");
    }

    async fn a_file_that_is_put_right_ends_it_as_well() {
        let whole = Company::of(6);
        let mut short = whole.clone();
        (2..=6).for_each(|id| short.remove(id));
        let place = Place::with(&whole).await;
        place.cycle(&whole, 0).await;
        place.cycle(&short, 3).await;
        let after = place.cycle(&whole, 0).await;
        assert_eq!((after.count("held"), &after.finished()["quarantine"]), (0, &serde_json::Value::Null));
        assert_eq!(place.people().await.len(), 6);
    }

    async fn what_a_cycle_took_is_given_back() {
        let mut company = Company::of(5);
        let place = Place::with(&company).await;
        let said = place.json("undo", &[]).await;
        said.ends(1).complains(&["no cycle disabled, deleted or took out anything"]);
        place.cycle(&company, 0).await;
        company.person(2).enabled = false;
        company.remove(3);
        company.groups.get_mut(&1).expect("it is there").1.retain(|id| *id != 4);
        let took = place.cycle(&company, 0).await.finished()["cycle"]["id"].clone();
        let before = place.last_flight().await;
        let dry = place.json("undo", &["--dry-run"]).await.ends(0).answer();
        assert_eq!((&dry["cycle"], dry["entries"].as_array().map_or(0, Vec::len)), (&took, 3), "{dry}");
        assert_eq!(place.last_flight().await, before, "a dry run sends nothing");

        let one = place.json("undo", &["--object", "given2"]).await;
        one.ends(0).finished();
        assert!(place.people().await["person2@corp.example"].0);
        assert!(!place.people().await.contains_key("person3@corp.example"));

        place.json("undo", &["--cycle", took.as_str().expect("an id")]).await.ends(0);
        assert_eq!(place.people().await.len(), 5);
        assert_eq!(place.groups().await["Everybody"], 5);
        place.json("undo", &["--cycle", "last"]).await.ends(1).complains(&["is no id of a cycle"]);
    }
}
