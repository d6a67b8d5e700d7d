//! Connectors: how a secret is changed, proved and cut off at each kind of real system.
//!
//! Each connector is one folder or file, implements [`Rotate`], and passes the one contract suite
//! in this crate's tests. Decides nothing: what is tried when, and what a failure leads to, is the
//! `rotation` room's; what a secret is sealed with is the `vault` room's.
#![warn(missing_docs)]

mod any;
mod config;
mod connector;
mod limit;
pub mod postgres;
mod said;
mod tls;

pub use any::{AnyConnector, Kind};
pub use config::ConfigError;
pub use connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
