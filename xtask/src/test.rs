//! Every test, with all that they need.

use std::process::Command;

use anyhow::{Result, bail};
use latchkey_daemons::postgres::{Durability, Postgres, SHARED, shared};

use crate::options::Options;
use crate::run::{cargo, execute};
use crate::tools;

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [FILTER…] [--without postgres|interop] [-- NEXTEST ARGUMENTS]

Runs the tests of all crates and the examples in their documentation. Nothing needs to be set up:
PostgreSQL, the Python environment of scim2-tester (an outside check of the SCIM endpoint), and the SCIM
providers that are provisioned to (by their tests, which need Node.js 20 with npm) are installed where we may
(as root on Debian or Ubuntu; from PyPI and npm into target/), and otherwise the message says what to install. One PostgreSQL server is started for the run, in a temporary folder, and ends with it;
set LATCHKEY_TEST_POSTGRES to a superuser's URL to use another.

  FILTER              only tests whose name contains it (any of them, if several)
  --without postgres  leave out the tests on PostgreSQL
  --without interop   leave out scim2-tester, and the SCIM providers of others that are provisioned to
  -- ARGUMENTS        passed on to cargo-nextest, e.g. `-- -p latchkey-scim --no-capture`

Examples:
  cargo xtask test
  cargo xtask test offboarding
  cargo xtask test --without interop -- -p latchkey
";

pub(crate) fn run(args: &[String]) -> Result<()> {
    // What stands after the dashes is not ours to read.
    let dashes = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let options = Options::parse(&args[..dashes], &["without"])?;
    let passed_on = args.get(dashes + 1..).unwrap_or_default();
    let without: Vec<&str> = options.all("without").collect();
    if let Some(unknown) = without.iter().find(|what| !["postgres", "interop"].contains(*what)) {
        bail!("--without {unknown}: only postgres and interop can be left out");
    }
    let everything = options.rest.is_empty() && passed_on.is_empty();
    run_tests(&Selection { filters: &options.rest, passed_on, without: &without }, everything)?;
    if !without.is_empty() {
        println!("\nLeft out: {}", without.join(", "));
    }
    Ok(())
}

/// Which tests.
struct Selection<'a> {
    filters: &'a [String],
    passed_on: &'a [String],
    without: &'a [&'a str],
}

fn run_tests(selection: &Selection<'_>, everything: bool) -> Result<()> {
    let leaves_out = |what| selection.without.contains(&what);
    let mut tests = if tools::has_nextest() {
        nextest(selection)
    } else {
        println!(
            "cargo-nextest is not installed (`cargo install --locked cargo-nextest`); using cargo test."
        );
        plain(selection)
    };
    // Whoever asked for some tests may not need everything; one that does will say so itself.
    let lenient = |error: anyhow::Error| {
        if everything {
            return Err(error);
        }
        println!("note: {error:#}");
        Ok(())
    };
    tools::targets().or_else(lenient)?;
    if !leaves_out("interop") {
        match tools::scim2_tester() {
            Ok(python) => _ = tests.env("LATCHKEY_TEST_PYTHON", python),
            Err(error) => lenient(error)?,
        }
    }
    let server = match shared() {
        Some(_) => None,
        None if leaves_out("postgres") => None,
        None => match tools::postgres().and_then(|()| Postgres::create(Durability::Off)) {
            Ok(server) => Some(server),
            Err(error) => {
                lenient(error)?;
                None
            }
        },
    };
    if let Some(server) = &server {
        tests.env(SHARED, server.url());
    }
    execute(&mut tests)?;
    if everything {
        execute(&mut cargo(&["test", "--quiet", "--doc", "--workspace"]))?;
    }
    Ok(())
}

fn nextest(selection: &Selection<'_>) -> Command {
    let mut tests = cargo(&["nextest", "run"]);
    // Packages that are named would be ignored beside it.
    if !selection.passed_on.iter().any(|arg| arg == "-p" || arg.starts_with("--package")) {
        tests.arg("--workspace");
    }
    if std::env::var_os("CI").is_some() {
        tests.args(["--profile", "ci"]);
    }
    let mut left_out = Vec::new();
    for what in selection.without {
        left_out.push(if *what == "postgres" {
            "test(postgres)"
        } else {
            "binary(interop) + binary(targets)"
        });
    }
    if !left_out.is_empty() {
        tests.args(["-E", &format!("not ({})", left_out.join(" + "))]);
    }
    tests.args(selection.passed_on).args(selection.filters);
    tests
}

fn plain(selection: &Selection<'_>) -> Command {
    let mut tests = cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast", "--"]);
    for what in selection.without {
        let skipped =
            if *what == "postgres" { &["postgres"][..] } else { &["scim2_tester", "is_kept_in_step"] };
        tests.args(skipped.iter().flat_map(|name| ["--skip", *name]));
    }
    tests.args(selection.filters);
    tests
}
