//! The installation's root key, and what is derived from it: sealing and keyed hashes.
//!
//! One key file, made at first start and readable by its owner alone. Every sealed text is bound
//! to its context (workspace, kind, id), so that a row moved elsewhere doesn't open (V1).
//! Knows nothing of accounts, tokens or storage.
#![warn(missing_docs)]

mod keyring;
mod seal;

pub use keyring::{KeyError, KeyRing};
pub use seal::OpenError;
