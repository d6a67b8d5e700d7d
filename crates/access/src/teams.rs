//! Teams are made, renamed and removed.

use latchkey_kernel::id::AccountId;
use serde_json::json;

use crate::account::Account;
use crate::attributes;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::outbox::OutboxEvent;
use crate::refusal::{Refusal, kept_by};
use crate::team::Team;

/// Makes a team. Its origin must be that of who asks.
pub fn create(team: Team, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(team.workspace_id);
    let detail = json!({ "display_name": team.display_name, "external_id": team.external_id });
    changes.note((cause, ids), "team.created", ("team", &team.id), detail);
    changes.push(Change::TeamInsert(team));
    changes
}

/// Writes a team's attributes; nothing changed is an empty change set.
///
/// # Errors
/// When the other side keeps the team (I15).
pub fn update(before: &Team, after: Team, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    let mut changes = ChangeSet::new(before.workspace_id);
    let after = Team {
        workspace_id: before.workspace_id,
        id: before.id,
        origin: before.origin,
        version: before.version.next(),
        created_at: before.created_at,
        modified_at: cause.now,
        ..after
    };
    let columns = |team: &Team| json!({ "display_name": team.display_name, "external_id": team.external_id });
    let names = attributes::changed(&before.resource, &after.resource);
    let same_columns = before.display_name == after.display_name && before.external_id == after.external_id;
    if names.is_empty() && same_columns && before.resource == after.resource {
        return Ok(changes);
    }
    kept_by(before.origin, cause.actor, "team")?;
    let detail = json!({ "changed": names, "before": columns(before), "after": columns(&after) });
    changes.push(Change::TeamUpdate { team: after, expect: before.version });
    changes.note((cause, ids), "team.updated", ("team", &before.id), detail);
    Ok(changes)
}

/// Removes a team with its memberships and grants.
///
/// Its members are still members, and a removal by mistake is common, so no password changes by
/// itself: Owners get one notice that names the privileged accounts among `reached`, which are
/// those that the team's grants reach. Without any (or with an empty slice) there is no notice.
///
/// # Errors
/// When the other side keeps the team (I15).
pub fn delete(team: &Team, reached: &[Account], cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    kept_by(team.origin, cause.actor, "team")?;
    let mut changes = ChangeSet::new(team.workspace_id);
    changes.push(Change::TeamDelete { team_id: team.id, expect: team.version });
    let privileged: Vec<AccountId> =
        reached.iter().filter(|account| account.is_privileged()).map(|account| account.id).collect();
    let detail = json!({ "display_name": team.display_name, "privileged_accounts": privileged });
    if !privileged.is_empty() {
        let notice = OutboxEvent::notice(
            team.workspace_id,
            format!("team_deleted:{}", team.id),
            json!({ "notice": "team_deleted", "team": team.id, "display_name": team.display_name,
                "privileged_accounts": privileged }),
            (cause, ids),
        );
        changes.push(Change::OutboxInsert(notice));
    }
    changes.note((cause, ids), "team.deleted", ("team", &team.id), detail);
    Ok(changes)
}
