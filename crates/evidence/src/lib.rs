//! The report of an offboarding: what it says, how it is signed, and how it looks on paper.
//!
//! Pure: the engine gathers the facts, this room words them. A report holds no secret, and the same
//! facts give the same bytes, so that a signature can be checked by anybody, years later, without
//! Latchkey's database.
#![warn(missing_docs)]

mod page;
mod report;
mod sign;
mod summary;

pub use page::page;
pub use report::{
    Account, Change, Clock, Exception, Foreseen, Header, Integrity, Knowledge, Ownership, Removed, Report,
    Task, Way,
};
pub use sign::{Signature, SignatureError, Signed, Signer, verify};
pub use summary::summary;
