//! Evaluating a program for one person.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use serde_json::{Map, Value as Json};

use crate::compile::{Op, OpKind, Program};
use crate::dates;
use crate::error::{EvalError, Span};
use crate::pattern::Pattern;
use crate::signature::Function;
use crate::surroundings::Surroundings;
use crate::syntax::Operator;
use crate::trace::Step;
use crate::value::Value;

/// The longest text that an expression may make, in bytes.
pub(crate) const MAX_TEXT: usize = 64 * 1024;
/// The most values that an expression may make of one.
pub(crate) const MAX_VALUES: usize = 10_000;

/// Where an expression's attributes come from.
pub trait Attributes {
    /// The attribute of this name, which is case-sensitive; [`Value::Null`] where there is none.
    fn attribute<'a>(&'a self, name: &str) -> Value<'a>;
}

impl<F: Fn(&str) -> Value<'static>> Attributes for F {
    fn attribute<'a>(&'a self, name: &str) -> Value<'a> {
        self(name)
    }
}

impl Attributes for Map<String, Json> {
    fn attribute<'a>(&'a self, name: &str) -> Value<'a> {
        self.get(name).map_or(Value::Null, Value::from_json)
    }
}

/// What an expression gives for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated<'a> {
    /// The value; null where there is none.
    pub value: Value<'a>,
    /// Whether the attribute is to be left as it is at the target (`IgnoreFlowIfNullOrEmpty`).
    pub ignored: bool,
    /// Whether logs may not show the value (`Redact`).
    pub redacted: bool,
    /// Of `SelectUniqueValue`: what to try in turn until one is free at the target; else empty.
    pub candidates: Vec<String>,
}

impl Program {
    /// The value for one person.
    ///
    /// # Errors
    /// The call that failed and why.
    pub fn evaluate<'a>(
        &'a self,
        attributes: &'a dyn Attributes,
        surroundings: &'a Surroundings<'a>,
    ) -> Result<Evaluated<'a>, EvalError> {
        Evaluator::new(attributes, surroundings, None).run(self)
    }
}

pub(crate) struct Evaluator<'a> {
    attributes: &'a dyn Attributes,
    surroundings: &'a Surroundings<'a>,
    ignored: Cell<bool>,
    redacted: Cell<bool>,
    candidates: RefCell<Vec<String>>,
    steps: Option<RefCell<Vec<Step>>>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        attributes: &'a dyn Attributes,
        surroundings: &'a Surroundings<'a>,
        steps: Option<RefCell<Vec<Step>>>,
    ) -> Self {
        Self {
            attributes,
            surroundings,
            ignored: Cell::new(false),
            redacted: Cell::new(false),
            candidates: RefCell::default(),
            steps,
        }
    }

    pub(crate) fn run(&self, program: &'a Program) -> Result<Evaluated<'a>, EvalError> {
        let value = self.value(&program.root)?;
        Ok(Evaluated {
            value,
            ignored: self.ignored.get(),
            redacted: self.redacted.get(),
            candidates: self.candidates.take(),
        })
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps.map(RefCell::into_inner).unwrap_or_default()
    }

    fn value(&self, op: &'a Op) -> Result<Value<'a>, EvalError> {
        let result = match &op.kind {
            OpKind::Omitted => return Ok(Value::Null),
            OpKind::Constant(value) => return Ok(value.borrowed()),
            OpKind::Pattern(text, _) => return Ok(Value::text(text)),
            OpKind::Attribute(name) => Ok(self.attributes.attribute(name)),
            OpKind::Call(function, args) => {
                (function.eval)(&Call { evaluator: self, function, args, span: op.span })
            }
            OpKind::Compare(operator, sides) => self.compare(*operator, sides).map(Value::Bool),
        };
        if let Some(steps) = &self.steps {
            steps.borrow_mut().push(Step::of(op.span, &result));
        }
        result
    }

    /// A comparison with something absent is false, whatever the operator.
    fn compare(&self, operator: Operator, sides: &'a (Op, Op)) -> Result<bool, EvalError> {
        let (Some(left), Some(right)) =
            (self.value(&sides.0)?.into_text(), self.value(&sides.1)?.into_text())
        else {
            return Ok(false);
        };
        let order = match (number_of(&left), number_of(&right)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => left.cmp(&right),
        };
        Ok(match operator {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
        })
    }
}

/// The whole number that a text is, in digits or as `&HFF`.
pub(crate) fn number_of(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("&H").or_else(|| text.strip_prefix("&h")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// One call, as a function sees it: parameters are evaluated when they are asked for.
pub(crate) struct Call<'c, 'a> {
    evaluator: &'c Evaluator<'a>,
    function: &'static Function,
    args: &'a [Op],
    span: Span,
}

impl<'a> Call<'_, 'a> {
    pub(crate) const fn count(&self) -> usize {
        self.args.len()
    }

    pub(crate) fn is_omitted(&self, at: usize) -> bool {
        self.args.get(at).is_none_or(|op| matches!(op.kind, OpKind::Omitted))
    }

    pub(crate) fn value(&self, at: usize) -> Result<Value<'a>, EvalError> {
        self.args.get(at).map_or(Ok(Value::Null), |op| self.evaluator.value(op))
    }

    pub(crate) fn text(&self, at: usize) -> Result<Option<Cow<'a, str>>, EvalError> {
        self.value(at).map(Value::into_text)
    }

    pub(crate) fn list(&self, at: usize) -> Result<Vec<Value<'a>>, EvalError> {
        self.value(at).map(Value::into_list)
    }

    /// A whole number; nothing where the parameter is absent.
    pub(crate) fn number(&self, at: usize) -> Result<Option<i64>, EvalError> {
        match self.value(at)? {
            Value::Int(number) => Ok(Some(number)),
            other => other.into_text().map(|text| self.parse_number(at, &text)).transpose(),
        }
    }

    /// A whole number that has to be there.
    pub(crate) fn need_number(&self, at: usize) -> Result<i64, EvalError> {
        self.number(at)?.ok_or_else(|| self.fail(format_args!("{} has no value", self.name_of(at))))
    }

    fn parse_number(&self, at: usize, text: &str) -> Result<i64, EvalError> {
        number_of(text).ok_or_else(|| {
            self.fail(format_args!("{} is a whole number, not {:?}", self.name_of(at), shorten(text)))
        })
    }

    /// Whether a condition holds; something absent does not.
    pub(crate) fn condition(&self, at: usize) -> Result<bool, EvalError> {
        Ok(match self.value(at)? {
            Value::Bool(flag) => flag,
            Value::Int(number) => number != 0,
            other => other.into_text().is_some_and(|text| {
                text.eq_ignore_ascii_case("true") || number_of(&text).is_some_and(|number| number != 0)
            }),
        })
    }

    /// The regular expression at this position, which constants have compiled already.
    pub(crate) fn pattern(&self, at: usize) -> Result<Option<Cow<'a, Pattern>>, EvalError> {
        if let Some(Op { kind: OpKind::Pattern(_, pattern), .. }) = self.args.get(at) {
            return Ok(Some(Cow::Borrowed(pattern)));
        }
        let Some(text) = self.text(at)? else { return Ok(None) };
        Pattern::compile(&text).map(|pattern| Some(Cow::Owned(pattern))).map_err(|error| self.fail(error))
    }

    /// The date that a text is, in UTC.
    pub(crate) fn date_of(&self, text: &str) -> Result<jiff::civil::DateTime, EvalError> {
        dates::read(text).ok_or_else(|| {
            self.fail(format_args!(
                "{:?} is no date; write it as 2026-11-02 or 2026-11-02T09:30:00Z",
                shorten(text)
            ))
        })
    }

    pub(crate) const fn surroundings(&self) -> &'a Surroundings<'a> {
        self.evaluator.surroundings
    }

    pub(crate) fn ignore_flow(&self) {
        self.evaluator.ignored.set(true);
    }

    pub(crate) fn redact(&self) {
        self.evaluator.redacted.set(true);
    }

    pub(crate) fn offer(&self, candidates: Vec<String>) {
        self.evaluator.candidates.replace(candidates);
    }

    /// A text that this call has made, unless it is longer than any attribute may be.
    pub(crate) fn made(&self, text: String) -> Result<Value<'a>, EvalError> {
        if text.len() > MAX_TEXT { Err(self.too_long()) } else { Ok(Value::owned(text)) }
    }

    pub(crate) fn too_long(&self) -> EvalError {
        self.fail(format_args!("the result is longer than {MAX_TEXT} bytes"))
    }

    pub(crate) fn fail(&self, message: impl std::fmt::Display) -> EvalError {
        EvalError { span: self.span, function: self.function.name, message: message.to_string() }
    }

    fn name_of(&self, at: usize) -> &'static str {
        self.function.param(at).map_or("the parameter", |param| param.name)
    }
}

/// The beginning of a text, for an error.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
