//! Figures as a Markdown table.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// What one run found.
pub(super) struct Report {
    circumstances: String,
    /// Lines of the bare server.
    pub(super) limit: Vec<Value>,
    /// Latchkey, by the name of its database.
    pub(super) databases: Vec<(String, Measured)>,
}

/// What was found on one database.
pub(super) struct Measured {
    /// One a scenario.
    pub(super) lines: Vec<Value>,
    /// From start to listening, on data that is there.
    pub(super) ready: Duration,
    /// After the load.
    pub(super) resident_mib: Option<u64>,
}

impl Report {
    pub(super) fn new(circumstances: String) -> Self {
        Self { circumstances, limit: Vec::new(), databases: Vec::new() }
    }

    fn limit_of(&self, scenario: &str) -> Option<f64> {
        self.limit.iter().find(|line| name(line) == scenario)?["rps"].as_f64()
    }
}

/// The scenario, with the size of the group where it has one.
fn name(line: &Value) -> String {
    let scenario = line["scenario"].as_str().unwrap_or_default().replace('_', " ");
    match (&line["scenario"], &line["extra"]["size"]) {
        (Value::String(of), Value::Number(size)) if of.starts_with("group") => {
            format!("{scenario}, {size} members")
        }
        _ => scenario,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}.\n", self.circumstances)?;
        writeln!(f, "| database | scenario | requests/s | limit | ratio | p50 ms | p99 ms | failed |")?;
        writeln!(f, "|---|---|--:|--:|--:|--:|--:|--:|")?;
        for (database, measured) in &self.databases {
            for line in &measured.lines {
                let scenario = name(line);
                if let Some(why) = line["skipped"].as_str() {
                    writeln!(f, "| {database} | {scenario} | skipped: {why} | | | | | |")?;
                    continue;
                }
                let rate = line["rps"].as_f64().unwrap_or_default();
                let limit = self.limit_of(&scenario);
                let ratio = limit.map(|limit| format!("{:.0} %", 100.0 * rate / limit)).unwrap_or_default();
                let limit = limit.map(|limit| format!("{limit:.0}")).unwrap_or_default();
                let [p50, p99] = ["p50_ms", "p99_ms"].map(|p| line[p].as_f64().unwrap_or_default());
                let failed = &line["failed"];
                writeln!(
                    f,
                    "| {database} | {scenario} | {rate:.0} | {limit} | {ratio} | {p50:.2} | {p99:.2} | {failed} |"
                )?;
            }
        }
        writeln!(f, "\n| database | ready after | resident after the load |\n|---|--:|--:|")?;
        for (database, measured) in &self.databases {
            let resident = measured.resident_mib.map(|mib| format!("{mib} MiB")).unwrap_or_default();
            writeln!(f, "| {database} | {} ms | {resident} |", measured.ready.as_millis())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_figure_stands_beside_the_limit() {
        let mut report = Report::new("1 user".to_owned());
        report.limit = vec![json!({"scenario": "get_user", "rps": 1000.0})];
        let lines = vec![
            json!({"scenario": "get_user", "rps": 600.0, "p50_ms": 1.0, "p99_ms": 2.5, "failed": 0, "extra": {}}),
            json!({"scenario": "group_add_remove", "rps": 50.0, "p50_ms": 1.0, "p99_ms": 2.5, "failed": 3, "extra": {"size": 10}}),
            json!({"scenario": "group_add_remove", "skipped": "fewer users", "extra": {"size": 99}}),
        ];
        let measured = Measured { lines, ready: Duration::from_millis(12), resident_mib: Some(40) };
        report.databases.push(("sqlite".to_owned(), measured));
        let text = report.to_string();
        for line in [
            "| sqlite | get user | 600 | 1000 | 60 % | 1.00 | 2.50 | 0 |",
            "| sqlite | group add remove, 10 members | 50 |  |  | 1.00 | 2.50 | 3 |",
            "| sqlite | group add remove, 99 members | skipped: fewer users | | | | | |",
            "| sqlite | 12 ms | 40 MiB |",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
    }
}
