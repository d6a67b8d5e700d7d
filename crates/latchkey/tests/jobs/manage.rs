//! Jobs are defined, told and looked at over the API.

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::scene::{DAILY, Scene, definition};
use crate::support::api::{assert_problem, audit_of};
use crate::support::{list, text};

on_both! {
    async fn a_job_waits_runs_pauses_and_forgets(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        scene.person("ada@q.example").await;
        let fresh = scene.api.get(&scene.at("")).await.expect(200).json();
        assert_eq!((text(&fresh, "/schedule/state"), text(&fresh, "/status/code")), ("Disabled", "NotConfigured"));
        assert_eq!(text(&fresh, "/schedule/interval"), "PT86400S");
        let status = scene.start().await;
        assert_eq!(text(&status, "/lastExecution/state"), "Succeeded", "{status}");
        scene.until(&[("ada@q.example", true)]).await;

        scene.tell("/pause").await;
        scene.until_status("paused", |status| status["code"] == "Paused").await;
        scene.person("boris@q.example").await;
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        assert_eq!(scene.members().await.len(), 1, "a job that is paused does nothing");
        scene.tell("/start").await;
        scene.until(&[("ada@q.example", true), ("boris@q.example", true)]).await;

        let kind = |status: &Value| text(status, "/lastExecution/kind").to_owned();
        scene.until_status("incremental", |status| kind(status) == "incremental").await;
        let wrong = scene.api.post(&scene.at("/restart"), &json!({ "criteria": { "resetScope": "All" } })).await;
        assert!(assert_problem(&wrong, 400).contains("Watermark"), "it says what there is");
        scene.tell("/restart").await;
        scene.until_status("read anew", |status| kind(status) == "initial").await;
        assert_eq!(scene.members().await.len(), 2, "nobody is made twice");
        let told: Vec<String> = audit_of(&scene.api, &scene.job)
            .await
            .iter()
            .map(|record| text(record, "/action").to_owned())
            .collect();
        let wanted = ["added", "secrets_set", "started", "paused", "started", "restarted"];
        assert_eq!(told, wanted.map(|word| format!("provisioning_job.{word}")), "each is on record");
    }

    async fn a_preview_is_applied_and_a_cycle_taken_back(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        let ada = scene.person("ada@q.example").await;
        let preview = scene.api.post(&scene.at("/preview"), &json!({})).await.expect(200).json();
        let made: Vec<&str> = list(&preview, "/entries").iter().map(|entry| text(entry, "/action")).collect();
        assert_eq!(made, ["create"], "{preview}");
        assert_eq!(scene.members().await, [], "nothing was written");
        let applied = scene.api.post(&scene.at("/apply"), &json!({ "plan": preview["plan"] })).await;
        assert_eq!(applied.expect(200).json()["cycle"]["counts"]["created"], 1);
        scene.start().await;
        scene.patch(&ada, json!({ "enabled": false })).await;
        scene.until(&[("ada@q.example", false)]).await;
        let undone = scene.api.post(&scene.at("/undo"), &json!({})).await.expect(200).json();
        assert_eq!(list(&undone, "/entries").len(), 1, "{undone}");
        scene.until(&[("ada@q.example", true)]).await;
        let nothing = scene.api.post(&scene.at("/undo"), &json!({ "object": "nobody" })).await;
        assert!(assert_problem(&nothing, 400).contains("take back"));
    }

    async fn one_person_is_brought_in_step_on_demand(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        let ada = scene.person("ada@q.example").await;
        scene.person("boris@q.example").await;
        let wish = |id: &str, kind: &str| {
            json!({ "parameters": [{ "ruleId": "x", "subjects": [{ "objectId": id, "objectTypeName": kind }] }] })
        };
        let path = scene.at("/provisionOnDemand");
        let pair = scene.api.post(&path, &wish(&ada, "User")).await.expect(200).json();
        let key: Value = serde_json::from_str(text(&pair, "/key")).expect("JSON in a text");
        assert_eq!(key["result"], "Success", "{pair}");
        assert_eq!(scene.members().await, [("ada@q.example".to_owned(), true)], "and nobody else");
        let again = scene.api.post(&path, &wish("ADA@q.example", "User")).await.expect(200).json();
        let key: Value = serde_json::from_str(text(&again, "/key")).expect("JSON in a text");
        assert_eq!(key["result"], "Skipped", "{again}");
        let nobody = scene.api.post(&path, &wish("nobody", "User")).await;
        assert!(assert_problem(&nobody, 400).contains("nobody"));
    }

    async fn secrets_are_shown_to_nobody_and_credentials_are_tested(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        let shown = scene.api.get(&scene.at("/secrets")).await.expect(200).json();
        assert_eq!(shown, json!({ "value": [{ "key": "SecretToken", "value": "*" }] }));
        let path = scene.at("/validateCredentials");
        let good = scene.api.post(&path, &json!({})).await.expect(200).json();
        assert_eq!(good["ok"], true, "{good}");
        let given = json!({ "useSavedCredentials": false, "credentials": [{ "key": "SecretToken", "value": "wrong" }] });
        let bad = scene.api.post(&path, &given).await.expect(200).json();
        assert_eq!(bad["ok"], false, "{bad}");
        // A stored credential is never shown to an address that the caller chooses.
        let elsewhere = json!({ "credentials": [{ "key": "BaseAddress", "value": "http://127.0.0.1:9" }] });
        assert_problem(&scene.api.post(&path, &elsewhere).await, 400);
        let unknown = json!({ "value": [{ "key": "Passwort", "value": "x" }] });
        assert!(assert_problem(&scene.api.put(&scene.at("/secrets"), &unknown).await, 400).contains("SecretToken"));
        // What is sealed under a key that is replaced is sealed anew.
        server.cli(&["vault", "rotate-keys", "--workspace", "Company"]).await.success();
        let still = scene.api.post(&path, &json!({})).await.expect(200).json();
        assert_eq!(still["ok"], true, "{still}");
    }

    async fn a_definition_reads_nothing_of_the_server(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        let good = definition(&scene.app, DAILY).replace("To the app", "Another");
        for (from, to, said) in [
            ("kind = \"embedded\"", "kind = \"csv\"\nusers = \"/etc/passwd\"", "reads no files of the server"),
            ("[target]", "[target]\ntoken_file = \"/etc/shadow\"", "SecretToken"),
            ("[target]", "[target]\ntoken_env = \"DATABASE_URL\"", "SecretToken"),
            ("[target]", "[target]\nca_file = \"/etc/shadow\"", "reads no files of the server"),
            ("kind = \"embedded\"", "kind = \"embedded\"\nworkspace = \"App\"", "leave it out"),
            ("[job]", "[jobs]", "the section is missing"),
        ] {
            let body = json!({ "definition": good.replace(from, to) });
            let told = assert_problem(&scene.api.post("/synchronization/jobs", &body).await, 400);
            assert!(told.contains(said), "{told}");
        }
        let twice = json!({ "definition": definition(&scene.app, DAILY) });
        assert_problem(&scene.api.post("/synchronization/jobs", &twice).await, 409);
        let other = scene.app.api();
        for path in ["", "/schema", "/secrets", "/logs", "/cycles"] {
            assert_problem(&other.get(&scene.at(path)).await, 404);
        }
        scene.api.delete(&scene.at("")).await.expect(204);
        assert_problem(&scene.api.get(&scene.at("")).await, 404);
    }

    async fn mappings_are_taken_over_as_a_schema(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        let ada = scene.person("ada@q.example").await;
        scene.patch(&ada, json!({ "attributes": { "jobTitle": "Geologist" } })).await;
        scene.start().await;
        let schema = scene.api.get(&scene.at("/schema")).await.expect(200).json();
        let mut changed = schema.clone();
        let mappings = changed["synchronizationRules"][0]["objectMappings"].as_array_mut().expect("mappings");
        let users = mappings.iter_mut().find(|one| one["sourceObjectName"] == "User").expect("of people");
        let rows = users["attributeMappings"].as_array_mut().expect("rows");
        let mut title = rows[1].clone();
        title["targetAttributeName"] = json!("title");
        title["matchingPriority"] = json!(0);
        title["source"] =
            json!({ "type": "Attribute", "name": "jobTitle", "expression": "[jobTitle]", "parameters": [] });
        rows.push(title);
        scene.api.put(&scene.at("/schema"), &changed).await.expect(200);
        assert_eq!(scene.api.get(&scene.at("/schema")).await.expect(200).json(), changed);
        scene.tell("/start").await;
        let begun = std::time::Instant::now();
        loop {
            let found = scene.app.scim().get("/Users?filter=userName%20eq%20%22ada%40q.example%22").await;
            if found.expect(200).json()["Resources"][0]["title"] == "Geologist" {
                break;
            }
            assert!(begun.elapsed().as_secs() < 30, "{}", scene.status().await);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        scene.api.delete(&scene.at("/schema")).await.expect(204);
        assert_ne!(scene.api.get(&scene.at("/schema")).await.expect(200).json(), changed);
        let tried = json!({ "expression": "Join(\"-\", [a], \"x\")",
            "testInputObject": { "properties": [{ "key": "a", "value": "y" }] } });
        let path = scene.at("/schema/parseExpression");
        let told = scene.api.post(&path, &tried).await.expect(200).json();
        assert_eq!(told["evaluationResult"], json!(["y-x"]), "{told}");
        let broken = scene.api.post(&path, &json!({ "expression": "Join(" })).await.expect(200).json();
        assert_eq!(broken["parsingSucceeded"], false);
    }

    async fn a_log_is_searched_and_written_as_a_table(server: &Server) {
        let scene = Scene::new(server, DAILY).await;
        for name in ["ada@q.example", "boris@q.example", "=cmd@q.example"] {
            scene.person(name).await;
        }
        scene.start().await;
        let all = scene.api.get(&scene.at("/logs?limit=2")).await.expect(200).json();
        assert_eq!(list(&all, "/value").len(), 2);
        let next = scene.at(&format!("/logs?limit=2&cursor={}", text(&all, "/next")));
        assert_eq!(list(&scene.api.get(&next).await.expect(200).json(), "/value").len(), 1);
        let one = scene.api.get(&scene.at("/logs?object=boris&action=create")).await.expect(200).json();
        assert_eq!(text(&one, "/value/0/label"), "boris@q.example", "{one}");
        assert_problem(&scene.api.get(&scene.at("/logs?status=fine")).await, 400);
        let table = scene.api.get(&scene.at("/logs?format=csv")).await.expect(200);
        let table = table.text();
        assert!(table.starts_with("time,cycle,kind,object"), "{table}");
        assert!(table.contains("'=cmd@q.example"), "no cell is a formula: {table}");
        let cycles = scene.api.get(&scene.at("/cycles")).await.expect(200).json();
        assert_eq!(list(&cycles, "/value").len(), 1, "{cycles}");
    }
}
