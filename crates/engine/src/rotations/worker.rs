//! The worker of a node: it takes rotations up, performs what is next, and writes each state before
//! the act that it announces and after what came of it.

use std::sync::Arc;
use std::time::Duration;

use latchkey_access::rotation::{RotationRow, RotationStep, TaskState};
use latchkey_access::secret::VersionState;
use latchkey_access::{Actor, ChangeSet, RotationChange};
use latchkey_kernel::id::{RotationId, WorkspaceId};
use latchkey_rotation::{
    Act, ActOutcome, Class, Conditions, Follow, Job, State, begin, fold, next_act, take_up,
};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::act::{self, Done};
use super::hands::{Hands, Held, Keep, With};
use super::plan::{jitter, take_events, take_schedules};
use super::row::job_of;
use super::scene::{Scene, slot_of};
use super::{cases, pictures, tasks};
use crate::secrets;
use crate::{Engine, Error, error_chain};

/// How often schedules, reminders and cases are looked at.
const ROUND: Duration = Duration::from_secs(5);
/// How long a rotation is left alone that could not be worked on for a reason of our own.
const AFTER_OUR_FAULT: Duration = Duration::from_secs(30);

/// Works until told to stop; then what is under way ends its act, and the rest waits for others.
pub(crate) async fn serve(engine: Engine, mut stopped: watch::Receiver<bool>) {
    let hands = Arc::new(Hands::of_server());
    if engine.store().has_one_server() {
        // Whatever a server had is a dead one's.
        if let Err(error) = engine.store().rotation_free(&hands.name).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "rotations of the last run wait for their leases"
            );
        }
    }
    let mut running = JoinSet::new();
    let mut round_at = Instant::now();
    while !*stopped.borrow() {
        let mut found = take_events(&engine).await;
        if Instant::now() >= round_at {
            round_at = Instant::now() + ROUND;
            found = found.and(round(&engine).await);
        }
        if let Err(error) = found {
            tracing::warn!(error = error_chain(&error), "what asks for rotations could not be read");
        }
        while running.len() < engine.pace_of_rotations().at_once {
            match take(&engine, &hands).await {
                Ok(Some(row)) => {
                    let (engine, hands, stopped) = (engine.clone(), Arc::clone(&hands), stopped.clone());
                    running.spawn(async move { drive(&engine, &hands, row, &stopped).await });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "rotations could not be taken up");
                    break;
                }
            }
        }
        tokio::select! {
            _ = stopped.changed() => {}
            Some(_) = running.join_next() => {}
            () = tokio::time::sleep(engine.pace_of_rotations().idle) => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// What is looked at now and then.
async fn round(engine: &Engine) -> Result<usize, Error> {
    let due = take_schedules(engine).await?;
    tasks::remind(engine).await?;
    cases::close_settled(engine).await?;
    Ok(due)
}

async fn take(engine: &Engine, hands: &Hands) -> Result<Option<RotationRow>, Error> {
    let now = engine.now();
    // A look costs less than a try to write.
    if engine.store().rotation_next_due().await?.is_none_or(|due| due > now) {
        return Ok(None);
    }
    let until = now.plus(engine.pace_of_rotations().lease);
    Ok(engine.store().rotation_take(now, until, &hands.name).await?)
}

/// Works on what is due now, one after the other, until nothing is: for commands and tests.
///
/// # Errors
/// When the database fails.
pub async fn work_off(engine: &Engine, hands: &Hands) -> Result<usize, Error> {
    let (_stop, stopped) = watch::channel(false);
    let mut count = 0;
    loop {
        take_events(engine).await?;
        round(engine).await?;
        let Some(row) = take(engine, hands).await? else { return Ok(count) };
        drive(engine, hands, row, &stopped).await;
        count += 1;
    }
}

/// Works on this rotation if nobody else has it and it is due; false if not.
///
/// # Errors
/// When the database fails.
pub async fn work_on(engine: &Engine, hands: &Hands, key: (WorkspaceId, RotationId)) -> Result<bool, Error> {
    let (_stop, stopped) = watch::channel(false);
    let now = engine.now();
    let until = now.plus(engine.pace_of_rotations().lease);
    let Some(row) = engine.store().rotation_take_this(key, now, until, &hands.name).await? else {
        return Ok(false);
    };
    drive(engine, hands, row, &stopped).await;
    Ok(true)
}

/// Goes on with a rotation until it waits, is over or is lost to another worker.
async fn drive(engine: &Engine, hands: &Hands, row: RotationRow, stopped: &watch::Receiver<bool>) {
    let (workspace, id, account) = (row.workspace_id, row.id, row.account_id);
    let job = match job_of(&row) {
        Ok(job) => job,
        Err(error) => {
            tracing::error!(%workspace, rotation = %id, error = error_chain(&error), "a rotation does not read");
            return;
        }
    };
    let until = engine.now().plus(engine.pace_of_rotations().lease);
    let mut held = Held { row, job, until };
    if let Err(error) = go_on(engine, hands, &mut held, stopped).await {
        tracing::warn!(%workspace, rotation = %id, %account, error = error_chain(&error), "a rotation could not go on");
        let job = held.job.clone();
        let later = engine.now().plus(AFTER_OUR_FAULT);
        if let Err(error) = held.write(engine, job, Keep::Until(later), With::default()).await {
            tracing::warn!(rotation = %id, error = error_chain(&error), "it waits for its lease to end");
        }
    }
    if held.job.state.is_over()
        && let Err(error) = cases::after_end(engine, &held.row, &held.job).await
    {
        tracing::warn!(rotation = %id, error = error_chain(&error), "the end of a rotation waits for the next round");
    }
}

async fn go_on(
    engine: &Engine,
    hands: &Hands,
    held: &mut Held,
    stopped: &watch::Receiver<bool>,
) -> Result<(), Error> {
    let Some(scene) = Scene::load_for(engine, &held.job).await? else {
        let mut job = held.job.clone();
        job.state = State::Abandoned;
        job.ended_at = Some(engine.now());
        let with = With {
            said: vec![("rotation.abandoned", json!({ "why": "the account is gone" }))],
            ..With::default()
        };
        held.write(engine, job, Keep::On, with).await?;
        return Ok(());
    };
    let mut scene = scene;
    held.row.connector_id = scene.connector.as_ref().map(|connector| connector.id);
    let job = take_up(held.job.clone(), &scene.facts(held.job.reason), engine.now());
    if job.state.is_over() {
        end(engine, &scene, held, job).await?;
        return Ok(());
    }
    held.job = job;
    loop {
        let now = engine.now();
        let paused = scene.connector.as_ref().is_some_and(|connector| connector.paused.is_some());
        let mut conditions = Conditions { now, paused, host_rests_until: None };
        let mut act = next_act(&held.job, &conditions);
        let host =
            scene.connector.as_ref().map(|connector| connector.host.clone()).filter(|_| act.is_at_target());
        if let Some(Err(until)) = host.as_ref().map(|host| hands.ask(host, now)) {
            conditions.host_rests_until = Some(until);
            act = next_act(&held.job, &conditions);
        }
        let due = match act {
            Act::Nothing => Some(now),
            Act::Wait(at) => Some(at),
            _ if *stopped.borrow() => Some(now),
            _ => None,
        };
        if let Some(due) = due {
            held.write(engine, held.job.clone(), Keep::Until(due), With::default()).await?;
            return Ok(());
        }
        let begun = begin(held.job.clone(), &act, now);
        if begun != held.job && !held.write(engine, begun, Keep::On, With::default()).await? {
            return Ok(());
        }
        // Whoever was stopped between the writing and the act must not act on what another has by now.
        if engine.now().plus(engine.pace_of_rotations().lease / 3) > held.until && !held.renew(engine).await?
        {
            return Ok(());
        }
        let refused = held.job.rejected.len();
        let started = Instant::now();
        let cause = engine.cause(Actor::System, engine.fresh_request_id());
        let done = match act {
            Act::Stage { refused } => act::stage(engine, &scene, &held.job, refused, &cause).await?,
            Act::Commit { version } => act::commit(engine, &scene, &held.job, version, &cause).await?,
            Act::OpenTask(kind) => tasks::opened(engine, &scene, &held.job, kind, &cause),
            _ => act::at_target(engine, &scene, held, act).await?,
        };
        if let Some(host) = host {
            hands.told(&host, !is_silence(&done.outcome), engine.now());
        }
        if !keep(engine, &scene, held, &act, done, started.elapsed()).await? || held.job.state.is_over() {
            return Ok(());
        }
        if !act.is_at_target() || held.job.rejected.len() != refused {
            let reloaded = Scene::load_for(engine, &held.job).await?;
            let Some(reloaded) = reloaded else { return Ok(()) };
            scene = reloaded;
        }
    }
}

fn is_silence(outcome: &ActOutcome) -> bool {
    let failure = match outcome {
        ActOutcome::Changed(Err(failure))
        | ActOutcome::LoggedIn { verdict: Err(failure), .. }
        | ActOutcome::SessionsEnded(Err(failure)) => failure,
        _ => return false,
    };
    failure.class == Class::Transient
}

/// Folds what came of an act into the job, and writes it with all that belongs to it.
async fn keep(
    engine: &Engine,
    scene: &Scene,
    held: &mut Held,
    act: &Act,
    done: Done,
    took: Duration,
) -> Result<bool, Error> {
    let now = engine.now();
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    let before = held.job.clone();
    let number = held.row.version.next().0;
    let (job, follows) = fold(before.clone(), &done.outcome, now, jitter(engine.entropy()));
    let mut with = With {
        step: Some(RotationStep {
            rotation_id: job.id,
            number,
            at: now,
            act: act.as_str().to_owned(),
            outcome: done.told,
            state: job.state.as_str().to_owned(),
            micros: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
        }),
        changes: done.changes,
        said: Vec::new(),
    };
    if let Some(taken) = &done.picture {
        match pictures::kept(engine, &job, number, taken).await? {
            Some(changes) => with.changes.push(changes),
            None => {
                tracing::warn!(rotation = %job.id, ?taken, "the picture of a failing step is too large to keep")
            }
        }
    }
    for version in job.rejected.iter().filter(|version| !before.rejected.contains(version)) {
        give_up(engine, scene, &job, *version, &mut with).await?;
    }
    with.changes.extend(followed(engine, scene, &job, &follows, &cause));
    if let Some(failure) = failure_of(&follows) {
        with.said.push(("connector.paused", json!({ "why": failure })));
    }
    if matches!(done.outcome, ActOutcome::Committed) {
        with.changes.extend(cases::tell_dependents(engine, scene, &job, &cause).await?);
        with.said
            .push(("rotation.committed", json!({ "version": job.staged, "verified_at": job.verified_at })));
    }
    if job.state.is_over() {
        return finish(engine, scene, held, job, with).await;
    }
    let told = with.step.as_ref().map(|step| step.outcome.as_str());
    tracing::debug!(rotation = %job.id, account = %job.account_id, act = act.as_str(), outcome = told, state = %job.state, "rotation");
    held.write(engine, job, Keep::On, with).await
}

fn failure_of(follows: &[Follow]) -> Option<&str> {
    follows.iter().find_map(|follow| match follow {
        Follow::PauseConnector { message } => Some(message.as_str()),
        Follow::CloseTask => None,
    })
}

fn followed(
    engine: &Engine,
    scene: &Scene,
    job: &Job,
    follows: &[Follow],
    cause: &latchkey_access::context::Cause,
) -> Vec<ChangeSet> {
    let mut sets = Vec::new();
    for follow in follows {
        let mut set = ChangeSet::new(job.workspace_id);
        match follow {
            Follow::PauseConnector { message } => {
                let Some(connector) = &scene.connector else { continue };
                let connector_id = connector.id;
                let pause =
                    RotationChange::ConnectorPause { connector_id, reason: message.clone(), at: cause.now };
                set.push(pause.into());
                let key = format!("connector_paused:{connector_id}:{}", connector.version.0);
                let told = json!({ "notice": "connector_paused", "connector": connector_id, "name": connector.name,
                    "why": message });
                let ids = engine.ids(cause);
                set.push(latchkey_access::rotations::notice(job.workspace_id, key, told, cause, ids));
            }
            Follow::CloseTask => {
                let state = if job.state == State::Done { TaskState::Done } else { TaskState::Moot };
                set.push(RotationChange::TaskCloseOf { rotation_id: job.id, state, at: cause.now }.into());
            }
        }
        sets.push(set);
    }
    sets
}

/// A job that ended when it was taken up.
async fn end(engine: &Engine, scene: &Scene, held: &mut Held, job: Job) -> Result<bool, Error> {
    finish(engine, scene, held, job, With::default()).await
}

/// Writes a job that is over.
async fn finish(
    engine: &Engine,
    scene: &Scene,
    held: &mut Held,
    job: Job,
    mut with: With,
) -> Result<bool, Error> {
    if let Some(version) = job.staged.filter(|_| job.committed_at.is_none()) {
        give_up(engine, scene, &job, version, &mut with).await?;
    }
    with.said.push(ended(&job));
    held.write(engine, job, Keep::On, with).await
}

/// A pending version that is not to be used is retired, and its value kept.
async fn give_up(
    engine: &Engine,
    scene: &Scene,
    job: &Job,
    version: i64,
    with: &mut With,
) -> Result<(), Error> {
    if scene.in_state(VersionState::Pending) == Some(version) {
        let cause = engine.cause(Actor::System, engine.fresh_request_id());
        let slot = slot_of(job);
        with.changes.push(secrets::abandoned(engine, job.workspace_id, slot, version, &cause).await?);
    }
    Ok(())
}

/// What the audit log says of a rotation that is over.
pub(crate) fn ended(job: &Job) -> (&'static str, serde_json::Value) {
    let action = match job.state {
        State::Done => "rotation.done",
        State::RolledBack => "rotation.rolled_back",
        State::Superseded => "rotation.superseded",
        State::Waived => "rotation.waived",
        _ => "rotation.abandoned",
    };
    let detail = json!({ "reason": job.reason, "state": job.state, "version": job.staged,
        "verified_at": job.verified_at, "old_refused_at": job.old_refused_at,
        "sessions_ended": job.sessions_ended, "exceptions": job.exceptions });
    (action, detail)
}
