//! The management API's shapes.

use std::collections::BTreeSet;

use latchkey_testkit::{Answer, Client};
use serde_json::{Value, json};

use super::{enc, list, text};

/// Every item of a list, over all its pages.
pub(crate) async fn all(api: &Client, path: &str) -> Vec<Value> {
    let join = if path.contains('?') { '&' } else { '?' };
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}{join}limit=100{cursor}")).await.expect(200).json();
        assert!(page["items"].is_array(), "a list has items: {page}");
        items.extend(list(&page, "/items").iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", enc(next)),
            None => return items,
        }
        assert!(items.len() < 200_000, "{path} never ends");
    }
}

/// Makes a thing and gives its id.
pub(crate) async fn make(api: &Client, path: &str, body: Value) -> String {
    let made = api.post(path, &body).await.expect(201).json();
    let id = text(&made, "/id").to_owned();
    assert!(!id.is_empty(), "POST {path} gives an id: {made}");
    id
}

/// An account of this name; `sensitivity` is `standard`, `privileged` or `critical`.
pub(crate) async fn account(api: &Client, name: &str, sensitivity: &str) -> String {
    make(api, "/accounts", json!({"name": name, "app": "Example", "sensitivity": sensitivity})).await
}

/// Gives a member an account.
pub(crate) async fn grant_member(api: &Client, member: &str, account: &str) -> String {
    make(api, "/grants", json!({"member_id": member, "account_id": account, "permission": "use"})).await
}

/// Gives a team an account.
pub(crate) async fn grant_team(api: &Client, team: &str, account: &str) -> String {
    make(api, "/grants", json!({"team_id": team, "account_id": account, "permission": "use"})).await
}

/// The accounts that a member may use now.
pub(crate) async fn access(api: &Client, member: &str) -> BTreeSet<String> {
    all(api, &format!("/members/{member}/access"))
        .await
        .iter()
        .filter(|item| item["permission"].is_string())
        .map(|item| text(item, "/account_id").to_owned())
        .collect()
}

/// Why a member may not use an account that something would let them reach: the words of each
/// reach that does not count.
pub(crate) async fn denials(api: &Client, member: &str, account: &str) -> BTreeSet<String> {
    all(api, &format!("/members/{member}/access"))
        .await
        .iter()
        .filter(|item| item["account_id"] == account)
        .flat_map(|item| list(item, "/why"))
        .map(|why| text(why, "/denial").to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether a member may use an account, by the explanation.
pub(crate) async fn allowed(api: &Client, member: &str, account: &str) -> bool {
    let explained = api.get(&format!("/explain?member={member}&account={account}")).await.expect(200).json();
    explained["allowed"].as_bool().unwrap_or_else(|| panic!("an explanation says `allowed`: {explained}"))
}

/// The members who may use an account now.
pub(crate) async fn who(api: &Client, account: &str) -> BTreeSet<String> {
    all(api, &format!("/accounts/{account}/access"))
        .await
        .iter()
        .filter(|item| item["permission"].is_string())
        .map(|item| text(item, "/member_id").to_owned())
        .collect()
}

/// A member has no access, by every way of asking.
pub(crate) async fn assert_no_access(api: &Client, member: &str, accounts: &[&str]) {
    assert_eq!(access(api, member).await, BTreeSet::new(), "{member} has access to nothing");
    for account in accounts {
        assert!(!allowed(api, member, account).await, "{member} is not allowed {account}");
        assert!(!who(api, account).await.contains(member), "{account} does not list {member}");
    }
}

/// A member's offboarding cases, oldest first.
pub(crate) async fn cases_of(api: &Client, member: &str) -> Vec<Value> {
    let mut cases = all(api, "/offboardings").await;
    cases.retain(|case| case["member_id"] == member);
    cases.sort_by_key(|case| case["epoch"].as_i64());
    cases
}

/// A member's one case, in full.
pub(crate) async fn case_of(api: &Client, member: &str) -> Value {
    let cases = cases_of(api, member).await;
    assert_eq!(cases.len(), 1, "one case for {member}: {cases:?}");
    api.get(&format!("/offboardings/{}", text(&cases[0], "/id"))).await.expect(200).json()
}

/// A member's one case, once nothing is left to do for it.
pub(crate) async fn closed_case_of(api: &Client, member: &str) -> Value {
    for _ in 0..600 {
        let case = case_of(api, member).await;
        if text(&case, "/state").starts_with("complete") {
            return case;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the case never closes: {}", case_of(api, member).await);
}

/// The accounts that a case's items decide so (`rotate` or `keep`), each with its rule.
pub(crate) fn decided(case: &Value, decision: &str) -> Vec<(String, String)> {
    let mut items: Vec<_> = list(case, "/items")
        .iter()
        .filter(|item| item["decision"] == decision)
        .map(|item| (text(item, "/account_id").to_owned(), text(item, "/rule").to_owned()))
        .collect();
    items.sort();
    items
}

/// The accounts with a planned rotation of this case in this state, as the outbox has them.
pub(crate) async fn rotations(api: &Client, case: &Value, state: &str) -> Vec<String> {
    let mut accounts: Vec<String> = all(api, &format!("/outbox?kind=rotation&state={state}"))
        .await
        .iter()
        .filter(|event| event["case_id"] == case["id"])
        .map(|event| text(event, "/payload/account_id").to_owned())
        .collect();
    accounts.sort();
    accounts
}

/// Waits until this many people's tasks are open: what was planned is then taken up.
pub(crate) async fn until_tasks(api: &Client, count: usize) {
    for _ in 0..600 {
        if all(api, "/tasks").await.len() >= count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{count} tasks are never open: {:?}", all(api, "/rotations").await);
}

/// The audit log's records, oldest first.
pub(crate) async fn audit(api: &Client) -> Vec<Value> {
    in_order(all(api, "/audit").await)
}

/// The records of what requests have done; what the server does by itself goes on.
pub(crate) async fn audit_of_requests(api: &Client) -> Vec<Value> {
    let mut records = audit(api).await;
    records.retain(|record| record["actor"] != "system");
    records
}

/// The audit records about one thing.
pub(crate) async fn audit_of(api: &Client, target: &str) -> Vec<Value> {
    in_order(all(api, &format!("/audit?target={target}")).await)
}

/// Ids are of time, so their order is that of the records.
fn in_order(mut records: Vec<Value>) -> Vec<Value> {
    records.sort_by(|one, other| text(one, "/id").cmp(text(other, "/id")));
    records
}

/// A refusal is a problem document (RFC 9457); gives its `detail`.
pub(crate) fn assert_problem(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    let media_type =
        answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert!(media_type.starts_with("application/problem+json"), "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status"], json!(status), "{answer:?}");
    let told = [text(&body, "/title"), text(&body, "/detail")];
    assert!(told.iter().any(|text| !text.is_empty()), "a problem says what it is: {body}");
    told.join(" ")
}

/// A secret of an account, stored by the caller, who is made an owner of it first: no role opens one.
pub(crate) async fn secret(api: &Client, account: &str, body: Value) -> String {
    let me = api.get("/me").await.expect(200).json();
    let wish = json!({"member_id": text(&me, "/member_id"), "account_id": account, "permission": "own"});
    make(api, "/grants", wish).await;
    make(api, &format!("/accounts/{account}/secrets"), body).await
}
