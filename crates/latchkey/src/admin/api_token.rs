//! `latchkey admin api-token`.

use std::time::Duration;

use latchkey_engine::{members, tokens};

use super::scim_token::print;
use super::{open, operator, workspace};
use crate::cli::ApiToken;
use crate::output::Output;

pub(super) async fn run(command: ApiToken, output: Output) -> anyhow::Result<()> {
    let ApiToken::Create { workspace: name, member, name: called, scopes, days, place } = command;
    let engine = open(&place).await?;
    let found = workspace(&engine, &name).await?;
    let member = members::by_login(&engine, &operator(&engine, &found), &member).await?;
    let scopes = if scopes.is_empty() { tokens::scopes_of(member.role) } else { scopes };
    let valid_for = days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3_600));
    let issued =
        tokens::create_api(&engine, &operator(&engine, &found), member.id, &called, &scopes, valid_for).await?;
    print(&issued, output);
    output.remark("Keep it now: it cannot be shown again.");
    Ok(())
}
