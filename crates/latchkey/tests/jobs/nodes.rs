//! A node that dies gives its jobs to the next one.

use std::time::{Duration, Instant};

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::scene::{DAILY, Scene};

on_both! {
    /// Killed without a word, and started again: the job goes on within its lease.
    async fn a_job_goes_on_after_its_server_was_killed(server: &mut Server) {
        let scene = Scene::new(server, DAILY).await;
        let mut people = Vec::new();
        for number in 0..60 {
            people.push(scene.person(&format!("p{number:02}@q.example")).await);
        }
        scene.tell("/start").await;
        // In the middle of its first cycle, if it is so far by then.
        tokio::time::sleep(Duration::from_millis(400)).await;
        server.kill().await;
        server.restart().await;
        let begun = Instant::now();
        scene.until_status("a whole cycle", |status| status["lastSuccessfulExecution"].is_object()).await;
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
        assert_eq!(scene.members().await.len(), 60, "nobody is made twice");
        scene.patch(&people[0], json!({ "enabled": false })).await;
        let out = async || scene.members().await.iter().filter(|(_, active)| !active).count();
        while out().await == 0 {
            assert!(begun.elapsed() < Duration::from_secs(50), "{}", scene.status().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
