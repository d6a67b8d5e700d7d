//! Long runs: what a few seconds in CI do not find.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use latchkey_daemons::postgres::{Durability, Postgres, SHARED, shared};

use crate::options::Options;
use crate::run::{cargo, execute, root, succeeds};
use crate::tools;

pub(crate) const HELP: &str = "\
Usage: cargo xtask soak [crash] [properties] [fuzz] [leaver] [directory] [--rounds N] [--cases N] [--minutes M]
                        [--accounts N] [--grants N] [--leavers N]

All five unless some are named:
  crash       the server (and PostgreSQL) killed N times under load (LATCHKEY_CRASH_ROUNDS), 1000 unless told
  directory   N people disabled in the embedded directory (LATCHKEY_LEAVERS), 1000 unless told: how long until
              each is out at Latchkey's own SCIM endpoint, on both databases, in a release build
  properties  the property tests with N cases each (PROPTEST_CASES), 100000 unless told
  fuzz        each target in fuzz/ for M minutes, 10 unless told; needs a nightly toolchain and cargo-fuzz
  leaver      somebody with N accounts (1000 unless told) at a PostgreSQL server leaves: the rate and p99 of
              the rotations; and somebody with N grants (10000 unless told): how long the cut takes, which
              has to be under 100 ms. Built for release; prints the figures

Examples:
  cargo xtask soak crash --rounds 10000
  cargo xtask soak fuzz --minutes 60
  cargo xtask soak leaver --accounts 200
";

const PARTS: [&str; 5] = ["crash", "properties", "fuzz", "leaver", "directory"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args, &["rounds", "cases", "minutes", "accounts", "grants", "leavers"])?;
    if let Some(unknown) = options.rest.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("{unknown} is none of {}", PARTS.join(", "));
    }
    let wanted = |part: &str| options.rest.is_empty() || options.rest.iter().any(|given| given == part);
    if wanted("crash") {
        crash(options.number("rounds", 1000_u32)?)?;
    }
    if wanted("directory") {
        directory(options.number("leavers", 1000_u32)?)?;
    }
    if wanted("properties") {
        properties(options.number("cases", 100_000_u32)?)?;
    }
    if wanted("fuzz") {
        fuzz(Duration::from_secs(60 * options.number("minutes", 10_u64)?))?;
    }
    if wanted("leaver") {
        leaver(options.number("accounts", 1000_u32)?, options.number("grants", 10_000_u32)?)?;
    }
    Ok(())
}

fn crash(rounds: u32) -> Result<()> {
    let mut tests =
        cargo(&["test", "-p", "latchkey", "--test", "crash", "--", "--nocapture", "--test-threads=2"]);
    tests.env("LATCHKEY_CRASH_ROUNDS", rounds.to_string());
    tools::postgres()?;
    timed(&format!("{rounds} crash rounds"), || execute(&mut tests))
}

fn leaver(accounts: u32, grants: u32) -> Result<()> {
    let mut tests = cargo(&["test", "--release", "-p", "latchkey", "--test", "rotation", "load::"]);
    tests.args(["--", "--nocapture", "--test-threads=1"]);
    tests.env("LATCHKEY_LEAVER_ACCOUNTS", accounts.to_string());
    tests.env("LATCHKEY_LEAVER_GRANTS", grants.to_string()).env("LATCHKEY_LEAVER_CUT_MS", "100");
    tools::postgres()?;
    timed("a leaver", || execute(&mut tests))
}

fn directory(count: u32) -> Result<()> {
    let mut tests = cargo(&["test", "--release", "-p", "latchkey", "--test", "jobs", "--"]);
    tests.args(["leavers_are_out_within_a_second", "--nocapture", "--test-threads=1"]);
    tests.env("LATCHKEY_LEAVERS", count.to_string());
    tools::postgres()?;
    timed(&format!("{count} leavers"), || execute(&mut tests))
}

fn properties(cases: u32) -> Result<()> {
    let mut tests = cargo(&["test", "-p", "latchkey-scim", "-p", "latchkey-access", "-p", "latchkey-store"]);
    tests.args(["--release", "--lib", "--tests"]).env("PROPTEST_CASES", cases.to_string());
    let server = match shared() {
        Some(_) => None,
        None => {
            tools::postgres()?;
            Some(Postgres::create(Durability::Off)?)
        }
    };
    if let Some(server) = &server {
        tests.env(SHARED, server.url());
    }
    timed(&format!("{cases} cases of each property"), || execute(&mut tests))
}

fn fuzz(time: Duration) -> Result<()> {
    if !succeeds(&mut cargo(&["fuzz", "--version"])) {
        bail!("fuzzing needs `cargo install --locked cargo-fuzz` and `rustup toolchain install nightly`");
    }
    let folder = root().join("fuzz/fuzz_targets");
    let mut targets: Vec<String> = std::fs::read_dir(&folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    for target in targets {
        let mut fuzzer = crate::run::program("cargo", &["+nightly", "fuzz", "run", &target, "--"]);
        fuzzer
            .arg(format!("-max_total_time={}", time.as_secs()))
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN");
        timed(&format!("fuzzing {target}"), || execute(&mut fuzzer))?;
    }
    Ok(())
}

fn timed(what: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    work().with_context(|| what.to_owned())?;
    println!("{what}: {:.0} s, nothing found", start.elapsed().as_secs_f64());
    Ok(())
}
