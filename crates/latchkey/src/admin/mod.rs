//! `latchkey admin`: what somebody with a shell on the host may do, beside a running server.

mod api_token;
mod scim_token;
mod workspace;

use anyhow::Context;
use latchkey_access::Workspace;
use latchkey_engine::{Caller, Engine, workspaces};
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
pub(crate) async fn workspace(engine: &Engine, name: &str) -> anyhow::Result<Workspace> {
    workspaces::by_name(engine, name).await.with_context(|| {
        format!("cannot use the workspace {name:?}; `latchkey admin workspace list` shows those that are")
    })
}

/// The operator, who may do everything in this workspace.
pub(crate) fn operator(engine: &Engine, workspace: &Workspace) -> Caller {
    Caller::operator(workspace.id, engine.fresh_request_id())
}
