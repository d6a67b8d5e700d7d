//! Connectors: how a secret is changed, proved and cut off at each kind of real system.
//!
//! Each connector is one folder or file, implements [`Rotate`], and passes the one contract suite
//! in this crate's tests. Decides nothing: what is tried when, and what a failure leads to, is the
//! `rotation` room's; what a secret is sealed with is the `vault` room's.
#![warn(missing_docs)]

pub mod active_directory;
mod any;
pub mod browser;
mod config;
mod connector;
pub mod http;
pub mod ldap;
mod limit;
pub mod mysql;
pub mod network;
pub mod postgres;
pub mod recipe;
mod said;
mod ssh;
pub mod ssh_key;
mod tls;
pub mod unix;
pub mod webhook;

pub use any::{AnyConnector, Kind};
pub use config::ConfigError;
pub use connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
pub use network::Network;
