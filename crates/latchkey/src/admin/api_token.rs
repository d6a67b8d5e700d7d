//! `latchkey admin api-token`.

use std::time::Duration;

use latchkey_engine::{tokens, workspaces};

use super::scim_token::print;
use super::{cause, open, workspace};
use crate::cli::ApiToken;
use crate::output::Output;

pub(super) async fn run(command: ApiToken, output: Output) -> anyhow::Result<()> {
    let ApiToken::Create { workspace: name, member, name: called, scopes, days, place } = command;
    let engine = open(&place).await?;
    let found = workspace(&engine, &name).await?;
    let member = workspaces::member_by_login(&engine, found.id, &member).await?;
    let scopes = if scopes.is_empty() { tokens::scopes_of(member.role) } else { scopes };
    let valid_for = days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3_600));
    let issued =
        tokens::create_api(&engine, found.id, member.id, &called, &scopes, valid_for, cause(&engine)).await?;
    print(&issued, output);
    output.remark("Keep it now: it cannot be shown again.");
    Ok(())
}
