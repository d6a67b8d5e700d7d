//! Filters (RFC 7644 §3.4.2.2): text → [`Filter`] → [`Resolved`] against a resource type → an answer.
//!
//! Readings, where the RFC leaves room or clients go beyond it:
//! - A multi-valued attribute matches if any value does; terms within one `[ ]` hold for the *same* value.
//! - What is absent matches no comparison, `ne` included. `x eq null` is `not (x pr)`, `x ne null` is `x pr`,
//!   and `not (x eq "a")` is plain logic, so it does match where `x` is absent.
//! - `emails[type eq "work"].value eq "x"` (Entra) means that one value satisfies both, and
//!   `emails[type eq "work"] eq "x"` compares its `value`.
//! - A multi-valued or complex attribute without sub-attribute means its `value`.
//! - A literal of another type than the attribute never matches, save that `"True"` and `"False"` are
//!   booleans for a boolean (Entra). An operator that the type does not have is refused.
//!
//! ```
//! use latchkey_scim::{Limits, filter};
//! let filter = filter::parse(r#"userName EQ "ida" and not(active eq false)"#, &Limits::default())?;
//! assert_eq!(filter.to_string(), r#"userName eq "ida" and not (active eq false)"#);
//! # Ok::<(), latchkey_scim::Error>(())
//! ```

mod ast;
mod eval;
mod fold;
mod lexer;
mod parser;
mod print;
mod resolve;
#[cfg(test)]
mod tests;

pub use ast::{Filter, Literal, Op, Test, Then};
pub use eval::matches;
pub use fold::fold;
pub use parser::parse;
pub use resolve::{Check, Resolved, Target, Typed, resolve, target};

pub(crate) use eval::value_matches;
pub(crate) use parser::{Fault, parse_path};
pub(crate) use resolve::resolve_values;
