//! Who may use which shared account, and what happens when somebody leaves.
//!
//! Rules are pure functions from loaded state and a command to a [`ChangeSet`], or a refusal.
//! They receive the time and fresh ids as arguments, know nothing of storage, HTTP or SCIM
//! resources, and are therefore tested and simulated without a database.
//!
//! Where to look: [`effective`] is the one definition of access; `offboarding` cuts a leaver
//! off; `returning` brings somebody back with nothing; `succession` keeps owners in place.
#![warn(missing_docs)]

pub mod account;
pub mod audit;
pub mod change;
pub mod effective;
pub mod grant;
pub mod member;
pub mod offboarding;
pub mod outbox;
pub mod team;
pub mod token;
pub mod workspace;

pub use account::{Account, Collection, OffboardingRotation, OwnerFlag, Sensitivity};
pub use audit::{Actor, AuditRecord};
pub use change::{Change, ChangeSet};
pub use grant::{Grant, GrantObject, GrantSubject, Permission};
pub use member::{Epoch, Member, MemberState, Origin, Role, Version};
pub use team::{Membership, Team};
pub use token::{Scope, Token, TokenKind};
pub use workspace::{Policy, Reactivation, Safeguard, Workspace, WorkspaceState};
