//! Offboarding: what is cut, who takes over, and which passwords have to change.

use latchkey_kernel::Timestamp;

use crate::account::{Account, Exposure};
use crate::change::ChangeSet;
use crate::context::{Cause, Ids};
use crate::effective::Reach;
use crate::grant::Permission;
use crate::member::{Member, Standing};
use crate::offboarding::{ItemDecision, Trigger};
use crate::refusal::Refusal;
use crate::safeguard::Wave;
use crate::succession::{Heirs, InCharge, Owned};
use crate::workspace::Workspace;

/// What a member could reach and knows, as loaded. The engine loads it for an active member only.
#[derive(Debug, Clone, Default)]
pub struct Reached {
    /// Every reach of the member, by ownership, direct grant, team, collection; whether each
    /// counts is judged here.
    pub reaches: Vec<Reach>,
    /// The member's exposures to the present generation of each account's password.
    pub exposures: Vec<Exposure>,
    /// Each account that `reaches` or `exposures` name.
    pub accounts: Vec<Account>,
}

/// What follows for one account when a member leaves.
#[derive(Debug, Clone)]
pub struct Assessed<'a> {
    /// The account.
    pub account: &'a Account,
    /// What the member could do with it.
    pub permission: Option<Permission>,
    /// The ways that count.
    pub ways: Vec<(&'a Reach, Permission)>,
    /// What they know of its present password.
    pub known: Vec<&'a Exposure>,
    /// What follows.
    pub decision: ItemDecision,
    /// The rule that decided.
    pub rule: &'static str,
}

/// What follows for each account that a member can use or whose present password they know, if
/// they leave at `now`. Also answers *what if this member left now?*
pub fn assess<'a>(member: &Standing, reached: &'a Reached, now: Timestamp) -> Vec<Assessed<'a>> {
    unimplemented!()
}

/// Whether any of these passwords is to be changed, so that the wave of leavers matters.
pub fn plans_rotation(assessed: &[Assessed<'_>]) -> bool {
    assessed.iter().any(|one| one.decision == ItemDecision::Rotate)
}

/// Everything that one leaving is decided on.
///
/// The engine loads: `before` and `workspace` always; the rest only if `before` is active.
/// `in_charge` only if `before` is an Owner; `owned` and `heirs` only if `reached` has an
/// ownership; `wave` only if [`plans_rotation`]. A member with no reach costs no further reads.
#[derive(Debug, Clone)]
pub struct Leaver<'a> {
    /// The row as it was read; its version is expected.
    pub before: &'a Member,
    /// The row with the attributes that the same request changes, and with `active` false in its
    /// `resource`; state, epoch, role and version are set here.
    pub after: &'a Member,
    /// What takes them out.
    pub trigger: Trigger,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The member's direct grants, on whatever: expected not to have grown since.
    pub direct_grants: u64,
    /// What they could reach and know.
    pub reached: &'a Reached,
    /// The accounts that they own.
    pub owned: &'a [Owned],
    /// Which of the possible heirs are active.
    pub heirs: &'a Heirs,
    /// Who else is in charge.
    pub in_charge: Option<&'a InCharge>,
    /// How many are leaving; `None` when it was not asked for because no rotation is planned.
    pub wave: Option<Wave>,
}

/// Takes a member out: access cut by condition, accounts handed over, the case and its
/// rotations written, all in one change set. Somebody who is out already is only deleted, if
/// that is asked for: there is no second case.
///
/// # Errors
/// [`Refusal::LastOwner`] when a person would take out the last active Owner (A6); a directory's
/// word is always followed.
pub fn leave(leaver: &Leaver<'_>, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    unimplemented!()
}
