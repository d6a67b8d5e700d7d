//! The look-ups of one request, all at one instant.
//!
//! Each read transaction takes and frees a lock on the file: two system calls, at which readers
//! on other threads wait for each other. A GET makes three look-ups; in one transaction they cost
//! a third of the locks, and the token that let the request in is of the instant that it sees. What
//! a write rests on is read the same way, and the commit ends it.

use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::Connection;

use super::reader::Reader;
use super::{Sqlite, run};
use crate::StoreError;
use crate::token::TokenLogin;

/// A database as it is at the first look-up, until this is ended or dropped. Wants to be short: the
/// log cannot be written back over what it still sees.
pub struct Instant {
    pub(crate) sqlite: Arc<Sqlite>,
    /// A reader within its transaction, from the first look-up on.
    reader: Mutex<Option<Reader>>,
}

impl Instant {
    pub(crate) fn new(sqlite: &Arc<Sqlite>) -> Self {
        Self { sqlite: Arc::clone(sqlite), reader: Mutex::default() }
    }

    /// Runs `read` within the transaction.
    pub(crate) fn reading<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.within(|reader| read(reader.connection()))
    }

    /// The login of this hash, looked up if the reader does not have it.
    pub(crate) fn login(
        &self,
        hash: [u8; 32],
        look_up: impl FnOnce(&Connection) -> Result<Vec<TokenLogin>, StoreError>,
    ) -> Result<Option<TokenLogin>, StoreError> {
        self.within(|reader| reader.login(hash, look_up))
    }

    fn within<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut held = self.held();
        if let Some(reader) = &mut *held {
            return read(reader);
        }
        let reader = self.sqlite.take_reader()?;
        run(reader.connection(), "begin")?;
        read(held.insert(reader))
    }

    /// Lets go of the instant; the next look-up would begin another.
    pub(crate) fn end(&self) {
        let Some(reader) = self.held().take() else { return };
        // A reader that cannot end its transaction is closed, and another opened when needed.
        match run(reader.connection(), "commit") {
            Ok(()) => self.sqlite.give_back(reader),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot end a read"),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Reader>> {
        self.reader.lock().expect("no holder of this lock panics")
    }
}

impl Drop for Instant {
    fn drop(&mut self) {
        self.end();
    }
}
