//! What is wrong with an expression, and where.

use std::fmt;

/// A stretch of the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it has ended.
    pub end: usize,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(crate) const fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

/// Why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("at character {}: {message}", .column)]
pub struct CompileError {
    /// The place in the text.
    pub span: Span,
    /// The place as a person counts, from 1.
    pub column: usize,
    /// What was found there and what is allowed.
    pub message: String,
}

impl CompileError {
    pub(crate) fn at(text: &str, span: Span, message: impl fmt::Display) -> Self {
        let column = text.get(..span.start).map_or(1, |before| before.chars().count() + 1);
        Self { span, column, message: message.to_string() }
    }
}

/// Why an expression has no value for one person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{function}: {message}")]
pub struct EvalError {
    /// The call that failed.
    pub span: Span,
    /// The function that was called.
    pub function: &'static str,
    /// What was found and what is needed.
    pub message: String,
}
