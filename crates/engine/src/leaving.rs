//! Somebody leaves: take apart what was loaded for it, and let the rule decide.

use latchkey_access::assessment::{self, Reached};
use latchkey_access::context::Cause;
use latchkey_access::effective::{self, Reach, ReachBy};
use latchkey_access::leaving::{self as rules, Leaver};
use latchkey_access::offboarding::Trigger;
use latchkey_access::safeguard::Wave;
use latchkey_access::succession::{Heirs, InCharge, Owned};
use latchkey_access::{Account, ChangeSet, Member, MemberState, Permission, Role, Safeguard, Workspace};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::MemberId;
use latchkey_store::{Footing, InLine, MemberBrief, WhoReach};

use crate::{Effect, Engine, Error};

/// What follows when somebody leaves, not yet committed.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) changes: ChangeSet,
    pub(crate) effects: Vec<Effect>,
}

/// Decides one leaving. `after` is `before` with the attributes that the same request changes.
pub(crate) fn leave(
    engine: &Engine,
    before: &Member,
    after: &Member,
    footing: Footing,
    trigger: Trigger,
    cause: &Cause,
) -> Result<Left, Error> {
    let (workspace, stake) = Stake::of(before, footing, cause);
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
    /// Takes the footing apart for the rule: the rest of it stays unread by whom it does not concern.
    pub(crate) fn of(member: &Member, footing: Footing, cause: &Cause) -> (Workspace, Self) {
        let Footing { workspace, direct_grants, reached, in_line, successors, co_owners, wave } = footing;
        let mut stake = Self { direct_grants, reached, ..Self::default() };
        if member.state != MemberState::Active {
            return (workspace, stake);
        }
        let named = in_line.successor.as_ref().map(brief);
        stake.heirs =
            heirs(member.id, successors.iter().chain(co_owners.iter().map(|who| &who.member)).chain(&named));
        stake.owned = owned(&stake.reached, &co_owners, member.id, cause);
        if member.role == Role::Owner {
            stake.in_charge = Some(in_charge(in_line, member.id));
        }
        let assessed = assessment::assess(&member.standing(), &stake.reached, cause.now);
        if assessment::plans_rotation(&assessed) {
            stake.wave = Some(wave);
        }
        (workspace, stake)
    }
}

/// Since when leavers are counted for a decision that is made now.
pub(crate) fn counted_since(engine: &Engine) -> Timestamp {
    engine.now().minus(Safeguard::WINDOW)
}

/// Who else is in charge of a workspace whose Owner `id` leaves or is demoted.
pub(crate) fn in_charge(in_line: InLine, id: MemberId) -> InCharge {
    let other_owners = in_line.owners.iter().filter(|owner| owner.id != id).count();
    InCharge {
        other_owners: other_owners as u64,
        successor: in_line.successor,
        super_admins: in_line.super_admins,
    }
}

/// The accounts that have to be handed over, each with who may do everything with it besides.
fn owned(reached: &Reached, co_owners: &[WhoReach], leaver: MemberId, cause: &Cause) -> Vec<Owned> {
    let own = |account: &&Account| {
        let by_owner = |reach: &Reach| reach.account_id == account.id && matches!(reach.by, ReachBy::Owner);
        reached.reaches.iter().any(by_owner)
    };
    let with_co_owners = |account: &Account| {
        let counts = |who: &&WhoReach| {
            let may = effective::judge(&who.member.standing, &who.reach, cause.now);
            who.reach.account_id == account.id
                && may == Ok(Permission::Own)
                && who.member.standing.member_id != leaver
        };
        let co_owners = co_owners.iter().filter(counts).map(|who| who.member.standing.member_id).collect();
        Owned { account: account.clone(), co_owners }
    };
    reached.accounts.iter().filter(own).map(with_co_owners).collect()
}

fn heirs<'a>(leaver: MemberId, candidates: impl Iterator<Item = &'a MemberBrief>) -> Heirs {
    candidates
        .filter(|member| member.standing.member_id != leaver)
        .filter(|member| member.standing.is_active() && member.role != Role::Guest)
        .map(|member| (member.standing.member_id, member.standing.epoch))
        .collect()
}

fn brief(member: &Member) -> MemberBrief {
    MemberBrief { standing: member.standing(), role: member.role, display_name: member.display_name.clone() }
}
