//! The DevTools protocol over a pipe: commands with answers, and requests held at the gate.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::chromium::Pipe;
use super::gate::Gate;

/// How long a command may take; what takes longer waits for something that may never come.
const PATIENCE: Duration = Duration::from_secs(8);

/// Why a command has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// The browser is gone.
    #[error("the browser ended")]
    Gone,
    /// It refused: most often because the page moved on in the meantime.
    #[error("the browser refused {0}")]
    Refused(&'static str),
    /// It gave no answer: some wait for a page that waits for its server.
    #[error("the page gave no answer in time ({0}); it may wait for its server")]
    Silent(&'static str),
}

type Waiting = Mutex<Option<HashMap<u64, oneshot::Sender<Result<Value, ()>>>>>;

/// A connection to one browser.
pub(super) struct DevTools {
    out: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Arc<Waiting>,
    next: Arc<AtomicU64>,
    tasks: [JoinHandle<()>; 2],
}

impl DevTools {
    pub(super) fn over(pipe: Pipe, gate: Gate) -> Self {
        let (out, lines) = mpsc::unbounded_channel();
        let waiting: Arc<Waiting> = Arc::new(Mutex::new(Some(HashMap::new())));
        let next = Arc::new(AtomicU64::new(1));
        let reader =
            tokio::spawn(read(pipe.from, Arc::clone(&waiting), gate, out.clone(), Arc::clone(&next)));
        let writer = tokio::spawn(write(pipe.to, lines));
        Self { out, waiting, next, tasks: [reader, writer] }
    }

    /// Sends a command, to a page's session if one is given, and waits for its result.
    pub(super) async fn call(
        &self,
        session: Option<&str>,
        method: &'static str,
        params: Value,
    ) -> Result<Value, Broken> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        match self.waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(waiting) => waiting.insert(id, answer),
            None => return Err(Broken::Gone),
        };
        self.out.send(message(id, session, method, params)).map_err(|_| Broken::Gone)?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(()))) => Err(Broken::Refused(method)),
            Ok(Err(_)) => Err(Broken::Gone),
            Err(_) => Err(Broken::Silent(method)),
        }
    }
}

impl Drop for DevTools {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn message(id: u64, session: Option<&str>, method: &str, params: Value) -> Vec<u8> {
    let mut message = json!({ "id": id, "method": method, "params": params });
    if let Some(session) = session {
        message["sessionId"] = json!(session);
    }
    let mut bytes = message.to_string().into_bytes();
    bytes.push(0);
    bytes
}

async fn write(mut to: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        let line = zeroize::Zeroizing::new(line);
        if to.write_all(&line).await.is_err() || to.flush().await.is_err() {
            break;
        }
    }
}

async fn read(
    from: ChildStdout,
    waiting: Arc<Waiting>,
    gate: Gate,
    out: mpsc::UnboundedSender<Vec<u8>>,
    next: Arc<AtomicU64>,
) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        if !matches!(from.read_until(0, &mut line).await, Ok(count) if count > 0) {
            break;
        }
        line.pop();
        let Ok(mut message) = serde_json::from_slice::<Value>(&line) else { continue };
        if let Some(id) = message["id"].as_u64() {
            let asked = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_mut()
                .and_then(|waiting| waiting.remove(&id));
            if let Some(asked) = asked {
                let failed = message.get("error").is_some();
                // Nobody may be waiting any more.
                let _ = asked.send(if failed { Err(()) } else { Ok(message["result"].take()) });
            }
        } else {
            for (session, method, params) in gate.answer(&message) {
                let id = next.fetch_add(1, Ordering::Relaxed);
                if out.send(self::message(id, session.as_deref(), method, params)).is_err() {
                    break;
                }
            }
        }
    }
    // Whoever waits is told by the end of its channel, and nobody waits any more.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
}
