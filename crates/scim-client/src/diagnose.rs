//! Test connection: what Entra ID asks when it is told to test, and what each answer means.

use std::time::Duration;

use latchkey_kernel::Entropy;
use latchkey_provisioning::{Kind, TargetPath};
use serde::Serialize;
use tokio::time::Instant;

use crate::answer::{Exchange, Found};
use crate::client::Client;
use crate::failure::{Failure, FailureKind};

/// What a test came to.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// Whether a job may be started.
    pub ok: bool,
    /// What was asked, in order.
    pub checks: Vec<Check>,
    /// What was sent and came back.
    pub exchanges: Vec<Exchange>,
}

/// One question.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was asked.
    pub name: &'static str,
    /// Whether the answer is as it should be.
    pub ok: bool,
    /// What was found, and what to do about it.
    pub message: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// An answer that takes longer makes cycles slow.
const SLOW: Duration = Duration::from_secs(5);

impl Client {
    /// Looks for somebody who cannot be there, by the attributes that the job matches by, and asks
    /// the target what it can do. Changes nothing.
    pub async fn test(&self, matching: &[(Kind, TargetPath)], entropy: &dyn Entropy) -> Diagnosis {
        let mut exchanges = Vec::new();
        let mut checks = Vec::new();
        for (kind, path) in matching {
            let name = match kind {
                Kind::User => "search for a person who cannot be there",
                Kind::Group => "search for a group that cannot be there",
            };
            let nobody = uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid().to_string();
            let begun = Instant::now();
            let found = self.find(*kind, path, &nobody, &mut exchanges).await;
            let took = begun.elapsed();
            let (ok, message) = match found {
                Ok(Found::None) if took > SLOW => {
                    (true, format!("an empty list, as it should be, but only after {:.1} s: cycles will be slow", took.as_secs_f64()))
                }
                Ok(Found::None) => (true, "200 with an empty list, as it should be".to_owned()),
                Ok(_) => (false, "the target found somebody whom nobody has ever made: it does not filter, and nothing can be matched safely".to_owned()),
                Err(failure) => (false, advice(&failure, self.host())),
            };
            checks.push(Check { name, ok, message, millis: millis(took) });
            if !ok {
                break;
            }
        }
        if checks.iter().all(|check| check.ok) {
            let begun = Instant::now();
            let said = self.capabilities(&mut exchanges).await.ok().flatten();
            let message = match &said {
                Some(said) => {
                    let can = |name: &str| {
                        said.get(name).and_then(|it| it.get("supported")).and_then(serde_json::Value::as_bool)
                            == Some(true)
                    };
                    let list: Vec<&str> = ["patch", "bulk", "filter", "etag", "pagination"]
                        .into_iter()
                        .filter(|name| can(name))
                        .collect();
                    format!(
                        "it says that it supports {}",
                        if list.is_empty() { "nothing".to_owned() } else { list.join(", ") }
                    )
                }
                None => "it doesn't say; nothing depends on it".to_owned(),
            };
            checks.push(Check {
                name: "ask what it can do",
                ok: true,
                message,
                millis: millis(begun.elapsed()),
            });
        }
        Diagnosis { ok: checks.iter().all(|check| check.ok), checks, exchanges }
    }
}

/// What a person can do about a failure at the first contact.
fn advice(failure: &Failure, host: &str) -> String {
    match failure.kind {
        FailureKind::Forbidden => {
            format!("{host} knows the token, but it may not read users; give it the right to provision")
        }
        FailureKind::BadRequest => format!(
            "{}; the target must support filter with eq on the attribute that is matched by",
            failure.message
        ),
        FailureKind::Timeout => format!(
            "{host} did not answer in time; see that it is up, and give it more time with timeout_seconds"
        ),
        _ => failure.message.clone(),
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
