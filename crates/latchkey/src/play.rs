//! `latchkey demo`: starts a server on a data folder, makes a workspace in it, and lets the story
//! be played on it over HTTP, beside the practice login service at which passwords are changed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use latchkey_access::{Role, Workspace};
use latchkey_engine::members::NewMember;
use latchkey_engine::{Caller, Engine, members, tokens, workspaces};
use latchkey_practice::{self as practice, Service};
use latchkey_store::Options;
use latchkey_vault::KeySource;
use secrecy::ExposeSecret;
use tokio::sync::oneshot;

use crate::cli::{Demo, Place};
use crate::demo::{self, BadPeople, Company, Ending, World};
use crate::output::Output;
use crate::{serve, telemetry, wire};

/// The demo's workspace, and its Owner, who is no sample person.
const WORKSPACE: &str = "Demo";
const OWNER: &str = "owner@latchkey-demo.example";
/// A file that tells a demo's folder from one with real data.
const MARK: &str = "demo";

/// Ends with 2 when the people file has bad rows: nothing has been made or sent then.
pub(crate) async fn run(options: Demo, output: Output) -> anyhow::Result<ExitCode> {
    let company = match &options.people {
        Some(file) => Company::read(file),
        None => Company::sample().map_err(anyhow::Error::new),
    };
    let company = match company {
        Ok(company) => company,
        Err(error) if error.downcast_ref::<BadPeople>().is_some() => {
            anstream::eprintln!("{error:#}");
            return Ok(ExitCode::from(2));
        }
        Err(error) => return Err(error),
    };
    let data = folder(options.data)?;
    telemetry::start_log("warn", false)?;
    let metrics = telemetry::start_metrics()?;
    let _lock = serve::lock(&data)?;
    let place = Place { data: data.clone(), database_url: None, key_source: KeySource::File };
    let engine = wire::open(&place, Options::default()).await?;
    let listening = serve::listen(&engine, options.listen, None, metrics, None).await?;
    // It stands in for the systems that the shared logins are for; nothing beyond this host reaches it.
    let practice = Service::start(practice::Options::default())
        .await
        .context("the practice login service could not listen on loopback")?;
    let world = world(&engine, &listening.base_url, &practice, data).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(listening.until(async {
        // An end of the channel without a word is a stop as well.
        let _ = stopped.await;
    }));
    let story = demo::Options { company, exit: options.exit, json: output.is_json() };
    let told = tokio::select! {
        told = Box::pin(demo::run(story, world)) => told,
        () = serve::stop_signal() => Ok(Ending::Leave),
    };
    if matches!(told, Ok(Ending::Stay)) {
        serve::stop_signal().await;
    }
    drop(stop);
    server.await.context("the server ended early")??;
    told.map(|_| ExitCode::SUCCESS)
}

/// The folder that was named, if it is new or an earlier demo's; else a fresh one.
fn folder(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let data =
        named.unwrap_or_else(|| std::env::temp_dir().join(format!("latchkey-demo-{}", std::process::id())));
    let is_empty = |path: &Path| std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if data.exists() && !data.join(MARK).exists() && !is_empty(&data) {
        anyhow::bail!(
            "{} is neither empty nor an earlier demo's folder; the demo leaves real data alone: name another with --data",
            data.display()
        );
    }
    wire::make_folder(&data)?;
    std::fs::write(data.join(MARK), "This folder was made by `latchkey demo`.\n")
        .with_context(|| format!("cannot write into {}", data.display()))?;
    Ok(data)
}

async fn world(engine: &Engine, base_url: &str, practice: &Service, data: PathBuf) -> anyhow::Result<World> {
    let workspace = workspace(engine).await?;
    let by = Caller::operator(workspace.id, engine.fresh_request_id());
    let owner = members::by_login(engine, &by, OWNER).await?;
    let scim = tokens::create_scim(engine, &by, "Demo directory", None).await?;
    let scopes = tokens::scopes_of(Role::Owner);
    let api = tokens::create_api(engine, &by, owner.id, "Demo", &scopes, None).await?;
    Ok(World {
        base_url: base_url.to_owned(),
        workspace: workspace.name,
        tenant_url: serve::tenant_url(base_url),
        scim_token: scim.text.expose_secret().to_owned(),
        api_token: api.text.expose_secret().to_owned(),
        data,
        practice_url: practice.url(),
        practice_token: practice.admin_token().to_owned(),
    })
}

/// An earlier demo's workspace, or a new one.
async fn workspace(engine: &Engine) -> anyhow::Result<Workspace> {
    if let Some(workspace) = workspaces::list(engine).await?.into_iter().find(|w| w.name == WORKSPACE) {
        return Ok(workspace);
    }
    let owner = NewMember {
        user_name: OWNER.to_owned(),
        display_name: Some("Demo Owner".to_owned()),
        work_email: Some(OWNER.to_owned()),
        role: Role::Owner,
    };
    let (workspace, _) = workspaces::create(engine, WORKSPACE, &owner, engine.fresh_request_id()).await?;
    Ok(workspace)
}
