//! `latchkey provision`: a provisioning job from a file, at the command line.

mod check;
mod explain;
mod look;
mod open;
mod options;
mod preview;
mod run;
mod schema;
mod templates;
mod told;
mod turn;

use std::process::ExitCode;

pub(crate) use options::Provision;

use crate::output::Output;

pub(crate) async fn run(command: Provision, output: Output) -> anyhow::Result<ExitCode> {
    match command {
        Provision::Run(options) => Box::pin(run::run(*options, output)).await,
        Provision::Watch(options) => Box::pin(run::watch(*options, output)).await,
        Provision::Preview(options) => Box::pin(preview::run(*options, output)).await,
        Provision::OnDemand(options) => Box::pin(run::on_demand(*options, output)).await,
        Provision::TestConnection(options) => Box::pin(look::test_connection(*options, output)).await,
        Provision::Status(options) => Box::pin(look::status(*options, output)).await,
        Provision::Logs(options) => Box::pin(look::logs(*options, output)).await,
        Provision::Undo(options) => Box::pin(run::undo(*options, output)).await,
        Provision::AllowDeletes(options) => Box::pin(turn::allow_deletes(*options, output)).await,
        Provision::Restart(options) => Box::pin(turn::restart(*options, output)).await,
        Provision::Pause(options) => Box::pin(turn::pause(*options, output)).await,
        Provision::Start(options) => Box::pin(turn::start(*options, output)).await,
        Provision::Expression(options) => Box::pin(explain::expression(*options, output)).await,
        Provision::Templates(options) => templates::templates(&options, output),
        Provision::New(options) => templates::new(&options, output),
        Provision::Lint(options) => check::lint(&options, output),
        Provision::Schema(command) => schema::run(command, output),
        Provision::Functions { name } => explain::functions(name.as_deref(), output),
    }
}
