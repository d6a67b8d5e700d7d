//! What people tell a job, carried out between two cycles.

use latchkey_cycles::{Ledger as _, LedgerError, Reset, StoredLedger, restart};
use latchkey_provisioning::ledger::Write;
use latchkey_provisioning::state::JobStatus;
use serde::{Deserialize, Serialize};

/// A person's word to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// It runs by itself from now on, and at once. Its quarantine is lifted.
    Start,
    /// It does not run by itself; all that it remembers is kept.
    Pause,
    /// It forgets.
    Restart {
        /// What.
        scope: Vec<Scope>,
    },
}

latchkey_kernel::words! {
    /// What a restart makes a job forget, by Graph's words.
    Scope {
        /// What was read: everything is read anew.
        Watermark = "Watermark",
        /// What failed: it is tried again.
        Escrows = "Escrows",
        /// That it is in quarantine.
        QuarantineState = "QuarantineState",
        /// Which object of the target is whose.
        ConnectorDataStore = "ConnectorDataStore",
        /// Nothing is forgotten: what is held may go.
        ForceDeletes = "ForceDeletes",
        /// Everything.
        Full = "Full",
        /// Nothing.
        None = "None",
    }
}

impl Scope {
    /// What of a list with commas; an empty one is what a portal's restart forgets.
    ///
    /// # Errors
    /// The word that is none.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Ok(vec![Self::QuarantineState, Self::Watermark, Self::Escrows]);
        }
        let known =
            |word: &str| Self::ALL.iter().copied().find(|one| one.as_str().eq_ignore_ascii_case(word));
        words.into_iter().map(|word| known(word).ok_or_else(|| word.to_owned())).collect()
    }
}

/// Carries an order out. Carried out twice, it does no harm.
pub(crate) async fn carry_out(ledger: &StoredLedger, order: &Order) -> Result<(), LedgerError> {
    let mut state = ledger.state().await?;
    match order {
        Order::Start => {
            state.status = JobStatus::Active;
            state.quarantine = None;
        }
        Order::Pause => state.status = JobStatus::Paused,
        Order::Restart { scope } => {
            let has = |one| scope.contains(&one) || scope.contains(&Scope::Full);
            let resets: Vec<Reset> = [
                (Scope::Watermark, Reset::Watermark),
                (Scope::Escrows, Reset::Escrows),
                (Scope::ConnectorDataStore, Reset::Links),
            ]
            .into_iter()
            .filter(|(word, _)| has(*word))
            .map(|(_, reset)| reset)
            .collect();
            if !resets.is_empty() {
                restart(ledger, &resets).await?;
            }
            state = ledger.state().await?;
            if has(Scope::QuarantineState) || has(Scope::ForceDeletes) {
                state.quarantine = None;
                if state.status == JobStatus::Disabled {
                    state.status = JobStatus::Active;
                }
            }
            if has(Scope::ForceDeletes) {
                let held = usize::try_from(ledger.totals().await?.held).unwrap_or(usize::MAX);
                state.approved = Some(held);
            }
        }
    }
    ledger.write(vec![Write::State(Box::new(state))]).await
}
