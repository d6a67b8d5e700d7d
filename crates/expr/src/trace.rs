//! The value of each sub-expression, for the tester.

use std::cell::RefCell;

use serde_json::Value as Json;

use crate::compile::Program;
use crate::error::{EvalError, Span};
use crate::evaluate::{Attributes, Evaluated, Evaluator};
use crate::surroundings::Surroundings;
use crate::value::Value;

/// One sub-expression that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// Its place in the text.
    pub span: Span,
    /// Its value, where it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// Why it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Step {
    pub(crate) fn of(span: Span, result: &Result<Value<'_>, EvalError>) -> Self {
        match result {
            Ok(value) => Self { span, value: Some(value.to_json()), error: None },
            Err(error) => Self { span, value: None, error: Some(error.to_string()) },
        }
    }
}

/// An evaluation with its steps, innermost first; branches that were not taken are not in it.
#[derive(Debug)]
pub struct Trace<'a> {
    /// What came out.
    pub result: Result<Evaluated<'a>, EvalError>,
    /// How.
    pub steps: Vec<Step>,
}

impl Program {
    /// Evaluates, and keeps the value of each attribute, comparison and call.
    pub fn trace<'a>(
        &'a self,
        attributes: &'a dyn Attributes,
        surroundings: &'a Surroundings<'a>,
    ) -> Trace<'a> {
        let evaluator = Evaluator::new(attributes, surroundings, Some(RefCell::default()));
        let result = evaluator.run(self);
        Trace { result, steps: evaluator.into_steps() }
    }
}
