//! `latchkey admin workspace`.

use latchkey_access::Workspace;
use latchkey_engine::workspaces;
use serde_json::{Value, json};

use super::{cause, open, workspace};
use crate::cli::WorkspaceCommand;
use crate::output::{Output, table};

pub(super) async fn run(command: WorkspaceCommand, output: Output) -> anyhow::Result<()> {
    match command {
        WorkspaceCommand::Create { name, owner, place } => {
            let engine = open(&place).await?;
            let created = workspaces::create(&engine, &name, &owner, cause(&engine)).await?;
            output.answer(
                &json!({ "workspace": shown(&created.workspace), "owner": {
                    "id": created.owner.id.to_string(), "user_name": created.owner.user_name } }),
                || format!("Workspace {} is made; its Owner is {}.", created.workspace.name, created.owner.user_name),
            );
            output.remark(format_args!(
                "Next: latchkey admin scim-token create --workspace {}",
                quoted(&created.workspace.name)
            ));
        }
        WorkspaceCommand::List { place } => {
            let engine = open(&place).await?;
            let all = engine.store().workspace_list().await?;
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
            let member = workspaces::recover(&engine, found.id, &owner, cause(&engine)).await?;
            output.answer(&json!({ "workspace": shown(&found), "owner": {
                "id": member.id.to_string(), "user_name": member.user_name } }), || {
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
