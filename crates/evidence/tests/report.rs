//! The report: its words, its signature, and its page.

use latchkey_evidence::{
    Account, Change, Clock, Exception, Header, Integrity, Knowledge, Ownership, Removed, Report,
    SignatureError, Signed, Signer, Task, Way, page, summary, verify,
};
use latchkey_kernel::id::{AccountId, CaseId, MemberId};
use latchkey_kernel::{SeededEntropy, Timestamp};

const CUT: Timestamp = Timestamp::from_micros(1_795_467_940_000_000);

fn later(seconds: u64) -> Timestamp {
    CUT.plus(std::time::Duration::from_secs(seconds))
}

fn account(name: &str, committed: Option<u64>) -> Account {
    Account {
        id: AccountId::fresh(CUT, &SeededEntropy::new(3)),
        name: name.to_owned(),
        sensitivity: "privileged".to_owned(),
        permission: Some("use".to_owned()),
        ways: vec![Way {
            by: "team".to_owned(),
            permission: "use".to_owned(),
            team: Some("Finance".to_owned()),
            granted_by: None,
        }],
        knowledge: vec![Knowledge { kind: "reveal".to_owned(), version: 2, at: CUT }],
        knew_current: true,
        decision: "rotate".to_owned(),
        rule: "privileged_and_could_use".to_owned(),
        change: Some(Change {
            state: if committed.is_some() { "done" } else { "planned" }.to_owned(),
            verified_at: committed.map(later),
            old_refused_at: committed.map(later),
            committed_at: committed.map(later),
            sessions_ended: Some(2),
            changes_sent: 1,
            failure: None,
        }),
    }
}

fn report() -> Report {
    let entropy = SeededEntropy::new(9);
    let mut report = Report {
        header: Header {
            format: 1,
            software: "0.1.0".to_owned(),
            workspace: "Harbor".to_owned(),
            case: Some(CaseId::fresh(CUT, &entropy)),
            state: "complete".to_owned(),
            member: MemberId::fresh(CUT, &entropy),
            name: "Ruben <b>Castellanos</b>".to_owned(),
            user_name: "ruben@harbor.example".to_owned(),
            external_id: Some("5b0e".to_owned()),
            trigger: "directory_disabled".to_owned(),
            request: None,
            written_at: later(60),
        },
        clock: Clock {
            access_cut_at: Some(CUT),
            first_verified_at: Some(later(2)),
            last_verified_at: Some(later(9)),
            safe_at: Some(later(9)),
        },
        removed: Removed { direct_grants: 4, tokens: 1, teams: vec!["Finance".to_owned()] },
        accounts: vec![account("Ledger", Some(2)), account("Bank", Some(9))],
        ownership: vec![Ownership { account: "Bank".to_owned(), to: None, rule: "owner_left".to_owned() }],
        tasks: vec![],
        exceptions: vec![],
        integrity: Integrity { audit: Some((7, 12)), chain_head: Some("9f3c".to_owned()) },
        summary: String::new(),
    };
    report.summary = summary(&report);
    report
}

#[test]
fn the_summary_says_what_is_safe_and_what_is_not() {
    assert_eq!(
        report().summary,
        "Access of Ruben <b>Castellanos</b> ended at once; 4 direct grants went with it. All 2 passwords that they knew or that are privileged were changed and checked. There are no exceptions."
    );
    let mut open = report();
    open.accounts[1] = account("Bank", None);
    open.tasks.push(Task {
        account: "Bank".to_owned(),
        kind: "change_password".to_owned(),
        state: "open".to_owned(),
        due_at: later(3_600),
        closed_at: None,
        assignee: None,
    });
    assert!(
        summary(&open).ends_with(
            "1 of 2 passwords were changed and checked; 1 is still to be. One task waits for a person."
                .replace("One", "one")
                .as_str()
        )
    );
    open.exceptions
        .push(Exception { account: "Bank".to_owned(), reason: "its sessions could not be ended".to_owned() });
    assert!(summary(&open).ends_with("There is one exception."));
    let mut none = report();
    none.accounts.clear();
    assert!(summary(&none).contains("They knew no password that is still valid"));
    let foreseen = Report { header: Header { case: None, ..report().header }, ..report() };
    assert!(summary(&foreseen).ends_with(
        "left now, access to 2 accounts would end at once, and 2 passwords would have to change."
    ));
}

#[test]
fn a_signed_report_is_checked_by_anybody_and_no_altered_one_passes() {
    let signer = Signer::from_seed(&[7; 32]);
    let signed = signer.sign(report());
    let text = serde_json::to_string_pretty(&signed).expect("it is JSON");
    let read: Signed = serde_json::from_str(&text).expect("it is a report");
    assert_eq!(verify(&read, None), Ok(()));
    assert_eq!(verify(&read, Some(&signer.fingerprint())), Ok(()));
    let other = Signer::from_seed(&[8; 32]);
    assert_eq!(verify(&read, Some(&other.fingerprint())), Err(SignatureError::OtherKey));
    let mut altered = read.clone();
    altered.report.removed.direct_grants = 3;
    assert_eq!(verify(&altered, None), Err(SignatureError::Altered));
    let mut forged = read.clone();
    forged.signature.public_key = other.sign(report()).signature.public_key;
    assert_eq!(verify(&forged, None), Err(SignatureError::Altered));
    let mut cut = read;
    cut.signature.value.truncate(10);
    assert_eq!(verify(&cut, None), Err(SignatureError::Unreadable));
    assert!(!format!("{signer:?}").contains("7, 7"));
}

#[test]
fn the_page_stands_alone_escapes_what_people_wrote_and_has_every_part() {
    let html = page(&Signer::from_seed(&[7; 32]).sign(report())).expect("it renders");
    assert!(
        html.contains("Ruben &#60;b&#62;Castellanos") && !html.contains("<b>Castellanos"),
        "names are escaped"
    );
    for part in [
        "Clock",
        "Ledger",
        "use, through Finance",
        "new opens, old refused, 2 sessions ended",
        "the workspace’s Owners",
        "chain head 9f3c",
        "audit records 7 to 12",
        "9.000 s",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(
        !html.contains("href=") && !html.contains("src=") && !html.contains("<script"),
        "it needs no other file"
    );
}
