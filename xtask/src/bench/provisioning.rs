//! Cycles of a large company, beside what the target takes at most.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use latchkey_daemons::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::{BASE, listen};
use crate::options::Options;
use crate::run::{cargo, execute, output, root};
use crate::tools;

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench-provisioning --scimload PATH [OPTIONS]

Writes CSV files of a company, provisions them to a `latchkey serve` of its own on SQLite with `latchkey
provision run`, and prints as Markdown how long the initial cycle took, one with nothing changed and one
with one change, how much memory the command held at most, and, from the load `scimload` on the same
server in the same run, how long the requests of the initial cycle take at the target's own ceiling.

  --scimload PATH    the load generator
  --users N          people, 100000 unless told
  --groups N         groups, 2000 unless told
  --memberships N    memberships, 300000 unless told
  --conns N          requests at once, for the load and for the job, 16 unless told
  --binary PATH      measure this latchkey instead of building one
";

const KNOWN: &[&str] = &["scimload", "users", "groups", "memberships", "conns", "binary"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args, KNOWN)?;
    let path = |name| options.get(name).map(|path| root().join(path));
    let scimload = path("scimload").context("--scimload PATH is missing; --help says more")?;
    let binary = match path("binary") {
        Some(binary) => binary,
        None => {
            execute(&mut cargo(&["build", "--release", "--locked", "-p", "latchkey"]))?;
            tools::target().join("release/latchkey")
        }
    };
    let company = Company {
        users: options.number("users", 100_000)?,
        groups: options.number("groups", 2_000)?,
        memberships: options.number("memberships", 300_000)?,
        conns: options.number("conns", 16)?,
    };
    let folder = TempDir::new()?;
    company.write(folder.path(), None)?;
    let serve = folder.path().join("serve");
    let at = |args: &[&str]| {
        let mut command = Command::new(&binary);
        command.args(args).env("LATCHKEY_DATA", &serve).env_remove("DATABASE_URL").env("RUST_LOG", "warn");
        command
    };
    let (mut server, address, _) = listen(at(&["serve", "--listen", "127.0.0.1:0", "--json"]))?;
    let token_of = |name: &str| -> Result<String> {
        output(&mut at(&["admin", "workspace", "create", name, "--owner", "owner@bench.example"]))?;
        Ok(output(&mut at(&["admin", "scim-token", "create", "--workspace", name]))?.trim().to_owned())
    };
    let ceiling = company.ceiling(&scimload, &address, &token_of("Ceiling")?)?;
    let token = folder.path().join("token");
    std::fs::write(&token, token_of("Provisioned")?)?;
    let cycle = |what: &str| -> Result<Measured> {
        let mut command = Command::new(&binary);
        command.args(["--json", "provision", "run"]).arg(folder.path().join("provision.toml"));
        command.args(["--target-url", &format!("http://{address}{BASE}")]);
        command.arg("--target-token-file").arg(&token);
        command.arg("--data").arg(folder.path().join("data")).env_remove("DATABASE_URL");
        let measured = measure(command).with_context(|| format!("the {what} cycle"))?;
        println!("{what}: {measured}");
        Ok(measured)
    };
    let initial = cycle("initial")?;
    let nothing = cycle("nothing changed")?;
    company.write(folder.path(), Some(company.users / 2))?;
    let one = cycle("one person changed")?;
    server.stop(Signal::TERM, Duration::from_secs(60))?;
    let share = 100.0 * ceiling.as_secs_f64() / initial.took.as_secs_f64();
    println!(
        "\n{} people, {} groups, {} memberships, {} requests at once\n\n\
         | cycle | took | requests | most memory |\n|---|---|---|---|\n| initial | {:.1} s | {} | {} MiB |\n\
         | nothing changed | {:.2} s | {} | {} MiB |\n| one person changed | {:.2} s | {} | {} MiB |\n\n\
         At the target's own ceiling the requests of the initial cycle take {:.1} s: {share:.0} % of it.",
        company.users,
        company.groups,
        company.memberships,
        company.conns,
        initial.took.as_secs_f64(),
        initial.requests,
        initial.peak_mib,
        nothing.took.as_secs_f64(),
        nothing.requests,
        nothing.peak_mib,
        one.took.as_secs_f64(),
        one.requests,
        one.peak_mib,
        ceiling.as_secs_f64(),
    );
    Ok(())
}

struct Company {
    users: u32,
    groups: u32,
    memberships: u32,
    conns: u32,
}

impl Company {
    /// The job and its source; one person has another name than before if so told.
    fn write(&self, folder: &Path, changed: Option<u32>) -> Result<()> {
        let mut people = String::from(
            "id,userPrincipalName,displayName,givenName,surname,mail,jobTitle,department,accountEnabled\n",
        );
        for n in 0..self.users {
            let given = if changed == Some(n) { "Changed" } else { "Given" };
            let department = n % 40;
            writeln!(
                people,
                "{n},person{n}@corp.example,Person {n},{given}{n},Sur{n},person{n}@corp.example,Engineer,D{department},true"
            )?;
        }
        let mut groups = String::from("id,displayName,members\n");
        let each = self.memberships.checked_div(self.groups).unwrap_or(0);
        for g in 0..self.groups {
            let members: Vec<String> =
                (0..each).map(|m| ((g * 53 + m * 97) % self.users.max(1)).to_string()).collect();
            writeln!(groups, "{g},Group {g},{}", members.join(";"))?;
        }
        std::fs::write(folder.join("people.csv"), people)?;
        std::fs::write(folder.join("groups.csv"), groups)?;
        let job = format!(
            "[job]\nname = \"Bench\"\n[source]\nkind = \"csv\"\nusers = \"people.csv\"\ngroups = \"groups.csv\"\n\
             [target]\nconcurrency = {}\n[users]\nmappings = \"latchkey\"\n[groups]\nmappings = \"default\"\n",
            self.conns
        );
        std::fs::write(folder.join("provision.toml"), job)?;
        Ok(())
    }

    /// How long the target takes at least for the requests of the initial cycle: a search and a
    /// creation an object, and one change a group.
    fn ceiling(&self, scimload: &Path, address: &str, token: &str) -> Result<Duration> {
        let mut load = Command::new(scimload);
        load.args(["--addr", address, "--base", BASE, "--token", token, "--only", "patch"]);
        load.args(["--users", "20000", "--secs", "5", "--conns", &self.conns.to_string()]);
        let lines = output(&mut load)?;
        println!("the target's own ceiling:\n{lines}");
        let rate = |wanted: &str| -> Result<f64> {
            for line in lines.lines() {
                let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
                let name = line["scenario"].as_str().unwrap_or_default();
                if name == wanted {
                    return line["rps"].as_f64().context("no rate in the line");
                }
            }
            bail!("scimload told no rate of {wanted}")
        };
        let (made, changed) = (rate("initial_user_lookup_then_create")?, rate("patch_user")?);
        let (users, groups) = (f64::from(self.users), f64::from(self.groups));
        Ok(Duration::from_secs_f64((users + groups) / made + groups / changed))
    }
}

struct Measured {
    took: Duration,
    requests: u64,
    peak_mib: u64,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.2} s, {} requests, {} MiB at most",
            self.took.as_secs_f64(),
            self.requests,
            self.peak_mib
        )
    }
}

/// Runs a cycle; the memory is what the system counted as the most.
fn measure(mut command: Command) -> Result<Measured> {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut out = child.stdout.take().context("it has no output")?;
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = std::io::Read::read_to_string(&mut out, &mut text).map(|_| text);
        let _ = sender.send(read);
    });
    let mut peak_mib = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib = line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0);
        peak_mib = peak_mib.max(kib / 1024);
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = begun.elapsed();
    let text = receiver.recv()??;
    anyhow::ensure!(
        ended.success(),
        "latchkey ended with {ended}: {}",
        text.lines().last().unwrap_or_default()
    );
    let last: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    let requests = last["cycle"]["counts"]["requests"].as_u64().context("no count of requests")?;
    Ok(Measured { took, requests, peak_mib })
}
