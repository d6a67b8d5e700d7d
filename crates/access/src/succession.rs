//! Who follows an owner that leaves: of an account (A4), and of the workspace (A6).

use std::collections::BTreeMap;

use latchkey_kernel::id::MemberId;

use crate::account::Account;
use crate::member::{Epoch, Member};
use crate::workspace::Workspace;

/// What the succession of a workspace Owner is decided on. To be loaded only when an active
/// Owner leaves or is demoted.
#[derive(Debug, Clone, Default)]
pub struct InCharge {
    /// How many other Owners are active.
    pub other_owners: u64,
    /// The member whom the policy names as successor, if there is one.
    pub successor: Option<Member>,
    /// The active Super Admins; at least the one whose row is oldest.
    pub super_admins: Vec<Member>,
}

/// What follows for the workspace when an Owner is no longer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Succession {
    /// Others are in charge.
    Covered,
    /// This member becomes Owner.
    Promote(Box<Member>),
    /// Nobody can follow.
    Ownerless,
}

/// Who is in charge after `leaver`.
pub fn of_workspace(workspace: &Workspace, leaver: MemberId, in_charge: &InCharge) -> Succession {
    unimplemented!()
}

/// An account that a leaver owns, with who could take it.
#[derive(Debug, Clone)]
pub struct Owned {
    /// The account.
    pub account: Account,
    /// Other members who may do everything with it by a grant that counts now.
    pub co_owners: Vec<MemberId>,
}

/// The epochs of those heirs (successors named by accounts or by the policy, co-owners) that are
/// active and no guests. Who is not in it inherits nothing.
pub type Heirs = BTreeMap<MemberId, Epoch>;

/// Who takes an account after `leaver`: its successor, else a co-owner, else the workspace's
/// successor; `None` stands for the workspace Owners.
pub fn of_account(
    workspace: &Workspace,
    leaver: MemberId,
    owned: &Owned,
    heirs: &Heirs,
) -> Option<(MemberId, Epoch)> {
    unimplemented!()
}
