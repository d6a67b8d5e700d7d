//! The demo's stages, in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use super::api::{Api, Member, Team};
use super::http::Target;
use super::people::Company;
use super::provision::{self, Pass, Sent};
use super::screen::Screen;
use super::service::Service;
use super::{accounts, ending, leaver, passwords, returner, sharing};
use crate::progress::Progress;

/// How the demo is to be played.
#[derive(Debug)]
pub(crate) struct Options {
    /// The people and groups to send, already read and checked.
    pub(crate) company: Company,
    /// End after the story instead of leaving the server running.
    pub(crate) exit: bool,
    /// One JSON object for each stage on standard output, and nothing else there.
    pub(crate) json: bool,
}

/// The listening server that it is played on.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Where the server listens, as `http://127.0.0.1:8080`.
    pub(crate) base_url: String,
    /// The name of the workspace.
    pub(crate) workspace: String,
    /// What a directory is given as its Tenant URL.
    pub(crate) tenant_url: String,
    pub(crate) scim_token: String,
    /// An Owner's, with every scope.
    pub(crate) api_token: String,
    /// Where the server keeps its data.
    pub(crate) data: PathBuf,
    /// Where the practice login service listens, as `http://127.0.0.1:8081`.
    pub(crate) practice_url: String,
    /// The token of its admin.
    pub(crate) practice_token: String,
}

/// What the caller does when the story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Keeps the server running until somebody stops it.
    Stay,
    /// Stops the server.
    Leave,
}

/// What the stages share.
pub(super) struct Story {
    pub(super) world: World,
    pub(super) screen: Screen,
    pub(super) company: Arc<Company>,
    pub(super) scim: Arc<Target>,
    pub(super) api: Api,
    /// Where the shared logins work.
    pub(super) service: Service,
}

/// Plays the demo on a listening server.
///
/// # Errors
/// When a request fails that should not, or standard output is closed.
pub(crate) async fn run(options: Options, world: World) -> anyhow::Result<Ending> {
    let plan = sharing::plan(&options.company)
        .context("nobody of this company is active, so nobody can be sent, share or leave")?;
    let mut story = Story {
        screen: Screen::new(options.json),
        scim: Target::scim(&world.base_url, &world.scim_token)?,
        api: Api::new(&Target::api(&world.base_url, &world.api_token)?),
        service: Service::new(&world.practice_url, &world.practice_token)?,
        company: Arc::new(options.company),
        world,
    };
    story.opening()?;
    let sent = story.directory().await?;
    story.members().await?;
    let shared = accounts::share(&mut story, plan, sent.links).await?;
    let left = leaver::leave(&mut story, &shared).await?;
    let report = passwords::change(&mut story, &shared, &left).await?;
    returner::come_back(&mut story, &shared, &left).await?;
    let ending = if options.exit { Ending::Leave } else { Ending::Stay };
    ending::show(&mut story, &left, &report, ending)?;
    Ok(ending)
}

impl Story {
    fn opening(&mut self) -> anyhow::Result<()> {
        self.screen.title("Latchkey: from the directory to locked out")?;
        let note = format!(
            "Real requests over HTTP to {}, real data in {}.",
            self.world.base_url,
            self.world.data.display()
        );
        self.screen.note(&note)?;
        if !self.company.ignored.is_empty() {
            let note = format!("Columns that mean nothing here: {}.", self.company.ignored.join(", "));
            self.screen.note(&note)?;
        }
        Ok(())
    }

    async fn directory(&mut self) -> anyhow::Result<Sent> {
        self.screen.stage("The directory sends its people")?;
        self.screen.note("What Entra ID's provisioning service sends, in its order and shape.")?;
        let progress = if self.screen.for_machines() { Progress::Hidden } else { Progress::Shown };
        let sent = provision::send(&self.scim, &self.company, progress).await?;
        let test_ms = sent.test.answered_at.since(sent.test.sent_at).as_millis();
        let row = |name: &str, pass: &Pass, text: String| {
            vec![name.to_owned(), pass.count.to_string(), text, seconds(pass.took)]
        };
        let people = match sent.matched {
            0 => "each looked up, then created".to_owned(),
            matched => format!("each looked up; {matched} were here already, the others created"),
        };
        let rows = vec![
            vec![
                "Test Connection".to_owned(),
                String::new(),
                "a random GUID is looked up: 200, and nobody".to_owned(),
                format!("{test_ms} ms"),
            ],
            row("People", &sent.people, people),
            row("Managers", &sent.managers, "set on a second pass".to_owned()),
            row("Teams", &sent.groups, format!("created empty, then {} members added", sent.memberships)),
        ];
        self.screen.table(&["Step", ">Count", "How", ">Took"], &rows)?;
        if sent.skipped > 0 {
            let note = format!(
                "{} disabled in the directory and never sent before: skipped, as Entra does.",
                sent.skipped
            );
            self.screen.note(&note)?;
        }
        let total = sent.people.took + sent.managers.took + sent.groups.took;
        let note = format!(
            "{} requests over {} connections in {}.",
            sent.requests,
            sent.connections,
            seconds(total)
        );
        self.screen.note(&note)?;
        self.screen.facts(&json!({
            "stage": "directory", "workspace": self.world.workspace, "probe": sent.probe,
            "people_sent": sent.people.count, "people_found": sent.matched, "people_skipped": sent.skipped,
            "managers_set": sent.managers.count, "groups_sent": sent.groups.count,
            "memberships_sent": sent.memberships, "requests": sent.requests,
            "seconds": total.as_secs_f64(),
        }))?;
        Ok(sent)
    }

    async fn members(&mut self) -> anyhow::Result<()> {
        self.screen.stage("They are members and teams")?;
        let members: Vec<Member> = self.api.all("/members").await?;
        let teams: Vec<Team> = self.api.all("/teams").await?;
        let active = members.iter().filter(|member| member.state == "active").count();
        let shown = members.iter().filter(|member| member.role != "owner").take(6);
        let rows: Vec<Vec<String>> = shown
            .map(|m| vec![m.display_name.clone(), m.user_name.clone(), m.role.clone(), m.state.clone()])
            .collect();
        self.screen.table(&["Member", "Signs in as", "Role", "State"], &rows)?;
        let note = format!("… {} members in all, {active} of them active.", members.len());
        self.screen.note(&note)?;
        self.screen.text("")?;
        let mut rows = Vec::new();
        let mut facts = Vec::new();
        for team in &teams {
            let count = self.api.all::<Value>(&format!("/teams/{}/members", team.id)).await?.len();
            facts.push(json!({"name": team.display_name, "members": count}));
            if rows.len() < 12 {
                rows.push(vec![team.display_name.clone(), count.to_string()]);
            }
        }
        self.screen.table(&["Team", ">Members"], &rows)?;
        if teams.len() > rows.len() {
            let note = format!("… {} teams in all.", teams.len());
            self.screen.note(&note)?;
        }
        self.screen.facts(&json!({
            "stage": "members", "members": members.len(), "active": active, "teams": facts,
        }))
    }
}

/// `no grants`, `one grant`, `2 grants`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("one {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// `a, b and c`.
pub(super) fn list(words: &[String]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}
