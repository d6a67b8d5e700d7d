//! What the tests and checks need beside Rust: found, installed where we may, or named exactly.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use latchkey_daemons::missing_packages;
use latchkey_daemons::postgres::Programs;

use crate::run::{cargo, execute, program, root, succeeds};

/// Makes sure that PostgreSQL's programs are there.
pub(crate) fn postgres() -> Result<()> {
    let Err(missing) = Programs::find() else { return Ok(()) };
    if apt_may() {
        apt_install(&["postgresql"])?;
        Programs::find()?;
        return Ok(());
    }
    Err(missing)
}

/// Makes sure that the targets are there which the connectors' tests start: MariaDB, slapd, sshd.
pub(crate) fn targets() -> Result<()> {
    let missing = missing_packages();
    if !missing.is_empty() && apt_may() {
        apt_install(&missing)?;
    }
    match missing_packages().join(" ") {
        none if none.is_empty() => Ok(()),
        missing => bail!(
            "the connectors' tests start real targets, which are not all on this machine: `apt-get install {missing}` on \
             Debian and Ubuntu; no service needs to run"
        ),
    }
}

/// Makes sure that the outside check of the SCIM endpoint is there; its Python.
pub(crate) fn scim2_tester() -> Result<PathBuf> {
    let requirements = root().join("tests/interop/requirements.txt");
    let folder = target().join("interop");
    let python = folder.join("bin/python");
    let mark = folder.join("installed.txt");
    let wanted = std::fs::read_to_string(&requirements).context("reading tests/interop/requirements.txt")?;
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) && python.exists() {
        return Ok(python);
    }
    let folder = folder.display().to_string();
    // Debian ships Python without what makes virtual environments.
    let venv = || program("python3", &["-m", "venv", "--clear", &folder]);
    if !succeeds(&mut venv()) {
        if apt_may() {
            apt_install(&["python3-venv"])?;
        }
        execute(&mut venv()).context(
            "scim2-tester, an outside check of the SCIM endpoint, needs Python 3.11 or newer with venv: \
             `apt-get install python3-venv` on Debian and Ubuntu. Or leave it out: `cargo xtask test --without interop`",
        )?;
    }
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        "tests/interop/requirements.txt",
    ];
    execute(&mut program(&python, &pip)).context(
        "installing scim2-tester from PyPI failed; without a network, leave it out: `cargo xtask test --without interop`",
    )?;
    std::fs::write(&mark, wanted)?;
    Ok(python)
}

/// Whether `cargo nextest` is there. It need not be: `cargo test` runs the same tests, without the limits of
/// `.config/nextest.toml`.
pub(crate) fn has_nextest() -> bool {
    succeeds(&mut cargo(&["nextest", "--version"]))
}

/// A cargo subcommand from crates.io: the one on the machine, else built once into `target/tools`.
pub(crate) fn cargo_tool(name: &str) -> Result<Command> {
    let subcommand = name.strip_prefix("cargo-").unwrap_or(name);
    if succeeds(&mut cargo(&[subcommand, "--version"])) {
        return Ok(cargo(&[subcommand]));
    }
    let folder = target().join("tools");
    let bin = folder.join("bin");
    if !bin.join(name).exists() {
        let folder = folder.display().to_string();
        // A tool that runs for a second is not worth optimising for minutes.
        let mut install = cargo(&["install", "--debug", "--locked", "--root", &folder, name]);
        execute(install.env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("CARGO_TARGET_DIR"))
            .with_context(|| format!("install it yourself: `cargo install --locked {name}`"))?;
    }
    // By way of cargo, which finds it on the path: run by itself, a tool may take the subcommand
    // for an argument of its own.
    let mut command = cargo(&[subcommand]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).context("the path cannot be put together")?);
    Ok(command)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Whether we may install packages: as root, on Debian and its kin.
fn apt_may() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    root && succeeds(&mut program("apt-get", &["--version"]))
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let mut apt = program("apt-get", &["update", "--quiet"]);
    if execute(&mut apt).is_err() {
        println!("`apt-get update` failed; trying with the lists that are there");
    }
    let mut apt = program("apt-get", &["install", "--yes", "--quiet", "--no-install-recommends"]);
    if let Err(error) = execute(apt.args(packages).env("DEBIAN_FRONTEND", "noninteractive")) {
        bail!("{error}; install {} yourself", packages.join(", "));
    }
    Ok(())
}
