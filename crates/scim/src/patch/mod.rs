//! PATCH (RFC 7644 §3.5.2): body → [`PatchRequest`] → a changed copy of a resource.
//!
//! What clients send beyond the RFC is understood at the border: the shapes are rows of
//! [`dialect`], reading them is [`PatchRequest::parse`], and what comes out is a list of typed
//! operations on attributes that the schemas know. [`apply()`] is strict and knows no client.
//!
//! Readings, where the RFC leaves room:
//! - A complex value is written one sub-attribute at a time, so the others stay, and `null` clears one.
//! - Values of a list are the same if `value` and `type` are (a value sent without `type` is the same as
//!   any with its `value`); what is added to a list and is there already is merged into it.
//! - An entry of a list of which only `type` and `primary` are left after a removal is removed.
//! - A value that a filter selects keeps what the filter says of it when it is replaced.
//! - A manager's `$ref` goes when another `value` comes without one.

mod apply;
pub mod dialect;
mod entry;
mod members;
mod operation;
mod parse;
#[cfg(test)]
mod tests;
mod write;

pub use apply::{Patched, apply};
pub use members::{MembersChange, members_of_body};
pub use operation::Verb;
pub use parse::PatchRequest;
