//! What a function is: its parameters, its help, its examples and its rule.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::value::Value;

/// One function of the language.
pub struct Function {
    /// As it is written; names are case-sensitive.
    pub name: &'static str,
    /// Other spellings that are in use.
    pub aliases: &'static [&'static str],
    /// What it gives, in one or two sentences.
    pub help: &'static str,
    /// In order.
    pub params: &'static [Param],
    /// How many of the last parameters may be given again and again, as a group.
    pub repeats: usize,
    /// Evaluated on [`crate::functions::sample`]; each is a test.
    pub examples: &'static [Example],
    /// Whether it may only stand at the root of an expression.
    pub root_only: bool,
    pub(crate) eval: for<'a> fn(&Call<'_, 'a>) -> Result<Value<'a>, EvalError>,
}

impl Function {
    /// As `Mid(source, start, length)`, with `[optional]` ones in brackets.
    pub fn signature(&self) -> String {
        let mut params: Vec<String> = self
            .params
            .iter()
            .map(|param| if param.optional { format!("[{}]", param.name) } else { param.name.to_owned() })
            .collect();
        if self.repeats > 0 {
            params.push("…".to_owned());
        }
        format!("{}({})", self.name, params.join(", "))
    }

    /// The parameter at this position, where there is one.
    pub(crate) fn param(&self, at: usize) -> Option<&'static Param> {
        if at < self.params.len() {
            return self.params.get(at);
        }
        let fixed = self.params.len().checked_sub(self.repeats).filter(|_| self.repeats > 0)?;
        self.params.get(fixed + (at - fixed) % self.repeats)
    }

    /// The fewest parameters.
    pub(crate) fn fewest(&self) -> usize {
        self.params.iter().rposition(|param| !param.optional).map_or(0, |at| at + 1)
    }

    /// The most parameters, where there is an end.
    pub(crate) const fn most(&self) -> Option<usize> {
        if self.repeats > 0 { None } else { Some(self.params.len()) }
    }
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name in the help and in errors.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
}

impl Param {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: false }
    }

    pub(crate) const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whatever there is.
    Any,
    /// A text; of several values the first.
    Text,
    /// A whole number, or a text that is one.
    Number,
    /// All values of an attribute.
    List,
    /// A comparison, or a value that is true or false.
    Condition,
    /// A regular expression.
    Pattern,
    /// One of these words, bare or in quotes.
    Words(&'static [&'static str]),
}

/// A use of a function with what it gives.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The expression.
    pub text: &'static str,
    /// What it gives.
    pub gives: Expected,
}

/// What an example gives.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// This text.
    Text(&'static str),
    /// These values.
    List(&'static [&'static str]),
    /// Nothing: the attribute is absent.
    Null,
    /// Some text that this pattern matches, because it differs each time.
    Matches(&'static str),
    /// An error with these words in it.
    Fails(&'static str),
}

/// An example that gives a text.
pub(crate) const fn gives(text: &'static str, result: &'static str) -> Example {
    Example { text, gives: Expected::Text(result) }
}

/// An example that gives nothing.
pub(crate) const fn gives_null(text: &'static str) -> Example {
    Example { text, gives: Expected::Null }
}

/// An example that gives several values.
pub(crate) const fn gives_list(text: &'static str, result: &'static [&'static str]) -> Example {
    Example { text, gives: Expected::List(result) }
}

/// An example that is refused.
pub(crate) const fn fails(text: &'static str, words: &'static str) -> Example {
    Example { text, gives: Expected::Fails(words) }
}

/// An example whose result differs each time.
pub(crate) const fn matches(text: &'static str, pattern: &'static str) -> Example {
    Example { text, gives: Expected::Matches(pattern) }
}
