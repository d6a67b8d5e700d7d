//! The one thread that writes: many waiting changes share one flush to the disk.

use std::sync::Mutex;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;

use super::checkpoint::Checkpoints;
use super::{chain, run};
use crate::audit::Unwritten;
use crate::error::StoreError;

/// Changes that share one commit at most, so that the first does not wait long for the last.
const BATCH: usize = 256;

/// One unit of work: whole or not at all, and answered after the commit.
pub(super) trait Work: Send {
    /// Does it, and says whether what it did stays. Done again when the first time was rolled back.
    fn run(&mut self, connection: &Connection) -> bool;

    /// The audit records of what it did, to be put at the end of the chain.
    fn records(&mut self) -> Vec<Unwritten>;

    /// Tells who waits whether the commit was made, or why not.
    fn answer(self: Box<Self>, committed: Result<(), &str>);
}

/// What somebody waits for.
struct Job<T, E, W> {
    work: W,
    records: Vec<Unwritten>,
    done: Option<Result<T, E>>,
    sender: oneshot::Sender<Result<T, E>>,
}

impl<T, E, W> Work for Job<T, E, W>
where
    T: Send,
    E: From<StoreError> + Send,
    W: Fn(&Connection) -> Result<T, E> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        self.done.insert((self.work)(connection)).is_ok()
    }

    fn records(&mut self) -> Vec<Unwritten> {
        if matches!(self.done, Some(Ok(_))) { std::mem::take(&mut self.records) } else { Vec::new() }
    }

    fn answer(self: Box<Self>, committed: Result<(), &str>) {
        let answer = match (self.done, committed) {
            (None, _) => Err(StoreError::Busy.into()),
            (Some(Ok(_)), Err(reason)) => {
                Err(StoreError::Statement { statement: "commit", source: reason.into() }.into())
            }
            (Some(done), _) => done,
        };
        // Who asked may have gone.
        let _ = self.sender.send(answer);
    }
}

pub(super) struct Writer {
    queue: Mutex<Option<Sender<Box<dyn Work>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        checkpoints: Checkpoints,
        queue: usize,
    ) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write(&connection, checkpoints, receiver))
            .map_err(|source| StoreError::Open {
                place: "its writer".to_owned(),
                source: Box::new(source),
            })?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Hands work to the writer and waits until it is durable, or known not to be made.
    pub(super) async fn submit<T, E>(
        &self,
        records: Vec<Unwritten>,
        work: impl Fn(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.enqueue(Box::new(Job { work, records, done: None, sender }))?;
        // Dropped unanswered is never begun: the file was held by somebody else for too long.
        receiver.await.unwrap_or_else(|_| Err(StoreError::Busy.into()))
    }

    fn enqueue(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
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

fn write(connection: &Connection, checkpoints: Checkpoints, mut queue: Receiver<Box<dyn Work>>) {
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
        checkpoints.after_commit(connection);
    }
    drop(checkpoints);
    // The last to go leaves no log behind.
    if let Err(error) = connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())) {
        tracing::debug!(error = &error as &dyn std::error::Error, "cannot write the log back");
    }
}

/// Makes a batch in one transaction, and answers all of it.
fn write_batch(connection: &Connection, batch: &mut Vec<Box<dyn Work>>) -> Result<(), StoreError> {
    run(connection, "begin immediate")?;
    let made = if batch.iter_mut().all(|work| work.run(connection)) {
        Ok(())
    } else {
        // Seldom: savepoints for all, always, would cost more than doing a batch again.
        roll_back(connection)?;
        run(connection, "begin immediate")?;
        one_by_one(connection, batch)
    };
    // A full disk, say, ends the whole transaction; then nothing of the batch was made.
    let committed =
        made.and_then(|()| chain::append(connection, batch)).and_then(|()| run(connection, "commit"));
    let reason = committed.err().map(|error| describe(&error));
    if reason.is_some() {
        // Nothing more can be done about it if this fails, too; the next `begin` will tell.
        let _ = roll_back(connection);
    }
    for work in batch.drain(..) {
        work.answer(reason.as_deref().map_or(Ok(()), Err));
    }
    Ok(())
}

/// Each work in its savepoint, a failing one rolled back alone.
fn one_by_one(connection: &Connection, batch: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
    for work in batch {
        run(connection, "savepoint work")?;
        if !work.run(connection) {
            run(connection, "rollback to work")?;
        }
        run(connection, "release work")?;
    }
    Ok(())
}

fn roll_back(connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() { Ok(()) } else { run(connection, "rollback") }
}

fn describe(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
