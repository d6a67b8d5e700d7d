//! The leaver comes back: a valid member again, who has nothing until somebody gives it.

use anyhow::ensure;
use serde_json::{Value, json};

use super::accounts::Shared;
use super::api::{Member, Review};
use super::http::Line;
use super::leaver::{Left, account_name, set_active};
use super::story::{Story, counted, list};

/// Has the directory enable the leaver again, and shows that nothing came back.
pub(super) async fn come_back(story: &mut Story, shared: &Shared, left: &Left) -> anyhow::Result<()> {
    let Left { id, name, .. } = left;
    story.screen.stage(&format!("The directory enables {name} again"))?;
    let mut scim = Line::new(&story.scim);
    let answer = set_active(&mut scim, id, true).await?;
    let ms = answer.answered_at.since(answer.sent_at).as_millis();
    let note = format!(
        "PATCH /v1/scim/v2/Users/…  {{\"op\": \"Replace\", \"path\": \"active\", \"value\": \"True\"}}  ({} in {ms} ms)",
        answer.status
    );
    story.screen.note(&note)?;

    let member: Member = story.api.read(&format!("/members/{id}")).await?;
    let access = story.api.access(id).await?;
    let reachable = access.iter().filter(|access| access.permission.is_some()).count();
    ensure!(reachable == 0, "{name} came back and reaches {reachable} accounts at once");
    let listing = teams_listing(story, shared, &mut scim, id).await?;
    let review: Review = story.api.read(&format!("/members/{id}/review")).await?;

    story.screen.text(&format!("State             {}", member.state))?;
    story.screen.text(&format!("Accounts in reach {reachable} of {}: nothing came back", left.accounts))?;
    if !listing.is_empty() {
        story.screen.text(&format!("Teams, to SCIM    still in {}", list(&listing)))?;
    }
    let waiting: Vec<String> = access.iter().map(|access| account_name(shared, access)).collect();
    if !waiting.is_empty() {
        let note = format!("Dormant until somebody confirms the teams: {}.", list(&waiting));
        story.screen.note(&note)?;
    }
    story.screen.text(&format!(
        "The review offers {} and {} to give back, in one call:",
        counted(review.grants.len(), "grant"),
        counted(review.teams.len(), "team")
    ))?;
    story.screen.note(&format!(
        "POST /v1/api/members/{id}/review  {{\"grants\": \"all\", \"teams\": \"all\", \"reason\": \"back from leave\"}}"
    ))?;
    story.screen.facts(&json!({
        "stage": "return", "member": id, "state": member.state, "accounts_after": reachable,
        "waiting": waiting, "teams_listing_them": listing,
        "review": {"grants": review.grants.len(), "teams": review.teams.len()},
    }))
}

/// The leaver's teams that still name them as a member when the directory reads them.
async fn teams_listing(
    story: &Story,
    shared: &Shared,
    scim: &mut Line,
    id: &str,
) -> anyhow::Result<Vec<String>> {
    let mut listing = Vec::new();
    for team in &shared.plan.teams {
        let group: Value =
            scim.get(&format!("/Groups/{}", shared.links.groups[*team])).await?.expect(&[200])?.json()?;
        let members = group.get("members").and_then(Value::as_array);
        if members.is_some_and(|members| members.iter().any(|member| member["value"] == id)) {
            listing.push(story.company.groups[*team].display_name.clone());
        }
    }
    Ok(listing)
}
