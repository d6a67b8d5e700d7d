//! Rows, statements and transactions on SQLite and PostgreSQL.
//!
//! [`Store`] reads with `noun_verb` functions, which stand with the type that they load
//! ([`member`], [`team`], …), and writes with [`Store::commit`] alone. SQL is written once, in a
//! portable subset (`statement`); the two drivers (`sqlite`, `postgres`) know no table but by its
//! statements. To add a read: a statement and a function in the noun's file. To add a change: a
//! variant of [`latchkey_access::Change`], its statements in the noun's file, a line in `change`.
//! To add a column: a migration for each database, and the noun's lists of columns.
#![warn(missing_docs)]

mod change;
#[cfg(test)]
mod checks;
mod error;
mod migrate;
mod row;
mod statement;
mod store;
mod value;

pub mod account;
pub mod audit;
pub mod case;
pub mod collection;
pub mod connector;
pub mod embedded;
pub mod exposure;
pub mod filter;
pub mod flight;
pub mod grant;
pub mod key;
pub mod member;
pub mod membership;
pub mod outbox;
pub mod page;
pub mod picture;
mod postgres;
pub mod provisioning;
pub mod reach;
pub mod rotation;
pub mod secret;
pub mod snapshot;
mod sqlite;
pub mod subject;
pub mod succession;
pub mod task;
pub mod team;
pub mod token;
pub mod workspace;

pub use audit::{AuditBreak, AuditEntry, AuditFilter, AuditReport, SealReport};
pub use case::CaseItemRow;
pub use error::{CommitError, Conflict, StoreError, UniqueKey};
pub use exposure::SeenRow;
pub use filter::{
    MemberColumn, MemberTest, MemberWhere, Order, TeamColumn, TeamTest, TeamWhere, TextOp, TimeColumn, Where,
};
pub use flight::{FlightEntry, FlightFilter, Verdict};
pub use grant::GrantFilter;
pub use member::MemberBrief;
pub use membership::TeamMember;
pub use outbox::OutboxFilter;
pub use page::Page;
pub use reach::WhoReach;
pub use secret::SealedVersion;
pub use store::{Options, Store};
pub use subject::{Footing, Subject};
pub use succession::InLine;
pub use token::{TokenLogin, TokenUse};
