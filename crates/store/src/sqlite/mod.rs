//! The driver for SQLite: look-ups on the calling thread, one thread that writes.
//!
//! Another process may read and write the same file: the `latchkey admin` commands do.

mod chain;
mod checkpoint;
mod figures;
mod instant;
mod reader;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use tokio::sync::Semaphore;

use crate::audit::{self, Unwritten};
use crate::change::Op;
use crate::error::{CommitError, StoreError};
use crate::migrate;
use crate::row::{self, Columns, Load, Row};
use crate::statement::Stmt;
use crate::store::{Asked, Options};
use crate::value::Val;
use checkpoint::Checkpoints;
use reader::Reader;
use writer::Writer;

pub(crate) use instant::Instant;

/// How long a connection waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// Scans that run at the same time; more would only make each other slow.
const SCANS: usize = 4;
/// Prepared statements that each connection keeps.
const PREPARED: usize = 256;
/// Page caches in KiB; negative is how SQLite takes them. Few readers, so the sum stays small.
const READER_CACHE: i64 = -4_096;
const WRITER_CACHE: i64 = -16_384;
/// A log that grew is cut to this after it was written back.
const LOG_LIMIT: i64 = 64 << 20;

/// A database in a file.
pub struct Sqlite {
    pub(crate) options: Options,
    file: PathBuf,
    /// Connections that only read and aren't in use: as many as there were readers at one time,
    /// which threads and [`SCANS`] bound.
    readers: Mutex<Vec<Reader>>,
    scans: Semaphore,
    writer: Writer,
}

impl Sqlite {
    pub(crate) fn open(file: &Path, options: Options) -> Result<Self, StoreError> {
        let failed = |source: rusqlite::Error| StoreError::Open {
            place: file.display().to_string(),
            source: Box::new(source),
        };
        let mut connection = Connection::open(file).map_err(failed)?;
        set_up(&connection).map_err(failed)?;
        migrate(&connection)?;
        let beside = Connection::open(file).map_err(failed)?;
        set_up(&beside).map_err(failed)?;
        let checkpoints = Checkpoints::start(&mut connection, beside)?;
        Ok(Self {
            file: file.to_owned(),
            readers: Mutex::default(),
            scans: Semaphore::new(SCANS),
            writer: Writer::start(connection, checkpoints, options.queue)?,
            options,
        })
    }

    /// Runs `read` on a connection that nobody else uses meanwhile.
    pub(crate) fn reading<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reader = self.take_reader()?;
        let answer = read(reader.connection());
        self.give_back(reader);
        answer
    }

    fn take_reader(&self) -> Result<Reader, StoreError> {
        let idle = self.readers.lock().expect("no holder of this lock panics").pop();
        idle.map_or_else(|| self.open_reader().map(Reader::new), Ok)
    }

    fn give_back(&self, reader: Reader) {
        self.readers.lock().expect("no holder of this lock panics").push(reader);
    }

    pub(crate) fn open_reader(&self) -> Result<Connection, StoreError> {
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.file, flags)?;
            for_each_connection(&connection)?;
            connection.pragma_update(None, "cache_size", READER_CACHE)?;
            Ok(connection)
        };
        open().map_err(|source: rusqlite::Error| StoreError::Open {
            place: self.file.display().to_string(),
            source: Box::new(source),
        })
    }

    pub(crate) async fn scan<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.blocking(move |connection| rows(connection, stmt.name, stmt.sqlite(), &params, load)).await
    }

    pub(crate) async fn scan_asked<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        asked: Asked<T>,
    ) -> Result<Vec<T>, StoreError> {
        // Kept or not, the connection's cache is bounded.
        self.blocking(move |connection| ask_for(connection, &asked)).await
    }

    async fn blocking<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.scans.acquire().await.map_err(|_| StoreError::Closed)?;
        let this = std::sync::Arc::clone(self);
        tokio::task::spawn_blocking(move || this.reading(read)).await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) async fn scan_at_once<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        asked: Vec<Asked<T>>,
    ) -> Result<Vec<T>, StoreError> {
        self.blocking(move |connection| snapshot(connection, &asked)).await
    }

    pub(crate) async fn commit(&self, ops: Vec<Op>, records: Vec<Unwritten>) -> Result<(), CommitError> {
        let apply = move |connection: &Connection| ops.iter().try_for_each(|op| apply(connection, op));
        self.writer.submit(records, apply).await
    }

    pub(crate) async fn write_returning<T: Send + 'static>(
        &self,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Vec<T>, StoreError> {
        let write = move |connection: &Connection| rows(connection, stmt.name, stmt.sqlite(), &params, load);
        self.writer.submit(Vec::new(), write).await
    }

    /// Seals what [`chain`] could not, in one transaction.
    pub(crate) async fn seal(&self, batch: usize) -> Result<audit::SealReport, StoreError> {
        // Mostly there is nothing to seal; that costs a look-up, and no transaction.
        if self.reading(|connection| ask(connection, &audit::workspaces_unsealed(), any))?.is_empty() {
            return Ok(audit::SealReport::default());
        }
        self.writer
            .submit(Vec::new(), move |connection| {
                let mut sealed = 0;
                for ws in ask(connection, &audit::workspaces_unsealed(), row::first)? {
                    let records = ask(connection, &audit::unsealed(ws, batch - sealed), audit::load_sealed)?;
                    let head = ask(connection, &audit::head_hold(ws), audit::load_head)?;
                    let Some(head) = head.first() else { continue };
                    for op in audit::seal_ops(ws, *head, &records) {
                        apply(connection, &op).map_err(unexpected)?;
                    }
                    sealed += records.len();
                    if sealed >= batch {
                        break;
                    }
                }
                Ok(audit::SealReport { sealed })
            })
            .await
    }

    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        // Readers first: the last connection to go writes the log back and removes it.
        self.readers.lock().expect("no holder of this lock panics").clear();
        self.writer.close().await
    }
}

fn any(_: &mut Columns<'_>) -> Result<(), StoreError> {
    Ok(())
}

fn unexpected(error: CommitError) -> StoreError {
    match error {
        CommitError::Store(error) => error,
        other => StoreError::Statement { statement: "AUDIT_SEAL", source: Box::new(other) },
    }
}

fn ask<T>(connection: &Connection, op: &Op, load: Load<T>) -> Result<Vec<T>, StoreError> {
    rows(connection, op.stmt.name, op.stmt.sqlite(), &op.params, load)
}

fn snapshot<T>(connection: &Connection, asked: &[Asked<T>]) -> Result<Vec<T>, StoreError> {
    let snapshot = connection.unchecked_transaction().map_err(|error| failed("begin", error))?;
    one_by_one(&snapshot, Vec::new(), asked)
}

/// Several reads after what was `found`, without those that earlier ones make needless.
pub(crate) fn one_by_one<T>(
    connection: &Connection,
    mut found: Vec<T>,
    asked: &[Asked<T>],
) -> Result<Vec<T>, StoreError> {
    for one in asked {
        if !one.is_needless(&found) {
            found.extend(ask_for(connection, one)?);
        }
    }
    Ok(found)
}

fn ask_for<T>(connection: &Connection, asked: &Asked<T>) -> Result<Vec<T>, StoreError> {
    rows(connection, asked.text.name(), &asked.text.sqlite(), &asked.params, asked.load)
}

pub(crate) fn rows<T>(
    connection: &Connection,
    name: &'static str,
    sql: &str,
    params: &[Val],
    load: Load<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| failed(name, error))?;
    let mut rows = statement.query(params_from_iter(params)).map_err(|error| failed(name, error))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(|error| failed(name, error))? {
        found.push(load(&mut Columns::of(Row::Sqlite(row)))?);
    }
    Ok(found)
}

/// Makes one statement of a commit, and tells what its failure comes to.
fn apply(connection: &Connection, op: &Op) -> Result<(), CommitError> {
    let reads = op.stmt.postgres().starts_with("select");
    if reads && op.expect.is_none() {
        // A lock, and the writer is alone.
        return Ok(());
    }
    if let Some(stmt) = op.only_if {
        let asked = connection.prepare_cached(stmt.sqlite()).and_then(|mut statement| {
            let taken = statement.parameter_count();
            statement.exists(params_from_iter(op.params.iter().take(taken)))
        });
        if !asked.map_err(|error| failed(stmt.name, error))? {
            return Ok(());
        }
    }
    let execute = |stmt: &Stmt| {
        let mut statement = connection.prepare_cached(stmt.sqlite())?;
        statement.execute(params_from_iter(&op.params)).map(|rows| rows > 0)
    };
    let touched = if reads {
        let statement = connection.prepare_cached(op.stmt.sqlite());
        statement.and_then(|mut statement| statement.exists(params_from_iter(&op.params)))
    } else {
        match op.cheaper.map(execute) {
            None | Some(Ok(false)) => execute(op.stmt),
            Some(done) => done,
        }
    };
    match (touched, op.expect) {
        (Ok(false), Some(conflict)) => Err(conflict.into()),
        (Ok(_), _) => Ok(()),
        (Err(error), _) => Err(conflict_of(op, error)),
    }
}

fn conflict_of(op: &Op, error: rusqlite::Error) -> CommitError {
    use rusqlite::ffi;
    if let rusqlite::Error::SqliteFailure(cause, message) = &error {
        match cause.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                let columns = message.as_deref().unwrap_or_default();
                return crate::Conflict::Unique(crate::UniqueKey::of_columns(columns)).into();
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return op.unlinked.into(),
            _ => {}
        }
    }
    failed(op.stmt.name, error).into()
}

fn run(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| failed(sql, error))?;
    statement.execute([]).map(drop).map_err(|error| failed(sql, error))
}

fn failed(statement: &'static str, source: rusqlite::Error) -> StoreError {
    StoreError::Statement { statement, source: Box::new(source) }
}

fn for_each_connection(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    // Plans come from the statement and the fixed figures alone. Without this, SQLite compiles a
    // kept statement anew each time a parameter is bound that could make a partial index fit:
    // two thirds of all instructions of a GET.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    for_each_connection(connection)?;
    // Switching needs the file alone, and waits for nobody; two processes may start at once.
    let mut tries = 0;
    while let Err(error) = connection.pragma_update(None, "journal_mode", "wal") {
        tries += 1;
        if tries > 100 {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // An acknowledged change survives a power failure.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)
}

/// Brings the schema up to date, alone: another process that starts at the same time waits.
fn migrate(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch("begin immediate").map_err(|error| failed("migrate", error))?;
    let done = migrate_within(connection);
    let end = if done.is_ok() { "commit" } else { "rollback" };
    connection.execute_batch(end).map_err(|error| failed("migrate", error))?;
    done
}

fn migrate_within(connection: &Connection) -> Result<(), StoreError> {
    let run = |sql: &str| connection.execute_batch(sql).map_err(|error| failed("migrate", error));
    run(migrate::TABLE)?;
    let made = rows(connection, "migrate", migrate::MADE, &[], |row| {
        Ok((row.next::<i64>()?, row.next::<String>()?, row.next::<String>()?))
    })?;
    let pending = migrate::pending(migrate::SQLITE, &made)?;
    for migration in pending {
        tracing::info!(migration = migration.name, "migrating the database");
        run(migration.sql)?;
        run(&migration.remember())?;
    }
    if pending.is_empty() {
        Ok(())
    } else {
        figures::write(connection).map_err(|error| failed("migrate", error))
    }
}
