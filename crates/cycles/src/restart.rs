//! Making a job forget.

use latchkey_provisioning::ledger::Write;
use latchkey_provisioning::state::JobStatus;

use crate::ledger::{Ledger, LedgerError};

/// What is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// What was read: the next cycle reads everything.
    Watermark,
    /// What failed: it is tried again at once.
    Escrows,
    /// That the job is in quarantine, or was disabled by it.
    Quarantine,
    /// Which object of the target is whose, and what was sent of members.
    Links,
}

/// Makes a job forget; what it made at the target stays.
///
/// # Errors
/// When the ledger failed; what was forgotten stays forgotten.
pub async fn restart(ledger: &impl Ledger, resets: &[Reset]) -> Result<(), LedgerError> {
    let has = |one| resets.contains(&one);
    let mut after = None;
    while has(Reset::Escrows) || has(Reset::Links) {
        let page = ledger.page(after, 1_000).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        let writes: Vec<Write> = page
            .into_iter()
            .filter(|row| has(Reset::Links) || row.trouble.is_some() || row.digest.is_none())
            .flat_map(|mut row| {
                let key = row.key;
                if has(Reset::Links) {
                    return vec![Write::Unsent { key, at: None }, Write::Forget(key)];
                }
                row.trouble = None;
                row.digest = None;
                vec![Write::Object(Box::new(row))]
            })
            .collect();
        if !writes.is_empty() {
            ledger.write(writes).await?;
        }
    }
    let mut state = ledger.state().await?;
    if has(Reset::Watermark) || has(Reset::Links) || has(Reset::Escrows) {
        state.watermark = None;
    }
    if has(Reset::Quarantine) {
        state.quarantine = None;
        state.status = JobStatus::Active;
    }
    ledger.write(vec![Write::State(Box::new(state))]).await
}
