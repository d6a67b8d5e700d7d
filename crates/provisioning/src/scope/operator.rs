//! The operators of scope filters.

use latchkey_expr::Pattern;
use serde_json::Value as Json;

/// How an attribute is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Identical, case-sensitive.
    Equals,
    /// There, and not identical.
    NotEquals,
    /// True.
    IsTrue,
    /// False.
    IsFalse,
    /// Absent or empty.
    IsNull,
    /// There and not empty.
    IsNotNull,
    /// The pattern matches somewhere; write `^…$` for the whole value.
    RegexMatch,
    /// There, and the pattern matches nowhere.
    NotRegexMatch,
    /// A whole number, and larger.
    GreaterThan,
    /// A whole number, and larger or equal.
    GreaterThanOrEquals,
    /// The value contains the operand, case-sensitive.
    Includes,
    /// The value ends with the operand, case-sensitive.
    EndsWith,
    /// Of whole numbers: they share a bit. Of texts: the value occurs within the operand.
    BitsOrWithin,
    /// There, and not [`Operator::BitsOrWithin`].
    NotBitsOrWithin,
    /// One of the values is identical, for attributes with several.
    IsMemberOf,
}

/// Why a clause is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// There is no such operator.
    #[error("{word:?} is no operator; there are {}", words())]
    Unknown {
        /// What was given.
        word: String,
    },
    /// The operand is missing, too much, or of the wrong kind.
    #[error("{} {reason}", .operator.as_str())]
    Operand {
        /// The operator.
        operator: Operator,
        /// What is wrong with it.
        reason: String,
    },
}

fn words() -> String {
    Operator::ALL.iter().map(|operator| operator.as_str()).collect::<Vec<_>>().join(", ")
}

impl Operator {
    /// All of them, as they are offered.
    pub const ALL: &'static [Self] = &[
        Self::Equals,
        Self::NotEquals,
        Self::IsTrue,
        Self::IsFalse,
        Self::IsNull,
        Self::IsNotNull,
        Self::RegexMatch,
        Self::NotRegexMatch,
        Self::GreaterThan,
        Self::GreaterThanOrEquals,
        Self::Includes,
        Self::EndsWith,
        Self::BitsOrWithin,
        Self::NotBitsOrWithin,
        Self::IsMemberOf,
    ];

    /// As Entra's API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "EQUALS",
            Self::NotEquals => "NOT EQUALS",
            Self::IsTrue => "IS TRUE",
            Self::IsFalse => "IS FALSE",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
            Self::RegexMatch => "REGEX MATCH",
            Self::NotRegexMatch => "NOT REGEX MATCH",
            Self::GreaterThan => "Greater_Than",
            Self::GreaterThanOrEquals => "Greater_Than_OR_EQUALS",
            Self::Includes => "Includes",
            Self::EndsWith => "ENDS_WITH",
            Self::BitsOrWithin => "&",
            Self::NotBitsOrWithin => "!&",
            Self::IsMemberOf => "IsMemberOf",
        }
    }

    /// The operator of this name; case and the choice of blank or underscore don't matter.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(word: &str) -> Result<Self, OperatorError> {
        let plain = |text: &str| text.replace([' ', '_', '-'], "").to_ascii_lowercase();
        let found = Self::ALL.iter().find(|operator| plain(operator.as_str()) == plain(word));
        found.copied().ok_or_else(|| OperatorError::Unknown { word: word.to_owned() })
    }

    /// Whether it takes no operand.
    pub const fn is_unary(self) -> bool {
        matches!(self, Self::IsTrue | Self::IsFalse | Self::IsNull | Self::IsNotNull)
    }

    pub(super) fn check(self, value: Option<&str>) -> Result<(), OperatorError> {
        let wrong = |reason: &str| Err(OperatorError::Operand { operator: self, reason: reason.to_owned() });
        match (self, value) {
            (_, Some(_)) if self.is_unary() => wrong("takes no value"),
            (_, None | Some("")) if !self.is_unary() => wrong("needs a value"),
            (Self::GreaterThan | Self::GreaterThanOrEquals, Some(value)) if value.parse::<i64>().is_err() => {
                wrong(&format!("compares whole numbers, and {value:?} is none"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn holds(self, found: &Json, operand: &str, pattern: Option<&Pattern>) -> bool {
        let text = text_of(found);
        let (Some(text), false) = (&text, is_empty(found)) else { return self == Self::IsNull };
        let number = || text.trim().parse::<i64>().ok();
        let wanted = || operand.trim().parse::<i64>().ok();
        let matches = || pattern.is_some_and(|pattern| pattern.is_match(text).unwrap_or(false));
        let shares = || match (number(), wanted()) {
            (Some(a), Some(b)) => a & b != 0,
            _ => operand.contains(text.as_str()),
        };
        match self {
            Self::Equals => text == operand,
            Self::NotEquals => text != operand,
            Self::IsTrue => text.eq_ignore_ascii_case("true"),
            Self::IsFalse => text.eq_ignore_ascii_case("false"),
            Self::IsNull => false,
            Self::IsNotNull => true,
            Self::RegexMatch => matches(),
            // A pattern that takes too many steps says nothing, so it lets nobody in.
            Self::NotRegexMatch => {
                pattern.is_some_and(|pattern| pattern.is_match(text).is_ok_and(|found| !found))
            }
            Self::GreaterThan => matches!((number(), wanted()), (Some(a), Some(b)) if a > b),
            Self::GreaterThanOrEquals => matches!((number(), wanted()), (Some(a), Some(b)) if a >= b),
            Self::Includes => text.contains(operand),
            Self::EndsWith => text.ends_with(operand),
            Self::BitsOrWithin => shares(),
            Self::NotBitsOrWithin => !shares(),
            Self::IsMemberOf => match found {
                Json::Array(values) => values.iter().filter_map(text_of).any(|value| value == operand),
                _ => text == operand,
            },
        }
    }
}

fn is_empty(found: &Json) -> bool {
    match found {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// Of several values the first, as everywhere that one is needed.
fn text_of(found: &Json) -> Option<String> {
    match found {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        Json::Array(values) => text_of(values.first()?),
        other => Some(other.to_string()),
    }
}
