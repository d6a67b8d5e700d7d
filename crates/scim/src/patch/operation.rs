//! What the strict core works on.

use std::fmt;

use crate::filter::Resolved;
use crate::json::Json;
use crate::{Complex, Error, Target, Value};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Adds to what is there.
    Add,
    /// Takes away.
    Remove,
    /// Puts in place of what is there.
    Replace,
}

impl Verb {
    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One change of one attribute or sub-attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    /// Counted from 1 in the request, where several may stem from one.
    pub(super) number: usize,
    pub(super) verb: Verb,
    pub(super) target: Target,
    /// Which values of the attribute; only for multi-valued ones.
    pub(super) selection: Option<Selection>,
    pub(super) action: Action,
}

/// The values that a filter in the path selects.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    pub(super) filter: Resolved,
    /// What a value must have for the filter to select it, if the filter says just that: a
    /// conjunction of `sub eq value`.
    pub(super) template: Option<Complex>,
}

/// What is done. The verb tells adding from replacing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Assigns; never an empty list.
    Write(Value),
    /// Unassigns.
    Unset,
    /// Takes these values out of a list.
    Withdraw(Vec<Value>),
    /// The client repeats what only the server sets; it has to be what is there.
    Echo(Json),
}

impl Operation {
    /// Says of which operation an error speaks.
    pub(super) fn blame(&self, error: Error) -> Error {
        blame(self.number, error)
    }
}

pub(super) fn blame(number: usize, error: Error) -> Error {
    Error { detail: format!("operation {number}: {}", error.detail), ..error }
}
