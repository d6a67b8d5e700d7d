//! Asks again and again whether somebody still gets in, to see when that ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use latchkey_kernel::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::http::{Answer, Line, Target};

/// Long after any answer should have changed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How an answer says that they are let in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// `"allowed": true` in an explanation.
    Allowed,
    /// The token opens the door.
    Status200,
}

impl Sign {
    fn shows(self, answer: &Answer) -> anyhow::Result<bool> {
        match self {
            Self::Allowed => {
                let body: Value = answer.json()?;
                body.get("allowed").and_then(Value::as_bool).context("an explanation says `allowed`")
            }
            Self::Status200 => Ok(answer.status == 200),
        }
    }
}

/// When the door closed, as seen from outside.
#[derive(Debug, Clone)]
pub(super) struct Closed {
    /// The last answer that let them in was given at.
    pub(super) last_open: Timestamp,
    /// The first that didn't.
    pub(super) first_closed: Timestamp,
    pub(super) asked: u32,
}

/// A watch that has seen the door open.
#[derive(Debug)]
pub(super) struct Watch(JoinHandle<anyhow::Result<Closed>>);

impl Watch {
    /// Starts to ask on a connection of its own, and waits until it was let in once.
    pub(super) async fn start(target: &Arc<Target>, path: String, sign: Sign) -> anyhow::Result<Self> {
        let mut line = Line::new(target);
        let (opened, open) = oneshot::channel();
        let watch = tokio::spawn(async move {
            let first = line.get(&path).await?;
            if !sign.shows(&first)? {
                bail!("GET {path} was refused before anything happened ({})", first.status);
            }
            let mut last_open = first.answered_at;
            // Nobody waits for it only when the demo is already being given up.
            let _given_up = opened.send(());
            let began = Instant::now();
            for asked in 2.. {
                let answer = line.get(&path).await?;
                if !sign.shows(&answer)? {
                    return Ok(Closed { last_open, first_closed: answer.answered_at, asked });
                }
                last_open = answer.answered_at;
                if began.elapsed() > PATIENCE {
                    break;
                }
            }
            bail!("GET {path} still lets them in after {} s", PATIENCE.as_secs())
        });
        if open.await.is_err() {
            // It ended before it was let in; its own error says why.
            watch.await.context("the watch broke down")??;
            bail!("the watch ended early");
        }
        Ok(Self(watch))
    }

    /// Waits until the door is closed.
    pub(super) async fn closed(self) -> anyhow::Result<Closed> {
        self.0.await.context("the watch broke down")?
    }
}
