//! Writing the log back into the file, beside the writer.
//!
//! A checkpoint reads and writes hundreds of pages and waits for the disk twice. Made in a commit, as
//! SQLite does it by itself, it lets everybody wait who wants to write. So a thread of its own makes
//! it while commits go on. What they add meanwhile is little, and the writer writes that back: a log
//! begins anew only once all of it has been written back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::StoreError;

/// Pages in the log after which it is written back into the file.
const PAGES: i32 = 4_000;
/// Pages after which the writer does not wait for the thread any longer.
const TOO_MANY: i32 = 16 * PAGES;

/// What the writer and the thread know of each other.
#[derive(Default)]
struct Shared {
    /// Pages in the log after the last commit.
    pages: AtomicI32,
    /// The thread is at work.
    at_work: AtomicBool,
    /// It has done its part, and the rest is the writer's.
    done: AtomicBool,
}

/// The thread, as the writer has it; it ends when this is dropped.
pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Takes checkpoints over from `writer`, to be made on `own`.
    pub(super) fn start(writer: &mut Connection, own: Connection) -> Result<Self, StoreError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            place: "its checkpoints".to_owned(),
            source,
        };
        let shared = Arc::<Shared>::default();
        let noted = Arc::clone(&shared);
        // In the place of SQLite's own, which makes the checkpoint there and then.
        let note = move |_: &mut rusqlite::hooks::Wal, pages| {
            noted.pages.store(pages, Ordering::Relaxed);
            Ok(())
        };
        writer.wal_hook(Some(note)).map_err(|error| failed(Box::new(error)))?;
        let (wake, woken) = sync_channel(1);
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || work(&own, &woken, &theirs))
            .map_err(|error| failed(Box::new(error)))?;
        Ok(Self { shared, wake: Some(wake), thread: Some(thread) })
    }

    /// To be called when a commit was made and answered.
    pub(super) fn after_commit(&self, writer: &Connection) {
        let pages = self.shared.pages.load(Ordering::Relaxed);
        if self.shared.done.swap(false, Ordering::AcqRel) || pages >= TOO_MANY {
            write_back(writer);
        } else if pages >= PAGES && !self.shared.at_work.swap(true, Ordering::AcqRel) {
            // It takes one at a time, and none is sent while it is at work: there is room.
            let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // It has logged what it failed with.
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, woken: &Receiver<()>, shared: &Shared) {
    while woken.recv().is_ok() {
        write_back(connection);
        shared.done.store(true, Ordering::Release);
        shared.at_work.store(false, Ordering::Release);
    }
}

/// Writes back what no reader still needs in the log. When it fails, the log is as good as before,
/// and the next commit tries again.
fn write_back(connection: &Connection) {
    if let Err(error) = connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())) {
        tracing::warn!(error = &error as &dyn std::error::Error, "cannot write the log back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_begins_anew_while_commits_go_on_and_all_of_it_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("some.db");
        let mut writer = Connection::open(&file).unwrap();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        writer.execute_batch("create table t (n integer primary key, b blob)").unwrap();
        let checkpoints = Checkpoints::start(&mut writer, Connection::open(&file).unwrap()).unwrap();
        let (mut before, mut rows) = (0, 0);
        loop {
            // A hundred pages each.
            writer.execute("insert into t (b) values (zeroblob(400000))", []).unwrap();
            rows += 1;
            let pages = checkpoints.shared.pages.load(Ordering::Relaxed);
            if pages < before {
                break;
            }
            assert!(pages < TOO_MANY, "nobody writes the log back");
            before = pages;
            checkpoints.after_commit(&writer);
        }
        assert!(before >= PAGES, "written back after {before} pages already");
        drop(checkpoints);
        writer.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
        // The file alone, as a crash without its log would leave it.
        std::fs::copy(&file, folder.path().join("copy.db")).unwrap();
        let copy = Connection::open(folder.path().join("copy.db")).unwrap();
        let count = copy.query_row("select count(*) from t", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count, rows);
    }
}
