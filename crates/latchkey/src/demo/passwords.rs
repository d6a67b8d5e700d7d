//! The passwords that the leaver could use or knew are changed at the real system and proven, and the
//! report of it all is written.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::accounts::Shared;
use super::api::{Case, Changing};
use super::leaver::Left;
use super::service::lets_in;
use super::story::{Story, counted, list};
use super::timeline::Timeline;
use crate::offboarding::write;

/// A dozen passwords at a service on this machine take about a second.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A password that was to change, and what became of it.
struct Changed {
    name: String,
    rotation: Changing,
    /// Seen from outside once it was over.
    old_refused: bool,
    new_works: bool,
}

/// Waits until the passwords have changed, tries old and new ones from outside, and writes the report.
/// Gives the place of the signed JSON.
pub(super) async fn change(story: &mut Story, shared: &Shared, left: &Left) -> anyhow::Result<PathBuf> {
    story.screen.stage(&format!("What {} knew stops working", left.name))?;
    let case = settled(story, left).await?;
    let all = tried(story, shared, &case).await?;
    let mut timeline = Timeline::from(left.sent_at);
    timeline.add(left.sent_at, "sent", "the directory's request was sent");
    timeline.add(case.cut_at, "access_cut", "access cut");
    for changed in &all {
        let Some(verified_at) = changed.rotation.verified_at else { continue };
        timeline.add(
            verified_at,
            "password_changed",
            format!("{}: changed at the service, the new password lets in", changed.name),
        );
        if let Some(refused_at) = changed.rotation.old_refused_at {
            let sessions = match changed.rotation.sessions_ended {
                Some(ended @ 1..) => {
                    let ended = usize::try_from(ended).unwrap_or(usize::MAX);
                    format!(", {} ended", counted(ended, "open session"))
                }
                _ => String::new(),
            };
            let text = format!("{}: the old password is refused{sessions}", changed.name);
            timeline.add(refused_at, "old_refused", text);
        }
    }
    if let Some(safe_at) = case.when_known("offboarding.closed") {
        timeline.add(safe_at, "safe", "nothing that they knew works any more: the case is closed");
    }
    for line in timeline.lines() {
        story.screen.text(&line)?;
    }
    let open: Vec<String> =
        all.iter().filter(|changed| !changed.rotation.over).map(|changed| changed.name.clone()).collect();
    if !open.is_empty() {
        let note = format!("Still under way after {} s: {}.", PATIENCE.as_secs(), list(&open));
        story.screen.note(&note)?;
    }
    let proven = all.iter().filter(|changed| changed.old_refused && changed.new_works).count();
    let note = format!(
        "Tried from outside at {}: {proven} of {} old passwords refused, and the new ones let in.",
        story.service.login_page(),
        all.len()
    );
    story.screen.note(&note)?;
    story.screen.facts(&json!({
        "stage": "passwords", "case": case.id, "state": case.state,
        "time_to_safe_ms": case.summary.get("time_to_safe_ms"),
        "passwords": all.iter().map(facts).collect::<Vec<Value>>(),
        "timeline": timeline.facts(),
    }))?;
    report(story, &case).await
}

fn facts(changed: &Changed) -> Value {
    json!({
        "account": changed.name, "state": changed.rotation.state,
        "verified_at": changed.rotation.verified_at, "old_refused_at": changed.rotation.old_refused_at,
        "sessions_ended": changed.rotation.sessions_ended,
        "old_refused": changed.old_refused, "new_works": changed.new_works,
    })
}

/// The case, once it is closed or nobody wants to wait any longer.
async fn settled(story: &mut Story, left: &Left) -> anyhow::Result<Case> {
    let began = Instant::now();
    loop {
        let case: Case = story.api.read(&format!("/offboardings/{}", left.case)).await?;
        if case.state.starts_with("complete") || began.elapsed() > PATIENCE {
            return Ok(case);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Each password of the case, tried at the service with the old value, which the demo remembers, and
/// with the new one out of the vault.
async fn tried(story: &mut Story, shared: &Shared, case: &Case) -> anyhow::Result<Vec<Changed>> {
    let rotations: Vec<Changing> = story.api.all("/rotations").await?;
    let mut line = story.service.line();
    let mut all = Vec::new();
    for rotation in rotations.into_iter().filter(|one| one.case_id.as_deref() == Some(case.id.as_str())) {
        let name = shared.logins.iter().find(|(_, id)| **id == rotation.account_id).map(|(name, _)| *name);
        let name = name.context("the case changes logins of the demo only")?;
        let (mut old_refused, mut new_works) = (false, false);
        if let Some(stored) = shared.stored.get(name).filter(|_| rotation.over) {
            let new = story.api.reveal(&rotation.account_id, &stored.secret).await?;
            ensure!(new != stored.value, "the vault still holds the old password of {name}");
            new_works = lets_in(&mut line, name, &new).await?;
            old_refused = !lets_in(&mut line, name, &stored.value).await?;
        }
        all.push(Changed { name: name.to_owned(), rotation, old_refused, new_works });
    }
    all.sort_by_key(|changed| (changed.rotation.verified_at, changed.name.clone()));
    Ok(all)
}

/// Writes the signed report, and the same as a page, into the data folder.
async fn report(story: &mut Story, case: &Case) -> anyhow::Result<PathBuf> {
    let path = format!("/offboardings/{}/report", case.id);
    let signed = story.api.look(&path).await?.expect(&[200])?;
    let page = story.api.look(&format!("{path}?format=html")).await?.expect(&[200])?;
    let told: Value = signed.json()?;
    let summary = told["report"]["summary"].as_str().context("a report has a summary")?.to_owned();
    let place = |ending: &str| story.world.data.join(format!("offboarding-{}.{ending}", case.id));
    let (json_file, html_file) = (place("json"), place("html"));
    write(&json_file, signed.bytes())?;
    write(&html_file, page.bytes())?;
    story.screen.text("")?;
    story.screen.text("The report, signed, and as a page to print:")?;
    story.screen.text(&json_file.display().to_string())?;
    story.screen.text(&html_file.display().to_string())?;
    story.screen.note(&summary)?;
    story.screen.facts(&json!({
        "stage": "report", "json": json_file, "html": html_file, "summary": summary,
    }))?;
    Ok(json_file)
}
