//! The audit chain on SQLite: its records are sealed in the commit that they are part of.
//!
//! One thread writes, so nobody waits for the chain, and a record is written once, whole, instead
//! of being written, read, and written again.

use latchkey_kernel::id::WorkspaceId;
use rusqlite::Connection;

use super::writer::Work;
use super::{apply, ask, unexpected};
use crate::StoreError;
use crate::audit::{self, Head};

/// Writes the records of a batch, each behind the one before it in its workspace.
pub(super) fn append(connection: &Connection, batch: &mut [Box<dyn Work>]) -> Result<(), StoreError> {
    // Of few workspaces, mostly of one.
    let mut heads: Vec<(WorkspaceId, Option<Head>)> = Vec::new();
    for record in batch.iter_mut().flat_map(|work| work.records()) {
        let ws = record.workspace_id();
        let at = match heads.iter().position(|(of, _)| *of == ws) {
            Some(at) => at,
            None => {
                let head = ask(connection, &audit::head_hold(ws), audit::load_head)?.first().copied();
                heads.push((ws, head));
                heads.len() - 1
            }
        };
        // Behind a head that was lost nothing can be sealed; verifying tells so.
        let op = match &mut heads[at].1 {
            Some(head) => record.insert_sealed(head),
            None => record.insert(),
        };
        apply(connection, &op).map_err(unexpected)?;
    }
    for (ws, head) in heads {
        if let Some(head) = head {
            apply(connection, &audit::head_set(ws, head)).map_err(unexpected)?;
        }
    }
    Ok(())
}
