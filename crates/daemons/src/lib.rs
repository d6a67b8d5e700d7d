//! Real daemons as child processes, for tests and for `cargo xtask`.
//!
//! Small on purpose: standard library, temporary folders and signals. `xtask` builds it before anything
//! else, and `testkit` adds what needs a runtime.

mod daemon;
mod mariadb;
pub mod postgres;
mod room;
pub mod slapd;
pub mod sshd;

pub use daemon::{Daemon, LogTail};
pub use mariadb::MariaDb;
pub use postgres::Postgres;
pub use room::missing_packages;
pub use rustix::process::Signal;
pub use slapd::Slapd;
pub use sshd::Sshd;
