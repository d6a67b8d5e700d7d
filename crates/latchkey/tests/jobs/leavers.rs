//! Whoever leaves the directory is out of the application at once, whatever the schedule says.
//!
//! How many leavers are measured can be set: `LATCHKEY_LEAVERS=1000`, as `cargo xtask soak directory` does.

use std::time::{Duration, Instant};

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::scene::{DAILY, Scene};
use crate::support::{list, text};

/// Shows what was measured.
#[expect(clippy::print_stdout, reason = "a soak reads it")]
fn tell(words: std::fmt::Arguments<'_>) {
    println!("{words}");
}

/// Leavers of the measurement.
fn leavers() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let set = std::env::var("LATCHKEY_LEAVERS");
    set.ok().map_or(50, |text| text.parse().expect("LATCHKEY_LEAVERS is a number"))
}

on_both! {
    /// From disable in the directory to access gone: the 99th of a hundred within a second.
    async fn leavers_are_out_within_a_second(server: &Server) {
        let scene = Scene::new(server, &format!("{DAILY}deletion_limit = 100000\n")).await;
        let leavers = leavers();
        let mut people = Vec::new();
        for number in 0..leavers {
            people.push(scene.person(&format!("p{number:02}@quarry.example")).await);
        }
        scene.start().await;
        let filter = "/Users?count=0&filter=active%20eq%20true";
        let found = scene.app.scim().get(filter).await.expect(200).json()["totalResults"].as_u64();
        assert_eq!(found, Some(leavers as u64 + 1), "all of them, and the owner");
        let scim = scene.app.scim();
        let mut took = Vec::new();
        for (number, id) in people.iter().enumerate() {
            let begun = Instant::now();
            scene.patch(id, json!({ "enabled": false })).await;
            let filter = format!("/Users?filter=userName%20eq%20%22p{number:02}%40quarry.example%22");
            loop {
                let found = scim.get(&filter).await.expect(200).json();
                if found["Resources"][0]["active"] == json!(false) {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(20), "never: {}", scene.status().await);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        let p99 = took[(leavers * 99).div_ceil(100) - 1];
        tell(format_args!("{leavers} leavers: p50 {:?}, p99 {p99:?}, max {:?}", took[leavers / 2], took[leavers - 1]));
        assert!(p99 < Duration::from_secs(1), "p99 is {p99:?}, and the longest {:?}", took.last());
    }

    /// Deleted, unassigned directly or by a group: out all the same. Back again, they wait for the cycle.
    async fn whoever_is_deleted_or_unassigned_is_out(server: &Server) {
        let scene = Scene::new(server, &format!("{DAILY}scope = \"assigned\"\n")).await;
        let api = &scene.api;
        let mut ids = Vec::new();
        for name in ["ada@q.example", "boris@q.example", "clara@q.example", "dora@q.example"] {
            ids.push(scene.person(name).await);
        }
        let group = api.post("/directory/groups", &json!({ "name": "Geology" })).await.expect(201).json();
        let group = text(&group, "/id").to_owned();
        let seats = format!("/directory/groups/{group}/members");
        api.post(&seats, &json!({ "add": [ids[1], ids[2]] })).await.expect(204);
        let given = json!({ "application": "App" });
        for path in [format!("/directory/people/{}", ids[0]), format!("/directory/groups/{group}")] {
            api.post(&format!("{path}/assignments"), &given).await.expect(204);
        }
        scene.start().await;
        scene.until(&[("ada@q.example", true), ("boris@q.example", true), ("clara@q.example", true)]).await;

        api.delete(&format!("/directory/people/{}", ids[2])).await.expect(204);
        scene.until(&[("ada@q.example", true), ("boris@q.example", true), ("clara@q.example", false)]).await;
        api.post(&seats, &json!({ "remove": [ids[1]] })).await.expect(204);
        scene.until(&[("ada@q.example", true), ("boris@q.example", false), ("clara@q.example", false)]).await;
        api.delete(&format!("/directory/people/{}/assignments?application=App", ids[0])).await.expect(204);
        scene.until(&[("ada@q.example", false), ("boris@q.example", false), ("clara@q.example", false)]).await;
        // The log says why.
        let log = api.get(&scene.at("/logs?action=disable")).await.expect(200).json();
        let codes: Vec<&str> = list(&log, "/value").iter().map(|entry| text(entry, "/status")).collect();
        assert_eq!(codes, ["success"; 3], "{log}");
    }

    /// Another process writes: the command line beside the server. The feed is polled.
    async fn a_command_beside_the_server_has_a_leaver_out(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        scene.person("ada@q.example").await;
        scene.start().await;
        scene.until(&[("ada@q.example", true)]).await;
        let begun = Instant::now();
        server.cli(&["directory", "person", "disable", "ada@q.example", "--workspace", "Company"]).await.success();
        scene.until(&[("ada@q.example", false)]).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    /// More than the limit are held, and wait for a person's word (P3).
    async fn more_leavers_than_the_limit_wait_for_a_word(server: &Server) {
        let scene = Scene::new(server, &format!("{DAILY}deletion_limit = 2\n")).await;
        let mut people = Vec::new();
        for number in 0..6 {
            people.push(scene.person(&format!("p{number}@q.example")).await);
        }
        scene.start().await;
        for id in &people[..5] {
            scene.patch(id, json!({ "enabled": false })).await;
        }
        let status = scene.until_status("in quarantine", |status| status["code"] == "Quarantine").await;
        // At once, not at the next cycle; and at most two were out before.
        assert_eq!(status["quarantine"]["reason"], "TooManyDeletes", "{status}");
        let active = scene.members().await.iter().filter(|(_, active)| *active).count();
        assert!(active >= 4, "{active} are left");
        let body = json!({ "criteria": { "resetScope": "ForceDeletes" } });
        scene.api.post(&scene.at("/restart"), &body).await.expect(204);
        scene.until_status("lifted", |status| status["code"] == "Active" && status["totals"]["held"] == 0).await;
        let active = scene.members().await.iter().filter(|(_, active)| *active).count();
        assert_eq!(active, 1);
    }

    /// A long cycle of the same job is under way: the leaver goes in between, and stays out.
    async fn a_leaver_does_not_wait_for_the_end_of_a_cycle(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        let slow = json!({ "definition": crate::scene::definition(&scene.app, DAILY)
            .replace("[target]", "[target]\nrequests_per_second = 250") });
        scene.api.put(&scene.at(""), &slow).await.expect(200);
        let rows: Vec<String> = (0..1_200).map(|n| format!("{n},p{n:04}@q.example")).collect();
        let file = server.data().join("people.csv");
        std::fs::write(&file, format!("id,userName\n{}\n", rows.join("\n"))).expect("it is written");
        let file = file.to_str().expect("a path of letters");
        let made = server.cli(&["directory", "import", file, "--workspace", "Company", "--json"]).await;
        assert_eq!(made.success().json()["added"], 1_200);
        scene.tell("/start").await;
        let scim = scene.app.scim();
        let first = "/Users?filter=userName%20eq%20%22p0000%40q.example%22";
        let state = async || scim.get(first).await.expect(200).json()["Resources"][0]["active"].clone();
        // Of the first portion, and put down.
        scene.until_status("past a portion", |status| {
            status["progress"][0]["completedUnits"].as_u64().is_some_and(|done| done >= 512)
        }).await;
        assert_eq!(state().await, json!(true));
        server.cli(&["directory", "person", "disable", "p0000@q.example", "--workspace", "Company"]).await.success();
        let begun = Instant::now();
        while state().await != json!(false) {
            assert!(begun.elapsed() < Duration::from_secs(20), "never: {}", scene.status().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let status = scene.status().await;
        assert!(status["lastExecution"].is_null(), "the cycle had not ended: {status}");
        scene.until_status("a whole cycle", |status| status["lastSuccessfulExecution"].is_object()).await;
        assert_eq!(state().await, json!(false), "what the cycle had read before is not written over it");
    }
}
