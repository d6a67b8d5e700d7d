//! The steps of a check, one after the other, each told as it ends.

use std::path::Path;
use std::time::{Duration, Instant};

use latchkey_rotation::{Failure, Outcome};
use latchkey_rotators::{Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use serde_json::{Value, json};

use super::target::Trial;
use crate::output::Output;

/// Runs all, and says whether all held.
pub(super) async fn run(trial: &Trial, output: Output) -> bool {
    let Trial { connector, login, old, new, .. } = trial;
    let teller = Teller { output, screenshot: trial.screenshot.as_deref() };
    let (probed, took) = timed(connector.probe(login)).await;
    if !teller.tell("probe", took, probed.as_ref().map(seen)) {
        output.remark("Nothing was changed.");
        return false;
    }

    let attempt = Attempt { username: login, old: Some(old), new, idempotency_key: &trial.key };
    let (changed, took) = timed(connector.change(&attempt)).await;
    let mut all = teller.tell("change", took, changed.as_ref().map(taken));
    if changed.as_ref().is_err_and(|failure| failure.outcome == Outcome::NotApplied) {
        output.remark("Nothing was changed: the old one is the one that works.");
        return false;
    }

    let (works, took) = timed(connector.verify(login, new)).await;
    all &= teller.tell("new_works", took, works.as_ref().map(|verdict| proved(*verdict, Verdict::Works)));
    let (refused, took) = timed(connector.verify(login, old)).await;
    all &=
        teller.tell("old_refused", took, refused.as_ref().map(|verdict| proved(*verdict, Verdict::Refused)));

    if trial.keep_sessions {
        teller.skipped("end_sessions", "--keep-sessions");
    } else if connector.abilities().ends_sessions {
        let (ended, took) = timed(connector.end_sessions(login)).await;
        all &= teller.tell("end_sessions", took, ended.as_ref().map(|ended| cut_off(*ended)));
    } else {
        teller.skipped("end_sessions", "the target has no way to");
    }
    output.remark(match (&works, &refused) {
        (Ok(Verdict::Works), Ok(Verdict::Refused)) if all => "All held. The new one is in force.",
        (Ok(Verdict::Works), Ok(Verdict::Refused)) => "The new one is in force; what did not hold is above.",
        (Ok(Verdict::Works), Ok(Verdict::Works)) => "Both work: look at the target before you trust it.",
        (Ok(Verdict::Refused), Ok(Verdict::Works)) => "The old one is still in force.",
        (Ok(Verdict::Refused), Ok(Verdict::Refused)) => "Neither works: set one at the target by hand.",
        _ => "Which of the two works was not found out: log in by hand.",
    });
    all
}

async fn timed<T>(act: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    let result = Box::pin(act).await;
    (result, began.elapsed())
}

/// How a step went that the target answered.
struct Answer {
    held: bool,
    words: String,
    facts: Value,
    warnings: Vec<String>,
}

fn seen(probe: &Probe) -> Answer {
    Answer {
        held: true,
        words: probe.target.clone(),
        facts: json!({ "target": probe.target }),
        warnings: probe.warnings.clone(),
    }
}

fn taken(receipt: &Receipt) -> Answer {
    Answer {
        held: true,
        words: receipt.method.clone(),
        facts: json!({ "method": receipt.method }),
        warnings: Vec::new(),
    }
}

fn proved(verdict: Verdict, expected: Verdict) -> Answer {
    let words = match verdict {
        Verdict::Works => "a fresh login was let in",
        Verdict::Refused => "a fresh login was refused",
    };
    let facts = json!({ "verdict": verdict });
    Answer { held: verdict == expected, words: words.to_owned(), facts, warnings: Vec::new() }
}

fn cut_off(ended: SessionsEnded) -> Answer {
    let words = match ended.count {
        Some(1) => "1 session ended".to_owned(),
        Some(count) => format!("{count} sessions ended"),
        None => "ended".to_owned(),
    };
    Answer { held: true, words, facts: json!({ "count": ended.count }), warnings: Vec::new() }
}

struct Teller<'a> {
    output: Output,
    screenshot: Option<&'a Path>,
}

impl Teller<'_> {
    /// Tells a step; whether it held.
    fn tell(&self, step: &str, took: Duration, result: Result<Answer, &Failure>) -> bool {
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (held, words, mut object) = match result {
            Ok(answer) => {
                let mut object = answer.facts;
                if !answer.warnings.is_empty() {
                    object["warnings"] = json!(answer.warnings);
                }
                let mut words = answer.words;
                for warning in answer.warnings {
                    words.push_str(&format!("\n      look: {warning}"));
                }
                (answer.held, words, object)
            }
            Err(failure) => {
                let mut object = json!({
                    "error": failure.message,
                    "class": failure.class,
                    "outcome": failure.outcome,
                });
                let mut words = failure.message.clone();
                if let (Some(file), Some(evidence)) = (self.screenshot, &failure.evidence) {
                    match std::fs::write(file, &evidence.bytes) {
                        Ok(()) => {
                            object["screenshot"] = json!(file);
                            words.push_str(&format!("\n      picture: {}", file.display()));
                        }
                        Err(error) => words.push_str(&format!(
                            "\n      the picture could not be written to {}: {error}",
                            file.display()
                        )),
                    }
                }
                (false, words, object)
            }
        };
        object["step"] = json!(step);
        object["held"] = json!(held);
        object["milliseconds"] = json!(milliseconds);
        self.output.answer(&object, || {
            let mark = if held { "ok  " } else { "BAD " };
            format!("{mark}  {:<12}  {milliseconds:>6} ms  {words}", step.replace('_', " "))
        });
        held
    }

    fn skipped(&self, step: &str, why: &str) {
        self.output.answer(&json!({ "step": step, "held": true, "skipped": why }), || {
            format!("--    {:<12}  {:>6}     left out: {why}", step.replace('_', " "), "")
        });
    }
}
