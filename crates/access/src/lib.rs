//! Who may use which shared account, and what happens when somebody leaves.
//!
//! Rules are pure functions from loaded state and a command to a [`ChangeSet`], or a refusal.
//! They receive the time and fresh ids as arguments, know nothing of storage, HTTP or SCIM
//! resources, and are therefore tested and simulated without a database.
//!
//! Where to look: [`effective`] is the one definition of access; [`leaving`] cuts a leaver
//! off; [`returning`] brings somebody back with nothing; [`succession`] keeps owners in place;
//! [`safeguard`] holds rotations in a wave; [`authority`] says which role may do what. A module
//! in the singular ([`grant`]) names a thing, one in the plural ([`grants`]) has its rules.
#![warn(missing_docs)]

mod attributes;

pub mod account;
pub mod accounts;

pub mod assessment;
pub mod audit;
pub mod authority;
pub mod capability;
pub mod change;
pub mod collections;
pub mod context;
pub mod disclosure;
pub mod effective;
pub mod embedded;
pub mod exposure;
pub mod exposures;
pub mod grant;
pub mod grants;
pub mod imports;
mod job_change;
pub mod jobs;
pub mod keys;
pub mod knowledge;
pub mod leaving;
pub mod member;
pub mod members;
pub mod membership;
pub mod offboarding;
pub mod outbox;
pub mod people;
pub mod refusal;
pub mod returning;
pub mod rotation;
mod rotation_change;
pub mod rotations;
pub mod safeguard;
pub mod secret;
pub mod secrets;
pub mod succession;
pub mod team;
pub mod teams;
pub mod token;
pub mod tokens;
pub mod workspace;
pub mod workspaces;

pub use account::{Account, Collection, OffboardingRotation, OwnerFlag, Sensitivity};
pub use audit::{Actor, AuditRecord};
pub use change::{Change, ChangeSet};
pub use embedded::{EmbeddedAssignment, EmbeddedChange, EmbeddedObject, ObjectKind, ObjectPresence};
pub use exposure::{Exposure, ExposureKind};
pub use grant::{Grant, GrantObject, GrantSubject, Permission};
pub use job_change::JobChange;
pub use member::{Epoch, Member, MemberState, Origin, Role, Version};
pub use rotation_change::RotationChange;
pub use secret::{Secret, SecretKind, SecretVersion, VersionState};
pub use team::{Membership, Team};
pub use token::{Scope, Token, TokenKind};
pub use workspace::{Policy, Reactivation, Safeguard, Workspace, WorkspaceState};
