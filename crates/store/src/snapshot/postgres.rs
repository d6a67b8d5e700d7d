//! Snapshots of a database on a server, and into one.

use std::io::{Read, Write};
use std::pin::pin;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, IsolationLevel, Row};

use super::form::{Cell, Part, Reader, Writer};
use super::{LEFT_OUT, MADE, Manifest, SnapshotError, Table, migrations, schema_of};
use crate::StoreError;
use crate::migrate;
use crate::postgres::{self, Postgres};
use crate::value::Val;

/// Parts on their way between the server and the stream.
const ON_THE_WAY: usize = 256;

impl Postgres {
    /// In one read-only transaction with a snapshot of its own.
    pub(super) async fn snapshot<W: Write + Send + 'static>(
        &self,
        out: W,
    ) -> Result<(Manifest, W), SnapshotError> {
        let mut client = self.client().await?;
        // Rolls back when it is dropped.
        let snapshot =
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let snapshot = snapshot.start().await.map_err(failed)?;
        write(snapshot.client(), out).await
    }
}

/// Restores into a database that has no row of ours: all of it, or nothing.
///
/// # Errors
/// When there are rows already, the stream does not read, or what was written reads back as
/// something else; then nothing was kept.
pub async fn restore_to_postgres<R: Read + Send + 'static>(
    url: &str,
    from: R,
) -> Result<Manifest, SnapshotError> {
    let mut client = postgres::connect_alone(url).await?;
    let transaction = client.transaction().await.map_err(failed)?;
    let manifest = load(transaction.client(), from).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(manifest)
}

async fn load<R: Read + Send + 'static>(client: &Client, from: R) -> Result<Manifest, SnapshotError> {
    let (parts, mut coming) = mpsc::channel(ON_THE_WAY);
    let (schema, schema_read) = tokio::sync::oneshot::channel();
    let reading = tokio::task::spawn_blocking(move || {
        let mut reader = Reader::new(from)?;
        // Who does not take what is read has failed, and says why.
        let _ = schema.send(reader.schema());
        while let Some(part) = reader.next()? {
            if parts.blocking_send(part).is_err() {
                return Err(SnapshotError::Store(StoreError::Closed));
            }
        }
        reader.manifest()
    });
    let loaded = match schema_read.await {
        Ok(schema) => fill(client, schema, &mut coming).await,
        Err(_) => Ok(()),
    };
    drop(coming);
    let read = reading.await.map_err(|_| StoreError::Closed)?;
    // The stream's failure is why there was nothing more to load, and the loading's why nobody read on.
    let said = match (loaded, read) {
        (Err(error), Err(SnapshotError::Store(StoreError::Closed)) | Ok(_)) => return Err(error),
        (_, Err(error)) => return Err(error),
        (Ok(()), Ok(said)) => said,
    };
    let (found, _) = write(client, std::io::sink()).await?;
    if found != said {
        return Err(SnapshotError::Differs { tables: said.differences(&found) });
    }
    Ok(said)
}

async fn fill(client: &Client, schema: i64, coming: &mut mpsc::Receiver<Part>) -> Result<(), SnapshotError> {
    client.batch_execute("set local client_min_messages = warning").await.map_err(failed)?;
    client.batch_execute(migrate::TABLE).await.map_err(failed)?;
    let made = made(client).await?;
    let wanted = migrations(migrate::POSTGRES, schema)?;
    if schema_of(&made) > schema {
        let found = format!("its schema is {}, the backup's {schema}", schema_of(&made));
        return Err(SnapshotError::NotEmpty { place: "the database".to_owned(), found });
    }
    migrate::pending(wanted, &made)?;
    for migration in wanted.iter().skip(made.len()) {
        client.batch_execute(migration.sql).await.map_err(failed)?;
        client.batch_execute(&migration.remember()).await.map_err(failed)?;
    }
    let tables = tables(client).await?;
    for table in &tables {
        let rows = client.query_one(&format!("select exists (select from {})", table.name), &[]).await;
        if made.len() == wanted.len() && rows.map_err(failed)?.get(0) {
            let found = format!("there are rows in `{}`", table.name);
            return Err(SnapshotError::NotEmpty { place: "the database".to_owned(), found });
        }
        client.batch_execute(&format!("delete from {}", table.name)).await.map_err(failed)?;
    }
    let links = unlink(client).await?;
    let mut open: Option<Load> = None;
    while let Some(part) = coming.recv().await {
        match part {
            Part::Table(name, columns) => {
                if let Some(load) = open.take() {
                    load.finish().await?;
                }
                open = Some(Load::begin(client, &tables, &name, &columns).await?);
            }
            Part::Row(cells) => {
                let load =
                    open.as_mut().ok_or_else(|| SnapshotError::Form("a row of no table".to_owned()))?;
                load.row(cells).await?;
            }
        }
    }
    if let Some(load) = open {
        load.finish().await?;
    }
    client.batch_execute(&links).await.map_err(failed)
}

/// Takes the links between tables away, and gives the statements that put them back and check
/// every row: rows come in the order of tables' names.
async fn unlink(client: &Client) -> Result<String, SnapshotError> {
    let sql = "select t.relname::text, c.conname::text, pg_get_constraintdef(c.oid) \
               from pg_constraint c join pg_class t on t.oid = c.conrelid \
               where c.contype = 'f' and t.relnamespace = current_schema()::regnamespace order by 1, 2";
    let mut back = String::new();
    for row in client.query(sql, &[]).await.map_err(failed)? {
        let (table, name, text): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        client.batch_execute(&format!("alter table {table} drop constraint {name}")).await.map_err(failed)?;
        back.push_str(&format!("alter table {table} add constraint {name} {text};\n"));
    }
    Ok(back)
}

/// One table's rows on their way in.
struct Load {
    writer: std::pin::Pin<Box<BinaryCopyInWriter>>,
    types: Vec<Type>,
}

impl Load {
    async fn begin(
        client: &Client,
        tables: &[Table],
        name: &str,
        columns: &[String],
    ) -> Result<Self, SnapshotError> {
        if !tables.iter().any(|table| table.name == name && table.columns == columns) {
            return Err(SnapshotError::Form(format!("its table `{name}` is not as the schema has it")));
        }
        let list = columns.join(", ");
        let shape = client.prepare(&format!("select {list} from {name}")).await.map_err(failed)?;
        let types: Vec<Type> = shape.columns().iter().map(|column| column.type_().clone()).collect();
        let sink =
            client.copy_in(&format!("copy {name} ({list}) from stdin binary")).await.map_err(failed)?;
        Ok(Self { writer: Box::pin(BinaryCopyInWriter::new(sink, &types)), types })
    }

    async fn row(&mut self, cells: Vec<Cell>) -> Result<(), SnapshotError> {
        let values: Vec<Val> =
            cells.into_iter().zip(&self.types).map(|(cell, ty)| value(cell, ty)).collect::<Result<_, _>>()?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        self.writer.as_mut().write(&values).await.map_err(failed)
    }

    async fn finish(mut self) -> Result<(), SnapshotError> {
        self.writer.as_mut().finish().await.map(drop).map_err(failed)
    }
}

async fn write<W: Write + Send + 'static>(client: &Client, out: W) -> Result<(Manifest, W), SnapshotError> {
    let schema = schema_of(&made(client).await?);
    let tables = tables(client).await?;
    let (parts, mut coming) = mpsc::channel(ON_THE_WAY);
    let writing = tokio::task::spawn_blocking(move || {
        let mut writer = Writer::new(out, schema)?;
        while let Some(part) = coming.blocking_recv() {
            match part {
                Part::Table(name, columns) => writer.begin(&name, &columns)?,
                Part::Row(cells) => writer.row(cells)?,
            }
        }
        Ok::<_, SnapshotError>(writer.finish()?)
    });
    let sent = send(client, tables, parts).await;
    // A stream that cannot be written is why nobody took more.
    let written = writing.await.map_err(|_| StoreError::Closed)??;
    sent?;
    Ok(written)
}

/// Row by row as the server sends them: it waits while nobody takes more.
async fn send(client: &Client, tables: Vec<Table>, parts: mpsc::Sender<Part>) -> Result<(), SnapshotError> {
    let closed = |_| SnapshotError::Store(StoreError::Closed);
    for table in tables {
        let sql = table.select();
        parts.send(Part::Table(table.name, table.columns)).await.map_err(closed)?;
        let rows = client.query_raw(&sql, std::iter::empty::<i64>()).await.map_err(failed)?;
        let mut rows = pin!(rows);
        while let Some(row) = rows.next().await {
            parts.send(Part::Row(cells(&row.map_err(failed)?)?)).await.map_err(closed)?;
        }
    }
    Ok(())
}

async fn made(client: &Client) -> Result<Vec<(i64, String, String)>, SnapshotError> {
    let rows = client.query(MADE, &[]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}

async fn tables(client: &Client) -> Result<Vec<Table>, SnapshotError> {
    let sql = "select t.relname::text, a.attname::text, coalesce(array_position(i.indkey::int2[], a.attnum), -1)::bigint \
               from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped \
               left join pg_index i on i.indrelid = t.oid and i.indisprimary \
               where t.relkind in ('r', 'p') and t.relnamespace = current_schema()::regnamespace and t.relname <> $1";
    let rows = client.query(sql, &[&LEFT_OUT]).await.map_err(failed)?;
    // The first place in an `int2vector` is 0.
    Ok(Table::gather(rows.iter().map(|row| (row.get(0), row.get(1), row.get::<_, i64>(2) + 1)).collect()))
}

fn cells(row: &Row) -> Result<Vec<Cell>, SnapshotError> {
    let cell = |at: usize, ty: &Type| -> Result<Option<Cell>, tokio_postgres::Error> {
        Ok(match *ty {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Cell::Int),
            Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map(|flag| Cell::Int(flag.into())),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Cell::Bytes),
            Type::UUID => {
                row.try_get::<_, Option<uuid::Uuid>>(at)?.map(|id| Cell::Bytes(id.into_bytes().into()))
            }
            _ => row.try_get::<_, Option<String>>(at)?.map(Cell::Text),
        })
    };
    let all = row.columns().iter().enumerate();
    all.map(|(at, column)| Ok(cell(at, column.type_()).map_err(failed)?.unwrap_or(Cell::Null))).collect()
}

/// A cell as a column of this type takes it.
fn value(cell: Cell, ty: &Type) -> Result<Val, SnapshotError> {
    Ok(match (cell, ty) {
        (Cell::Null, _) => Val::Null,
        (Cell::Int(number), &Type::INT8) => Val::Int(number),
        (Cell::Int(number @ (0 | 1)), &Type::BOOL) => Val::Bool(number == 1),
        (Cell::Text(text), &Type::TEXT) => Val::Text(text),
        (Cell::Bytes(bytes), &Type::BYTEA) => Val::Bytes(bytes),
        (Cell::Bytes(bytes), &Type::UUID) => Val::Id(
            uuid::Uuid::from_slice(&bytes)
                .map_err(|_| SnapshotError::Form("an id in it is none".to_owned()))?,
        ),
        (_, ty) => return Err(SnapshotError::Form(format!("a value in it is no {ty}"))),
    })
}

fn failed(error: tokio_postgres::Error) -> SnapshotError {
    postgres::failed("snapshot", error).into()
}
