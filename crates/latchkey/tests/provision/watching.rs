//! `latchkey provision watch`.

use std::time::{Duration, Instant};

use latchkey_daemons::{Daemon, Signal};

use crate::claims;
use crate::company::Company;
use crate::place::Place;

/// Once it has run so many cycles; how long that took.
async fn cycles(daemon: &mut Daemon, count: usize) -> Duration {
    let begun = Instant::now();
    while daemon.log().text().matches("\"event\":\"finished\"").count() < count {
        let ended = daemon.exited();
        let log = daemon.log();
        assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(60), "{ended:?}:\n{log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

fn stopped(daemon: &mut Daemon, signal: Signal) {
    let status = daemon.stop(signal, Duration::from_secs(10)).unwrap_or_else(|error| panic!("{error:#}"));
    daemon.log().settle();
    let log = daemon.log().text();
    assert!(status.success(), "{status}:\n{log}");
    assert!(log.trim_end().ends_with("{\"event\":\"stopped\"}"), "{log}");
}

claims! {
    async fn a_change_of_a_file_is_sent_without_a_word_and_a_signal_stops_it() {
        let mut company = Company::of(3);
        let place = Place::with(&company).await;
        for (signal, title) in [(Signal::TERM, "Lead"), (Signal::INT, "Head")] {
            let mut watch = place.start(&["watch", "provision.toml", "--json"]);
            cycles(&mut watch, 1).await;
            assert_eq!(place.people().await.len(), 3);
            company.person(2).title = title.to_owned();
            company.person(3).enabled = !company.people[&3].enabled;
            company.write(place.folder.path());
            let took = cycles(&mut watch, 2).await;
            assert!(took < Duration::from_secs(3), "{took:?}");
            let people = place.people().await;
            assert_eq!(people["person2@corp.example"].1, title);
            assert_eq!(people["person3@corp.example"].0, company.people[&3].enabled);
            stopped(&mut watch, signal);
            // The job is free at once.
            place.json("run", &[]).await.ends(0);
        }
    }

    async fn a_schedule_is_kept_and_a_cycle_that_is_stopped_goes_on_later() {
        let company = Company::of(300);
        let place = Place::with(&company).await;
        place.edit("deletion_limit = 3", "deletion_limit = 3\nschedule = \"1s\"");
        let mut watch = place.start(&["watch", "provision.toml", "--json"]);
        while !watch.log().text().contains("\"event\":\"object\"") {
            assert!(watch.exited().is_none(), "{}", watch.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stopped(&mut watch, Signal::TERM);
        assert!(place.people().await.len() < 300, "it was stopped in the middle");
        let mut watch = place.start(&["watch", "provision.toml", "--json"]);
        cycles(&mut watch, 3).await;
        assert_eq!(place.people().await.len(), 300);
        stopped(&mut watch, Signal::TERM);
    }

    async fn a_target_that_is_away_does_not_end_it() {
        let company = Company::of(2);
        let mut place = Place::with(&company).await;
        place.server.stop().await;
        let mut watch = place.start(&["watch", "provision.toml", "--json"]);
        cycles(&mut watch, 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(watch.exited().is_none(), "{}", watch.log());
        stopped(&mut watch, Signal::TERM);
        let status = place.json("status", &[]).await.ends(0).answer();
        assert!(status["state"]["quarantine"].is_object(), "{status}");
    }
}
