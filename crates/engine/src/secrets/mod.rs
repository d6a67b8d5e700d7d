//! Secrets of accounts: stored, shown, rotated, and who saw which.
//!
//! A value leaves this room only after the record that it did is durable (V5): `disclose` opens,
//! commits, and only then returns. Who may is judged for the account, by its grants; the
//! caller's role and scopes only open the door.

mod disclose;
mod load;
mod rotation;
mod value;
mod who;
mod write;

pub(crate) use disclose::disclose_to;
pub use disclose::{BurnedView, CodeView, Disclosed, burn, disclose, totp_code};
pub(crate) use load::Loaded;
pub use load::SecretView;
pub use rotation::{
    Slot, abandon, abandoned, open_current, open_version, promote, promoted, stage, stage_in, staged,
};
pub use value::Value;
pub(crate) use value::{alarm, at as place_at, open, seal};
pub use who::{Knower, Knowledge, Possible, ledger, seen_by, who_knows_now};
pub use write::{NewSecret, add, history, list, remove, restore, set};
