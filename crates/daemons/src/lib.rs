//! Real daemons as child processes, for tests and for `cargo xtask`.
//!
//! Small on purpose: standard library, temporary folders and signals. `xtask` builds it before anything
//! else, and `testkit` adds what needs a runtime.

mod daemon;
pub mod postgres;

pub use daemon::{Daemon, LogTail};
pub use postgres::Postgres;
pub use rustix::process::Signal;
