//! `latchkey backup` and `latchkey restore`.

mod file;
mod keys;
mod restore;
mod take;

pub(crate) use restore::run as restore;
pub(crate) use take::run as backup;
