//! Writes behind the server's back: to the SQLite file by Python's own module, to PostgreSQL by
//! its protocol.

use std::process::Command;

use latchkey_testkit::{Server, postgres};

/// Runs a statement on the server's database and gives how many rows it touched.
pub(crate) async fn run(server: &Server, sql: &str) -> u64 {
    match server.database_url() {
        Some(url) => {
            let client = postgres::connect(url).await.expect("the database listens");
            client.execute(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        }
        None => python(server, sql, "print(rows.rowcount)").trim().parse().expect("a count"),
    }
}

/// The text in the first column of the first row.
pub(crate) async fn ask(server: &Server, sql: &str) -> String {
    match server.database_url() {
        Some(url) => {
            let client = postgres::connect(url).await.expect("the database listens");
            let rows = client.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            rows.first().map(|row| row.get::<_, String>(0)).unwrap_or_default()
        }
        None => python(server, sql, "row = rows.fetchone()\nprint(row[0] if row else '')").trim().to_owned(),
    }
}

/// The database file: the one in the data folder that begins as SQLite files do.
fn file(server: &Server) -> std::path::PathBuf {
    let entries = std::fs::read_dir(server.data()).expect("the data folder is there");
    let is_database = |path: &std::path::PathBuf| {
        std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"))
    };
    entries.flatten().map(|entry| entry.path()).find(is_database).expect("a database in the data folder")
}

fn python(server: &Server, sql: &str, then: &str) -> String {
    let script = format!(
        "import sqlite3, sys\n\
         db = sqlite3.connect(sys.argv[1], timeout=20)\n\
         rows = db.execute(sys.argv[2])\n\
         {then}\n\
         db.commit()\n"
    );
    let output = Command::new("python3")
        .arg("-c")
        .arg(script)
        .arg(file(server))
        .arg(sql)
        .output()
        .expect("python3 is there: this test writes to the database file with it");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Where the records are.
pub(crate) const AUDIT_TABLE: &str = "audit_record";
