//! What a filter says, before any schema is asked.

use crate::Name;
use crate::path::AttrPath;

/// A filter as it was written. Grouping that changes nothing leaves no trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these; two at least.
    And(Vec<Filter>),
    /// One of these; two at least.
    Or(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// `attribute op value` or `attribute pr`.
    Is(AttrPath, Test),
    /// `attribute[filter]`, and what is asked of the value that the bracket finds.
    Values {
        /// The attribute before the bracket.
        path: AttrPath,
        /// What one value has to satisfy; names sub-attributes.
        filter: Box<Filter>,
        /// `.sub op value` after the bracket, which is outside the RFC's grammar.
        then: Option<Then>,
    },
}

/// What is asked of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `pr`: it has a value.
    Present,
    /// A comparison.
    Compare(Op, Literal),
}

/// What follows a bracket.
#[derive(Debug, Clone, PartialEq)]
pub struct Then {
    /// The sub-attribute; `value` if none is named.
    pub sub: Option<Name>,
    /// What is asked of it.
    pub test: Test,
}

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Op {
    /// Every operator, in the RFC's order.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The operator of this keyword, in any case.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(word))
    }
}

/// A value to compare with, as JSON has them.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text, escapes decoded.
    String(String),
}
