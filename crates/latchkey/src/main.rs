//! Latchkey: keeps who may use shared logins in step with the directory.
//!
//! The binary reads the command line, joins the rooms and hands over; it holds no rule.

mod admin;
mod audit;
mod backup;
mod cli;
mod connector;
mod demo;
mod directory;
mod doctor;
mod listener;
mod memory;
mod offboarding;
mod operations;
mod output;
mod play;
mod progress;
mod provision;
mod rotate;
mod serve;
mod telemetry;
mod transfer;
mod vault;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::output::Output;

/// What a request allocates for the store's writer is freed on the writer's thread: glibc's arenas
/// then wait for each other, and give memory back only to ask for it again at once.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    if let Err(error) = memory::keep_private() {
        output.remark(format_args!("warning: {error:#}"));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.failure(&anyhow::Error::new(error).context("cannot start"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(Box::pin(run(cli.command, output))) {
        Ok(code) => code,
        Err(error) => {
            output.failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, output: Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(options) => play::run(options, output).await,
        Command::Serve(options) => serve::run(options, output).await.map(|()| ExitCode::SUCCESS),
        Command::Admin(command) => admin::run(command, output).await.map(|()| ExitCode::SUCCESS),
        Command::Audit(command) => audit::run(command, output).await,
        Command::Rotate(options) => rotate::run(options, output).await,
        Command::Vault(command) => vault::run(command, output).await,
        Command::Connector(command) => connector::run(command, output).await,
        Command::Offboarding(command) => offboarding::run(command, output).await,
        Command::Provision(command) => provision::run(command, output).await,
        Command::Directory(command) => directory::run(command, output).await.map(|()| ExitCode::SUCCESS),
        Command::Doctor(options) => doctor::run(options, output).await,
        Command::Import(options) => transfer::import(options, output).await.map(|()| ExitCode::SUCCESS),
        Command::Export(options) => transfer::export(options, output).await.map(|()| ExitCode::SUCCESS),
        Command::Backup(options) => backup::backup(options, output).await.map(|()| ExitCode::SUCCESS),
        Command::Restore(options) => backup::restore(options, output).await,
    }
}
