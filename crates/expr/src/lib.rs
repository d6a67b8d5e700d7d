//! The expression language of attribute mappings, as Entra ID's provisioning service documents it.
//!
//! A text is compiled once into a [`Program`], which checks every name, number of parameters and
//! constant pattern, and is then evaluated for each person: no parsing, and no work for branches
//! that are not taken. [`Program::trace`] shows the value of each sub-expression. Each function is
//! one file under `functions`, with its help and its examples, which are its tests and its
//! reference page at once ([`FUNCTIONS`]).
//!
//! Pure: time, randomness and the tenant's default domain come with the [`Surroundings`].
//!
//! ```
//! use latchkey_expr::{Program, Surroundings, Value};
//! let program = Program::compile(r#"Join(" ", [givenName], [surname])"#)?;
//! let person = |name: &str| match name {
//!     "givenName" => Value::text("Mira"),
//!     "surname" => Value::text("Moss"),
//!     _ => Value::Null,
//! };
//! let surroundings = Surroundings::fixed();
//! let result = program.evaluate(&person, &surroundings)?;
//! assert_eq!(result.value, Value::text("Mira Moss"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod compile;
mod dates;
mod error;
mod evaluate;
mod functions;
mod lexer;
mod parser;
mod pattern;
mod signature;
mod surroundings;
mod syntax;
mod trace;
mod value;

pub use compile::Program;
pub use error::{CompileError, EvalError, Span};
pub use evaluate::{Attributes, Evaluated};
pub use functions::{FUNCTIONS, sample};
pub use pattern::{Pattern, PatternError};
pub use signature::{Example, Expected, Function, Kind, Param};
pub use surroundings::Surroundings;
pub use syntax::{Node, NodeKind, Operator};
pub use trace::{Step, Trace};
pub use value::Value;
