//! The store: one face over both databases.

use std::path::Path;
use std::sync::Arc;

use latchkey_access::ChangeSet;

use crate::audit::Unwritten;
use crate::change::{Op, ops_of};
use crate::filter::Draft;
use crate::postgres::Postgres;
use crate::row::{Load, count, first};
use crate::sqlite::{Instant, Sqlite, one_by_one, rows};
use crate::statement::{Stmt, Text};
use crate::value::Val;
use crate::{CommitError, Conflict, StoreError};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many changes may wait to be written before [`CommitError::Busy`].
    pub queue: usize,
    /// How many entries of the flight recorder each workspace keeps.
    pub flights_kept: usize,
    /// Connections to PostgreSQL for commits and scans; a few more serve look-ups.
    pub connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue: 1_024, flights_kept: 10_000, connections: 16 }
    }
}

impl Options {
    /// For one command beside a running server: few connections, and a short queue.
    pub fn one_command() -> Self {
        Self { queue: 64, connections: 2, ..Self::default() }
    }
}

/// Where rows are kept. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    /// In a file.
    Sqlite(Arc<Sqlite>),
    /// In a file, its look-ups all at one instant.
    Instant(Arc<Instant>),
    /// In PostgreSQL.
    Postgres(Arc<Postgres>),
}

/// The database behind a store.
pub(crate) enum Driver<'a> {
    Sqlite(&'a Arc<Sqlite>),
    Postgres(&'a Arc<Postgres>),
}

/// One read.
pub(crate) struct Asked<T> {
    pub(crate) text: Text,
    pub(crate) params: Vec<Val>,
    pub(crate) load: Load<T>,
    /// Whether what was found before makes it needless.
    needless: Option<Needless<T>>,
}

type Needless<T> = Box<dyn Fn(&[T]) -> bool + Send + Sync>;

impl<T> Asked<T> {
    pub(crate) const fn new(stmt: &'static Stmt, params: Vec<Val>, load: Load<T>) -> Self {
        Self { text: Text::Written(stmt), params, load, needless: None }
    }

    /// A statement that was put together; kept if it has at most one test of a client's in it.
    pub(crate) fn made(name: &'static str, draft: Draft, tests: usize, load: Load<T>) -> Self {
        let text = Text::Made { name, sql: draft.sql, keep: tests <= 1 };
        Self { text, params: draft.params, load, needless: None }
    }

    /// Spares it when what was found before makes it needless. Only where one read is made after
    /// the other; over a network all are made, because waiting costs more.
    pub(crate) fn unless(mut self, needless: impl Fn(&[T]) -> bool + Send + Sync + 'static) -> Self {
        self.needless = Some(Box::new(needless));
        self
    }

    pub(crate) fn is_needless(&self, found: &[T]) -> bool {
        self.needless.as_ref().is_some_and(|needless| needless(found))
    }
}

impl Store {
    /// Opens, or makes, the SQLite database in this file and migrates it. Another process may have
    /// it open as well.
    ///
    /// # Errors
    /// When the file cannot be opened, or its schema is newer than this program.
    pub fn open_sqlite(file: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        Ok(Self::Sqlite(Arc::new(Sqlite::open(file.as_ref(), options)?)))
    }

    /// Connects to PostgreSQL and migrates the database.
    ///
    /// # Errors
    /// When it cannot be reached, or its schema is newer than this program.
    pub async fn connect_postgres(url: &str, options: Options) -> Result<Self, StoreError> {
        Ok(Self::Postgres(Arc::new(Postgres::connect(url, options).await?)))
    }

    /// Makes all changes of the set and writes its audit records, or nothing. When it returns, the
    /// changes are durable.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when what the changes rest on doesn't hold, [`CommitError::Busy`]
    /// when too many wait; nothing was done. [`CommitError::Store`] when the database failed; then
    /// whether the changes were made is unknown if the connection broke.
    pub async fn commit(&self, changes: ChangeSet) -> Result<(), CommitError> {
        self.commit_then(changes, Vec::<Asked<()>>::new()).await.map(drop)
    }

    /// The same, and reads what is there afterwards: on PostgreSQL in the same round trip.
    pub(crate) async fn commit_then<T: Send + 'static>(
        &self,
        changes: ChangeSet,
        asked: Vec<Asked<T>>,
    ) -> Result<Vec<T>, CommitError> {
        if !changes.stays_within() {
            return Err(Conflict::Missing { what: "workspace" }.into());
        }
        let logins = changes_logins(&changes);
        let ChangeSet { workspace_id, changes, audit } = changes;
        let mut ops = ops_of(workspace_id, changes);
        let records = audit.into_iter().map(Unwritten::from);
        match self.driver() {
            Driver::Sqlite(sqlite) => {
                let records: Vec<_> = records.collect();
                if !(ops.is_empty() && records.is_empty()) {
                    sqlite.commit(ops, records).await?;
                }
            }
            Driver::Postgres(postgres) => {
                ops.extend(records.map(Unwritten::insert));
                if !ops.is_empty() {
                    return postgres.commit(ops, logins, asked).await;
                }
            }
        }
        Ok(self.scan_at_once(asked).await?)
    }

    /// A store for one short request. On SQLite its look-ups see one instant, from the first of them
    /// until it is dropped, commits, or reads many rows; those are read at a later one.
    #[must_use]
    pub fn at_one_instant(&self) -> Self {
        match self {
            Self::Sqlite(sqlite) => Self::Instant(Arc::new(Instant::new(sqlite))),
            other => other.clone(),
        }
    }

    /// Ends the instant of its look-ups, if there is one; the next look-up begins another.
    pub fn end_instant(&self) {
        if let Self::Instant(at) = self {
            at.end();
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.look_up_one(&PING, Vec::new(), first::<i64>).await.map(drop)
    }

    /// Writes what is queued, then closes: on SQLite the file is left without a log beside it.
    ///
    /// # Errors
    /// When the last writing fails.
    pub async fn close(&self) -> Result<(), StoreError> {
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.close().await,
            Driver::Postgres(postgres) => {
                postgres.close();
                Ok(())
            }
        }
    }

    pub(crate) fn flights_kept(&self) -> usize {
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.options.flights_kept,
            Driver::Postgres(postgres) => postgres.options.flights_kept,
        }
    }

    /// An indexed look-up of few rows: on SQLite made at once on this thread.
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.reading(|c| rows(c, stmt.name, stmt.sqlite(), &params, load)),
            Self::Instant(at) => at.reading(|c| rows(c, stmt.name, stmt.sqlite(), &params, load)),
            Self::Postgres(postgres) => postgres.look_up(stmt, params, load).await,
        }
    }

    pub(crate) async fn look_up_one<T: Send + 'static>(
        &self,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.look_up(stmt, params, load).await?.into_iter().next())
    }

    /// A read of many rows: on SQLite on a thread that may block.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Vec<T>, StoreError> {
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.scan(stmt, params, load).await,
            Driver::Postgres(postgres) => postgres.scan(stmt, params, load).await,
        }
    }

    pub(crate) async fn scan_count(&self, stmt: &'static Stmt, params: Vec<Val>) -> Result<u64, StoreError> {
        Ok(self.scan(stmt, params, count).await?.first().copied().unwrap_or(0))
    }

    /// A read of many rows whose statement may have been put together.
    pub(crate) async fn scan_asked<T: Send + 'static>(&self, asked: Asked<T>) -> Result<Vec<T>, StoreError> {
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.scan_asked(asked).await,
            Driver::Postgres(postgres) => postgres.scan_asked(&asked).await,
        }
    }

    /// Several reads at one instant, their rows one after the other.
    pub(crate) async fn at_once<T: Send + 'static>(
        &self,
        asked: Vec<Asked<T>>,
    ) -> Result<Vec<T>, StoreError> {
        let all = |at: &Instant| at.reading(|connection| one_by_one(connection, Vec::new(), &asked));
        match self {
            Self::Sqlite(sqlite) => all(&Instant::new(sqlite)),
            Self::Instant(at) => all(at),
            Self::Postgres(postgres) => postgres.at_once(asked).await,
        }
    }

    /// Several reads at one instant, of which the `rest` is needless if the first ones find `enough`:
    /// where one read is made after the other, it is then not even put together.
    pub(crate) async fn at_once_with<T: Send + 'static>(
        &self,
        first: Vec<Asked<T>>,
        enough: fn(&[T]) -> bool,
        rest: impl Fn() -> Vec<Asked<T>>,
    ) -> Result<Vec<T>, StoreError> {
        let both = |at: &Instant| {
            at.reading(|connection| {
                let found = one_by_one(connection, Vec::new(), &first)?;
                if enough(&found) { Ok(found) } else { one_by_one(connection, found, &rest()) }
            })
        };
        match self {
            Self::Sqlite(sqlite) => both(&Instant::new(sqlite)),
            Self::Instant(at) => both(at),
            Self::Postgres(postgres) => postgres.at_once(first.into_iter().chain(rest()).collect()).await,
        }
    }

    /// Where everything but look-ups is done; an instant ends with it.
    pub(crate) fn driver(&self) -> Driver<'_> {
        match self {
            Self::Sqlite(sqlite) => Driver::Sqlite(sqlite),
            Self::Instant(at) => {
                at.end();
                Driver::Sqlite(&at.sqlite)
            }
            Self::Postgres(postgres) => Driver::Postgres(postgres),
        }
    }

    /// The same for many rows: on SQLite on a thread that may block.
    pub(crate) async fn scan_at_once<T: Send + 'static>(
        &self,
        asked: Vec<Asked<T>>,
    ) -> Result<Vec<T>, StoreError> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.scan_at_once(asked).await,
            Driver::Postgres(postgres) => postgres.at_once(asked).await,
        }
    }

    /// How often a caller waited for PostgreSQL; reads that are under way at the same time are one
    /// round trip, so it tells something while one request is served at a time. None on SQLite.
    pub fn round_trips(&self) -> u64 {
        match self {
            Self::Sqlite(_) | Self::Instant(_) => 0,
            Self::Postgres(postgres) => postgres.round_trips(),
        }
    }

    /// Writes that rest on nothing: records of use, not of state.
    pub(crate) async fn write(&self, ops: Vec<Op>) -> Result<(), StoreError> {
        self.apply(ops).await.map_err(|error| match error {
            CommitError::Store(error) => error,
            CommitError::Busy => StoreError::Busy,
            CommitError::Conflict(conflict) => {
                StoreError::Statement { statement: "write", source: Box::new(conflict) }
            }
        })
    }

    /// Statements that are made whole or not at all, without an audit record.
    pub(crate) async fn apply(&self, ops: Vec<Op>) -> Result<(), CommitError> {
        if ops.is_empty() {
            return Ok(());
        }
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.commit(ops, Vec::new()).await,
            Driver::Postgres(postgres) => {
                postgres.commit(ops, Vec::new(), Vec::<Asked<()>>::new()).await.map(drop)
            }
        }
    }

    /// One statement that writes and answers with rows.
    pub(crate) async fn write_returning<T: Send + 'static>(
        &self,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Vec<T>, StoreError> {
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.write_returning(stmt, params, load).await,
            Driver::Postgres(postgres) => postgres.scan(stmt, params, load).await,
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Store::Sqlite",
            Self::Instant(_) => "Store::Instant",
            Self::Postgres(_) => "Store::Postgres",
        })
    }
}

static PING: Stmt = Stmt::new("PING", "select cast(1 as bigint)");

/// What of a change set logins depend on, so that no cache outlives it.
pub(crate) enum LoginChange {
    /// A token of the workspace.
    Tokens,
    /// A member, if they have a token.
    Member(latchkey_kernel::id::MemberId),
}

fn changes_logins(changes: &ChangeSet) -> Vec<(latchkey_kernel::id::WorkspaceId, LoginChange)> {
    use latchkey_access::Change;
    let of = |change: &Change| match change {
        Change::TokenRevoke { .. } => Some(LoginChange::Tokens),
        Change::MemberUpdate { member, .. } => Some(LoginChange::Member(member.id)),
        Change::MemberCutOff { member_id, .. } => Some(LoginChange::Member(*member_id)),
        _ => None,
    };
    changes.changes.iter().filter_map(of).map(|change| (changes.workspace_id, change)).collect()
}
