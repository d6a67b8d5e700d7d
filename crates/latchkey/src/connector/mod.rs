//! `latchkey connector`: which connectors there are, and what an admin runs before trusting one.

mod manage;
mod options;
mod secret;
mod steps;
mod target;
mod web;

use std::process::ExitCode;

use crate::output::Output;
pub(crate) use options::Connector;

/// Ends with 0 only if every step held.
pub(crate) async fn run(command: Connector, output: Output) -> anyhow::Result<ExitCode> {
    let check = match command {
        Connector::Check(check) => check,
        Connector::Manage(command) => return manage::run(command, output).await.map(|()| ExitCode::SUCCESS),
    };
    let trial = target::Trial::new(&check)?;
    Ok(if steps::run(&trial, output).await { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
