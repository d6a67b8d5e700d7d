//! Migrations: numbered, forward only, the same names for both databases.

use sha2::{Digest, Sha256};

use crate::StoreError;

/// One step of the schema.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($database:literal, $($number:literal = $name:literal),*) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/", $database, "/", $name, ".sql")),
        }),*]
    };
}

pub(crate) const SQLITE: &[Migration] =
    migrations!("sqlite", 1 = "0001_start", 2 = "0002_secrets", 3 = "0003_rotation", 4 = "0004_provisioning");
pub(crate) const POSTGRES: &[Migration] = migrations!(
    "postgres",
    1 = "0001_start",
    2 = "0002_secrets",
    3 = "0003_rotation",
    4 = "0004_provisioning"
);

/// The table that remembers what was made; the same on both databases.
pub(crate) const TABLE: &str = "create table if not exists schema_migration \
    (number integer not null primary key, name text not null, checksum text not null)";
/// What was made, in order.
pub(crate) const MADE: &str =
    "select cast(number as bigint), name, checksum from schema_migration order by number";

impl Migration {
    /// SHA-256 of the text, in hexadecimal.
    pub(crate) fn checksum(&self) -> String {
        let digest = Sha256::digest(self.sql.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The statement that remembers it; every part is ours, so nothing needs quoting.
    pub(crate) fn remember(&self) -> String {
        let Self { number, name, .. } = self;
        format!("insert into schema_migration values ({number}, '{name}', '{}')", self.checksum())
    }
}

/// Which migrations are still to be made, after those that were.
///
/// # Errors
/// When the database is ahead of us or was migrated by other texts.
pub(crate) fn pending<'a>(
    all: &'a [Migration],
    made: &[(i64, String, String)],
) -> Result<&'a [Migration], StoreError> {
    let known = all.last().map_or(0, |migration| migration.number);
    if let Some((found, ..)) = made.last().filter(|(number, ..)| *number > known) {
        return Err(StoreError::SchemaTooNew { found: *found, known });
    }
    for ((number, name, checksum), migration) in made.iter().zip(all) {
        if *number != migration.number || *checksum != migration.checksum() {
            return Err(StoreError::SchemaForeign { name: name.clone() });
        }
    }
    Ok(&all[made.len().min(all.len())..])
}
