//! One leaver with a great many accounts: how fast access is cut, and how fast the passwords change at
//! a real PostgreSQL server. Small in every run; `cargo xtask soak leaver` makes it large and reads the
//! figures that it prints.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use latchkey_kernel::Timestamp;
use latchkey_testkit::{Client, Db, Server, Workspace, block_on};
use serde_json::{Value, json};

use crate::support::scim::{set_active, user_id};
use crate::support::{api, list, text};
use crate::target::Target;

const BINARY: &str = env!("CARGO_BIN_EXE_latchkey");
/// Requests that the preparations send at once.
const AT_ONCE: usize = 8;
/// Rotations that the connector performs at once, as many as a node does.
const ROTATIONS_AT_ONCE: usize = 32;

#[expect(clippy::disallowed_methods, reason = "`cargo xtask soak` says how large it is to be")]
fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn every_account_of_a_leaver_is_rotated_and_proved_after_access_was_cut() {
    block_on(async {
        let count = number("LATCHKEY_LEAVER_ACCOUNTS", 12);
        let target = Target::start().await;
        roles(&target, count).await;
        let server = Server::start_durable(Db::Sqlite, BINARY, &[]).await;
        let workspace = server.workspace("load").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let connector = connector(&target, &api).await;
        let folder = api::make(&api, "/collections", json!({"name": "Databases"})).await;
        let me = text(&api.get("/me").await.expect(200).json(), "/member_id").to_owned();
        let connector = connector.as_str();
        let owner = me.as_str();
        let folder_id = folder.as_str();
        together(&workspace, count, |api, n| async move {
            let body = json!({"name": role(n), "app": "PostgreSQL", "username": role(n),
                "sensitivity": "privileged", "collection_id": folder_id, "owner_id": owner});
            let account = api::make(&api, "/accounts", body).await;
            let secret = json!({"kind": "password", "label": "Password", "value": first(n)});
            api::make(&api, &format!("/accounts/{account}/secrets"), secret).await;
            let set = json!({"connector_id": connector});
            api.put(&format!("/accounts/{account}/rotation"), &set).await.expect(200);
        })
        .await;
        let ida = user_id(&scim, "ida@corp.example").await;
        let grant = json!({"member_id": ida, "collection_id": folder, "permission": "view"});
        api::make(&api, "/grants", grant).await;
        let began = Instant::now();
        set_active(&scim, &ida, false).await;
        let answered = began.elapsed();
        let case = finished(&api, &ida, count).await;
        assert_eq!(case["state"], "complete", "{case}\n{}", server.log());
        let all = api::all(&api, "/rotations").await;
        assert_eq!(all.len(), count);
        let cut_at = time(&case, "/cut_at");
        let mut ends = Vec::new();
        let (mut own, mut acts) = (Vec::new(), BTreeMap::<String, i64>::new());
        for rotation in &all {
            assert!(
                rotation["verified_at"].is_string() && rotation["old_refused_at"].is_string(),
                "{rotation}"
            );
            ends.push(time(rotation, "/ended_at"));
            let seen = api.get(&format!("/rotations/{}", text(rotation, "/id"))).await.expect(200).json();
            let steps = list(&seen, "/steps");
            let micros = |step: &Value| step["micros"].as_i64().unwrap_or_default();
            let begun = time(&steps[0], "/at").minus(Duration::from_micros(micros(&steps[0]).unsigned_abs()));
            assert!(begun >= cut_at, "access was cut before: {seen}");
            own.push(time(rotation, "/ended_at").since(begun));
            for step in steps {
                *acts.entry(text(step, "/act").to_owned()).or_default() += micros(step);
            }
        }
        let took = ends.iter().max().map_or(Duration::ZERO, |last| last.since(cut_at));
        own.sort();
        let at = |percent: usize| own[(own.len() * percent / 100).min(own.len() - 1)].as_millis();
        println!(
            "{count} accounts: the leaver's request took {} ms; all rotated and proved after {:.2} s, {:.1} a \
             second; one rotation p50 {} ms, p99 {} ms",
            answered.as_millis(),
            took.as_secs_f64(),
            count as f64 / took.as_secs_f64(),
            at(50),
            at(99),
        );
        let total: i64 = acts.values().sum::<i64>().max(1);
        for (act, micros) in &acts {
            let each = micros / i64::try_from(count).unwrap_or(1);
            println!("  {act:12} {:3} % of the time in acts, {each} µs a rotation", micros * 100 / total);
        }
    });
}

#[test]
fn access_is_cut_in_one_transaction_however_many_grants_there_are() {
    block_on(async {
        let count = number("LATCHKEY_LEAVER_GRANTS", 200);
        let server = Server::start_durable(Db::Sqlite, BINARY, &[]).await;
        let workspace = server.workspace("load").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let ida = user_id(&scim, "ida@corp.example").await;
        let member = ida.as_str();
        together(&workspace, count, |api, n| async move {
            let account = api::account(&api, &format!("account {n}"), "standard").await;
            api::grant_member(&api, member, &account).await;
        })
        .await;
        let grants = api::all(&api, &format!("/grants?member={ida}")).await;
        assert_eq!(grants.len(), count);
        let began = Instant::now();
        set_active(&scim, &ida, false).await;
        let took = began.elapsed();
        assert!(api::all(&api, &format!("/grants?member={ida}")).await.is_empty());
        let case = api::case_of(&api, &ida).await;
        assert_eq!(
            list(&case, "/removed_grants").len(),
            count,
            "all of them, in the one transaction of the cut"
        );
        println!("{count} grants: access cut {} ms after the request was sent", took.as_millis());
        let most = number("LATCHKEY_LEAVER_CUT_MS", 0);
        assert!(
            most == 0 || took.as_millis() < most as u128,
            "{took:?} for {count} grants, and {most} ms allowed"
        );
    });
}

fn role(n: usize) -> String {
    format!("role{n}")
}

fn first(n: usize) -> String {
    format!("First-Passw0rd-{n}")
}

fn time(value: &Value, pointer: &str) -> Timestamp {
    Timestamp::parse(text(value, pointer)).unwrap_or_else(|_| panic!("{pointer} is a time: {value}"))
}

async fn roles(target: &Target, count: usize) {
    let all: Vec<String> =
        (0..count).map(|n| format!("create role {} login password '{}'", role(n), first(n))).collect();
    target.sql(&all.join(";")).await;
}

async fn connector(target: &Target, api: &Client) -> String {
    let config = json!({"host": "127.0.0.1", "port": target.address().port(), "admin": "postgres", "sslmode": "disable"});
    let body = json!({"name": "target", "kind": "postgres", "config": config, "admin": target.admin(),
        "at_once": ROTATIONS_AT_ONCE});
    api::make(api, "/connectors", body).await
}

/// Does something for each number, some at once.
async fn together<F: Future<Output = ()>>(
    workspace: &Workspace,
    count: usize,
    does: impl Fn(Client, usize) -> F,
) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let (next, does) = (&next, &does);
    let lanes = (0..AT_ONCE).map(|_| async move {
        let api = workspace.api();
        loop {
            let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if n >= count {
                return;
            }
            does(api.clone(), n).await;
        }
    });
    futures_util::future::join_all(lanes).await;
}

/// The member's case, once it is closed; a second for each ten accounts, and a minute.
async fn finished(api: &Client, member: &str, count: usize) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60 + count as u64 / 10);
    loop {
        let cases = api::cases_of(api, member).await;
        if text(&cases[0], "/state").starts_with("complete") || Instant::now() > deadline {
            return cases[0].clone();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
