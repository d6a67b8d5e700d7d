//! A running `latchkey serve`: the real binary, its own data, its own port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use latchkey_daemons::Daemon;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Address, Client};
use crate::postgres::{Database, Durability, Postgres};
use crate::workspace::Workspace;

/// Long enough for a machine that is busy compiling.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which database is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Db {
    /// The embedded one.
    Sqlite,
    /// A PostgreSQL database of the test's own.
    Postgres,
}

/// A running server. Killed on drop; its log is shown when the test fails.
pub struct Server {
    binary: PathBuf,
    args: Vec<String>,
    address: Address,
    daemon: Option<Daemon>,
    /// Before the database server, so that it is dropped first.
    database: Option<Database>,
    own_postgres: Option<Postgres>,
    data: TempDir,
}

impl Server {
    /// Starts `binary serve` with new, empty data and waits until it listens.
    ///
    /// # Panics
    /// When it does not; the message has its log.
    pub async fn start(db: Db, binary: &str) -> Self {
        Self::start_with(db, binary, &[]).await
    }

    /// As [`Self::start`], with more arguments for `serve`.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub async fn start_with(db: Db, binary: &str, args: &[&str]) -> Self {
        let database = match db {
            Db::Sqlite => None,
            Db::Postgres => Some(Database::create().await),
        };
        Self::start_on(database, None, binary, args).await
    }

    /// As [`Self::start_with`], for tests that crash things: on PostgreSQL with a database server of the
    /// test's own, which writes durably and can be killed by [`Self::kill_database`].
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub async fn start_durable(db: Db, binary: &str, args: &[&str]) -> Self {
        let (database, own) = match db {
            Db::Sqlite => (None, None),
            Db::Postgres => {
                let own = blocking(|| Postgres::create(Durability::On)).await;
                let own = own.unwrap_or_else(|e| panic!("{e:#}"));
                let database = Database::create_on(&own.url()).await.unwrap_or_else(|e| panic!("{e:#}"));
                (Some(database), Some(own))
            }
        };
        Self::start_on(database, own, binary, args).await
    }

    /// Starts it on data that is there already, as after a restore; the folder goes with the server.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub async fn start_on_data(data: TempDir, database: Option<Database>, binary: &str) -> Self {
        Self::start_within(data, database, None, binary, &[]).await
    }

    async fn start_on(
        database: Option<Database>,
        own_postgres: Option<Postgres>,
        binary: &str,
        args: &[&str],
    ) -> Self {
        let data = tempfile::Builder::new().prefix("latchkey-test-").tempdir().expect("a temporary folder");
        Self::start_within(data, database, own_postgres, binary, args).await
    }

    async fn start_within(
        data: TempDir,
        database: Option<Database>,
        own_postgres: Option<Postgres>,
        binary: &str,
        args: &[&str],
    ) -> Self {
        let mut server = Self {
            binary: PathBuf::from(binary),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            address: Address::default(),
            daemon: None,
            database,
            own_postgres,
            data,
        };
        server.listen_on("127.0.0.1:0").await.unwrap_or_else(|e| panic!("{e:#}"));
        server
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> String {
        self.address.get()
    }

    /// `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A client for the root of the server, without a token.
    pub fn client(&self) -> Client {
        Client::at(self.address.clone())
    }

    /// Makes a workspace with an owner and tokens, by `latchkey admin …`.
    ///
    /// # Panics
    /// When a command fails.
    pub async fn workspace(&self, name: &str) -> Workspace {
        Workspace::create(self, name).await
    }

    /// Runs `latchkey ARGS…` on the same data as the server, and waits for its end.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub async fn cli(&self, args: &[&str]) -> CliOutput {
        let mut command = self.command(args);
        command.stdin(std::process::Stdio::null());
        let shown = format!("latchkey {}", args.join(" "));
        let output = blocking(move || command.output()).await;
        let output = output.unwrap_or_else(|e| panic!("cannot run {}: {e}", self.binary.display()));
        CliOutput {
            shown,
            // A program that a signal ended has no status; shells say 128 and more.
            status: output.status.code().unwrap_or(128),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.daemon.as_ref().map(Daemon::pid)
    }

    /// What it has written since its last start.
    pub fn log(&self) -> String {
        self.daemon.as_ref().map(|daemon| daemon.log().text()).unwrap_or_default()
    }

    /// Its data folder: keys, and on SQLite the database.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The URL of its PostgreSQL database, where it has one.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(Database::url)
    }

    /// Kills it at once (`SIGKILL`).
    pub async fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// Stops it in order (`SIGTERM`) and waits for its end.
    ///
    /// # Panics
    /// When it does not end, or not with success.
    pub async fn stop(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        daemon.terminate();
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = daemon.exited() {
                break status;
            }
            assert!(Instant::now() < deadline, "the server did not stop within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(status.success(), "the server stopped with {status}");
        self.daemon = None;
    }

    /// Starts it again on the same data, after [`Self::kill`] or [`Self::stop`]; kills it first if it still
    /// runs. On the same port, unless that was taken meanwhile; clients follow either way.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub async fn restart(&mut self) {
        self.kill().await;
        let before = self.address();
        if let Err(first) = self.listen_on(&before).await
            && let Err(second) = self.listen_on("127.0.0.1:0").await
        {
            panic!("{first:#}\n\nand on a free port:\n{second:#}");
        }
    }

    /// Kills the PostgreSQL server, backends and all, as a power cut would. For [`Self::start_durable`].
    ///
    /// # Panics
    /// When the test has no PostgreSQL server of its own.
    pub async fn kill_database(&mut self) {
        self.own_postgres.as_mut().expect(OWN_ONLY).kill();
    }

    /// Starts the PostgreSQL server again, on the same port and data.
    ///
    /// # Panics
    /// When the test has no PostgreSQL server of its own, or it does not start.
    pub async fn start_database(&mut self) {
        let mut own = self.own_postgres.take().expect(OWN_ONLY);
        let (own, started) = blocking(move || {
            let started = own.start();
            (own, started)
        })
        .await;
        self.own_postgres = Some(own);
        started.unwrap_or_else(|e| panic!("{e:#}"));
    }

    pub(crate) fn shared_address(&self) -> Address {
        self.address.clone()
    }

    async fn listen_on(&mut self, address: &str) -> anyhow::Result<()> {
        let mut command = self.command(&["serve", "--listen", address, "--json"]);
        command.args(&self.args);
        let mut daemon = Daemon::start("latchkey serve", &mut command, Some(self.data.path()))?;
        let log = daemon.log().clone();
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Asked before the lines are read, so that a last line is not missed.
            let exit = daemon.exited();
            if let Some(address) = log.find_line(listening) {
                self.address.set(&address);
                self.daemon = Some(daemon);
                return Ok(());
            }
            if let Some(status) = exit {
                log.settle();
                anyhow::bail!("latchkey serve ended with {status} before it listened\n{log}");
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "latchkey serve did not listen within {PATIENCE:?}\n{log}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The binary with the server's data, and nothing of the developer's own settings.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"LATCHKEY_") {
                command.env_remove(name);
            }
        }
        command.env_remove("DATABASE_URL").env("LATCHKEY_DATA", self.data.path());
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.url());
        }
        command.args(args);
        command
    }
}

impl Drop for Server {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failure")]
    fn drop(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        let exit = daemon.exited();
        daemon.kill();
        if std::thread::panicking() {
            daemon.log().settle();
            let exit = exit.map(|exit| format!(" (it had ended with {exit})")).unwrap_or_default();
            eprintln!("--- the server's log{exit}\n{}--- end of the server's log", daemon.log());
        }
    }
}

const OWN_ONLY: &str = "only a server from `start_durable(Db::Postgres, …)` has a database server of its own";

/// The address in the line that `serve --json` prints once it listens.
fn listening(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["event"] == "listening").then(|| line["address"].as_str().map(str::to_owned))?
}

/// Runs what waits for the operating system beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("the work does not panic")
}

/// What a command said.
#[derive(Debug, Clone)]
pub struct CliOutput {
    shown: String,
    /// Its exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl CliOutput {
    /// The output, if the command succeeded.
    ///
    /// # Panics
    /// When it did not; the message has what it said.
    #[track_caller]
    pub fn success(&self) -> &Self {
        let Self { shown, status, stdout, stderr } = self;
        assert!(*status == 0, "`{shown}` ended with {status}\n{stdout}{stderr}");
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("`{}` did not print JSON ({e}): {self:?}", self.shown))
    }
}
