//! A workspace with a directory and a job, and the application that the job provisions to.

use std::time::{Duration, Instant};

use latchkey_testkit::{Client, Server, Workspace};
use serde_json::{Value, json};

use crate::support::{list, text};

pub(crate) struct Scene {
    /// Whose directory and job it is.
    pub(crate) company: Workspace,
    /// Where people are provisioned to.
    pub(crate) app: Workspace,
    pub(crate) api: Client,
    pub(crate) job: String,
}

impl Scene {
    pub(crate) async fn new(server: &Server, extra: &str) -> Self {
        let (company, app) = (server.workspace("Company").await, server.workspace("App").await);
        let api = company.api();
        let made = api.post("/synchronization/jobs", &json!({ "definition": definition(&app, extra) })).await;
        let job = text(&made.expect(201).json(), "/id").to_owned();
        let scene = Self { company, app, api, job };
        let secrets = json!({ "value": [{ "key": "SecretToken", "value": scene.app.scim_token }] });
        scene.api.put(&scene.at("/secrets"), &secrets).await.expect(204);
        scene
    }

    pub(crate) fn at(&self, rest: &str) -> String {
        format!("/synchronization/jobs/{}{rest}", self.job)
    }

    pub(crate) async fn tell(&self, what: &str) {
        self.api.post(&self.at(what), &json!({})).await.expect(204);
    }

    pub(crate) async fn status(&self) -> Value {
        self.api.get(&self.at("")).await.expect(200).json()["status"].clone()
    }

    pub(crate) async fn person(&self, name: &str) -> String {
        let made = self.api.post("/directory/people", &json!({ "name": name })).await.expect(201).json();
        text(&made, "/id").to_owned()
    }

    pub(crate) async fn patch(&self, id: &str, change: Value) {
        self.api.patch(&format!("/directory/people/{id}"), &change).await.expect(200);
    }

    /// The members of the application whom the directory keeps, by name: whether each is active.
    pub(crate) async fn members(&self) -> Vec<(String, bool)> {
        let answer = self.app.scim().get("/Users?count=1000").await.expect(200).json();
        let mut all: Vec<(String, bool)> = list(&answer, "/Resources")
            .iter()
            .map(|user| (text(user, "/userName").to_owned(), user["active"] == json!(true)))
            .filter(|(name, _)| !name.starts_with("owner@"))
            .collect();
        all.sort();
        all
    }

    /// Waits until the application has just these.
    pub(crate) async fn until(&self, wanted: &[(&str, bool)]) {
        let wanted: Vec<(String, bool)> = wanted.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect();
        let begun = Instant::now();
        loop {
            let found = self.members().await;
            if found == wanted {
                return;
            }
            if begun.elapsed() > Duration::from_secs(30) {
                panic!("the application has {found:?} and not {wanted:?}; {}", self.status().await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the job's status is so.
    pub(crate) async fn until_status(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.status().await;
            if is_so(&status) {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "never {what}: {status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the job, and waits for the end of a whole cycle.
    pub(crate) async fn start(&self) -> Value {
        self.tell("/start").await;
        self.until_status("a whole cycle", |status| status["lastSuccessfulExecution"].is_object()).await
    }
}

pub(crate) fn definition(app: &Workspace, extra: &str) -> String {
    format!(
        "[job]\nname = \"To the app\"\n{extra}\n[source]\nkind = \"embedded\"\n\n\
         [target]\nurl = \"{}\"\n\n[users]\nmappings = \"latchkey\"\n\n[groups]\nmappings = \"default\"\n",
        app.scim_url()
    )
}

/// Once a day: whatever happens before is not the schedule's doing.
pub(crate) const DAILY: &str = "schedule = \"1d\"\n";
