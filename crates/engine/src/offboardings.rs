//! Offboarding cases: what was cut, what was planned for it, and what waits for a person's word.

use std::time::Duration;

use latchkey_access::assessment::{self, Assessed};
use latchkey_access::authority::Action;
use latchkey_access::context::Cause;
use latchkey_access::offboarding::{CaseState, ItemDecision, OffboardingCase};
use latchkey_access::outbox::OutboxEvent;
use latchkey_access::{Account, ChangeSet, Grant, Member, Permission, safeguard};
use latchkey_kernel::Entropy;
use latchkey_kernel::id::{AuditId, CaseId, MemberId};
use latchkey_store::{AuditEntry, AuditFilter, CaseItemRow};

use crate::engine::only_moved;
use crate::leaving::Stake;
use crate::{Caller, Engine, Error, members, rotations};

/// How many audit records are looked at for a case's timeline.
const RECORDS: usize = 500;

/// One case with all that belongs to it.
#[derive(Debug, Clone)]
pub struct CaseView {
    /// The case.
    pub case: OffboardingCase,
    /// Who left.
    pub member: Option<Member>,
    /// What follows for each account.
    pub items: Vec<CaseItemRow>,
    /// The direct grants that were removed.
    pub grants: Vec<Grant>,
    /// The planned rotations and notices, and where each stands.
    pub effects: Vec<OutboxEvent>,
    /// What the audit log says of the request that cut the access and of the case since, in order.
    pub timeline: Vec<AuditEntry>,
}

/// What would follow for one account if a member left now.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The account.
    pub account: Account,
    /// What they can do with it.
    pub permission: Option<Permission>,
    /// Whether they know its present password.
    pub knows: bool,
    /// What would follow.
    pub decision: ItemDecision,
    /// The rule that says so.
    pub rule: &'static str,
}

/// What would happen if a member left now. Writes nothing.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Who.
    pub member: Member,
    /// How many direct grants would go.
    pub direct_grants: u64,
    /// Each account that they can use or whose password they know.
    pub accounts: Vec<Foreseen>,
    /// Whether the rotations would wait for a person's word.
    pub held: bool,
}

/// A page of cases, newest first.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    state: Option<CaseState>,
    after: Option<CaseId>,
    limit: usize,
) -> Result<Vec<OffboardingCase>, Error> {
    by.may(Action::ReadOffboardings)?;
    Ok(engine.store().case_page(by.workspace_id(), state, after, limit).await?)
}

/// One case.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: CaseId) -> Result<CaseView, Error> {
    by.may(Action::ReadOffboardings)?;
    view(engine, by, id).await
}

/// Lets a held case's rotations go.
///
/// # Errors
/// When nothing is held, or the caller may not.
pub async fn release(engine: &Engine, by: &Caller, id: CaseId) -> Result<CaseView, Error> {
    decide(engine, by, id, Action::ReleaseRotations, |case, cause| {
        Ok(safeguard::release(case, cause, engine.ids(cause))?)
    })
    .await
}

/// Calls off a case's rotations that have not been done.
///
/// # Errors
/// When nothing waits, or the caller may not.
pub async fn cancel_rotations(
    engine: &Engine,
    by: &Caller,
    id: CaseId,
    reason: &str,
) -> Result<CaseView, Error> {
    decide(engine, by, id, Action::CancelRotations, |case, cause| {
        Ok(safeguard::call_off(case, reason, cause, engine.ids(cause))?)
    })
    .await?;
    // What was taken up already; whatever has not been sent ends here.
    rotations::call_off_case(engine, by, id).await?;
    view(engine, by, id).await
}

/// What if this member left now?
///
/// # Errors
/// When there is no such member, or the caller may not.
pub async fn simulate(engine: &Engine, by: &Caller, id: MemberId) -> Result<Simulation, Error> {
    let cause = by.cause(engine, Action::ReadOffboardings)?;
    let (member, footing) = members::with_footing(engine, by, id).await?;
    if !member.standing().is_active() {
        return Ok(Simulation { member, direct_grants: 0, accounts: Vec::new(), held: false });
    }
    let (workspace, stake) = Stake::of(&member, footing, &cause);
    let assessed = assessment::assess(&member.standing(), &stake.reached, cause.now);
    let accounts = assessed.iter().map(Foreseen::of).collect();
    let held = stake.wave.is_some_and(|wave| safeguard::trips(workspace.policy.safeguard, wave));
    Ok(Simulation { member, direct_grants: stake.direct_grants, accounts, held })
}

impl Foreseen {
    fn of(assessed: &Assessed<'_>) -> Self {
        Self {
            account: assessed.account.clone(),
            permission: assessed.permission,
            knows: !assessed.known.is_empty(),
            decision: assessed.decision,
            rule: assessed.rule,
        }
    }
}

async fn decide(
    engine: &Engine,
    by: &Caller,
    id: CaseId,
    action: Action,
    rule: impl Fn(&OffboardingCase, &Cause) -> Result<ChangeSet, Error>,
) -> Result<CaseView, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, action)?;
            let case = find(engine, by, id).await?;
            engine.commit(rule(&case, &cause)?, only_moved).await
        })
        .await?;
    // Whoever may decide on a case may see what came of it.
    view(engine, by, id).await
}

async fn view(engine: &Engine, by: &Caller, id: CaseId) -> Result<CaseView, Error> {
    let case = find(engine, by, id).await?;
    let (store, workspace_id) = (engine.store(), by.workspace_id());
    let (member, items, grants, effects, timeline) = tokio::try_join!(
        async { Ok::<_, Error>(store.member_get_any(workspace_id, case.member_id).await?) },
        async { Ok(store.case_items(workspace_id, id).await?) },
        async { Ok(store.case_removed_grants(workspace_id, id).await?) },
        async { Ok(store.outbox_of_case(workspace_id, id).await?) },
        timeline(engine, by, &case),
    )?;
    Ok(CaseView { case, member, items, grants, effects, timeline })
}

/// What the audit log says of a case. Audit ids grow with time, so the records of the request that
/// cut the access stand together just below the first id of the millisecond after.
async fn timeline(engine: &Engine, by: &Caller, case: &OffboardingCase) -> Result<Vec<AuditEntry>, Error> {
    let after = AuditId::fresh(case.cut_at.plus(Duration::from_millis(1)), &Zeros);
    let at_cut = AuditFilter { after: Some(after), limit: RECORDS, ..AuditFilter::default() };
    let since =
        AuditFilter { target_id: Some(case.id.to_string()), limit: RECORDS, ..AuditFilter::default() };
    let (mut records, since) = tokio::try_join!(
        engine.store().audit_page(by.workspace_id(), at_cut),
        engine.store().audit_page(by.workspace_id(), since),
    )?;
    records.retain(|record| record.request_id == case.request_id);
    for record in since {
        if !records.iter().any(|known| known.id == record.id) {
            records.push(record);
        }
    }
    records.sort_by_key(|record| record.id);
    Ok(records)
}

/// Gives the first id of a millisecond.
struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
    }
}

async fn find(engine: &Engine, by: &Caller, id: CaseId) -> Result<OffboardingCase, Error> {
    engine.store().case_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "offboarding" })
}
