//! Sends a company as Entra ID's provisioning service does: each user looked up and then created,
//! managers on a second pass, then the groups, created empty and filled by PATCH.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use latchkey_kernel::{Entropy, OsEntropy};
use serde_json::Value;
use tokio::task::JoinSet;

use super::entra;
use super::http::{Answer, Line, Target};
use super::people::Company;
use crate::progress::{Bar, Progress};

/// Connections at a time. The service's own number is not published; a target should bear more.
const LINES: usize = 8;

/// The directory's links: which id in Latchkey stands for which person and group.
#[derive(Debug)]
pub(super) struct Links {
    /// By index of [`Company::people`]; `None` was not sent.
    pub(super) people: Vec<Option<String>>,
    /// By index of [`Company::groups`].
    pub(super) groups: Vec<String>,
}

/// One pass over people or groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    pub(super) count: usize,
    pub(super) took: Duration,
}

/// What was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) links: Links,
    /// The look-up for a random GUID that *Test Connection* makes.
    pub(super) test: Answer,
    pub(super) probe: String,
    pub(super) people: Pass,
    /// Found rather than created, because the data folder knew them.
    pub(super) matched: usize,
    /// Disabled in the directory before they were ever sent: a directory skips them.
    pub(super) skipped: usize,
    pub(super) managers: Pass,
    pub(super) groups: Pass,
    pub(super) memberships: usize,
    pub(super) requests: u64,
    pub(super) connections: usize,
}

/// Sends all people and groups.
pub(super) async fn send(
    target: &Arc<Target>,
    company: &Arc<Company>,
    progress: Progress,
) -> anyhow::Result<Sent> {
    let probe = entra::guid((&OsEntropy as &dyn Entropy).bytes());
    let test = Line::new(target).get(&entra::find_user(&probe)).await?.expect(&[200])?;
    let found: Value = test.json()?;
    ensure!(found["totalResults"] == 0, "a random GUID found somebody: {found}");

    let job = Arc::new(Job {
        target: Arc::clone(target),
        company: Arc::clone(company),
        requests: AtomicU64::new(1),
        matched: AtomicUsize::new(0),
    });
    let active: Vec<usize> = (0..company.people.len()).filter(|at| company.people[*at].active).collect();
    let skipped = company.people.len() - active.len();

    let bar = progress.bar("People", active.len());
    let (made, people) = job.pass(Step::User, active, &Links::none(company), bar).await?;
    let mut links = Links::none(company);
    for (at, id) in made {
        links.people[at] = Some(id);
    }

    let led: Vec<usize> = (0..company.people.len())
        .filter(|at| links.people[*at].is_some())
        .filter(|at| company.people[*at].manager.is_some_and(|manager| links.people[manager].is_some()))
        .collect();
    let bar = progress.bar("Managers", led.len());
    let (_, managers) = job.pass(Step::Manager, led, &links, bar).await?;

    let bar = progress.bar("Teams", company.groups.len());
    let (made, groups) = job.pass(Step::Group, (0..company.groups.len()).collect(), &links, bar).await?;
    for (at, id) in made {
        links.groups[at] = id;
    }
    let memberships = company
        .groups
        .iter()
        .map(|group| group.members.iter().filter(|at| links.people[**at].is_some()).count())
        .sum();
    Ok(Sent {
        links,
        test,
        probe,
        people,
        matched: job.matched.load(Ordering::Relaxed),
        skipped,
        managers,
        groups,
        memberships,
        requests: job.requests.load(Ordering::Relaxed),
        connections: LINES,
    })
}

impl Links {
    fn none(company: &Company) -> Self {
        Self { people: vec![None; company.people.len()], groups: vec![String::new(); company.groups.len()] }
    }
}

/// What is done with each index of a pass.
#[derive(Debug, Clone, Copy)]
enum Step {
    User,
    Manager,
    Group,
}

struct Job {
    target: Arc<Target>,
    company: Arc<Company>,
    requests: AtomicU64,
    matched: AtomicUsize,
}

impl Job {
    /// Does one step for each of `todo`, over several connections; gives the id that each has.
    /// The first that fails ends the pass.
    async fn pass(
        self: &Arc<Self>,
        step: Step,
        todo: Vec<usize>,
        links: &Links,
        bar: Bar,
    ) -> anyhow::Result<(Vec<(usize, String)>, Pass)> {
        let began = Instant::now();
        let count = todo.len();
        let todo = Arc::new(todo);
        let next = Arc::new(AtomicUsize::new(0));
        let people = Arc::new(links.people.clone());
        let mut lines = JoinSet::new();
        for _ in 0..LINES.min(count) {
            let (job, todo, next, people, bar) =
                (Arc::clone(self), Arc::clone(&todo), Arc::clone(&next), Arc::clone(&people), bar.clone());
            lines.spawn(async move {
                let mut line = Line::new(&job.target);
                let mut made = Vec::new();
                while let Some(at) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let id = match step {
                        Step::User => job.user(&mut line, *at).await,
                        Step::Manager => job.manager(&mut line, *at, &people).await,
                        Step::Group => job.group(&mut line, *at, &people).await,
                    }?;
                    made.push((*at, id));
                    bar.step();
                }
                anyhow::Ok(made)
            });
        }
        let mut made = Vec::with_capacity(count);
        while let Some(line) = lines.join_next().await {
            made.extend(line.context("a connection of the demo broke down")??);
        }
        bar.finish();
        Ok((made, Pass { count, took: began.elapsed() }))
    }

    fn count(&self, requests: u64) {
        self.requests.fetch_add(requests, Ordering::Relaxed);
    }

    async fn user(&self, line: &mut Line, at: usize) -> anyhow::Result<String> {
        let person = &self.company.people[at];
        self.count(1);
        let found: Value = line.get(&entra::find_user(&person.user_name)).await?.expect(&[200])?.json()?;
        if let Some(id) = first_id(&found) {
            self.matched.fetch_add(1, Ordering::Relaxed);
            // Whom a demo left disabled when it was broken off, the directory has enabled.
            if found.pointer("/Resources/0/active") == Some(&Value::Bool(false)) {
                self.count(1);
                line.patch(&format!("/Users/{id}"), &entra::set_active(true)).await?.expect(&[200, 204])?;
            }
            return Ok(id);
        }
        self.count(1);
        line.post("/Users", &entra::user(person)).await?.expect(&[201])?.id()
    }

    async fn manager(&self, line: &mut Line, at: usize, people: &[Option<String>]) -> anyhow::Result<String> {
        let id = people[at].clone().context("only people who were sent get a manager")?;
        let manager = self.company.people[at].manager.and_then(|manager| people[manager].as_deref());
        let manager = manager.context("only managers who were sent are set")?;
        self.count(1);
        line.patch(&format!("/Users/{id}"), &entra::set_manager(manager)).await?.expect(&[200, 204])?;
        Ok(id)
    }

    async fn group(&self, line: &mut Line, at: usize, people: &[Option<String>]) -> anyhow::Result<String> {
        let group = &self.company.groups[at];
        self.count(1);
        let found: Value = line.get(&entra::find_group(&group.display_name)).await?.expect(&[200])?.json()?;
        let id = match first_id(&found) {
            Some(id) => id,
            None => {
                self.count(1);
                line.post("/Groups", &entra::group(group)).await?.expect(&[201])?.id()?
            }
        };
        let members: Vec<&str> = group.members.iter().filter_map(|at| people[*at].as_deref()).collect();
        for batch in members.chunks(entra::MEMBERS_AT_ONCE) {
            self.count(1);
            line.patch(&format!("/Groups/{id}"), &entra::add_members(batch)).await?.expect(&[200, 204])?;
        }
        Ok(id)
    }
}

/// The id of the one resource that a look-up found.
fn first_id(list: &Value) -> Option<String> {
    list.pointer("/Resources/0/id").and_then(Value::as_str).map(str::to_owned)
}
