//! A MariaDB server of our own: temporary folder, loopback, free port, every log on.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::Daemon;
use crate::room::{free_port, give, program, random_password, unprivileged, wait_for_port};

/// A running MariaDB server. Killed and removed on drop.
pub struct MariaDb {
    daemon: Daemon,
    port: u16,
    password: String,
    folder: TempDir,
}

impl MariaDb {
    /// Makes a new, empty server and waits until it takes connections. `options` are added to its command line,
    /// as `--plugin-load-add=simple_password_check`.
    ///
    /// # Errors
    /// When MariaDB is not installed (the text says how to) or does not start (the text has its log).
    pub fn create(options: &[&str]) -> Result<Self> {
        let (install, server) =
            (program("mariadb-install-db", "mariadb-server")?, program("mariadbd", "mariadb-server")?);
        let runs_as = rustix::process::geteuid().is_root().then(|| unprivileged("mysql"));
        let folder = tempfile::Builder::new().prefix("latchkey-mariadb-").tempdir()?;
        give(folder.path(), runs_as)?;
        let command = |program: &PathBuf| {
            let mut command = Command::new(program);
            command.arg("--no-defaults").current_dir(folder.path()).env("TMPDIR", folder.path());
            if let Some((uid, gid)) = runs_as {
                command.uid(uid).gid(gid);
            }
            command
        };
        let at = |name: &str| folder.path().join(name).display().to_string();
        let made = command(&install)
            .args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
            .arg(format!("--datadir={}", at("data")))
            .output()
            .context("cannot run mariadb-install-db")?;
        if !made.status.success() {
            bail!("mariadb-install-db failed:\n{}", String::from_utf8_lossy(&made.stdout));
        }
        // Of every class, for servers whose rules check it.
        let password = format!("Aa1!{}", random_password()?);
        let init = folder.path().join("init.sql");
        fs::write(
            &init,
            format!(
                "delete from mysql.global_priv where user = '';\nflush privileges;\n\
                 create or replace user root@'127.0.0.1' identified by '{password}';\n\
                 grant all on *.* to root@'127.0.0.1' with grant option;\n\
                 drop user if exists root@localhost;\n"
            ),
        )?;
        give(&init, runs_as)?;
        let port = free_port()?;
        let mut starting = command(&server);
        starting
            .args(["--skip-name-resolve", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=16M"])
            .args(["--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M", "--server-id=1"])
            .args(["--general-log=1", "--log-output=FILE", "--slow-query-log=1", "--long-query-time=0"])
            .arg(format!("--datadir={}", at("data")))
            .arg(format!("--socket={}", at("socket")))
            .arg(format!("--pid-file={}", at("pid")))
            .arg(format!("--general-log-file={}", at("general.log")))
            .arg(format!("--slow-query-log-file={}", at("slow.log")))
            .arg(format!("--log-bin={}", at("binlog")))
            .arg(format!("--init-file={}", init.display()))
            .arg(format!("--port={port}"))
            .args(options);
        let mut daemon = Daemon::start("mariadbd", &mut starting, Some(folder.path()))?;
        wait_for_port(&mut daemon, "mariadbd", port)?;
        Ok(Self { daemon, port, password, folder })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of `root`, who comes from 127.0.0.1 only.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// All that it wrote: its own log, every statement, the slow log and the replication log.
    pub fn log(&self) -> String {
        let mut text = self.daemon.log().text();
        for entry in fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".log") || name.starts_with("binlog.") {
                text.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap_or_default()));
            }
        }
        text
    }
}
