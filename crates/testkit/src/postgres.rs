//! PostgreSQL databases for tests.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context, Result};
pub use latchkey_daemons::postgres::{Durability, Postgres, SHARED, shared};
use tokio_postgres::{Client, NoTls};

/// The server that this process started, for as long as one of its databases is in use.
static OWN: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

/// A new, empty database; dropped, with whoever is still connected to it, on drop.
pub struct Database {
    admin_url: String,
    name: String,
    url: String,
    /// Keeps the server alive, where it is ours.
    _server: Option<Arc<Postgres>>,
}

impl Database {
    /// A database on the server that `LATCHKEY_TEST_POSTGRES` names, else on one of our own that lives as
    /// long as its databases.
    ///
    /// # Panics
    /// When PostgreSQL is missing or broken: a test that cannot run has failed.
    pub async fn create() -> Self {
        let (admin_url, server) = match shared() {
            Some(url) => (url, None),
            None => {
                let server =
                    tokio::task::spawn_blocking(own).await.expect("starting PostgreSQL does not panic");
                let server = server.unwrap_or_else(|e| panic!("{e:#}"));
                (server.url(), Some(server))
            }
        };
        let mut database = Self::create_on(&admin_url).await.unwrap_or_else(|e| panic!("{e:#}"));
        database._server = server;
        database
    }

    /// A database on a given server.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_on(admin_url: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Tests of one run are processes of one machine; a run that crashed may have left its databases.
        let name = format!("latchkey_test_{}_{count}", std::process::id());
        let admin = connect(admin_url).await?;
        admin.batch_execute(&drop_statement(&name)).await.context("cannot drop what an earlier run left")?;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.context("cannot create a database")?;
        let url = with_database(admin_url, &name);
        Ok(Self { admin_url: admin_url.to_owned(), name, url, _server: None })
    }

    /// Its URL, as a superuser.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (url, statement) = (self.admin_url.clone(), drop_statement(&self.name));
        // Drop may run inside a runtime, which must not be blocked on itself; so another thread.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { anyhow::Ok(connect(&url).await?.batch_execute(&statement).await?) })
        });
        // A server that the test has killed took the database with it.
        let _ = dropped.join();
    }
}

/// A connection that lives as long as its client.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("cannot connect to the PostgreSQL for tests")?;
    tokio::spawn(connection);
    Ok(client)
}

fn own() -> Result<Arc<Postgres>> {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = own.upgrade() {
        return Ok(server);
    }
    let server = Arc::new(Postgres::create(Durability::Off)?);
    *own = Arc::downgrade(&server);
    Ok(server)
}

fn drop_statement(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

/// The same URL with another database.
fn with_database(url: &str, database: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, None), |(base, options)| (base, Some(options)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{}/{database}{options}", &base[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_is_named_in_any_form_of_url() {
        for (url, expected) in [
            ("postgres://u:p@h:5/postgres", "postgres://u:p@h:5/x"),
            ("postgres://u:p@h:5", "postgres://u:p@h:5/x"),
            ("postgres://u@h/?sslmode=disable", "postgres://u@h/x?sslmode=disable"),
        ] {
            assert_eq!(with_database(url, "x"), expected);
        }
    }
}
