//! Everything that must hold before a change lands.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::options::Options;
use crate::run::{cargo, execute};
use crate::{layers, test, tidy, tools};

pub(crate) const HELP: &str = "\
Usage: cargo xtask ci [--only STEP,STEP] [--skip STEP,STEP]

Runs, quick ones first, and stops at the first that fails:
  fmt       the formatting of rustfmt.toml
  layers    who imports whom
  tidy      file sizes, leftover marks, links, migrations
  deny      licences, banned crates and sources (deny.toml)
  machete   dependencies that nothing uses
  clippy    lints, warnings as errors
  docs      the documentation builds, its links lead somewhere
  test      every test, as `cargo xtask test`
";

/// A step: its name, and what it does.
type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("fmt", || execute(&mut cargo(&["fmt", "--all", "--check"]))),
    ("layers", || layers::run(&[])),
    ("tidy", || tidy::run(&[])),
    ("deny", || {
        let mut deny = tools::cargo_tool("cargo-deny")?;
        // Advisories change from day to day and need the network; they have a run of their own.
        execute(deny.args(["--locked", "check", "licenses", "bans", "sources"]))
    }),
    ("machete", || execute(&mut tools::cargo_tool("cargo-machete")?)),
    ("clippy", || {
        execute(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
    }),
    ("docs", || execute(docs().env("RUSTDOCFLAGS", "-D warnings"))),
    ("test", || test::run(&[])),
];

fn docs() -> Command {
    cargo(&["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"])
}

pub(crate) fn run_steps(options: &Options) -> Result<()> {
    let list = |name| options.all(name).flat_map(|names| names.split(',')).collect::<Vec<_>>();
    let (only, skip) = (list("only"), list("skip"));
    if let Some(unknown) = only.iter().chain(&skip).find(|name| !STEPS.iter().any(|(step, _)| step == *name))
    {
        bail!("there is no step {unknown}; --help lists them");
    }
    let mut took: Vec<(&str, Duration)> = Vec::new();
    let mut outcome = Ok(());
    for (name, step) in STEPS {
        if skip.contains(name) || !(only.is_empty() || only.contains(name)) {
            continue;
        }
        println!("\n== {name}");
        let start = Instant::now();
        outcome = step().with_context(|| format!("step {name}"));
        took.push((name, start.elapsed()));
        if outcome.is_err() {
            break;
        }
    }
    println!();
    for (name, time) in &took {
        println!("{name:8} {:7.1} s", time.as_secs_f64());
    }
    outcome
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    run_steps(&Options::parse(args, &["only", "skip"])?)
}
