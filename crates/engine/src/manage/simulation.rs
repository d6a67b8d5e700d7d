//! What if this member left now? The same rules on the same rows, and nothing is written.

use latchkey_access::leaving::{assess, plans_rotation};
use latchkey_access::offboarding::ItemDecision;
use latchkey_access::{Account, Member, Permission};
use latchkey_kernel::id::MemberId;

use super::Session;
use crate::{Error, leaving};

/// What would follow.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Who.
    pub member: Member,
    /// For each account that they can use or whose password they know.
    pub accounts: Vec<SimulatedItem>,
    /// Whether any password would be changed.
    pub rotates: bool,
}

/// What would follow for one account.
#[derive(Debug, Clone)]
pub struct SimulatedItem {
    /// The account.
    pub account: Account,
    /// What they may do with it now.
    pub permission: Option<Permission>,
    /// Whether they know its present password.
    pub knows: bool,
    /// What would follow.
    pub decision: ItemDecision,
    /// The rule that decides.
    pub rule: &'static str,
}

impl Session<'_> {
    /// What would follow if a member left now.
    ///
    /// # Errors
    /// When there is no such member.
    pub async fn offboarding_simulate(&self, id: MemberId) -> Result<Simulation, Error> {
        let member = self.member(id).await?;
        let reached = leaving::reached(self.engine, &member).await?;
        let assessed = assess(&member.standing(), &reached, self.engine.now());
        let rotates = plans_rotation(&assessed);
        let accounts = assessed
            .into_iter()
            .map(|one| SimulatedItem {
                account: one.account.clone(),
                permission: one.permission,
                knows: !one.known.is_empty(),
                decision: one.decision,
                rule: one.rule,
            })
            .collect();
        Ok(Simulation { member, accounts, rotates })
    }
}
