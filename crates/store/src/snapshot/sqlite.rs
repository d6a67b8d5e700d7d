//! Snapshots of a file, and into one.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};

use super::form::{Cell, Part, Reader, Writer};
use super::{LEFT_OUT, MADE, Manifest, SnapshotError, Table, migrations, schema_of};
use crate::StoreError;
use crate::migrate;
use crate::sqlite::Sqlite;

impl Sqlite {
    /// In one read transaction, on a thread that may block: writers go on beside it.
    pub(super) async fn snapshot<W: Write + Send + 'static>(
        self: &Arc<Self>,
        out: W,
    ) -> Result<(Manifest, W), SnapshotError> {
        let connection = self.open_reader()?;
        tokio::task::spawn_blocking(move || write(&connection, out)).await.map_err(|_| StoreError::Closed)?
    }
}

/// Restores into a new file: beside its place first, and there only when all of it is right.
///
/// # Errors
/// When there is a database already, the stream does not read, or what was written reads back as
/// something else; then there is no file.
pub fn restore_to_sqlite(file: &Path, from: impl Read) -> Result<Manifest, SnapshotError> {
    let place = file.display().to_string();
    if file.exists() {
        return Err(SnapshotError::NotEmpty { place, found: "there is a database".to_owned() });
    }
    let draft = file.with_extension("restoring");
    remove(&draft)?;
    let done = load(&draft, from).and_then(|manifest| {
        // Linked and not renamed: a database that somebody else made meanwhile stays theirs.
        std::fs::hard_link(&draft, file)?;
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(manifest)
    });
    remove(&draft)?;
    done
}

fn remove(draft: &Path) -> Result<(), SnapshotError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = draft.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn load(draft: &Path, from: impl Read) -> Result<Manifest, SnapshotError> {
    let connection = Connection::open(draft).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(draft, std::fs::Permissions::from_mode(0o600))?;
    }
    // Rows come in the order of tables' names; links are checked when all are in.
    connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
    connection.execute_batch("begin immediate").map_err(failed)?;
    let mut reader = Reader::new(from)?;
    connection.execute_batch(migrate::TABLE).map_err(failed)?;
    for migration in migrations(migrate::SQLITE, reader.schema())? {
        connection.execute_batch(migration.sql).map_err(failed)?;
        connection.execute_batch(&migration.remember()).map_err(failed)?;
    }
    let tables = tables(&connection)?;
    empty(&connection, &tables)?;
    let mut insert = None;
    while let Some(part) = reader.next()? {
        match part {
            Part::Table(name, columns) => insert = Some(statement(&connection, &tables, &name, &columns)?),
            Part::Row(cells) => {
                let insert =
                    insert.as_mut().ok_or_else(|| SnapshotError::Form("a row of no table".to_owned()))?;
                insert.execute(params_from_iter(&cells)).map_err(failed)?;
            }
        }
    }
    drop(insert);
    let said = reader.manifest()?;
    let broken =
        connection.query_row("select count(*) from pragma_foreign_key_check", [], |row| row.get::<_, i64>(0));
    if broken.map_err(failed)? > 0 {
        return Err(SnapshotError::Form("rows in it refer to rows that are not".to_owned()));
    }
    let (found, _) = write_within(&connection, std::io::sink())?;
    if found != said {
        return Err(SnapshotError::Differs { tables: said.differences(&found) });
    }
    connection.execute_batch("commit").map_err(failed)?;
    connection.close().map_err(|(_, error)| failed(error))?;
    std::fs::File::open(draft)?.sync_all()?;
    Ok(said)
}

/// What a migration puts into a table comes from the backup, too.
fn empty(connection: &Connection, tables: &[Table]) -> Result<(), SnapshotError> {
    tables
        .iter()
        .try_for_each(|table| connection.execute(&format!("delete from {}", table.name), []).map(drop))
        .map_err(failed)
}

fn statement<'c>(
    connection: &'c Connection,
    tables: &[Table],
    name: &str,
    columns: &[String],
) -> Result<rusqlite::Statement<'c>, SnapshotError> {
    let known = tables.iter().any(|table| table.name == name && table.columns == columns);
    if !known {
        return Err(SnapshotError::Form(format!("its table `{name}` is not as the schema has it")));
    }
    let marks = vec!["?"; columns.len()].join(", ");
    connection
        .prepare(&format!("insert into {name} ({}) values ({marks})", columns.join(", ")))
        .map_err(failed)
}

fn write<W: Write>(connection: &Connection, out: W) -> Result<(Manifest, W), SnapshotError> {
    // What the first read sees is what all of them see.
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    write_within(&snapshot, out)
}

fn write_within<W: Write>(connection: &Connection, out: W) -> Result<(Manifest, W), SnapshotError> {
    let mut made = connection.prepare(MADE).map_err(failed)?;
    let made = made.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(failed)?;
    let made: Vec<(i64, String, String)> = made.collect::<Result<_, _>>().map_err(failed)?;
    let mut writer = Writer::new(out, schema_of(&made))?;
    for table in tables(connection)? {
        writer.begin(&table.name, &table.columns)?;
        let mut statement = connection.prepare(&table.select()).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let cells = (0..table.columns.len()).map(|at| row.get_ref(at).map_err(failed).and_then(cell));
            writer.row(cells.collect::<Result<Vec<_>, _>>()?)?;
        }
    }
    Ok(writer.finish()?)
}

fn tables(connection: &Connection) -> Result<Vec<Table>, SnapshotError> {
    let sql = "select t.name, c.name, c.pk from sqlite_schema t, pragma_table_info(t.name) c \
               where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\' and t.name <> ?1";
    let mut found = connection.prepare(sql).map_err(failed)?;
    let found =
        found.query_map([LEFT_OUT], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(failed)?;
    Ok(Table::gather(found.collect::<Result<_, _>>().map_err(failed)?))
}

fn cell(value: ValueRef<'_>) -> Result<Cell, SnapshotError> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(
            std::str::from_utf8(text)
                .map_err(|_| SnapshotError::Form("a stored text is no text".to_owned()))?
                .to_owned(),
        ),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(SnapshotError::Form("a stored number is no whole one".to_owned())),
    })
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn failed(source: rusqlite::Error) -> SnapshotError {
    StoreError::Statement { statement: "snapshot", source: Box::new(source) }.into()
}
