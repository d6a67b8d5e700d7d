//! One person or one group, at once.

use crate::claims;
use crate::company::Company;
use crate::place::Place;

claims! {
    async fn one_person_is_brought_over_and_each_step_is_told() {
        let company = Company::of(3);
        let place = Place::with(&company).await;
        let said = place.say(&["on-demand", "provision.toml", "--user", "PERSON2@corp.example"]).await;
        said.ends(0);
        assert!(said.stdout.contains("create") && said.stdout.contains("userName: person2@corp.example"), "{said:?}");
        assert_eq!(place.people().await.into_keys().collect::<Vec<_>>(), ["person2@corp.example"]);
        let again = place.json("on-demand", &["--user", "p2"]).await;
        assert_eq!(again.ends(0).count("created"), 0);
        assert_eq!(again.finished()["cycle"]["kind"], "on_demand");
        // The cycle that follows does the rest, and nobody twice.
        assert_eq!(place.cycle(&company, 0).await.count("created"), 3);
        assert_eq!(place.people().await.len(), 3);
    }

    async fn a_group_brings_its_members_along() {
        let mut company = Company::of(4);
        company.groups.insert(2, ("Leads".to_owned(), vec![1, 3]));
        let place = Place::with(&company).await;
        let said = place.json("on-demand", &["--group", "Leads"]).await;
        said.ends(0);
        assert_eq!(place.groups().await, [("Leads".to_owned(), 2)].into());
        assert_eq!(place.people().await.len(), 2);
    }

    async fn nobody_and_several_are_said_and_nothing_is_sent() {
        let mut company = Company::of(3);
        company.person(3).given = "Given2".to_owned();
        let place = Place::with(&company).await;
        let before = place.last_flight().await;
        let said = place.json("on-demand", &["--user", "nobody@corp.example"]).await;
        said.ends(1).complains(&["the source has no person", "nobody@corp.example"]);
        let said = place.json("on-demand", &["--user", "Given2 Moss"]).await;
        said.ends(1).complains(&["2 people", "give the id of one: user:p2, user:p3"]);
        place.json("on-demand", &["--group", "Nobody"]).await.ends(1).complains(&["the source has no group"]);
        place.say(&["on-demand", "provision.toml"]).await.ends(2).complains(&["--user", "--group"]);
        place.edit("\n[groups]\n", "\n");
        place.json("on-demand", &["--group", "Everybody"]).await.ends(1).complains(&["no [groups] in its file"]);
        assert_eq!(place.last_flight().await, before);
        place.json("on-demand", &["--user", "user:p2"]).await.ends(0);
        assert_eq!(place.people().await.into_keys().collect::<Vec<_>>(), ["person2@corp.example"]);
    }

    async fn somebody_who_left_is_out_at_once() {
        let mut company = Company::of(3);
        let place = Place::with(&company).await;
        place.cycle(&company, 0).await;
        company.person(2).enabled = false;
        company.write(place.folder.path());
        let said = place.json("on-demand", &["--user", "p2"]).await;
        assert_eq!(said.ends(0).count("disabled"), 1);
        assert!(!place.people().await["person2@corp.example"].0);
        assert_eq!(place.cycle(&company, 0).await.count("disabled"), 0);
    }
}
