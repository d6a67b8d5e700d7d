//! The one thread that writes: many waiting changes share one flush to the disk.

use std::sync::Mutex;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;

use super::run;
use crate::error::StoreError;

/// Changes that share one commit at most, so that the first does not wait long for the last.
const BATCH: usize = 256;

/// One unit of work: runs within its own savepoint, and is answered after the commit.
type Work = Box<dyn FnOnce(&Connection) -> Outcome + Send>;

/// Tells who waits whether the commit was made, or why not.
type Answer = Box<dyn FnOnce(Result<(), &str>) + Send>;

struct Outcome {
    /// Whether what it did stays.
    keep: bool,
    answer: Answer,
}

pub(super) struct Writer {
    queue: Mutex<Option<Sender<Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, queue: usize) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write(&connection, receiver))
            .map_err(|source| StoreError::Open {
                place: "its writer".to_owned(),
                source: Box::new(source),
            })?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Hands work to the writer and waits until it is durable, or known not to be made.
    pub(super) async fn submit<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let done = work(connection);
            let keep = done.is_ok();
            let answer = move |committed: Result<(), &str>| {
                let answer = match (done, committed) {
                    (Ok(_), Err(reason)) => {
                        Err(StoreError::Statement { statement: "commit", source: reason.into() }.into())
                    }
                    (done, _) => done,
                };
                // Who asked may have gone.
                let _ = sender.send(answer);
            };
            Outcome { keep, answer: Box::new(answer) }
        });
        self.enqueue(work)?;
        // Dropped unanswered is never begun: the file was held by somebody else for too long.
        receiver.await.unwrap_or_else(|_| Err(StoreError::Busy.into()))
    }

    fn enqueue(&self, work: Work) -> Result<(), StoreError> {
        let queue = self.queue.lock().expect("no holder of this lock panics");
        let queue = queue.as_ref().ok_or(StoreError::Closed)?;
        queue.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    /// Writes what is queued and ends the thread.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        drop(self.queue.lock().expect("no holder of this lock panics").take());
        let thread = self.thread.lock().expect("no holder of this lock panics").take();
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(ended, Ok(Ok(()))) {
                return Err(StoreError::Closed);
            }
        }
        Ok(())
    }
}

fn write(connection: &Connection, mut queue: Receiver<Work>) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(first) = queue.blocking_recv() {
        batch.push(first);
        while batch.len() < BATCH
            && let Ok(next) = queue.try_recv()
        {
            batch.push(next);
        }
        if let Err(error) = write_batch(connection, &mut batch) {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot begin to write");
            // Unanswered is told as busy.
            batch.clear();
        }
    }
    // The last to go leaves no log behind.
    if let Err(error) = connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())) {
        tracing::debug!(error = &error as &dyn std::error::Error, "cannot write the log back");
    }
}

/// Runs a batch in one transaction: each work in its savepoint, a failing one rolled back alone.
fn write_batch(connection: &Connection, batch: &mut Vec<Work>) -> Result<(), StoreError> {
    run(connection, "begin immediate")?;
    let mut answers = Vec::with_capacity(batch.len());
    let mut broken = None;
    for work in batch.drain(..) {
        if let Err(error) = run(connection, "savepoint work") {
            broken.get_or_insert(error);
        }
        let Outcome { keep, answer } = work(connection);
        answers.push(answer);
        let end = if keep { Ok(()) } else { run(connection, "rollback to work") };
        if let Err(error) = end.and_then(|()| run(connection, "release work")) {
            // A full disk, say, ends the whole transaction; then nothing of the batch was made.
            broken.get_or_insert(error);
        }
    }
    let committed = match broken {
        None => run(connection, "commit"),
        Some(error) => Err(error),
    };
    let reason = committed.err().map(|error| describe(&error));
    if reason.is_some() && !connection.is_autocommit() {
        // Nothing more can be done about it if this fails, too; the next `begin` will tell.
        let _ = run(connection, "rollback");
    }
    for answer in answers {
        answer(reason.as_deref().map_or(Ok(()), Err));
    }
    Ok(())
}

fn describe(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
