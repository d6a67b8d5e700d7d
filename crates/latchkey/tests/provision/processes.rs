//! Two processes, and one that is killed.

use std::time::{Duration, Instant};

use latchkey_daemons::{Daemon, Signal};

use crate::claims;
use crate::company::Company;
use crate::place::Place;

const MANY: u32 = 300;

/// Waits until so many objects were told of.
async fn until_under_way(daemon: &mut Daemon, objects: usize) {
    let begun = Instant::now();
    loop {
        let log = daemon.log().text();
        if log.matches("\"event\":\"object\"").count() >= objects {
            return;
        }
        let ended = daemon.exited();
        assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(60), "{ended:?}:\n{log}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Killed in the middle of the first cycle, and run again at once: everybody is there, and nobody twice.
async fn killed_and_run_again(place: Place, company: Company, after: &[usize]) {
    for objects in after.iter().copied() {
        let mut first = place.start(&["run", "provision.toml", "--json"]);
        until_under_way(&mut first, objects).await;
        first.kill();
        assert!(first.exited().is_none_or(|status| !status.success()));
    }
    assert!(place.people().await.len() < MANY as usize, "it was killed in the middle");
    place.cycle(&company, 0).await;
    // Two of one login would be one too few here, for the target's list is counted.
    assert_eq!(place.people().await.len(), MANY as usize);
    assert_eq!(place.groups().await, [("Everybody".to_owned(), MANY as usize)].into());
    let before = place.last_flight().await;
    place.cycle(&company, 0).await;
    assert_eq!(place.last_flight().await, before, "nothing is left to do");
}

claims! {
    async fn a_killed_first_cycle_goes_on_and_makes_nobody_twice() {
        let company = Company::of(MANY);
        killed_and_run_again(Place::with(&company).await, company, &[1, 120]).await;
    }

    async fn a_killed_first_cycle_goes_on_with_what_postgres_remembers() {
        let company = Company::of(MANY);
        // Whoever comes next waits for the lease of who was killed.
        killed_and_run_again(Place::on_postgres(&company).await, company, &[120]).await;
    }

    async fn a_second_process_on_the_same_data_says_who_has_the_job() {
        let company = Company::of(60);
        let place = Place::with(&company).await;
        // So slow that it is still under way at the end.
        place.edit("token_file", "requests_per_second = 20\ntoken_file");
        let mut first = place.start(&["run", "provision.toml", "--json"]);
        until_under_way(&mut first, 1).await;
        let status = place.say(&["status", "provision.toml"]).await;
        assert!(status.ends(0).stdout.contains("a cycle is running now"), "{status:?}");
        for command in ["run", "watch", "pause", "restart", "undo"] {
            let second = place.json(command, &[]).await;
            second.ends(1).complains(&["\"Staff\" is being performed by another process", "stop it"]);
        }
        place.json("preview", &[]).await;
        first.signal(Signal::KILL);
        while first.exited().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let status = place.say(&["status", "provision.toml"]).await;
        assert!(!status.ends(0).stdout.contains("a cycle is running now"), "nobody runs it now: {status:?}");
        place.edit("requests_per_second = 20\n", "");
        place.cycle(&company, 0).await;
    }

    async fn jobs_of_other_names_share_a_data_folder() {
        let company = Company::of(MANY);
        let place = Place::with(&company).await;
        place.write("other.toml", &place.read("provision.toml").replace("\"Staff\"", "\"Other\""));
        let mut first = place.start(&["run", "provision.toml", "--json"]);
        until_under_way(&mut first, 1).await;
        place.say(&["on-demand", "other.toml", "--user", "p1"]).await.ends(0);
        first.kill();
    }
}
