//! The audit log: chained, complete, and honest about what was done to it.

use std::time::{Duration, Instant};

use latchkey_testkit::{CliOutput, Server, Workspace, on_both};
use serde_json::json;

use crate::support::scim::{patch, set_active, user_id};
use crate::support::{api, text};
use crate::tamper;

/// A workspace with a log worth forging, all of it sealed.
async fn logged(server: &Server, name: &str) -> Workspace {
    let workspace = server.workspace(name).await;
    let scim = workspace.scim();
    for at in 0..6 {
        let id = user_id(&scim, &format!("p{at}@corp.example")).await;
        scim.patch(&format!("/Users/{id}"), &patch(json!({"op": "replace", "path": "title", "value": "x"})))
            .await;
        set_active(&scim, &id, at % 2 == 0).await;
    }
    wait_until_sealed(&workspace).await;
    workspace
}

async fn wait_until_sealed(workspace: &Workspace) {
    let started = Instant::now();
    loop {
        let said = workspace.api().get("/audit/verify").await.expect(200).json();
        assert_eq!(said["ok"], json!(true), "{said}");
        if said["unsealed"] == json!(0) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the tail is never sealed: {said}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn verify(server: &Server, workspace: &str) -> CliOutput {
    server.cli(&["audit", "verify", "--workspace", workspace]).await
}

on_both! {
    async fn an_untouched_log_verifies_and_tells_its_length(server: &Server) {
        let workspace = logged(server, "whole").await;
        let records = api::audit(&workspace.api()).await.len();
        let said = server.cli(&["audit", "verify", "--workspace", "whole", "--json"]).await;
        let said = said.success().json();
        let text = said.to_string();
        assert!(text.contains(&records.to_string()), "{records} records: {said}");
        let all = server.cli(&["audit", "verify"]).await;
        assert!(all.success().stdout.contains("whole"), "each workspace by name: {all:?}");
        let by_api = workspace.api().get("/audit/verify").await.expect(200).json();
        assert_eq!((&by_api["ok"], &by_api["records"]), (&json!(true), &json!(records)), "{by_api}");
    }

    async fn a_record_that_was_altered_or_removed_is_found(server: &Server) {
        let table = tamper::AUDIT_TABLE;
        let forgeries = [
            (
                "altered",
                format!("update {table} set action = 'member.updated' where action = 'member.disabled'"),
            ),
            (
                "moved in time",
                format!("update {table} set at = at - 1000000 where action = 'member.created'"),
            ),
            (
                "given to another",
                format!("update {table} set target_id = 'nobody' where action = 'member.disabled'"),
            ),
            ("reworded", format!("update {table} set detail = '{{}}' where action = 'member.disabled'")),
            (
                "removed",
                format!(
                    "delete from {table} where id = (select id from {table} where action = 'member.disabled' limit 1)"
                ),
            ),
        ];
        for (at, (how, statement)) in forgeries.into_iter().enumerate() {
            let name = format!("forged-{at}");
            let workspace = logged(server, &name).await;
            verify(server, &name).await.success();
            let narrowed = narrow(server, &statement, &workspace);
            assert!(tamper::run(server, &narrowed).await > 0, "{how}: {narrowed} touched nothing");
            let said = verify(server, &name).await;
            assert_ne!(said.status, 0, "{how} went unseen: {said:?}");
            assert!(!format!("{}{}", said.stdout, said.stderr).contains("panicked"), "{said:?}");
            let by_api = workspace.api().get("/audit/verify").await.expect(200).json();
            assert_eq!(by_api["ok"], json!(false), "{how}: {by_api}");
            assert!(by_api.to_string().len() > 20, "and says where: {by_api}");
        }
        let untouched = logged(server, "beside").await;
        verify(server, &untouched.name).await.success();
        assert_ne!(server.cli(&["audit", "verify"]).await.status, 0, "of all workspaces, some are forged");
    }

    async fn two_records_that_changed_places_are_found(server: &Server) {
        let workspace = logged(server, "places").await;
        let table = tamper::AUDIT_TABLE;
        let who = literal(server, &workspace.id);
        let created = format!("from {table} where workspace_id = {who} and action = 'member.created'");
        let first = tamper::ask(server, &format!("select target_id {created} order by id asc limit 1")).await;
        let last = tamper::ask(server, &format!("select target_id {created} order by id desc limit 1")).await;
        assert!(!first.is_empty() && first != last, "{first} {last}");
        for (from, to) in [(first.as_str(), "held"), (last.as_str(), first.as_str()), ("held", last.as_str())]
        {
            let sql = format!(
                "update {table} set target_id = '{to}' where workspace_id = {who} \
                 and action = 'member.created' and target_id = '{from}'"
            );
            assert_eq!(tamper::run(server, &sql).await, 1, "{sql}");
        }
        assert_ne!(verify(server, "places").await.status, 0);
    }

    async fn the_newest_records_cannot_be_cut_off_unseen(server: &Server) {
        let workspace = logged(server, "tail").await;
        let table = tamper::AUDIT_TABLE;
        let who = literal(server, &workspace.id);
        let sql = format!(
            "delete from {table} where workspace_id = {who} and id in (select id from {table} where workspace_id = {who} order by id desc limit 2)"
        );
        assert_eq!(tamper::run(server, &sql).await, 2);
        assert_ne!(verify(server, "tail").await.status, 0, "the chain's head is kept apart from the records");
    }

    async fn each_change_has_its_record_with_actor_cause_and_target(server: &Server) {
        let workspace = server.workspace("records").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let ida = user_id(&scim, "ida@corp.example").await;
        let bank = api::account(&api, "Bank", "privileged").await;
        let grant = api::grant_member(&api, &ida, &bank).await;
        let request = "018f0000-0000-7000-8000-0000000000aa";
        let body = patch(json!({"op": "replace", "path": "active", "value": false})).to_string();
        let answer = scim
            .send("PATCH", &format!("/Users/{ida}"), &[("x-request-id", request)], body)
            .await
            .expect(200);
        assert!(answer.header("x-request-id").is_some(), "an answer names its request: {answer:?}");
        let records = api::audit(&api).await;
        let one = |action: &str, target: &str| {
            let found: Vec<_> = records
                .iter()
                .filter(|record| record["action"] == action && record["target_id"] == target)
                .collect();
            assert_eq!(found.len(), 1, "{action} of {target}: {records:?}");
            found[0].clone()
        };
        for (action, target, actor) in [
            ("member.created", &ida, "directory"),
            ("account.added", &bank, "member"),
            ("grant.given", &grant, "member"),
            ("member.disabled", &ida, "directory"),
        ] {
            let record = one(action, target);
            assert!(text(&record, "/actor").starts_with(actor), "{record}");
            assert!(
                text(&record, "/at").ends_with('Z') && !text(&record, "/request_id").is_empty(),
                "{record}"
            );
        }
        let case = api::case_of(&api, &ida).await;
        let out = one("member.disabled", &ida);
        assert_eq!(out["request_id"], case["request_id"], "the case and the record have one cause");
        assert!(out["detail"].to_string().contains(text(&case, "/id")), "{out}");
        let by_action = api::all(&api, "/audit?action=member.disabled").await;
        assert_eq!(by_action.len(), 1, "{by_action:?}");
        assert_eq!(api::audit_of(&api, &grant).await.len(), 1);
        let listed = api::all(&api, "/audit").await;
        let after = api::all(&api, &format!("/audit?after={}", text(&listed[1], "/id"))).await;
        assert_eq!(after, listed[2..], "after one, in the order of the list");
    }
}

/// A workspace's id as the database writes it: bytes in SQLite, a UUID in PostgreSQL.
fn literal(server: &Server, id: &str) -> String {
    match server.database_url() {
        Some(_) => format!("'{id}'"),
        None => format!("X'{}'", id.replace('-', "")),
    }
}

/// The statement, within the workspace alone.
fn narrow(server: &Server, statement: &str, workspace: &Workspace) -> String {
    let who = literal(server, &workspace.id);
    statement.replace(" where ", &format!(" where workspace_id = {who} and "))
}
