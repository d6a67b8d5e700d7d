//! Writing anew what is generated and checked in.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::run::{cargo, execute, output, program};

pub(crate) const HELP: &str = "\
Usage: cargo xtask bless

Runs the tests that compare with checked-in files, and lets them write what they find instead:
insta's snapshots (INSTA_UPDATE=always) and generated files (LATCHKEY_BLESS=1). Then shows what changed;
read it as a change of the product.

A test for a generated file compares with it, and writes it if LATCHKEY_BLESS is set.
";

/// Crates with generated files that are no snapshots.
const GENERATE: &[&str] = &["latchkey-api"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(arg) = args.first() {
        bail!("bless takes no arguments, and was given {arg}");
    }
    let metadata: Value = serde_json::from_str(&output(&mut cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--locked",
    ]))?)?;
    let mut crates: BTreeSet<&str> = GENERATE.iter().copied().collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let needs = package["dependencies"].as_array().into_iter().flatten();
        if needs.into_iter().any(|needed| needed["name"] == "insta") {
            crates.extend(package["name"].as_str());
        }
    }
    let mut tests = cargo(&["test", "--quiet", "--no-fail-fast"]);
    for name in crates {
        tests.args(["-p", name]);
    }
    tests.args(["--lib", "--tests"]);
    execute(tests.env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1").env("LATCHKEY_BLESS", "1"))?;
    println!("\nWhat changed since the last commit:");
    execute(&mut program("git", &["status", "--short"]))
}
