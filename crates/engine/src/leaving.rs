//! Somebody leaves: load what the rule needs, and no more, and let it decide.

use std::collections::BTreeSet;

use latchkey_access::assessment::{self, Reached};
use latchkey_access::context::Cause;
use latchkey_access::effective::{self, ReachBy};
use latchkey_access::leaving::{self as rules, Leaver};
use latchkey_access::offboarding::Trigger;
use latchkey_access::safeguard::Wave;
use latchkey_access::succession::{Heirs, InCharge, Owned};
use latchkey_access::{Account, ChangeSet, Member, MemberState, Permission, Role, Safeguard, Workspace};
use latchkey_kernel::id::{AccountId, MemberId};
use latchkey_store::Footing;

use crate::{Effect, Engine, Error};

/// How far leavers are counted; no safeguard that anybody sets is larger.
const LEAVERS_COUNTED: usize = 100_000;
/// How many of those who reach an account are looked at for a co-owner.
const CO_OWNERS_LOOKED_AT: usize = 1_000;

/// What follows when somebody leaves, not yet committed.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) changes: ChangeSet,
    pub(crate) effects: Vec<Effect>,
}

/// Decides one leaving. `after` is `before` with the attributes that the same request changes.
pub(crate) async fn leave(
    engine: &Engine,
    before: &Member,
    after: &Member,
    footing: Footing,
    trigger: Trigger,
    cause: &Cause,
) -> Result<Left, Error> {
    let (workspace, stake) = Stake::load(engine, before, footing, cause).await?;
    let assessed = assessment::assess(&before.standing(), &stake.reached, cause.now);
    let leaver = Leaver {
        before,
        after,
        trigger,
        workspace: &workspace,
        direct_grants: stake.direct_grants,
        reached: &stake.reached,
        assessed: &assessed,
        owned: &stake.owned,
        heirs: &stake.heirs,
        in_charge: stake.in_charge.as_ref(),
        wave: stake.wave,
    };
    let changes = rules::leave(&leaver, cause, engine.ids(cause))?;
    let mut effects = Effect::of(&changes);
    if stake.direct_grants > 0 {
        effects
            .push(Effect::many("grant.removed", usize::try_from(stake.direct_grants).unwrap_or(usize::MAX)));
    }
    Ok(Left { changes, effects })
}

/// All that an active member's leaving is decided on.
#[derive(Debug, Default)]
pub(crate) struct Stake {
    pub(crate) direct_grants: u64,
    pub(crate) reached: Reached,
    pub(crate) owned: Vec<Owned>,
    pub(crate) heirs: Heirs,
    pub(crate) in_charge: Option<InCharge>,
    pub(crate) wave: Option<Wave>,
}

impl Stake {
    /// Somebody who reaches nothing and knows nothing costs no read beyond their footing; only who
    /// owns accounts, is an Owner, or leaves passwords to change costs another.
    pub(crate) async fn load(
        engine: &Engine,
        member: &Member,
        footing: Footing,
        cause: &Cause,
    ) -> Result<(Workspace, Self), Error> {
        let (workspace_id, id) = (member.workspace_id, member.id);
        let store = engine.store();
        let Footing { workspace, direct_grants, reached } = footing;
        let mut stake = Self { direct_grants, reached, ..Self::default() };
        if member.state != MemberState::Active {
            return Ok((workspace, stake));
        }
        if member.role == Role::Owner {
            stake.in_charge = Some(in_charge(engine, &workspace, id).await?);
        }
        let owned = owned_accounts(&stake.reached);
        if !owned.is_empty() {
            (stake.owned, stake.heirs) = succession(engine, &workspace, id, owned, cause).await?;
        }
        let assessed = assessment::assess(&member.standing(), &stake.reached, cause.now);
        if assessment::plans_rotation(&assessed) {
            let since = cause.now.minus(Safeguard::WINDOW);
            let (leavers, active) = tokio::try_join!(
                store.leaver_count(workspace_id, since, LEAVERS_COUNTED),
                store.member_count_active(workspace_id),
            )?;
            stake.wave = Some(Wave { leavers, active });
        }
        Ok((workspace, stake))
    }
}

/// Who else is in charge of a workspace whose Owner `id` leaves or is demoted.
pub(crate) async fn in_charge(
    engine: &Engine,
    workspace: &Workspace,
    id: MemberId,
) -> Result<InCharge, Error> {
    let store = engine.store();
    let successor = async {
        match workspace.policy.successor {
            Some(successor) => store.member_get(workspace.id, successor).await,
            None => Ok(None),
        }
    };
    // Two Owners tell whether there is another one; one Super Admin is the next in line.
    let (owners, super_admins, successor) = tokio::try_join!(
        store.owners_active(workspace.id, 2),
        store.super_admins_by_service(workspace.id, 1),
        successor,
    )?;
    let other_owners = owners.iter().filter(|owner| owner.id != id).count();
    Ok(InCharge { other_owners: other_owners as u64, successor, super_admins })
}

fn owned_accounts(reached: &Reached) -> Vec<Account> {
    let owned: BTreeSet<AccountId> = reached
        .reaches
        .iter()
        .filter(|reach| matches!(reach.by, ReachBy::Owner))
        .map(|reach| reach.account_id)
        .collect();
    reached.accounts.iter().filter(|account| owned.contains(&account.id)).cloned().collect()
}

/// Who could take the accounts over, and which of those are in.
async fn succession(
    engine: &Engine,
    workspace: &Workspace,
    leaver: MemberId,
    accounts: Vec<Account>,
    cause: &Cause,
) -> Result<(Vec<Owned>, Heirs), Error> {
    let mut owned = Vec::with_capacity(accounts.len());
    for account in accounts {
        let who =
            engine.store().reaches_of_account(workspace.id, account.id, None, CO_OWNERS_LOOKED_AT).await?;
        let co_owners = who.iter().filter(|who| {
            let by_grant = matches!(who.reach.by, ReachBy::Grant { .. });
            let may = effective::judge(&who.member.standing, &who.reach, cause.now);
            by_grant && may == Ok(Permission::Own) && who.member.standing.member_id != leaver
        });
        let co_owners = co_owners.map(|who| who.member.standing.member_id).collect();
        owned.push(Owned { account, co_owners });
    }
    let candidates: BTreeSet<MemberId> = owned
        .iter()
        .flat_map(|one| one.account.successor_id.into_iter().chain(one.co_owners.iter().copied()))
        .chain(workspace.policy.successor)
        .filter(|member| *member != leaver)
        .collect();
    if candidates.is_empty() {
        return Ok((owned, Heirs::new()));
    }
    let candidates: Vec<MemberId> = candidates.into_iter().collect();
    let members = engine.store().member_briefs(workspace.id, &candidates).await?;
    let heirs = members
        .into_iter()
        .filter(|member| member.standing.is_active() && member.role != Role::Guest)
        .map(|member| (member.standing.member_id, member.standing.epoch))
        .collect();
    Ok((owned, heirs))
}
