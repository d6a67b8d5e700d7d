//! Workspace keys opened by the recovery kit, when the key source that wrapped them is lost.

use latchkey_access::authority::Action;
use latchkey_access::keys as rules;
use latchkey_access::secret::KeyRow;
use latchkey_vault::{Keys, RecoveryKit};

use crate::engine::only_moved;
use crate::keys::wrapped;
use crate::{Caller, Engine, Error};

/// Wraps by the present key source each key of the caller's workspace that another has wrapped.
/// The answer is how many there were.
///
/// # Errors
/// When the kit is another installation's, a wrap was altered, or the database fails.
pub async fn recover(engine: &Engine, by: &Caller, kit: &RecoveryKit) -> Result<usize, Error> {
    let workspace = by.workspace_id();
    let present = engine.key_source().kek_id();
    let keys = engine.store().key_list(workspace).await?;
    let lost = keys.iter().filter(|(key, _)| key.retired_at.is_none() && key.kek_id != present);
    let mut count = 0;
    for (before, _) in lost {
        let key = Keys::recover(kit, workspace, &wrapped(before))?;
        let anew = engine.key_source().wrap(workspace, &key, engine.entropy()).await?;
        engine
            .settle(|| async {
                let cause = by.cause(engine, Action::RotateKeys)?;
                let after = KeyRow {
                    kek_id: anew.kek_id.clone(),
                    primary: anew.primary.clone(),
                    recovery: anew.recovery.clone(),
                    ..before.clone()
                };
                let changes = rules::rewrap(before, after, &cause, engine.ids(&cause));
                engine.commit(changes, only_moved).await
            })
            .await?;
        count += 1;
    }
    Ok(count)
}

/// Opens every stored version of the caller's workspace where it stands, and counts those that
/// open and those that don't. No value is kept, and none leaves.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn check(engine: &Engine, by: &Caller) -> Result<Checked, Error> {
    const PAGE: usize = 200;
    by.may(Action::RotateKeys)?;
    let workspace = by.workspace_id();
    let mut checked = Checked::default();
    for (key, _) in engine.store().key_list(workspace).await? {
        let open = match engine.key(workspace, key.number).await {
            Ok(open) => open,
            Err(Error::Keys(_)) => None,
            Err(error) => return Err(error),
        };
        let mut after = None;
        loop {
            let page = engine.store().versions_under_key(workspace, key.number, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.version.secret_id, last.version.version));
            for one in page {
                let id = (one.account_id, one.version.secret_id);
                let place = crate::secrets::place_at(workspace, id, one.version.version, one.kind);
                match open.as_ref().is_some_and(|key| key.open(&place, &one.sealed).is_ok()) {
                    true => checked.opened += 1,
                    false => checked.failed += 1,
                }
            }
        }
    }
    Ok(checked)
}

/// How many stored versions open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Those that open.
    pub opened: u64,
    /// Those that do not.
    pub failed: u64,
}
