//! A log as a table, for spreadsheets.

use latchkey_provisioning::difference::ModifiedProperty;
use latchkey_provisioning::log::LogEntry;

const HEAD: &[&str] = &[
    "time",
    "cycle",
    "kind",
    "object",
    "source id",
    "target id",
    "action",
    "status",
    "code",
    "message",
    "modified",
    "milliseconds",
];

/// Entries as CSV (RFC 4180), with a row of names.
pub fn csv_of(entries: &[LogEntry]) -> String {
    let mut text = line(HEAD.iter().map(|name| (*name).to_owned()));
    for entry in entries {
        let modified: Vec<String> = entry.detail.modified.iter().map(changed).collect();
        text.push_str(&line([
            entry.at.to_string(),
            entry.cycle.to_string(),
            format!("{:?}", entry.kind),
            entry.label.clone(),
            entry.source_id.0.clone(),
            entry.target_id.clone().unwrap_or_default(),
            entry.action.to_string(),
            entry.status.to_string(),
            entry.code.clone().unwrap_or_default(),
            entry.message.clone(),
            modified.join("; "),
            entry.millis.to_string(),
        ]));
    }
    text
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let cells: Vec<String> = cells.into_iter().map(inert).collect();
    // Memory takes all that is written to it.
    let written = writer.write_record(&cells).ok().and_then(|()| writer.into_inner().ok());
    written.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A spreadsheet takes a cell that begins so for a formula; names are not ours to trust.
fn inert(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// A change of one value, for people.
pub fn changed(one: &ModifiedProperty) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    match &one.old_value {
        None => format!("{}: {}", one.display_name, text(&one.new_value)),
        Some(old) => format!("{}: {old} → {}", one.display_name, text(&one.new_value)),
    }
}
