//! One person leaves: what they could use, the directory's one request, and what it set off.

use anyhow::{Context, ensure};
use latchkey_kernel::Timestamp;
use serde_json::{Value, json};

use super::accounts::Shared;
use super::api::{self, Access, Account, Case};
use super::entra;
use super::http::{Answer, Line, Target};
use super::story::{Story, counted, list};
use super::timeline::Timeline;
use super::watch::{Closed, Sign, Watch};

/// Who left, and what they had.
pub(super) struct Left {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) case: String,
    /// How many accounts they could use.
    pub(super) accounts: usize,
    /// When the directory's request left.
    pub(super) sent_at: Timestamp,
}

/// Shows a person's access, has the directory disable them, and shows what was cut and when.
pub(super) async fn leave(story: &mut Story, shared: &Shared) -> anyhow::Result<Left> {
    let person = &story.company.people[shared.plan.leaver];
    let (name, title) = (person.display_name.clone(), person.job_title.clone());
    let id = shared.links.people[shared.plan.leaver].clone().context("the leaver was sent")?;

    let who = title.map_or_else(|| name.clone(), |title| format!("{name} ({title})"));
    story.screen.stage(&format!("What {who} can use"))?;
    let before = show_access(story, shared, &id, &name).await?;
    let usable: Vec<&Access> = before.iter().filter(|access| access.permission.is_some()).collect();
    let proof = usable.first().context("the leaver can use something before they leave")?;
    let proof_name = account_name(shared, proof);

    story.screen.stage(&format!("The directory disables {name}"))?;
    let token = story.api.token_of(&id).await?;
    let door = Watch::start(story.api.target(), api::explain(&id, &proof.account_id), Sign::Allowed).await?;
    let own = match &token {
        Some(token) => {
            let target = Target::api(&story.world.base_url, token)?;
            Some(Watch::start(&target, "/me".to_owned(), Sign::Status200).await?)
        }
        None => None,
    };
    let mut scim = Line::new(&story.scim);
    let answer = set_active(&mut scim, &id, false).await?;
    let door = door.closed().await?;
    let own = match own {
        Some(watch) => Some(watch.closed().await?),
        None => None,
    };
    let note = "PATCH /v1/scim/v2/Users/…  {\"op\": \"Replace\", \"path\": \"active\", \"value\": \"False\"}";
    story.screen.note(note)?;

    let case = story.api.newest_case(&id).await?;
    let after = story.api.access(&id).await?;
    let reachable = after.iter().filter(|access| access.permission.is_some()).count();
    let heir = heir(story, shared, &before).await?;
    let facts = Facts {
        answer: &answer,
        case: &case,
        before: &before,
        door: &door,
        own: own.as_ref(),
        proof: &proof_name,
        ended: &teams_that_count(&before),
        heir: heir.as_deref(),
    };
    let timeline = timeline(shared, &facts);
    for line in timeline.lines() {
        story.screen.text(&line)?;
    }
    ensure!(reachable == 0, "{name} still reaches {reachable} accounts after being disabled");
    show_case(story, &case)?;
    story.screen.facts(&json!({
        "stage": "offboarding", "member": id, "name": name, "case": case.id, "state": case.state,
        "accounts_before": usable.len(), "accounts_after": reachable,
        "removed_grants": case.removed_grants.len(),
        "cut_ms": timeline.millis(case.cut_at), "answered_ms": timeline.millis(answer.answered_at),
        "first_denied_ms": timeline.millis(door.first_closed), "asked": door.asked,
        "token_refused_ms": own.as_ref().map(|own| timeline.millis(own.first_closed)),
        "rotations": rotations(&case),
        "kept": case.items.iter().filter(|item| item.decision == "keep")
            .map(|item| json!({"account": item.account_name, "rule": item.rule})).collect::<Vec<Value>>(),
        "timeline": timeline.facts(),
    }))?;
    Ok(Left { accounts: usable.len(), id, name, case: case.id, sent_at: answer.sent_at })
}

/// Reads the user and then sets `active`, as the directory's service does with whom it knows.
pub(super) async fn set_active(scim: &mut Line, id: &str, active: bool) -> anyhow::Result<Answer> {
    scim.get(&format!("/Users/{id}")).await?.expect(&[200])?;
    scim.patch(&format!("/Users/{id}"), &entra::set_active(active)).await?.expect(&[200, 204])
}

/// The name of an account, for an API that gives only its id.
pub(super) fn account_name(shared: &Shared, access: &Access) -> String {
    access.account_name.clone().unwrap_or_else(|| {
        let known = shared.logins.iter().find(|(_, id)| **id == access.account_id);
        known.map_or_else(|| access.account_id.clone(), |(name, _)| (*name).to_owned())
    })
}

async fn show_access(
    story: &mut Story,
    shared: &Shared,
    id: &str,
    name: &str,
) -> anyhow::Result<Vec<Access>> {
    let mut access = story.api.access(id).await?;
    access.sort_by_cached_key(|access| account_name(shared, access));
    let mut rows = Vec::new();
    let mut facts = Vec::new();
    for entry in &access {
        let ways: Vec<String> = entry.why.iter().map(api::way).collect();
        let permission = entry.permission.clone().unwrap_or_else(|| "nothing".to_owned());
        for (at, way) in ways.iter().enumerate() {
            rows.push(match at {
                0 => vec![account_name(shared, entry), permission.clone(), way.clone()],
                _ => vec![String::new(), String::new(), format!("and {way}")],
            });
        }
        facts.push(
            json!({"account": account_name(shared, entry), "permission": entry.permission, "why": ways}),
        );
    }
    story.screen.table(&["Account", "May", "Because"], &rows)?;
    story.screen.facts(&json!({"stage": "access", "member": id, "name": name, "accounts": facts}))?;
    Ok(access)
}

struct Facts<'a> {
    answer: &'a Answer,
    case: &'a Case,
    before: &'a [Access],
    door: &'a Closed,
    own: Option<&'a Closed>,
    /// The account that the door was watched at.
    proof: &'a str,
    /// The teams through which they could use something until then.
    ended: &'a [String],
    /// Who answers now for the account that was theirs.
    heir: Option<&'a str>,
}

/// The teams through which a member may use something now, each once.
fn teams_that_count(access: &[Access]) -> Vec<String> {
    let ways = access.iter().flat_map(|access| &access.why).filter(|why| api::counts(why));
    let mut teams: Vec<String> = ways.filter_map(|why| api::team(why).map(str::to_owned)).collect();
    teams.sort();
    teams.dedup();
    teams
}

/// Who answers for the login that the leaver answered for, if they did.
async fn heir(story: &mut Story, shared: &Shared, before: &[Access]) -> anyhow::Result<Option<String>> {
    let id = &shared.logins[shared.plan.owned];
    let owned = before.iter().filter(|access| access.account_id == *id).flat_map(|access| &access.why);
    if !owned.into_iter().any(|why| why["by"] == "owner") {
        return Ok(None);
    }
    let account: Account = story.api.read(&format!("/accounts/{id}")).await?;
    let heir = account.owner_id.and_then(|owner| {
        let at = shared.links.people.iter().position(|id| id.as_deref() == Some(owner.as_str()))?;
        Some(story.company.people[at].display_name.clone())
    });
    Ok(Some(heir.unwrap_or_else(|| "the workspace's Owners".to_owned())))
}

fn timeline(shared: &Shared, facts: &Facts<'_>) -> Timeline {
    let Facts { answer, case, before, door, own, proof, ended, heir } = *facts;
    let usable = before.iter().filter(|access| access.permission.is_some()).count();
    let mut timeline = Timeline::from(answer.sent_at);
    timeline.add(answer.sent_at, "sent", "the directory's request is sent");
    timeline.add(
        case.when("access_cut"),
        "access_cut",
        format!("access cut: {usable} accounts out of reach, by every path"),
    );
    timeline.add(
        case.when("grants_removed"),
        "grants_removed",
        format!("{} of their own removed", counted(case.removed_grants.len(), "grant")),
    );
    if !ended.is_empty() {
        let text = format!("team access ended: {} (the directory still lists them there)", list(ended));
        timeline.add(case.when("team_access_ended"), "team_access_ended", text);
    }
    if let Some(heir) = heir {
        let text = format!("{} handed over to {heir}", shared.plan.owned);
        timeline.add(case.when("accounts_handed_over"), "accounts_handed_over", text);
    }
    if own.is_some() {
        timeline.add(case.when("tokens_revoked"), "tokens_revoked", "their API token revoked");
    }
    let planned = case.rotations.len();
    timeline.add(
        case.when("rotations_planned"),
        "rotations_planned",
        format!("{} planned", counted(planned, "rotation")),
    );
    timeline.add(door.last_open, "last_allowed", format!("last “yes” to “may they use {proof}?”"));
    timeline.add(
        door.first_closed,
        "first_denied",
        format!("first “no” to the same question, asked {} times in all", door.asked),
    );
    if let Some(own) = own {
        timeline.add(own.first_closed, "token_refused", "their API token is refused: 401");
    }
    timeline.add(answer.answered_at, "answered", format!("the directory has its answer: {}", answer.status));
    timeline
}

/// Each planned rotation with the rule that asked for it, the most urgent first.
fn rotations(case: &Case) -> Vec<Value> {
    let mut rotations: Vec<_> = case.rotations.iter().collect();
    rotations.sort_by_key(|rotation| rotation.priority);
    rotations
        .iter()
        .map(|rotation| {
            let item = case.items.iter().find(|item| item.account_id == rotation.account_id);
            json!({
                "account": item.map_or(rotation.account_id.as_str(), |item| item.account_name.as_str()),
                "priority": rotation.priority,
                "rule": item.map(|item| item.rule.as_str()),
                "state": rotation.state,
            })
        })
        .collect()
}

fn show_case(story: &mut Story, case: &Case) -> anyhow::Result<()> {
    story.screen.text("")?;
    let rows: Vec<Vec<String>> = rotations(case)
        .iter()
        .map(|rotation| {
            let text = |name: &str| rotation[name].as_str().unwrap_or_default().to_owned();
            vec![
                text("account"),
                rotation["priority"].to_string(),
                text("rule").replace('_', " "),
                text("state"),
            ]
        })
        .collect();
    if rows.is_empty() {
        return story.screen.text("No password needs changing.");
    }
    story.screen.table(&["Rotation of", ">Priority", "Rule", "State"], &rows)?;
    let kept: Vec<String> = case
        .items
        .iter()
        .filter(|item| item.decision == "keep")
        .map(|item| item.account_name.clone())
        .collect();
    if !kept.is_empty() {
        let note = format!("Left as they are, since the password was never seen: {}.", list(&kept));
        story.screen.note(&note)?;
    }
    Ok(())
}
