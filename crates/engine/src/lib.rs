//! Services: they load what a rule needs, let it decide, and commit what it decided.
//!
//! The only place that performs decisions. Edges hand in what they have parsed, and get back
//! rows and facts to show; rules are in `latchkey_access`, rows in `latchkey_store`.
//!
//! Where to look: [`directory`] is what SCIM asks, the other modules what the management API and
//! `latchkey admin` ask; [`Engine`] holds the ports and the loop in which everything commits.
#![warn(missing_docs)]

pub mod access;
pub mod accounts;
pub mod audit;
mod background;
mod caller;
pub mod collections;
pub mod directory;
mod effect;
mod engine;
mod error;
pub mod evidence;
pub mod exports;
pub mod exposures;
pub mod flights;
pub mod grants;
pub mod imports;
pub mod jobs;
pub mod key_recovery;
pub mod key_rotation;
mod keys;
mod leaving;
pub mod members;
pub mod offboardings;
pub mod outbox;
mod pace;
pub mod people;
mod returning;
pub mod reviews;
pub mod rotations;
pub mod secrets;
pub mod teams;
mod token_text;
mod token_use;
pub mod tokens;
pub mod workspaces;

pub use background::Background;
pub use caller::Caller;
pub use effect::Effect;
pub use engine::Engine;
pub use error::{Error, error_chain};
pub use latchkey_store::{
    AuditEntry, AuditFilter, CaseItemRow, GrantFilter, MemberBrief, OutboxFilter, SeenRow,
};
pub use members::MemberQuery;
pub use teams::TeamQuery;
pub use tokens::{Login, Unauthenticated};
