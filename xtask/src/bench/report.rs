//! Figures as Markdown tables.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// What all rounds found.
pub(super) struct Report {
    circumstances: String,
    /// Lines of the bare server, one list a round.
    pub(super) limit: Vec<Vec<Value>>,
    /// Latchkey, by the name of its database.
    databases: Vec<(String, Vec<Measured>)>,
}

/// What one round found on one database.
pub(super) struct Measured {
    /// One a scenario.
    pub(super) lines: Vec<Value>,
    /// From start to listening, on data that is there.
    pub(super) ready: Duration,
    /// After the load.
    pub(super) resident_mib: Option<u64>,
}

/// What the figures have to be, of issue 3: the scenario, what it is compared with, how, and the bound.
const REQUIRED: [(&str, Against, f64); 8] = [
    ("get user", Against::Limit, 0.6),
    ("filter user name", Against::Limit, 0.6),
    ("initial user lookup then create", Against::Limit, 0.5),
    ("patch user", Against::Limit, 0.4),
    ("page by cursor, in the middle", Against::Time("page by cursor, first"), 1.2),
    ("page by cursor, last", Against::Time("page by cursor, first"), 1.2),
    ("page by startIndex, in the middle", Against::Time("page by startIndex, first"), 3.0),
    ("page by startIndex, last", Against::Time("page by startIndex, first"), 3.0),
];
/// How much longer a change in the largest group may take than in the smallest.
const GROUP: f64 = 1.3;
const READY: Duration = Duration::from_millis(300);
const RESIDENT_MIB: u64 = 120;

/// What a figure is compared with.
#[derive(Clone, Copy)]
enum Against {
    /// The bare server's rate: at least so much of it.
    Limit,
    /// Another scenario's time: at most so many times it.
    Time(&'static str),
}

impl Report {
    pub(super) const fn new(circumstances: String) -> Self {
        Self { circumstances, limit: Vec::new(), databases: Vec::new() }
    }

    pub(super) fn add(&mut self, database: &str, measured: Measured) {
        match self.databases.iter_mut().find(|(name, _)| name == database) {
            Some((_, rounds)) => rounds.push(measured),
            None => self.databases.push((database.to_owned(), vec![measured])),
        }
    }

    /// What each requirement comes to on one database.
    fn verdicts(&self, rounds: &[Measured]) -> Vec<[String; 4]> {
        let lines: Vec<&[Value]> = rounds.iter().map(|one| &one.lines[..]).collect();
        let limits: Vec<&[Value]> = self.limit.iter().map(|round| &round[..]).collect();
        // A ratio within a round, then the median: what slows a round down slows both sides down.
        let ratio = |of: &str, by: &str, figure: &str, others: &[&[Value]]| {
            let ratios = lines.iter().zip(others).filter_map(|(round, other)| {
                Some(figure_of(round, of, figure)? / figure_of(other, by, figure)?)
            });
            median(ratios.collect())
        };
        let mut verdicts = Vec::new();
        for (scenario, against, bound) in REQUIRED {
            verdicts.extend(match against {
                Against::Limit => ratio(scenario, scenario, "rps", &limits).map(|found| {
                    let (required, reached) = (percent(bound), percent(found));
                    [scenario.to_owned(), format!("≥ {required} of the limit"), reached, met(found >= bound)]
                }),
                Against::Time(of) => ratio(scenario, of, "p50_ms", &lines).map(|found| {
                    [scenario.to_owned(), format!("≤ {bound}× {of}"), times(found), met(found <= bound)]
                }),
            });
        }
        let mut groups: Vec<(u64, String)> = rounds[0].lines.iter().filter_map(changed_group).collect();
        groups.sort_unstable();
        if let [(smallest, small), .., (largest, large)] = &groups[..]
            && let Some(found) = ratio(large, small, "p50_ms", &lines)
        {
            let name = format!("one member of a group of {largest}");
            verdicts.push([
                name,
                format!("≤ {GROUP}× a group of {smallest}"),
                times(found),
                met(found <= GROUP),
            ]);
        }
        let ready = rounds.iter().map(|one| one.ready).max().unwrap_or_default();
        verdicts.push([
            "ready".to_owned(),
            format!("< {} ms", READY.as_millis()),
            format!("{} ms", ready.as_millis()),
            met(ready < READY),
        ]);
        if let Some(most) = rounds.iter().filter_map(|one| one.resident_mib).max() {
            let required = format!("≤ {RESIDENT_MIB} MiB");
            verdicts.push([
                "resident".to_owned(),
                required,
                format!("{most} MiB"),
                met(most <= RESIDENT_MIB),
            ]);
        }
        verdicts
    }
}

/// The scenario, with the size of the group or the place of the page where it has one.
fn name(line: &Value) -> String {
    let scenario = line["scenario"].as_str().unwrap_or_default().replace('_', " ");
    match (&line["scenario"], &line["extra"]["size"], &line["extra"]["place"]) {
        (Value::String(of), Value::Number(size), _) if of.starts_with("group") => {
            format!("{scenario}, {size} members")
        }
        (_, _, Value::String(place)) => format!("{scenario}, {place}"),
        _ => scenario,
    }
}

/// The size and name of a scenario that changes a group.
fn changed_group(line: &Value) -> Option<(u64, String)> {
    (line["scenario"] == "group_add_remove" && line["skipped"].is_null())
        .then(|| Some((line["extra"]["size"].as_u64()?, name(line))))?
}

fn figure_of(lines: &[Value], scenario: &str, figure: &str) -> Option<f64> {
    lines.iter().find(|line| name(line) == scenario)?[figure].as_f64()
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn percent(ratio: f64) -> String {
    format!("{:.0} %", 100.0 * ratio)
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

fn met(holds: bool) -> String {
    if holds { "yes" } else { "**no**" }.to_owned()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}.\n", self.circumstances)?;
        writeln!(f, "| database | scenario | requests/s | limit | ratio | p50 ms | p99 ms | failed |")?;
        writeln!(f, "|---|---|--:|--:|--:|--:|--:|--:|")?;
        for (database, rounds) in &self.databases {
            for line in &rounds[0].lines {
                let scenario = name(line);
                if let Some(why) = line["skipped"].as_str() {
                    writeln!(f, "| {database} | {scenario} | skipped: {why} | | | | | |")?;
                    continue;
                }
                let figure = |name| {
                    let all = rounds.iter().filter_map(|one| figure_of(&one.lines, &scenario, name));
                    median(all.collect()).unwrap_or_default()
                };
                let limit = median(
                    self.limit.iter().filter_map(|round| figure_of(round, &scenario, "rps")).collect(),
                );
                let rate = figure("rps");
                let ratio = limit.map(|limit| percent(rate / limit)).unwrap_or_default();
                let limit = limit.map(|limit| format!("{limit:.0}")).unwrap_or_default();
                let failed: f64 =
                    rounds.iter().filter_map(|one| figure_of(&one.lines, &scenario, "failed")).sum();
                writeln!(
                    f,
                    "| {database} | {scenario} | {rate:.0} | {limit} | {ratio} | {:.2} | {:.2} | {failed:.0} |",
                    figure("p50_ms"),
                    figure("p99_ms")
                )?;
            }
        }
        writeln!(f, "\n| database | required | bound | reached | met |\n|---|---|--:|--:|---|")?;
        for (database, rounds) in &self.databases {
            for verdict in self.verdicts(rounds) {
                writeln!(f, "| {database} | {} |", verdict.join(" | "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(scenario: &str, rps: f64, p50: f64, extra: Value) -> Value {
        json!({"scenario": scenario, "rps": rps, "p50_ms": p50, "p99_ms": 2.5, "failed": 0, "extra": extra})
    }

    fn measured(lines: Vec<Value>) -> Measured {
        Measured { lines, ready: Duration::from_millis(12), resident_mib: Some(140) }
    }

    fn holds(report: &Report, lines: &[&str]) {
        let text = report.to_string();
        for line in lines {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn each_figure_stands_beside_the_limit() {
        let mut report = Report::new("1 user".to_owned());
        report.limit = vec![vec![line("get_user", 1000.0, 1.0, json!({}))]];
        let skipped =
            json!({"scenario": "group_add_remove", "skipped": "fewer users", "extra": {"size": 99}});
        report.add("sqlite", measured(vec![line("get_user", 600.0, 1.0, json!({})), skipped]));
        holds(
            &report,
            &[
                "| sqlite | get user | 600 | 1000 | 60 % | 1.00 | 2.50 | 0 |",
                "| sqlite | group add remove, 99 members | skipped: fewer users | | | | | |",
                "| sqlite | get user | ≥ 60 % of the limit | 60 % | yes |",
                "| sqlite | ready | < 300 ms | 12 ms | yes |",
                "| sqlite | resident | ≤ 120 MiB | 140 MiB | **no** |",
            ],
        );
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_their_median_counts() {
        let mut report = Report::new("1 user".to_owned());
        for (limit, ours) in [(1000.0, 500.0), (100.0, 70.0), (10.0, 9.0)] {
            report.limit.push(vec![line("get_user", limit, 1.0, json!({}))]);
            report.add("sqlite", measured(vec![line("get_user", ours, 1.0, json!({}))]));
        }
        holds(&report, &["| sqlite | get user | ≥ 60 % of the limit | 70 % | yes |"]);
    }

    #[test]
    fn places_and_sizes_are_compared_by_time() {
        let mut report = Report::new("1 user".to_owned());
        report.limit.push(Vec::new());
        let lines = vec![
            line("page by cursor", 1.0, 2.0, json!({"place": "first"})),
            line("page by cursor", 1.0, 3.0, json!({"place": "last"})),
            line("group_add_remove", 50.0, 1.0, json!({"size": 10})),
            line("group_add_remove", 40.0, 1.25, json!({"size": 1000})),
        ];
        report.add("sqlite", measured(lines));
        holds(
            &report,
            &[
                "| sqlite | page by cursor, last | ≤ 1.2× page by cursor, first | 1.50× | **no** |",
                "| sqlite | one member of a group of 1000 | ≤ 1.3× a group of 10 | 1.25× | yes |",
            ],
        );
    }
}
