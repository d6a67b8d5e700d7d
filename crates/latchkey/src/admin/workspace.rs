//! `latchkey admin workspace`.

use latchkey_access::{Member, Role, Workspace};
use latchkey_engine::members::NewMember;
use latchkey_engine::workspaces;
use serde_json::{Value, json};

use super::{open, workspace};
use crate::cli::WorkspaceCommand;
use crate::output::{Output, table};

pub(super) async fn run(command: WorkspaceCommand, output: Output) -> anyhow::Result<()> {
    match command {
        WorkspaceCommand::Create { name, owner, place } => {
            let engine = open(&place).await?;
            let (made, owner) =
                workspaces::create(&engine, name.trim(), &somebody(&owner)?, engine.fresh_request_id()).await?;
            output.answer(&json!({ "workspace": shown(&made), "owner": who(&owner) }), || {
                format!("Workspace {} is made; its Owner is {}.", made.name, owner.user_name)
            });
            output.remark(format_args!(
                "Next: latchkey admin scim-token create --workspace {}",
                quoted(&made.name)
            ));
        }
        WorkspaceCommand::List { place } => {
            let engine = open(&place).await?;
            let all = workspaces::list(&engine).await?;
            output.answer(&json!({ "workspaces": all.iter().map(shown).collect::<Vec<_>>() }), || {
                if all.is_empty() {
                    return "There is no workspace yet: latchkey admin workspace create NAME --owner EMAIL".to_owned();
                }
                let rows: Vec<_> = all
                    .iter()
                    .map(|w| vec![w.name.clone(), w.state.to_string(), w.created_at.to_string()])
                    .collect();
                table(&["NAME", "STATE", "MADE"], &rows)
            });
        }
        WorkspaceCommand::Recover { name, owner, place } => {
            let engine = open(&place).await?;
            let found = workspace(&engine, &name).await?;
            let request_id = engine.fresh_request_id();
            let member = workspaces::recover(&engine, found.id, &somebody(&owner)?, request_id).await?;
            output.answer(&json!({ "workspace": shown(&found), "owner": who(&member) }), || {
                format!("{} is an Owner of {} now.", member.user_name, found.name)
            });
        }
    }
    Ok(())
}

fn shown(workspace: &Workspace) -> Value {
    json!({
        "id": workspace.id.to_string(),
        "name": workspace.name,
        "state": workspace.state,
        "created_at": workspace.created_at,
    })
}

fn who(member: &Member) -> Value {
    json!({ "id": member.id.to_string(), "user_name": member.user_name })
}

/// Somebody of whom only the mail address is known.
fn somebody(email: &str) -> anyhow::Result<NewMember> {
    let email = email.trim();
    let whole = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if !whole || email.len() > 254 || email.contains(char::is_whitespace) {
        anyhow::bail!("--owner {email:?} is not a mail address; write it as ida@corp.example");
    }
    Ok(NewMember {
        user_name: email.to_owned(),
        display_name: None,
        work_email: Some(email.to_owned()),
        role: Role::Owner,
    })
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_are_quoted_as_a_shell_takes_them() {
        assert_eq!(quoted("acme"), "acme");
        assert_eq!(quoted("O'Neil & Co"), r"'O'\''Neil & Co'");
    }
}
