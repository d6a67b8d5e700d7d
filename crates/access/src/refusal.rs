//! What a rule refuses: each says what, why, and what to do instead.

use crate::audit::Actor;
use crate::authority::Action;
use crate::capability::Capability;
use crate::effective::Denial;
use crate::grant::Permission;
use crate::member::{Origin, Role};
use crate::token::Scope;

/// Why a rule did not allow what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A person would take out or demote the last active Owner (A6).
    #[error("this is the last active Owner, and a workspace needs one; make somebody else an Owner first")]
    LastOwner,
    /// The actor's role is too low for the action.
    #[error("{action} needs the role {needs} or higher; ask somebody who has it")]
    NotAllowed {
        /// What was asked.
        action: Action,
        /// The lowest role that may.
        needs: Role,
    },
    /// The token was made without the scope.
    #[error("{action} needs a token with the scope {scope}; make one that has it")]
    ScopeMissing {
        /// What was asked.
        action: Action,
        /// What the token lacks.
        scope: Scope,
    },
    /// Nobody gives a role above their own, or touches somebody above them.
    #[error("only a member whose role is {needs} or higher may do this to that role; ask one")]
    RoleAboveOwn {
        /// The higher of the two roles.
        needs: Role,
    },
    /// A scope that the member's role does not reach.
    #[error("the scope {scope} is not for the role {role}; leave it out or raise the role first")]
    ScopeNotForRole {
        /// The scope.
        scope: Scope,
        /// The member's role.
        role: Role,
    },
    /// Nobody is their own manager.
    #[error("nobody can be their own manager; choose somebody else")]
    OwnManager,
    /// A person's task is over.
    #[error("this task is closed already; there is nothing to do")]
    TaskClosed,
    /// Two people have to say so.
    #[error(
        "this is a privileged account and no login proves it: a second person has to confirm what you said"
    )]
    NeedsAnotherPerson,
    /// The member is out, and receives nothing (A1).
    #[error("this member is not active and can receive nothing; reactivate them first")]
    MemberNotActive,
    /// The member is in already.
    #[error("this member is active already; there is nothing to do")]
    MemberActive,
    /// Guests use what is shared with them; they hold nothing.
    #[error("a guest can't be given this; make them a user first")]
    GuestMayNot,
    /// The directory keeps it: a change here would be overwritten, or drift.
    #[error("the directory keeps this {what}; change it there")]
    KeptByDirectory {
        /// The kind of thing.
        what: &'static str,
    },
    /// It is kept here, and the directory may not write it.
    #[error(
        "this {what} is kept in the workspace, not by the directory; change it there, or remove it first"
    )]
    KeptHere {
        /// The kind of thing.
        what: &'static str,
    },
    /// The folder tree would be too deep.
    #[error("collections may be {max} levels deep and this would be deeper; put it higher up", max = crate::account::Collection::MAX_DEPTH)]
    TooDeep,
    /// A folder would lie in itself.
    #[error("a collection can't lie in itself; choose another place")]
    Cycle,
    /// A name or reason is empty or too long.
    #[error("{what} must have 1 to {max} characters")]
    BadText {
        /// Which.
        what: &'static str,
        /// The most.
        max: usize,
    },
    /// The end is not after the start or not in the future.
    #[error("the end must be in the future and after the start; give a later one, or end the grant now")]
    BadEnd,
    /// The token is revoked, expired or replaced.
    #[error("this token is not valid any more; make a new one")]
    TokenOver,
    /// A member's own token is not regenerated: it ends, and another is made.
    #[error("only a SCIM token can be regenerated; revoke this one and make another")]
    NotRegenerable,
    /// A token that opens nothing.
    #[error("a token for the API needs at least one scope")]
    NoScopes,
    /// Nobody has come back, or somebody has decided already.
    #[error("there is no open review of this member; nothing is waiting to be given back")]
    NothingToReview,
    /// Nobody decides on what they get back themselves (A3).
    #[error("members can't review their own return; ask somebody else")]
    OwnReview,
    /// An offboarding that is to be undone, long after.
    #[error("an offboarding is undone within 30 days; give what is needed as new grants")]
    UndoTooLate,
    /// A grant or team that is not among what the review offers.
    #[error("this {what} is not among what the member had and could have again; reload the review")]
    NotInReview {
        /// The kind of thing.
        what: &'static str,
    },
    /// The workspace has an Owner.
    #[error("this workspace has an active Owner; ask them to make the change")]
    NotOwnerless,
    /// The safeguard's numbers make no sense.
    #[error("the safeguard's per cent must be between 0 and 100")]
    BadSafeguard,
    /// The case is not in a state in which this can be done.
    #[error("this case has no rotations that wait; reload it")]
    NothingWaits,
    /// Who would follow themselves.
    #[error("the successor must be another member than the owner; choose somebody else")]
    SuccessorIsOwner,
    /// Nothing that counts leads the member to the account.
    #[error("nothing gives this member access to the account{}; ask one of its owners", because(*why))]
    NoAccess {
        /// Why the nearest way doesn't count; `None` when there is no way at all.
        why: Option<Denial>,
    },
    /// The member may use the account, and not this.
    #[error(
        "{capability} needs the permission {needs} on the account, and this is {held}; ask one of its owners"
    )]
    CapabilityMissing {
        /// What was asked.
        capability: Capability,
        /// What they hold.
        held: Permission,
        /// The lowest permission that gives it.
        needs: Permission,
    },
    /// The workspace's policy keeps secrets from being exported.
    #[error("this workspace lets nobody export secrets; an Owner can allow it in the policy")]
    ExportNotAllowed,
    /// The value was in use before.
    #[error("this value was used before for this account; choose one that is new")]
    ValueUsedBefore,
    /// A new value waits for its rotation to end.
    #[error("a new value of this secret is being put into use; wait until that has ended, or call it off")]
    ValuePending,
    /// The version is not the pending one.
    #[error("this version is not waiting to be put into use; reload the secret")]
    NotPending,
    /// There is nothing to show.
    #[error("this secret has no value that is in use; give it one first")]
    NoValue,
    /// The value is of no use to a secret of this kind.
    #[error("{what}")]
    BadValue {
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// Asked of a secret of another kind.
    #[error("this needs a secret of the kind {needs}; choose another")]
    WrongKind {
        /// Which kind it needs.
        needs: crate::secret::SecretKind,
    },
    /// An account has one password.
    #[error("this account has a password already; set a new value instead of adding one")]
    PasswordThere,
    /// A recovery code is good once.
    #[error("this recovery code was used already; take another")]
    CodeBurned,
    /// All recovery codes were used, or there is none of this number.
    #[error("there is no such recovery code left; make new ones where the account is kept and store them")]
    NoCodeLeft,
    /// More codes than a person reads.
    #[error("at most {max} codes a minute are given for one account; wait for the next")]
    TooManyCodes {
        /// The most.
        max: u64,
    },
}

fn because(why: Option<Denial>) -> String {
    why.map_or_else(String::new, |denial| format!(": {}", denial.sentence()))
}

/// How many characters a person's reason may have.
pub(crate) const REASON_MAX: usize = 1_000;
/// How many characters a name may have.
pub(crate) const NAME_MAX: usize = 200;

/// Refuses a text that is empty or too long.
pub(crate) fn bounded(what: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    let fits = !text.trim().is_empty() && text.chars().count() <= max;
    if fits { Ok(()) } else { Err(Refusal::BadText { what, max }) }
}

/// Refuses a write to what the other side keeps (I15): a directory writes only its own, a person
/// only what is kept here. Latchkey itself, by a rule, may write both.
pub(crate) fn kept_by(origin: Origin, actor: Actor, what: &'static str) -> Result<(), Refusal> {
    match (origin, actor) {
        (Origin::Local, Actor::Directory(_)) => Err(Refusal::KeptHere { what }),
        (Origin::Directory, Actor::Member(..) | Actor::Operator) => Err(Refusal::KeptByDirectory { what }),
        _ => Ok(()),
    }
}
