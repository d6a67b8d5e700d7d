//! The driver for PostgreSQL: a commit is one round trip, look-ups share pipelined connections.

mod logins;
mod pipeline;
mod trips;

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use futures_util::TryStreamExt;
use latchkey_kernel::id::WorkspaceId;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Statement};

use crate::audit;
use crate::change::Op;
use crate::error::{CommitError, Conflict, StoreError, UniqueKey};
use crate::migrate;
use crate::row::{self, Columns, Load, Row};
use crate::statement::Stmt;
use crate::store::{Asked, LoginChange, Options};
use crate::value::Val;
pub(crate) use logins::Logins;
#[cfg(test)]
pub(crate) use logins::STATEMENTS;
use pipeline::Question;
use trips::Trips;

/// Connections that look-ups share: each carries many at a time, one after the other on the wire.
const LOOK_UPS: usize = 4;
/// How long to wait for a connection, free or new, before the caller is told to come back.
const WAIT: Duration = Duration::from_secs(5);
/// Rows seen one by one before others are let in between.
const BREATH: usize = 1_000;
/// Who migrates holds this advisory lock. The number is arbitrary and ours.
const MIGRATION_LOCK: i64 = 0x6c61_7463_686b_6579;

/// A database on a server.
pub struct Postgres {
    pub(crate) options: Options,
    pool: Pool,
    shared: Pool,
    readers: [Mutex<Option<Arc<Object>>>; LOOK_UPS],
    /// Who makes a slot's connection; the others for that slot wait, or they would empty the pool.
    making: [tokio::sync::Mutex<()>; LOOK_UPS],
    next: AtomicUsize,
    logins: Arc<Logins>,
    trips: Trips,
    listener: tokio::task::JoinHandle<()>,
}

impl Postgres {
    pub(crate) async fn connect(url: &str, options: Options) -> Result<Self, StoreError> {
        let config = config(url)?;
        migrate(&config).await?;
        let logins = Arc::new(Logins::default());
        let listener = tokio::spawn(logins::listen(config.clone(), Arc::clone(&logins)));
        Ok(Self {
            pool: pool(&config, options.connections)?,
            shared: pool(&config, LOOK_UPS)?,
            readers: Default::default(),
            making: Default::default(),
            next: AtomicUsize::new(0),
            logins,
            trips: Trips::default(),
            listener,
            options,
        })
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.logins
    }

    pub(crate) fn round_trips(&self) -> u64 {
        self.trips.count()
    }

    pub(crate) fn close(&self) {
        self.listener.abort();
        self.pool.close();
        self.shared.close();
        self.readers.iter().for_each(|slot| drop(slot.lock().expect("no holder of this lock panics").take()));
    }

    pub(crate) async fn client(&self) -> Result<Object, StoreError> {
        if self.pool.status().waiting >= self.options.queue {
            return Err(StoreError::Busy);
        }
        self.pool.get().await.map_err(unavailable)
    }

    /// One of the shared connections; a broken one is made anew.
    async fn reader(&self) -> Result<Arc<Object>, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % LOOK_UPS;
        let slot = &self.readers[turn];
        let present = || {
            let client = slot.lock().expect("no holder of this lock panics").clone();
            client.filter(|client| !client.is_closed())
        };
        if let Some(client) = present() {
            return Ok(client);
        }
        let _making = self.making[turn].lock().await;
        if let Some(client) = present() {
            return Ok(client);
        }
        // Given back before another is asked for, or the pool would be empty.
        drop(slot.lock().expect("no holder of this lock panics").take());
        let fresh = Arc::new(self.shared.get().await.map_err(unavailable)?);
        *slot.lock().expect("no holder of this lock panics") = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Reads; once more if the connection turned out to be broken, since reading changes nothing.
    async fn again<T, F: Future<Output = Result<T, StoreError>>>(
        read: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        match read().await {
            Err(StoreError::Unavailable(_)) => read().await,
            done => done,
        }
    }

    pub(crate) async fn look_up<T>(
        &self,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Vec<T>, StoreError> {
        let _trip = self.trips.begin();
        Self::again(async || {
            let client = self.reader().await?;
            query(&*client, stmt.name, stmt.postgres(), &params, load).await
        })
        .await
    }

    pub(crate) async fn scan<T>(
        &self,
        stmt: &'static Stmt,
        params: Vec<Val>,
        load: Load<T>,
    ) -> Result<Vec<T>, StoreError> {
        let _trip = self.trips.begin();
        Self::again(async || {
            let client = self.client().await?;
            query(&client, stmt.name, stmt.postgres(), &params, load).await
        })
        .await
    }

    pub(crate) async fn scan_asked<T>(&self, asked: &Asked<T>) -> Result<Vec<T>, StoreError> {
        let _trip = self.trips.begin();
        Self::again(async || {
            let client = self.client().await?;
            let prepared = prepare_asked(&client, asked).await?;
            let rows = pipeline::query(&client, question(prepared.as_ref(), asked)).await;
            load_all(&rows.map_err(|error| failed(asked.text.name(), error))?, asked.load)
        })
        .await
    }

    /// Rows as they come, so that as many as there are need no room. Ends with what `see` fails with.
    pub(crate) async fn each<T, E: From<StoreError>>(
        &self,
        asked: &Asked<T>,
        mut see: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let _trip = self.trips.begin();
        let failed = |error| failed(asked.text.name(), error);
        let (_client, rows) = Self::again(async || {
            let client = self.client().await?;
            let prepared = prepare_asked(&client, asked).await?;
            let rows = pipeline::stream(&client, question(prepared.as_ref(), asked)).await;
            Ok((client, rows.map_err(failed)?))
        })
        .await?;
        let mut rows = std::pin::pin!(rows);
        let mut seen = 0_usize;
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            see((asked.load)(&mut Columns::of(Row::Postgres(&row)))?)?;
            seen += 1;
            if seen.is_multiple_of(BREATH) {
                // A long look must not keep others from being served.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Several reads in one snapshot and one round trip.
    pub(crate) async fn at_once<T>(&self, asked: Vec<Asked<T>>) -> Result<Vec<T>, StoreError> {
        let _trip = self.trips.begin();
        Self::again(async || {
            let client = self.client().await?;
            let prepared = prepare_all(&client, &asked).await?;
            let answers = pipeline::queries(&client, questions(&prepared, &asked)).await;
            load_asked(answers, &asked)
        })
        .await
    }

    /// Commits, and reads what is there afterwards, in one round trip.
    pub(crate) async fn commit<T>(
        &self,
        mut ops: Vec<Op>,
        logins: Vec<(WorkspaceId, LoginChange)>,
        asked: Vec<Asked<T>>,
    ) -> Result<Vec<T>, CommitError> {
        let _trip = self.trips.begin();
        ops.extend(logins.iter().map(logins::notify));
        let client = self.client().await?;
        let mut prepared: Vec<Statement> = Vec::with_capacity(ops.len());
        for op in &ops {
            prepared.push(prepare(&client, op.stmt.name, op.stmt.postgres_of(op.expect.is_some())).await?);
        }
        let then = prepare_all(&client, &asked).await?;
        let statements = prepared.iter().zip(&ops).map(|(prepared, op)| (prepared, &op.params[..]));
        let done = pipeline::transaction(&client, statements, questions(&then, &asked)).await;
        // Also when it failed: a broken connection may have committed.
        for (_, change) in &logins {
            self.logins.forget(change);
        }
        let answers = done.map_err(|(at, error)| match at.and_then(|at| ops.get(at)) {
            Some(op) => conflict_of(op, error),
            None => end_of(error),
        })?;
        Ok(load_asked(answers, &asked)?)
    }

    pub(crate) async fn seal(&self, batch: usize) -> Result<audit::SealReport, StoreError> {
        let asked = audit::workspaces_unsealed();
        let workspaces: Vec<WorkspaceId> = self.scan(asked.stmt, asked.params, row::first).await?;
        let mut sealed = 0;
        for ws in workspaces {
            if sealed >= batch {
                break;
            }
            sealed += self.seal_workspace(ws, batch - sealed).await?;
        }
        Ok(audit::SealReport { sealed })
    }

    /// Holds the head's row from reading to writing; a workspace that another node seals is passed by.
    async fn seal_workspace(&self, ws: WorkspaceId, batch: usize) -> Result<usize, StoreError> {
        let mut client = self.client().await?;
        // Rolls back when it is dropped.
        let transaction = client.transaction().await.map_err(|error| failed("begin", error))?;
        let hold = audit::head_hold(ws);
        let head =
            query(&transaction, hold.stmt.name, hold.stmt.postgres(), &hold.params, audit::load_head).await?;
        let Some(head) = head.first() else { return Ok(0) };
        let asked = audit::unsealed(ws, batch);
        let records =
            query(&transaction, asked.stmt.name, asked.stmt.postgres(), &asked.params, audit::load_sealed)
                .await?;
        let ops = audit::seal_ops(ws, *head, &records);
        let mut prepared = Vec::with_capacity(ops.len());
        for op in &ops {
            prepared
                .push(prepare(&transaction, op.stmt.name, op.stmt.postgres_of(op.expect.is_some())).await?);
        }
        let statements = prepared.iter().zip(&ops).map(|(prepared, op)| (prepared, &op.params[..]));
        pipeline::statements(&transaction, statements).await.map_err(|error| failed("AUDIT_SEAL", error))?;
        transaction.commit().await.map_err(|error| failed("commit", error))?;
        Ok(records.len())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

fn config(url: &str) -> Result<Config, StoreError> {
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| StoreError::Open {
        place: "at this URL".to_owned(),
        source: Box::new(error),
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(WAIT);
    }
    config.application_name("latchkey");
    Ok(config)
}

fn pool(config: &Config, size: usize) -> Result<Pool, StoreError> {
    // A connection that is known to be closed is not given out; one that breaks in use fails its user.
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config.clone(), NoTls, recycling);
    let built = Pool::builder(manager)
        .max_size(size.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .build();
    built.map_err(|error| StoreError::Unavailable(Box::new(error)))
}

/// What prepares and queries: a connection of the pool, or a transaction on one.
trait Asks: Sync {
    async fn prepared(&self, sql: &str) -> Result<Statement, tokio_postgres::Error>;
    fn raw(&self) -> &(impl tokio_postgres::GenericClient + Sync);
}

impl Asks for Object {
    async fn prepared(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        self.prepare_cached(sql).await
    }

    fn raw(&self) -> &(impl tokio_postgres::GenericClient + Sync) {
        let client: &tokio_postgres::Client = self;
        client
    }
}

impl Asks for deadpool_postgres::Transaction<'_> {
    async fn prepared(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        self.prepare_cached(sql).await
    }

    fn raw(&self) -> &(impl tokio_postgres::GenericClient + Sync) {
        let transaction: &tokio_postgres::Transaction<'_> = self;
        transaction
    }
}

async fn prepare(client: &impl Asks, name: &'static str, sql: &str) -> Result<Statement, StoreError> {
    client.prepared(sql).await.map_err(|error| failed(name, error))
}

async fn query<T>(
    client: &impl Asks,
    name: &'static str,
    sql: &str,
    params: &[Val],
    load: Load<T>,
) -> Result<Vec<T>, StoreError> {
    use tokio_postgres::GenericClient as _;
    let statement = prepare(client, name, sql).await?;
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
    let rows = client.raw().query(&statement, &params).await.map_err(|error| failed(name, error))?;
    load_all(&rows, load)
}

/// What clients choose the shape of is not prepared: nothing of it stays.
async fn prepare_asked<T>(client: &impl Asks, asked: &Asked<T>) -> Result<Option<Statement>, StoreError> {
    if !asked.text.keeps() {
        return Ok(None);
    }
    prepare(client, asked.text.name(), asked.text.postgres()).await.map(Some)
}

async fn prepare_all<T>(
    client: &impl Asks,
    asked: &[Asked<T>],
) -> Result<Vec<Option<Statement>>, StoreError> {
    let mut prepared = Vec::with_capacity(asked.len());
    for one in asked {
        prepared.push(prepare_asked(client, one).await?);
    }
    Ok(prepared)
}

fn question<'a, T>(prepared: Option<&'a Statement>, asked: &'a Asked<T>) -> Question<'a> {
    match prepared {
        Some(statement) => Question::Prepared(statement, &asked.params),
        None => Question::Typed(asked.text.postgres(), &asked.params),
    }
}

fn questions<'a, T>(
    prepared: &'a [Option<Statement>],
    asked: &'a [Asked<T>],
) -> impl Iterator<Item = Question<'a>> {
    prepared.iter().zip(asked).map(|(prepared, one)| question(prepared.as_ref(), one))
}

fn load_asked<T>(
    answers: Vec<Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>>,
    asked: &[Asked<T>],
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for (answer, one) in answers.into_iter().zip(asked) {
        let rows = answer.map_err(|error| failed(one.text.name(), error))?;
        found.extend(load_all(&rows, one.load)?);
    }
    Ok(found)
}

fn load_all<T>(rows: &[tokio_postgres::Row], load: Load<T>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| load(&mut Columns::of(Row::Postgres(row)))).collect()
}

fn unavailable(error: PoolError) -> StoreError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
        PoolError::Closed => StoreError::Closed,
        other => StoreError::Unavailable(Box::new(other)),
    }
}

/// Without a word from the server, or with one that it is going, the connection is lost.
pub(crate) fn failed(statement: &'static str, error: tokio_postgres::Error) -> StoreError {
    let lost = match error.code() {
        None => {
            error.is_closed() || std::error::Error::source(&error).is_some_and(|e| e.is::<std::io::Error>())
        }
        Some(code) => {
            matches!(code.code().get(..2), Some("08" | "57")) || *code == SqlState::TOO_MANY_CONNECTIONS
        }
    };
    let source = Box::new(error);
    if lost { StoreError::Unavailable(source) } else { StoreError::Statement { statement, source } }
}

fn conflict_of(op: &Op, error: tokio_postgres::Error) -> CommitError {
    let Some(told) = error.as_db_error() else { return failed(op.stmt.name, error).into() };
    match (told.code().code(), op.expect) {
        ("LK001", Some(conflict)) => conflict.into(),
        ("23505", _) => {
            Conflict::Unique(UniqueKey::of_constraint(told.constraint().unwrap_or_default())).into()
        }
        ("23503", _) => op.unlinked.into(),
        ("40001" | "40P01", _) => Conflict::Moved { what: "row" }.into(),
        _ => failed(op.stmt.name, error).into(),
    }
}

/// What a failure of the COMMIT itself, or of the BEGIN, comes to.
fn end_of(error: tokio_postgres::Error) -> CommitError {
    match error.code().map(SqlState::code) {
        Some("40001" | "40P01") => Conflict::Moved { what: "row" }.into(),
        _ => failed("commit", error).into(),
    }
}

/// A connection of its own, which holds off whoever would migrate, for as long as it lives.
pub(crate) async fn connect_alone(url: &str) -> Result<tokio_postgres::Client, StoreError> {
    let config = config(url)?;
    let (client, connection) =
        config.connect(NoTls).await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    tokio::spawn(connection);
    let locked = client.query("select pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await;
    locked.map_err(|error| failed("migrate", error))?;
    Ok(client)
}

/// Brings the schema up to date, alone, on a connection of its own.
async fn migrate(config: &Config) -> Result<(), StoreError> {
    let failed = |error| failed("migrate", error);
    let (mut client, connection) =
        config.connect(NoTls).await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let connection = tokio::spawn(connection);
    client.query("select pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await.map_err(failed)?;
    let transaction = client.transaction().await.map_err(failed)?;
    // Silent when it is there.
    transaction.batch_execute("set local client_min_messages = warning").await.map_err(failed)?;
    transaction.batch_execute(migrate::TABLE).await.map_err(failed)?;
    let rows = transaction.query(migrate::MADE, &[]).await.map_err(failed)?;
    let made = load_all(&rows, |row| Ok((row.next::<i64>()?, row.next::<String>()?, row.next::<String>()?)))?;
    for migration in migrate::pending(migrate::POSTGRES, &made)? {
        tracing::info!(migration = migration.name, "migrating the database");
        transaction.batch_execute(migration.sql).await.map_err(failed)?;
        transaction.batch_execute(&migration.remember()).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)?;
    // Going ends the lock.
    drop(client);
    let _ = connection.await;
    Ok(())
}
