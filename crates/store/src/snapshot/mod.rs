//! A whole database as one stream, from either kind and into either kind.
//!
//! The stream has each table with its rows in the order of its key, in a form that belongs to no
//! database, and ends with a manifest: rows and digest of each table. What a restore has written is
//! read back the same way, and must give the same manifest. Tables and columns are found by
//! introspection, so that a new table is in the next backup without a word here.

mod form;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::migrate::{self, Migration};
use crate::store::Driver;
use crate::{Store, StoreError};

pub use postgres::restore_to_postgres;
pub use sqlite::restore_to_sqlite;

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The number of the schema's last migration.
    pub schema: i64,
    /// By the table's name.
    pub tables: BTreeMap<String, TableSum>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of the columns' names and of the rows as they stand in the stream, in hexadecimal.
    pub digest: String,
}

impl Manifest {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    /// The tables in which another differs from this one.
    fn differences(&self, other: &Self) -> Vec<String> {
        let all: std::collections::BTreeSet<&String> =
            self.tables.keys().chain(other.tables.keys()).collect();
        let differs = |name: &&&String| self.tables.get(**name) != other.tables.get(**name);
        all.iter().filter(differs).map(|name| (*name).clone()).collect()
    }
}

/// Why a snapshot was not taken or not restored.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream cannot be written or read.
    #[error("the backup file cannot be read or written")]
    Stream(#[source] std::io::Error),
    /// The stream is not one of ours.
    #[error("the backup does not read: {0}")]
    Form(String),
    /// A schema that this program doesn't know.
    #[error(
        "the backup has schema {found}, and this program knows schemas up to {known}; restore it with the newer program that made it"
    )]
    TooNew {
        /// The backup's.
        found: i64,
        /// The newest that we know.
        known: i64,
    },
    /// There is something where the backup would go.
    #[error(
        "{place} is not empty ({found}); restore into an empty one, and nothing of it is lost by mistake"
    )]
    NotEmpty {
        /// Where.
        place: String,
        /// What is there.
        found: String,
    },
    /// What was written reads back as something else.
    #[error("what was restored differs from the backup in {}; nothing was kept", .tables.join(", "))]
    Differs {
        /// The tables.
        tables: Vec<String>,
    },
}

impl From<std::io::Error> for SnapshotError {
    fn from(error: std::io::Error) -> Self {
        Self::Stream(error)
    }
}

impl Store {
    /// Writes all rows, as they are at one instant, while others read and write on.
    ///
    /// # Errors
    /// When the database fails, or `out` cannot be written.
    pub async fn snapshot<W: Write + Send + 'static>(&self, out: W) -> Result<(Manifest, W), SnapshotError> {
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.snapshot(out).await,
            Driver::Postgres(postgres) => postgres.snapshot(out).await,
        }
    }
}

/// Reads a stream through and checks it against its own manifest; writes nothing.
///
/// # Errors
/// When it cannot be read, or differs from what it says of itself.
pub fn examine(from: impl Read) -> Result<Manifest, SnapshotError> {
    let mut reader = form::Reader::new(from)?;
    while reader.next()?.is_some() {}
    reader.manifest()
}

/// The migrations up to the schema of a backup, and those after it.
fn migrations(all: &'static [Migration], schema: i64) -> Result<&'static [Migration], SnapshotError> {
    let known = all.last().map_or(0, |migration| migration.number);
    if schema > known {
        return Err(SnapshotError::TooNew { found: schema, known });
    }
    Ok(&all[..all.iter().take_while(|migration| migration.number <= schema).count()])
}

/// A table as it is found in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    name: String,
    /// In the order of their names, which is the same in both databases.
    columns: Vec<String>,
    key: Vec<String>,
}

impl Table {
    /// All rows in the order of the key, which both databases sort by bytes.
    fn select(&self) -> String {
        format!("select {} from {} order by {}", self.columns.join(", "), self.name, self.key.join(", "))
    }

    /// Puts together what introspection found: (table, column, place in the key or 0), in any order.
    fn gather(found: Vec<(String, String, i64)>) -> Vec<Self> {
        let mut tables: BTreeMap<String, (Vec<String>, Vec<(i64, String)>)> = BTreeMap::new();
        for (table, column, place) in found {
            let (columns, key) = tables.entry(table).or_default();
            if place > 0 {
                key.push((place, column.clone()));
            }
            columns.push(column);
        }
        let table = |(name, (mut columns, mut key)): (String, (Vec<String>, Vec<(i64, String)>))| {
            columns.sort();
            key.sort();
            Self { name, columns, key: key.into_iter().map(|(_, column)| column).collect() }
        };
        tables.into_iter().map(table).collect()
    }
}

/// The table of migrations is made by migrating.
const LEFT_OUT: &str = "schema_migration";

fn schema_of(made: &[(i64, String, String)]) -> i64 {
    made.last().map_or(0, |(number, ..)| *number)
}

const MADE: &str = migrate::MADE;
