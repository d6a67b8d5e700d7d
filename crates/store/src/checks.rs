//! Checks of what is written as text: every statement, the plans of the hot ones, and both schemas.

use std::collections::BTreeMap;

use latchkey_testkit::postgres::{Database, connect};
use rusqlite::types::Value;
use rusqlite::{Connection, StatementStatus, params_from_iter};

use crate::sqlite::Sqlite;
use crate::statement::Stmt;
use crate::{Options, Store};

fn statements() -> Vec<&'static Stmt> {
    let of_nouns = [
        crate::account::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::case::STATEMENTS,
        crate::collection::STATEMENTS,
        crate::connector::STATEMENTS,
        crate::exposure::STATEMENTS,
        crate::flight::STATEMENTS,
        crate::grant::STATEMENTS,
        crate::key::STATEMENTS,
        crate::member::STATEMENTS,
        crate::membership::STATEMENTS,
        crate::outbox::STATEMENTS,
        crate::picture::STATEMENTS,
        crate::reach::STATEMENTS,
        crate::rotation::STATEMENTS,
        crate::task::STATEMENTS,
        crate::secret::STATEMENTS,
        crate::subject::STATEMENTS,
        crate::succession::STATEMENTS,
        crate::team::STATEMENTS,
        crate::token::STATEMENTS,
        crate::workspace::STATEMENTS,
    ];
    let all = of_nouns.into_iter().flatten().copied();
    all.chain(crate::provisioning::statements()).chain(crate::embedded::statements()).collect()
}

fn sqlite() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latchkey.db");
    drop(Store::open_sqlite(&file, Options::default()).unwrap());
    let connection = Connection::open(file).unwrap();
    (folder, connection)
}

async fn postgres() -> (Database, tokio_postgres::Client) {
    let database = Database::create().await;
    Store::connect_postgres(database.url(), Options::default()).await.unwrap().close().await.unwrap();
    let client = connect(database.url()).await.unwrap();
    (database, client)
}

/// The highest `$n` of a statement.
fn parameters(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).map(|rest| {
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap()
    });
    numbers.max().unwrap_or(0)
}

#[test]
fn every_statement_prepares_on_sqlite() {
    let (_folder, connection) = sqlite();
    for stmt in statements() {
        let prepared = connection.prepare(stmt.sqlite());
        let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error}", stmt.name));
        assert_eq!(prepared.parameter_count(), parameters(stmt.postgres()), "{}", stmt.name);
    }
}

#[tokio::test]
async fn every_statement_prepares_on_postgres() {
    let (_database, client) = postgres().await;
    for stmt in statements().into_iter().chain(crate::postgres::STATEMENTS.iter().copied()) {
        let only_asks = stmt.postgres().starts_with("with") || stmt.postgres().contains("returning");
        for expecting in [false, true].into_iter().filter(|expecting| !(only_asks && *expecting)) {
            let prepared = client.prepare(stmt.postgres_of(expecting)).await;
            let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error:?}", stmt.name));
            assert_eq!(prepared.params().len(), parameters(stmt.postgres()), "{}", stmt.name);
            for ty in prepared.params() {
                let kinds = ["int8", "text", "bytea", "bool", "uuid", "_uuid"];
                assert!(kinds.contains(&ty.name()), "{}: a parameter is of type {ty}", stmt.name);
            }
        }
    }
}

/// Statements that walk a whole table on purpose: few rows, or nobody waits for them.
const WALKS: &[&str] = &["JOB_FED", "JOB_FREE_ALL", "KEYS_REPLACED", "ROTATION_FREE", "WORKSPACE_LIST"];

#[test]
fn no_statement_scans_a_table() {
    let (_folder, connection) = sqlite();
    let mut scans = Vec::new();
    for stmt in statements().into_iter().filter(|stmt| !WALKS.contains(&stmt.name)) {
        let plan = plan(&connection, stmt.sqlite(), stmt.name);
        // Over a statement's own results, a list of ids, or an index of few rows.
        let fine = |line: &str| {
            let own = [
                "json_each",
                "CONSTANT ROW",
                "below",
                "up",
                "down",
                "counted",
                "who",
                "on_it",
                "page",
                "(subquery-",
                "b",
                "o",
                "p",
                "w",
                "r USING INDEX audit_record_unsealed",
                "l",
            ];
            own.iter().any(|name| {
                line == format!("SCAN {name}")
                    || (name.len() > 1 && line.starts_with(&format!("SCAN {name}")))
            })
        };
        if plan.lines().any(|line| line.starts_with("SCAN ") && !fine(line)) {
            scans.push(format!("{}:\n{plan}", stmt.name));
        }
    }
    assert!(scans.is_empty(), "{}", scans.join("\n\n"));
}

/// Statements that read a workspace's rows from one end, or all of them, and say so.
const PAGES: &[&str] = &[
    "ACCOUNT_PAGE",
    "AUDIT_UNSEALED",
    "AUDIT_UNSEALED_COUNT",
    "CASE_PAGE",
    "COLLECTION_PAGE",
    "CONNECTOR_LIST",
    "CYCLE_LIST",
    "FLIGHT_PRUNE",
    "IN_GROUP_TOTALS",
    "JOB_DELETE",
    "JOB_LIST",
    "JOB_SECRETS",
    "LOG_PRUNE",
    "OBJECT_TOTALS",
    "ORDER_LIST",
    "LEAVING_WAVE",
    "KEY_LAST",
    "KEY_LIST",
    "MEMBER_COUNT",
    "MEMBER_COUNT_ACTIVE",
    "MEMBER_PAGE_AT",
    "MEMBER_PAGE_AT_END",
    "MEMBER_PAGE_FIRST",
    "TEAM_COUNT",
    "TOKEN_LIST",
    "TOKEN_USES",
    "AUDIT_HEAD",
    "AUDIT_HEAD_HOLD",
    "AUDIT_HEAD_SET",
];

#[test]
fn no_look_up_walks_through_a_workspace() {
    let (_folder, connection) = sqlite();
    let mut walks = Vec::new();
    for stmt in statements().into_iter().filter(|stmt| !PAGES.contains(&stmt.name)) {
        let plan = plan(&connection, stmt.sqlite(), stmt.name);
        // A workspace has one row in the table of numbers; a job may have as many rows as a workspace.
        let through_all =
            |line: &str| line.contains("(workspace_id=?)") || line.contains("(workspace_id=? AND job_id=?)");
        let walk = |line: &str| through_all(line) && !line.contains("SEARCH f USING");
        if plan.lines().any(walk) {
            walks.push(format!("{}:\n{plan}", stmt.name));
        }
    }
    assert!(walks.is_empty(), "{}", walks.join("\n\n"));
}

#[test]
fn pages_and_counts_are_read_from_the_index_of_live_members() {
    let (_folder, connection) = sqlite();
    let by_name = |name: &str| statements().into_iter().find(|stmt| stmt.name == name).unwrap();
    for name in ["MEMBER_COUNT", "MEMBER_COUNT_ACTIVE", "MEMBER_PAGE_AT", "MEMBER_PAGE_AT_END"] {
        let plan = plan(&connection, by_name(name).sqlite(), name);
        assert!(plan.contains("COVERING INDEX member_live"), "{name}:\n{plan}");
    }
    for name in ["MEMBER_PAGE_FIRST", "MEMBER_PAGE_AFTER", "TEAM_MEMBERS_AFTER", "CASE_PAGE_STATE_AFTER"] {
        let plan = plan(&connection, by_name(name).sqlite(), name);
        assert!(!plan.contains("TEMP B-TREE"), "{name} sorts:\n{plan}");
    }
}

#[test]
fn a_kept_statement_is_compiled_once_whatever_is_bound() {
    let (folder, _) = sqlite();
    let store = Sqlite::open(&folder.path().join("latchkey.db"), Options::default()).unwrap();
    let bound = |stmt: &Stmt, value: &Value| vec![value.clone(); parameters(stmt.postgres())];
    let compiled_anew = store.reading(|connection| {
        let reads = statements().into_iter().filter(|stmt| stmt.postgres().starts_with("select"));
        let again = reads.map(|stmt| {
            let mut statement = connection.prepare(stmt.sqlite()).unwrap();
            for value in [Value::Null, Value::from("[]".to_owned()), Value::from(1)] {
                // What comes of it doesn't matter: a number is no list of ids.
                let _ = statement.exists(params_from_iter(bound(stmt, &value)));
            }
            (stmt.name, statement.get_status(StatementStatus::RePrepare))
        });
        Ok(again.filter(|(_, times)| *times > 0).collect::<Vec<_>>())
    });
    assert_eq!(compiled_anew.unwrap(), []);
}

fn plan(connection: &Connection, sql: &str, name: &str) -> String {
    let mut explain = connection.prepare(&format!("explain query plan {sql}")).unwrap();
    let nulls = vec![rusqlite::types::Null; explain.parameter_count()];
    let lines = explain.query_map(params_from_iter(nulls), |row| row.get::<_, String>(3));
    let lines: Result<Vec<String>, _> = lines.unwrap_or_else(|error| panic!("{name}: {error}")).collect();
    lines.unwrap().join("\n")
}

/// A schema as both databases can tell it: for each table and index a line for each column.
type Description = BTreeMap<String, Vec<String>>;

#[tokio::test]
async fn both_schemas_are_one() {
    let (_folder, connection) = sqlite();
    let (_database, client) = postgres().await;
    let (sqlite, postgres) = (described_by_sqlite(&connection), described_by_postgres(&client).await);
    for name in sqlite.keys().chain(postgres.keys()) {
        assert_eq!(sqlite.get(name), postgres.get(name), "{name}");
    }
    assert!(sqlite.len() > 60, "tables, indexes and references were found");
}

fn described_by_sqlite(connection: &Connection) -> Description {
    let mut description = Description::new();
    let mut add = |sql: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        for row in rows.unwrap() {
            let (name, line) = row.unwrap();
            description.entry(name).or_default().push(line);
        }
    };
    add(
        "select 'table ' || t.name, c.name || ' ' || lower(c.type) || case when c.\"notnull\" then ' not null' else '' end \
         from pragma_table_list t join pragma_table_xinfo(t.name) c where t.type = 'table' and t.name not like 'sqlite%' \
         order by t.name, c.name",
    );
    add("select 'key ' || t.name, c.name from pragma_table_list t join pragma_table_xinfo(t.name) c \
         where t.type = 'table' and t.name not like 'sqlite%' and c.pk > 0 order by t.name, c.pk");
    add("select 'index ' || i.name, c.name from pragma_table_list t join pragma_index_list(t.name) i \
         join pragma_index_info(i.name) c where i.origin = 'c' order by i.name, c.seqno");
    add("select 'kind ' || i.name, case when i.\"unique\" then 'unique' else 'plain' end \
         || case when i.partial then ' partial' else '' end \
         from pragma_table_list t join pragma_index_list(t.name) i where i.origin = 'c' order by i.name");
    add(
        "select 'reference ' || t.name || ' ' || f.\"table\" || ' ' || f.\"to\" || ' ' || lower(f.on_delete), \
         f.\"from\" from pragma_table_list t join pragma_foreign_key_list(t.name) f order by 1, 2",
    );
    sort(description)
}

async fn described_by_postgres(client: &tokio_postgres::Client) -> Description {
    let mut description = Description::new();
    let asked = [
        "select 'table ' || t.relname, c.attname || ' ' || case format_type(c.atttypid, null) when 'uuid' then 'blob' \
         when 'bytea' then 'blob' when 'bigint' then 'integer' when 'boolean' then 'integer' \
         else format_type(c.atttypid, null) end || case when c.attnotnull then ' not null' else '' end \
         from pg_class t join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 \
         where t.relkind = 'r' and t.relnamespace = 'public'::regnamespace",
        "select 'key ' || t.relname, a.attname from pg_index i join pg_class t on t.oid = i.indrelid \
         join pg_attribute a on a.attrelid = i.indexrelid where i.indisprimary \
         and t.relnamespace = 'public'::regnamespace order by t.relname, a.attnum",
        "select 'index ' || n.relname, a.attname from pg_index i join pg_class n on n.oid = i.indexrelid \
         join pg_attribute a on a.attrelid = i.indexrelid where not i.indisprimary \
         and n.relnamespace = 'public'::regnamespace order by n.relname, a.attnum",
        "select 'kind ' || n.relname, case when i.indisunique then 'unique' else 'plain' end \
         || case when i.indpred is not null then ' partial' else '' end from pg_index i \
         join pg_class n on n.oid = i.indexrelid where not i.indisprimary \
         and n.relnamespace = 'public'::regnamespace",
        "select 'reference ' || t.relname || ' ' || r.relname || ' ' || b.attname || ' ' || \
         case k.confdeltype when 'c' then 'cascade' else 'no action' end, a.attname from pg_constraint k \
         join pg_class t on t.oid = k.conrelid join pg_class r on r.oid = k.confrelid, \
         unnest(k.conkey, k.confkey) as pair (here, there), pg_attribute a, pg_attribute b where k.contype = 'f' \
         and a.attrelid = t.oid and a.attnum = pair.here and b.attrelid = r.oid and b.attnum = pair.there",
    ];
    for sql in asked {
        for row in client.query(sql, &[]).await.unwrap() {
            description.entry(row.get(0)).or_default().push(row.get(1));
        }
    }
    sort(description)
}

/// The order of columns matters in keys and indexes only.
fn sort(mut description: Description) -> Description {
    for (name, lines) in &mut description {
        if name.starts_with("table ") || name.starts_with("reference ") {
            lines.sort();
        }
    }
    description
}

#[tokio::test]
async fn text_columns_of_postgres_are_ordered_bytewise() {
    let (_database, client) = postgres().await;
    let others = "select t.relname || '.' || c.attname from pg_class t join pg_attribute c on c.attrelid = t.oid \
        join pg_collation l on l.oid = c.attcollation where t.relkind = 'r' \
        and t.relnamespace = 'public'::regnamespace and l.collname <> 'C' and t.relname <> 'schema_migration'";
    let others: Vec<String> = client.query(others, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn a_newer_or_foreign_schema_is_refused_with_a_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latchkey.db");
    drop(Store::open_sqlite(&file, Options::default()).unwrap());
    let hand = Connection::open(&file).unwrap();
    hand.execute("insert into schema_migration values (99, '0099_future', 'x')", []).unwrap();
    let refused = Store::open_sqlite(&file, Options::default()).unwrap_err().to_string();
    assert!(refused.contains("schema 99") && refused.contains("newer program"), "{refused}");
    hand.execute("delete from schema_migration where number = 99", []).unwrap();
    hand.execute("update schema_migration set checksum = 'x'", []).unwrap();
    let refused = Store::open_sqlite(&file, Options::default()).unwrap_err().to_string();
    assert!(refused.contains("0001_start"), "{refused}");
}
