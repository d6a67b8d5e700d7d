//! `cargo xtask …`: what developers and CI run. Every step of CI is a command here.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

mod bench;
mod bless;
mod ci;
mod layers;
mod options;
mod run;
mod soak;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::Result;

/// A command: its name, what it is for, its help, and what it does with its arguments.
struct Command {
    name: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        summary: "run every test, on both databases; installs what it lacks where it may",
        help: test::HELP,
        run: test::run,
    },
    Command {
        name: "ci",
        summary: "everything that must hold before a change lands, in order, with times",
        help: ci::HELP,
        run: ci::run,
    },
    Command { name: "layers", summary: "check who imports whom", help: layers::HELP, run: layers::run },
    Command {
        name: "tidy",
        summary: "check file sizes, leftover marks, links in documents, pairs of migrations",
        help: tidy::HELP,
        run: tidy::run,
    },
    Command {
        name: "bless",
        summary: "write snapshots and generated files anew",
        help: bless::HELP,
        run: bless::run,
    },
    Command {
        name: "soak",
        summary: "run crash rounds, properties and fuzz targets for long",
        help: soak::HELP,
        run: soak::run,
    },
    Command {
        name: "bench",
        summary: "measure requests per second against the limit of the machine",
        help: bench::HELP,
        run: bench::run,
    },
    Command {
        name: "bench-provisioning",
        summary: "measure cycles of a large company against the target's own ceiling",
        help: bench::provisioning::HELP,
        run: bench::provisioning::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        eprint!("{}", overview());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") && rest.is_empty() {
        print!("{}", overview());
        return ExitCode::SUCCESS;
    }
    let wanted = if name == "help" { &rest[0] } else { name };
    let Some(command) = COMMANDS.iter().find(|command| command.name == wanted) else {
        eprint!("There is no `cargo xtask {wanted}`.\n\n{}", overview());
        return ExitCode::from(2);
    };
    if name == "help" || rest.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--help" || arg == "-h")
    {
        print!("cargo xtask {}: {}\n\n{}", command.name, command.summary, command.help);
        return ExitCode::SUCCESS;
    }
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask {}: {error:#}", command.name);
            ExitCode::FAILURE
        }
    }
}

fn overview() -> String {
    let mut text = "Usage: cargo xtask COMMAND [ARGUMENTS]\n\n".to_owned();
    for command in COMMANDS {
        text += &format!("  {:8}{}\n", command.name, command.summary);
    }
    text + "\n`cargo xtask COMMAND --help` says more.\n"
}
