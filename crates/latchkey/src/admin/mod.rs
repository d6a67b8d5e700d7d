//! `latchkey admin`: what somebody with a shell on the host may do, beside a running server.

mod api_token;
mod scim_token;
mod workspace;

use latchkey_access::{Actor, Workspace};
use latchkey_engine::Engine;
use latchkey_store::Options;

use crate::cli::{Admin, Place};
use crate::output::Output;
use crate::wire;

pub(crate) async fn run(command: Admin, output: Output) -> anyhow::Result<()> {
    match command {
        Admin::Workspace(command) => workspace::run(command, output).await,
        Admin::ScimToken(command) => scim_token::run(command, output).await,
        Admin::ApiToken(command) => api_token::run(command, output).await,
    }
}

/// The services, for one command.
async fn open(place: &Place) -> anyhow::Result<Engine> {
    wire::open(place, Options::one_command()).await
}

/// The workspace of this name.
async fn workspace(engine: &Engine, name: &str) -> anyhow::Result<Workspace> {
    engine.store().workspace_by_name(name).await?.ok_or_else(|| {
        anyhow::anyhow!("there is no workspace {name:?}; `latchkey admin workspace list` shows those that are")
    })
}

/// The cause of what the operator does.
fn cause(engine: &Engine) -> latchkey_access::context::Cause {
    engine.cause(Actor::Operator, engine.fresh_request_id())
}
