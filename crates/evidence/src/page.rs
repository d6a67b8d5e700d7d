//! The report as a page: one file without links to others, to be read, kept and printed.

use askama::Template;
use latchkey_kernel::Timestamp;

use crate::report::{Account, Report};
use crate::sign::Signed;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'r> {
    report: &'r Report,
    signed: &'r Signed,
    fingerprint: String,
    clock: Vec<Event>,
    changed: Vec<Row<'r>>,
    kept: Vec<&'r Account>,
}

struct Event {
    name: &'static str,
    at: String,
    after: String,
}

struct Row<'r> {
    account: &'r Account,
    could: String,
    seen: String,
    changed: String,
    proof: String,
}

/// The page of a signed report.
///
/// # Errors
/// When it cannot be put together, which would be a mistake of ours.
pub fn page(signed: &Signed) -> Result<String, askama::Error> {
    let report = &signed.report;
    let page = Page {
        report,
        signed,
        fingerprint: signed.fingerprint().unwrap_or_default(),
        clock: clock(report),
        changed: report.accounts.iter().filter(|account| account.decision == "rotate").map(row).collect(),
        kept: report.accounts.iter().filter(|account| account.decision != "rotate").collect(),
    };
    page.render()
}

fn clock(report: &Report) -> Vec<Event> {
    let clock = &report.clock;
    let began = clock.access_cut_at;
    let events = [
        ("Access ended", clock.access_cut_at),
        ("First password changed and checked", clock.first_verified_at),
        ("Last password changed and checked", clock.last_verified_at),
        ("Safe: nothing that they knew works", clock.safe_at),
    ];
    let event = |(name, at): (&'static str, Option<Timestamp>)| {
        let at = at?;
        let after = began.map(|began| at.since(began).as_secs_f64()).map(|seconds| format!("{seconds:.3} s"));
        Some(Event { name, at: time(at), after: after.unwrap_or_default() })
    };
    events.into_iter().filter_map(event).collect()
}

fn row(account: &Account) -> Row<'_> {
    let teams: Vec<&str> = account.ways.iter().filter_map(|way| way.team.as_deref()).collect();
    let could = match (&account.permission, teams.as_slice()) {
        (None, _) => "nothing any more".to_owned(),
        (Some(permission), []) => permission.clone(),
        (Some(permission), teams) => format!("{permission}, through {}", teams.join(", ")),
    };
    let seen = match account.knowledge.as_slice() {
        [] => "never".to_owned(),
        [one] => format!("{}, {}", one.kind, time(one.at)),
        [.., last] => format!("{} times, last {}", account.knowledge.len(), time(last.at)),
    };
    let change = account.change.as_ref();
    let changed = match change {
        Some(change) => change.committed_at.map_or_else(|| change.state.replace('_', " "), time),
        None => "planned".to_owned(),
    };
    let mut proof = Vec::new();
    if let Some(change) = change {
        proof.extend(change.verified_at.map(|_| "new opens".to_owned()));
        proof.extend(change.old_refused_at.map(|_| "old refused".to_owned()));
        proof.extend(change.sessions_ended.filter(|n| *n > 0).map(|n| format!("{n} sessions ended")));
        proof.extend(change.failure.clone());
    }
    Row { account, could, seen, changed, proof: proof.join(", ") }
}

fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.trim_end_matches('Z').replace('T', " ")
}
