//! Requests per second, beside what the machine can do at most.

mod pages;
pub(crate) mod provisioning;
mod report;

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use latchkey_daemons::postgres::{Durability, Postgres};
use latchkey_daemons::{Daemon, Signal};
use serde_json::Value;
use tempfile::TempDir;

use crate::bench::report::{Measured, Report};
use crate::options::Options;
use crate::run::{cargo, execute, output, root};
use crate::tools;

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench --scimload PATH --limit PATH [OPTIONS]

Builds the release binary, runs the load `scimload` on the bare server `limit` and then on Latchkey, all
in this run on this machine, and prints tables with ratios as Markdown (for docs/performance.md).

  --scimload PATH   the load generator
  --limit PATH      the bare server that shows what the machine can do
  --db LIST         sqlite,postgres unless told
  --users N         users to create, 5000 unless told; at least the largest group
  --secs N          seconds a scenario, 5 unless told
  --conns N         connections, 16 unless told
  --only LIST       scenarios of scimload, and `pages`: a walk through all users by cursor, and pages by
                    position; get,filter,patch,pages unless told
  --rounds N        run everything so often and take each figure's median, 1 unless told
  --group-sizes L   sizes of groups to add a member to and take one out of, 10,1000 unless told
  --binary PATH     measure this latchkey instead of building one

Example:
  cargo xtask bench --scimload ./scimload --limit ./limit --users 100000 \\
    --only get,filter,patch,group,pages --group-sizes 10,100000 --rounds 3
";

const KNOWN: &[&str] =
    &["scimload", "limit", "db", "users", "secs", "conns", "only", "group-sizes", "rounds", "binary"];

/// Where Latchkey serves SCIM.
const BASE: &str = "/v1/scim/v2";

/// What the limit server has an answer for.
const LIMIT_KNOWS: [&str; 3] = ["get", "filter", "patch"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args, KNOWN)?;
    let path = |name| options.get(name).map(|path| root().join(path));
    let load = Load {
        scimload: path("scimload").context("--scimload PATH is missing; --help says more")?,
        users: options.number("users", 5000)?,
        secs: options.number("secs", 5)?,
        conns: options.number("conns", 16)?,
        only: options.get("only").unwrap_or("get,filter,patch,pages").to_owned(),
        group_sizes: options.get("group-sizes").unwrap_or("10,1000").to_owned(),
    };
    let limit = path("limit").context("--limit PATH is missing; --help says more")?;
    let binary = match path("binary") {
        Some(binary) => binary,
        None => {
            execute(&mut cargo(&["build", "--release", "--locked", "-p", "latchkey"]))?;
            tools::target().join("release/latchkey")
        }
    };
    let rounds = options.number("rounds", 1)?;
    let databases: Vec<&str> = options.get("db").unwrap_or("sqlite,postgres").split(',').collect();
    let mut report = Report::new(format!("{}, median of {rounds}", load.describe()));
    for round in 1..=rounds {
        println!("round {round}: measuring the limit …");
        report.limit.push(measure_limit(&limit, &load)?);
        for db in &databases {
            println!("round {round}: measuring latchkey on {db} …");
            let measured = match *db {
                "sqlite" => measure_latchkey(&binary, None, &load)?,
                "postgres" => {
                    tools::postgres()?;
                    let server = Postgres::create(Durability::On)?;
                    measure_latchkey(&binary, Some(&server.url()), &load)?
                }
                _ => bail!("--db {db}: only sqlite and postgres are known"),
            };
            report.add(db, measured);
        }
    }
    println!("\n{report}");
    Ok(())
}

/// How `scimload` is run.
struct Load {
    scimload: PathBuf,
    users: u32,
    secs: u32,
    conns: u32,
    only: String,
    group_sizes: String,
}

impl Load {
    fn describe(&self) -> String {
        format!(
            "{} users, {} connections, {} s a scenario, {} processors",
            self.users,
            self.conns,
            self.secs,
            std::thread::available_parallelism().map_or(0, std::num::NonZero::get)
        )
    }

    /// One JSON line a scenario.
    fn run(&self, address: &str, only: &str, more: &[&str]) -> Result<Vec<Value>> {
        let mut load = Command::new(&self.scimload);
        load.args(["--addr", address, "--only", only]).args(more);
        load.args(["--users", &self.users.to_string(), "--secs", &self.secs.to_string()]);
        load.args(["--conns", &self.conns.to_string(), "--group-sizes", &self.group_sizes]);
        let lines = output(&mut load)?;
        lines.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }
}

fn measure_limit(limit: &Path, load: &Load) -> Result<Vec<Value>> {
    let folder = TempDir::new()?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut command = Command::new(limit);
    command.arg(&address).arg(folder.path().join("limit.db"));
    let _server = Daemon::start("limit", &mut command, Some(folder.path()))?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(&address).is_err() {
        anyhow::ensure!(Instant::now() < deadline, "{} does not listen on {address}", limit.display());
        std::thread::sleep(Duration::from_millis(10));
    }
    let only: Vec<&str> = load.only.split(',').filter(|name| LIMIT_KNOWS.contains(name)).collect();
    // Without a scenario it would run them all; creating users alone has no name of its own.
    let only = if only.is_empty() { "none".to_owned() } else { only.join(",") };
    load.run(&address, &only, &[])
}

fn measure_latchkey(binary: &Path, database: Option<&str>, load: &Load) -> Result<Measured> {
    let folder = TempDir::new()?;
    let command = |args: &[&str]| {
        let mut command = Command::new(binary);
        command
            .args(args)
            .env("LATCHKEY_DATA", folder.path())
            .env_remove("DATABASE_URL")
            .env("RUST_LOG", "warn");
        if let Some(url) = database {
            command.env("DATABASE_URL", url);
        }
        command
    };
    // The first start makes the schema; what an operator waits for at a restart is the second.
    let (mut first, ..) = listen(command(&["serve", "--listen", "127.0.0.1:0", "--json"]))?;
    first.stop(Signal::TERM, Duration::from_secs(30))?;
    let (mut server, address, ready) = listen(command(&["serve", "--listen", "127.0.0.1:0", "--json"]))?;
    output(&mut command(&["admin", "workspace", "create", "Bench", "--owner", "owner@bench.example"]))?;
    let token = output(&mut command(&["admin", "scim-token", "create", "--workspace", "Bench"]))?;
    let mut lines = load.run(&address, &load.only, &["--base", BASE, "--token", token.trim()])?;
    if load.only.split(',').any(|name| name == "pages") {
        lines.extend(pages::measure(&address, BASE, token.trim())?);
    }
    let resident_mib = resident_mib(server.pid());
    server.stop(Signal::TERM, Duration::from_secs(30))?;
    Ok(Measured { lines, ready, resident_mib })
}

/// Starts a server; its address, and how long it took to listen.
fn listen(mut command: Command) -> Result<(Daemon, String, Duration)> {
    let start = Instant::now();
    let mut server = Daemon::start("latchkey serve", &mut command, None)?;
    loop {
        let exit = server.exited();
        let address = server.log().find_line(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["event"] == "listening").then(|| line["address"].as_str().map(str::to_owned))?
        });
        if let Some(address) = address {
            return Ok((server, address, start.elapsed()));
        }
        if let Some(status) = exit {
            server.log().settle();
            bail!("latchkey serve ended with {status}\n{}", server.log());
        }
        anyhow::ensure!(
            start.elapsed() < Duration::from_secs(30),
            "latchkey serve does not listen\n{}",
            server.log()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Resident memory, where the system tells it the way Linux does.
fn resident_mib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}
