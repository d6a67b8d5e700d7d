//! The report in a few sentences.

use crate::report::{Account, Report};

/// What a reader takes away: when access ended, which passwords are safe, and what is left to do.
pub fn summary(report: &Report) -> String {
    let name = &report.header.name;
    let to_change: Vec<&Account> =
        report.accounts.iter().filter(|account| account.decision == "rotate").collect();
    let count = to_change.len();
    if report.header.case.is_none() {
        let reached = report.accounts.len();
        return format!(
            "If {name} left now, access to {} would end at once, and {} would have to change.",
            counted(reached, "account"),
            counted(count, "password")
        );
    }
    let mut sentences = vec![match report.removed.direct_grants {
        0 => format!("Access of {name} ended at once."),
        grants => {
            format!("Access of {name} ended at once; {} went with it.", counted_u64(grants, "direct grant"))
        }
    }];
    let safe = to_change.iter().filter(|account| is_safe(account)).count();
    let open = count - safe;
    sentences.push(match (count, open) {
        (0, _) => {
            "They knew no password that is still valid, and could use no privileged account.".to_owned()
        }
        (1, 0) => "The one password that they knew or that is privileged was changed and checked.".to_owned(),
        (all, 0) => {
            format!("All {all} passwords that they knew or that are privileged were changed and checked.")
        }
        (all, open) => format!(
            "{safe} of {all} passwords were changed and checked; {open} {} still to be.",
            if open == 1 { "is" } else { "are" }
        ),
    });
    let waiting = report.tasks.iter().filter(|task| task.state == "open").count();
    if waiting > 0 {
        sentences.push(format!(
            "{} {} for a person.",
            counted(waiting, "task"),
            if waiting == 1 { "waits" } else { "wait" }
        ));
    }
    if report.header.state == "held" {
        sentences.push(
            "More people left than the workspace's safeguard allows, so changes wait for a person's word."
                .to_owned(),
        );
    }
    sentences.push(match report.exceptions.len() {
        0 if open == 0 => "There are no exceptions.".to_owned(),
        0 => return sentences.join(" "),
        exceptions => format!(
            "There {} {}.",
            if exceptions == 1 { "is" } else { "are" },
            counted(exceptions, "exception")
        ),
    });
    sentences.join(" ")
}

fn is_safe(account: &Account) -> bool {
    account.change.as_ref().is_some_and(|change| change.committed_at.is_some())
}

fn counted(count: usize, noun: &str) -> String {
    counted_u64(count as u64, noun)
}

fn counted_u64(count: u64, noun: &str) -> String {
    match count {
        0 => format!("no {noun}"),
        1 => format!("one {noun}"),
        count => format!("{count} {noun}s"),
    }
}
