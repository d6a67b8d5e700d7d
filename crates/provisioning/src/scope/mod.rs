//! Scope filters: groups of clauses, of which one has to hold whole.

mod operator;

pub use operator::{Operator, OperatorError};

use latchkey_expr::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Which objects a mapping is for. Without groups it is for all.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// One of them has to hold.
    pub groups: Vec<Group>,
}

/// Clauses that have to hold together.
#[derive(Debug, Clone)]
pub struct Group {
    /// What people call it.
    pub title: String,
    /// All of them have to hold.
    pub clauses: Vec<Clause>,
}

/// One test of one attribute.
#[derive(Debug, Clone)]
pub struct Clause {
    attribute: String,
    operator: Operator,
    value: String,
    pattern: Option<Pattern>,
}

/// What one clause came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClauseResult {
    /// The group that it is in.
    pub group: String,
    /// As a person reads it.
    pub clause: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Clause {
    /// A clause whose operand has been checked.
    ///
    /// # Errors
    /// When the operator needs a value, takes none, or cannot read this one.
    pub fn new(
        attribute: impl Into<String>,
        operator: Operator,
        value: Option<&str>,
    ) -> Result<Self, OperatorError> {
        operator.check(value)?;
        let value = value.unwrap_or_default().to_owned();
        let pattern = match operator {
            Operator::RegexMatch | Operator::NotRegexMatch => Some(
                Pattern::compile(&value)
                    .map_err(|error| OperatorError::Operand { operator, reason: error.to_string() })?,
            ),
            _ => None,
        };
        Ok(Self { attribute: attribute.into(), operator, value, pattern })
    }

    /// The attribute that it reads.
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// Its operator.
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// Its operand; empty for those that take none.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether it holds. What is absent or empty passes only `IS NULL`, not even a negative test.
    pub fn holds(&self, attributes: &Map<String, Json>) -> bool {
        self.operator.holds(
            attributes.get(&self.attribute).unwrap_or(&Json::Null),
            &self.value,
            self.pattern.as_ref(),
        )
    }
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.attribute, self.operator.as_str())?;
        if self.value.is_empty() { Ok(()) } else { write!(f, " {}", self.value) }
    }
}

impl Scope {
    /// Whether an object passes, with what each clause came to.
    pub fn evaluate(&self, attributes: &Map<String, Json>) -> (bool, Vec<ClauseResult>) {
        let mut results = Vec::new();
        let mut passes = self.groups.is_empty();
        for group in &self.groups {
            let mut all = true;
            for clause in &group.clauses {
                let holds = clause.holds(attributes);
                all &= holds;
                results.push(ClauseResult { group: group.title.clone(), clause: clause.to_string(), holds });
            }
            passes |= all;
        }
        (passes, results)
    }

    /// The attributes that the source has to read for it.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| &group.clauses).map(Clause::attribute)
    }
}
