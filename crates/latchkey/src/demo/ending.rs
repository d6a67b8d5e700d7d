//! Where to look afterwards, and what a real directory needs.

use std::path::Path;

use serde_json::json;

use super::leaver::Left;
use super::story::{Ending, Story};

/// Says where to look: while the server stays, by URL; when it leaves, by command.
pub(super) fn show(story: &mut Story, left: &Left, report: &Path, ending: Ending) -> anyhow::Result<()> {
    let world = story.world.clone();
    let data = world.data.display().to_string();
    let screen = &mut story.screen;
    match ending {
        Ending::Stay => {
            screen.stage("Look around: the server stays until Ctrl-C")?;
            screen.text(&format!("export TOKEN={}", world.api_token))?;
            let look = |what: &str, path: &str| {
                let url = format!("{}/v1/api{path}", world.base_url);
                format!("{what:13} curl -H \"Authorization: Bearer $TOKEN\" \"{url}\"")
            };
            screen.text(&look("members", "/members"))?;
            screen.text(&look("the leaver", &format!("/members/{}/access", left.id)))?;
            screen.text(&look("offboardings", "/offboardings"))?;
            screen.text(&look("the case", &format!("/offboardings/{}", left.case)))?;
            screen.text(&look("rotations", "/rotations"))?;
            screen.text(&look("requests", "/flights"))?;
            screen.text(&format!("{:13} {}/v1/api/openapi.json", "the API", world.base_url))?;
            screen.text(&format!("{:13} {}", "log in at", story.service.login_page()))?;
            screen.text(&format!("{:13} latchkey offboarding verify {}", "the report", report.display()))?;
            screen.text(&format!("{:13} latchkey audit verify --data {data}", "audit log"))?;
            screen.text("")?;
            screen.text("For a real directory (docs/how-to/entra-id.md, docs/how-to/okta.md):")?;
            screen.text(&format!("Tenant URL    {}", world.tenant_url))?;
            screen.text(&format!("Secret token  {}", world.scim_token))?;
            screen.note(
                "A directory in the cloud reaches only a public HTTPS address: see docs/how-to/run-in-production.md.",
            )?;
        }
        Ending::Leave => {
            screen.stage("That was the story")?;
            screen.text(&format!("See it again  latchkey serve --data {data}"))?;
            screen.text(&format!("The report    latchkey offboarding verify {}", report.display()))?;
            screen.text(&format!("Audit log     latchkey audit verify --data {data}"))?;
        }
    }
    screen.facts(&json!({
        "stage": "ready", "ending": if ending == Ending::Stay { "stay" } else { "leave" },
        "url": world.base_url, "workspace": world.workspace, "data": data,
        "tenant_url": world.tenant_url, "scim_token": world.scim_token, "api_token": world.api_token,
        "case": left.case,
    }))
}
