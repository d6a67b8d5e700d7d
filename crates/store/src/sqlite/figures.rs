//! Fixed figures for SQLite's planner.
//!
//! Without figures it takes any key's first column to find ten rows; here that column is the
//! workspace, which finds all of them. Figures from `analyze` would be those of the day it ran,
//! mostly an empty database. So each index gets the figures of a large workspace, once and for all,
//! and plans are the same on every installation and in the tests that check them.

use rusqlite::Connection;

/// Rows of a large workspace, and of an index that holds few by its condition.
const MANY: i64 = 1_000_000;
const FEW: i64 = 100;
/// Rows that one value of a column finds, after the columns before it.
const SOME: i64 = 10;
/// The same for a column of few words.
const WORD: i64 = 100_000;

/// Indexes that hold few rows, by their condition.
const RARE: &[&str] =
    &["member_in_charge", "member_returned", "offboarding_case_held", "audit_record_unsealed"];
/// Columns of few words.
const WORDS: &[&str] = &["state", "kind", "role", "priority"];

/// Writes the figures of every index anew.
pub(super) fn write(connection: &Connection) -> rusqlite::Result<()> {
    // Makes the table of figures; the `where` of nothing analyses nothing that matters.
    connection.execute_batch("analyze schema_migration; delete from sqlite_stat1")?;
    let mut indexes = connection.prepare(
        "select t.name, i.name, i.\"unique\", i.origin = 'pk' and t.wr, \
         (select group_concat(c.name) from pragma_index_info(i.name) c) \
         from pragma_table_list t join pragma_index_list(t.name) i \
         where t.type = 'table' and t.name not like 'sqlite%' and t.name <> 'schema_migration'",
    )?;
    let mut add = connection.prepare("insert into sqlite_stat1 (tbl, idx, stat) values (?1, ?2, ?3)")?;
    let mut rows = indexes.query([])?;
    while let Some(row) = rows.next()? {
        let (table, index): (String, String) = (row.get(0)?, row.get(1)?);
        let (unique, is_the_table): (bool, bool) = (row.get(2)?, row.get(3)?);
        let columns: String = row.get(4)?;
        let figures = figures(&index, &columns.split(',').collect::<Vec<_>>(), unique);
        // A table that is its own key goes under its own name.
        add.execute((&table, if is_the_table { &table } else { &index }, figures))?;
    }
    connection.execute_batch("analyze sqlite_schema")
}

fn figures(index: &str, columns: &[&str], unique: bool) -> String {
    let rows = if RARE.contains(&index) { FEW } else { MANY };
    let mut figures = rows.to_string();
    let mut left = rows;
    for (at, column) in columns.iter().enumerate() {
        let finds = match *column {
            "workspace_id" if at == 0 && columns.len() > 1 => left,
            word if WORDS.contains(&word) => WORD,
            _ if unique && at + 1 == columns.len() => 1,
            _ => SOME,
        };
        left = left.min(finds);
        figures.push_str(&format!(" {left}"));
    }
    figures
}
