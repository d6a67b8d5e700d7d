//! `latchkey connector`: what an admin runs before trusting a connector.

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
    let Connector::Check(check) = command;
    let trial = target::Trial::new(&check)?;
    Ok(if steps::run(&trial, output).await { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
