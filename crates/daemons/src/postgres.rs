//! A PostgreSQL server of our own: temporary folder, loopback, free port.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::Daemon;
use crate::room::{free_port, random_password, unprivileged};

/// The environment variable that names a server to use instead of starting one: a superuser's URL.
pub const SHARED: &str = "LATCHKEY_TEST_POSTGRES";

/// Long enough for a machine that is busy compiling.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether what is written survives a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `fsync` and its friends off: fast, for tests that do not crash anything.
    Off,
    /// As in production, for tests that kill the database.
    On,
}

/// A running PostgreSQL server. Stopped and removed on drop.
pub struct Postgres {
    programs: Programs,
    durability: Durability,
    runs_as: Option<(u32, u32)>,
    port: u16,
    password: String,
    daemon: Option<Daemon>,
    folder: TempDir,
}

impl Postgres {
    /// Makes a new, empty server and waits until it takes connections.
    ///
    /// # Errors
    /// When PostgreSQL is not installed (the text says how to) or does not start (the text has its log).
    pub fn create(durability: Durability) -> Result<Self> {
        let programs = Programs::find()?;
        let runs_as = rustix::process::geteuid().is_root().then(|| unprivileged("postgres"));
        let folder = tempfile::Builder::new().prefix("latchkey-postgres-").tempdir()?;
        let password = random_password()?;
        let password_file = folder.path().join("password");
        fs::write(&password_file, &password)?;
        if let Some((uid, gid)) = runs_as {
            // PostgreSQL refuses to run as root.
            for path in [folder.path(), &password_file] {
                std::os::unix::fs::chown(path, Some(uid), Some(gid))?;
            }
        }
        let mut server =
            Self { programs, durability, runs_as, port: free_port()?, password, daemon: None, folder };
        server.init(&password_file)?;
        server.start()?;
        Ok(server)
    }

    /// The superuser's URL, for the database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// Starts it again after [`Self::kill`] or [`Self::stop`], on the same port and data. Does nothing while
    /// it runs.
    ///
    /// # Errors
    /// When it does not come up; the text has its log.
    pub fn start(&mut self) -> Result<()> {
        if self.daemon.as_mut().is_some_and(|daemon| daemon.exited().is_none()) {
            return Ok(());
        }
        self.daemon = None;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.start_once() {
                Ok(daemon) => {
                    self.daemon = Some(daemon);
                    return Ok(());
                }
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(error) => {
                    // Another process took the port in between, or the dead server's memory is still held.
                    let never_started = !self.folder.path().join("started").exists();
                    let text = error.to_string();
                    if text.contains("Address already in use") && never_started {
                        self.port = free_port()?;
                    } else if !text.contains("Address already in use")
                        && !text.contains("shared memory block")
                    {
                        return Err(error);
                    }
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        }
    }

    /// Kills the server and its backends at once, as a power cut would.
    pub fn kill(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        // Backends live in groups of their own. With the parent halted it can neither notice nor replace them.
        daemon.signal(Signal::STOP);
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            let processes = processes();
            let alive: Vec<&Process> =
                processes.iter().filter(|p| p.parent == daemon.pid() && p.state != 'Z').collect();
            let halted = processes.iter().any(|p| p.pid == daemon.pid() && p.state == 'T');
            if (halted && alive.is_empty()) || processes.is_empty() {
                break;
            }
            for process in alive {
                if let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        daemon.kill();
    }

    /// Stops it in order, without waiting for clients ("fast" shutdown).
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut daemon) = self.daemon.take() else { return Ok(()) };
        daemon.stop(Signal::INT, PATIENCE)?;
        Ok(())
    }

    /// What the server has written since it was last started.
    pub fn log(&self) -> String {
        self.daemon.as_ref().map(|daemon| daemon.log().text()).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.0.join(program));
        // From root's folder the unprivileged user could not even look around.
        command.current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8");
        if let Some((uid, gid)) = self.runs_as {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes the cluster. Its collation is not "C" where PostgreSQL knows another (ICU), so that a statement
    /// which forgets to say `COLLATE "C"` shows.
    fn init(&self, password_file: &Path) -> Result<()> {
        let with = |locale: &[&str]| {
            self.command("initdb")
                .args(["--no-sync", "--encoding=UTF8", "--username=postgres", "--auth=password"])
                .args(locale)
                .arg(format!("--pwfile={}", password_file.display()))
                .arg("--pgdata")
                .arg(self.data())
                .output()
                .context("cannot run initdb")
        };
        let mut made = with(&["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"])?;
        if !made.status.success() {
            let _ = fs::remove_dir_all(self.data());
            made = with(&["--locale=C"])?;
        }
        if !made.status.success() {
            bail!("initdb failed:\n{}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(())
    }

    fn start_once(&self) -> Result<Daemon> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        let mut set = |name: &str, value: &str| {
            command.args(["-c", &format!("{name}={value}")]);
        };
        set("unix_socket_directories", "");
        set("max_connections", "300");
        set("shared_buffers", "64MB");
        if self.durability == Durability::Off {
            for name in ["fsync", "synchronous_commit", "full_page_writes"] {
                set(name, "off");
            }
        }
        let mut daemon = Daemon::start("postgres", &mut command, Some(self.folder.path()))?;
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready(daemon.pid()) {
            if let Some(status) = daemon.exited() {
                daemon.log().settle();
                bail!("postgres ended with {status} before it was ready\n{}", daemon.log());
            }
            if Instant::now() > deadline {
                bail!("postgres was not ready within {PATIENCE:?}\n{}", daemon.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        fs::write(self.folder.path().join("started"), "")?;
        Ok(daemon)
    }

    /// The server writes its state into the eighth line of `postmaster.pid`; nothing needs to connect.
    fn is_ready(&self, pid: u32) -> bool {
        let Ok(text) = fs::read_to_string(self.data().join("postmaster.pid")) else { return false };
        let mut lines = text.lines();
        lines.next() == Some(&pid.to_string()) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon
            && self.durability == Durability::Off
        {
            // Immediate shutdown: nothing in there is worth keeping.
            let _ = daemon.stop(Signal::QUIT, Duration::from_secs(10));
        }
        self.kill();
    }
}

/// The folder of `initdb` and `postgres`.
#[derive(Debug)]
pub struct Programs(PathBuf);

impl Programs {
    /// Looks in `PATH`, then where packages put them.
    ///
    /// # Errors
    /// When there is none; the text says what to install.
    pub fn find() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        for (root, rest) in [
            ("/usr/lib/postgresql", "bin"),
            ("/usr", "bin"),
            ("/opt/homebrew/opt", "bin"),
            ("/usr/local/opt", "bin"),
            ("/usr/local/pgsql", "bin"),
        ] {
            let mut versions: Vec<PathBuf> = fs::read_dir(root)
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path().join(rest)))
                .collect();
            // The newest first; "9" sorts after "15" as text, but nothing that old is left.
            versions.sort_by(|a, b| b.cmp(a));
            folders.extend(versions);
        }
        folders
            .into_iter()
            .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok()?.parent().map(Path::to_owned))
            .find(|folder| folder.join("postgres").is_file())
            .map(Self)
            .context(
                "PostgreSQL's programs (initdb, postgres) are not on this machine. Install them: \
                 `apt-get install postgresql` on Debian and Ubuntu, `dnf install postgresql-server` on Fedora, \
                 `brew install postgresql` on macOS; no server needs to be set up. \
                 Or set LATCHKEY_TEST_POSTGRES to the URL of a superuser of a server that tests may use",
            )
    }
}

struct Process {
    pid: u32,
    parent: u32,
    state: char,
}

/// The processes of this machine. None where there is no `/proc`.
fn processes() -> Vec<Process> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let folder = entry.ok()?.path();
        let pid = folder.file_name()?.to_str()?.parse().ok()?;
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // "pid (name) state parent …"; the name may itself hold brackets.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?.chars().next()?;
        Some(Process { pid, parent: fields.next()?.parse().ok()?, state })
    };
    fs::read_dir("/proc").into_iter().flatten().filter_map(read).collect()
}

/// The server that `LATCHKEY_TEST_POSTGRES` names, if it does.
pub fn shared() -> Option<String> {
    std::env::var_os(SHARED).filter(|url| url != OsStr::new(""))?.into_string().ok()
}
